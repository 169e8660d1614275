import { describe, expect, test } from "bun:test";
import { formatXml, parseXml, type XmlElement } from "../../src/cib/index.ts";
import { xmlDiff } from "../../src/cli/tools/xml-diff.ts";
import { documentDigest, patchedDocument } from "../../src/cli/tools/xml-patch.ts";
import { runHere } from "./rehearsal.ts";

const read = (text: string) => parseXml(text, undefined, { comments: true });
const cib = (epoch: number, inner: string) =>
  read(`<cib epoch="${epoch}" num_updates="0" admin_epoch="0"><configuration>${inner}</configuration></cib>`);
/** Changes in short: what, where, at which place. */
const changes = (diff: XmlElement | undefined) =>
  (diff?.children ?? [])
    .filter(({ name }) => name === "change")
    .map(({ attributes }) =>
      ["operation", "path", "position"].flatMap((name) => attributes.get(name) ?? []).join(" "),
    );
const at = "/cib/configuration";

describe("the difference of two documents", () => {
  test("has comments, by their words and places", () => {
    const old = cib(1, "<!-- a --><nodes/><!-- b --><resources/>");
    const fresh = cib(1, "<nodes/><!-- b --><resources/><!-- c -->");
    const diff = xmlDiff(old, fresh, { versions: true, attributeOrder: true });
    expect(changes(diff)).toEqual([
      `delete ${at}/comment 0`,
      `delete ${at}/comment 1`,
      `create ${at} 1`,
      `create ${at} 3`,
    ]);
    expect(formatXml(patchedDocument(old, diff as XmlElement, true))).toBe(formatXml(fresh));
  });

  test("has what moved, and attributes that moved where their order counts", () => {
    const old = cib(1, '<nodes><node id="1" uname="a"/><node id="2" uname="b"/></nodes>');
    const fresh = cib(1, '<nodes><node id="2" uname="b"/><node uname="a" id="1"/></nodes>');
    const ordered = xmlDiff(old, fresh, { versions: true, attributeOrder: true });
    expect(changes(ordered)).toEqual([
      `move ${at}/nodes/node[@id='2'] 0`,
      `modify ${at}/nodes/node[@id='1']`,
      `move ${at}/nodes/node[@id='1'] 1`,
    ]);
    expect(formatXml(patchedDocument(old, ordered as XmlElement, true))).toBe(formatXml(fresh));
    const plain = xmlDiff(old, fresh, { versions: true });
    expect(changes(plain)).toEqual([`move ${at}/nodes/node[@id='2'] 0`, `move ${at}/nodes/node[@id='1'] 1`]);
  });

  test("leaves versions out when they do not count", () => {
    expect(xmlDiff(cib(1, ""), cib(2, ""), { versions: false })).toBeUndefined();
    const [head] = xmlDiff(cib(1, ""), cib(2, ""), { versions: true })?.children ?? [];
    expect(head?.name).toBe("version");
  });

  test("is applied only when it leads to what it says", () => {
    const fresh = cib(2, "<nodes/>");
    const diff = xmlDiff(cib(1, ""), fresh, { versions: true }) as XmlElement;
    diff.attributes.set("digest", documentDigest(fresh));
    expect(formatXml(patchedDocument(cib(1, ""), diff, true))).toBe(formatXml(fresh));
    expect(() => patchedDocument(cib(1, "<!-- x -->"), diff, true)).toThrow("the digest is another");
    expect(() => patchedDocument(cib(7, ""), diff, true)).toThrow("another version");
  });

  test("random lists of elements and comments become each other", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    const list = () =>
      Array.from({ length: random(8) }, () =>
        random(4) === 0 ? `<!--c${random(3)}-->` : `<node id="${random(6)}" v="${random(2)}"/>`,
      );
    const distinct = (items: string[]) =>
      items.filter(
        (item, i) =>
          item.startsWith("<!") || items.findIndex((x) => x.slice(0, 12) === item.slice(0, 12)) === i,
      );
    for (let round = 0; round < 300; round++) {
      const [old, fresh] = [cib(1, distinct(list()).join("")), cib(1, distinct(list()).join(""))];
      const diff = xmlDiff(old, fresh, { versions: true, attributeOrder: true });
      const result = diff === undefined ? old : patchedDocument(old, diff, true);
      expect(formatXml(result)).toBe(formatXml(fresh));
    }
  });
});

describe("crm_diff", () => {
  const words = ["crm_diff", "-O", formatXml(cib(1, ""), -1), "-N", formatXml(cib(2, "<!-- n -->"), -1)];
  const run = (...more: string[]) => runHere([...words, ...more], { HACTL_CONFIG: "/nonexistent" });

  test("tells the digest of CIBs, and has no CIBs without versions", async () => {
    const asCib = await run("--cib");
    expect([asCib.code, asCib.out.split("\n")[0]]).toEqual([
      1,
      `<diff format="2" digest="${documentDigest(cib(2, "<!-- n -->"))}">`,
    ]);
    expect((await run()).out).toStartWith('<diff format="2">\n  <version>');
    expect((await run("--no-version")).out).toStartWith('<diff format="2">\n  <change operation="create"');
    expect((await run("--cib", "--no-version")).code).toBe(64);
  });

  test("finds no moves in a CIB that names no feature set, as Pacemaker 2 finds none; other changes it does", async () => {
    const list = (head: string, ids: string) =>
      `<cib${head}><configuration><resources>${[...ids].map((id) => `<primitive id="${id}"/>`).join("")}</resources></configuration></cib>`;
    const diff = (head: string, old: string, fresh: string, ...more: string[]) =>
      runHere(["crm_diff", "-O", list(head, old), "-N", list(head, fresh), ...more], {
        HACTL_CONFIG: "/nonexistent",
      });
    expect(await diff("", "abc", "cab")).toMatchObject({ code: 0, out: "" });
    expect((await diff("", "abc", "cabd")).out).toContain('operation="create"');
    expect((await diff("", "abc", "cab", "--cib")).out).toContain('operation="move"');
    expect((await diff(' crm_feature_set="3.19.0"', "abc", "cab")).out).toContain('operation="move"');
  });
});

import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { toolNames } from "../../src/terms/index.ts";
import { answerCases } from "./answer-cases.ts";
import { cib, RehearsalStage, runHere } from "./rehearsal.ts";

const stage = new RehearsalStage();
afterAll(() => stage.stop());

const wordsOf = (text: string) =>
  text
    .split(" ")
    .map((word) =>
      word.replaceAll("\u00a0", " ").replace("FILE", stage.file).replace("DIR", stage.directory),
    );

/** A run with the newest schemas known, whatever this machine has. */
async function answer(text: string, format: string, target: "live" | "file" | "shadow") {
  process.env.HACTL_API_VERSION = "2.42";
  try {
    return await stage.run([...wordsOf(text), `--output-as=${format}`], target);
  } finally {
    delete process.env.HACTL_API_VERSION;
  }
}

/** The parts of a document, without indentation. */
function partsOf(document: string) {
  const found =
    /^<pacemaker-result api-version="2\.42" request="([^"]*)">\n([\s\S]*?) {2}<status code="(\d+)" message="[^"]+"(\/>|>\n[\s\S]*<\/status>)\n<\/pacemaker-result>\n$/.exec(
      document,
    );
  expect(found, document).not.toBeNull();
  const [, request = "", said = "", code, rest = ""] = found ?? [];
  return {
    request,
    said: said.replace(/^[ \t]+/gm, "").trimEnd(),
    code: Number(code),
    hasErrors: rest.includes("<error>"),
  };
}

describe("as XML", () => {
  test.each(answerCases)("$words ($target)", async ({ words, target, said, code = 0 }) => {
    const { out, err, code: exit } = await answer(words, "xml", target);
    const parts = partsOf(out);
    if (typeof said === "string") expect(parts.said).toBe(said.replace("DIR", stage.directory));
    else expect(parts.said).toMatch(said);
    expect([exit, parts.code, err]).toEqual([code, code, ""]);
    expect(parts.request).toStartWith(words.split(" ")[0] ?? "");
    // What ended badly says why, unless the code is the answer.
    const tells = code !== 0 && !["crm_diff", "crm_ticket -t T -G"].some((begin) => words.startsWith(begin));
    if (tells && parts.said === "") expect(parts.hasErrors).toBe(true);
  });
});

test.each(answerCases)("$words as none says nothing and ends alike", async ({ words, target, code = 0 }) => {
  const { out, err, code: exit } = await answer(words, "none", target);
  expect([out, err, exit]).toEqual(["", "", code]);
});

/** Tools that Pacemaker has, too, with answers in several formats. */
const answering = toolNames.filter(
  (name) =>
    /^(attrd_updater|cib|crm_|crmadmin|iso8601|pacemakerd|stonith_admin)/.test(name) && name !== "crm_report",
);

describe.each(answering)("%s", (name) => {
  test("has cases", () => {
    const has = answerCases.some(({ words }) => words.startsWith(`${name} `));
    // Its files are those of this node.
    expect(has).toBe(name !== "cibsecret");
  });

  test("tells its version as text, as XML and not at all", async () => {
    const text = await answer(`${name} --version`, "text", "live");
    expect(text.out).toMatch(/^Pacemaker \d+\.\d+\.\d+\n/);
    expect(partsOf((await answer(`${name} --version`, "xml", "live")).out).said).toMatch(
      /^<version program="Pacemaker" version="\d+\.\d+\.\d+" [^>]*\/>$/,
    );
    expect((await answer(`${name} --version`, "none", "live")).out).toBe("");
  });

  test("refuses a format that it does not have", async () => {
    const { out, err, code } = await answer(`${name} --version`, "yaml", "live");
    expect([out, code]).toEqual(["", 64]);
    expect(err).toContain("yaml");
  });
});

test("crm_ticket names the resources that its tickets' constraints are about, those of sets, too", async () => {
  const path = join(stage.directory, "tickets.xml");
  const constraint = (id: string, ticket: string, what: string, inside = "") =>
    `<rsc_ticket id="${id}" ticket="${ticket}"${what}>${inside}</rsc_ticket>`;
  const set = '<resource_set id="s"><resource_ref id="d1"/><resource_ref id="d2"/></resource_set>';
  const constraints = `${constraint("a", "T", ' rsc="d1"')}${constraint("b", "U", "", set)}`;
  writeFileSync(path, cib.replace("<constraints>", `<constraints>${constraints}`));
  const { out } = await runHere(["crm_ticket", "-c", "--output-as=xml"], {
    CIB_file: path,
    HACTL_API_VERSION: "2.42",
  });
  expect(partsOf(out).said.split("\n")).toEqual([
    "<tickets>",
    '<ticket id="T">',
    "<constraints>",
    '<rsc_ticket id="a" ticket="T" rsc="d1"/>',
    "</constraints>",
    "</ticket>",
    '<ticket id="U">',
    "<constraints>",
    '<rsc_ticket id="b" ticket="U">',
    '<resource_set id="s">',
    '<resource_ref id="d1"/>',
    '<resource_ref id="d2"/>',
    "</resource_set>",
    "</rsc_ticket>",
    "</constraints>",
    "</ticket>",
    "</tickets>",
    "<resources>",
    '<resource id="d1"/>',
    '<resource id="d2"/>',
    "</resources>",
  ]);
});

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  applyOperations,
  type CibOperation,
  child,
  element,
  formatXml,
  instanceLimit,
  loadCrm,
  MOST_INSTANCES,
  MOST_NODES,
  parseXml,
  refuseTooLong,
  selectXpath,
  verifyCib,
  type XmlElement,
} from "../../src/cib/index.ts";
import { findReferenceProblems } from "../../src/cib/references.ts";
import { emptyCib } from "../../src/controller/index.ts";
import { schedule } from "../../src/scheduler/index.ts";
import { HactlError } from "../../src/terms/index.ts";

setDefaultTimeout(120_000);

const errorOf = (run: () => unknown): HactlError | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof HactlError) return error;
    throw error;
  }
};
const repeated = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i));
const dummy = (id: string) => `<primitive id="${id}" class="ocf" provider="test" type="A"/>`;
const clone = (max: number, inner = dummy("p")) =>
  `<clone id="c"><meta_attributes id="m"><nvpair id="mm" name="clone-max" value="${max}"/><nvpair id="mn" name="clone-node-max" value="${max}"/></meta_attributes>${inner}</clone>`;
const bundle = (replicas: number, inner = "") =>
  `<bundle id="b"><docker image="i" replicas="${replicas}" replicas-per-host="${replicas}"/><network ip-range-start="10.0.0.1"/>${inner}</bundle>`;
const nodes = (count: number) =>
  `<nodes>${repeated(count, (i) => `<node id="${i + 1}" uname="n${i + 1}"/>`).join("")}</nodes>`;

/** A CIB with this section, past all checks. */
function forced(xml: string): XmlElement {
  const cib = emptyCib();
  const section = parseXml(xml);
  const configuration = child(cib, "configuration");
  if (configuration)
    configuration.children = configuration.children.map((one) => (one.name === section.name ? section : one));
  return cib;
}

const resources = (xml: string) => `<resources>${xml}</resources>`;

describe("more instances than can be decided about", () => {
  test.each([
    ["a clone", clone(1_000_000)],
    ["a bundle", bundle(1_000_000)],
    ["a bundle with something inside", bundle(1_000_000, dummy("p"))],
    [
      "a clone of a large group",
      clone(200, `<group id="g">${repeated(10, (i) => dummy(`p${i}`)).join("")}</group>`),
    ],
  ])("of %s are refused, with the limit, wherever they come from", (_what, xml) => {
    const refused = errorOf(() => applyOperations(emptyCib(), [{ op: "create", xml }]));
    expect(refused).toMatchObject({ code: "TOO_MANY_INSTANCES" });
    expect(refused?.what).toMatch(/\d+ are possible/);
    const cib = forced(resources(xml));
    expect(verifyCib(cib).map(({ code }) => code)).toContain("TOO_MANY_INSTANCES");
    expect(errorOf(() => schedule({ cib, now: 1 }))).toMatchObject({ code: "TOO_MANY_INSTANCES" });
  });

  test("also by a default", () => {
    const xml = `<rsc_defaults><meta_attributes id="d"><nvpair id="dc" name="clone-max" value="5000"/></meta_attributes></rsc_defaults>`;
    expect(errorOf(() => applyOperations(emptyCib(), [{ op: "modify", create: true, xml }]))).toMatchObject({
      code: "TOO_MANY_INSTANCES",
    });
  });

  test("as many as the limit, and one for each node however many there are, are accepted", () => {
    expect(applyOperations(emptyCib(), [{ op: "create", xml: clone(MOST_INSTANCES) }]).value).toBe("0.1.0");
    expect(instanceLimit(1000, 5)).toBe(1000);
    expect(instanceLimit(3, 5)).toBe(102);
    const many = [
      { op: "replace", xml: nodes(400) },
      { op: "create", xml: clone(400) },
    ] as const;
    expect(applyOperations(emptyCib(), many).value).toBe("0.2.0");
  });
});

test("more nodes than a cluster can have are refused", () => {
  const xml = nodes(MOST_NODES + 1);
  expect(errorOf(() => applyOperations(emptyCib(), [{ op: "replace", xml }]))).toMatchObject({
    code: "TOO_MANY_NODES",
  });
  expect(errorOf(() => schedule({ cib: forced(xml), now: 1 }))).toMatchObject({ code: "TOO_MANY_NODES" });
});

test("a pattern that is too large is refused; one that is slow elsewhere is decided about", () => {
  const location = (pattern: string) =>
    `<rsc_location id="l" rsc-pattern="${pattern}" node="n1" score="10"/>`;
  const large = [
    { op: "create", xml: dummy("a") },
    { op: "create", xml: location("((a{99}){99}){99}") },
  ] as const;
  expect(errorOf(() => applyOperations(emptyCib(), large))).toMatchObject({ code: "PATTERN_LIMIT" });
  const name = `${"a".repeat(400)}b`;
  const slow = [
    { op: "create", xml: dummy(name) },
    { op: "create", xml: location("^(a+)+$") },
  ] as const;
  const { cib } = applyOperations(emptyCib(), slow);
  expect(schedule({ cib, now: 1 }).messages.filter(({ text }) => text.includes("pattern"))).toEqual([]);
});

describe("what is long is read in one go, or refused", () => {
  const lines = 100_000;
  test.each<[string, string, string | undefined]>([
    ["resources", repeated(lines, (i) => `primitive p${i} ocf:heartbeat:Dummy`).join("\n"), undefined],
    [
      "continuations",
      `primitive p ocf:heartbeat:Dummy params \\\n${repeated(lines, (i) => `a${i}=b`).join(" \\\n")}`,
      undefined,
    ],
    [
      "conditions",
      `primitive p ocf:heartbeat:Dummy\nlocation l p rule 5: ${repeated(lines, (i) => `a${i} eq b`).join(" and ")}`,
      undefined,
    ],
    [
      "members of a set",
      `primitive a ocf:heartbeat:Dummy\norder o ( ${repeated(lines, (i) => `p${i}`).join(" ")} )`,
      "DANGLING_REFERENCE",
    ],
    ["mistakes", repeated(lines, (i) => `foo${i} bar`).join("\n"), "CRM_SYNTAX"],
    ["brackets", `order o ${"( ".repeat(lines)}`, "CRM_SYNTAX"],
  ])("crm text with 100000 %s", (_what, text, code) => {
    expect(errorOf(() => loadCrm(text, undefined, "update"))?.code).toBe(code);
  });

  test("elements without ids get each their own", () => {
    const pairs = "<nvpair name='a' value='b'/>".repeat(20_000);
    const xml = `<primitive id="p" class="ocf" provider="test" type="A"><meta_attributes>${pairs}</meta_attributes></primitive>`;
    const { cib } = applyOperations(emptyCib(), [{ op: "create", xml }]);
    const ids = selectXpath(cib, "//nvpair").map(({ element: { attributes } }) => attributes.get("id"));
    expect(new Set(ids).size).toBe(20_000);
    expect(ids[0]).toBe("p-meta_attributes-a");
    expect(ids[1]).toBe("p-meta_attributes-a-0");
  });

  test.each(["//*[../*[../*]]", "//*[../*[../*[../*]]]", `//x${"[@id]".repeat(200)}`])(
    "XPath %s on a large document ends, with what it finds or a refusal",
    (xpath) => {
      const wide = element(
        "cib",
        {},
        repeated(100_000, String).map((id) => element("x", { id })),
      );
      expect(errorOf(() => selectXpath(wide, xpath))).toMatchObject({ code: "XPATH_LIMIT" });
    },
  );

  test.each<readonly [string, readonly CibOperation[]]>([
    ["looked for from everywhere", Array(200).fill({ op: "delete", xpath: "//*[//*[@id='z']]" })],
    [
      "made",
      repeated(20_000, (i) => dummy(`q${i}`)).map((xml) => ({ op: "create", scope: "resources", xml })),
    ],
    ["found to be changed", Array(20_000).fill({ op: "modify", xml: dummy("p0") })],
    ["found to be removed", Array(20_000).fill({ op: "delete", xml: dummy("none") })],
  ])("elements %s by all operations of a request cost only so much", (_what, operations) => {
    const resources = `<resources>${repeated(1000, (i) => dummy(`p${i}`)).join("")}</resources>`;
    const { cib } = applyOperations(emptyCib(), [{ op: "replace", xml: resources }]);
    const before = formatXml(cib);
    expect(errorOf(() => applyOperations(cib, operations, { live: true }))?.code).toBe("XPATH_LIMIT");
    // Whoever is asked finds that out before the others are.
    expect(errorOf(() => refuseTooLong(cib, operations))?.code).toBe("XPATH_LIMIT");
    expect(errorOf(() => refuseTooLong(cib, operations.slice(0, 2)))?.code).not.toBe("XPATH_LIMIT");
    expect(formatXml(cib)).toBe(before);
    expect(formatXml(cib)).toBe(before);
    expect(errorOf(() => applyOperations(cib, operations.slice(0, 2), { live: true }))?.code).not.toBe(
      "XPATH_LIMIT",
    );
  });

  test("what another change may put right before is not refused beforehand", () => {
    const operations: CibOperation[] = [
      { op: "modify", xml: dummy("later") },
      { op: "create", xml: dummy("x") },
    ];
    expect(errorOf(() => applyOperations(emptyCib(), operations))?.code).toBe("NO_SUCH");
    expect(errorOf(() => refuseTooLong(emptyCib(), operations))).toBeUndefined();
  });

  test("many elements in one operation are merged with what is there, and are each made once", () => {
    const pairs = (value: string, from: number, to: number) =>
      repeated(to - from, (i) => `<nvpair id="n${from + i}" name="n${from + i}" value="${value}"/>`).join("");
    const set = (inside: string) =>
      `<crm_config><cluster_property_set id="s">${inside}</cluster_property_set></crm_config>`;
    const merge = (inside: string): CibOperation => ({ op: "modify", create: true, xml: set(inside) });
    const { cib } = applyOperations(emptyCib(), [merge(pairs("1", 0, 5000)), merge(pairs("2", 2500, 7500))]);
    const values = selectXpath(cib, "//nvpair").map(({ element: { attributes } }) => attributes.get("value"));
    expect(values).toEqual([...Array(2500).fill("1"), ...Array(5000).fill("2")]);
    const create = (xml: string) => errorOf(() => applyOperations(cib, [{ op: "create", xml }]));
    expect(
      create(`<resources>${repeated(100, (i) => dummy(`p${i}`)).join("")}${dummy("p7")}</resources>`),
    ).toMatchObject({
      code: "EXISTS",
      message: expect.stringContaining('"p7"'),
    });
  });

  test("XPath on a large document finds what there is", () => {
    const wide = element(
      "cib",
      {},
      repeated(100_000, String).map((id) => element("x", { id })),
    );
    expect(selectXpath(wide, "//x[@id='99999']")).toHaveLength(1);
    expect(selectXpath(wide, "//*//..//x")).toHaveLength(100_000);
  });

  test.each([
    "(".repeat(9000),
    `//a[${"(".repeat(9000)}`,
    `//a[${"not(".repeat(60)}@b${")".repeat(60)}]`,
    "/a".repeat(20_000),
  ])("an XPath that nests or goes on without end is refused (%#)", (xpath) => {
    expect(errorOf(() => selectXpath(emptyCib(), xpath))).toMatchObject({ code: "XPATH_SYNTAX" });
  });
});

test("names of nodes in constraints are looked up, not searched for each anew", () => {
  const count = 3000;
  const list = (one: (at: number) => string) => Array.from({ length: count }, (_, at) => one(at)).join("");
  const configuration = parseXml(
    `<configuration><nodes><node id="1" uname="n1"/></nodes><resources>${list((at) => `<primitive id="r${at}"><meta_attributes id="m${at}"/></primitive>`)}</resources>` +
      `<constraints>${list((at) => `<rsc_location id="l${at}" rsc="r${at}" node="N1" score="1"/>`)}<rsc_location id="x" rsc="r1" node="n2" score="1"/></constraints></configuration>`,
  );
  const began = performance.now();
  expect(findReferenceProblems(configuration).map(({ code }) => code)).toEqual(["UNKNOWN_NODE"]);
  expect(performance.now() - began).toBeLessThan(2000);
});

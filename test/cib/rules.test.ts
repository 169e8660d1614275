import { describe, expect, test } from "bun:test";
import { evaluateDateSpec } from "../../src/cib/date-rules.ts";
import {
  evaluateRule,
  evaluateRules,
  indexById,
  parseBoolean,
  parseScore,
  parseXml,
  plainValues,
  type RuleContext,
  unpackNvpairs,
} from "../../src/cib/index.ts";

const utc = (text: string) => Date.parse(text) / 1000;
const attributes: Readonly<Record<string, string>> = {
  "#uname": "vm01",
  size: "10",
  load: "1.5",
  version: "1.10.2",
  site: "Tokyo",
  word: "abc",
};
const context: RuleContext = {
  now: utc("2026-11-22T10:30:15Z"),
  nodeAttribute: (name) => attributes[name],
  role: "Promoted",
  parameter: (name) => (name === "host" ? "vm01" : undefined),
  meta: (name) => (name === "wanted" ? "10" : undefined),
  matches: ["db-tokyo", "site"],
  agent: { class: "ocf", provider: "heartbeat", type: "IPaddr2" },
  operation: { name: "monitor", intervalMs: 10_000 },
};
const passes = (xml: string, extra: Partial<RuleContext> = {}) =>
  evaluateRule(parseXml(`<rule id="r">${xml}</rule>`), { ...context, ...extra });

describe("attribute expressions", () => {
  test.each<[string, boolean]>([
    ['attribute="#uname" operation="eq" value="vm01"', true],
    ['attribute="#uname" operation="eq" value="VM01"', true],
    ['attribute="#uname" operation="ne" value="vm01"', false],
    ['attribute="missing" operation="ne" value="vm01"', true],
    ['attribute="missing" operation="eq" value="vm01"', false],
    ['attribute="missing" operation="lt" value="5"', false],
    ['attribute="missing" operation="not_defined"', true],
    ['attribute="size" operation="defined"', true],
    ['attribute="size" operation="gt" value="9"', true],
    ['attribute="size" operation="gt" value="9" type="string"', false],
    ['attribute="size" operation="gte" value="10"', true],
    ['attribute="size" operation="lte" value="9"', false],
    ['attribute="size" operation="eq" value="10.0"', false],
    ['attribute="size" operation="eq" value="10.0" type="number"', true],
    ['attribute="size" operation="eq" value="010" type="integer"', true],
    ['attribute="load" operation="lt" value="1.50001"', true],
    ['attribute="load" operation="lt" value="2"', true],
    ['attribute="word" operation="gt" value="abb" type="integer"', true],
    ['attribute="version" operation="gt" value="1.9" type="version"', true],
    ['attribute="version" operation="lt" value="1.10.2.1" type="version"', true],
    ['attribute="#uname" operation="eq" value="host" value-source="param"', true],
    ['attribute="size" operation="eq" value="wanted" value-source="meta"', true],
    ['attribute="size" operation="eq" value="unknown" value-source="meta"', false],
    ['attribute="size" operation="ne" value="unknown" value-source="meta"', true],
    ['attribute="%1" operation="eq" value="tokyo"', true],
    ['attribute="#role" operation="eq" value="Master"', true],
    ['attribute="#role" operation="ne" value="Promoted"', false],
  ])("%s: %p", (text, expected) => {
    expect(passes(`<expression id="e" ${text}/>`).passed).toBe(expected);
  });

  test.each([
    'operation="eq" value="x"',
    'attribute="size" value="x"',
    'attribute="size" operation="eq"',
    'attribute="size" operation="like" value="1"',
    'attribute="size" operation="eq" value="1" type="colour"',
  ])("%s cannot be understood and does not pass", (text) => {
    expect(passes(`<expression id="e" ${text}/>`)).toEqual({ passed: false, state: "invalid" });
  });
});

describe("rules of rules", () => {
  const yes = '<expression id="y" attribute="#uname" operation="defined"/>';
  const no = '<expression id="n" attribute="#uname" operation="not_defined"/>';
  test.each<[string, boolean]>([
    [yes + yes, true],
    [yes + no, false],
    ["", true],
    [`${yes}<rule id="i" boolean-op="or">${no}${yes}</rule>`, true],
    [`${yes}<rule id="i" boolean-op="or">${no}<rule id="j">${yes}${no}</rule></rule>`, false],
  ])("%s", (xml, expected) => {
    expect(passes(xml).passed).toBe(expected);
  });

  test("or needs one; without any it does not pass", () => {
    const or = (xml: string) =>
      evaluateRule(parseXml(`<rule id="r" boolean-op="or">${xml}</rule>`), context).passed;
    expect([or(yes + no), or(no + no), or("")]).toEqual([true, false, false]);
  });

  test("several rules of one element are alternatives, none is no condition", () => {
    const block = (xml: string) =>
      evaluateRules(parseXml(`<meta_attributes id="m">${xml}</meta_attributes>`), context).passed;
    expect(block("")).toBe(true);
    expect(block(`<rule id="a">${no}</rule><rule id="b">${yes}</rule>`)).toBe(true);
    expect(block(`<rule id="a">${no}</rule><rule id="b">${no}</rule>`)).toBe(false);
  });
});

test("a rule that is written elsewhere counts where it is referred to", () => {
  const shared = parseXml(
    `<rule id="s"><expression id="e" attribute="#uname" operation="eq" value="vm01"/></rule>`,
  );
  const loop = parseXml('<rule id="l" id-ref="l"/>');
  const find = (id: string) => (id === "s" ? shared : id === "l" ? loop : undefined);
  const refer = (id: string) => evaluateRule(parseXml(`<rule id-ref="${id}"/>`), { ...context, find });
  expect(refer("s").passed).toBe(true);
  expect([refer("l").state, refer("none").state]).toEqual(["invalid", "invalid"]);
  expect(evaluateRule(parseXml('<rule id-ref="s"/>'), context).state).toBe("invalid");
});

describe("dates", () => {
  const now = context.now;
  const date = (text: string, inner = "") =>
    passes(`<date_expression id="d" ${text}>${inner}</date_expression>`);

  test("gt and lt leave the moment itself out and know when they change", () => {
    expect(date('operation="gt" start="2026-11-22T10:30:14Z"')).toEqual({ passed: true, state: "passed" });
    expect(date('operation="gt" start="2026-11-22T10:30:15Z"')).toEqual({
      passed: false,
      state: "before",
      nextChange: now + 1,
    });
    expect(date('operation="lt" end="2026-11-22T10:30:15Z"')).toEqual({ passed: false, state: "after" });
    expect(date('operation="lt" end="2026-11-22T10:30:16Z"')).toEqual({
      passed: true,
      state: "passed",
      nextChange: now + 1,
    });
  });

  test("in_range holds both ends, and is what a missing operation means", () => {
    expect(date('start="2026-11-22T10:30:15" end="2026-11-22T10:30:15"')).toEqual({
      passed: true,
      state: "passed",
      nextChange: now + 1,
    });
    expect(date('operation="in_range" start="2026-11-22T10:30:16"')).toEqual({
      passed: false,
      state: "before",
      nextChange: now + 1,
    });
    expect(date('operation="in_range" end="2026-11-22T10:30:14"')).toEqual({ passed: false, state: "after" });
    expect(date('operation="in_range" start="2026-11-22T11:00:00+01:00" end="2027-01-01"').passed).toBe(true);
  });

  test("a duration stands for the end", () => {
    const duration = '<duration id="x" hours="1" minutes="30"/>';
    expect(date('operation="in_range" start="2026-11-22T09:00:15"', duration).nextChange).toBe(now + 1);
    expect(date('operation="in_range" start="2026-11-22T09:00:14"', duration).state).toBe("after");
    expect(date('operation="in_range" start="2026-10-31"', '<duration id="x" months="1"/>').nextChange).toBe(
      utc("2026-11-30T00:00:01Z"),
    );
  });

  test.each<[string, boolean, string]>([
    ['hours="9-16"', true, "2026-11-22T17:00:00Z"],
    ['hours="11-"', false, "2026-11-22T11:00:00Z"],
    ['hours="-10"', true, "2026-11-22T11:00:00Z"],
    ['minutes="30"', true, "2026-11-22T10:31:00Z"],
    ['weekdays="1-5"', false, "2026-11-23T00:00:00Z"],
    ['weekdays="7"', true, "2026-11-23T00:00:00Z"],
    ['weekdays="1-5" hours="8"', false, "2026-11-23T08:00:00Z"],
    ['monthdays="22" months="11"', true, "2026-11-23T00:00:00Z"],
    ['yeardays="326"', true, "2026-11-23T00:00:00Z"],
    ['weeks="47" weekyears="2026"', true, "2026-11-23T00:00:00Z"],
    ['years="2027"', false, "2027-01-01T00:00:00Z"],
    ['years="2026" months="1-12"', true, "2027-01-01T00:00:00Z"],
    ['months="3" weekdays="1"', false, "2027-03-01T00:00:00Z"],
    ['weekyears="2027" weekdays="3"', false, "2027-01-06T00:00:00Z"],
    ['hours="9-16" moon="4"', true, "2026-11-22T17:00:00Z"],
  ])("date_spec %s", (text, expected, change) => {
    expect(date('operation="date_spec"', `<date_spec id="s" ${text}/>`)).toEqual({
      passed: expected,
      state: expected ? "passed" : "unsatisfied",
      nextChange: utc(change),
    });
  });

  test("twenty thousand that never come are looked at in a moment", () => {
    const never = ['months="2" monthdays="31"', 'years="2099"', 'weekyears="2099" weekdays="1-7"'];
    const began = performance.now();
    for (let at = 0; at < 20_000; at++)
      evaluateDateSpec(parseXml(`<date_spec id="s" ${never[at % 3]}/>`), now, 0);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test("whoever does not ask for the next change is not told", () => {
    const spec = parseXml('<date_spec id="s" months="11"/>');
    expect(evaluateDateSpec(spec, now, 0, false)).toEqual({ state: "passed" });
  });

  test.each([
    'operation="gt"',
    'operation="lt" end="never"',
    'operation="in_range"',
    'operation="date_spec"',
    'operation="date_spec"><date_spec id="s" hours="nine"/></date_expression><date_expression id="q" operation="lt"',
    'operation="sometimes" start="2020-01-01"',
  ])("%s cannot be understood", (text) => {
    expect(date(text).state).toBe("invalid");
  });

  test("the earliest change of all parts counts", () => {
    const rule =
      parseXml(`<rule id="r" boolean-op="or"><date_expression id="a" operation="lt" end="2026-11-23"/>
      <date_expression id="b" operation="gt" start="2026-11-22T12:00:00"/></rule>`);
    expect(evaluateRule(rule, context).nextChange).toBe(utc("2026-11-22T12:00:01Z"));
  });
});

describe("agents and operations", () => {
  test.each<[string, boolean]>([
    ['<rsc_expression id="e"/>', true],
    ['<rsc_expression id="e" class="ocf" type="IPaddr2"/>', true],
    ['<rsc_expression id="e" provider="pacemaker"/>', false],
    ['<op_expression id="e" name="monitor"/>', true],
    ['<op_expression id="e" name="monitor" interval="10s"/>', true],
    ['<op_expression id="e" name="monitor" interval="PT10S"/>', true],
    ['<op_expression id="e" name="monitor" interval="11"/>', false],
    ['<op_expression id="e" name="start"/>', false],
  ])("%s: %p", (xml, expected) => {
    expect(passes(xml).passed).toBe(expected);
  });

  test("without a resource or an operation they do not pass", () => {
    const { agent: _, operation: __, ...bare } = context;
    expect(evaluateRule(parseXml('<rule id="r"><rsc_expression id="e"/></rule>'), bare).passed).toBe(false);
    expect(
      evaluateRule(parseXml('<rule id="r"><op_expression id="e" name="start"/></rule>'), bare).passed,
    ).toBe(false);
  });
});

describe("unpackNvpairs", () => {
  const pair = (name: string, value: string) =>
    `<nvpair id="${name}-${value}" name="${name}" value="${value}"/>`;
  const unpack = (xml: string, alwaysFirst?: string) => {
    const root = parseXml(`<primitive id="p">${xml}</primitive>`);
    const index = indexById(root);
    const options = {
      find: (id: string) => index.get(id),
      ...(alwaysFirst === undefined ? {} : { alwaysFirst }),
    };
    return unpackNvpairs([root], "meta_attributes", context, options);
  };

  test("the highest score wins, then the block written last, name by name", () => {
    const xml = `<meta_attributes id="low" score="-5">${pair("a", "low")}${pair("d", "low")}</meta_attributes>
      <meta_attributes id="zero">${pair("a", "zero")}${pair("b", "zero")}${pair("b", "again")}</meta_attributes>
      <meta_attributes id="high" score="INFINITY">${pair("a", "high")}</meta_attributes>
      <meta_attributes id="zero2">${pair("b", "later")}${pair("c", "later")}</meta_attributes>`;
    expect(Object.fromEntries(plainValues(unpack(xml)))).toEqual({
      a: "high",
      b: "later",
      c: "later",
      d: "low",
    });
    expect(unpack(xml).values.get("a")?.id).toBe("a-high");
    expect(unpack(xml, "low").values.get("a")?.value).toBe("low");
  });

  test("a rule switches its block, and a date tells when to look again", () => {
    const result =
      unpack(`<meta_attributes id="day" score="2"><rule id="r"><date_expression id="d" operation="date_spec">
        <date_spec id="s" hours="0-9"/></date_expression></rule>${pair("a", "night")}</meta_attributes>
      <meta_attributes id="m">${pair("a", "day")}</meta_attributes>`);
    expect(result.values.get("a")?.value).toBe("day");
    expect(result.nextChange).toBe(utc("2026-11-23T00:00:00Z"));
  });

  test("references to blocks and to pairs, the latter under another name too", () => {
    const result = unpack(`<meta_attributes id-ref="shared"/>
      <meta_attributes id="m"><nvpair id-ref="x-1"/><nvpair id-ref="x-1" name="y"/><nvpair id-ref="gone" name="z"/></meta_attributes>
      <x><meta_attributes id="shared">${pair("s", "1")}</meta_attributes>${pair("x", "1")}</x>`);
    expect(Object.fromEntries(plainValues(result))).toEqual({ s: "1", x: "1", y: "1" });
  });

  test("#default leaves the value to the next block, and old schemas nest the pairs", () => {
    const result = unpack(`<meta_attributes id="a" score="1">${pair("n", "#default")}</meta_attributes>
      <meta_attributes id="b"><attributes>${pair("n", "2")}</attributes></meta_attributes>`);
    expect(plainValues(result).get("n")).toBe("2");
  });
});

describe("values", () => {
  test("booleans", () => {
    expect(["true", "YES", "on", "y", "1"].map(parseBoolean)).toEqual(Array(5).fill(true));
    expect(["false", "No", "off", "n", "0"].map(parseBoolean)).toEqual(Array(5).fill(false));
    expect(["", "maybe", "2", undefined].map(parseBoolean)).toEqual(Array(4).fill(undefined));
  });

  test("scores", () => {
    const texts = [
      "INFINITY",
      "+INFINITY",
      "-INFINITY",
      "-inf",
      "inf",
      "2000000",
      "-1000001",
      "+5",
      "-7",
      "",
      "5x",
      undefined,
    ];
    expect(texts.map(parseScore) as unknown[]).toEqual([
      1_000_000,
      1_000_000,
      -1_000_000,
      -1_000_000,
      1_000_000,
      1_000_000,
      -1_000_000,
      5,
      -7,
      undefined,
      5,
      undefined,
    ]);
  });
});

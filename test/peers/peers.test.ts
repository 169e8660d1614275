import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countHeld } from "./drivers.ts";
import { falls, isWanted, parseTable, partsIn, renewed, tableLines, totals } from "./figures.ts";
import { judge, piecesOf, requestsIn } from "./pacemaker.ts";
import { outcomesOf } from "./pcs.ts";

/** What the peers' suites say is read and judged rightly; the suites themselves need clones (`make check-peers`). */

describe("the table of figures", () => {
  test("what fell is named, also a part that is gone", () => {
    const table = { "one/x": { a: 5, b: 3 }, "other/y": { c: 1 } };
    expect(falls(table, { "one/x": { a: 4 } })).toEqual([
      { suite: "one/x", figure: "a", was: 5, is: 4 },
      { suite: "one/x", figure: "b", was: 3, is: 0 },
      { suite: "other/y", figure: "c", was: 1, is: 0 },
    ]);
    expect(falls(table, { "one/x": { a: 6, b: 3 }, "other/y": { c: 1 } })).toEqual([]);
    expect(renewed(table, { "one/x": { a: 6 } })).toEqual({ "one/x": { a: 6 }, "other/y": { c: 1 } });
  });

  test("suites and parts are chosen by name; only those are judged, and summed by suite", () => {
    const table = { "one/x": { a: 5 }, "one/xy": { a: 2 }, "one/z": { a: 1 }, "two/x": { b: 1 } };
    expect(Object.keys(partsIn(table, ["one", "two"], undefined))).toEqual(Object.keys(table));
    expect(Object.keys(partsIn(table, ["one"], undefined))).toEqual(["one/x", "one/xy", "one/z"]);
    expect(Object.keys(partsIn(table, ["one", "two"], ["one/x", "two"]))).toEqual([
      "one/x",
      "one/xy",
      "two/x",
    ]);
    expect(isWanted("onemore/x", ["one"])).toBe(false);
    expect(totals(table)).toEqual({ one: { a: 8 }, two: { b: 1 } });
    const lines = tableLines(totals(table), { one: { a: 7 }, two: { b: 2 } });
    expect(lines.filter((line) => line.endsWith("FELL"))).toHaveLength(1);
    expect(lines.filter((line) => line.endsWith("rose"))).toHaveLength(1);
  });

  test("holds numbers only", () => {
    expect(() => parseTable('{"one": {"a": "text"}}')).toThrow("is no count");
    expect(() => parseTable('{"one": {"a": -1}}')).toThrow("is no count");
    expect(() => parseTable("[]")).toThrow("has to be an object");
    const kept = parseTable(readFileSync(join(import.meta.dir, "figures.json"), "utf8"));
    expect(Object.keys(totals(kept))).toEqual(expect.arrayContaining(["pacemaker", "pcs", "crmsh"]));
  });
});

const noted = (title: string, output: string, end: string, cib = "") =>
  `=#=#=#= Begin test: ${title} =#=#=#=\n${output}\n${
    cib === "" ? "" : `=#=#=#= Current cib after: ${title} =#=#=#=\n${cib}\n`
  }=#=#=#= End test: ${title} - ${end} =#=#=#=\n* Passed: tool - ${title}\n`;
const judged = (want: string, have: string) => {
  const [wanted] = piecesOf(want);
  const [given] = piecesOf(have);
  if (wanted === undefined) throw new Error("nothing is wanted");
  return judge(wanted, given);
};
const right = {
  exit: true,
  equal: true,
  alike: true,
  cib: undefined,
  valid: undefined,
  structure: undefined,
};

describe("Pacemaker's suite of its tools", () => {
  test("an answer that is right, one that differs in white space, in its exit code, in the CIB, or is missing", () => {
    const want = noted("t", "one  two", "OK (0)", "<cib/>");
    expect(judged(want, want)).toEqual({ ...right, cib: true });
    expect(judged(want, noted("t", "one two", "OK (0)", "<cib/>"))).toMatchObject({
      equal: false,
      alike: true,
    });
    expect(judged(want, noted("t", "one  two", "No (1)", "<cib/>"))).toMatchObject({
      exit: false,
      equal: false,
    });
    expect(judged(want, noted("t", "one  two", "OK (0)", '<cib a="1"/>'))).toMatchObject({
      exit: true,
      cib: false,
      equal: false,
    });
    expect(judged(want, "")).toMatchObject({ exit: false, cib: false, alike: false });
  });

  test("the order of attributes is no part of an XML answer; what is said before it is", () => {
    const answer = (attributes: string, said = "") =>
      noted("t (XML)", `${said}<pacemaker-result>\n<nvpair ${attributes}/>\n</pacemaker-result>`, "OK (0)");
    const want = answer('id="i" value="v" name="n"');
    expect(judged(want, answer('id="i" name="n" value="v"'))).toMatchObject({ equal: false, alike: true });
    expect(judged(want, answer('id="i" name="n" value="w"'))).toMatchObject({ alike: false });
    expect(judged(want, answer('id="i" name="n" value="v"', "note\n"))).toMatchObject({ alike: false });
  });

  test("a document is judged without the words in it, and one that its schema refuses is not valid", () => {
    const document = (words: string, code: string) =>
      `<pacemaker-result request="x"><status code="${code}" message="${words}"/></pacemaker-result>`;
    const want = noted("t (XML)", document("No", "1"), "No (1)");
    expect(judged(want, noted("t (XML)", document("Never", "1"), "No (1)"))).toMatchObject({
      equal: false,
      valid: true,
      structure: true,
    });
    expect(judged(want, noted("t (XML)", document("No", "2"), "No (1)"))).toMatchObject({ structure: false });
    expect(judged(want, noted("t (XML)", document("No", "1"), "Failed to validate (3)"))).toMatchObject({
      exit: false,
      valid: false,
    });
  });
});

test("the kinds of answers are found in newer and older releases' Makefiles", () => {
  const newer = "API_request_base = cibadmin\nAPI_request_base += crm_mon\nAPI_base = $(API_request_base)\n";
  const older = "API_request_base\t= cibadmin\t\\\n\t\t  crm_mon\nAPI_base\t= $(API_request_base)\n";
  for (const makefile of [newer, older]) expect(requestsIn(makefile)).toEqual(["cibadmin", "crm_mon"]);
});

test("outcomes of pcs's tests: with and without a description, broken into lines, skipped", () => {
  const text = `test_a (pcs_test.tier1.test_x.A.test_a) ... ok
test_b (pcs_test.tier1.test_x.A.test_b)
What it shows ... FAIL
test_c (pcs_test.tier1.test_x.A.test_c) ... said on the way
ok
test_d (pcs_test.tier1.test_x.A.test_d) ... skipped 'no tool'
`;
  expect([...outcomesOf(text)]).toEqual([
    ["pcs_test.tier1.test_x.A.test_a", "ok"],
    ["pcs_test.tier1.test_x.A.test_b", "FAIL"],
    ["pcs_test.tier1.test_x.A.test_c", "ok"],
    ["pcs_test.tier1.test_x.A.test_d", "skipped"],
  ]);
});

test("scenarios of drivers: those that cannot be asked do not count", () => {
  const written = {
    version: { hactl: "1" },
    fencing: { a: { verdict: "held" }, b: { verdict: "violated" }, c: { verdict: "not expressible" } },
  };
  expect(countHeld(written)).toEqual({ scenarios: 2, held: 1 });
  expect(countHeld({ web: { steps: { start: true, stop: false } }, db: { steps: { start: true } } })).toEqual(
    {
      scenarios: 2,
      held: 1,
    },
  );
});

import { expect, test } from "bun:test";
import { decideSmall, history, primitive, running } from "./small-cib.ts";

/** What is decided when a runs on n1 and its probe on n2 ended with that exit code. */
const decided = (rc: number): readonly string[] =>
  decideSmall({
    resources: primitive("a"),
    histories: { n1: running("a"), n2: history("a", { task: "monitor", rc }) },
  }).summary;

test("a probe that finds the software missing, or not set up there, means that the resource is not there", () => {
  expect(decided(5)).toEqual([]);
  expect(decided(2)).toEqual([]);
});

test("any other failed probe means that it may be active on both nodes", () => {
  expect(decided(1)).toEqual(["Recover a ( n1 )"]);
  expect(decided(4)).toEqual(["Recover a ( n1 )"]);
});

test("an operation whose result is missing in a trimmed history was a success", () => {
  const trimmed = running("a").replace(/ rc-code="0"/, "");
  expect(trimmed).not.toBe(running("a"));
  expect(decideSmall({ resources: primitive("a"), histories: { n1: trimmed } }).summary).toEqual([]);
});

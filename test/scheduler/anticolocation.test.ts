import { describe, expect, test } from "bun:test";
import { decideSmall, meta, primitive, running, stopped } from "./small-cib.ts";

/** Of two that avoid each other, the dependent may only run where the primary is. */
const decided = (stickiness: string): readonly string[] =>
  decideSmall({
    resources: primitive("p") + primitive("q", meta("q", { "resource-stickiness": stickiness })),
    constraints:
      '<rsc_location id="l" rsc="q" node="n1" score="-1000"/>' +
      '<rsc_colocation id="c" rsc="q" with-rsc="p" score="-5000"/>',
    histories: { n1: stopped("p") + stopped("q"), n2: running("p") + stopped("q") },
  }).summary;

describe("what avoids a resource and can run on one node only", () => {
  test("makes room for itself there", () => {
    expect(decided("0")).toEqual(["Move p ( n2 -> n1 )", "Start q ( n2 )"]);
  });

  test("not when it sticks to its place more than it avoids the others", () => {
    expect(decided("1000")).toEqual(["Start q ( n2 )"]);
  });
});

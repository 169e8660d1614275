import { expect, test } from "bun:test";
import { decideSmall, history, meta, primitive } from "./small-cib.ts";

/** A clone whose inner resource a colocation names, beside a resource that may only run on n2. */
const decided = (unique: string, probed: string): readonly string[] =>
  decideSmall({
    resources:
      `<clone id="c">${meta("c", { "clone-max": "1", "globally-unique": unique })}${primitive("i")}</clone>` +
      primitive("p"),
    constraints:
      '<rsc_location id="l" rsc="p" node="n2" score="INFINITY"/>' +
      '<rsc_colocation id="col" rsc="i" with-rsc="p" score="INFINITY"/>',
    histories: { n1: probed },
  }).summary;

test("the name inside a clone stands for it once an anonymous instance is known by it", () => {
  const probed = history("i", { task: "monitor" });
  expect(decided("false", probed)).toEqual(["Start i:0 ( n2 )", "Start p ( n2 )"]);
  expect(decided("false", "")).toEqual(["Start i:0 ( n1 )", "Start p ( n2 )"]);
  expect(decided("true", probed)).toEqual(["Start i:0 ( n1 )", "Start p ( n2 )"]);
});

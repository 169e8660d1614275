import { expect, test } from "bun:test";
import { decideSmall, history, primitive, stopped } from "./small-cib.ts";

const failures =
  '<transient_attributes id="1"><instance_attributes id="t">' +
  '<nvpair id="t1" name="fail-count-a#start_0" value="INFINITY"/></instance_attributes></transient_attributes>';

/** A resource that failed to start on n1, which it prefers, as often as its threshold allows. */
const decided = (onFail: string): readonly string[] =>
  decideSmall({
    resources: primitive(
      "a",
      `<operations><op id="s" name="start" interval="0" on-fail="${onFail}"/></operations>`,
    ),
    constraints: '<rsc_location id="l" rsc="a" node="n1" score="100"/>',
    histories: { n1: history("a", { task: "start", rc: 1 }), n2: stopped("a") },
    extra: { n1: failures },
  }).summary;

test("a node is not left because of failures that are ignored", () => {
  expect(decided("restart")).toEqual(["Recover a ( n1 -> n2 )"]);
  expect(decided("ignore")).toEqual([]);
});

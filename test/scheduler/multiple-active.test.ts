import { expect, test } from "bun:test";
import { decideSmall, history, meta, primitive, running, stopped } from "./small-cib.ts";

const failedStop = history("x", { task: "start" }, { task: "stop", rc: 1 });

/** A resource that may be active once, on two nodes, one of which has to be fenced. */
const twice = (requires: string) =>
  decideSmall({
    properties: { "stonith-enabled": "true" },
    resources:
      '<primitive id="f" class="stonith" type="fence_dummy"/>' +
      primitive("x") +
      primitive("a", meta("a", { "multiple-active": "block", requires, "target-role": "Stopped" })),
    histories: {
      n1: stopped("f") + failedStop + running("a"),
      n2: stopped("f") + stopped("x") + running("a"),
    },
  }).summary.filter((line) => line.startsWith("Stop"));

test("what starts before nodes are fenced is active where nodes are clean", () => {
  expect(twice("quorum")).toEqual([
    "Stop a ( n1 )  due to node availability",
    "Stop a ( n2 )  due to node availability",
  ]);
  expect(twice("fencing")).toEqual([]);
});

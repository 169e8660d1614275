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

/** A resource that may migrate and is to be where the one before it recovers; a clone comes after it. */
const movesTo = (...from: readonly string[]) =>
  decideSmall({
    nodes: ["n1", "n2", "n3"],
    resources:
      primitive("first") +
      primitive("a", meta("a", { "allow-migrate": "true" })) +
      `<clone id="c">${primitive("i")}</clone>`,
    constraints:
      '<rsc_colocation id="col" rsc="a" with-rsc="first" score="1000"/>' +
      '<rsc_order id="o1" first="first" then="a"/><rsc_order id="o2" first="a" then="c"/>',
    histories: {
      n1: history("first", { task: "start", rc: 1 }),
      ...Object.fromEntries(from.map((node) => [node, running("a")])),
    },
  }).summary.filter((line) => line.startsWith("Move"));

test("what is active twice cannot migrate because of itself, whatever else forbids it", () => {
  expect(movesTo("n2")).toEqual(["Move a ( n2 -> n1 )  due to unmigrateable first stop"]);
  expect(movesTo("n3")).toEqual(["Move a ( n3 -> n1 )  due to unmigrateable first stop"]);
  expect(movesTo("n2", "n3")).toEqual(["Move a ( n2 -> n1 )"]);
});

test("a migration under way goes on, but not of what shall be blocked when it is active twice", () => {
  const migrating = (policy: string) =>
    decideSmall({
      resources: primitive("a", meta("a", { "allow-migrate": "true", "multiple-active": policy })),
      constraints: '<rsc_location id="l" rsc="a" node="n2" score="100"/>',
      histories: {
        n1: history(
          "a",
          { task: "start" },
          { task: "migrate_to", attributes: 'migrate_source="n1" migrate_target="n2"' },
        ),
        n2: stopped("a"),
      },
    }).summary;
  expect(migrating("stop_start")).toEqual(["Migrate a ( n1 -> n2 )"]);
  expect(migrating("block")).toEqual([]);
});

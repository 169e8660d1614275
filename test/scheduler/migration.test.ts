import { describe, expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { schedule } from "../../src/scheduler/index.ts";
import {
  decideSmall,
  history,
  meta,
  primitive,
  running,
  shownActions,
  smallCib,
  smallNow,
  stopped,
  waitsFor,
} from "./small-cib.ts";

const fencing = '<primitive id="f" class="stonith" type="fence_dummy"/>';
const attributes = 'migrate_source="n1" migrate_target="n2"';

/** A resource moves away from n1 while n3 has to be fenced. */
const move = (onSource: string) =>
  decideSmall({
    nodes: ["n1", "n2", "n3"],
    properties: { "stonith-enabled": "true" },
    resources: fencing + primitive("a", meta("a", { "allow-migrate": "true" })),
    constraints: '<rsc_location id="l" rsc="a" node="n1" score="-INFINITY"/>',
    states: { n3: { in_ccm: "false", crmd: "offline", join: "down" } },
    histories: { n1: onSource, n2: stopped("a") },
  });

describe("a migration while a node is fenced", () => {
  test("begins after the fencing; later steps wait only for those before", () => {
    expect(waitsFor(move(running("a")), "a_migrate_to_0")).toEqual(["stonith-n3-reboot"]);
    expect(waitsFor(move(running("a")), "a_migrate_from_0")).toEqual(["a_migrate_to_0"]);
  });

  test("goes on after the fencing when the source has already handed over", () => {
    const handedOver = history("a", { task: "start" }, { task: "migrate_to", attributes });
    expect(waitsFor(move(handedOver), "a_migrate_from_0")).toEqual(["stonith-n3-reboot"]);
  });
});

test("a migration to a node that is about to be fenced may have got there", () => {
  const failedStop = history("gone", { task: "start" }, { task: "stop", rc: 1 });
  const migrated = 'migrate_source="n2" migrate_target="n1"';
  const handedOver = history("a", { task: "start" }, { task: "migrate_to", attributes: migrated });
  const decided = decideSmall({
    properties: { "stonith-enabled": "true" },
    resources: fencing + primitive("a", meta("a", { "target-role": "Stopped" })),
    histories: { n1: stopped("a") + failedStop, n2: handedOver },
  });
  expect(shownActions(decided)).toContain("a_stop_0 n2");
  // Fencing stops it there.
  expect(shownActions(decided)).toContain("[a_stop_0]");
});

test("a migration to a node that is not configured any more has come to its end when the state of that node tells so", () => {
  const moved = 'migrate_source="n1" migrate_target="gone"';
  const cib = smallCib({
    nodes: ["n1"],
    resources: primitive("a", ""),
    histories: { n1: history("a", { task: "migrate_to", attributes: moved }) },
  });
  const summaryWith = (onTarget: string) => {
    const state = `<node_state id="9" uname="gone" in_ccm="false" crmd="offline" join="down" expected="down"><lrm id="9"><lrm_resources>${onTarget}</lrm_resources></lrm></node_state>`;
    return schedule({ cib: parseXml(cib.replace("</status>", `${state}</status>`)), now: smallNow }).summary;
  };
  expect(summaryWith(history("a", { task: "migrate_from", attributes: moved }))).toEqual([
    "Restart a ( n1 )",
  ]);
  expect(summaryWith("")).toEqual(["Recover a ( n1 )"]);
});

import { describe, expect, test } from "bun:test";
import { decideSmall, isBefore, meta, primitive, running, shownActions, stopped } from "./small-cib.ts";

const device = '<primitive id="f" class="stonith" type="fence_test"/>';
const fencing = { "stonith-enabled": "true" };
const lost = { in_ccm: "false", crmd: "offline", join: "down" };
const fenceHistory = stopped("f");

describe("a node that is lost", () => {
  const cluster = {
    properties: fencing,
    resources: device + primitive("a"),
    states: { n2: lost },
    histories: { n1: fenceHistory + stopped("a"), n2: fenceHistory + running("a") },
  };

  test("is fenced before what ran there starts elsewhere", () => {
    const transition = decideSmall(cluster);
    expect(transition.summary).toContain("Fence (reboot) n2 'peer is no longer part of the cluster'");
    expect(transition.summary).toContain("Move a ( n2 -> n1 )");
    expect(isBefore(transition, "stonith-n2-reboot", "a_start_0")).toBe(true);
    const stop = transition.actions.find(({ key }) => key === "a_stop_0");
    expect(stop?.kind).toBe("pseudo");
    expect(isBefore(transition, "stonith-n2-reboot", "a_stop_0")).toBe(true);
    expect(transition.fencing).toEqual([
      { node: "n2" as never, action: "reboot", reason: "peer is no longer part of the cluster" },
    ]);
  });

  test("is not fenced without quorum, and nothing is recovered", () => {
    const transition = decideSmall({ ...cluster, quorate: false });
    expect(transition.fencing).toEqual([]);
    expect(transition.actions.some(({ key, node }) => key === "a_start_0" && node === "n1")).toBe(false);
  });

  test("is not waited for by a resource that requires nothing", () => {
    const transition = decideSmall({
      ...cluster,
      resources: device + primitive("a", meta("a", { requires: "nothing" })),
    });
    expect(isBefore(transition, "stonith-n2-reboot", "a_start_0")).toBe(false);
  });

  test("is the coordinator's own last, after the others", () => {
    const transition = decideSmall({
      ...cluster,
      nodes: ["n1", "n2", "n3"],
      states: { n1: lost, n2: lost },
      histories: { n1: fenceHistory, n2: fenceHistory, n3: fenceHistory },
    });
    expect(isBefore(transition, "stonith-n2-reboot", "stonith-n1-reboot")).toBe(true);
  });

  test("cannot be fenced without a device: nothing starts at all", () => {
    const transition = decideSmall({ ...cluster, resources: primitive("a") });
    expect(transition.fencing).toEqual([]);
    expect(transition.actions.some(({ task }) => task === "start")).toBe(false);
    expect(transition.messages.some(({ text }) => text.includes("no fencing resources"))).toBe(true);
  });
});

describe("a failed stop", () => {
  const failedStop = running("a").replace(
    "</lrm_resource>",
    '<lrm_rsc_op id="a_stop_0" operation="stop" operation_key="a_stop_0" interval="0" call-id="9" rc-code="1" ' +
      'op-status="4" transition-key="2:2:0:x" transition-magic="4:1;2:2:0:x" last-rc-change="1699999990"/></lrm_resource>',
  );

  test("gets its node fenced", () => {
    const transition = decideSmall({
      properties: fencing,
      resources: device + primitive("a"),
      histories: { n1: fenceHistory + failedStop, n2: fenceHistory + stopped("a") },
    });
    expect(transition.summary).toContain("Fence (reboot) n1 'a failed there'");
    expect(isBefore(transition, "stonith-n1-reboot", "a_start_0")).toBe(true);
  });

  test("blocks the resource where there is no fencing", () => {
    const transition = decideSmall({
      resources: primitive("a"),
      histories: { n1: failedStop, n2: stopped("a") },
    });
    expect(shownActions(transition)).toEqual([]);
  });
});

describe("a node that shuts down", () => {
  test("stops what runs there first; the coordinator goes last", () => {
    const leaving =
      '<transient_attributes id="ID"><instance_attributes id="t-ID"><nvpair id="s-ID" name="shutdown" value="1699999999"/></instance_attributes></transient_attributes>';
    const transition = decideSmall({
      nodes: ["n1", "n2"],
      resources: primitive("a") + primitive("b"),
      histories: { n1: running("a") + stopped("b"), n2: stopped("a") + running("b") },
      extra: { n1: leaving.replaceAll("ID", "1"), n2: leaving.replaceAll("ID", "2") },
    });
    expect(shownActions(transition)).toEqual(
      ["a_stop_0 n1", "b_stop_0 n2", "do_shutdown-n1 n1", "do_shutdown-n2 n2"].sort(),
    );
    expect(isBefore(transition, "a_stop_0", "do_shutdown-n1")).toBe(true);
    expect(isBefore(transition, "do_shutdown-n2", "do_shutdown-n1")).toBe(true);
  });
});

describe("unfencing", () => {
  test("comes before probes and starts of what needs it, once for each node", () => {
    const transition = decideSmall({
      nodes: ["n1"],
      properties: fencing,
      resources:
        `<primitive id="f" class="stonith" type="fence_test">${meta("f", { provides: "unfencing" })}</primitive>` +
        primitive("a"),
    });
    expect(transition.summary).toContain("Fence (on) n1 'required by f monitor'");
    expect(isBefore(transition, "stonith-n1-on", "a_monitor_0")).toBe(true);
    expect(isBefore(transition, "stonith-n1-on", "a_start_0")).toBe(true);
  });
});

describe("a remote node", () => {
  const remote =
    '<primitive id="r" class="ocf" provider="pacemaker" type="remote"><instance_attributes id="r-i"><nvpair id="r-s" name="server" value="h"/></instance_attributes></primitive>';

  test("is reached through its connection, which starts first; its host carries the action out", () => {
    const transition = decideSmall({
      nodes: ["n1"],
      resources: remote + primitive("a"),
      constraints: '<rsc_location id="l" rsc="a" node="r" score="INFINITY"/>',
      histories: { n1: stopped("r") + stopped("a") },
    });
    expect(isBefore(transition, "r_start_0 n1", "a_monitor_0 r")).toBe(true);
    expect(isBefore(transition, "r_start_0 n1", "a_start_0 r")).toBe(true);
    const start = transition.actions.find(({ key }) => key === "a_start_0");
    expect([start?.node, start?.router]).toEqual(["r" as never, "n1" as never]);
  });
});

test("without fencing nothing waits for a node's access, whatever asks for unfencing", () => {
  const decided = decideSmall({
    nodes: ["n1"],
    resources: primitive("a", meta("a", { requires: "unfencing" })) + primitive("b"),
    histories: { n1: stopped("a") + stopped("b") },
  });
  expect(decided.fencing).toEqual([]);
  expect(shownActions(decided)).toEqual(["a_start_0 n1", "b_monitor_10000 n1", "b_start_0 n1"]);
});

test("nodes are fenced for the sake of a managed member although its group is not managed", () => {
  const group = (managed: string) =>
    `<group id="g">${meta("g", { "is-managed": "false" })}${primitive("a", meta("a", { "is-managed": managed }))}</group>`;
  const decided = (managed: string) =>
    decideSmall({
      properties: fencing,
      resources: `<primitive id="f" class="stonith" type="fence_test">${meta("f", { "is-managed": "false" })}</primitive>${group(managed)}`,
      states: { n2: lost },
    }).fencing.length;
  expect(decided("true")).toBe(1);
  expect(decided("false")).toBe(0);
});

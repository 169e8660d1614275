import { expect, test } from "bun:test";
import { ClusterState } from "../../src/controller/cluster-state.ts";
import { emptyCib } from "../../src/controller/index.ts";
import { nodeId, nodeName, OcfExit, OpStatus, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";
import { wentWell } from "../harness/results.ts";

const resources = (on: string) => `
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive m ocf:test:M meta allow-migrate=true op monitor interval=10s
location m-likes m 100: ${on}
`;

/** What is done with the resource, but for looks. */
const steps = (bus: ControllerBus): string[] =>
  bus.executed
    .filter(({ operation: { rsc, action } }) => rsc.id === "m" && action !== "monitor")
    .map(({ node, operation }) => `${operation.action} ${node}`);

test("a migration that is decided upon anew in the middle goes on, also where the resource came from there before", () => {
  const bus = new ControllerBus(2);
  bus.boot("n1", "n2");
  bus.run(100);
  for (const on of ["n1", "n2", "n1"]) {
    bus.configure(resources(on));
    bus.run(5_000);
  }
  bus.executed.length = 0;
  const { agent } = bus;
  bus.agent = (node, operation) => (operation.action === "migrate_to" ? "silent" : agent(node, operation));
  bus.configure(resources("n2"));
  bus.run(1_000);
  const operation = bus.executed.find((one) => one.operation.action === "migrate_to")?.operation;
  if (!operation) throw new Error("it is not migrated");
  const updates = [{ node: nodeName("n2"), name: "load", value: "high" }];
  bus.step("n2", { type: "attribute-request", request: "", updates });
  bus.run(1_000);
  const ended = { rc: OcfExit.OK, status: OpStatus.DONE, exitReason: "", stdout: "" };
  const times = { execMs: 1000, queueMs: 0, lastRun: 1_700_000_100, lastChange: 1_700_000_100 };
  bus.step("n1", { type: "result", node: nodeName("n1"), result: { ...operation, ...ended, ...times } });
  bus.run(5_000);
  expect(steps(bus)).toEqual(["migrate_to n1", "migrate_from n2", "stop n1"]);
  expect(bus.cibs()).toHaveLength(1);
});

test.each(["migrate_to", "migrate_from"])(
  "a %s that fails is over: nothing is under way any more",
  (step) => {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    bus.configure(resources("n1"));
    bus.run(5_000);
    const { agent } = bus;
    bus.agent = (node, operation) => (operation.action === step ? OcfExit.GENERIC : agent(node, operation));
    bus.configure(resources("n2"));
    bus.run(5_000);
    expect(bus.executed.some(({ operation }) => operation.action === step)).toBe(true);
    expect(bus.where("m")).toEqual([nodeName("n2")]);
    const [cib] = bus.cibs();
    expect(cib).toContain("m_last_failure_0");
    expect(cib).not.toContain('op-status="-1"');
  },
);

test("migrations of before an orderly stop of all mean nothing when all are back", () => {
  const bus = new ControllerBus(3);
  bus.boot(...bus.nodes);
  bus.run(100);
  for (const on of ["n2", "n3", "n1", "n3", "n1"]) {
    bus.configure(resources(on));
    bus.run(5_000);
    expect(bus.where("m")).toEqual([nodeName(on)]);
  }
  bus.apply([
    {
      op: "modify",
      create: true,
      xml: '<primitive id="m"><meta_attributes id="m-meta"><nvpair id="m-role" name="target-role" value="Stopped"/></meta_attributes></primitive>',
    },
  ]);
  bus.run(5_000);
  expect(bus.where("m")).toEqual([]);
  bus.restartAllDaemons(() => {});
  bus.run(20_000);
  bus.apply([{ op: "delete", xml: '<nvpair id="m-role"/>' }]);
  bus.executed.length = 0;
  bus.run(60_000);
  expect(steps(bus)).toEqual(["start n1"]);
});

test("a migration that its target does not remember is not done again", () => {
  for (const daemons of [["n2"], ["n2", "n1"]]) {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    for (const on of ["n1", "n2"]) {
      bus.configure(resources(on));
      bus.run(5_000);
    }
    bus.executed.length = 0;
    for (const name of daemons) {
      bus.restartDaemon(name, name !== "n2");
      bus.run(5_000);
    }
    expect(bus.executed.some(({ node, operation }) => node === "n2" && operation.rsc.id === "m")).toBe(true);
    expect(steps(bus)).toEqual([]);
    expect(bus.where("m")).toEqual([nodeName("n2")]);
  }
});

test("a migration that is over is not believed again when a look finds the service where it came from", () => {
  const n1 = nodeName("n1");
  const state = new ClusterState(emptyCib(), [{ id: nodeId(1), name: n1 }]);
  state.nodeJoined(nodeId(1), n1);
  const rsc = { id: resourceId("m"), class: "ocf", provider: "test", type: "M" } as const;
  const params = { CRM_meta_migrate_source: "n1", CRM_meta_migrate_target: "n2" };
  const done = (callId: number, action: string, rc = 0) =>
    state.result(n1, {
      ...{ ...wentWell, rc, callId, rsc, action, intervalMs: 0, params },
      transitionKey: `1:1:${action === "monitor" ? OcfExit.NOT_RUNNING : 0}:x`,
    });
  const known = () => state.status.ops("1", "m").map(({ attributes }) => attributes.get("id"));
  done(3, "migrate_to");
  done(4, "stop");
  done(5, "monitor", OcfExit.NOT_RUNNING);
  expect(known()).toEqual(["m_last_0", "m_migrate_to_0"]);
  done(6, "monitor");
  expect(known()).not.toContain("m_migrate_to_0");
});

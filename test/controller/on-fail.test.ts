import { describe, expect, test } from "bun:test";
import { child, childrenOf } from "../../src/cib/index.ts";
import { nodeName, OcfExit, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";
import { wentWell } from "../harness/results.ts";

/*
 * What follows from a failure (on-fail) holds until an administrator has cleaned it up, also where all that is known of it is
 * what daemons remembered that died.
 */

const [n1, n2] = [nodeName("n1"), nodeName("n2")];

/** Three nodes; a service that prefers the first has failed there. */
function failed(onFail: string, more = "", rc: number = OcfExit.GENERIC): ControllerBus {
  const bus = new ControllerBus(3);
  bus.boot(...bus.nodes.map(({ name }) => name));
  bus.run(100);
  bus.configure(`
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive f ocf:test:F op monitor interval=10s on-fail=${onFail}
location here f 100: n1
location then f 50: n2
${more}`);
  bus.run(10_000);
  expect(bus.where("f")).toEqual([n1]);
  bus.fail("n1", "f", rc);
  bus.run(30_000);
  bus.executed.length = 0;
  return bus;
}

/** What was done, but for looks. */
const changes = (bus: ControllerBus): string[] =>
  bus.executed
    .filter(({ operation }) => operation.action !== "monitor")
    .map(({ node, operation }) => `${operation.action} ${operation.rsc.id} ${node}`);

const looks = (bus: ControllerBus): string[] =>
  bus.executed
    .filter(
      ({ operation: { rsc, action, intervalMs } }) =>
        rsc.id === "f" && action === "monitor" && intervalMs === 0,
    )
    .map(({ node }) => node);

/** The history of the service on a node as everybody has it: operation and exit code. */
function history(bus: ControllerBus, node: string): string[] {
  expect(bus.cibs()).toHaveLength(1);
  const status = child(bus.node("n2").controller.view().cib, "status");
  const state = childrenOf(status, "node_state").find(({ attributes }) => attributes.get("uname") === node);
  const resources = childrenOf(child(child(state, "lrm"), "lrm_resources"), "lrm_resource");
  const ops = childrenOf(
    resources.find(({ attributes }) => attributes.get("id") === "f"),
    "lrm_rsc_op",
  );
  return ops
    .map(
      ({ attributes }) =>
        `${attributes.get("id")} ${attributes.get("operation")} ${attributes.get("rc-code")}`,
    )
    .sort();
}

describe("a failure after which the service was stopped", () => {
  const cases = [
    ["standby", [n2]],
    ["stop", []],
  ] as const;
  for (const [onFail, where] of cases)
    test(`counts still when all daemons have died (on-fail=${onFail}), as often as that may be`, () => {
      const bus = failed(onFail);
      expect(bus.where("f")).toEqual([...where]);
      for (let times = 0; times < 3; times++) {
        bus.executed.length = 0;
        bus.restartAllDaemons(() => {});
        bus.run(60_000);
        expect(changes(bus)).toEqual([]);
        // It is looked for once, and the doubt is over.
        expect(looks(bus).filter((node) => node === n1)).toEqual([n1]);
        expect(history(bus, "n1")).toEqual(["f_last_0 stop 0", "f_last_failure_0 monitor 1"]);
      }
      expect(bus.where("f")).toEqual([...where]);
    });

  test("is over where a look finds the service running", () => {
    const bus = failed("standby");
    bus.restartAllDaemons(() => {
      bus.node("n2").running.delete("f");
      bus.node("n1").running.set("f", "started");
    });
    bus.run(60_000);
    expect(bus.where("f")).toHaveLength(1);
    expect(history(bus, "n1")).not.toContain("f_monitor_0 monitor 193");
  });

  test("is forgotten when an administrator cleans it up, and the look after that takes the place of the stop", () => {
    const bus = failed("standby");
    bus.restartAllDaemons(() => {});
    bus.run(30_000);
    bus.step("n2", { type: "forget-request", request: "c", rsc: resourceId("f"), failuresOnly: false });
    bus.run(30_000);
    expect(history(bus, "n1")[0]).toMatch(/f_last_0 (monitor|start)/);
  });

  test("does not keep a service from being stopped that the look finds failed", () => {
    const bus = failed("standby");
    bus.agent = (_, { action, intervalMs }) =>
      action === "monitor" && intervalMs === 0 ? OcfExit.GENERIC : OcfExit.OK;
    bus.restartAllDaemons(() => {});
    bus.run(5000);
    expect(changes(bus)).toContain("stop f n1");
  });

  test("leaves the stop as it is while the look is under way, and a refresh meanwhile forgets it", () => {
    const bus = failed("standby");
    const answers = bus.agent;
    bus.agent = (node, operation) =>
      node === n1 && operation.rsc.id === "f" ? "silent" : answers(node, operation);
    bus.restartAllDaemons(() => {});
    bus.run(10_000);
    expect(history(bus, "n1")).toEqual([
      "f_last_0 stop 0",
      "f_last_failure_0 monitor 1",
      "f_monitor_0 monitor 193",
    ]);
    const { operation } =
      bus.executed.findLast(({ operation: { rsc }, node }) => rsc.id === "f" && node === n1) ?? {};
    if (!operation) throw new Error("it is not looked for");
    bus.step("n2", { type: "forget-request", request: "c", rsc: resourceId("f"), failuresOnly: false });
    expect(history(bus, "n1")).toEqual(["f_monitor_0 monitor 193"]);
    bus.step("n1", {
      type: "result",
      node: n1,
      result: { ...operation, ...wentWell, rc: OcfExit.NOT_RUNNING },
    });
    expect(history(bus, "n1")).toEqual(["f_last_0 monitor 7"]);
  });

  test("counts still when a node has lost all that it remembers, and is forgotten when it is started anew", () => {
    const bus = failed("standby");
    bus.restartDaemon("n1", false);
    bus.run(60_000);
    expect(changes(bus)).toEqual([]);
    expect(looks(bus)).toEqual([n1]);
    expect(history(bus, "n1")).toEqual(["f_last_0 stop 0", "f_last_failure_0 monitor 1"]);
    bus.crash("n1");
    bus.run(60_000);
    bus.boot("n1");
    bus.run(60_000);
    expect(history(bus, "n1")).not.toContain("f_last_failure_0 monitor 1");
    expect(bus.where("f")).toEqual([n1]);
  });

  test("is over where a node that has lost all that it remembers runs the service", () => {
    const bus = failed("stop");
    bus.node("n1").running.set("f", "started");
    bus.restartDaemon("n1", false);
    bus.run(60_000);
    expect(history(bus, "n1")).toContain("f_last_0 monitor 0");
  });
});

describe("a service that failed and was left as it is (on-fail=block)", () => {
  test("is left so when all daemons have died, and its monitor says what it said before", () => {
    const bus = failed("block", "", OcfExit.NOT_RUNNING);
    for (let times = 0; times < 3; times++) {
      bus.restartAllDaemons(() => {});
      bus.run(60_000);
      expect(history(bus, "n1")).toContain("f_last_failure_0 monitor 7");
    }
    expect(changes(bus)).toEqual([]);
    expect(bus.where("f")).toEqual([]);
  });

  test("is looked for everywhere when it had been well since", () => {
    const bus = failed("block", "", OcfExit.NOT_RUNNING);
    bus.node("n1").running.set("f", "started");
    bus.restartAllDaemons(() => {});
    bus.run(60_000);
    expect(history(bus, "n1")).toContain("f_monitor_10000 monitor 0");
    bus.restartAllDaemons(() => bus.node("n1").running.delete("f"));
    bus.run(60_000);
    expect(looks(bus).filter((node) => node === n1)).not.toEqual([]);
  });
});

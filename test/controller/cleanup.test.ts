import { describe, expect, test } from "bun:test";
import type { Operation } from "../../src/executor/index.ts";
import { type NodeName, nodeName, OcfExit, OpStatus, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const n1 = nodeName("n1");
const n2 = nodeName("n2");
const far = nodeName("far");

/** A service on a node (or on the remote node `far`) whose operations of a kind are not answered by themselves. */
function silent(on: NodeName, action: string, intervalMs: number): ControllerBus {
  const bus = new ControllerBus(2);
  bus.agent = (node, { rsc, action: asked, intervalMs: every }) =>
    node === on && rsc.id === "a" && asked === action && every === intervalMs ? "silent" : OcfExit.OK;
  bus.boot("n1", "n2");
  bus.run(100);
  bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive far ocf:pacemaker:remote op monitor interval=30s
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: ${on}
`);
  bus.run(1000);
  return bus;
}

const operations = (bus: ControllerBus, on: NodeName, action: string, intervalMs = 0): Operation[] =>
  bus.executed
    .filter(({ node, operation: { rsc, action: asked, intervalMs: every } }) => {
      return node === on && rsc.id === "a" && asked === action && every === intervalMs;
    })
    .map(({ operation }) => operation);

const lastOf = (bus: ControllerBus, on: NodeName, action: string, intervalMs = 0): Operation => {
  const found = operations(bus, on, action, intervalMs).at(-1);
  if (!found) throw new Error(`no ${action}`);
  return found;
};

describe("a service whose history is cleaned up while it runs", () => {
  test("does not cost what is ordered after it a restart", () => {
    const bus = new ControllerBus(3);
    bus.boot("n1", "n2", "n3");
    bus.run(100);
    bus.configure(`
property stonith-enabled=false
primitive db ocf:test:Db op monitor interval=10s op monitor interval=9s role=Promoted
clone dbs db meta promotable=true
primitive app ocf:test:App op monitor interval=10s
colocation app-with-db inf: app dbs:Promoted
order app-after-db Mandatory: dbs:promote app:start
`);
    const updates = [{ node: n1, name: "master-db", value: "10" }];
    bus.step("n1", { type: "attribute-request", request: "", updates });
    bus.run(10_000);
    expect([...bus.promoted("db"), ...bus.where("app")]).toEqual([n1, n1]);
    const before = bus.executed.length;
    const request = { type: "forget-request", request: "refresh", failuresOnly: false } as const;
    bus.step("n2", { ...request, rsc: resourceId("db") });
    bus.run(60_000);
    const changes = bus.executed.slice(before).filter(({ operation }) => operation.action !== "monitor");
    expect(changes.map(({ node, operation }) => `${operation.action} ${operation.rsc.id} ${node}`)).toEqual(
      [],
    );
    expect(bus.executed.slice(before).some(({ operation }) => operation.rsc.id === "db")).toBe(true);
  });
});

/** A cleanup of the service, wherever it failed or everywhere. */
const forget = (bus: ControllerBus) =>
  bus.step("n2", { type: "forget-request", request: "forget", rsc: resourceId("a"), failuresOnly: false });

/** The node's answer, which the manager that is connected to a remote node passes on. */
const answer = (bus: ControllerBus, on: NodeName, operation: Operation, rc: number) => {
  const said = { rc, status: OpStatus.DONE, exitReason: "", stdout: "", execMs: 5, queueMs: 0 };
  const teller = on === far ? (bus.where("far")[0] ?? n1) : on;
  const result = { ...operation, ...said, lastRun: 0, lastChange: 0 };
  bus.step(teller, { type: "result", node: on, result });
};

/** Entries of the service as all CIBs have them, each with its call. */
const entries = (bus: ControllerBus): string[] => {
  const cibs = bus.cibs();
  expect(cibs).toHaveLength(1);
  return [...(cibs[0] ?? "").matchAll(/<lrm_rsc_op id="(a_\w+)" ([^>]*)>/g)].map(
    ([, id, text]) =>
      `${id} ${/on_node="(\w+)"/.exec(text ?? "")?.[1]} ${/call-id="(\d+)"/.exec(text ?? "")?.[1]}`,
  );
};
const idle = (bus: ControllerBus) => bus.nodes.some(({ controller }) => controller.view().idle === true);
const waited = (bus: ControllerBus) => bus.log.filter((line) => line.includes(" ACTION-LOST "));

for (const on of [n1, far])
  describe(`a cleanup of what runs on ${on}`, () => {
    test("takes the monitor with it that was just given out: nobody waits for it, and it is given out anew", () => {
      const bus = silent(on, "monitor", 10_000);
      const before = lastOf(bus, on, "monitor", 10_000);
      forget(bus);
      bus.agent = () => OcfExit.OK;
      bus.run(1000);
      expect(lastOf(bus, on, "monitor", 10_000).callId).toBeGreaterThan(before.callId);
      expect(idle(bus)).toBe(true);
      expect(waited(bus)).toEqual([]);
    });

    for (const [when, after] of [
      ["before it is looked for again", 0],
      ["while it is looked for", 12],
      ["when it has been found", 1000],
    ] as const)
      for (const rc of [OcfExit.OK, OcfExit.NOT_RUNNING])
        test(`a monitor's answer ${rc} from before it says nothing, ${when}`, () => {
          const bus = silent(on, "monitor", 10_000);
          const before = lastOf(bus, on, "monitor", 10_000);
          forget(bus);
          bus.run(after);
          answer(bus, on, before, rc);
          expect(entries(bus).filter((entry) => entry.endsWith(` ${on} ${before.callId}`))).toEqual([]);
          bus.agent = () => OcfExit.OK;
          bus.run(1000);
          const now = lastOf(bus, on, "monitor", 10_000);
          expect(now.callId).toBeGreaterThan(before.callId);
          if (after < 1000) expect(entries(bus)).toContain(`a_monitor_10000 ${on} ${now.callId}`);
          expect(bus.where("a")).toEqual([on]);
        });

    test("leaves what is under way: its result is waited for, nothing else is begun, and a monitor follows", () => {
      const bus = silent(on, "start", 0);
      const start = lastOf(bus, on, "start");
      forget(bus);
      bus.run(1000);
      expect(entries(bus)).toContain(`a_last_0 ${on} ${start.callId}`);
      expect(operations(bus, on, "start")).toHaveLength(1);
      expect(bus.where("a")).toEqual([]);
      (on === far ? bus.remotes.get(far) : bus.node(on).running)?.set("a", "started");
      answer(bus, on, start, OcfExit.OK);
      bus.run(1000);
      expect(bus.where("a")).toEqual([on]);
      expect(operations(bus, on, "start")).toHaveLength(1);
      expect(lastOf(bus, on, "monitor", 10_000).callId).toBeGreaterThan(start.callId);
      expect(idle(bus)).toBe(true);
    });
  });

describe("after a cleanup", () => {
  test("a member that came since gives out higher calls than those before", () => {
    const bus = silent(n1, "monitor", 10_000);
    const before = lastOf(bus, n1, "monitor", 10_000);
    bus.agent = () => OcfExit.OK;
    // All that is known of n1 goes, and then the only one that has heard of its calls.
    bus.step("n1", { type: "forget-request", request: "all", failuresOnly: false });
    bus.restartManager("n2");
    bus.run(1000);
    bus.restartManager("n1");
    bus.run(1000);
    expect(lastOf(bus, n1, "monitor", 10_000).callId).toBeGreaterThan(before.callId);
    expect(idle(bus)).toBe(true);
    expect(waited(bus)).toEqual([]);
    expect(bus.where("a")).toEqual([n1]);
    expect(bus.where("fence")).toHaveLength(1);
    expect([n1, n2]).toContain(bus.leaders()[0] as NodeName);
  });
});

for (const rsc of ["vm", "g", undefined])
  test(`what runs in a guest is not started elsewhere after a cleanup of ${rsc ?? "everything"}`, () => {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive vm ocf:test:Machine op monitor interval=10s meta remote-node=g
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: g
location home vm 50: n1
`);
    bus.run(2000);
    const guest = nodeName("g");
    expect(bus.where("a")).toEqual([guest]);
    const starts = () => bus.executed.filter(({ operation }) => operation.action === "start").length;
    const before = starts();
    const which = rsc === undefined ? {} : { rsc: resourceId(rsc) };
    bus.step("n2", { type: "forget-request", request: "forget", failuresOnly: false, ...which });
    bus.run(5000);
    expect(bus.where("a")).toEqual([guest]);
    expect(bus.executed.filter(({ operation: { action } }) => action === "stop")).toEqual([]);
    expect(starts()).toBe(before);
    expect(idle(bus)).toBe(true);
  });

test("what an executor told of before a cleanup, which is heard after it, is not believed", () => {
  const bus = new ControllerBus(2);
  bus.boot("n1", "n2");
  bus.run(100);
  bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: n1
`);
  bus.run(1000);
  const before = lastOf(bus, n1, "monitor", 10_000);
  const said = { rc: OcfExit.OK, status: OpStatus.DONE, exitReason: "", stdout: "", execMs: 5, queueMs: 0 };
  const results = [lastOf(bus, n1, "start"), before].map((operation) => {
    return { ...operation, ...said, lastRun: 0, lastChange: 0 };
  });
  const history = {
    results,
    running: [],
    interrupted: [],
    remembered: [],
    bootId: "boot-n1-2",
    complete: true,
  };
  bus.together(
    ["n2", { type: "forget-request", request: "forget", rsc: resourceId("a"), failuresOnly: false }],
    ["n1", { type: "executor-up", history, again: true }],
  );
  expect(entries(bus).filter((entry) => entry.endsWith(`_10000 n1 ${before.callId}`))).toEqual([]);
  bus.run(1000);
  const now = lastOf(bus, n1, "monitor", 10_000);
  expect(now.callId).toBeGreaterThan(before.callId);
  expect(entries(bus)).toContain(`a_monitor_10000 n1 ${now.callId}`);
  expect(bus.where("a")).toEqual([n1]);
});

test("a failure that an executor tells of while its manager joins is believed", () => {
  const bus = new ControllerBus(2);
  bus.boot("n1", "n2");
  bus.run(100);
  bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: n1
`);
  bus.run(1000);
  const start = lastOf(bus, n1, "start");
  const monitor = lastOf(bus, n1, "monitor", 10_000);
  const said = {
    status: OpStatus.DONE,
    exitReason: "",
    stdout: "",
    execMs: 5,
    queueMs: 0,
    lastRun: 0,
    lastChange: 0,
  };
  const results = [
    { ...start, ...said, rc: OcfExit.OK },
    { ...monitor, ...said, rc: OcfExit.NOT_RUNNING },
  ];
  const history = {
    results,
    running: [],
    interrupted: [],
    remembered: [],
    bootId: "boot-n1-2",
    complete: true,
  };
  bus.killManager("n1");
  bus.node("n1").running.delete("a");
  bus.restartManager("n1", ["n1", { type: "executor-up", history, again: true }]);
  bus.run(1000);
  expect(lastOf(bus, n1, "start").callId).toBeGreaterThan(monitor.callId);
  expect(bus.where("a")).toEqual([n1]);
});

test("nobody waits for a monitor on a remote node whose connection has failed", () => {
  const bus = silent(far, "monitor", 10_000);
  bus.agent = () => OcfExit.OK;
  bus.fail(bus.where("far").join(), "far", OcfExit.GENERIC);
  bus.run(1000);
  expect(bus.fenced.map(({ target }) => target)).toEqual([far]);
  expect(waited(bus)).toEqual([]);
});

describe("a cleanup of failures of one operation", () => {
  /** A service that has failed on n1 by each of two monitors and a start, and the names of what is counted of it. */
  const failing = () => {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    bus.configure(`
property stonith-enabled=false
primitive a ocf:test:A op monitor interval=10s op monitor interval=20s timeout=20s
location prefer a 50: n1
`);
    bus.run(1000);
    for (const every of [10_000, 20_000]) {
      answer(bus, n1, lastOf(bus, n1, "monitor", every), OcfExit.GENERIC);
      bus.run(1000);
    }
    return bus;
  };
  const counted = (bus: ControllerBus): string[] =>
    [...(bus.cibs()[0] ?? "").matchAll(/name="((?:fail-count|last-failure)-[^"]*)"/g)]
      .map(([, name]) => name ?? "")
      .sort();
  const cleanup = (bus: ControllerBus, action: string, intervalMs: number) => {
    const failed = { action, intervalMs };
    bus.step("n2", {
      type: "forget-request",
      request: "forget",
      rsc: resourceId("a"),
      failuresOnly: true,
      failed,
    });
    bus.run(1000);
  };
  const failures = (bus: ControllerBus) => entries(bus).filter((entry) => entry.includes("last_failure"));

  test("leaves those of others, and the history of what has recovered since", () => {
    const bus = failing();
    const all = ["fail-count", "last-failure"].flatMap((kind) =>
      ["10000", "20000"].map((every) => `${kind}-a#monitor_${every}`),
    );
    expect(counted(bus)).toEqual(all);
    expect(failures(bus)).toHaveLength(1);
    const before = bus.executed.length;
    cleanup(bus, "start", 0);
    cleanup(bus, "monitor", 10_000);
    // The last failure is of the other monitor.
    expect(counted(bus)).toEqual(all.filter((name) => name.endsWith("_20000")));
    expect(failures(bus)).toHaveLength(1);
    cleanup(bus, "monitor", 20_000);
    expect(counted(bus)).toEqual([]);
    expect(failures(bus)).toEqual([]);
    expect(bus.where("a")).toEqual([n1]);
    expect(bus.executed.slice(before).filter(({ operation: { action } }) => action !== "monitor")).toEqual(
      [],
    );
  });

  test("takes the whole history where it ends with one of them: it is looked for anew", () => {
    const bus = failing();
    bus.agent = (_, { action, rsc }) => (rsc.id === "a" && action === "start" ? OcfExit.GENERIC : OcfExit.OK);
    answer(bus, n1, lastOf(bus, n1, "monitor", 10_000), OcfExit.NOT_RUNNING);
    bus.node(n1).running.delete("a");
    bus.run(1000);
    expect(counted(bus)).toContain("fail-count-a#start_0");
    bus.agent = (on, { action }) =>
      action === "monitor" && !bus.node(on).running.has("a") ? OcfExit.NOT_RUNNING : OcfExit.OK;
    cleanup(bus, "start", 0);
    expect(counted(bus)).toEqual(
      ["fail-count", "last-failure"].flatMap((kind) =>
        ["10000", "20000"].map((every) => `${kind}-a#monitor_${every}`),
      ),
    );
    expect(bus.where("a")).toEqual([n1]);
    expect(idle(bus)).toBe(true);
  });
});

import { describe, expect, test } from "bun:test";
import { child, loadCrm } from "../../src/cib/index.ts";
import { ClusterState } from "../../src/controller/cluster-state.ts";
import { emptyCib } from "../../src/controller/index.ts";
import { encodeMessage, membershipKey } from "../../src/controller/messages.ts";
import { migratable } from "../../src/controller/moving.ts";
import { looksBefore } from "../../src/controller/one-owner.ts";
import type { OperationResult } from "../../src/executor/index.ts";
import type { GraphAction } from "../../src/scheduler/index.ts";
import { nodeId, nodeName, OcfExit, OpStatus, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";
import { wentWell } from "../harness/results.ts";

const action = (id: number, task: string, rsc: string, type: string, ...inputs: number[]): GraphAction => ({
  id,
  kind: "rsc",
  task,
  key: `${rsc}_${task}_0`,
  node: nodeName("n1"),
  rsc: { id: resourceId(rsc), class: "ocf", provider: "pacemaker", type },
  intervalMs: 0,
  timeoutMs: 20_000,
  startDelayMs: 0,
  expectedRc: 0,
  canFail: false,
  priority: 0,
  params: {},
  inputs,
});

describe("a remote node of which nothing is known", () => {
  const actions = [action(1, "start", "r1", "remote"), action(2, "start", "beside", "Dummy")];
  const looks = (unheard: boolean) =>
    looksBefore(actions, {
      untold: new Map(),
      unheard: () => unheard,
      guestIn: () => undefined,
      wasFound: () => false,
      familyOf: (rsc) => rsc,
    });

  test("is connected before anything is started that may run there", () => {
    expect(looks(true)).toEqual(new Map([[2, [1]]]));
  });

  test("keeps nothing waiting when it has told, or could not be reached", () => {
    expect(looks(false)).toEqual(new Map());
  });
});

describe("a guest that runs and does not answer", () => {
  // Its connection could not be made: its container is stopped and started again.
  const actions = [
    action(1, "stop", "vm", "Vm"),
    action(2, "start", "vm", "Vm", 1),
    action(3, "start", "g1", "remote", 2),
    action(4, "start", "beside", "Dummy"),
  ];
  const looks = (unheard: boolean) =>
    looksBefore(actions, {
      untold: new Map(),
      unheard: () => unheard,
      guestIn: (rsc) => (rsc === "vm" ? "g1" : undefined),
      wasFound: () => false,
      familyOf: (rsc) => rsc,
    });

  test("has to end before anything is started that may run in it", () => {
    expect(looks(true).get(4)).toEqual([1]);
  });

  test("is not taken for empty because its connection could not be made, as a remote host is", () => {
    const state = new ClusterState(emptyCib(), [{ id: nodeId(1), name: nodeName("n1") }]);
    const heard = () => [state.isUnheard(nodeName("g1"), true), state.isUnheard(nodeName("g1"), false)];
    expect(heard()).toEqual([true, true]);
    state.setAttributes([{ node: nodeName("n1"), name: "fail-count-g1#start_0", value: "INFINITY" }]);
    expect(heard()).toEqual([true, false]);
    state.remoteState(nodeName("g1"), true);
    expect(heard()).toEqual([false, false]);
  });

  test("keeps nothing waiting when it is known what runs in it", () => {
    expect(looks(false).get(4)).toBeUndefined();
  });
});

describe("a guest whose node has stopped its daemon and left it running", () => {
  const [n1, g1] = [nodeName("n1"), nodeName("g1")];
  const started = (rsc: string, type: string): OperationResult => ({
    callId: 1,
    rsc: { id: resourceId(rsc), class: "ocf", provider: type === "remote" ? "pacemaker" : "test", type },
    action: "start",
    intervalMs: 0,
    transitionKey: "1:1:0:x",
    ...wentWell,
    params: {},
  });

  function after(goes: (state: ClusterState) => void): ClusterState {
    const cib = emptyCib();
    const text = "primitive vm ocf:test:Vm meta remote-node=g1\nprimitive inside ocf:test:Inside";
    const configuration = loadCrm(text, child(cib, "configuration"), "update");
    cib.children = cib.children.map((part) => (part.name === "configuration" ? configuration : part));
    const state = new ClusterState(cib, [{ id: nodeId(1), name: n1 }]);
    state.status.setNodeState("1", n1, { in_ccm: "true", crmd: "online", expected: "member" });
    state.remoteState(g1, true);
    state.result(n1, started("vm", "Vm"));
    state.result(n1, started("g1", "remote"));
    state.result(g1, started("inside", "Inside"));
    goes(state);
    return state;
  }

  test("is to be heard again, not lost", () => {
    const state = after((before) => {
      before.nodeReleased(n1);
      before.nodeLost("1", n1, false);
    });
    expect(state.status.ops("g1", "inside")).toEqual([]);
    expect(state.isUnheard(g1, true)).toBe(true);
  });

  test("is not forgotten where the node is lost", () => {
    const state = after((before) => before.nodeLost("1", n1, false));
    expect(state.status.ops("g1", "inside")).toHaveLength(1);
    expect(state.isUnheard(g1, true)).toBe(false);
  });

  test("is not where its connection was stopped first", () => {
    const state = after((before) => {
      before.result(n1, { ...started("g1", "remote"), callId: 2, action: "stop" });
      before.nodeReleased(n1);
      before.nodeLost("1", n1, false);
    });
    expect(state.status.ops("g1", "inside")).toHaveLength(1);
  });
});

/** Tells instances of `db` what is about to be done to one of them, or was done. */
const announcement = (id: number, moment: string, operation: string): GraphAction => ({
  ...action(id, "notify", "db:0", "Stateful"),
  params: { CRM_meta_notify_type: moment, CRM_meta_notify_operation: operation },
});

describe("probes", () => {
  const elsewhere = nodeName("n2");
  const actions = [
    { ...action(1, "monitor", "db:1", "Stateful"), node: elsewhere },
    { ...action(2, "monitor", "other", "Dummy"), node: elsewhere },
    action(3, "promote", "db:0", "Stateful"),
    action(4, "start", "alone", "Dummy"),
    announcement(5, "pre", "promote"),
    announcement(6, "post", "promote"),
    announcement(7, "pre", "demote"),
  ];
  const looks = (untold: boolean) =>
    looksBefore(actions, {
      untold: new Map(untold ? [[elsewhere, []]] : []),
      unheard: () => false,
      guestIn: () => undefined,
      wasFound: () => false,
      familyOf: (rsc) => rsc.replace(/:\d+$/, ""),
    });

  test("of other instances come before an instance is promoted", () => {
    expect(looks(false).get(3)).toEqual([1]);
    expect(looks(false).get(4)).toBeUndefined();
  });

  test("of other instances come before all are told that an instance is to be promoted", () => {
    expect([5, 6, 7].map((id) => looks(false).get(id))).toEqual([[1], undefined, undefined]);
  });

  test("on a node that could not tell come before anything is started", () => {
    const all = looks(true);
    expect([3, 4].map((id) => [...(all.get(id) ?? [])].sort())).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });
});

describe("a service that is stopped and started for another one", () => {
  // The other one is only not known to run: its history was cleaned up.
  const actions = [
    action(1, "monitor", "db", "Stateful"),
    action(2, "start", "db", "Stateful", 1),
    action(3, "stop", "app", "App"),
    action(4, "start", "app", "App", 3, 2),
    action(5, "stop", "leaving", "App"),
    action(6, "monitor", "other", "Other"),
  ];
  const looks = looksBefore(actions, {
    untold: new Map(),
    unheard: () => false,
    guestIn: () => undefined,
    wasFound: () => false,
    familyOf: (rsc) => rsc,
  });

  test("is stopped when it is known that the other one does not run", () => {
    expect(looks.get(3)).toEqual([1]);
  });

  test("does not wait for what is not to be activated, nor does what only stops wait", () => {
    expect(looks.get(5)).toBeUndefined();
  });
});

describe("a remote node", () => {
  const there = nodeName("r1");
  const found = (actions: readonly GraphAction[]) =>
    looksBefore(actions, {
      untold: new Map(),
      unheard: () => false,
      guestIn: () => undefined,
      wasFound: () => false,
      familyOf: (rsc) => rsc,
    });

  test("gets what is moved there only when it is connected", () => {
    const params = { CRM_meta_migrate_source: "n1", CRM_meta_migrate_target: "r1" };
    const actions = [
      action(1, "start", "r1", "remote"),
      { ...action(2, "migrate_to", "vm", "Vm"), params },
      { ...action(3, "migrate_from", "vm", "Vm", 2, 1), node: there, params },
    ];
    expect(found(actions).get(2)).toEqual([1]);
    // Unless the connection needs what is moved.
    const [start, ...others] = actions;
    expect(found([...(start ? [{ ...start, inputs: [3] }] : []), ...others]).get(2)).toBeUndefined();
  });

  test("is looked at before its connection is let go, but not by what the next connection is for", () => {
    const actions = [
      action(1, "stop", "r1", "remote"),
      { ...action(2, "monitor", "db", "Stateful"), node: there },
      action(3, "start", "r1", "remote", 1),
      { ...action(4, "monitor", "app", "App", 3), node: there },
    ];
    expect(found(actions).get(1)).toEqual([2]);
  });
});

test("a node that leaves is looked at first", () => {
  const actions = [
    action(1, "monitor", "db", "Stateful"),
    { ...action(2, "monitor", "db", "Stateful"), node: nodeName("n2") },
    { ...action(3, "do_shutdown", "", ""), kind: "crm" as const },
  ];
  const looks = looksBefore(actions, {
    untold: new Map(),
    unheard: () => false,
    guestIn: () => undefined,
    wasFound: () => false,
    familyOf: (rsc) => rsc,
  });
  expect(looks).toEqual(new Map([[3, [1]]]));
});

test("what a node may have moved away is looked for there before it is on the other node", () => {
  const [from, to] = [nodeName("n1"), nodeName("n2")];
  const actions = [
    action(1, "monitor", "m", "Dummy"),
    { ...action(2, "monitor", "m", "Dummy"), node: to },
    { ...action(3, "monitor", "other", "Dummy"), node: to },
  ];
  const looks = looksBefore(actions, {
    untold: new Map([[from, [{ rsc: "m", to }]]]),
    unheard: () => false,
    guestIn: () => undefined,
    wasFound: () => false,
    familyOf: (rsc) => rsc,
  });
  expect(looks).toEqual(new Map([[2, [1]]]));
});

test("who receives the state learns which nodes could not tell what they were doing", () => {
  const nodes = [{ id: nodeId(1), name: nodeName("n1") }];
  const state = new ClusterState(emptyCib(), nodes);
  const interrupted = [
    {
      callId: 5,
      rsc: { id: resourceId("m"), class: "ocf" as const, provider: "test", type: "M" },
      action: "migrate_to",
      intervalMs: 0,
      timeoutMs: 20_000,
      startDelayMs: 0,
      params: { CRM_meta_migrate_target: "n2" },
      transitionKey: "1:1:0:key",
    },
  ];
  const history = { results: [], running: [], interrupted, remembered: [], bootId: "boot", complete: false };
  state.replaceHistory(nodeName("n1"), nodeName("n1"), history, 1, Number.POSITIVE_INFINITY);
  const untold = new Map([[nodeName("n1"), [{ rsc: "m", to: nodeName("n2") }]]]);
  expect(state.untold).toEqual(untold);
  const receiver = new ClusterState(emptyCib(), nodes);
  receiver.restore(state.snapshot());
  expect(receiver.untold).toEqual(untold);
});

describe("a resource that is found on another node than the one that remembers it", () => {
  const wrong = (last: string) => {
    const names = ["n1", "n2"].map((name, i) => ({ id: nodeId(i + 1), name: nodeName(name) }));
    const state = new ClusterState(emptyCib(), names);
    const rsc = { id: resourceId("m"), class: "ocf" as const, provider: "test", type: "M" };
    const result = (action: string): OperationResult => ({
      ...{ callId: 5, rsc, action, intervalMs: 0, transitionKey: "1:1:0:key", params: {}, stdout: "" },
      ...{ rc: OcfExit.OK, status: OpStatus.DONE, exitReason: "" },
      ...{ execMs: 1, queueMs: 0, lastRun: 1, lastChange: 1 },
    });
    for (const { id, name } of names) state.nodeJoined(id, name);
    const history = { running: [], interrupted: [], bootId: "boot", complete: true };
    const told = { ...history, results: [result(last)], remembered: [rsc.id] };
    state.replaceHistory(nodeName("n1"), nodeName("n1"), told, 1, Number.POSITIVE_INFINITY);
    return state.disproved(nodeName("n2"), result("monitor")).map(({ node }) => node);
  };

  test("is looked for there anew", () => {
    expect(wrong("start")).toEqual([nodeName("n1")]);
  });

  test("has come from there when that is what the node remembers", () => {
    expect(wrong("migrate_to")).toEqual([]);
  });
});

describe("a plan", () => {
  const given = (bus: ControllerBus, membership: string) => {
    const operation = {
      callId: 900,
      rsc: { id: resourceId("stray"), class: "ocf" as const, provider: "test", type: "A" },
      action: "start",
      intervalMs: 0,
      timeoutMs: 20_000,
      startDelayMs: 0,
      params: {},
      transitionKey: "1:1:0:key",
    };
    const dispatches = [{ node: nodeName("n2"), executor: nodeName("n2"), operation }];
    bus.say("n1", encodeMessage({ type: "actions", transition: "key", membership, dispatches, at: 1 }));
    bus.run(100);
    return bus.executed.some((one) => one.operation.rsc.id === "stray");
  };
  const cluster = () => {
    const bus = new ControllerBus(3);
    bus.boot("n1", "n2", "n3");
    bus.run(100);
    return bus;
  };

  test("of the present membership is carried out", () => {
    const bus = cluster();
    const now = bus.node("n2").controller.view().membership;
    if (!now) throw new Error("there is no membership");
    expect(given(bus, membershipKey(now))).toBe(true);
  });

  test("of another membership is not carried out", () => {
    const bus = cluster();
    const before = bus.node("n2").controller.view().membership;
    if (!before) throw new Error("there was no membership");
    bus.restartDaemon("n3");
    bus.run(1000);
    expect(given(bus, membershipKey(before))).toBe(false);
  });
});

describe("what may be on its way between nodes", () => {
  const configuration = (crm: string) => {
    const whole = loadCrm(crm, child(emptyCib(), "configuration"), "update");
    return migratable(whole);
  };

  test("is what is allowed to migrate", () => {
    const all = "primitive a ocf:test:A\nprimitive b ocf:test:B meta allow-migrate=true\n";
    expect(configuration(all)).toEqual(["b"]);
    expect(configuration("primitive a ocf:test:A meta allow-migrate=false\n")).toEqual([]);
  });

  test("is everything where that stands in the defaults", () => {
    const crm = "primitive a ocf:test:A\nprimitive b ocf:test:B\nrsc_defaults allow-migrate=true\n";
    expect(configuration(crm)).toEqual(["a", "b"]);
  });

  test("is looked for everywhere when nobody remembers what the node was doing from which it went", () => {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    bus.configure(`
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive m ocf:test:M meta allow-migrate=true op monitor interval=10s
location m-likes m 10: n1
`);
    bus.run(3000);
    expect(bus.where("m")).toEqual([nodeName("n1")]);
    // Its agent has brought it over when all forget that it was asked to.
    bus.node("n1").running.delete("m");
    bus.node("n2").running.set("m", "started");
    bus.node("n1").complete = false;
    bus.executed.length = 0;
    bus.restartAllManagers();
    bus.run(10_000);
    const changes = bus.executed.filter(({ operation }) => operation.rsc.id === "m");
    const first = changes.filter(({ operation }) => operation.action !== "monitor")[0];
    const probes = changes.filter(({ operation }) => operation.action === "monitor");
    expect(probes.map(({ node }) => node)).toContain(nodeName("n2"));
    expect(first?.operation.action).not.toBe("start");
    expect(bus.where("m")).toHaveLength(1);
    expect(bus.cibs()).toHaveLength(1);
  });
});

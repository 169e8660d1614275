import { describe, expect, test } from "bun:test";
import { LocalHistory } from "../../src/controller/local-history.ts";
import type { Operation, OperationResult } from "../../src/executor/index.ts";
import { nodeName, OcfExit, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";
import { wentWell } from "../harness/results.ts";

const base = `
property stonith-enabled=true
rsc_defaults resource-stickiness=100
primitive fence stonith:fence_dummy op monitor interval=60s
primitive web ocf:test:Web op monitor interval=10s
`;

/** Three nodes with these resources, all of them where they shall be. */
function cluster(text: string): ControllerBus {
  const bus = new ControllerBus(3);
  bus.boot(...bus.nodes.map(({ name }) => name));
  bus.run(100);
  bus.configure(base + text);
  bus.run(10_000);
  bus.executed.length = 0;
  return bus;
}

const done = (bus: ControllerBus, rsc: string): string[] =>
  bus.executed
    .filter(({ operation }) => operation.rsc.id === rsc && operation.intervalMs === 0)
    .map(({ node, operation }) => `${operation.action} ${node}`);

const changes = (bus: ControllerBus): string[] =>
  bus.executed
    .filter(({ operation }) => !["monitor", "notify"].includes(operation.action))
    .map(({ node, operation }) => `${operation.action} ${operation.rsc.id} ${node}`);

/** Every start and promotion finds the resource nowhere else. */
function watch(bus: ControllerBus, cloned = ""): void {
  bus.agent = (node, { rsc, action }) => {
    if (action === "start" && rsc.id !== cloned)
      expect(bus.where(rsc.id).filter((other) => other !== node)).toEqual([]);
    if (action === "promote") expect(bus.promoted(rsc.id).filter((other) => other !== node)).toEqual([]);
    return OcfExit.OK;
  };
}

const left = (rsc: string, action: string, type = "Old"): Operation => ({
  callId: 900,
  rsc: { id: resourceId(rsc), class: "ocf", provider: "test", type },
  action,
  intervalMs: 0,
  timeoutMs: 20_000,
  startDelayMs: 0,
  params: { ip: "10.0.0.1", ...(action === "migrate_to" ? { CRM_meta_migrate_target: "n3" } : {}) },
  transitionKey: `9:9:0:${action}`,
});

describe("a service that may run where a daemon died, and that is not configured any more", () => {
  for (const action of ["start", "migrate_from", "stop", "migrate_to"]) {
    test(`is stopped: its ${action} was interrupted`, () => {
      const bus = cluster("");
      bus.restartDaemon("n2", true, [left("old", action)]);
      bus.run(20_000);
      expect(done(bus, "old")).toEqual(["stop n2"]);
      expect(bus.executed.find(({ operation }) => operation.action === "stop")?.operation).toMatchObject({
        rsc: { class: "ocf", provider: "test", type: "Old" },
      });
      expect(bus.cibs()).toHaveLength(1);
      expect(bus.cibs()[0]).not.toContain('id="old"');
      expect(bus.fenced).toEqual([]);
    });
  }

  for (const action of ["promote", "demote"]) {
    test(`is demoted and stopped: its ${action} was interrupted`, () => {
      const bus = cluster("");
      bus.restartDaemon("n2", true, [left("old", action)]);
      bus.run(20_000);
      expect(done(bus, "old").at(-1)).toBe("stop n2");
      expect(bus.cibs()[0]).not.toContain('id="old"');
    });
  }

  test("is shown while nobody stops it", () => {
    const bus = cluster("property stop-orphan-resources=false");
    bus.restartDaemon("n2", true, [left("old", "start")]);
    bus.run(20_000);
    expect(done(bus, "old")).toEqual([]);
    expect(bus.cibs()[0]).toMatch(/<lrm_resource id="old" [^>]*type="Old"/);
    expect(bus.cibs()[0]).toContain("it may run");
  });

  test("is stopped although it is removed only while it is being looked for", () => {
    const bus = cluster("primitive old ocf:test:Old");
    bus.agent = (_, { rsc, action }) => (rsc.id === "old" && action === "monitor" ? "silent" : OcfExit.OK);
    bus.restartDaemon("n2", true, [left("old", "start")]);
    bus.run(5_000);
    expect(done(bus, "old")).toContain("monitor n2");
    bus.apply([{ op: "delete", xpath: "//primitive[@id='old']" }]);
    bus.run(200_000);
    expect(done(bus, "old")).toContain("stop n2");
  });

  test("is stopped by the agent that it had when another one is configured under its name", () => {
    const bus = cluster("primitive old ocf:test:New op monitor interval=10s\nlocation l old 100: n3");
    bus.restartDaemon("n2", true, [left("old", "start")]);
    bus.run(20_000);
    expect(done(bus, "old")).toContain("stop n2");
    expect(bus.where("old")).toEqual([nodeName("n3")]);
  });

  test("is looked for, not stopped, when it is configured", () => {
    const bus = cluster("primitive old ocf:test:Old op monitor interval=10s\nlocation l old 100: n2");
    bus.restartDaemon("n2", true, [left("old", "start")]);
    bus.run(20_000);
    expect(done(bus, "old")).toEqual(["monitor n2"]);
    expect(bus.where("old")).toEqual([nodeName("n2")]);
  });

  test("is stopped when it was forgotten as it ran, and removed before it was looked at again", () => {
    const bus = cluster("primitive old ocf:test:Old op monitor interval=10s");
    const [on] = bus.where("old");
    bus.agent = (_, { rsc, action, intervalMs }) =>
      rsc.id === "old" && action === "monitor" && intervalMs === 0 ? "silent" : OcfExit.OK;
    const request = {
      type: "forget-request",
      request: "f",
      rsc: resourceId("old"),
      failuresOnly: false,
    } as const;
    bus.step("n1", request);
    bus.apply([{ op: "delete", xpath: "//primitive[@id='old']" }]);
    bus.run(200_000);
    expect(done(bus, "old")).toContain(`stop ${on}`);
    expect(bus.where("old")).toEqual([]);
    expect(bus.cibs()).toHaveLength(1);
  });
});

describe("what a manager tells of its executor", () => {
  const started: OperationResult = {
    ...left("a", "start"),
    ...wentWell,
  };
  const monitor = { ...started, callId: 901, action: "monitor", intervalMs: 10_000 };
  const told = (rc: number) => {
    const local = new LocalHistory();
    const remembered = [started.rsc.id];
    const results = [started, monitor];
    local.replace({ results, running: [], interrupted: [], remembered, bootId: "b", complete: true });
    local.finished({ ...monitor, rc });
    return local.history();
  };

  test("is no memory any more when a monitor has confirmed it", () => {
    expect(told(OcfExit.OK)).toMatchObject({ results: [{}, {}], remembered: [], interrupted: [] });
  });

  test("is only that it may run when the first monitor says otherwise, before the node has joined", () => {
    expect(told(OcfExit.NOT_RUNNING)).toMatchObject({
      results: [],
      remembered: [],
      interrupted: [{ action: "start", params: { ip: "10.0.0.1" } }],
    });
  });

  test("is a failure when it is there and fails", () => {
    expect(told(OcfExit.GENERIC)).toMatchObject({ remembered: [], interrupted: [] });
    expect(told(OcfExit.GENERIC).results).toContainEqual({ ...monitor, rc: OcfExit.GENERIC });
  });
});

describe("what somebody did by hand while all daemons were dead", () => {
  const onFirst = "location l web 100: n1";
  const moved = (bus: ControllerBus, rsc: string, to: string, ...from: string[]) => {
    for (const name of from) bus.node(name).running.delete(rsc);
    bus.node(to).running.set(rsc, "started");
  };

  test("a service that was moved stays where it is, and gets no second owner", () => {
    const bus = cluster(onFirst.replace("100", "50"));
    expect(bus.where("web")).toEqual([nodeName("n1")]);
    watch(bus);
    bus.restartAllDaemons(() => moved(bus, "web", "n2", "n1"));
    bus.run(30_000);
    expect(bus.where("web")).toEqual([nodeName("n2")]);
    expect(changes(bus)).toEqual([]);
    expect(done(bus, "web").toSorted()).toEqual(["monitor n1", "monitor n2", "monitor n3"]);
    expect(bus.fenced).toEqual([]);
    expect(bus.cibs()).toHaveLength(1);
    const looks = done(bus, "web").length;
    bus.fail("n2", "web", OcfExit.NOT_RUNNING);
    bus.run(10_000);
    expect(done(bus, "web").slice(looks)).not.toContain("monitor n1");
    expect(bus.where("web")).toHaveLength(1);
  });

  test("the same where the memory of its new node is lost", () => {
    const bus = cluster(onFirst.replace("100", "50"));
    watch(bus);
    bus.restartAllDaemons(
      () => moved(bus, "web", "n2", "n1"),
      (name) => name !== "n2",
    );
    bus.run(30_000);
    expect(bus.where("web")).toEqual([nodeName("n2")]);
    expect(changes(bus)).toEqual([]);
  });

  test("a service that was stopped is started again after all nodes have been looked at", () => {
    const bus = cluster(onFirst);
    watch(bus);
    bus.restartAllDaemons(() => bus.node("n1").running.delete("web"));
    bus.run(30_000);
    const all = done(bus, "web");
    expect([...new Set(all.slice(0, -1))].toSorted()).toEqual(["monitor n1", "monitor n2", "monitor n3"]);
    expect(all.at(-1)).toBe("start n1");
  });

  test("one that was moved to a node whose daemon lived is found there, and not started a second time", () => {
    const bus = cluster(`${onFirst.replace("100", "50")}\nlocation third web 40: n3`);
    watch(bus);
    // All nodes have been looked at since long when the daemon of one of them dies.
    bus.run(60_000);
    bus.restartDaemon("n1");
    moved(bus, "web", "n2", "n1");
    bus.run(30_000);
    expect(bus.where("web")).toEqual([nodeName("n2")]);
    expect(changes(bus)).toEqual([]);
  });

  test("a service that has failed where it is not any more is looked for there, too", () => {
    const bus = new ControllerBus(3);
    bus.boot(...bus.nodes.map(({ name }) => name));
    bus.run(100);
    bus.configure(`${base}location l web 50: n1\nrsc_defaults migration-threshold=1`);
    bus.run(10_000);
    bus.fail("n1", "web", OcfExit.NOT_RUNNING);
    bus.run(20_000);
    const [now] = bus.where("web");
    expect(now).not.toBe(nodeName("n1"));
    watch(bus);
    bus.executed.length = 0;
    bus.restartAllDaemons(() => {});
    bus.run(1000);
    bus.configure(`location away web -inf: ${now}`);
    bus.run(30_000);
    expect(done(bus, "web")).toContain("monitor n1");
    expect(bus.where("web")).toHaveLength(1);
    expect(bus.where("web")).not.toEqual([now]);
  });

  test("a group that was moved as a whole stays whole", () => {
    const bus = cluster(
      "primitive a ocf:test:A op monitor interval=10s\nprimitive b ocf:test:B op monitor interval=10s\ngroup g a b\nlocation l g 50: n1",
    );
    watch(bus);
    bus.restartAllDaemons(() => {
      moved(bus, "a", "n2", "n1");
      moved(bus, "b", "n2", "n1");
    });
    bus.run(30_000);
    expect(bus.where("a")).toEqual([nodeName("n2")]);
    expect(bus.where("b")).toEqual([nodeName("n2")]);
  });

  // At once: before anything could be looked for because nothing else was to be done.
  test.each([0, 1000])(
    "a service without a monitor, moved by the cluster after %d ms, is found first",
    (ms) => {
      const bus = cluster("primitive still ocf:test:Still\nlocation l still 50: n1");
      expect(bus.where("still")).toEqual([nodeName("n1")]);
      watch(bus);
      bus.restartAllDaemons(() => moved(bus, "still", "n2", "n1"));
      bus.run(ms);
      bus.configure("location away still -inf: n1\nlocation third still 1000: n3", "n1");
      bus.run(30_000);
      expect(done(bus, "still")).toContain("monitor n2");
      expect(bus.where("still")).toEqual([nodeName("n3")]);
    },
  );

  test("a second one that was started beside the first is found, although nothing is to be done", () => {
    const bus = cluster(onFirst);
    bus.restartAllDaemons(() => bus.node("n2").running.set("web", "started"));
    bus.run(30_000);
    expect(changes(bus).slice(0, 2).toSorted()).toEqual(["stop web n1", "stop web n2"]);
    expect(bus.where("web")).toEqual([nodeName("n1")]);
  });

  test("the same when something else is to be done first", () => {
    const bus = cluster(
      `${onFirst}\nprimitive other ocf:test:Other op monitor interval=10s\nlocation o other 100: n3`,
    );
    bus.restartAllDaemons(() => {
      bus.node("n2").running.set("web", "started");
      bus.node("n3").running.delete("other");
    });
    bus.run(60_000);
    expect(bus.where("web")).toEqual([nodeName("n1")]);
    expect(bus.where("other")).toEqual([nodeName("n3")]);
  });

  test("when nobody did anything it is looked once for each service where it does not run", () => {
    const bus = cluster(onFirst);
    bus.restartAllDaemons(() => {});
    bus.run(60_000);
    expect(done(bus, "web").toSorted()).toEqual(["monitor n2", "monitor n3"]);
    expect(changes(bus)).toEqual([]);
  });

  const database = `
primitive db ocf:test:Db op monitor interval=10s op monitor interval=9s role=Promoted
clone dbs db meta promotable=true
location l dbs rule $role=Promoted 100: #uname eq n1
`;

  test("an instance that was promoted elsewhere is not promoted twice", () => {
    const bus = cluster(database);
    expect(bus.promoted("db")).toEqual([nodeName("n1")]);
    watch(bus, "db");
    bus.restartAllDaemons(() => {
      bus.node("n1").running.set("db", "started");
      bus.node("n2").running.set("db", "promoted");
    });
    bus.run(30_000);
    expect(bus.promoted("db")).toHaveLength(1);
    expect(bus.where("db")).toHaveLength(3);
    expect(bus.cibs()).toHaveLength(1);
  });

  test("the same when the cluster promotes another one before any monitor has told", () => {
    const bus = cluster(database);
    watch(bus, "db");
    bus.restartAllDaemons(() => {
      bus.node("n1").running.set("db", "started");
      bus.node("n2").running.set("db", "promoted");
    });
    bus.configure(
      "location off dbs rule $role=Promoted -inf: #uname eq n1\nlocation to dbs rule $role=Promoted 500: #uname eq n3",
    );
    bus.run(30_000);
    expect(bus.promoted("db")).toEqual([nodeName("n3")]);
  });

  test("one of several instances that died costs the others nothing", () => {
    const bus = cluster(
      "primitive p ocf:test:P op monitor interval=10s\nclone ps p\nprimitive app ocf:test:App op monitor interval=10s\norder o Mandatory: ps app\nlocation l app 100: n2",
    );
    watch(bus, "p");
    bus.restartAllDaemons(() => bus.node("n1").running.delete("p"));
    bus.run(30_000);
    expect(changes(bus)).toEqual(["start p n1"]);
  });
});

describe("a service that runs where a daemon died that then remembers nothing", () => {
  /** The resource is changed in maintenance, so that nobody has seen to it before the daemon dies. */
  function changed(change: (bus: ControllerBus) => void): { bus: ControllerBus; on: string } {
    const bus = cluster("primitive A ocf:test:Old op monitor interval=10s\nproperty maintenance-mode=false");
    const [on = "n1"] = bus.where("A");
    bus.configure("property maintenance-mode=true");
    bus.run(1_000);
    change(bus);
    bus.run(1_000);
    bus.restartDaemon(on, false);
    bus.run(5_000);
    bus.executed.length = 0;
    bus.configure("property maintenance-mode=false", bus.leaders()[0]);
    bus.run(20_000);
    return { bus, on };
  }

  test("is stopped when it is not configured any more", () => {
    const { bus, on } = changed((one) =>
      one.apply([{ op: "delete", scope: "resources", xml: '<primitive id="A"/>' }]),
    );
    expect(bus.where("A")).toEqual([]);
    expect(done(bus, "A")).toContain(`stop ${on}`);
    expect(bus.fenced).toEqual([]);
  });

  test("is stopped by the agent that started it when it has another one now", () => {
    const { bus, on } = changed((one) => one.configure("primitive A ocf:test:New op monitor interval=10s"));
    const stops = bus.executed.filter(
      ({ operation }) => operation.rsc.id === "A" && operation.action === "stop",
    );
    expect(stops.map(({ node, operation }) => `${operation.rsc.type} ${node}`)).toContain(`Old ${on}`);
    expect(bus.where("A")).toHaveLength(1);
    expect(bus.fenced).toEqual([]);
  });
});

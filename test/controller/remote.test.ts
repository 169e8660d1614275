import { describe, expect, test } from "bun:test";
import { unpackCluster } from "../../src/scheduler/index.ts";
import { nodeName, OcfExit, OpStatus } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const far = nodeName("far");

/** Two nodes with a remote one, and a service that prefers the remote one. */
function withRemote(params = ""): ControllerBus {
  const bus = new ControllerBus(2);
  bus.boot("n1", "n2");
  bus.run(100);
  bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive far ocf:pacemaker:remote ${params} op monitor interval=30s
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: far
`);
  bus.run(1000);
  return bus;
}

const host = (bus: ControllerBus): string => bus.where("far").join();
const fencedAt = (bus: ControllerBus): (string | undefined)[] =>
  bus.cibs().map((cib) => /<node_state id="far"[^>]* node_fenced="([^"]*)"/.exec(cib)?.[1]);

describe("a remote node", () => {
  test("runs what prefers it", () => {
    const bus = withRemote();
    expect(bus.where("a")).toEqual([far]);
    expect(fencedAt(bus)).toEqual(["0"]);
  });

  for (const params of ["", "params reconnect_interval=3s"]) {
    test(`that is lost is fenced once and taken back (${params || "no reconnect_interval"})`, () => {
      const bus = withRemote(params);
      bus.fencing = () => undefined;
      bus.fail(host(bus), "far", OcfExit.GENERIC);
      bus.run(100);
      expect(bus.fenced.map(({ target }) => target)).toEqual([far]);
      expect(bus.where("a")).toEqual([far]);
      bus.fencing = () => true;
      bus.answerFencing(0);
      bus.run(200);
      expect(fencedAt(bus).every((value) => Number(value) > 0)).toBe(params !== "");
      bus.run(20_000);
      expect(bus.fenced).toHaveLength(1);
      expect(host(bus)).toMatch(/^n[12]$/);
      expect(fencedAt(bus)).toEqual(["0"]);
      expect(bus.where("a")).toEqual([far]);
    });
  }

  test("whose fencing takes longer than its reconnect interval is taken back as well", () => {
    const bus = withRemote("params reconnect_interval=3s");
    bus.fencing = () => undefined;
    bus.fail(host(bus), "far", OcfExit.GENERIC);
    bus.run(60_000);
    expect(host(bus)).toBe("");
    bus.fencing = () => true;
    bus.answerFencing(0);
    bus.run(20_000);
    expect(bus.fenced).toHaveLength(1);
    expect(host(bus)).toMatch(/^n[12]$/);
    expect(bus.where("a")).toEqual([far]);
  });

  for (const tenths of [25, 30, 35, 40])
    test(`whose fencing takes ${tenths / 10} s is taken back after its reconnect interval`, () => {
      const bus = withRemote("params reconnect_interval=3s");
      bus.fencing = () => undefined;
      bus.fail(host(bus), "far", OcfExit.GENERIC);
      bus.run(tenths * 100);
      bus.fencing = () => true;
      bus.answerFencing(0);
      bus.run(10_000);
      expect(host(bus)).toMatch(/^n[12]$/);
      expect(bus.fenced).toHaveLength(1);
    });

  test("whose fencing succeeds only after its reconnect interval is taken back without waiting for a recheck", () => {
    const bus = withRemote("params reconnect_interval=3s");
    let attempts = 0;
    bus.fencing = () => ++attempts > 2;
    bus.fail(host(bus), "far", OcfExit.GENERIC);
    bus.run(30_000);
    expect(attempts).toBe(3);
    expect(host(bus)).toMatch(/^n[12]$/);
    expect(bus.where("a")).toEqual([far]);
  });

  test("is fenced again when it is lost again", () => {
    const bus = withRemote("params reconnect_interval=3s");
    for (const round of [1, 2]) {
      bus.fail(host(bus), "far", OcfExit.GENERIC);
      bus.run(20_000);
      expect(bus.fenced).toHaveLength(round);
      expect(bus.where("a")).toEqual([far]);
    }
  });

  for (const params of ["", "params reconnect_interval=3s", "params server=10.0.0.9 port=4000"]) {
    const at = params.includes("server") ? "far 10.0.0.9:4000" : "far far:3121";
    const watched = (bus: ControllerBus) => bus.nodes.flatMap((node) => node.watched);
    const leader = (bus: ControllerBus) => bus.leaders()[0] ?? "";
    const answers = (bus: ControllerBus) => bus.step(leader(bus), { type: "remote-answers", node: far });

    test(`that has left in order is watched for, and taken back when it answers (${params})`, () => {
      const bus = withRemote(params);
      expect(watched(bus)).toEqual([]);
      const updates = [{ node: far, name: "shutdown", value: "1" }];
      bus.step("n2", { type: "attribute-request", request: "", updates });
      bus.run(60_000);
      expect(host(bus)).toBe("");
      expect(bus.where("a").join()).toMatch(/^n[12]$/);
      expect(watched(bus)).toEqual([at]);
      // Another leader goes on with it.
      const before = leader(bus);
      bus.restartManager(before);
      bus.run(1000);
      expect(bus.node(leader(bus)).watched).toEqual([at]);
      answers(bus);
      bus.run(1000);
      expect(host(bus)).toMatch(/^n[12]$/);
      expect(bus.where("a")).toEqual([far]);
      expect(watched(bus)).toEqual([]);
      expect(bus.fenced).toEqual([]);
      expect(bus.cibs()).toHaveLength(1);
    });

    test(`whose connection can be started nowhere is watched for, and taken back when it answers (${params})`, () => {
      const bus = withRemote(params);
      let serves = false;
      bus.agent = (_node, { rsc, action }) =>
        rsc.id === "far" && action === "start" && !serves ? OcfExit.GENERIC : OcfExit.OK;
      bus.fail(host(bus), "far", OcfExit.GENERIC);
      bus.run(2000);
      bus.remotes.get(far)?.clear();
      expect(bus.fenced.map(({ target }) => target)).toEqual([far]);
      bus.run(10_000);
      expect(host(bus)).toBe("");
      expect(watched(bus)).toEqual([at]);
      answers(bus);
      bus.run(1000);
      expect(host(bus)).toBe("");
      expect(watched(bus)).toEqual([at]);
      serves = true;
      answers(bus);
      bus.run(1000);
      expect(host(bus)).toMatch(/^n[12]$/);
      expect(bus.where("a")).toEqual([far]);
      expect(watched(bus)).toEqual([]);
      expect(bus.fenced).toHaveLength(1);
      expect(bus.cibs().join()).not.toContain("fail-count-far#start_0");
    });
  }

  test("that shall not be connected is not watched for, nor one that has to be fenced first", () => {
    const stopped = withRemote("meta target-role=Stopped");
    const updates = [{ node: far, name: "shutdown", value: "1" }];
    stopped.step("n1", { type: "attribute-request", request: "", updates });
    stopped.run(1000);
    expect(stopped.nodes.flatMap((node) => node.watched)).toEqual([]);
    const lost = withRemote();
    lost.fencing = () => undefined;
    lost.agent = (_node, { rsc, action }) =>
      rsc.id === "far" && action === "start" ? OcfExit.GENERIC : OcfExit.OK;
    lost.fail(host(lost), "far", OcfExit.GENERIC);
    lost.run(5000);
    expect(lost.fenced).toHaveLength(1);
    expect(lost.nodes.flatMap((node) => node.watched)).toEqual([]);
    lost.step(lost.leaders()[0] ?? "", { type: "remote-answers", node: far });
    expect(lost.where("a")).toEqual([far]);
  });

  describe("that is removed from the configuration", () => {
    const known = (bus: ControllerBus) => bus.cibs().map((cib) => cib.includes('uname="far"'));
    const forget = (bus: ControllerBus) =>
      bus.apply([
        { op: "delete", xpath: "//rsc_location[@id='prefer']" },
        { op: "delete", xpath: "//primitive[@id='far']" },
      ]);

    test("is forgotten everywhere once what ran there has moved and its connection was stopped", () => {
      const bus = withRemote();
      bus.step("n1", {
        type: "attribute-request",
        request: "",
        updates: [{ node: far, name: "seen", value: "1" }],
      });
      expect(known(bus)).toEqual([true]);
      forget(bus);
      expect(known(bus)).toEqual([true]);
      bus.run(1000);
      expect(bus.where("a").join()).toMatch(/^n[12]$/);
      expect(bus.where("far")).toEqual([]);
      expect(known(bus)).toEqual([false]);
      for (const name of ["n1", "n2"]) expect(bus.node(name).controller.attributeValues("seen").size).toBe(0);
      expect(bus.log.filter((line) => line.includes("NODE-FORGOTTEN"))).toHaveLength(2);
    });

    test("is remembered while its connection is only stopped, or may still be up", () => {
      const bus = withRemote();
      bus.apply([
        {
          op: "modify",
          create: true,
          xml: '<primitive id="far"><meta_attributes id="m"><nvpair id="mt" name="target-role" value="Stopped"/></meta_attributes></primitive>',
          scope: "resources",
        },
      ]);
      bus.run(1000);
      expect(bus.where("far")).toEqual([]);
      expect(known(bus)).toEqual([true]);
      const stuck = withRemote();
      stuck.agent = (_node, { rsc, action }) =>
        rsc.id === "far" && action === "stop" ? "silent" : OcfExit.OK;
      forget(stuck);
      stuck.run(1000);
      expect(known(stuck)).toEqual([true]);
    });

    test("is not brought back by what it had begun", () => {
      const bus = withRemote();
      const begun = bus.executed.findLast(({ node }) => node === far)?.operation;
      if (!begun) throw new Error("nothing was done there");
      forget(bus);
      bus.run(1000);
      const result = {
        ...begun,
        rc: OcfExit.GENERIC,
        status: OpStatus.NOT_CONNECTED,
        exitReason: "no connection to far",
        stdout: "",
        execMs: 0,
        queueMs: 0,
        lastRun: 0,
        lastChange: 0,
      };
      bus.step("n1", { type: "result", node: far, result });
      expect(known(bus)).toEqual([false]);
    });

    test("loses its attributes when an administrator removes its state", () => {
      const bus = withRemote();
      bus.step("n1", {
        type: "attribute-request",
        request: "",
        updates: [{ node: far, name: "seen", value: "1" }],
      });
      bus.apply([{ op: "delete", xpath: "/cib/status/node_state[@uname='far']" }]);
      for (const name of ["n1", "n2"]) expect(bus.node(name).controller.attributeValues("seen").size).toBe(0);
    });
  });
});

describe("a remote node that is configured only now", () => {
  test("and shall not be connected is not fenced: nothing was ever run there", () => {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive far ocf:pacemaker:remote op monitor interval=30s meta target-role=Stopped
primitive a ocf:test:A op monitor interval=10s
`);
    bus.run(60_000);
    expect([bus.fenced, bus.where("a").length]).toEqual([[], 1]);
    expect(bus.cibs()[0]).toMatch(/<node_state id="far" uname="far" remote_node="true"\/?>/);
  });
});

describe("a remote node whose daemon was started again, so that what it says is only remembered", () => {
  /** Three nodes; the connection is with n1, and a service that the remote node once stopped runs there, too. */
  function remembering(more = ""): ControllerBus {
    const bus = new ControllerBus(3);
    bus.boot("n1", "n2", "n3");
    bus.run(100);
    bus.configure(`
property stonith-enabled=true
rsc_defaults resource-stickiness=100
primitive fence stonith:fence_dummy op monitor interval=60s
primitive far ocf:pacemaker:remote op monitor interval=30s
location far-home far 1000: n1
primitive there ocf:test:There op monitor interval=10s
location there-home there 1000: far
primitive web ocf:test:Web op monitor interval=10s
location web-home web 1000: n1
${more}`);
    bus.run(5000);
    expect([host(bus), ...bus.where("web")]).toEqual(["n1", "n1"]);
    bus.restartRemoteDaemon(far);
    return bus;
  }

  test("is asked by the node that takes its connection over, when that is made", () => {
    const bus = remembering();
    expect(bus.where("there")).toEqual([far]);
    const before = bus.executed.length;
    bus.crash("n1");
    bus.run(20_000);
    const onFar = bus.executed.slice(before).filter(({ node }) => node === far);
    expect(onFar.map(({ operation }) => `${operation.action} ${operation.rsc.id}`)).toContain("monitor web");
    expect(bus.unreached).toEqual([]);
    // It waits for the connection, and is not tried in vain before.
    expect(bus.log.join()).not.toContain("ACTION-WITHHELD");
    expect(bus.fenced.map(({ target }) => target)).toEqual([nodeName("n1")]);
    expect(bus.where("web").join()).toMatch(/^n[23]$/);
    expect(bus.where("there")).toEqual([far]);
  });

  test("is asked before its connection is let go", () => {
    const bus = remembering("location there-away there -inf: far");
    bus.configure(`
primitive far ocf:pacemaker:remote op monitor interval=30s meta target-role=Stopped
location web-away web -inf: n1`);
    bus.run(20_000);
    expect(bus.unreached).toEqual([]);
    expect(bus.fenced).toEqual([]);
    expect(host(bus)).toBe("");
    expect(bus.where("web").join()).toMatch(/^n[23]$/);
  });
});

test("a remote node whose connection was to move when all leave is stopped by who is connected to it", () => {
  const bus = withRemote();
  const from = host(bus);
  const to = from === "n1" ? "n2" : "n1";
  const { agent } = bus;
  // The one to which it was to move is to leave, too, when it has been prepared.
  bus.agent = (node, operation) => {
    if (operation.action === "migrate_to") bus.step(to, { type: "shutdown-request" });
    return agent(node, operation);
  };
  bus.executed = [];
  bus.step(from, { type: "shutdown-request" });
  bus.run(60_000);
  const done = bus.executed.filter(({ operation }) => operation.intervalMs === 0);
  expect(done.map(({ node, operation: { action, rsc } }) => `${action} ${rsc.id} ${node}`)).toEqual(
    expect.arrayContaining([`migrate_to far ${from}`, "stop a far", `stop far ${from}`]),
  );
  expect(bus.unreached).toEqual([]);
  expect(bus.fenced).toEqual([]);
  expect([bus.node("n1").up, bus.node("n2").up]).toEqual([false, false]);
});

describe("a guest on a node in maintenance", () => {
  function guestBus(): ControllerBus {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    bus.configure(`
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive vm ocf:test:Vm meta remote-node=g1 op monitor interval=10s
location vm-home vm 100: n1
primitive inside ocf:test:Inside op monitor interval=10s
location inside-home inside 100: g1
`);
    bus.run(5000);
    expect([...bus.where("vm"), ...bus.where("inside")]).toEqual([nodeName("n1"), nodeName("g1")]);
    bus.configure("node n1 attributes maintenance=true");
    bus.run(100);
    return bus;
  }

  /** Deeds of agents but for looks. */
  const deeds = (bus: ControllerBus) =>
    bus.executed
      .filter(({ operation }) => operation.action !== "monitor")
      .map(({ node, operation }) => `${operation.action} ${operation.rsc.id} ${node}`);

  const ways: Readonly<Record<string, (bus: ControllerBus) => void>> = {
    "has left": (bus) => {
      bus.step("n1", { type: "shutdown-request" });
      bus.run(5000);
      expect(bus.log.join()).toContain("NODE-LEFT node n1 has left");
    },
    "has forgotten what it ran": (bus) => bus.restartDaemon("n1", false),
  };
  for (const [way, lose] of Object.entries(ways))
    test(`runs on when its node ${way}, and nothing of it is started elsewhere`, () => {
      const bus = guestBus();
      lose(bus);
      bus.run(30_000);
      expect(bus.log.join()).toContain("inside may run in g1, which nobody is connected to");
      expect(bus.log.join()).not.toContain("ACTION-LOST");
      expect([...bus.where("vm"), ...bus.where("inside")]).toEqual([nodeName("n1"), nodeName("g1")]);
      const before = deeds(bus).length;
      if (way === "has left") {
        bus.restartDaemon("n1");
        bus.node("n1").up = true;
        bus.partition("n1", "n2");
      }
      bus.configure("node n1 attributes maintenance=false", "n2");
      bus.run(30_000);
      expect([...bus.where("vm"), ...bus.where("inside")]).toEqual([nodeName("n1"), nodeName("g1")]);
      // Nothing but the connection, where it was not kept.
      expect(
        deeds(bus)
          .slice(before)
          .filter((deed) => deed !== "start g1 n1"),
      ).toEqual([]);
      expect(bus.fenced).toEqual([]);
    });
});

test("a guest that was found running and nobody may connect to keeps all that it may run from being started", () => {
  const bus = new ControllerBus(2);
  bus.boot("n1", "n2");
  bus.run(100);
  const vm = "primitive vm ocf:test:Vm meta remote-node=g1";
  bus.configure(`
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
${vm} op monitor interval=10s
location vm-home vm 100: n1
primitive inside ocf:test:Inside op monitor interval=10s
location inside-home inside 100: g1
`);
  bus.run(5_000);
  bus.configure("property maintenance-mode=true");
  bus.configure(`${vm} is-managed=false`);
  bus.run(1_000);
  bus.restartAllDaemons(
    () => {},
    () => false,
  );
  bus.run(30_000);
  bus.configure("property maintenance-mode=false");
  bus.run(60_000);
  expect(bus.where("inside")).toEqual([nodeName("g1")]);
  expect(bus.log.join()).toContain("inside may run in g1, which nobody is connected to");
  bus.configure(`${vm} is-managed=true`);
  bus.run(60_000);
  expect([...bus.where("vm"), ...bus.where("inside")]).toEqual([nodeName("n1"), nodeName("g1")]);
  expect(bus.fenced).toEqual([]);
});

describe("a guest that has ended and is not to start again", () => {
  const ends: Readonly<Record<string, (bus: ControllerBus) => void>> = {
    "with its host": (bus) => bus.crash("n1"),
    "as it was to": (bus) =>
      bus.configure("primitive vm ocf:test:Vm meta remote-node=g1 target-role=Stopped"),
  };
  for (const [how, end] of Object.entries(ends))
    test(`${how} is not fenced for ever, and runs nothing`, () => {
      const bus = new ControllerBus(3);
      bus.boot(...bus.nodes);
      bus.run(100);
      bus.configure(`
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive vm ocf:test:Vm meta remote-node=g1 op monitor interval=10s
location vm-home vm 100: n1
location vm-not vm rule -inf: #uname ne n1
primitive inside ocf:test:Inside op monitor interval=10s
clone insides inside
`);
      bus.run(10_000);
      expect(bus.where("inside")).toContain(nodeName("g1"));
      bus.step("n2", {
        type: "attribute-request",
        request: "",
        updates: [{ node: nodeName("g1"), name: "inner", value: "1" }],
      });
      end(bus);
      bus.run(30_000);
      const [state] = /<node_state id="g1"[\s\S]*?<\/node_state>/.exec(bus.cibs()[0] ?? "") ?? [""];
      expect(state).toContain('in_ccm="false"');
      expect(state).not.toContain("inner");
      expect(state).not.toMatch(/rc-code="0"[^>]*operation="start"|operation="start"[^>]*rc-code="0"/);
      const before = bus.log.length;
      bus.step("n2", {
        type: "attribute-request",
        request: "",
        updates: [{ node: nodeName("n2"), name: "news", value: "1" }],
      });
      bus.run(30_000);
      expect(bus.log.slice(before).join()).not.toContain("g1");
    });
});

describe("a guest that is removed while its connection is tried", () => {
  for (const [what, removal] of [
    ["no guest any more", [{ op: "delete", xpath: "//nvpair[@name='remote-node']" }]],
    [
      "gone with its machine",
      [
        { op: "delete", xml: '<rsc_location id="vm-home"/>', scope: "constraints" },
        { op: "delete", xml: '<primitive id="vm"/>', scope: "resources" },
      ],
    ],
  ] as const)
    for (const answer of ["silent", OcfExit.GENERIC] as const)
      test(`is forgotten and not fenced, where it is ${what} (${answer})`, () => {
        const bus = new ControllerBus(2);
        bus.agent = (_, { rsc, action }) => (rsc.id === "g1" && action === "start" ? answer : OcfExit.OK);
        bus.boot("n1", "n2");
        bus.run(100);
        bus.configure(`
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive vm ocf:test:Vm meta remote-node=g1 op monitor interval=10s
location vm-home vm 100: n1
`);
        bus.run(5000);
        bus.step("n1", {
          type: "cib-request",
          request: "removal",
          operations: removal,
          user: "root",
          client: "test",
          askers: [],
        });
        for (const pause of [100, 30_000]) {
          bus.run(pause);
          const { nodes } = unpackCluster(bus.node("n1").controller.view().cib, 0);
          expect(nodes.filter(({ unclean }) => unclean).map(({ name }) => name)).toEqual([]);
        }
        expect(bus.fenced).toEqual([]);
      });
});

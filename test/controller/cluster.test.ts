import { describe, expect, test } from "bun:test";
import { encodeMessage } from "../../src/controller/messages.ts";
import { nodeName, OcfExit, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const shop = `
property stonith-enabled=true
rsc_defaults resource-stickiness=100
primitive fence stonith:fence_dummy op monitor interval=60s
primitive a ocf:test:A op monitor interval=10s
primitive b ocf:test:B op monitor interval=10s
group g a b
location prefer g 50: n1
`;

function running(): ControllerBus {
  const bus = new ControllerBus(3);
  bus.boot("n1", "n2", "n3");
  bus.run(100);
  bus.configure(shop);
  bus.run(1000);
  return bus;
}

describe("the cluster", () => {
  test("forms with one leader and the same state everywhere", () => {
    const bus = new ControllerBus(3);
    bus.boot("n1", "n2", "n3");
    bus.run(100);
    expect(bus.leaders()).toEqual([bus.node("n1").name]);
    expect(bus.cibs()).toHaveLength(1);
  });

  test("starts what is configured, in order, on the preferred node", () => {
    const bus = running();
    expect([bus.where("a"), bus.where("b")].flat().join(" ")).toBe("n1 n1");
    const order = bus.executed.filter(
      ({ operation }) => operation.action === "start" && operation.rsc.class === "ocf",
    );
    expect(order.map(({ operation }) => operation.rsc.id).join(" ")).toBe("a b");
    expect(bus.cibs()).toHaveLength(1);
  });

  test("probes every resource on every node before it starts it", () => {
    const bus = running();
    const firstStart = bus.executed.findIndex(
      ({ operation }) => operation.rsc.id === "a" && operation.action === "start",
    );
    const probes = bus.executed
      .slice(0, firstStart)
      .filter(({ operation }) => operation.rsc.id === "a" && operation.action === "monitor");
    expect(
      probes
        .map(({ node }) => node)
        .sort()
        .join(" "),
    ).toBe("n1 n2 n3");
  });

  test("moves the services of a crashed node only after it was fenced", () => {
    const bus = running();
    bus.fencing = () => undefined;
    bus.crash("n1");
    bus.run(5000);
    expect(bus.fenced.map(({ target }) => target).join()).toBe("n1");
    expect(bus.where("a")).toEqual([]);
    bus.fencing = () => true;
    bus.answerFencing(0);
    bus.run(1000);
    expect(bus.where("a").concat(bus.where("b"))).toHaveLength(2);
    expect(bus.cibs()).toHaveLength(1);
  });

  test("tries fencing again when it failed, and starts nothing meanwhile", () => {
    const bus = running();
    let attempts = 0;
    bus.fencing = () => ++attempts > 2;
    bus.crash("n1");
    bus.run(1500);
    expect(bus.where("a")).toEqual([]);
    bus.run(10_000);
    expect(attempts).toBe(3);
    expect(bus.where("a")).toHaveLength(1);
  });

  test("leaves ever longer between fencings that fail, since the target may be booting after each", () => {
    const bus = running();
    const asked: number[] = [];
    bus.fencing = () => {
      asked.push(bus.now);
      return false;
    };
    bus.crash("n1");
    bus.run(200_000);
    const pauses = asked.slice(1).map((at, i) => Math.round((at - (asked[i] ?? 0)) / 1000));
    expect(pauses.slice(0, 7)).toEqual([2, 4, 8, 16, 30, 30, 30]);
    expect(bus.where("a")).toEqual([]);
  });

  test("recovers a failed monitor in place, and the resource behind it in the group", () => {
    const bus = running();
    const before = bus.executed.length;
    bus.fail("n1", "a", OcfExit.NOT_RUNNING);
    bus.run(1000);
    const since = bus.executed.slice(before).filter(({ operation }) => operation.action !== "monitor");
    expect(since.map(({ node, operation }) => `${operation.rsc.id} ${operation.action} ${node}`)).toEqual([
      "b stop n1",
      "a stop n1",
      "a start n1",
      "b start n1",
    ]);
    const counted = bus.node("n2").controller.attributeValues("fail-count-a#monitor_10000");
    expect([...counted.values()]).toEqual(["1"]);
  });

  test("takes a monitor's failure for newer than its success in the same second, and the other way round", () => {
    const bus = running();
    const entries = () =>
      [...(bus.cibs()[0] ?? "").matchAll(/id="(a_(?:last_failure_0|monitor_10000))"/g)].map(([, id]) => id);
    bus.fail("n1", "a", OcfExit.NOT_RUNNING);
    bus.run(1);
    expect(entries()[0]).toBe("a_last_failure_0");
    bus.run(1000);
    expect(entries()[0]).toBe("a_monitor_10000");
  });

  test("recovers a resource whose failure was told after the node's clock had been set back", () => {
    const bus = new ControllerBus(3);
    bus.boot("n1", "n2", "n3");
    bus.node("n1").clockAhead = 3600;
    bus.run(100);
    bus.configure(shop);
    bus.run(1000);
    bus.node("n1").clockAhead = 0;
    const before = bus.executed.length;
    bus.fail("n1", "a", OcfExit.NOT_RUNNING);
    bus.run(1000);
    const since = bus.executed
      .slice(before)
      .map(({ operation }) => `${operation.rsc.id} ${operation.action}`);
    expect(since).toContain("a start");
    expect(bus.where("a").join()).toBe("n1");
  });

  test("takes a monitor that is well again for the newest also after the node's clock had been set back", () => {
    const bus = running();
    bus.configure("property maintenance-mode=true");
    bus.run(1000);
    bus.node("n1").clockAhead = 3600;
    bus.fail("n1", "a", OcfExit.GENERIC);
    bus.run(1000);
    bus.node("n1").clockAhead = 0;
    bus.fail("n1", "a", OcfExit.OK);
    const before = bus.executed.length;
    bus.configure("property maintenance-mode=false");
    bus.run(1000);
    expect(bus.executed.slice(before).filter(({ operation }) => operation.action === "stop")).toEqual([]);
  });

  test("recovers a resource that somebody says has failed, and counts that as a failure", () => {
    const bus = running();
    const before = bus.executed.length;
    const fail = (rsc: string, node: string, request: string) =>
      bus.step("n2", { type: "fail-request", request, rsc: resourceId(rsc), node: nodeName(node) });
    fail("a", "n1", "r");
    bus.step("n2", { type: "idle-request", request: "idle" });
    expect([bus.replies.get("r")?.error, bus.replies.has("idle")]).toEqual([undefined, false]);
    expect(bus.cibs()).toHaveLength(1);
    expect(bus.cibs()[0]).toMatch(
      /id="a_last_failure_0" operation_key="a_asyncmon_0" operation="asyncmon"[^>]* rc-code="1" op-status="0" interval="0"/,
    );
    bus.run(1000);
    expect(bus.replies.has("idle")).toBe(true);
    const since = bus.executed.slice(before).filter(({ operation }) => operation.action !== "monitor");
    expect(since.map(({ node, operation }) => `${operation.rsc.id} ${operation.action} ${node}`)).toEqual([
      "b stop n1",
      "a stop n1",
      "a start n1",
      "b start n1",
    ]);
    const count = () => [...bus.node("n3").controller.attributeValues("fail-count-a#asyncmon_0")];
    expect(count()).toEqual([[nodeName("n1"), "1"]]);
    fail("a", "n1", "again");
    bus.run(1000);
    expect(count()).toEqual([[nodeName("n1"), "2"]]);
    expect(bus.where("a").join()).toBe("n1");
    expect(bus.fenced).toEqual([]);
  });

  test("takes no resource for failed where it does not run", () => {
    const bus = running();
    const before = bus.cibs();
    for (const [rsc, node] of [
      ["a", "n2"],
      ["nothing", "n1"],
      ["a", "n9"],
    ] as const) {
      const request = `${rsc} ${node}`;
      bus.step("n2", { type: "fail-request", request, rsc: resourceId(rsc), node: nodeName(node) });
      expect(bus.replies.get(request)?.error).toMatchObject({ exit: 105 });
    }
    expect(bus.cibs()).toEqual(before);
  });

  test("forgets a failure after its time, its trace in the history too, and then has nothing to do", () => {
    const bus = new ControllerBus(3);
    bus.boot("n1", "n2", "n3");
    bus.run(100);
    bus.configure(`${shop}rsc_defaults failure-timeout=60s\n`);
    bus.run(1000);
    bus.fail("n1", "a", OcfExit.NOT_RUNNING);
    bus.run(1000);
    expect(bus.cibs()[0]).toContain("a_last_failure_0");
    const before = bus.executed.length;
    bus.run(20 * 60_000);
    expect(bus.cibs()[0]).not.toContain("a_last_failure_0");
    expect(bus.node("n2").controller.attributeValues("fail-count-a#monitor_10000").size).toBe(0);
    expect(bus.executed.slice(before)).toEqual([]);
  });

  test("asks again about a failure that expired before anything could be done about it", () => {
    const bus = running();
    bus.configure(
      "primitive dull ocf:test:Dull op monitor interval=10s\nprimitive lone ocf:test:Lone op monitor interval=10s meta failure-timeout=5s",
    );
    bus.run(5000);
    const [on] = bus.where("lone");
    // Something that takes long is under way.
    bus.agent = (_, { rsc, action }) => (rsc.id === "dull" && action === "stop" ? "silent" : OcfExit.OK);
    bus.configure("primitive dull ocf:test:Dull params p=2 op monitor interval=10s");
    bus.run(100);
    bus.fail(on ?? "", "lone", OcfExit.NOT_RUNNING);
    bus.agent = () => OcfExit.OK;
    bus.run(150_000);
    expect(bus.lookedAgain).toContain(`lone ${on}`);
  });

  test("tries another node when a start fails", () => {
    const bus = new ControllerBus(3);
    bus.agent = (node, { action, rsc }) =>
      node === "n1" && rsc.id === "a" && action === "start" ? OcfExit.GENERIC : OcfExit.OK;
    bus.boot("n1", "n2", "n3");
    bus.run(100);
    bus.configure(shop);
    bus.run(3000);
    expect(bus.where("a")).toHaveLength(1);
    expect(bus.where("a").join()).not.toBe("n1");
    const counted = bus.node("n2").controller.attributeValues("fail-count-a#start_0");
    expect([...counted.values()]).toEqual(["INFINITY"]);
  });

  test("fences a node on which a stop fails", () => {
    const bus = running();
    bus.agent = (_node, { action, rsc }) =>
      rsc.id === "b" && action === "stop" ? OcfExit.GENERIC : OcfExit.OK;
    bus.fail("n1", "b", OcfExit.GENERIC);
    bus.run(3000);
    expect(bus.fenced.map(({ target }) => target).join()).toBe("n1");
    expect(bus.where("a").join()).toMatch(/^n[23]$/);
  });

  test("does not fence a node that may leave and is there still when another one is lost", () => {
    for (const before of [0, 1, 2, 3, 5, 10, 50, 500]) {
      const bus = new ControllerBus(5);
      bus.boot(...bus.nodes);
      bus.configure("property stonith-enabled=true\nprimitive fence stonith:fence_dummy\n");
      bus.run(10_000);
      bus.leaveMs = 1_000;
      bus.step("n2", { type: "shutdown-request" });
      while (!bus.cibs()[0]?.includes('expected="down"')) bus.run(1);
      bus.run(bus.leaveMs - before);
      bus.crash("n4");
      bus.run(30_000);
      expect(bus.node("n2").up).toBe(false);
      expect(bus.fenced.map(({ target }) => String(target))).toEqual(["n4"]);
      expect(bus.log).not.toContain("n1 NODE-LOST node n2 is lost: nothing has been heard of it");
    }
  });

  test("does not fence a node that was told that it may leave while the others agreed on a membership", () => {
    const bus = new ControllerBus(5);
    bus.boot(...bus.nodes);
    bus.configure("property stonith-enabled=true\nprimitive fence stonith:fence_dummy\n");
    bus.run(10_000);
    bus.leaveMs = 100;
    // Its summary is under way already when that arrives.
    bus.sayEarly("n1", () => encodeMessage({ type: "release", node: nodeName("n2") }));
    bus.crash("n4");
    bus.run(30_000);
    expect(bus.node("n2").up).toBe(false);
    expect(bus.fenced.map(({ target }) => String(target))).toEqual(["n4"]);
    expect(bus.log).toContain("n1 NODE-LEFT node n2 has left");
  });

  test("drains a node that wants to leave, and does not fence it", () => {
    const bus = running();
    bus.step("n1", { type: "shutdown-request" });
    bus.run(3000);
    expect(bus.node("n1").up).toBe(false);
    expect(bus.where("a").join()).toMatch(/^n[23]$/);
    expect(bus.fenced).toEqual([]);
    expect(bus.leaders()).toHaveLength(1);
  });

  test("stops everything without quorum", () => {
    const bus = running();
    bus.quorate = false;
    bus.partition("n1");
    bus.run(3000);
    expect(bus.where("a")).toEqual([]);
  });

  test("a manager that dies and comes back interrupts nothing and starts nothing twice", () => {
    for (const name of ["n1", "n2"]) {
      const bus = running();
      const before = bus.executed.length;
      bus.killManager(name);
      bus.run(1500);
      bus.restartManager(name);
      bus.run(3000);
      const disturbing = bus.executed
        .slice(before)
        .filter(({ operation }) => ["start", "stop"].includes(operation.action));
      expect(disturbing).toEqual([]);
      expect(bus.where("a").join()).toBe("n1");
      expect(bus.fenced).toEqual([]);
      expect(bus.cibs()).toHaveLength(1);
    }
  });

  test("a manager that does not come back costs the node", () => {
    const bus = running();
    bus.killManager("n1");
    bus.run(60_000);
    expect(bus.fenced[0]?.target).toBe("n1" as never);
    expect(bus.where("a").join()).toMatch(/^n[23]$/);
  });

  test("a node that comes back is brought up to date and keeps the services where they are", () => {
    const bus = running();
    bus.crash("n1");
    bus.run(3000);
    const heir = bus.where("a").join();
    bus.configure("primitive c ocf:test:C op monitor interval=10s", "n2");
    bus.run(1000);
    bus.boot("n1");
    bus.run(3000);
    expect(bus.cibs()).toHaveLength(1);
    expect(bus.where("a").join()).toBe(heir);
    expect(bus.where("c")).toHaveLength(1);
  });

  test("waits for nodes that were not seen before it decides, but not for ever", () => {
    const bus = new ControllerBus(3);
    bus.boot("n1", "n2", "n3");
    bus.run(100);
    bus.configure(shop);
    const stored = () => {
      const cib = structuredClone(bus.node("n1").controller.view().cib);
      return { ...cib, children: cib.children.filter(({ name }) => name !== "status") };
    };
    const fresh = new ControllerBus(3, stored);
    fresh.boot("n1", "n2");
    fresh.run(10_000);
    expect(fresh.executed).toEqual([]);
    fresh.run(15_000);
    expect(fresh.fenced.map(({ target }) => target).join()).toBe("n3");
  });

  test("answers who waits only when nothing is left to do", () => {
    const bus = running();
    bus.step("n2", { type: "idle-request", request: "idle" });
    bus.run(10);
    expect(bus.replies.has("idle")).toBe(true);
    bus.configure("primitive c ocf:test:C op monitor interval=10s", "n2");
    bus.step("n2", { type: "idle-request", request: "later" });
    expect(bus.replies.has("later")).toBe(false);
    bus.run(1000);
    expect(bus.replies.has("later")).toBe(true);
    expect(bus.where("c")).toHaveLength(1);
  });

  test("tells a remote node that it is in maintenance, and that it is not any more, once", () => {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    bus.configure("property stonith-enabled=false\nprimitive r ocf:pacemaker:remote op monitor interval=30s");
    bus.run(1000);
    const history = {
      running: [],
      interrupted: [],
      remembered: [],
      results: [],
      bootId: "r1",
      complete: true,
    };
    bus.step("n1", { type: "remote-up", node: nodeName("r"), history });
    bus.run(1000);
    const recorded = () => bus.cibs().map((cib) => /node_in_maintenance="(.)"/.exec(cib)?.[1]);
    expect(recorded()).toEqual([undefined]);
    bus.configure("property maintenance-mode=true");
    bus.run(1000);
    expect(recorded()).toEqual(["1"]);
    bus.configure("property maintenance-mode=false");
    bus.run(1000);
    expect(recorded()).toEqual(["0"]);
    const planned = () => bus.log.filter((line) => line.includes(" TRANSITION ")).length;
    const before = planned();
    bus.configure("property cluster-recheck-interval=5min");
    bus.run(1000);
    expect(planned()).toBe(before);
  });

  test("refuses a configuration that names what is not there, and stays as it was", () => {
    const bus = running();
    const before = bus.cibs();
    expect(() =>
      bus.apply([
        {
          op: "modify",
          create: true,
          xml: '<rsc_location id="l" rsc="nobody" node="n1" score="1"/>',
          scope: "constraints",
        },
      ]),
    ).toThrow();
    expect(bus.cibs()).toEqual(before);
  });
});

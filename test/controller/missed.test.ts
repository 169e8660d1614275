import { describe, expect, test } from "bun:test";
import { nodeName, OcfExit } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/*
 * What a manager has not seen or heard itself: it was not there, it was in another part, or the message that it builds
 * on is still on its way.
 */

const [n1, n2, n3] = [nodeName("n1"), nodeName("n2"), nodeName("n3")];
const far = nodeName("far");

/** Nodes that were started one after the other, with a service that prefers one of them. */
function running(prefers: string, ...order: readonly string[]): ControllerBus {
  const bus = new ControllerBus(order.length);
  for (const name of order) {
    bus.boot(name);
    bus.run(100);
  }
  bus.configure(
    `
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: ${prefers}
`,
    order[0],
  );
  bus.run(30_000);
  expect(bus.where("a")).toEqual([nodeName(prefers)]);
  return bus;
}

const startsOf = (bus: ControllerBus, rsc: string) =>
  bus.executed
    .filter(({ operation }) => operation.rsc.id === rsc && operation.action === "start")
    .map(({ node }) => node);

test("what is said while a manager waits for the state that it is to build on is not lost to it", () => {
  // The state is that of n2, who took part first; n1 is the first to hear what is said.
  const bus = running("n2", "n2", "n1", "n3");
  expect(bus.leaders()).toEqual([n2]);
  const updates = [{ node: n1, name: "place", value: "here" }];
  bus.killManager("n3");
  bus.restartManager("n3", ["n1", { type: "attribute-request", request: "", updates }]);
  expect([...bus.node("n3").controller.attributeValues("place")]).toEqual([[n1, "here"]]);
  expect(bus.cibs()).toHaveLength(1);
});

test("a manager that is missing is waited for, and given up, by one who did not see it go", () => {
  const bus = running("n4", "n1", "n2", "n3", "n4");
  bus.killManager("n3");
  for (const name of ["n2", "n4"]) {
    bus.killManager(name);
    bus.restartManager(name);
  }
  bus.run(1000);
  bus.crash("n1");
  bus.run(3000);
  // Nothing is decided as long as it may come back.
  expect(bus.fenced).toEqual([]);
  bus.run(20_000);
  expect(bus.fenced.map(({ target }) => target).sort()).toEqual([n1, n3]);
});

describe("who was away", () => {
  test("for so short a time that nobody missed it is missed by the fencers", () => {
    const bus = running("n2", "n1", "n2", "n3");
    bus.fencers.length = 0;
    bus.restartDaemon("n2");
    const told = bus.fencers.filter(({ node }) => node === n1).map(({ members }) => members.join(" "));
    expect(told).toEqual(["n1 n3", "n1 n2 n3"]);
  });

  test("is not taken to have been away by the fencers when only another one was", () => {
    const bus = running("n2", "n1", "n2", "n3");
    bus.fencers.length = 0;
    bus.crash("n3");
    const told = bus.fencers.filter(({ node }) => node === n1).map(({ members }) => members.join(" "));
    expect(told).toEqual(["n1 n2"]);
  });
});

test("an executor that came back does not answer for what it is given while it tells what it did before", () => {
  const bus = running("n2", "n1", "n2", "n3");
  const b = (role: string) => `primitive b ocf:test:B meta target-role=${role}\nlocation b-there b 50: n2\n`;
  bus.configure(b("Stopped"));
  bus.run(1000);
  const { answers, boot } = bus.node("n2");
  const history = {
    results: answers,
    running: [],
    interrupted: [],
    remembered: [],
    bootId: `boot-n2-${boot}`,
    complete: true,
  };
  bus.agent = (_node, { action }) => (action === "start" ? "silent" : OcfExit.OK);
  bus.configure(b("Started"));
  // What n1 gives out now is not in what n2's executor has told, which is heard after it.
  bus.together(
    ["n1", { type: "timer", timer: "schedule" }],
    ["n2", { type: "executor-up", history, again: true }],
  );
  bus.run(10_000);
  expect(startsOf(bus, "b")).toEqual([n2]);
  expect(bus.log.filter((line) => line.includes("was restarted"))).toEqual([]);
});

test("what an executor that came back does not know of is given out anew", () => {
  const bus = running("n2", "n1", "n2", "n3");
  const { answers, boot } = bus.node("n2");
  const history = {
    results: answers,
    remembered: [],
    running: [],
    interrupted: [],
    bootId: `boot-n2-${boot}`,
    complete: true,
  };
  bus.agent = (_node, { rsc, action }) => (rsc.id === "b" && action === "start" ? "silent" : OcfExit.OK);
  bus.configure("primitive b ocf:test:B\nlocation b-there b 50: n2\n");
  bus.run(1000);
  expect(startsOf(bus, "b")).toEqual([n2]);
  bus.step("n2", { type: "executor-up", history, again: true });
  bus.run(1000);
  expect(startsOf(bus, "b")).toEqual([n2, n2]);
});

test("an executor that could not tell all answers for its node only when all was looked for", () => {
  const bus = running("n2", "n1", "n2", "n3");
  bus.agent = (node, { action, intervalMs }) =>
    node === n2 && action === "monitor" && intervalMs === 0 ? "silent" : OcfExit.OK;
  bus.restartDaemon("n2", false);
  bus.run(10_000);
  expect(bus.node("n2").complete).toBe(false);
  bus.agent = () => OcfExit.OK;
  bus.restartDaemon("n2", false);
  bus.run(10_000);
  expect(bus.node("n2").complete).toBe(true);
  expect(bus.where("a")).toHaveLength(1);
});

test("what happened on a remote host in one part is known when the parts meet", () => {
  const bus = new ControllerBus(4);
  bus.boot("n1", "n2", "n3", "n4");
  bus.run(100);
  bus.configure(`
property stonith-enabled=true no-quorum-policy=freeze
primitive fence stonith:fence_dummy op monitor interval=60s
primitive far ocf:pacemaker:remote op monitor interval=30s
location far-there far 50: n2
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: far
`);
  bus.run(3000);
  expect([bus.where("far"), bus.where("a")]).toEqual([[n2], [far]]);
  // Two halves: neither may do anything. It is the state of n1 that all go on from.
  bus.quorate = false;
  bus.partition("n1", "n3");
  bus.configure("primitive b ocf:test:B meta target-role=Stopped\n");
  bus.run(1000);
  bus.partition("n2", "n4");
  bus.fail("far", "a", OcfExit.NOT_RUNNING, "n2");
  bus.executed.length = 0;
  bus.quorate = true;
  bus.partition("n1", "n2", "n3", "n4");
  bus.run(10_000);
  expect(bus.cibs()).toHaveLength(1);
  expect(bus.fenced).toEqual([]);
  expect(startsOf(bus, "a")).toEqual([far]);
  expect(startsOf(bus, "far")).toEqual([]);
});

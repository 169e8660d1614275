import { describe, expect, test } from "bun:test";
import { managerGraceMs } from "../../src/controller/leader.ts";
import { nodeName, OcfExit, OpStatus } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/** The promotion on n2 is under way, given out by n1. */
function promoting(): ControllerBus {
  const bus = new ControllerBus(3);
  bus.agent = (node, { action }) => (node === "n2" && action === "promote" ? "silent" : OcfExit.OK);
  bus.boot("n1", "n2", "n3");
  bus.run(100);
  bus.configure(`
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive db ocf:test:Db op promote timeout=40s interval=0
clone dbs db meta promotable=true promoted-max=1 notify=false
primitive app ocf:test:App
primitive other ocf:test:Other
location app-there app inf: n2
location other-there other inf: n3
order app-after-db Mandatory: dbs:promote app:start
`);
  bus.step("n2", {
    type: "attribute-request",
    request: "",
    updates: [{ node: nodeName("n2"), name: "master-db", value: "100" }],
  });
  bus.run(5000);
  expect(bus.leaders()).toEqual([nodeName("n1")]);
  expect(promotions(bus)).toHaveLength(1);
  expect(bus.where("app")).toEqual([]);
  return bus;
}

/** The same, and n1 leaves meanwhile: in order, or by a crash. */
function leaving(how: (bus: ControllerBus) => void): ControllerBus {
  const bus = promoting();
  how(bus);
  bus.run(managerGraceMs + 1_000);
  expect(bus.leaders()).toEqual([nodeName("n2")]);
  return bus;
}

const promotions = (bus: ControllerBus) =>
  bus.executed.filter(({ operation }) => operation.action === "promote").map(({ operation }) => operation);

/** The promotion comes to its end. */
function end(bus: ControllerBus): void {
  const [operation] = promotions(bus);
  if (!operation) throw new Error("nothing is promoted");
  const said = { rc: OcfExit.OK, status: OpStatus.DONE, exitReason: "", stdout: "", execMs: 5, queueMs: 0 };
  const result = { ...operation, ...said, lastRun: 0, lastChange: 0 };
  bus.step("n2", { type: "result", node: nodeName("n2"), result });
  bus.run(5000);
}

const ways = {
  "has crashed": (bus: ControllerBus) => bus.crash("n1"),
  "has lost its manager": (bus: ControllerBus) => bus.killManager("n1"),
};

describe.each(Object.entries(ways))("a leader that %s", (_, how) => {
  test("leaves what it has given out to the next one, which waits for its end", () => {
    const bus = leaving(how);
    expect(bus.where("app")).toEqual([]);
    expect(bus.log.join("\n")).toContain("waiting for what is under way already: promote of db on n2");
    end(bus);
    expect(bus.where("app")).toEqual([nodeName("n2")]);
    expect(promotions(bus)).toHaveLength(1);
    expect(bus.cibs()).toHaveLength(1);
  });

  test("leaves to the next one to find out that there is no answer", () => {
    const bus = leaving(how);
    bus.run(120_000);
    expect(bus.log.filter((line) => line.includes(" ACTION-LOST ")).length).toBeGreaterThan(0);
    expect([...bus.node("n2").controller.attributeValues("fail-count-db#promote_0")]).toEqual([
      [nodeName("n2"), "1"],
    ]);
    expect(bus.cibs()).toHaveLength(1);
  });
});

test("managers that have all been started anew wait for what executors say is under way", () => {
  const bus = promoting();
  bus.restartAllManagers();
  bus.run(11_000);
  expect(bus.where("app")).toEqual([]);
  expect(promotions(bus)).toHaveLength(1);
  end(bus);
  expect(bus.where("app")).toEqual([nodeName("n2")]);
  expect(promotions(bus)).toHaveLength(1);
  expect(bus.cibs()).toHaveLength(1);
});

test("a new leader does not wait for what was given out through a connection that has failed since", () => {
  const far = nodeName("far");
  const bus = new ControllerBus(3);
  bus.agent = (node, { rsc, action }) =>
    node === far && rsc.id === "a" && action === "start" ? "silent" : OcfExit.OK;
  bus.boot("n1", "n2", "n3");
  bus.run(100);
  bus.configure(`
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive far ocf:pacemaker:remote op monitor interval=30s
location far-there far 50: n2
primitive a ocf:test:A op start timeout=40s interval=0
location a-there a inf: far
`);
  bus.run(3000);
  expect(bus.where("far")).toEqual([nodeName("n2")]);
  bus.killManager("n1");
  bus.run(500);
  bus.restartManager("n1");
  bus.run(500);
  expect(bus.leaders()).toEqual([nodeName("n2")]);
  expect(bus.log.join("\n")).toContain("waiting for what is under way already: start of a on far");
  bus.fail("n2", "far", OcfExit.GENERIC);
  bus.run(1000);
  expect(bus.fenced.map(({ target }) => target)).toEqual([far]);
});

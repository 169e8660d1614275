import { describe, expect, test } from "bun:test";
import { nodeName, OcfExit } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/*
 * What could not be executed on a service that runs says nothing of whether it runs: it goes on, nothing is begun elsewhere,
 * and no node is fenced for it.
 */

const [n1, n2] = [nodeName("n1"), nodeName("n2")];
const reloadable = `<resource-agent name="A"><version>1.1</version>
  <parameters><parameter name="file"/><parameter name="level" reloadable="1"/></parameters>
  <actions><action name="start"/><action name="reload-agent"/></actions>
</resource-agent>`;

const settled = (text: string, prepare: (bus: ControllerBus) => void = () => {}) => {
  const bus = new ControllerBus(3);
  bus.metadata = () => reloadable;
  prepare(bus);
  bus.boot(...bus.nodes.map(({ name }) => name));
  bus.run(100);
  bus.configure(text);
  bus.run(20_000);
  return bus;
};

const standby = (bus: ControllerBus, node: string) =>
  bus.step("n3", {
    type: "attribute-request",
    request: "",
    updates: [{ node: nodeName(node), name: "standby", value: "on" }],
  });
const fenced = (bus: ControllerBus) => bus.fenced.map(({ target }) => target);
const seen = new WeakMap<ControllerBus, number>();
/** What was done with the service since this was asked last. */
const done = (bus: ControllerBus) => {
  const since = seen.get(bus) ?? 0;
  seen.set(bus, bus.executed.length);
  return bus.executed
    .slice(since)
    .filter(({ operation: { rsc, intervalMs } }) => rsc.id === "a" && intervalMs === 0)
    .map(({ node, operation: { action } }) => `${node} ${action}`);
};
const scores = (bus: ControllerBus, of: Readonly<Record<string, string>>) => {
  for (const [node, value] of Object.entries(of))
    bus.step("n1", {
      type: "attribute-request",
      request: "",
      updates: [{ node: nodeName(node), name: "master-a", value }],
    });
};

/** A parameter that can be reloaded is changed. */
const service = (level: number, more = "") => `
property stonith-enabled=true
primitive fence stonith:fence_dummy
primitive a ocf:test:A params file=x level=${level} ${more}
location here a 100: n1`;

describe("a reload", () => {
  test.each([
    ["watched, and so announced", "op monitor interval=10s", true],
    ["watched, but not announced yet", "op monitor interval=10s", false],
    ["not watched", "", false],
  ])("that could not be executed leaves the service as it is, %s; later it is made", (_, more, announced) => {
    const bus = settled(service(1, more));
    expect(bus.where("a")).toEqual([n1]);
    let broken = true;
    bus.agent = (node, { rsc }) => (broken && node === n1 && rsc.id === "a" ? "unbegun" : OcfExit.OK);
    if (announced) bus.fail("n1", "a", "unbegun");
    done(bus);
    bus.configure(service(2, more));
    bus.run(100_000);
    const tried = done(bus);
    expect(tried.filter((one) => one !== "n1 reload-agent")).toEqual([]);
    if (announced) expect(tried).toEqual([]);
    // Not in a tight loop.
    expect(tried.length).toBeLessThan(8);
    expect(bus.where("a")).toEqual([n1]);
    expect(fenced(bus)).toEqual([]);
    expect(bus.log.join("\n")).toContain("chmod 755");
    broken = false;
    if (more !== "") bus.fail("n1", "a", OcfExit.OK);
    // A monitor tells that it can be executed again; without one it is tried.
    bus.run(more === "" ? 40_000 : 3000);
    expect(done(bus)).toEqual(["n1 reload-agent"]);
    expect(bus.cibs().join("")).not.toContain("chmod 755");
    expect(bus.cibs()).toHaveLength(1);
    bus.run(100_000);
    expect(done(bus)).toEqual([]);
  });

  test("that could not be executed is known to a manager that starts anew, and to a new leader", () => {
    const bus = settled(service(1));
    bus.agent = (_, { rsc }) => (rsc.id === "a" ? "unbegun" : OcfExit.OK);
    done(bus);
    bus.configure(service(2));
    bus.run(5000);
    for (const name of ["n1", "n2", "n3"]) {
      bus.killManager(name);
      bus.restartManager(name);
      bus.run(5000);
    }
    bus.run(60_000);
    expect(bus.where("a")).toEqual([n1]);
    // Of what no manager knows the parameters it is to be restarted, which cannot be begun, either.
    expect(done(bus).filter((one) => one !== "n1 reload-agent" && one !== "n1 stop")).toEqual([]);
    expect(fenced(bus)).toEqual([]);
    expect(bus.cibs()).toHaveLength(1);
  });

  test("that the agent refuses is a failure of what runs: it is stopped before it runs anywhere", () => {
    for (const rc of [OcfExit.INSTALLED, OcfExit.ARGS, OcfExit.NOT_RUNNING, OcfExit.GENERIC]) {
      const bus = settled(service(1));
      bus.agent = (_, { action }) => (action === "reload-agent" ? rc : OcfExit.OK);
      done(bus);
      bus.configure(service(2));
      bus.run(20_000);
      expect(done(bus)).toEqual(["n1 reload-agent", "n1 stop", "n1 start"]);
      expect(bus.where("a")).toEqual([n1]);
    }
  });
});

/** A promotable clone, watched, whose agent is lost on some nodes while `broken` says so. */
function promotable(best: string, lost: readonly string[]) {
  const bus = settled(`
property stonith-enabled=true
primitive fence stonith:fence_dummy
primitive a ocf:test:A op monitor interval=10s role=Unpromoted op monitor interval=11s role=Promoted
clone as a meta promotable=true promoted-max=1`);
  const values = { n1: "5", n2: "5", n3: "5", [best]: "10" };
  scores(bus, values);
  bus.run(10_000);
  expect(bus.promoted("a")).toEqual([nodeName(best)]);
  const world = { broken: true };
  bus.agent = (node, { rsc }) =>
    world.broken && rsc.id === "a" && lost.includes(node) ? "unbegun" : OcfExit.OK;
  return { bus, world, announce: () => lost.forEach((node) => void bus.fail(node, "a", "unbegun")) };
}
const everywhere = ["n1", "n2", "n3"];

describe("a promotable clone whose agent cannot be executed", () => {
  test.each([true, false])("keeps its roles when it is to be demoted (announced: %p)", (announced) => {
    const { bus, world, announce } = promotable("n1", ["n1"]);
    if (announced) announce();
    bus.run(1000);
    done(bus);
    standby(bus, "n1");
    bus.run(40_000);
    expect(fenced(bus)).toEqual([]);
    expect(bus.promoted("a")).toEqual([n1]);
    expect(done(bus).filter((one) => !/n1 (demote|stop)/.test(one))).toEqual([]);
    world.broken = false;
    bus.fail("n1", "a", OcfExit.RUNNING_PROMOTED);
    bus.run(60_000);
    expect(fenced(bus)).toEqual([]);
    expect(bus.where("a")).not.toContain(n1);
    expect(bus.promoted("a")).toHaveLength(1);
    expect(bus.cibs().join("")).not.toContain("chmod 755");
  });

  test.each([true, false])(
    "has no successor of a promoted node that is lost (announced: %p)",
    (announced) => {
      const { bus, world, announce } = promotable("n1", everywhere);
      if (announced) announce();
      bus.run(1000);
      done(bus);
      bus.crash("n1");
      bus.run(60_000);
      expect(fenced(bus)).toEqual([n1]);
      expect(bus.where("a")).toEqual([n2, nodeName("n3")]);
      expect(bus.promoted("a")).toEqual([]);
      if (announced) expect(done(bus)).toEqual([]);
      world.broken = false;
      for (const node of ["n2", "n3"]) bus.fail(node, "a", OcfExit.OK);
      bus.run(60_000);
      expect(bus.promoted("a")).toHaveLength(1);
      expect(fenced(bus)).toEqual([n1]);
    },
  );

  test.each([true, false])("is promoted where its agent can be executed (announced: %p)", (announced) => {
    const { bus, announce } = promotable("n1", ["n1", "n2"]);
    scores(bus, { n2: "8" });
    if (announced) announce();
    bus.run(1000);
    bus.crash("n1");
    bus.run(60_000);
    expect(fenced(bus)).toEqual([n1]);
    expect(bus.promoted("a")).toEqual([nodeName("n3")]);
    expect(bus.where("a")).toContain(n2);
  });
});

describe("a live migration", () => {
  const text = (more = "") => `
property stonith-enabled=true
primitive fence stonith:fence_dummy
primitive a ocf:test:A op monitor interval=10s meta allow-migrate=true
location here a 100: n1
${more}`;

  test.each([true, false])(
    "does not begin where the agent cannot be executed (announced: %p)",
    (announced) => {
      const bus = settled(text());
      let broken = true;
      bus.agent = (node, { rsc }) => (broken && node === n1 && rsc.id === "a" ? "unbegun" : OcfExit.OK);
      if (announced) bus.fail("n1", "a", "unbegun");
      done(bus);
      bus.configure(text("location there a inf: n2"));
      bus.run(60_000);
      expect(fenced(bus)).toEqual([]);
      expect(bus.where("a")).toEqual([n1]);
      if (announced) expect(done(bus)).toEqual([]);
      broken = false;
      bus.fail("n1", "a", OcfExit.OK);
      bus.run(60_000);
      expect(bus.where("a")).toEqual([n2]);
      expect(fenced(bus)).toEqual([]);
    },
  );

  test("that could not be finished is a failure for which nobody is fenced, and begins nothing beside it", () => {
    const bus = settled(text());
    bus.agent = (node, { rsc }) => (node === n2 && rsc.id === "a" ? "unbegun" : OcfExit.OK);
    bus.configure(text("location there a inf: n2"));
    bus.run(60_000);
    expect(fenced(bus)).toEqual([]);
    expect(bus.where("a").length).toBeLessThan(2);
  });

  test("does not go to a node where another service tells that the agent cannot be executed", () => {
    const bus = settled(text("primitive b ocf:test:A op monitor interval=10s\nlocation bs b 100: n2"));
    bus.agent = (node, { rsc }) => (node === n2 && rsc.type === "A" ? "unbegun" : OcfExit.OK);
    expect(bus.where("b")).toEqual([n2]);
    bus.fail("n2", "b", "unbegun");
    bus.run(5000);
    done(bus);
    standby(bus, "n1");
    bus.run(30_000);
    expect(bus.where("a")).toEqual([nodeName("n3")]);
    expect(done(bus).filter((one) => one.startsWith("n2"))).toEqual([]);
  });
});

import { expect, test } from "bun:test";
import { CLOCK_ATTRIBUTE } from "../../src/controller/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/** Clocks that differ are told by the node that is behind, on every node, until they agree. */

const seenOn = (bus: ControllerBus) =>
  ["n1", "n2", "n3"].map((name) => [...bus.node(name).controller.attributeValues(CLOCK_ATTRIBUTE)]);

function cluster(ahead: number): ControllerBus {
  const bus = new ControllerBus(3);
  bus.node("n2").clockAhead = ahead;
  bus.boot("n1", "n2", "n3");
  bus.run(5000);
  bus.configure("property stonith-enabled=false\nprimitive a ocf:test:A");
  bus.run(5000);
  return bus;
}

test("a clock that is ahead is named by the others, the same on all nodes", () => {
  const told = "that of n2 is 12 s ahead";
  const all = seenOn(cluster(12));
  for (const values of all)
    expect(values.sort()).toEqual([
      [nodeName("n1"), told],
      [nodeName("n3"), told],
    ]);
});

test("one that is behind names the others", () => {
  for (const values of seenOn(cluster(-60))) {
    expect(values.map(([node]) => node)).toEqual([nodeName("n2")]);
    expect(values[0]?.[1]).toContain("that of n1 is 60 s ahead");
  }
});

test("a little is nobody's business", () => {
  expect(seenOn(cluster(3))).toEqual([[], [], []]);
});

test("nothing is told any more once they agree, or the node has gone", () => {
  const set = cluster(12);
  set.node("n2").clockAhead = 0;
  set.crash("n3");
  set.run(5000);
  set.boot("n3");
  set.run(20_000);
  expect(seenOn(set)).toEqual([[], [], []]);
  const gone = cluster(12);
  gone.crash("n2");
  gone.run(20_000);
  const [here, , there] = seenOn(gone);
  expect([here, there]).toEqual([[], []]);
});

test("a failure on a node whose clock is behind by more than failure-timeout is recovered all the same", () => {
  const bus = cluster(-60);
  bus.configure(`
property stonith-enabled=false
primitive s ocf:test:S meta failure-timeout=30s op monitor interval=10s
location there s 100: n2
`);
  bus.run(10_000);
  expect(bus.where("s")).toEqual([nodeName("n2")]);
  const before = bus.executed.length;
  bus.fail("n2", "s", 7);
  bus.run(5000);
  const done = bus.executed.slice(before).map(({ operation: { action, rsc } }) => `${action} ${rsc.id}`);
  expect(done.filter((deed) => /^(?:stop|start) s$/.test(deed))).toEqual(["stop s", "start s"]);
  expect(bus.where("s")).toEqual([nodeName("n2")]);
});

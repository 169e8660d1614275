import { describe, expect, test } from "bun:test";
import { nodeName } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const [n1, n3] = [nodeName("n1"), nodeName("n3")];

/** Four nodes, of which the first has a service; the clocks of all are different. */
function running(): ControllerBus {
  const bus = new ControllerBus(4);
  for (const [index, node] of bus.nodes.entries()) node.clockAhead = index * 3;
  bus.boot("n1", "n2", "n3", "n4");
  bus.run(100);
  bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: n3
`);
  bus.run(1000);
  return bus;
}

/** The node's state as the CIBs have it; they have to be equal. */
const stateOf = (bus: ControllerBus, name: string): string | undefined => {
  const cibs = bus.cibs();
  expect(cibs).toHaveLength(1);
  return new RegExp(`<node_state [^>]*uname="${name}"[^>]*>`).exec(cibs[0] ?? "")?.[0];
};

describe("a node that comes in the middle of a fencing", () => {
  for (const how of ["the device does it", "a person confirms it"])
    test(`learns of its end as all others do (${how})`, () => {
      const bus = running();
      bus.crash("n2");
      bus.run(1000);
      expect(bus.fenced).toHaveLength(1);
      bus.fencing = () => undefined;
      bus.crash("n3");
      bus.run(1000);
      expect(bus.fenced.map(({ target }) => target).at(-1)).toBe(n3);
      bus.boot("n2");
      bus.run(1000);
      expect(stateOf(bus, "n3")).toContain('expected="member"');
      bus.fencing = () => true;
      if (how.startsWith("the device")) bus.answerFencing(1);
      else bus.confirmFencing(n3, n1);
      bus.run(1000);
      expect(stateOf(bus, "n3")).toContain('expected="down"');
      expect(bus.where("a")).toHaveLength(1);
      // It can go on from there.
      bus.crash("n1");
      bus.run(3000);
      expect(bus.where("a")).toHaveLength(1);
      expect(bus.cibs()).toHaveLength(1);
    });

  test("is not taken for down when the fencing is its own and has ended its life before", () => {
    const bus = running();
    bus.fencing = () => undefined;
    bus.crash("n3");
    bus.run(1000);
    bus.boot("n3");
    bus.run(1000);
    bus.fencing = () => true;
    bus.answerFencing(0, true);
    bus.run(3000);
    expect(stateOf(bus, "n3")).toMatch(/crmd="online".* expected="member"/);
    expect(bus.node("n3").up).toBe(true);
    expect(bus.where("a")).toEqual([n3]);
    expect(bus.fenced).toHaveLength(1);
  });

  test("is not taken for down when it hears of the end of its life before while it joins", () => {
    const bus = running();
    bus.fencing = () => undefined;
    bus.crash("n3");
    bus.run(1000);
    bus.answerFencingEarly(0);
    bus.boot("n3");
    bus.run(3000);
    expect(stateOf(bus, "n3")).toMatch(/crmd="online".* expected="member"/);
    expect(bus.node("n3").up).toBe(true);
    expect(bus.where("a")).toEqual([n3]);
    expect(bus.fenced).toHaveLength(1);
  });

  test("is down when its own fencing was ordered after it had come, and does not go on", () => {
    const bus = running();
    bus.fencing = () => undefined;
    bus.agent = (_node, { rsc, action }) => (rsc.id === "a" && action === "stop" ? 1 : 0);
    bus.fail("n3", "a", 1);
    bus.run(1000);
    expect(bus.fenced.map(({ target }) => target)).toEqual([n3]);
    bus.fencing = () => true;
    bus.answerFencing(0, true);
    bus.run(3000);
    expect(stateOf(bus, "n3")).toContain('in_ccm="false" crmd="offline"');
    expect(bus.node("n3").up).toBe(false);
    expect(bus.where("a")).toHaveLength(1);
  });
});

test("a node that comes while the manager of another is missing gives it up as all others do", () => {
  const bus = running();
  bus.crash("n2");
  bus.run(1000);
  bus.fencing = () => undefined;
  bus.killManager("n3");
  bus.run(2000);
  bus.boot("n2");
  bus.run(1000);
  expect(stateOf(bus, "n3")).toContain('crmd="online"');
  bus.run(20_000);
  expect(stateOf(bus, "n3")).toContain('in_ccm="true" crmd="offline"');
  expect(bus.fenced.map(({ target }) => target).at(-1)).toBe(n3);
});

describe("what runs in a guest on a node whose manager was given up", () => {
  const guest = nodeName("g1");
  const given = () => {
    const bus = new ControllerBus(3);
    bus.boot("n1", "n2", "n3");
    bus.run(100);
    bus.configure(`
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive vm ocf:test:Vm meta remote-node=g1 op monitor interval=10s
location vm-there vm 50: n2
primitive inside ocf:test:Inside op monitor interval=10s
location inside-there inside inf: g1
`);
    bus.run(5000);
    expect([bus.where("vm"), bus.where("inside")]).toEqual([[nodeName("n2")], [guest]]);
    bus.killManager("n2");
    return bus;
  };
  const lost = (bus: ControllerBus) => bus.log.filter((line) => line.includes(" ACTION-LOST "));

  test("is not told to stop through it, and goes on where its host does", () => {
    const bus = given();
    bus.run(30_000);
    expect(bus.fenced.map(({ target }) => target)).toEqual([nodeName("n2")]);
    expect(bus.where("vm")).not.toEqual([nodeName("n2")]);
    expect(bus.where("vm")).toHaveLength(1);
    expect(bus.where("inside")).toEqual([guest]);
    expect(lost(bus)).toEqual([]);
    expect(bus.cibs()).toHaveLength(1);
  });

  test("nor while the fencing of its host fails again and again", () => {
    const bus = given();
    let attempts = 0;
    bus.fencing = () => ++attempts > 3;
    bus.run(60_000);
    expect(bus.fenced.map(({ target }) => target)).toEqual(Array(4).fill(nodeName("n2")));
    expect(bus.where("vm")).not.toEqual([nodeName("n2")]);
    expect(bus.where("inside")).toEqual([guest]);
    expect(lost(bus)).toEqual([]);
  });
});

describe("a fencing that fails again and again", () => {
  const more = (text: string) => `
primitive fence stonith:fence_dummy op monitor interval=60s
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: n3
${text}
`;

  /** n4 is lost and its device does not answer for it. */
  function failing(): ControllerBus {
    const bus = running();
    bus.configure(more("primitive b ocf:test:B op monitor interval=10s meta requires=quorum"));
    bus.run(1000);
    bus.fencing = () => false;
    bus.crash("n4");
    bus.run(32_000);
    expect(bus.fenced.length).toBeGreaterThan(2);
    return bus;
  }

  test("keeps waiting what has to wait for it, and nothing else", () => {
    const bus = failing();
    const before = bus.executed.length;
    const done = () =>
      bus.executed.slice(before).map(({ operation: { action, rsc } }) => `${action} ${rsc.id}`);
    bus.fail("n3", "a", 7);
    bus.run(500);
    expect(done()).toEqual(["stop a"]);
    bus.fail(bus.where("b")[0] ?? "", "b", 7);
    bus.run(500);
    expect(done()).toEqual(["stop a", "stop b", "start b", "monitor b"]);
    bus.fencing = () => true;
    bus.run(40_000);
    expect(bus.where("a")).toHaveLength(1);
  });

  test("is tried again after a pause that grows, and at once when the configuration has changed", () => {
    const bus = failing();
    const tries = () => bus.fenced.filter(({ target }) => target === nodeName("n4")).length;
    const before = tries();
    bus.fail("n3", "a", 7);
    bus.run(20_000);
    expect(tries()).toBe(before);
    bus.configure(more("primitive b ocf:test:B op monitor interval=11s meta requires=quorum"));
    bus.run(1000);
    expect(tries()).toBe(before + 1);
    bus.fencing = () => true;
    bus.run(60_000);
    expect(stateOf(bus, "n4")).toContain('expected="down"');
    expect(bus.where("a")).toHaveLength(1);
  });
});

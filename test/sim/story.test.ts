import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { RingMembership } from "../../src/daemon/ring-core.ts";
import { nodeId } from "../../src/terms/index.ts";
import { CALM, CHATTER, SimCluster, type SimPlan } from "./cluster.ts";
import type { SimNode } from "./node.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

function cluster(nodes: number, more: Partial<SimPlan> = {}): SimCluster {
  const sim = new SimCluster({
    seed: 1,
    nodes,
    links: 1,
    mode: "passive",
    tokenMs: 1000,
    network: CALM,
    traffic: CHATTER,
    ...more,
  });
  sim.startAll();
  return sim;
}

const statusOf = (node: SimNode) => {
  const status = node.core?.status();
  if (!status) throw new Error(`node ${node.id} is down`);
  return status;
};
const membersOf = (sim: SimCluster, id: number) => statusOf(sim.node(id)).totem.members.map(Number);
/** Waits in steps of 10 ms of virtual time; returns how long it took. */
function until(sim: SimCluster, limitMs: number, condition: () => boolean): number {
  const began = sim.schedule.now;
  while (!condition()) {
    if (sim.schedule.now - began > limitMs) throw new Error(`nothing happened in ${limitMs} ms`);
    sim.run(10);
  }
  return sim.schedule.now - began;
}
const settledWith = (sim: SimCluster, id: number, members: number) => {
  const status = sim.node(id).core?.status();
  return status?.settled === true && status.totem.members.length === members;
};

describe("forming", () => {
  for (const size of [1, 2, 3, 8, 16]) {
    test(`${size} nodes that start together are one ring within half a second`, () => {
      const sim = cluster(size);
      const ids = sim.nodes.map(({ id }) => Number(id));
      expect(until(sim, 1500, () => ids.every((id) => settledWith(sim, id, size)))).toBeLessThan(
        size === 1 ? 1500 : 500,
      );
      sim.settle();
    });
  }

  test("one after the other joins without disturbing the others for long", () => {
    const sim = cluster(5);
    for (const id of [3, 4, 5]) sim.node(id).crash();
    until(sim, 4000, () => settledWith(sim, 1, 2));
    sim.run(5000);
    for (const [id, size] of [
      [3, 3],
      [4, 4],
      [5, 5],
    ] as const) {
      sim.node(id).start(true);
      expect(until(sim, 2000, () => settledWith(sim, 1, size))).toBeLessThan(600);
    }
    sim.settle();
  });
});

describe("failure detection", () => {
  for (const size of [2, 3, 8, 16]) {
    test(`a dead node of ${size} is gone within token + consensus and a tenth`, () => {
      const sim = cluster(size);
      sim.run(2000);
      sim.node(size).crash();
      expect(until(sim, 5000, () => settledWith(sim, 1, size - 1))).toBeLessThan(2200 * 1.1);
      const rings = sim.invariants.delivered.rings;
      sim.run(4000);
      expect(sim.invariants.delivered.rings).toBe(rings);
      sim.settle();
    });
  }

  test("an orderly leave is noticed at once", () => {
    const sim = cluster(3);
    sim.run(3000);
    sim.node(2).leave();
    expect(until(sim, 2000, () => settledWith(sim, 1, 2))).toBeLessThan(200);
    sim.settle();
  });

  test("a pause of half a token changes nothing, one of three tokens removes and readmits", () => {
    const sim = cluster(3);
    sim.run(3000);
    const { rings } = sim.invariants.delivered;
    sim.node(2).pause(500);
    sim.run(4000);
    expect(sim.invariants.delivered.rings).toBe(rings);
    sim.node(2).pause(3000);
    until(sim, 3000, () => settledWith(sim, 1, 2));
    until(sim, 5000, () => settledWith(sim, 1, 3));
    sim.settle();
  });
});

describe("partial connectivity", () => {
  for (const [name, ways] of [
    [
      "both ways",
      [
        [1, 2],
        [2, 1],
      ],
    ],
    ["one way", [[1, 2]]],
    ["the other way", [[2, 1]]],
  ] as const) {
    test(`two of three that don't hear each other (${name}) end in stable rings, one of them quorate`, () => {
      const sim = cluster(3);
      sim.run(3000);
      for (const [from, to] of ways) sim.cutWay(from, to, true);
      sim.run(15_000);
      const { rings } = sim.invariants.delivered;
      sim.run(30_000);
      expect(sim.invariants.delivered.rings - rings).toBe(0);
      expect(sim.nodes.some((node) => statusOf(node).quorum.quorate)).toBe(true);
      for (const [from, to] of ways) sim.cutWay(from, to, false);
      sim.run(8000);
      sim.settle();
    });
  }

  test("five and five: neither is quorate, and they are one again after healing", () => {
    const sim = cluster(10);
    sim.run(3000);
    const left = [1, 2, 3, 4, 5];
    sim.cut(left, true);
    sim.run(6000);
    expect(membersOf(sim, 1)).toEqual(left);
    expect(membersOf(sim, 10)).toEqual([6, 7, 8, 9, 10]);
    expect(sim.nodes.filter((node) => statusOf(node).quorum.quorate)).toEqual([]);
    sim.cut(left, false);
    expect(until(sim, 5000, () => settledWith(sim, 10, 10))).toBeLessThan(2500);
    sim.settle();
  });
});

describe("links", () => {
  for (const mode of ["passive", "active", "rr"] as const) {
    test(`${mode}: one cable of two cut under load loses no message and no member`, () => {
      const sim = cluster(3, { links: 2, mode, traffic: { ...CHATTER, meanMs: 50, burst: 10 } });
      sim.run(2000);
      const { rings } = sim.invariants.delivered;
      sim.cut([1], true, 0);
      sim.run(2500);
      sim.cut([1], false, 0);
      sim.run(2500);
      sim.cut([2], true, 1);
      sim.run(2500);
      expect(sim.invariants.delivered.rings).toBe(rings);
      expect(statusOf(sim.node(2)).links.links.filter(({ up }) => !up).length).toBe(2);
      sim.settle();
    });
  }

  test("a fifth of all datagrams lost for a minute changes no membership", () => {
    const sim = cluster(3, { network: { ...CALM, loss: 0.2 }, tokenMs: 1000 });
    sim.run(5000);
    const { rings } = sim.invariants.delivered;
    sim.run(60_000);
    expect(sim.invariants.delivered.rings).toBe(rings);
    expect(statusOf(sim.node(1)).links.links.map(({ downs }) => downs)).toEqual([0, 0]);
    sim.settle();
  });

  test("latency is measured", () => {
    const sim = cluster(2, { network: { ...CALM, delayMs: 5, jitterMs: 0 } });
    sim.run(5000);
    expect(statusOf(sim.node(1)).links.links[0]?.latencyMs).toBeCloseTo(10, 3);
  });
});

describe("managers", () => {
  /** Managers that keep what they are told. */
  function recorded(nodes: number) {
    const told = new Map<string, RingMembership[]>();
    const sim = cluster(nodes, {
      makeManager: (host) => {
        const list: RingMembership[] = [];
        told.set(`${host.node}:${host.incarnation}`, list);
        return { onMembership: (membership) => list.push(membership), onDeliver: () => {} };
      },
    });
    return { sim, told, last: (name: string) => told.get(name)?.at(-1) };
  }

  test("come and go in the order of the messages", () => {
    const { sim, told, last } = recorded(3);
    sim.run(3000);
    const before = last("1:1");
    expect(before?.participants.map(({ nodeId: id }) => Number(id))).toEqual([1, 2, 3]);
    sim.node(2).stopManager(true);
    sim.run(500);
    expect(last("1:1")).toMatchObject({
      serial: (before?.serial ?? 0) + 1,
      members: [1, 2, 3],
      participants: [
        { nodeId: nodeId(1), incarnation: 1 },
        { nodeId: nodeId(3), incarnation: 1 },
      ],
      left: [],
      cameWithMe: [1, 3],
    });
    sim.node(2).startManager();
    sim.run(500);
    expect(last("3:1")?.cameWithMe).toEqual([nodeId(1), nodeId(3)]);
    expect(told.get("2:2")).toHaveLength(1);
    expect(last("2:2")).toMatchObject({ cameWithMe: [], participants: [{}, { incarnation: 2 }, {}] });
  });

  test("are told who left, and whether in order", () => {
    const { sim, last } = recorded(4);
    sim.run(3000);
    sim.node(4).leave();
    sim.run(1000);
    expect(last("1:1")).toMatchObject({ members: [1, 2, 3], left: [4], orderlyLeft: [4], quorate: true });
    sim.node(3).crash();
    sim.run(4000);
    expect(last("1:1")).toMatchObject({ members: [1, 2], left: [3], orderlyLeft: [], quorate: false });
  });

  test("set expected votes for all", () => {
    const { sim, last } = recorded(3);
    sim.run(3000);
    sim.node(2).crash();
    sim.node(3).crash();
    sim.run(4000);
    expect(last("1:1")).toMatchObject({ quorate: false });
    sim.node(1).step({ type: "set-expected-votes", votes: 1 });
    sim.run(500);
    expect(last("1:1")).toMatchObject({ quorate: true, quorum: { expectedVotes: 1, votes: 1, needed: 1 } });
  });
});

test("a change of keys interrupts nothing", () => {
  const sim = cluster(3);
  sim.run(3000);
  const { rings } = sim.invariants.delivered;
  const oldKey = new Uint8Array(128).fill(42);
  const newKey = new Uint8Array(64).fill(43);
  const phase = (key: Uint8Array, alsoAccept: Uint8Array[]) => {
    for (const node of sim.nodes) {
      node.step({ type: "set-keys", key, alsoAccept });
      sim.run(700);
    }
  };
  phase(oldKey, [newKey]);
  phase(newKey, [oldKey]);
  phase(newKey, []);
  sim.run(3000);
  expect(sim.invariants.delivered.rings).toBe(rings);
  const drops = Object.keys(statusOf(sim.node(1)).links.counters).filter((name) => name.startsWith("drop:"));
  expect(drops.filter((name) => name !== "drop:unproven")).toEqual([]);
  sim.settle();
});

describe("a changed configuration", () => {
  const read = (node: SimNode, tokenMs: number, agreement: string) => {
    const { self: _self, key: _key, ...rest } = node.options;
    const change = {
      ...rest,
      totem: { ...rest.totem, tokenMs, consensusMs: tokenMs * 1.2 },
      agreement: [["token", agreement]] as const,
      configVersion: 2,
    };
    node.step({ type: "reconfigure", change });
  };

  test("is applied when the last member has read it, without a new ring", () => {
    const sim = cluster(3);
    sim.run(3000);
    const { rings } = sim.invariants.delivered;
    read(sim.node(1), 400, "400");
    read(sim.node(2), 400, "400");
    sim.run(2000);
    expect(statusOf(sim.node(1)).changeWaitsFor.map(Number)).toEqual([3]);
    // Those know of it, too, who have not read it.
    for (const id of [1, 2, 3])
      expect(statusOf(sim.node(id)).changeReadBy.map(Number).sort()).toEqual([1, 2]);
    read(sim.node(3), 400, "400");
    sim.run(1000);
    expect(statusOf(sim.node(1)).changeWaitsFor).toEqual([]);
    for (const id of [1, 2, 3]) expect(statusOf(sim.node(id)).changeReadBy).toEqual([]);
    expect(sim.invariants.delivered.rings).toBe(rings);
    sim.node(3).crash();
    expect(until(sim, 3000, () => settledWith(sim, 1, 2))).toBeLessThan((400 + 480) * 1.1);
  });

  test("that is not the same on all is applied by none", () => {
    const sim = cluster(2);
    sim.run(3000);
    read(sim.node(1), 400, "400");
    read(sim.node(2), 500, "500");
    sim.run(2000);
    expect(statusOf(sim.node(1)).changeWaitsFor.map(Number)).toEqual([2]);
    expect(statusOf(sim.node(2)).changeWaitsFor.map(Number)).toEqual([1]);
    sim.node(2).crash();
    expect(until(sim, 3000, () => settledWith(sim, 1, 1))).toBeGreaterThan(1500);
    // Alone, a node agrees with all members.
    sim.run(500);
    expect(statusOf(sim.node(1)).changeWaitsFor).toEqual([]);
  });
});

test("nodes whose options differ say what differs", () => {
  const lines: string[] = [];
  const sim = cluster(2, { trace: (text) => lines.push(text) });
  const other = sim.node(2);
  other.crash();
  other.options = { ...other.options, agreement: [["token", "5000"], ...other.options.agreement.slice(1)] };
  other.start(true);
  sim.run(3000);
  expect(statusOf(sim.node(1)).disagreements).toEqual([
    { node: nodeId(2), text: "has another token: 5000 there, 1000 here" },
  ]);
  expect(lines.filter((line) => line.includes("another token")).length).toBe(2);
  // That is over on both when the other one reads what is in force on the first.
  const { self: _self, key: _key, ...rest } = other.options;
  const { agreement, configVersion } = sim.node(1).options;
  other.step({ type: "reconfigure", change: { ...rest, agreement, configVersion } });
  sim.run(2000);
  for (const node of [1, 2]) expect(statusOf(sim.node(node)).disagreements).toEqual([]);
});

test("expected votes that were lowered with a quorum are not lowered in a part that has none", () => {
  const lines: string[] = [];
  const sim = cluster(3, { trace: (text) => lines.push(text) });
  sim.run(3000);
  sim.cut([1], true);
  sim.run(1500);
  expect(statusOf(sim.node(1)).totem.state).toBe("gather");
  sim.node(1).step({ type: "set-expected-votes", votes: 1 });
  sim.run(6000);
  expect(statusOf(sim.node(1)).quorum).toMatchObject({ quorate: false, expectedVotes: 3 });
  expect(statusOf(sim.node(2)).quorum).toMatchObject({ quorate: true });
  expect(lines.filter((line) => line.includes("expected votes are not set to 1"))).toHaveLength(1);
  sim.invariants.splitAllowed = true;
  sim.node(1).step({ type: "set-expected-votes", votes: 1 });
  sim.run(500);
  expect(statusOf(sim.node(1)).quorum).toMatchObject({ quorate: true, expectedVotes: 1 });
});

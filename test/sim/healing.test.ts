import { expect, setDefaultTimeout, test } from "bun:test";
import { CALM, CHATTER, SimCluster } from "./cluster.ts";
import { Random } from "./random.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

const tokenMs = 1000;

function cluster(nodes: number, seed = 1): SimCluster {
  const plan = { seed, nodes, links: 1, mode: "passive", tokenMs, network: CALM, traffic: CHATTER } as const;
  const sim = new SimCluster(plan);
  sim.startAll();
  sim.run(4 * tokenMs);
  return sim;
}

const isWhole = (sim: SimCluster) =>
  sim.nodes.every(({ core }) => {
    const status = core?.status();
    return status?.settled && status.totem.members.length === sim.nodes.length;
  });

/** Virtual time until all nodes are one ring and stay so for longer than it takes to miss a node. */
function untilWhole(sim: SimCluster, limitMs: number): number {
  const began = sim.schedule.now;
  let broken = began;
  while (sim.schedule.now - broken < 3 * tokenMs) {
    sim.run(20);
    if (!isWhole(sim)) broken = sim.schedule.now;
    if (broken - began > limitMs) throw new Error(`not whole after ${limitMs} ms`);
  }
  return broken - began;
}

for (const [name, ways] of [
  ["one way", [[1, 2]]],
  ["both ways", [[1, 2], [2, 1]]], // biome-ignore format: pairs
] as const) {
  test(`a pair of three that is cut (${name}) costs one change of the ring, and its healing another`, () => {
    const sim = cluster(3);
    const { rings } = sim.invariants.delivered;
    for (const [from, to] of ways) sim.cutWay(from, to, true);
    sim.run(20 * tokenMs);
    // Two rings took the place of one, and nobody tried again what cannot be.
    expect(sim.invariants.delivered.rings - rings).toBe(2);
    for (const [from, to] of ways) sim.cutWay(from, to, false);
    expect(untilWhole(sim, 2 * tokenMs)).toBeLessThan(2 * tokenMs);
    expect(sim.invariants.delivered.rings - rings).toBe(3);
    sim.settle();
  });
}

/** One fault of the network; what it does follows from the random numbers. */
const faults: Readonly<Record<string, (sim: SimCluster, random: Random) => void>> = {
  "a partition": (sim, random) =>
    sim.cut(
      random.some(sim.nodes).map(({ id }) => Number(id)),
      true,
    ),
  "a node that is cut off": (sim, random) => sim.cut([random.pick(sim.nodes).id], true),
  "a way that is cut": (sim, random) => {
    const [from, to] = random.shuffle(sim.nodes);
    if (from && to) sim.cutWay(from.id, to.id, true);
  },
  "a third of all ways cut": (sim, random) =>
    sim.eachWay((way) => {
      way.cut = random.chance(0.3);
    }),
};

for (const [name, fault] of Object.entries(faults)) {
  test(`after ${name}, seven times in a row, the network is one ring within five token timeouts`, () => {
    for (const nodes of [3, 5]) {
      const sim = cluster(nodes, nodes);
      const random = new Random(nodes, 3);
      for (let round = 0; round < 7; round++) {
        fault(sim, random);
        sim.run(tokenMs * (0.5 + random.unit() * 5));
        sim.eachWay((way) => {
          way.cut = false;
        });
        // Now and then the next fault comes before the last has been got over.
        if (random.chance(0.5)) sim.run(tokenMs * random.unit());
        else expect(untilWhole(sim, 5 * tokenMs)).toBeLessThan(5 * tokenMs);
      }
      expect(untilWhole(sim, 5 * tokenMs)).toBeLessThan(5 * tokenMs);
      sim.settle();
    }
  });
}

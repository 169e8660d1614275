import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { CALM, CHATTER, FIRST_KEY, SimCluster, type SimPlan } from "./cluster.ts";
import { changeOf, optionsOf, type SimFile } from "./file.ts";
import { checkMessage, makeMessage } from "./traffic.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

const lines: string[] = [];

function cluster(nodes: number, more: Partial<SimPlan> = {}): SimCluster {
  lines.length = 0;
  return new SimCluster({
    seed: 1,
    nodes,
    links: 1,
    mode: "passive",
    tokenMs: 1000,
    network: CALM,
    traffic: CHATTER,
    trace: (text) => lines.push(text),
    ...more,
  });
}

const members = (sim: SimCluster, id: number): number[] =>
  (sim.node(id).core?.status().totem.members ?? []).map(Number);
const said = (id: number, text: string): number =>
  lines.filter((line) => line.includes(`node ${id}: `) && line.includes(text)).length;

/** Writes a changed file for all nodes and has them read it. */
function write(sim: SimCluster, change: Partial<SimFile>): void {
  sim.file = { ...sim.file, ...change, version: sim.file.version + 1 };
  for (const node of sim.nodes) {
    node.options = optionsOf(sim.file, node.id, FIRST_KEY);
    if (sim.file.nodes.includes(node.id)) node.receive({ type: "reconfigure", change: changeOf(sim.file) });
  }
}

describe("a node with another configuration", () => {
  for (const [what, change, reason] of [
    ["node list", { nodes: [1, 2, 3, 99] }, "their configurations list different nodes"],
    ["config_version", { version: 7 }, "its configuration has version"],
  ] as const) {
    test(`of another ${what} stays outside, both sides say why, and with the right one it comes in`, () => {
      const sim = cluster(3);
      const stranger = sim.node(3);
      stranger.options = optionsOf({ ...sim.file, ...change }, 3, FIRST_KEY);
      sim.startAll();
      sim.run(10_000);
      expect(members(sim, 1)).toEqual([1, 2]);
      expect(members(sim, 3)).toEqual([3]);
      for (const id of [1, 2, 3]) expect(said(id, `cannot form a ring: ${reason}`)).toBeGreaterThan(0);
      // Said once for each neighbour, not with every datagram.
      expect(said(3, "cannot form a ring")).toBe(2);
      stranger.crash();
      stranger.options = optionsOf(sim.file, 3, FIRST_KEY);
      stranger.start(true);
      sim.run(4000);
      sim.settle();
      expect(members(sim, 3)).toEqual([1, 2, 3]);
    });
  }
});

describe("the node list", () => {
  test("grows and shrinks while the ring runs", () => {
    const sim = cluster(4, { spare: [4] });
    for (const id of [1, 2, 3]) sim.node(id).start(true);
    sim.run(3000);
    const { rings } = sim.invariants.delivered;
    write(sim, { nodes: [1, 2, 3, 4] });
    sim.run(1000);
    expect(sim.invariants.delivered.rings).toBe(rings);
    sim.node(4).start(true);
    sim.run(3000);
    expect(members(sim, 1)).toEqual([1, 2, 3, 4]);
    expect(sim.node(1).core?.status().quorum).toMatchObject({ expectedVotes: 4, needed: 3 });
    write(sim, { nodes: [1, 2, 4] });
    sim.run(3000);
    expect(members(sim, 1)).toEqual([1, 2, 4]);
    expect(sim.node(1).core?.status().quorum).toMatchObject({ quorate: true, expectedVotes: 3 });
    sim.node(3).crash();
    sim.settle();
  });
});

describe("a link", () => {
  test("is taken into use and out of it without a new ring", () => {
    const sim = cluster(3, { links: 2, linksUsed: [0] });
    sim.startAll();
    sim.run(3000);
    const { rings } = sim.invariants.delivered;
    write(sim, { links: [0, 1] });
    sim.run(3000);
    expect(
      sim
        .node(1)
        .core?.status()
        .links.links.filter(({ up }) => up),
    ).toHaveLength(4);
    write(sim, { links: [1] });
    sim.run(3000);
    expect(
      sim
        .node(1)
        .core?.status()
        .links.links.map(({ link, up }) => [link, up]),
    ).toEqual([
      [1, true],
      [1, true],
    ]);
    expect(sim.invariants.delivered.rings).toBe(rings);
    sim.settle();
  });
});

describe("a new key", () => {
  const key = new Uint8Array(64).fill(7);
  const keyOf = (sim: SimCluster, id: number) => Buffer.from(sim.node(id).disk.keys.key);

  test("is used by all without a new ring", () => {
    const sim = cluster(3);
    sim.startAll();
    sim.run(3000);
    const { rings } = sim.invariants.delivered;
    sim.node(2).step({ type: "rekey", key });
    sim.run(2000);
    for (const id of [1, 2, 3]) expect(keyOf(sim, id).equals(key)).toBe(true);
    expect(sim.invariants.delivered.rings).toBe(rings);
    sim.settle();
  });

  test("waits for a full disk, and a node that dies meanwhile follows when it comes back", () => {
    const sim = cluster(3);
    sim.startAll();
    sim.run(3000);
    sim.node(1).disk.full = true;
    sim.node(2).step({ type: "rekey", key });
    sim.run(1000);
    expect(sim.node(2).core?.status().keyChange?.waitsFor.map(Number)).toEqual([1]);
    expect(keyOf(sim, 3).equals(key)).toBe(false);
    sim.node(3).crash();
    sim.node(1).disk.full = false;
    sim.run(5000);
    expect(keyOf(sim, 1).equals(key)).toBe(true);
    sim.node(3).start(true);
    sim.run(4000);
    expect(keyOf(sim, 3).equals(key)).toBe(true);
    sim.settle();
  });

  test("has to be given by hand to a node that was not there", () => {
    const sim = cluster(3);
    for (const id of [1, 2]) sim.node(id).start(true);
    sim.run(3000);
    sim.node(2).step({ type: "rekey", key });
    sim.run(2000);
    sim.node(3).start(true);
    sim.run(5000);
    expect(members(sim, 3)).toEqual([3]);
    sim.node(3).crash();
    sim.node(3).disk.keys = { key, next: undefined };
    sim.node(3).start(true);
    sim.run(4000);
    sim.settle();
    expect(members(sim, 3)).toEqual([1, 2, 3]);
  });
});

describe("disks", () => {
  test("a node whose disk is full forms no ring, and comes in when there is room", () => {
    const sim = cluster(3);
    sim.node(3).disk.full = true;
    sim.startAll();
    sim.run(8000);
    expect(members(sim, 1)).toEqual([1, 2]);
    expect(sim.node(3).core?.status().totem.state).not.toBe("operational");
    sim.node(3).disk.full = false;
    sim.run(8000);
    sim.settle();
    expect(members(sim, 3)).toEqual([1, 2, 3]);
  });

  test("a node with a new disk takes up the numbers of the others", () => {
    const sim = cluster(3);
    sim.startAll();
    sim.run(3000);
    sim.node(1).crash();
    sim.node(1).disk.replace();
    sim.invariants.onNewDisk(sim.node(1));
    sim.run(4000);
    sim.node(1).start(true);
    sim.run(4000);
    sim.settle();
    expect(members(sim, 1)).toEqual([1, 2, 3]);
  });
});

test("two rings of one name, after a disk was lost, are not taken for one", () => {
  const sim = cluster(3);
  for (const id of [1, 3]) sim.node(id).start(true);
  sim.run(3000);
  sim.node(1).crash();
  sim.node(1).disk.replace();
  sim.invariants.onNewDisk(sim.node(1));
  sim.cut([3], true);
  for (const id of [1, 2]) sim.node(id).start(true);
  sim.run(900);
  // Node 3 still believes in the first one when it hears the others again.
  for (const ring of ["1.4 of 1,3", "1.4 of 1,2"])
    expect(lines.some((line) => line.endsWith(`ring ${ring}`))).toBe(true);
  expect(sim.node(3).core?.status().totem.state).toBe("operational");
  sim.cut([3], false);
  sim.run(6000);
  sim.settle();
  expect(members(sim, 3)).toEqual([1, 2, 3]);
});

test("a message of a megabyte arrives whole, though one datagram in ten is lost", () => {
  const got: number[] = [];
  const id = { node: 1, incarnation: 1, number: 1 };
  const sim = cluster(3, {
    network: { ...CALM, loss: 0.1 },
    makeManager: (host) => ({
      onMembership: ({ members: list }) => {
        if (host.node === 1 && list.length === 3) host.send(makeMessage(id, 1_000_000));
      },
      onDeliver: (_from, payload) => {
        expect(checkMessage(payload)).toEqual(id);
        got.push(host.node);
      },
    }),
  });
  sim.startAll();
  sim.run(20_000);
  expect(got.sort()).toEqual([1, 2, 3]);
});

test("expected votes are not set before all members of the ring have heard of it", () => {
  const sim = cluster(3);
  sim.startAll();
  sim.run(3000);
  sim.node(1).receive({ type: "set-expected-votes", votes: 4 });
  sim.run(1000);
  expect(said(2, "expected votes set to 4 by an administrator")).toBe(1);
  for (const from of [1, 2]) sim.network.way(0, from, 3).cut = true;
  lines.length = 0;
  sim.node(1).receive({ type: "set-expected-votes", votes: 5 });
  sim.run(6000);
  expect(members(sim, 1)).toEqual([1, 2]);
  // Node 3 may have heard of it, and then five are expected there.
  for (const id of [1, 2]) {
    expect(said(id, "expected votes set to 5")).toBe(0);
    expect(sim.node(id).core?.status().quorum).toMatchObject({ quorate: false, expectedVotes: 5 });
  }
});

test("votes of a node that are set are the same on all, also on one that comes later, and are not set in doubt", () => {
  const sim = cluster(3);
  sim.startAll();
  sim.run(3000);
  sim.node(2).receive({ type: "set-votes", node: sim.node(1).id, votes: 3 });
  sim.run(1000);
  for (const id of [1, 2, 3])
    expect(sim.node(id).core?.status()).toMatchObject({
      votes: { 1: 3, 2: 1, 3: 1 },
      quorum: { votes: 5, expectedVotes: 5, needed: 3 },
    });
  sim.node(3).crash();
  sim.run(3000);
  sim.node(3).start(true);
  sim.run(4000);
  expect(sim.node(3).core?.status()).toMatchObject({
    votes: { 1: 3, 2: 1, 3: 1 },
    quorum: { expectedVotes: 5 },
  });
  for (const from of [1, 2]) sim.network.way(0, from, 3).cut = true;
  lines.length = 0;
  sim.node(1).receive({ type: "set-votes", node: sim.node(2).id, votes: 2 });
  sim.run(6000);
  expect(members(sim, 1)).toEqual([1, 2]);
  // Asked again once the rest have formed a ring, as the asker saw a quorum and still does.
  for (const id of [1, 2]) {
    expect(said(id, "votes of node 2 set to 2")).toBe(1);
    expect(sim.node(id).core?.status().quorum).toMatchObject({ quorate: true, votes: 5 });
  }
});

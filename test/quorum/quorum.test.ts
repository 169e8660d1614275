import { describe, expect, test } from "bun:test";
import {
  type LastQuorate,
  Quorum,
  type QuorumEffect,
  type QuorumEvent,
  type QuorumOptions,
  type QuorumView,
} from "../../src/quorum/index.ts";
import { type NodeId, nodeId } from "../../src/terms/index.ts";

const votesOf = (count: number): Map<NodeId, number> =>
  new Map(Array.from({ length: count }, (_, at) => [nodeId(at + 1), 1]));

function options(count: number, more: Partial<QuorumOptions> = {}): QuorumOptions {
  return {
    votes: votesOf(count),
    twoNode: false,
    waitForAll: false,
    lastManStanding: false,
    lastManStandingWindowMs: 10_000,
    autoTieBreaker: false,
    autoTieBreakerNode: "lowest",
    allowDownscale: false,
    ...more,
  };
}

/** Nodes that see the memberships that a test gives them; partitions have memberships of their own. */
class Cluster {
  readonly nodes = new Map<number, Quorum>();
  readonly effects: QuorumEffect[] = [];
  private readonly kept = new Map<number, LastQuorate>();
  private readonly keptExpected = new Map<number, number>();
  private sequence = 0;
  private readonly rules: QuorumOptions;

  constructor(rules: QuorumOptions) {
    this.rules = rules;
    for (const id of rules.votes.keys()) this.restart(id);
  }

  restart(id: number, expectedVotes?: number, lastQuorate?: LastQuorate, rules = this.rules): void {
    const node = new Quorum(nodeId(id), rules);
    node.step(
      {
        type: "start",
        ...(expectedVotes === undefined ? {} : { expectedVotes }),
        ...(lastQuorate === undefined ? {} : { lastQuorate }),
      },
      0,
    );
    this.nodes.set(id, node);
  }

  /**
   * These nodes form a configuration; all of them must come to the same state, which is returned. `heard`: who has
   * heard the goodbyes; all unless said otherwise.
   */
  form(ids: readonly number[], orderlyLeft: readonly number[] = [], heard = ids) {
    const views = this.begin(ids, orderlyLeft, heard);
    for (const id of ids) this.enter(id, views);
    return this.state(ids);
  }

  /** These nodes begin to form a configuration, and the ring falls apart: some are `certain` of it, some `doubt`. */
  tryToForm(
    ids: readonly number[],
    certain: readonly number[],
    doubt: readonly number[],
    orderlyLeft: readonly number[] = [],
  ): void {
    const views = this.begin(ids, orderlyLeft, ids);
    for (const id of certain) this.enter(id, views);
    this.fallApart(doubt);
    for (const id of doubt) this.enter(id, views);
  }

  private enter(id: number, views: ReadonlyMap<NodeId, QuorumView>): void {
    const event = { type: "membership", ringSequence: this.sequence, views } as const;
    const effects = this.node(id).step(event, 0);
    this.effects.push(...effects);
    this.keep(id, effects);
  }

  private keep(id: number, effects: readonly QuorumEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== "persist") continue;
      this.kept.set(id, effect.lastQuorate);
      this.keptExpected.set(id, effect.expectedVotes);
    }
  }

  /** These nodes start again with what they have kept. */
  restartAsKept(ids: readonly number[], rules = this.rules): void {
    for (const id of ids) this.restart(id, this.keptExpected.get(id), this.kept.get(id), rules);
  }

  /** These nodes hear of something at a point of the order; what they make of it is kept. */
  hear(ids: readonly number[], event: QuorumEvent): void {
    for (const id of ids) {
      const effects = this.node(id).step(event, 0);
      this.effects.push(...effects);
      this.keep(id, effects);
    }
  }

  private begin(ids: readonly number[], orderlyLeft: readonly number[], heard: readonly number[]) {
    this.sequence += 4;
    for (const id of ids) this.node(id).step({ type: "configuration", kind: "regular" }, 0);
    const orderly = orderlyLeft.map(nodeId);
    return new Map(ids.map((id) => [nodeId(id), this.node(id).view(heard.includes(id) ? orderly : [])]));
  }

  /** The ring of these nodes falls apart: they don't know whether the others get what comes now. */
  fallApart(ids: readonly number[]): void {
    for (const id of ids) this.node(id).step({ type: "configuration", kind: "transitional" }, 0);
  }

  /** The last_man_standing window of the last membership ends. */
  windowOver(ids: readonly number[]) {
    const proposals = ids.flatMap((id) => this.node(id).step({ type: "timer" }, 0));
    for (const proposal of proposals) {
      if (proposal.type !== "propose-window-over") continue;
      for (const id of ids) {
        this.hear([id], { type: "window-over", ringSequence: proposal.ringSequence });
      }
    }
    return this.state(ids);
  }

  reconfigure(ids: readonly number[], rules: QuorumOptions) {
    this.hear(ids, { type: "reconfigure", options: rules });
    return this.state(ids);
  }

  setExpected(ids: readonly number[], expectedVotes: number) {
    this.hear(ids, { type: "set-expected", expectedVotes });
    return this.state(ids);
  }

  setVotes(ids: readonly number[], node: number, votes: number) {
    this.hearVotes(ids, node, votes);
    return this.state(ids);
  }

  /** The same while the ring may fall apart: they need not agree on what follows from it. */
  hearVotes(ids: readonly number[], node: number, votes: number): void {
    this.hear(ids, { type: "set-votes", node: nodeId(node), votes });
  }

  private state(ids: readonly number[]) {
    const states = ids.map((id) => this.node(id).current());
    for (const state of states) expect(state).toEqual(states[0] as (typeof states)[0]);
    const { quorate, votes, expectedVotes, needed } = states[0] as (typeof states)[0];
    return { quorate, votes, expectedVotes, needed };
  }

  /** What this node has last asked to keep. */
  keptOf(id: number): LastQuorate | undefined {
    return this.kept.get(id);
  }

  node(id: number): Quorum {
    const node = this.nodes.get(id);
    if (!node) throw new Error(`no node ${id}`);
    return node;
  }
}

/** Random whole numbers below a limit, the same for the same seed (mulberry32). */
function chances(seed: number): (limit: number) => number {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

/** What a node of the cluster has last asked to keep. */
const keptBy = (cluster: Cluster) => {
  const kept = cluster.effects.findLast((effect) => effect.type === "persist");
  if (kept?.type !== "persist") throw new Error("nothing was kept");
  return kept;
};

describe("majority", () => {
  // votequorum(5): more than half of the expected votes.
  for (const [expected, needed] of [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [8, 5],
    [15, 8],
    [16, 9],
  ] as const) {
    test(`${expected} nodes: ${needed} are quorate, ${needed - 1} are not`, () => {
      const cluster = new Cluster(options(expected));
      expect(cluster.form(upTo(needed))).toEqual({
        quorate: true,
        votes: needed,
        expectedVotes: expected,
        needed,
      });
      if (needed > 1) expect(cluster.form(upTo(needed - 1)).quorate).toBe(false);
    });
  }

  test("a single node of several is told what is missing", () => {
    const cluster = new Cluster(options(3));
    cluster.form([2]);
    expect(cluster.node(2).current().reason).toBe("1 of 3 votes present, 2 needed");
  });

  test("votes of a node count, nodes without votes don't", () => {
    const votes = new Map([
      [nodeId(1), 3],
      [nodeId(2), 1],
      [nodeId(3), 1],
      [nodeId(4), 0],
    ]);
    const cluster = new Cluster(options(0, { votes }));
    expect(cluster.form([1, 4])).toEqual({ quorate: true, votes: 3, expectedVotes: 5, needed: 3 });
    expect(cluster.form([2, 3, 4]).quorate).toBe(false);
  });

  test("expected_votes overrides the sum, and more votes than expected raise it", () => {
    const cluster = new Cluster(options(5, { expectedVotes: 3 }));
    expect(cluster.form([1, 2])).toMatchObject({ quorate: true, expectedVotes: 3, needed: 2 });
    expect(cluster.form(upTo(5))).toMatchObject({ quorate: true, expectedVotes: 5, needed: 3 });
    expect(cluster.form([1, 2])).toMatchObject({ quorate: false, expectedVotes: 5 });
  });

  test("what other rules would lead to is told, and nothing is changed by the question", () => {
    const cluster = new Cluster(options(3));
    cluster.form(upTo(3));
    for (const id of upTo(3)) cluster.node(id).step({ type: "set-votes", node: nodeId(1), votes: 3 }, 0);
    cluster.form([1, 2]);
    const node = cluster.node(1);
    const before = node.view([]);
    expect(node.current()).toMatchObject({ quorate: true, votes: 4, expectedVotes: 5 });
    expect(node.stateWith(options(3))).toMatchObject({ quorate: false, votes: 2, needed: 3 });
    expect(node.stateWith(options(0, { votes: new Map([...votesOf(3), [nodeId(1), 3]]) }))).toMatchObject({
      quorate: true,
    });
    expect(node.view([])).toEqual(before);
    expect(node.current()).toMatchObject({ quorate: true, votes: 4 });
  });

  test("a loss never lowers what is needed", () => {
    const cluster = new Cluster(options(5));
    cluster.form(upTo(5));
    expect(cluster.form([1, 2, 3])).toMatchObject({ quorate: true, needed: 3 });
    expect(cluster.form([1, 2])).toMatchObject({ quorate: false, needed: 3 });
  });
});

describe("two_node", () => {
  const two = options(2, { twoNode: true, waitForAll: true });

  test("neither is quorate before both were seen together, then each alone", () => {
    const cluster = new Cluster(two);
    expect(cluster.form([1]).quorate).toBe(false);
    expect(cluster.form([2]).quorate).toBe(false);
    expect(cluster.form([1, 2])).toMatchObject({ quorate: true, needed: 1 });
    expect(cluster.form([1]).quorate).toBe(true);
    expect(cluster.form([2]).quorate).toBe(true);
  });

  test("a node that was fenced and comes back without its network stays inquorate", () => {
    const cluster = new Cluster(two);
    cluster.form([1, 2]);
    cluster.form([1]);
    cluster.restart(2);
    expect(cluster.form([2]).quorate).toBe(false);
    expect(cluster.form([1, 2]).quorate).toBe(true);
  });

  test("without wait_for_all one node is quorate at once", () => {
    expect(new Cluster(options(2, { twoNode: true })).form([2]).quorate).toBe(true);
  });

  test("is without effect when three nodes are listed", () => {
    expect(new Cluster(options(3, { twoNode: true })).form([1]).quorate).toBe(false);
  });
});

describe("wait_for_all", () => {
  test("a majority is not quorate before all were seen together; afterwards it is", () => {
    const cluster = new Cluster(options(3, { waitForAll: true }));
    expect(cluster.form([1, 2])).toMatchObject({ quorate: false, votes: 2, needed: 2 });
    expect(cluster.node(1).current().reason).toContain("waiting for all nodes");
    expect(cluster.form([1, 2, 3]).quorate).toBe(true);
    expect(cluster.form([1, 2]).quorate).toBe(true);
  });

  test("a node that starts again learns from the others that all were seen", () => {
    const cluster = new Cluster(options(3, { waitForAll: true }));
    cluster.form([1, 2, 3]);
    cluster.form([1, 2]);
    cluster.restart(3);
    expect(cluster.form([2, 3]).quorate).toBe(true);
    expect(cluster.form([3]).quorate).toBe(false);
  });

  test("after a restart of all it waits again", () => {
    const cluster = new Cluster(options(3, { waitForAll: true }));
    cluster.form([1, 2, 3]);
    for (const id of [1, 2, 3]) cluster.restart(id);
    expect(cluster.form([1, 2]).quorate).toBe(false);
  });
});

describe("last_man_standing", () => {
  const rules = options(8, { lastManStanding: true, waitForAll: true });

  test("eight nodes die down to two, one window at a time, and the last one is not quorate", () => {
    const cluster = new Cluster(rules);
    expect(cluster.form(upTo(8))).toMatchObject({ quorate: true, expectedVotes: 8, needed: 5 });
    expect(cluster.form(upTo(5))).toMatchObject({ quorate: true, expectedVotes: 8, needed: 5 });
    expect(cluster.windowOver(upTo(5))).toMatchObject({ expectedVotes: 5, needed: 3 });
    expect(cluster.form(upTo(3))).toMatchObject({ quorate: true, expectedVotes: 5 });
    expect(cluster.windowOver(upTo(3))).toMatchObject({ expectedVotes: 3, needed: 2 });
    expect(cluster.form(upTo(2))).toMatchObject({ quorate: true, expectedVotes: 3 });
    expect(cluster.windowOver(upTo(2))).toMatchObject({ expectedVotes: 2, needed: 2 });
    expect(cluster.form([1])).toMatchObject({ quorate: false, expectedVotes: 2, needed: 2 });
    expect(cluster.windowOver([1])).toMatchObject({ quorate: false, expectedVotes: 2 });
  });

  test("with auto_tie_breaker the last one stays quorate", () => {
    const cluster = new Cluster({ ...rules, autoTieBreaker: true });
    for (const left of [8, 5, 3, 2]) {
      cluster.form(upTo(left));
      cluster.windowOver(upTo(left));
    }
    expect(cluster.form([1])).toMatchObject({ quorate: true, votes: 1, expectedVotes: 2 });
    expect(cluster.windowOver([1])).toMatchObject({ quorate: true, expectedVotes: 1, needed: 1 });
  });

  test("half of the nodes lost within the window is one loss too many", () => {
    const cluster = new Cluster(rules);
    cluster.form(upTo(8));
    cluster.form(upTo(6));
    expect(cluster.form(upTo(4))).toMatchObject({ quorate: false, expectedVotes: 8 });
    expect(cluster.windowOver(upTo(4))).toMatchObject({ quorate: false, expectedVotes: 8 });
  });

  test("a window that belongs to an earlier membership changes nothing", () => {
    const cluster = new Cluster(rules);
    cluster.form(upTo(8));
    cluster.form(upTo(6));
    const stale = cluster.node(1).step({ type: "timer" }, 0);
    expect(stale).toHaveLength(1);
    cluster.form(upTo(5));
    for (const proposal of stale) {
      if (proposal.type === "propose-window-over") {
        for (const id of upTo(5)) {
          cluster.node(id).step({ type: "window-over", ringSequence: proposal.ringSequence }, 0);
        }
      }
    }
    expect(cluster.node(1).current().expectedVotes).toBe(8);
  });

  test("those who come back don't outvote those who stayed", () => {
    const cluster = new Cluster(rules);
    cluster.form(upTo(8));
    cluster.form(upTo(5));
    cluster.windowOver(upTo(5));
    expect(cluster.form([6, 7, 8]).quorate).toBe(false);
    expect(cluster.form(upTo(6))).toMatchObject({ quorate: true, expectedVotes: 6, needed: 4 });
    expect(cluster.form(upTo(8))).toMatchObject({ quorate: true, expectedVotes: 8, needed: 5 });
  });
});

describe("after expected votes were lowered", () => {
  const rules = options(8, { lastManStanding: true });

  test("deserters don't make a second quorum together with those who had been left behind", () => {
    const cluster = new Cluster(rules);
    cluster.form(upTo(8));
    cluster.form(upTo(5));
    cluster.windowOver(upTo(5));
    expect(cluster.form([1, 2, 3])).toMatchObject({ quorate: true, votes: 3, needed: 3 });
    expect(cluster.form([4, 5, 6, 7, 8])).toMatchObject({ quorate: false, votes: 5 });
    expect(cluster.node(4).current().reason).toContain("the last quorate membership: 1, 2, 3, 4, 5");
  });

  test("a node that has read a newer file already expects what the others expect, until that is in force", () => {
    const votes = new Map([...votesOf(5), [nodeId(2), 3]]);
    const cluster = new Cluster(options(5, { votes }));
    cluster.form(upTo(5));
    cluster.form([1, 3, 4, 5]);
    const newer = options(5);
    cluster.nodes.set(2, new Quorum(nodeId(2), newer));
    expect(cluster.form(upTo(5))).toMatchObject({ quorate: true, votes: 5, expectedVotes: 7, needed: 4 });
    expect(cluster.reconfigure(upTo(5), newer)).toMatchObject({ quorate: true, votes: 5, expectedVotes: 5 });
  });

  test("a node without a vote that went on alone can be joined again", () => {
    const votes = new Map([
      [nodeId(1), 3],
      [nodeId(2), 0],
    ]);
    const cluster = new Cluster(options(2, { twoNode: true, votes }));
    cluster.form([1, 2]);
    expect(cluster.form([2])).toMatchObject({ quorate: true, votes: 0 });
    cluster.setExpected([2], 2);
    expect(cluster.form([1, 2])).toMatchObject({ quorate: true, votes: 3, expectedVotes: 3 });
  });

  test("a node that starts again remembers whom it was quorate with", () => {
    const cluster = new Cluster(options(3, { lastManStanding: true, autoTieBreaker: true }));
    cluster.form([1, 2, 3]);
    cluster.form([2, 3]);
    cluster.windowOver([2, 3]);
    expect(cluster.form([2])).toMatchObject({ quorate: true, votes: 1, expectedVotes: 2 });
    const kept = cluster.node(3).view([]);
    cluster.restart(3, 2, {
      sequence: kept.quorateSequence,
      members: kept.quorateMembers,
      expectedVotes: kept.quorateExpected,
    });
    expect(cluster.form([1, 3]).quorate).toBe(false);
    expect(cluster.form([1, 2, 3])).toMatchObject({ quorate: true, expectedVotes: 3 });
  });
});

describe("what is decided while the ring falls apart", () => {
  const rules = options(3, { lastManStanding: true, autoTieBreaker: true, autoTieBreakerNode: [nodeId(2)] });

  /** Nodes 1 and 2 have lowered the expected votes to 2. */
  function lowered(): Cluster {
    const cluster = new Cluster(rules);
    cluster.form([1, 2, 3]);
    cluster.form([1, 2]);
    cluster.windowOver([1, 2]);
    return cluster;
  }

  /** Nodes 1 and 2 were quorate, and node 1 alone has the end of the window, which node 2 may have, too. */
  function windowInDoubt(): Cluster {
    const cluster = new Cluster(rules);
    cluster.form([1, 2, 3]);
    cluster.form([1, 2]);
    cluster.fallApart([1]);
    cluster.windowOver([1]);
    return cluster;
  }

  test("a membership that node 2 may not know leaves it the quorum", () => {
    const cluster = lowered();
    cluster.tryToForm([1, 2, 3], [], [1, 3]);
    expect(cluster.form([2])).toMatchObject({ quorate: true, expectedVotes: 2 });
    expect(cluster.form([1, 3])).toMatchObject({ quorate: false, votes: 2, expectedVotes: 3 });
    expect(cluster.form([1, 2, 3])).toMatchObject({ quorate: true, expectedVotes: 3 });
    expect(cluster.form([1, 3])).toMatchObject({ quorate: true });
  });

  test("a membership that the others may have gone on from takes the quorum away", () => {
    const cluster = lowered();
    cluster.tryToForm([1, 2, 3], [1, 3], [2]);
    expect(cluster.form([2])).toMatchObject({ quorate: false, expectedVotes: 3 });
    expect(cluster.form([1, 3])).toMatchObject({ quorate: true });
  });

  test("a window whose end the others may not know lowers nothing, and may have lowered it there", () => {
    const cluster = windowInDoubt();
    expect(cluster.node(1).current()).toMatchObject({ quorate: true, expectedVotes: 3 });
    expect(cluster.form([1, 3])).toMatchObject({ quorate: false, votes: 2 });
    expect(cluster.node(1).current().reason).toContain("one that may have been quorate: 1, 2");
    expect(cluster.form([1, 2])).toMatchObject({ quorate: true, expectedVotes: 3 });
    expect(cluster.node(1).view([]).doubts).toEqual([]);
  });

  test("expected votes of an administrator are not lowered, but may be there", () => {
    const cluster = new Cluster(options(5));
    cluster.form(upTo(5));
    cluster.form([1, 2, 3]);
    cluster.fallApart([3]);
    expect(cluster.setExpected([3], 3)).toMatchObject({ expectedVotes: 5 });
    expect(cluster.form([3, 4, 5])).toMatchObject({ quorate: false, votes: 3 });
    expect(cluster.form([1, 2, 3])).toMatchObject({ quorate: true, expectedVotes: 5 });
  });

  test("is settled by an administrator who answers for those that are not here", () => {
    const cluster = windowInDoubt();
    expect(cluster.form([1, 3])).toMatchObject({ quorate: false });
    expect(cluster.setExpected([1, 3], 2)).toMatchObject({ quorate: true, expectedVotes: 2 });
    expect(cluster.node(1).view([]).doubts).toEqual([]);
  });

  test("is settled by an administrator though fewer votes were expected meanwhile", () => {
    const cluster = new Cluster(options(3));
    cluster.form([1, 2, 3]);
    cluster.form([1]);
    cluster.reconfigure([1], options(2));
    cluster.setExpected([1], 1);
    cluster.tryToForm([2, 3], [], [2, 3]);
    cluster.form([2]);
    cluster.reconfigure([2], options(2));
    expect(cluster.form([1, 2])).toMatchObject({ quorate: false, votes: 2 });
    expect(cluster.node(1).current().reason).toContain("one that may have been quorate: 2, 3");
    expect(cluster.setExpected([1, 2], 2)).toMatchObject({ quorate: true, expectedVotes: 2 });
  });

  test("may have moved the tie-breaking node", () => {
    const cluster = new Cluster(options(4, { autoTieBreaker: true, autoTieBreakerNode: "highest" }));
    cluster.form(upTo(4));
    // Of 1, 2 and 3 it would be node 3.
    cluster.tryToForm([1, 2, 3], [2, 3], [1]);
    expect(cluster.form([1, 4])).toMatchObject({ quorate: false, votes: 2 });
    expect(cluster.form([2, 3])).toMatchObject({ quorate: true, votes: 2 });
  });

  test("another node list is not in force, but may be there", () => {
    const cluster = new Cluster(options(5));
    cluster.form(upTo(5));
    cluster.form([1, 2, 3]);
    cluster.fallApart([3]);
    expect(cluster.reconfigure([3], options(3))).toMatchObject({ expectedVotes: 5 });
    expect(cluster.form([3, 4, 5])).toMatchObject({ quorate: false, votes: 3 });
    expect(cluster.form([2, 3, 4])).toMatchObject({ quorate: true, votes: 3 });
  });

  test("is remembered over a restart", () => {
    const cluster = lowered();
    cluster.tryToForm([1, 2, 3], [], [2]);
    const { expectedVotes, lastQuorate } = keptBy(cluster);
    cluster.restart(2, expectedVotes, lastQuorate);
    expect(cluster.form([2])).toMatchObject({ quorate: false });
  });
});

describe("after the node list was changed", () => {
  /** Three votes for node 1, two for 3 and 4, none for 2. */
  const votes = (...ids: number[]) => new Map(ids.map((id) => [nodeId(id), [0, 3, 0, 2, 2][id] ?? 0]));

  test("those who have read the new one are not quorate beside those who have not", () => {
    const before = new Cluster(options(3, { votes: votes(1, 2, 3) }));
    expect(before.form([1, 2, 3]).quorate).toBe(true);
    const { expectedVotes, lastQuorate } = keptBy(before);
    // Node 1 goes on alone with three of five votes; the others start again with node 4 in their file.
    expect(before.form([1]).quorate).toBe(true);
    const after = new Cluster(options(4, { votes: votes(1, 2, 3, 4) }));
    for (const id of [2, 3]) after.restart(id, expectedVotes, lastQuorate);
    expect(after.form([2, 3, 4])).toMatchObject({ quorate: false, votes: 4, needed: 4 });
  });

  test("a part without quorum does not become quorate by reading it", () => {
    const cluster = new Cluster(options(3));
    cluster.form([1, 2, 3]);
    expect(cluster.form([1])).toMatchObject({ quorate: false });
    expect(cluster.reconfigure([1], options(1))).toMatchObject({
      quorate: false,
      votes: 1,
      expectedVotes: 1,
    });
    expect(cluster.node(1).current().reason).toContain("last quorate membership: 1, 2, 3");
    // Unless somebody answers for the others.
    expect(cluster.setExpected([1], 1)).toMatchObject({ quorate: true });
  });

  test("a part without quorum does not become quorate by votes that were moved to it", () => {
    const votes = (...own: number[]) => new Map(own.map((each, at) => [nodeId(at + 1), each]));
    const cluster = new Cluster(options(3, { votes: votes(3, 1, 1) }));
    cluster.form([1, 2, 3]);
    expect(cluster.form([1])).toMatchObject({ quorate: true, votes: 3 });
    cluster.form([2, 3]);
    expect(cluster.reconfigure([2, 3], options(3, { votes: votes(1, 3, 1) }))).toMatchObject({
      quorate: false,
      votes: 4,
    });
  });

  test("a part with quorum stays quorate without those that are removed", () => {
    const cluster = new Cluster(options(3));
    cluster.form([1, 2, 3]);
    cluster.form([1, 2]);
    expect(cluster.reconfigure([1, 2], options(2))).toMatchObject({ quorate: true, expectedVotes: 2 });
  });

  test("a node that starts with it counts nobody who is not in it", () => {
    const cluster = new Cluster(options(2));
    cluster.form([1, 2]);
    const { expectedVotes, lastQuorate } = keptBy(cluster);
    const alone = new Cluster(options(1));
    alone.restart(1, expectedVotes, lastQuorate);
    expect(alone.form([1])).toMatchObject({ quorate: true, expectedVotes: 1 });
  });

  test("it is not written again as long as nothing changes", () => {
    const cluster = new Cluster(options(3));
    cluster.form([1, 2, 3]);
    const writes = cluster.effects.filter(({ type }) => type === "persist").length;
    cluster.setExpected([1, 2, 3], 3);
    expect(writes).toBe(3);
    expect(cluster.effects.filter(({ type }) => type === "persist")).toHaveLength(writes);
  });
});

describe("auto_tie_breaker", () => {
  for (const [rule, winner] of [
    ["lowest", [1, 2]],
    ["highest", [3, 4]],
    [
      [nodeId(3), nodeId(1)],
      [3, 4],
    ],
    [
      [nodeId(7), nodeId(2)],
      [1, 2],
    ],
  ] as const) {
    test(`of two halves the one with node ${JSON.stringify(rule)} goes on`, () => {
      const cluster = new Cluster(options(4, { autoTieBreaker: true, autoTieBreakerNode: rule }));
      cluster.form(upTo(4));
      const loser = upTo(4).filter((id) => !(winner as readonly number[]).includes(id));
      expect(cluster.form(winner).quorate).toBe(true);
      expect(cluster.form(loser).quorate).toBe(false);
    });
  }

  describe("that are broken otherwise by another node", () => {
    const rules = options(2, { autoTieBreaker: true, autoTieBreakerNode: "highest" });
    const others = { ...rules, autoTieBreakerNode: "lowest" as const };

    test("are nobody's: a node that starts with another rule than the others is not alone in the right", () => {
      const cluster = new Cluster(rules);
      cluster.form([1, 2]);
      expect(cluster.form([2])).toMatchObject({ quorate: true });
      cluster.restart(1, undefined, undefined, others);
      expect(cluster.form([1, 2])).toMatchObject({ quorate: true });
      for (const id of [1, 2]) {
        expect(cluster.form([id])).toMatchObject({ quorate: false });
        expect(cluster.node(id).current().reason).toContain(
          "only a majority counts, for the options of quorum",
        );
      }
      expect(cluster.form([1, 2])).toMatchObject({ quorate: true });
    });

    test("so too for who has been away since, and remembers how they were broken", () => {
      const cluster = new Cluster(rules);
      cluster.form([1, 2]);
      cluster.restartAsKept([2]);
      expect(cluster.form([2])).toMatchObject({ quorate: true });
      const kept = cluster.node(1).view([]);
      const last = {
        sequence: kept.quorateSequence,
        members: kept.quorateMembers,
        expectedVotes: kept.quorateExpected,
        ...(kept.quorateRules === undefined ? {} : { rules: kept.quorateRules }),
      };
      cluster.restart(1, undefined, last, others);
      expect(cluster.form([1])).toMatchObject({ quorate: false });
    });

    test("are somebody's again when all have read the same, and in doubt both count", () => {
      const cluster = new Cluster(rules);
      cluster.form([1, 2]);
      cluster.hear([1, 2], { type: "reconfigure", options: others });
      expect(cluster.form([2])).toMatchObject({ quorate: false });
      expect(cluster.form([1])).toMatchObject({ quorate: true });
      cluster.form([1, 2]);
      cluster.restart(2, undefined, undefined, rules);
      cluster.form([1, 2]);
      expect(cluster.form([1])).toMatchObject({ quorate: false });
      cluster.form([1, 2]);
      cluster.hear([1, 2], { type: "reconfigure", options: rules });
      expect(cluster.form([1])).toMatchObject({ quorate: false });
      expect(cluster.form([2])).toMatchObject({ quorate: true });
    });

    test("members of one part think alike, whatever each has read", () => {
      const four = options(4, { autoTieBreaker: true });
      const cluster = new Cluster(four);
      cluster.form(upTo(4));
      cluster.restart(2, undefined, undefined, { ...four, autoTieBreakerNode: "highest" });
      expect(cluster.form([1, 2])).toMatchObject({ quorate: false });
      expect(cluster.form([3, 4])).toMatchObject({ quorate: false });
    });
  });

  test("the lowest of those that were there before the split decides, not of all that are listed", () => {
    const cluster = new Cluster(options(5, { autoTieBreaker: true, lastManStanding: true }));
    cluster.form(upTo(5));
    cluster.form([2, 3, 4, 5]);
    cluster.windowOver([2, 3, 4, 5]);
    expect(cluster.form([2, 3]).quorate).toBe(true);
    expect(cluster.form([4, 5]).quorate).toBe(false);
  });

  test("nodes that start again remember who was there, so that the one that had left does not decide", () => {
    const cluster = new Cluster(options(4, { autoTieBreaker: true, autoTieBreakerNode: "highest" }));
    const restartWithState = (id: number) => {
      const {
        quorateSequence: sequence,
        quorateMembers: members,
        quorateExpected,
      } = cluster.node(id).view([]);
      cluster.restart(id, quorateExpected, { sequence, members, expectedVotes: quorateExpected });
    };
    cluster.form(upTo(4));
    cluster.form([1, 2, 3]);
    for (const id of [1, 4]) restartWithState(id);
    expect(cluster.form([2, 3])).toMatchObject({ quorate: true, votes: 2 });
    expect(cluster.form([1, 4])).toMatchObject({ quorate: false, votes: 2 });
  });

  test("less than half is not enough, even with the tie-breaking node", () => {
    const cluster = new Cluster(options(5, { autoTieBreaker: true }));
    cluster.form(upTo(5));
    expect(cluster.form([1, 2]).quorate).toBe(false);
  });
});

describe("allow_downscale", () => {
  const rules = options(6, { allowDownscale: true, expectedVotes: 3 });

  test("orderly leaves lower the expected votes down to the configured number", () => {
    const cluster = new Cluster(rules);
    expect(cluster.form(upTo(6))).toMatchObject({ expectedVotes: 6, needed: 4 });
    expect(cluster.form(upTo(5), [6])).toMatchObject({ expectedVotes: 5, needed: 3 });
    expect(cluster.form(upTo(3), [4, 5])).toMatchObject({ quorate: true, expectedVotes: 3, needed: 2 });
    expect(cluster.form(upTo(2), [3])).toMatchObject({ quorate: true, expectedVotes: 3, needed: 2 });
    expect(cluster.form([1], [2])).toMatchObject({ quorate: false, expectedVotes: 3 });
  });

  test("is the same for a member that comes from elsewhere and has heard no goodbye", () => {
    const cluster = new Cluster(rules);
    cluster.form(upTo(6));
    cluster.restart(6);
    expect(cluster.form([1, 2, 3, 4, 6], [5], upTo(4))).toMatchObject({ quorate: true, expectedVotes: 5 });
  });

  test("those who left together are not quorate beside those who stayed, also when they are more", () => {
    const cluster = new Cluster(options(9, { allowDownscale: true, expectedVotes: 4 }));
    const leavers = [1, 2, 4, 5, 6, 7];
    cluster.form(upTo(9));
    for (const id of leavers) {
      const [kept] = cluster.node(id).step({ type: "leave" }, 0);
      if (kept?.type !== "persist") throw new Error("nothing was kept");
      expect(kept.lastQuorate.members.map(([node]) => Number(node))).not.toContain(id);
      cluster.restart(id, kept.expectedVotes, kept.lastQuorate);
    }
    expect(cluster.form([3, 8, 9], leavers)).toMatchObject({ quorate: true, expectedVotes: 4 });
    expect(cluster.form(leavers)).toMatchObject({ quorate: false, votes: 6, needed: 5 });
    expect(cluster.form(upTo(9))).toMatchObject({ quorate: true, expectedVotes: 9 });
  });

  test("a crash lowers nothing", () => {
    const cluster = new Cluster(rules);
    cluster.form(upTo(6));
    expect(cluster.form(upTo(4))).toMatchObject({ quorate: true, expectedVotes: 6, needed: 4 });
    expect(cluster.form(upTo(3))).toMatchObject({ quorate: false, expectedVotes: 6 });
  });

  test("the highest expected votes are kept over a restart", () => {
    const cluster = new Cluster(rules);
    cluster.form(upTo(6));
    const kept = cluster.effects.findLast((effect) => effect.type === "persist");
    expect(kept).toMatchObject({ expectedVotes: 6, lastQuorate: { members: upTo(6).map((id) => [id, 1]) } });
    for (const id of upTo(6)) cluster.restart(id, 6);
    expect(cluster.form(upTo(3))).toMatchObject({ quorate: false, expectedVotes: 6, needed: 4 });
  });
});

describe("expected votes set by an administrator", () => {
  test("let a minority go on", () => {
    const cluster = new Cluster(options(5));
    cluster.form(upTo(5));
    expect(cluster.form([1, 2]).quorate).toBe(false);
    expect(cluster.setExpected([1, 2], 2)).toMatchObject({ quorate: true, expectedVotes: 2, needed: 2 });
  });

  test("are not set below the votes that are present, and that is said", () => {
    const cluster = new Cluster(options(5));
    cluster.form(upTo(4));
    expect(cluster.setExpected(upTo(4), 1)).toMatchObject({ quorate: true, expectedVotes: 4, needed: 3 });
    expect(cluster.effects).toContainEqual({
      type: "log",
      level: "warning",
      text: "expected votes stay at 4: so many are present, 1 were asked for",
    });
  });

  test("that are not lower than before don't move the tie-breaking node", () => {
    const cluster = new Cluster(options(2, { autoTieBreaker: true }));
    cluster.form([1, 2]);
    expect(cluster.form([2]).quorate).toBe(false);
    expect(cluster.setExpected([2], 2).quorate).toBe(false);
    expect(cluster.form([1]).quorate).toBe(true);
  });

  test("hold for those who join later", () => {
    const cluster = new Cluster(options(5));
    cluster.form(upTo(5));
    cluster.form([1, 2]);
    cluster.setExpected([1, 2], 2);
    expect(cluster.form([1, 2, 3])).toMatchObject({ quorate: true, expectedVotes: 3, needed: 2 });
  });
});

test("a paused member's memory of an earlier quorum does not overrule those who went on", () => {
  const cluster = new Cluster(options(5, { lastManStanding: true }));
  cluster.form(upTo(5));
  // Node 5 is paused: it still believes in the first membership when the others have gone on without it.
  cluster.form(upTo(4));
  cluster.windowOver(upTo(4));
  cluster.form(upTo(3));
  cluster.windowOver(upTo(3));
  expect(cluster.form([1, 2, 3, 5])).toMatchObject({ quorate: true, expectedVotes: 4, needed: 3 });
});

describe("votes of a node that an administrator sets", () => {
  test("count at once and in later memberships, until it starts again", () => {
    const cluster = new Cluster(options(3));
    cluster.form(upTo(3));
    expect(cluster.setVotes(upTo(3), 1, 3)).toEqual({ quorate: true, votes: 5, expectedVotes: 5, needed: 3 });
    expect(cluster.node(2).memberVotes()).toEqual(
      new Map([
        [nodeId(1), 3],
        [nodeId(2), 1],
        [nodeId(3), 1],
      ]),
    );
    expect(cluster.form([1])).toMatchObject({ quorate: true, votes: 3, expectedVotes: 5 });
    expect(cluster.form([2, 3])).toMatchObject({ quorate: false, votes: 2, expectedVotes: 5 });
    cluster.restart(1);
    expect(cluster.form([1, 2])).toMatchObject({ votes: 2, expectedVotes: 5, needed: 3 });
    // With all here and as configured there is nobody else to be expected.
    expect(cluster.form(upTo(3))).toMatchObject({ votes: 3, expectedVotes: 3, needed: 2 });
  });

  test("end with a configuration that comes into force, and that is said with what is expected then", () => {
    const cluster = new Cluster(options(4));
    cluster.form(upTo(4));
    cluster.setVotes(upTo(4), 1, 3);
    cluster.form([1, 2, 3]);
    expect(cluster.reconfigure([1, 2, 3], options(4))).toMatchObject({
      votes: 3,
      expectedVotes: 6,
      needed: 4,
    });
    const told = () => cluster.effects.flatMap((effect) => (effect.type === "log" ? effect.text : []));
    expect(told()).toContain(
      "votes of node 1 go from 3, which an administrator had set, back to the configured 1: a changed configuration is in force",
    );
    expect(told()).toContain(
      "expected votes stay at 6, 4 are configured, until all nodes are here with their configured votes; 'hactl quorum expected NUMBER' sets them",
    );
    expect(cluster.node(2).current().reason).toBe(
      "3 of 6 votes present, 4 needed; votes were raised, 4 are configured",
    );
    expect(cluster.form(upTo(4))).toMatchObject({ quorate: true, votes: 4, expectedVotes: 4, needed: 3 });
    expect(told()).toContain(
      "expected votes go from 6 back to 4: all nodes are here with their configured votes",
    );
  });

  test("leave expected votes alone that an administrator has raised", () => {
    const cluster = new Cluster(options(3));
    cluster.form(upTo(3));
    cluster.setVotes(upTo(3), 1, 2);
    cluster.setExpected(upTo(3), 5);
    cluster.restart(1);
    cluster.form([2, 3]);
    expect(cluster.form(upTo(3))).toMatchObject({ votes: 3, expectedVotes: 5 });
  });

  test("are expected over a restart of all, as long as not all are here as configured (allow_downscale)", () => {
    const cluster = new Cluster(options(3, { allowDownscale: true }));
    cluster.form(upTo(3));
    cluster.setVotes(upTo(3), 1, 3);
    cluster.restartAsKept(upTo(3));
    expect(cluster.form([2, 3])).toMatchObject({ quorate: false, expectedVotes: 5 });
    expect(cluster.form(upTo(3))).toMatchObject({ quorate: true, votes: 3, expectedVotes: 3 });
  });

  test("make no second quorum when last_man_standing brings the sum back to the configured one", () => {
    const cluster = new Cluster(options(5, { lastManStanding: true }));
    cluster.form(upTo(5));
    expect(cluster.setVotes(upTo(5), 1, 2)).toMatchObject({ votes: 6, expectedVotes: 6 });
    cluster.form(upTo(4));
    expect(cluster.windowOver(upTo(4))).toMatchObject({ votes: 5, expectedVotes: 5 });
    expect(cluster.form([1, 2])).toMatchObject({ quorate: true, votes: 3, needed: 3 });
    expect(cluster.form([3, 4, 5])).toMatchObject({ quorate: false, votes: 3, needed: 3 });
    expect(cluster.node(3).current().reason).toContain("last quorate membership: 1, 2, 3, 4");
  });

  test("make no second quorum when a goodbye does (allow_downscale)", () => {
    const cluster = new Cluster(options(5, { allowDownscale: true }));
    cluster.form(upTo(5));
    cluster.setVotes(upTo(5), 1, 2);
    expect(cluster.form(upTo(4), [5])).toMatchObject({ votes: 5, expectedVotes: 5 });
    cluster.restartAsKept([5]);
    expect(cluster.form([1, 2])).toMatchObject({ quorate: true, votes: 3 });
    expect(cluster.form([3, 4, 5])).toMatchObject({ quorate: false, votes: 3 });
  });

  test("make no second quorum with a node that brings them to a membership of configured ones", () => {
    const cluster = new Cluster(options(5, { lastManStanding: true }));
    cluster.form(upTo(5));
    cluster.setVotes(upTo(5), 1, 3);
    cluster.form([2, 3, 4, 5]);
    cluster.windowOver([2, 3, 4, 5]);
    cluster.setExpected([2, 3, 4, 5], 5);
    const parts = [cluster.form([1, 2]), cluster.form([3, 4, 5])];
    expect(parts.map(({ quorate }) => quorate)).toEqual([false, true]);
  });

  test("that grow are expected by those that see them, so that who was not there makes no second quorum", () => {
    const cluster = new Cluster(options(3));
    cluster.form(upTo(3));
    cluster.form([1, 2]);
    expect(cluster.setVotes([1, 2], 1, 3)).toEqual({ quorate: true, votes: 4, expectedVotes: 5, needed: 3 });
    expect(cluster.form([1])).toMatchObject({ quorate: true, votes: 3 });
    // Node 2 remembers what was expected; also when it starts again, from its disk.
    expect(cluster.form([2, 3])).toMatchObject({ quorate: false, votes: 2, expectedVotes: 5 });
    const { lastQuorate } = keptBy(cluster);
    expect(lastQuorate.expectedVotes).toBe(5);
    cluster.restart(2, undefined, lastQuorate);
    expect(cluster.form([2, 3])).toMatchObject({ quorate: false, votes: 2, expectedVotes: 5 });
  });

  test("that shrink stay expected: the node has them again when it starts again", () => {
    const cluster = new Cluster(options(3));
    cluster.form(upTo(3));
    expect(cluster.setVotes(upTo(3), 1, 0)).toMatchObject({ quorate: true, votes: 2, expectedVotes: 3 });
    cluster.restart(1);
    expect(cluster.form(upTo(3))).toMatchObject({ votes: 3, expectedVotes: 3 });
    cluster.setVotes(upTo(3), 1, 2);
    cluster.setVotes(upTo(3), 2, 2);
    expect(cluster.setVotes(upTo(3), 1, 1)).toMatchObject({ votes: 4, expectedVotes: 5 });
    // Until none is left that was given.
    expect(cluster.setVotes(upTo(3), 2, 1)).toMatchObject({ votes: 3, expectedVotes: 3 });
  });

  test("are not set so that the quorum would be lost, nor of a node that is not there", () => {
    const cluster = new Cluster(options(3));
    cluster.form(upTo(3));
    cluster.form([1, 2]);
    for (const [node, votes, text] of [
      [1, 0, "votes of node 1 stay at 1: with 0 the quorum would be lost"],
      [3, 2, "votes of node 3 stay: it is not a member"],
    ] as const) {
      expect(cluster.setVotes([1, 2], node, votes)).toMatchObject({
        quorate: true,
        votes: 2,
        expectedVotes: 3,
      });
      expect(cluster.effects).toContainEqual({ type: "log", level: "warning", text });
    }
  });

  test("that the others may not have are only expected here", () => {
    const cluster = new Cluster(options(3));
    cluster.form(upTo(3));
    cluster.fallApart([3]);
    cluster.setVotes([1, 2], 1, 3);
    cluster.node(3).step({ type: "set-votes", node: nodeId(1), votes: 3 }, 0);
    expect(cluster.node(3).current()).toMatchObject({ votes: 3, expectedVotes: 5 });
    expect(cluster.form([2, 3])).toMatchObject({ quorate: false, expectedVotes: 5 });
    expect(cluster.form([1])).toMatchObject({ quorate: true, votes: 3 });
  });

  test("never let two parts be quorate, whatever is set and whoever hears of it", () => {
    const below = chances(7);
    let quorate = 0;
    for (let run = 0; run < 300; run++) {
      const cluster = new Cluster(options(5));
      let parts = [upTo(5)];
      cluster.form(upTo(5));
      for (let step = 0; step < 20; step++) {
        const part = parts[below(parts.length)] ?? [];
        cluster.setVotes(part, 1 + below(5), below(4));
        const split = upTo(5).map(() => below(2));
        if (below(3) === 0) {
          const id = 1 + below(5);
          cluster.restart(id, undefined, cluster.keptOf(id));
        }
        if (below(3) === 0) {
          // What comes while the ring falls apart is certain for some of them only.
          const doubting = part.filter(() => below(2) === 0);
          cluster.fallApart(doubting);
          const [node, votes] = [1 + below(5), below(4)];
          cluster.hearVotes(part, node, votes);
        }
        parts = [0, 1]
          .map((side) => upTo(5).filter((_, at) => split[at] === side))
          .filter((ids) => ids.length > 0);
        const states = parts.map((ids) => cluster.form(ids));
        const having = states.filter((state) => state.quorate).length;
        expect(having).toBeLessThan(2);
        quorate += having;
      }
    }
    expect(quorate).toBeGreaterThan(1000);
  });
});

/**
 * Histories of partitions, restarts, goodbyes, windows that end, reloads and votes that are set, each with options of its
 * own. What comes while a ring falls apart is certain for some of its members, in doubt for some, and if it is certain for
 * nobody, unheard by some.
 */
function histories(count: number, seed: number) {
  const below = chances(seed);
  const chance = (one: number) => below(one) === 0;
  let quorate = 0;
  const split: string[] = [];
  for (let run = 0; run < count; run++) {
    const size = 3 + below(4);
    const votes = new Map(upTo(size).map((id) => [nodeId(id), chance(4) ? below(3) : 1]));
    const rules = options(size, {
      ...(chance(3) && { votes }),
      lastManStanding: chance(2),
      allowDownscale: chance(2),
      autoTieBreaker: chance(2),
      autoTieBreakerNode: (["lowest", "highest", [nodeId(2), nodeId(3)]] as const)[below(3)] ?? "lowest",
      twoNode: chance(4),
      waitForAll: chance(4),
    });
    // Some are disturbed all the time, some rarely: what goes wrong in a calm one never gets so far in the others.
    const calm = 1 + below(6);
    const cluster = new Cluster(rules);
    const log: string[] = [JSON.stringify({ ...rules, votes: [...rules.votes.values()] })];
    let parts = [upTo(size)];
    cluster.form(upTo(size));
    const anyPart = () => parts[below(parts.length)] ?? [];
    const anyEvent = (part: readonly number[]): QuorumEvent => {
      const kind = below(5);
      const sequence = cluster.node(part[0] ?? 1).view([]).quorateSequence;
      if (kind < 2 && rules.lastManStanding) return { type: "window-over", ringSequence: sequence };
      if (kind === 2) return { type: "reconfigure", options: rules };
      return { type: "set-votes", node: nodeId(1 + below(size)), votes: below(4) };
    };
    const dividing = (part: readonly number[]) => {
      const certain = chance(3) ? [] : part.filter(() => chance(2));
      const rest = part.filter((id) => !certain.includes(id));
      return [certain, certain.length > 0 ? rest : rest.filter(() => chance(2))] as const;
    };
    for (let step = 0; step < 16; step++) {
      for (let more = below(3); more > 0; more--) {
        const part = anyPart();
        const event = anyEvent(part);
        log.push(`${part}: ${JSON.stringify(event.type === "reconfigure" ? event.type : event)}`);
        cluster.hear(part, event);
      }
      const [leaving, fallingApart] = [chance(2 + calm), chance(2 + calm)];
      if (leaving) {
        const part = anyPart();
        let left = chance(2) ? part.slice(below(part.length)).slice(0, 1) : part.filter(() => chance(3));
        if (left.length === part.length) left = [];
        log.push(`${left} leave ${part}`);
        for (const id of left) cluster.hear([id], { type: "leave" });
        cluster.restartAsKept(left);
        const rest = part.filter((id) => !left.includes(id));
        parts = [...parts.filter((other) => other !== part), rest];
        if (chance(2)) cluster.form(rest, left);
        else {
          const [certain, doubt] = dividing(rest);
          log.push(`${rest} try: ${certain} certain, ${doubt} in doubt`);
          cluster.tryToForm(rest, certain, doubt, left);
        }
      } else if (fallingApart) {
        const part = anyPart();
        const [certain, doubt] = dividing(part);
        const event = anyEvent(part);
        log.push(`falling apart: ${certain} certain, ${doubt} in doubt: ${JSON.stringify(event)}`);
        cluster.fallApart(doubt);
        cluster.hear(certain, event);
        cluster.hear(doubt, event);
      }
      if (chance(3 + calm)) {
        const all = upTo(size).filter(() => chance(2));
        const [certain, doubt] = dividing(all);
        log.push(`${all} try: ${certain} certain, ${doubt} in doubt`);
        if (all.length > 0) cluster.tryToForm(all, certain, doubt);
      }
      const again = upTo(size).filter(() => chance(4 * calm));
      log.push(`restart ${again}`);
      cluster.restartAsKept(again);
      const alone = 1 + below(size);
      const manner = below(4);
      const sides = upTo(size).map((id) => (manner < 2 ? Number(id === alone) : below(manner === 2 ? 2 : 3)));
      parts = [0, 1, 2].map((side) => upTo(size).filter((_, at) => sides[at] === side));
      parts = parts.filter((ids) => ids.length > 0);
      const states = parts.map((ids) => cluster.form(ids));
      log.push(parts.map((ids, at) => `[${ids}] ${JSON.stringify(states[at])}`).join(" | "));
      const having = states.filter((each) => each.quorate).length;
      quorate += having;
      if (having > 1) {
        split.push(log.join("\n"));
        break;
      }
    }
  }
  return { quorate, split };
}

test("whatever is set, lost, started again or heard by some only: two parts are never quorate", () => {
  const { quorate, split } = histories(Number(process.env.HISTORIES ?? 400), Number(process.env.SEED ?? 11));
  expect(split.length === 0 ? "" : `${split.length}: ${split.sort((a, b) => a.length - b.length)[0]}`).toBe(
    "",
  );
  expect(quorate).toBeGreaterThan(1000);
});

describe("a node with other rules than the others", () => {
  const highest = options(2, { autoTieBreaker: true, autoTieBreakerNode: "highest" });
  const lowest = options(2, { autoTieBreaker: true, autoTieBreakerNode: "lowest" });
  const votesAre = (...votes: number[]): QuorumOptions =>
    options(votes.length, { votes: new Map(votes.map((count, at) => [nodeId(at + 1), count])) });

  test("is not quorate by them: of two halves at most the one by the rules of both", () => {
    const cluster = new Cluster(highest);
    cluster.form([1, 2]);
    expect(cluster.form([2]).quorate).toBe(true);
    cluster.restartAsKept([1], lowest);
    expect(cluster.form([1]).quorate).toBe(false);
    expect(cluster.node(1).current().reason).toBe(
      "the members have not the majority of the last quorate membership: 1, 2; only a majority counts, for the options of quorum are others than in the last quorate membership",
    );
    expect(cluster.form([1, 2]).quorate).toBe(true);
    expect([cluster.form([1]).quorate, cluster.form([2]).quorate]).toEqual([false, false]);
    expect(cluster.form([1, 2]).quorate).toBe(true);
    cluster.reconfigure([1, 2], lowest);
    expect([cluster.form([1]).quorate, cluster.form([2]).quorate]).toEqual([true, false]);
  });

  test("judges every part as its other members do, and no two parts are quorate that have met", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const random = chances(seed);
      const count = [2, 4, 4, 6][random(4)] ?? 4;
      const kinds = [
        options(count, { autoTieBreaker: true }),
        options(count),
        options(count, { autoTieBreaker: true, autoTieBreakerNode: "highest" }),
        options(count, { autoTieBreaker: true, lastManStanding: true }),
      ];
      const any = () => kinds[random(kinds.length)] ?? options(count);
      const all = upTo(count);
      const cluster = new Cluster(any());
      for (const id of all) cluster.restart(id, undefined, undefined, any());
      cluster.form(all);
      for (let step = 0; step < 12; step++) {
        if (random(3) === 0) cluster.restartAsKept([1 + random(count)], any());
        const one = all.filter(() => random(2) === 0);
        const parts = [one, all.filter((id) => !one.includes(id))].filter((ids) => ids.length > 0);
        const quorate = parts.map((ids) => {
          const certain = ids.filter(() => random(2) === 0);
          const doubt = ids.filter((id) => !certain.includes(id));
          if (random(4) === 0) cluster.tryToForm(ids, certain, doubt);
          // All members of a part come to one state, or it throws.
          return cluster.form(ids).quorate;
        });
        expect([seed, quorate.filter(Boolean).length <= 1]).toEqual([seed, true]);
      }
    }
  });

  test("gets on alone when the others have left in order, who don't then", () => {
    const cluster = new Cluster(highest);
    cluster.form([1, 2]);
    cluster.restartAsKept([1], lowest);
    cluster.form([1, 2]);
    cluster.hear([2], { type: "leave" });
    expect(cluster.form([1], [2]).quorate).toBe(true);
    for (const rules of [highest, lowest]) {
      cluster.restartAsKept([2], rules);
      expect(cluster.form([2]).quorate).toBe(false);
    }
    expect(cluster.form([1, 2]).quorate).toBe(true);
  });

  test("does not take one of two nodes to be enough", () => {
    const cluster = new Cluster(options(2));
    cluster.form([1, 2]);
    cluster.restartAsKept([1], options(2, { twoNode: true }));
    expect(cluster.form([1]).quorate).toBe(false);
    expect(cluster.form([1, 2]).quorate).toBe(true);
    expect(cluster.form([1]).quorate).toBe(false);
    cluster.reconfigure([1], options(2, { twoNode: true }));
    expect(cluster.form([1, 2]).quorate).toBe(true);
  });

  test("changes nothing where it has them alone and reads those of the others again", () => {
    const cluster = new Cluster(options(2, { twoNode: true }));
    cluster.form([1, 2]);
    cluster.form([2]);
    expect(cluster.reconfigure([2], options(2, { twoNode: true, waitForAll: true })).quorate).toBe(true);
    cluster.restartAsKept([1], options(2, { twoNode: true, waitForAll: true }));
    cluster.form([1, 2]);
    expect(cluster.form([1]).quorate).toBe(true);
  });

  test("lowers no expected votes: neither last_man_standing nor allow_downscale hold", () => {
    for (const more of [{ lastManStanding: true }, { allowDownscale: true }]) {
      const cluster = new Cluster(options(5, more));
      cluster.form(upTo(5));
      cluster.restartAsKept([5], options(5));
      cluster.form(upTo(5));
      cluster.form([1, 2, 3, 5], [4]);
      expect(cluster.windowOver([1, 2, 3, 5]).expectedVotes).toBe(5);
    }
  });

  test("counts by the rules of those it was with: they may go on with others by these", () => {
    const cluster = new Cluster(options(5));
    cluster.form(upTo(5));
    cluster.form([1, 2, 3]);
    cluster.restartAsKept([2], votesAre(1, 2, 1, 1, 1));
    expect(cluster.form([3, 4, 5]).quorate).toBe(true);
    expect(cluster.form([1, 2])).toMatchObject({ quorate: false, votes: 3, needed: 3 });
  });

  test("waits for all as those do that are quorate, or as the strictest does", () => {
    const waiting = options(3, { waitForAll: true });
    const cluster = new Cluster(options(3));
    expect(cluster.form([1, 2]).quorate).toBe(true);
    cluster.restartAsKept([2], waiting);
    expect(cluster.form([2, 3]).quorate).toBe(false);
    expect(cluster.form([1, 2]).quorate).toBe(true);
    cluster.restart(1);
    cluster.restart(2, undefined, undefined, waiting);
    expect(cluster.form([1, 2]).quorate).toBe(false);
    expect(cluster.form([1, 2, 3]).quorate).toBe(true);
  });

  test("raises the expected votes by its own, until all have read the same and are here, and that is told", () => {
    const cluster = new Cluster(options(3));
    cluster.form([1, 2, 3]);
    cluster.restartAsKept([1], votesAre(3, 1, 1));
    expect(cluster.form([1, 2, 3])).toMatchObject({ votes: 5, expectedVotes: 5 });
    const told = () => cluster.effects.flatMap((effect) => (effect.type === "log" ? [effect.text] : []));
    expect(told()).toContain(
      "5 votes are expected, 3 are configured: the file of a node gives it more votes than those of the others; they go back when all nodes are here and have read the same",
    );
    cluster.form([2, 3]);
    cluster.restartAsKept([1]);
    expect(cluster.form([1, 2])).toMatchObject({ quorate: false, expectedVotes: 5 });
    expect(cluster.node(1).current()).toMatchObject({ configuredVotes: 3 });
    expect(cluster.form([1, 2, 3])).toEqual({ quorate: true, votes: 3, expectedVotes: 3, needed: 2 });
    expect(cluster.node(1).current().configuredVotes).toBeUndefined();
    expect(told()).toContain(
      "expected votes go from 5 back to 3: all nodes are here with their configured votes",
    );
    expect(cluster.form([1, 2]).quorate).toBe(true);
  });

  test("that all have in the end is in force, as if all had read it again", () => {
    const cluster = new Cluster(options(3));
    cluster.form([1, 2, 3]);
    for (const rules of [votesAre(3, 1, 1), options(3)]) {
      for (const id of [2, 3, 1]) {
        cluster.form([1, 2, 3].filter((other) => other !== id));
        cluster.restartAsKept([id], rules);
        cluster.form([1, 2, 3]);
      }
      const sum = [...rules.votes.values()].reduce((all, votes) => all + votes, 0);
      expect(cluster.form([1, 2, 3])).toMatchObject({ quorate: true, votes: sum, expectedVotes: sum });
      expect(cluster.node(2).view([]).configuredVotes).toBe(sum);
    }
  });

  test("never makes a second quorate part, whatever it reads and however the ring falls apart", () => {
    let quorate = 0;
    for (let seed = 1; seed <= Number(process.env.HISTORIES ?? 300); seed++) {
      const chance = chances(seed);
      const size = 2 + chance(4);
      const file = (): QuorumOptions =>
        options(size, {
          votes: new Map(upTo(size).map((id) => [nodeId(id), chance(4) || id === 1 ? 1 : chance(4)])),
          waitForAll: chance(3) === 0,
          lastManStanding: chance(3) === 0,
          autoTieBreaker: chance(2) === 0,
          autoTieBreakerNode: (["lowest", "highest", [nodeId(2), nodeId(1)]] as const)[chance(3)] ?? "lowest",
          allowDownscale: chance(3) === 0,
        });
      const files = [file(), file()];
      const cluster = new Cluster(files[0] as QuorumOptions);
      cluster.form(upTo(size));
      const log: string[] = [JSON.stringify(files.map((each) => ({ ...each, votes: [...each.votes] })))];
      for (let round = 0; round < 12; round++) {
        for (const id of upTo(size)) {
          if (chance(3) > 0) continue;
          const which = chance(2);
          log.push(`${id} reads ${which}`);
          cluster.restartAsKept([id], files[which]);
        }
        if (chance(3) === 0) {
          const all = upTo(size).filter(() => chance(2));
          const doubt = all.filter(() => chance(2));
          log.push(`${all} try, ${doubt} doubt`);
          if (all.length > 0)
            cluster.tryToForm(
              all,
              all.filter((id) => !doubt.includes(id)),
              doubt,
            );
        }
        const sides = upTo(size).map(() => chance(3));
        const parts = [0, 1, 2]
          .map((side) => upTo(size).filter((_, at) => sides[at] === side))
          .filter((ids) => ids.length > 0);
        const states = parts.map((ids) => {
          const state = cluster.form(ids);
          return chance(2) ? state : cluster.windowOver(ids);
        });
        log.push(parts.map((ids, at) => `[${ids}] ${JSON.stringify(states[at])}`).join(" | "));
        const having = states.filter((state) => state.quorate).length;
        quorate += having;
        expect(having > 1 ? `seed ${seed}\n${log.join("\n")}` : "").toBe("");
      }
    }
    expect(quorate).toBeGreaterThan(500);
  });
});

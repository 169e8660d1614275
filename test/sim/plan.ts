import { nodeId } from "../../src/terms/index.ts";
import type { LinkMode } from "../../src/totem/index.ts";
import type { SimPlan } from "./cluster.ts";
import { Random } from "./random.ts";

/** The cluster that a seed stands for: mostly few nodes, up to sixteen. */
export function planOf(seed: number, trace?: (text: string) => void): SimPlan {
  const random = new Random(seed, 1);
  const nodes = random.weighted([
    [340, 2],
    [410, 3],
    [130, 4],
    [75, 5],
    [35, random.between(6, 9)],
    [10, random.between(10, 16)],
  ]);
  const links = random.chance(0.6) ? 1 : random.between(2, 3);
  const delayMs = random.pick([0.1, 0.3, 1, 5]);
  const jitterMs = random.pick([0, 0.2, 2, 10]);
  // A rotation has to fit into the token timeout several times (that is what token_coefficient is for); a ring with too
  // short a timeout has to come about as well, but may break again.
  const rotations = random.pick([3, 12, 12, 12]);
  const rotationMs = nodes * (delayMs + jitterMs / 2);
  const tokenMs = Math.max(random.pick([200, 300, 300, 800]), Math.ceil(rotationMs * rotations));
  const votes = votesOf(random, nodes);
  const quorum = quorumOf(random, votes, tokenMs);
  const spare = nodes > 2 && !quorum?.twoNode && random.chance(0.2) ? [random.between(1, nodes)] : [];
  return {
    seed,
    nodes,
    spare,
    links,
    ...(links > 1 && random.chance(0.3) ? { linksUsed: [random.between(0, links - 1)] } : {}),
    mode: random.pick<LinkMode>(["passive", "active", "rr"]),
    priorities: Array.from({ length: links }, () => random.between(0, 2)),
    tokenMs,
    pingIntervalMs: tokenMs / random.pick([1, 1, 2, 4]),
    constants: {
      seqnoUnchangedConst: random.pick([3, 6, 10, 30]),
      missCountConst: random.pick([1, 5, 5]),
      failRecvConst: random.pick([100, 2500, 2500]),
      windowSize: random.pick([20, 50, 80]),
      maxMessages: random.pick([5, 17, 17]),
      sendJoinMs: random.pick([0, 0, 0, 20]),
      netmtu: random.pick([600, 1500, 1500, 9000]),
      cancelTokenHoldOnRetransmit: random.chance(0.3),
    },
    configVersion: random.pick([0, 1]),
    network: {
      loss: random.pick([0, 0, 0, 0.01, 0.05]),
      duplicate: random.pick([0, 0, 0.02]),
      delayMs,
      jitterMs,
      cut: false,
      cloggedUntil: 0,
    },
    traffic: {
      meanMs: random.pick([200, 500, 2000]) * nodes,
      burst: random.pick([1, 3, 3, 20]),
      maxBytes: 400,
      large: random.pick([0, 0.02, 0.1]),
      largeBytes: random.pick([3000, 20_000]),
    },
    votes,
    ...(quorum && { quorum }),
    tight: tokenMs < rotationMs * 12,
    realCipher: random.chance(0.03),
    ...(trace && { trace }),
  };
}

/** Mostly one vote each; else none to three, with at least one in all. */
function votesOf(random: Random, nodes: number): Record<number, number> {
  const equal = random.chance(0.75);
  const votes: Record<number, number> = {};
  for (let node = 1; node <= nodes; node++) votes[node] = equal ? 1 : random.between(node === 1 ? 1 : 0, 3);
  return votes;
}

function quorumOf(random: Random, votes: Record<number, number>, tokenMs: number): SimPlan["quorum"] {
  const list = Object.values(votes);
  const sum = list.reduce((total, own) => total + own, 0);
  if (list.length === 2 && random.chance(0.4)) return { twoNode: true, waitForAll: random.chance(0.8) };
  const someNodes = random.some(Object.keys(votes)).map((id) => nodeId(Number(id)));
  const autoTieBreakerNode = random.pick(["lowest", "highest", someNodes] as const);
  const windowMs = tokenMs * random.pick([1, 2, 4]);
  const waitForAll = random.chance(0.4);
  return random.weighted<SimPlan["quorum"]>([
    [6, {}],
    [3, { waitForAll }],
    [1, { expectedVotes: sum + random.between(0, Math.max(0, sum - 1)), waitForAll }],
    [3, { autoTieBreaker: true, autoTieBreakerNode, waitForAll }],
    [2, { lastManStanding: true, lastManStandingWindowMs: windowMs, waitForAll }],
    [
      2,
      {
        lastManStanding: true,
        lastManStandingWindowMs: windowMs,
        waitForAll,
        autoTieBreaker: true,
        autoTieBreakerNode,
      },
    ],
    [1, { allowDownscale: true, expectedVotes: random.between(1, sum), waitForAll }],
  ]);
}

import { encodeRingMessage } from "../../src/daemon/ring-core-wire.ts";
import { type NodeId, nodeId } from "../../src/terms/index.ts";
import { digestOf } from "../../src/totem/srp/digest.ts";
import { decode, encapsulate, encodeCommit, encodeFragment } from "../../src/totem/srp/wire.ts";
import { Network } from "../totem/network.ts";

const encoder = new TextEncoder();
const keep = 400;

/** Protocol data units of three nodes that form a ring, talk, lose one and take it back. */
export function recordedUnits(): Uint8Array[] {
  const units: Uint8Array[] = [];
  const network = new Network(3, 5);
  network.onTransmit = (data) => {
    if (units.length < keep || units.length % 7 === 0) units.push(data.slice());
  };
  network.startAll();
  network.run(2000);
  for (let index = 0; index < 40; index++) {
    network.send((index % 3) + 1, "x".repeat(index * 20), index % 4 === 0 ? "safe" : "agreed");
  }
  network.faults.loss = 0.1;
  network.run(300);
  network.crash(2);
  network.run(4000);
  network.start(2);
  network.run(2000);
  network.feed(network.machine(3), { type: "leave" });
  return [...oneOfEach(units), ...units.slice(0, keep)];
}

/** What a run of three nodes does not show: carriers, obligations, pieces of long units. */
function oneOfEach(units: readonly Uint8Array[]): Uint8Array[] {
  const members = [1, 2, 5].map(nodeId);
  const ring = { representative: nodeId(1), sequence: 2 ** 40, memberDigest: digestOf(members) };
  const carried = units.map((unit) => decode(unit)).find((unit) => unit?.kind === "regular");
  const entry = (id: NodeId) => ({
    id,
    filled: true,
    oldRing: { ...ring, memberDigest: 2 ** 31 + id },
    aru: 9,
    high: 12,
    delivered: 8,
    obligation: [nodeId(2), nodeId(7)],
  });
  const commit = encodeCommit({
    kind: "commit",
    ring,
    hop: 3,
    members: members.map(entry),
    orderly: [nodeId(9)],
  });
  return [
    commit,
    encodeFragment({ unit: 77, index: 0, count: 2, data: commit.subarray(0, 50) }),
    encodeFragment({ unit: 77, index: 1, count: 2, data: commit.subarray(50) }),
    ...(carried?.kind === "regular" ? [encapsulate(nodeId(2), ring, 4, carried).raw] : []),
  ];
}

/** A message of each kind that rings send in their order. */
export function ringMessages(): Uint8Array[] {
  const ringId = { representative: nodeId(1), sequence: 4, memberDigest: 2 ** 32 - 1 };
  const view = {
    votes: 1,
    expectedVotes: 3,
    seenAll: true,
    quorateSequence: 4,
    quorate: true,
    quorateMembers: [1, 2].map((id) => [nodeId(id), 1] as const),
    configuredVotes: 3,
    quorateExpected: 3,
    doubts: [],
    orderlyLeft: [],
  };
  return [
    encodeRingMessage({
      kind: "announcement",
      announcement: {
        ringId,
        manager: 7,
        quorum: view,
        configVersion: 3,
        agreement: [["token", "1000"]],
        inForce: "0123456789abcdef",
      },
    }),
    encodeRingMessage({ kind: "manager", ringId, incarnation: 9, payload: encoder.encode("payload") }),
    encodeRingMessage({ kind: "participant", ringId, incarnation: 9 }),
    encodeRingMessage({ kind: "window-over", sequence: 12 }),
    encodeRingMessage({ kind: "set-expected", id: 2, votes: 3 }),
    encodeRingMessage({ kind: "set-votes", id: 3, node: nodeId(2), votes: 2 }),
    encodeRingMessage({ kind: "prepared", digest: "0123456789abcdef" }),
    encodeRingMessage({ kind: "key-new", key: new Uint8Array(64).fill(5) }),
    encodeRingMessage({ kind: "key-ready", digest: "0123456789abcdef" }),
    encodeRingMessage({ kind: "key-switched", digest: "0123456789abcdef" }),
    encodeRingMessage({ kind: "key-behind", digest: "0123456789abcdef" }),
    encodeRingMessage({ kind: "key-asked", nonce: "0123456789abcdef".repeat(2) }),
    encodeRingMessage({
      kind: "key-proof",
      nonce: "0123456789abcdef".repeat(2),
      proof: "0123456789abcdef".repeat(4),
    }),
    encodeRingMessage({ kind: "key-dropped", nonce: "0123456789abcdef".repeat(2) }),
  ];
}

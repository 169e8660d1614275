import { describe, expect, test } from "bun:test";
import { type NodeId, nodeId } from "../../src/terms/index.ts";
import type { RingId } from "../../src/totem/index.ts";
import { Context } from "../../src/totem/srp/context.ts";
import { digestOf } from "../../src/totem/srp/digest.ts";
import { Recovery } from "../../src/totem/srp/recovery.ts";
import { Ring } from "../../src/totem/srp/ring.ts";
import { SendQueue } from "../../src/totem/srp/send-queue.ts";
import { type Commit, type CommitEntry, encapsulate, type Regular } from "../../src/totem/srp/wire.ts";
import { options } from "./network.ts";

/*
 * Node 1 has formed the ring with the sequence 4 with node 3, lost its disk, and formed another one with the same
 * sequence with node 2; then all three meet.
 */
const ids = (...list: number[]): NodeId[] => list.map(nodeId);
const ringOf = (sequence: number, members: readonly NodeId[]): RingId => ({
  representative: nodeId(1),
  sequence,
  memberDigest: digestOf(members),
});
const withThree = ringOf(4, ids(1, 3));
const withTwo = ringOf(4, ids(1, 2));
const comesFrom = (id: number, oldRing: RingId, high: number): CommitEntry => ({
  id: nodeId(id),
  filled: true,
  oldRing,
  aru: high,
  high,
  delivered: high,
  obligation: [],
});
const commit: Commit = {
  kind: "commit",
  ring: ringOf(8, ids(1, 2, 3)),
  hop: 3,
  members: [comesFrom(1, withTwo, 0), comesFrom(2, withTwo, 0), comesFrom(3, withThree, 1)],
  orderly: [],
};

function message(sender: number, ring: RingId): Regular {
  const queue = new SendQueue();
  queue.push(new Uint8Array(10), "agreed");
  const packed = queue.pack(nodeId(sender), ring, 1, 1000);
  if (!packed) throw new Error("nothing was packed");
  return packed;
}

describe("two rings with the same representative and sequence", () => {
  test("have no survivors in common", () => {
    const context = new Context(nodeId(2), ids(1, 3), options);
    const recovery = new Recovery(context, new Ring(withTwo, ids(1, 2), nodeId(2)), commit);
    expect([...recovery.survivors]).toEqual(ids(1, 2));
    expect(recovery.reached).toBe(0);
  });

  test("do not recover each other's messages", () => {
    const old = new Ring(withTwo, ids(1, 2), nodeId(2));
    const recovery = new Recovery(new Context(nodeId(2), ids(1, 3), options), old, commit);
    recovery.unpack(encapsulate(nodeId(3), commit.ring, 1, message(3, withThree)));
    expect(old.high).toBe(0);
    recovery.unpack(encapsulate(nodeId(1), commit.ring, 2, message(1, withTwo)));
    expect(old.high).toBe(1);
  });

  test("do not hear each other's messages and tokens, not even those of the member that both have", () => {
    const ring = new Ring(withThree, ids(1, 3), nodeId(3));
    expect(ring.hears(nodeId(1), withTwo)).toBe(false);
    expect(ring.hears(nodeId(1), withThree)).toBe(true);
    expect(ring.hears(nodeId(2), withThree)).toBe(false);
    expect(ring.owns(message(1, withTwo), nodeId(1))).toBe(false);
    expect(ring.owns(message(1, withThree), nodeId(1))).toBe(true);
  });
});

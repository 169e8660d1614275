import { describe, expect, test } from "bun:test";
import { type NodeId, nodeId } from "../../src/terms/index.ts";
import { Context } from "../../src/totem/srp/context.ts";
import { digestOf } from "../../src/totem/srp/digest.ts";
import { Recovery } from "../../src/totem/srp/recovery.ts";
import { Ring } from "../../src/totem/srp/ring.ts";
import { SendQueue } from "../../src/totem/srp/send-queue.ts";
import { type Commit, type CommitEntry, encapsulate, type Regular } from "../../src/totem/srp/wire.ts";
import { options } from "./network.ts";

/*
 * Node 1 has formed ring 1.4 with node 3, lost its disk, and formed another ring 1.4 with node 2; then all three meet.
 */
const ids = (...list: number[]): NodeId[] => list.map(nodeId);
const name = { representative: nodeId(1), sequence: 4 };
const comesFrom = (id: number, members: readonly NodeId[], high: number): CommitEntry => ({
  id: nodeId(id),
  filled: true,
  oldRing: name,
  oldMembers: digestOf(members),
  aru: high,
  high,
  delivered: high,
  obligation: [],
});
const commit: Commit = {
  kind: "commit",
  ring: { representative: nodeId(1), sequence: 8 },
  hop: 3,
  members: [comesFrom(1, ids(1, 2), 0), comesFrom(2, ids(1, 2), 0), comesFrom(3, ids(1, 3), 1)],
  orderly: [],
};

function message(sender: number): Regular {
  const queue = new SendQueue();
  queue.push(new Uint8Array(10), "agreed");
  const packed = queue.pack(nodeId(sender), name, 1, 1000);
  if (!packed) throw new Error("nothing was packed");
  return packed;
}

describe("two rings of one name", () => {
  test("have no survivors in common", () => {
    const context = new Context(nodeId(2), ids(1, 3), options);
    const recovery = new Recovery(context, new Ring(name, ids(1, 2), nodeId(2)), commit);
    expect([...recovery.survivors]).toEqual(ids(1, 2));
    expect(recovery.reached).toBe(0);
  });

  test("do not recover each other's messages", () => {
    const old = new Ring(name, ids(1, 2), nodeId(2));
    const recovery = new Recovery(new Context(nodeId(2), ids(1, 3), options), old, commit);
    recovery.unpack(encapsulate(nodeId(3), commit.ring, 1, message(3)));
    expect(old.high).toBe(0);
    recovery.unpack(encapsulate(nodeId(1), commit.ring, 2, message(1)));
    expect(old.high).toBe(1);
  });

  test("do not hear each other's messages and tokens", () => {
    const ring = new Ring(name, ids(1, 2), nodeId(2));
    expect(ring.hears(nodeId(3), name)).toBe(false);
    expect(ring.hears(nodeId(1), name)).toBe(true);
    expect(ring.owns(message(3), nodeId(3))).toBe(false);
    expect(ring.owns(message(3), nodeId(1))).toBe(true);
  });
});

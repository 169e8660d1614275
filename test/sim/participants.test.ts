import { describe, expect, test } from "bun:test";
import { Participants } from "../../src/daemon/ring-core-participants.ts";
import type { Announcement } from "../../src/daemon/ring-core-wire.ts";
import { type NodeId, nodeId } from "../../src/terms/index.ts";
import type { RingId } from "../../src/totem/index.ts";

const ids = (...list: number[]): NodeId[] => list.map(nodeId);
const ring = (sequence: number): RingId => ({ representative: nodeId(1), sequence, memberDigest: 0 });
const says = (ringId: RingId, manager: number): Announcement => ({
  ringId,
  manager,
  quorum: {
    votes: 1,
    expectedVotes: 3,
    seenAll: false,
    quorate: false,
    quorateSequence: 0,
    quorateMembers: [],
    configuredVotes: 3,
    quorateExpected: 0,
    doubts: [],
    orderlyLeft: [],
  },
  configVersion: 1,
  agreement: [],
  inForce: "",
});

/** A ring of these nodes, from that set of survivors; nobody has announced himself. */
function configure(
  layer: Participants,
  ringId: RingId,
  members: NodeId[],
  from: NodeId[],
  orderly: NodeId[] = [],
) {
  layer.onTransitional(from);
  layer.onRegular(ringId, members, orderly);
}
/** All announce themselves with manager incarnation 1; the last one's answer. */
function announceAll(layer: Participants, ringId: RingId, members: NodeId[]) {
  let change: ReturnType<Participants["onAnnouncement"]>;
  for (const node of members) {
    expect(change).toBeUndefined();
    change = layer.onAnnouncement(node, says(ringId, 1));
  }
  return change;
}

/** Nodes 1, 2 and 3, all with a manager, in ring 4. */
function three(): Participants {
  const layer = new Participants();
  configure(layer, ring(4), ids(1, 2, 3), ids(1));
  expect(announceAll(layer, ring(4), ids(1, 2, 3))).toMatchObject({ serial: 1, cameWithMe: [] });
  return layer;
}

describe("the barrier", () => {
  test("is passed when the last member has announced itself, whatever comes twice or from elsewhere", () => {
    const layer = new Participants();
    configure(layer, ring(4), ids(1, 2), ids(1));
    expect(layer.onAnnouncement(nodeId(1), says(ring(4), 1))).toBeUndefined();
    expect(layer.onAnnouncement(nodeId(1), says(ring(4), 1))).toBeUndefined();
    expect(layer.onAnnouncement(nodeId(9), says(ring(4), 1))).toBeUndefined();
    expect(layer.onAnnouncement(nodeId(2), says(ring(0), 1))).toBeUndefined();
    expect(layer.isSettled()).toBe(false);
    expect(layer.onAnnouncement(nodeId(2), says(ring(4), 0))).toMatchObject({
      participants: [{ nodeId: nodeId(1), incarnation: 1 }],
      members: ids(1, 2),
    });
    expect(layer.isSettled()).toBe(true);
  });

  test("starts again when the configuration changes before; no departure is forgotten", () => {
    const layer = three();
    configure(layer, ring(8), ids(1, 2), ids(1, 2), ids(3));
    layer.onAnnouncement(nodeId(1), says(ring(8), 1));
    configure(layer, ring(12), ids(1), ids(1));
    expect(layer.onAnnouncement(nodeId(1), says(ring(8), 1))).toBeUndefined();
    expect(layer.onAnnouncement(nodeId(1), says(ring(12), 1))).toMatchObject({
      left: ids(2, 3),
      orderlyLeft: ids(3),
      cameWithMe: ids(1),
    });
  });

  test("whoever went another way in between did not come along", () => {
    const layer = three();
    configure(layer, ring(8), ids(1, 2), ids(1, 2));
    configure(layer, ring(12), ids(1, 2, 3), ids(1, 2));
    expect(announceAll(layer, ring(12), ids(1, 2, 3))).toMatchObject({ cameWithMe: ids(1, 2), left: [] });
  });

  test("a manager that was started again in between did not come along", () => {
    const layer = three();
    configure(layer, ring(8), ids(1, 2, 3), ids(1, 2, 3));
    layer.onAnnouncement(nodeId(1), says(ring(8), 1));
    layer.onAnnouncement(nodeId(2), says(ring(8), 2));
    expect(layer.onAnnouncement(nodeId(3), says(ring(8), 1))).toMatchObject({ cameWithMe: ids(1, 3) });
  });
});

describe("messages", () => {
  test("belong to the ring that they were sent in", () => {
    const layer = three();
    expect(layer.accepts(nodeId(2), ring(4), 1)).toBe(true);
    expect(layer.accepts(nodeId(2), ring(0), 1)).toBe(false);
    expect(layer.accepts(nodeId(2), ring(4), 2)).toBe(false);
    expect(layer.accepts(nodeId(9), ring(4), 1)).toBe(false);
  });

  test("of before go, until the barrier, to those that came from there with the sender", () => {
    const layer = three();
    configure(layer, ring(8), ids(1, 2), ids(1, 2));
    configure(layer, ring(12), ids(1, 2, 3), ids(1, 2));
    expect(layer.accepts(nodeId(2), ring(4), 1)).toBe(true);
    // Node 3 went another way: this node may have missed some of what it sent.
    expect(layer.accepts(nodeId(3), ring(4), 1)).toBe(false);
    announceAll(layer, ring(12), ids(1, 2, 3));
    expect(layer.accepts(nodeId(2), ring(4), 1)).toBe(false);
    expect(layer.accepts(nodeId(3), ring(12), 1)).toBe(true);
  });

  test("that are delivered before the regular configuration belong to the old one entirely", () => {
    const layer = three();
    layer.onTransitional(ids(1, 2));
    expect(layer.accepts(nodeId(3), ring(4), 1)).toBe(true);
  });
});

test("no membership begins while the ring ends: what it would follow from is announced anew", () => {
  const layer = three();
  layer.onTransitional(ids(1, 2));
  expect(layer.onParticipant(nodeId(2), ring(4), 0)).toBeUndefined();
  expect(layer.onOtherChange()).toBeUndefined();
  layer.onRegular(ring(8), ids(1, 2), []);
  layer.onAnnouncement(nodeId(1), says(ring(8), 1));
  layer.onTransitional(ids(1));
  expect(layer.onAnnouncement(nodeId(2), says(ring(8), 0))).toBeUndefined();
  expect(layer.isSettled()).toBe(false);
  expect(layer.allAnnounced()).toBe(true);
  layer.onRegular(ring(12), ids(1, 2), []);
  expect(layer.allAnnounced()).toBe(false);
  layer.onAnnouncement(nodeId(1), says(ring(12), 1));
  expect(layer.onAnnouncement(nodeId(2), says(ring(12), 0))).toMatchObject({
    serial: 1,
    participants: [{ nodeId: nodeId(1), incarnation: 1 }],
    cameWithMe: ids(1),
    left: ids(3),
  });
});

test("managers come and go between barriers, each time with a new serial", () => {
  const layer = three();
  expect(layer.onParticipant(nodeId(2), ring(4), 0)).toMatchObject({ serial: 2, cameWithMe: ids(1, 3) });
  expect(layer.accepts(nodeId(2), ring(4), 1)).toBe(false);
  expect(layer.onParticipant(nodeId(2), ring(4), 0)).toBeUndefined();
  expect(layer.onParticipant(nodeId(2), ring(0), 2)).toBeUndefined();
  expect(layer.onParticipant(nodeId(2), ring(4), 2)).toMatchObject({
    serial: 3,
    participants: [{}, { nodeId: nodeId(2), incarnation: 2 }, {}],
    cameWithMe: ids(1, 3),
  });
});

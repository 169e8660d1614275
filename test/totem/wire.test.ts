import { describe, expect, test } from "bun:test";
import { nodeId } from "../../src/terms/index.ts";
import { digestOf } from "../../src/totem/srp/digest.ts";
import { SendQueue } from "../../src/totem/srp/send-queue.ts";
import * as wire from "../../src/totem/srp/wire.ts";

const ids = (...list: number[]) => new Set(list.map(nodeId));
const ring = { representative: nodeId(1), sequence: 2 ** 40 + 4, memberDigest: digestOf(ids(1, 2)) };
const entry = (id: number): wire.CommitEntry => ({
  id: nodeId(id),
  filled: id % 2 === 0,
  oldRing: { representative: nodeId(9), sequence: 2 ** 33, memberDigest: 2 ** 32 - id },
  aru: 2 ** 34,
  high: 2 ** 34 + 7,
  delivered: 2 ** 34 - 1,
  obligation: [nodeId(4), nodeId(5)].slice(id % 2),
});
const token: wire.Token = {
  kind: "token",
  ring,
  hop: 2 ** 45,
  sequence: 2 ** 50,
  aru: 2 ** 50 - 3,
  aruBy: 2 ** 32 - 1,
  fcc: 17,
  backlog: 1000,
  retransmit: true,
  requests: [2 ** 50 - 2, 2 ** 50],
};
const join: wire.Join = {
  kind: "join",
  leave: false,
  ringSequence: 2 ** 52,
  proc: ids(1, 2, 2 ** 32 - 1),
  failed: ids(2),
  heard: ids(1, 7),
  orderly: ids(9),
  stamp: { version: 2 ** 40, nodes: 2 ** 32 - 1 },
};
const commit: wire.Commit = {
  kind: "commit",
  ring,
  hop: 5,
  members: [entry(1), entry(2)],
  orderly: [nodeId(3)],
};
const merge: wire.Merge = {
  kind: "merge",
  ring,
  members: ids(1, 2),
  heard: ids(3),
  stamp: { version: 0, nodes: 7 },
};

function message(...texts: string[]): wire.Regular {
  const queue = new SendQueue();
  for (const text of texts) queue.push(new TextEncoder().encode(text), "agreed");
  const packed = queue.pack(nodeId(3), ring, 2 ** 51, 1400);
  if (!packed) throw new Error("nothing packed");
  return packed;
}

const samples: readonly Uint8Array[] = [
  message("one", "two", "").raw,
  wire.encapsulate(nodeId(1), ring, 7, message("inner")).raw,
  wire.encodeToken(token),
  wire.encodeJoin(join),
  wire.encodeCommit(commit),
  wire.encodeMerge(merge),
  wire.encodeHoldCancel(ring),
  wire.encodeTokenAck({ ring, hop: 77 }),
  wire.encodeFragment({ unit: 2 ** 32 - 1, index: 1, count: 2, data: new Uint8Array(20).fill(3) }),
];

describe("the protocol data units", () => {
  test("come back as they went, with numbers beyond 32 bits", () => {
    expect(wire.decode(wire.encodeToken(token))).toEqual(token);
    expect(wire.decode(wire.encodeJoin(join))).toEqual(join);
    expect(wire.decode(wire.encodeJoin({ ...join, leave: true }))).toEqual({ ...join, leave: true });
    expect(wire.decode(wire.encodeCommit(commit))).toEqual(commit);
    expect(wire.decode(wire.encodeMerge(merge))).toEqual(merge);
    expect(wire.decode(wire.encodeHoldCancel(ring))).toEqual({ kind: "hold-cancel", ring });
    expect(wire.decode(wire.encodeTokenAck({ ring, hop: 77 }))).toEqual({ kind: "token-ack", ring, hop: 77 });
    const piece = { unit: 2 ** 32 - 1, index: 3, count: 4, data: new Uint8Array([1, 2]) };
    expect(wire.decode(wire.encodeFragment(piece))).toEqual({ kind: "fragment", ...piece });
    const packed = message("one", "two");
    expect(wire.decode(packed.raw)).toEqual(packed);
    expect(wire.decapsulate(wire.encapsulate(nodeId(1), ring, 7, packed))).toEqual(packed);
  });

  test("are refused when they are cut short or too long, at every length", () => {
    for (const sample of samples) {
      const carrier = sample === samples[1];
      for (let length = 0; length < sample.length; length++) {
        const cut = wire.decode(sample.subarray(0, length));
        if (cut === undefined) continue;
        // A piece may have any length; put together again it has to be whole.
        if (cut.kind === "fragment") continue;
        // What is cut off between two packed messages, or inside a carried one, is a shorter message.
        expect(cut.kind).toBe("regular");
        if (carrier && cut.kind === "regular" && length < sample.length) expect(cut.encapsulated).toBe(true);
      }
      const longer = new Uint8Array(sample.length + 1);
      longer.set(sample);
      if (!carrier && wire.decode(sample)?.kind !== "fragment") expect(wire.decode(longer)).toBeUndefined();
    }
  });

  test("are refused with numbers that make no sense", () => {
    expect(wire.decode(wire.encodeToken({ ...token, aru: token.sequence + 1 }))).toBeUndefined();
    expect(wire.decode(wire.encodeToken({ ...token, requests: [0] }))).toBeUndefined();
    expect(wire.decode(wire.encodeToken({ ...token, requests: [token.sequence + 1] }))).toBeUndefined();
    expect(wire.decode(wire.encodeCommit({ ...commit, members: [entry(2), entry(1)] }))).toBeUndefined();
    expect(wire.decode(wire.encodeCommit({ ...commit, members: [] }))).toBeUndefined();
    expect(wire.decode(wire.encodeCommit({ ...commit, members: [entry(1), entry(3)] }))).toBeUndefined();
    expect(
      wire.decode(wire.encodeCommit({ ...commit, members: [{ ...entry(1), delivered: 2 ** 50 }] })),
    ).toBeUndefined();
    expect(wire.decode(wire.encodeHoldCancel({ ...ring, sequence: 2 ** 53 }))).toBeUndefined();
    for (const [index, count] of [
      [0, 1],
      [2, 2],
      [0, wire.MAX_FRAGMENTS + 1],
    ] as const)
      expect(
        wire.decode(wire.encodeFragment({ unit: 1, index, count, data: new Uint8Array(9) })),
      ).toBeUndefined();
  });

  test("inside a carrier are refused when they are carriers themselves", () => {
    const carrier = wire.encapsulate(nodeId(1), ring, 7, message("inner"));
    expect(wire.decapsulate(wire.encapsulate(nodeId(1), ring, 8, carrier))).toBeUndefined();
  });
});

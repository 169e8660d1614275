import type { NodeId } from "../../terms/index.ts";
import type { RingId } from "../face.ts";
import {
  COMMIT_ENTRY,
  COMMIT_FIXED,
  FLAG_ENCAPSULATED,
  FLAG_LEAVE,
  FLAG_RETRANSMIT,
  FLAG_SAFE,
  FRAGMENT_HEADER,
  HEAD,
  KIND_COMMIT,
  KIND_FRAGMENT,
  KIND_HOLD_CANCEL,
  KIND_JOIN,
  KIND_MERGE,
  KIND_REGULAR,
  KIND_TOKEN,
  KIND_TOKEN_ACK,
  MAGIC,
  TOKEN_FIXED,
  VERSION,
} from "./layout.ts";
import {
  type Commit,
  type CommitEntry,
  type Fragment,
  type Join,
  type Merge,
  REGULAR_HEADER,
  type Regular,
  type Stamp,
  type Token,
} from "./pdu.ts";

function putLong(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / 0x1_0000_0000));
  view.setUint32(offset + 4, value >>> 0);
}

function putRing(view: DataView, offset: number, ring: RingId): void {
  view.setUint32(offset, ring.representative);
  putLong(view, offset + 4, ring.sequence);
  view.setUint32(offset + 12, ring.memberDigest);
}

function head(view: DataView, kind: number, flags: number): void {
  view.setUint16(0, MAGIC);
  view.setUint8(2, VERSION);
  view.setUint8(3, kind);
  view.setUint32(4, flags << 24);
}

function create(size: number, kind: number, flags: number): { data: Uint8Array; view: DataView } {
  const buffer = new ArrayBuffer(size);
  const data = new Uint8Array(buffer);
  const view = new DataView(buffer);
  head(view, kind, flags);
  return { data, view };
}

/** Writes the header of a regular message to the first REGULAR_HEADER bytes of `view`. */
export function putRegularHeader(
  view: DataView,
  sender: NodeId,
  ring: RingId,
  sequence: number,
  safe: boolean,
  encapsulated: boolean,
): void {
  head(view, KIND_REGULAR, (safe ? FLAG_SAFE : 0) | (encapsulated ? FLAG_ENCAPSULATED : 0));
  view.setUint32(8, sender);
  putRing(view, 12, ring);
  putLong(view, 28, sequence);
}

/** The old ring's message `inner` as the message `sequence` of a new ring. */
export function encapsulate(sender: NodeId, ring: RingId, sequence: number, inner: Regular): Regular {
  const raw = new Uint8Array(REGULAR_HEADER + inner.raw.length);
  putRegularHeader(new DataView(raw.buffer), sender, ring, sequence, false, true);
  raw.set(inner.raw, REGULAR_HEADER);
  return {
    kind: "regular",
    raw,
    sender,
    ring,
    sequence,
    safe: false,
    encapsulated: true,
  };
}

export function encodeToken(token: Token): Uint8Array {
  const { data, view } = create(
    TOKEN_FIXED + 8 * token.requests.length,
    KIND_TOKEN,
    token.retransmit ? FLAG_RETRANSMIT : 0,
  );
  putRing(view, 8, token.ring);
  putLong(view, 24, token.hop);
  putLong(view, 32, token.sequence);
  putLong(view, 40, token.aru);
  view.setUint32(48, token.aruBy);
  view.setUint32(52, token.fcc);
  view.setUint32(56, token.backlog);
  view.setUint8(60, token.requests.length);
  for (const [index, sequence] of token.requests.entries()) putLong(view, TOKEN_FIXED + 8 * index, sequence);
  return data;
}

/** Writes node ids with a byte that tells which of `sets` have them; ascending, so equal sets are equal bytes. */
function putSets(
  view: DataView,
  offset: number,
  ids: readonly NodeId[],
  sets: readonly ReadonlySet<NodeId>[],
): void {
  view.setUint16(offset, ids.length);
  let at = offset + 2;
  for (const id of ids) {
    let bits = 0;
    for (const [index, set] of sets.entries()) if (set.has(id)) bits |= 1 << index;
    view.setUint32(at, id);
    view.setUint8(at + 4, bits);
    at += 5;
  }
}

function unionOf(sets: readonly ReadonlySet<NodeId>[]): NodeId[] {
  const all = new Set<NodeId>();
  for (const set of sets) for (const id of set) all.add(id);
  return [...all].sort((a, b) => a - b);
}

function putStamp(view: DataView, offset: number, stamp: Stamp): void {
  putLong(view, offset, stamp.version);
  view.setUint32(offset + 8, stamp.nodes);
}

export function encodeJoin(join: Join): Uint8Array {
  const sets = [join.proc, join.failed, join.heard, join.orderly];
  const ids = unionOf(sets);
  const { data, view } = create(HEAD + 22 + 5 * ids.length, KIND_JOIN, join.leave ? FLAG_LEAVE : 0);
  putLong(view, 8, join.ringSequence);
  putStamp(view, 16, join.stamp);
  putSets(view, 28, ids, sets);
  return data;
}

export function encodeMerge(merge: Merge): Uint8Array {
  const sets = [merge.members, merge.heard];
  const ids = unionOf(sets);
  const { data, view } = create(HEAD + 30 + 5 * ids.length, KIND_MERGE, 0);
  putRing(view, 8, merge.ring);
  putStamp(view, 24, merge.stamp);
  putSets(view, 36, ids, sets);
  return data;
}

export function encodeHoldCancel(ring: RingId): Uint8Array {
  const { data, view } = create(HEAD + 16, KIND_HOLD_CANCEL, 0);
  putRing(view, 8, ring);
  return data;
}

export function encodeTokenAck(token: Pick<Token, "ring" | "hop">): Uint8Array {
  const { data, view } = create(HEAD + 24, KIND_TOKEN_ACK, 0);
  putRing(view, 8, token.ring);
  putLong(view, 24, token.hop);
  return data;
}

export function encodeFragment({ unit, index, count, data }: Omit<Fragment, "kind">): Uint8Array {
  const { data: out, view } = create(FRAGMENT_HEADER + data.length, KIND_FRAGMENT, 0);
  view.setUint32(8, unit);
  view.setUint16(12, index);
  view.setUint16(14, count);
  out.set(data, FRAGMENT_HEADER);
  return out;
}

export function encodeCommit(commit: Commit): Uint8Array {
  const { members, orderly } = commit;
  const owed = members.reduce((sum, entry) => sum + entry.obligation.length, 0);
  const size = COMMIT_FIXED + COMMIT_ENTRY * members.length + 4 * (orderly.length + owed);
  const { data, view } = create(size, KIND_COMMIT, 0);
  putRing(view, 8, commit.ring);
  putLong(view, 24, commit.hop);
  view.setUint16(32, members.length);
  view.setUint16(34, orderly.length);
  let at = COMMIT_FIXED;
  for (const entry of members) at = putCommitEntry(view, at, entry);
  putIds(view, at, orderly);
  return data;
}

function putIds(view: DataView, offset: number, ids: readonly NodeId[]): number {
  for (const [index, id] of ids.entries()) view.setUint32(offset + 4 * index, id);
  return offset + 4 * ids.length;
}

function putCommitEntry(view: DataView, at: number, entry: CommitEntry): number {
  view.setUint32(at, entry.id);
  view.setUint8(at + 4, entry.filled ? 1 : 0);
  putRing(view, at + 5, entry.oldRing);
  putLong(view, at + 21, entry.aru);
  putLong(view, at + 29, entry.high);
  putLong(view, at + 37, entry.delivered);
  view.setUint16(at + 45, entry.obligation.length);
  return putIds(view, at + COMMIT_ENTRY, entry.obligation);
}

import { MAX_NODES, type NodeId, nodeId } from "../../terms/index.ts";
import type { RingId } from "../face.ts";
import { digestOf } from "./digest.ts";
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
  CHUNK_FIRST,
  CHUNK_HEADER,
  CHUNK_LAST,
  type Commit,
  type CommitEntry,
  type Fragment,
  type HoldCancel,
  type Join,
  MAX_FRAGMENTS,
  MAX_REQUESTS,
  type Merge,
  type Pdu,
  REGULAR_HEADER,
  type Regular,
  type Stamp,
  type Token,
  type TokenAck,
} from "./pdu.ts";

const MAX_HIGH_WORD = 0x1f_ffff;

/** A higher ring sequence is not believed: there must be room to go on from it. */
const MAX_RING_SEQUENCE = 2 ** 52;

/** A 53-bit number, or NaN when it is greater. */
function getLong(view: DataView, offset: number): number {
  const high = view.getUint32(offset);
  return high > MAX_HIGH_WORD ? Number.NaN : high * 0x1_0000_0000 + view.getUint32(offset + 4);
}

function getRing(view: DataView, offset: number): RingId {
  return {
    representative: nodeId(view.getUint32(offset)),
    sequence: getLong(view, offset + 4),
    memberDigest: view.getUint32(offset + 12),
  };
}

/** The protocol data unit in `data`, or undefined when it is not one. Regular messages and fragments keep `data`. */
export function decode(data: Uint8Array): Pdu | undefined {
  if (data.length < HEAD) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (view.getUint16(0) !== MAGIC || view.getUint8(2) !== VERSION) return undefined;
  if (view.getUint16(5) !== 0 || view.getUint8(7) !== 0) return undefined;
  const flags = view.getUint8(4);
  switch (view.getUint8(3)) {
    case KIND_REGULAR:
      return decodeRegular(data, view, flags);
    case KIND_TOKEN:
      return decodeToken(view, flags);
    case KIND_JOIN:
      return decodeJoin(view, flags);
    case KIND_COMMIT:
      return decodeCommit(view, flags);
    case KIND_MERGE:
      return decodeMerge(view, flags);
    case KIND_HOLD_CANCEL:
      return decodeHoldCancel(view, flags);
    case KIND_TOKEN_ACK:
      return decodeTokenAck(view, flags);
    case KIND_FRAGMENT:
      return decodeFragment(data, view, flags);
    default:
      return undefined;
  }
}

/** The message inside an encapsulated one, or undefined when it is not one. */
export function decapsulate(outer: Regular): Regular | undefined {
  const inner = decode(outer.raw.subarray(REGULAR_HEADER));
  return inner?.kind === "regular" && !inner.encapsulated ? inner : undefined;
}

function decodeRegular(data: Uint8Array, view: DataView, flags: number): Regular | undefined {
  if (view.byteLength < REGULAR_HEADER || flags > 3) return undefined;
  const encapsulated = (flags & FLAG_ENCAPSULATED) !== 0;
  const ring = getRing(view, 12);
  const sequence = getLong(view, 28);
  if (!(ring.sequence > 0) || !(sequence > 0)) return undefined;
  if (!encapsulated && !chunksFit(view)) return undefined;
  return {
    kind: "regular",
    raw: data,
    sender: nodeId(view.getUint32(8)),
    ring,
    sequence,
    safe: (flags & FLAG_SAFE) !== 0,
    encapsulated,
  };
}

function chunksFit(view: DataView): boolean {
  let at = REGULAR_HEADER;
  while (at + CHUNK_HEADER <= view.byteLength) {
    if (view.getUint8(at) > (CHUNK_FIRST | CHUNK_LAST)) return false;
    at += CHUNK_HEADER + view.getUint16(at + 1);
  }
  return at === view.byteLength;
}

function decodeToken(view: DataView, flags: number): Token | undefined {
  if (view.byteLength < TOKEN_FIXED || flags > FLAG_RETRANSMIT) return undefined;
  const count = view.getUint8(TOKEN_FIXED - 1);
  if (count > MAX_REQUESTS || view.byteLength !== TOKEN_FIXED + 8 * count) return undefined;
  const ring = getRing(view, 8);
  const hop = getLong(view, 24);
  const sequence = getLong(view, 32);
  const aru = getLong(view, 40);
  if (Number.isNaN(ring.sequence + hop + sequence + aru) || aru > sequence) return undefined;
  const requests: number[] = [];
  for (let index = 0; index < count; index++) {
    const wanted = getLong(view, TOKEN_FIXED + 8 * index);
    if (!(wanted > 0 && wanted <= sequence)) return undefined;
    requests.push(wanted);
  }
  return {
    kind: "token",
    ring,
    hop,
    sequence,
    aru,
    aruBy: view.getUint32(48),
    fcc: view.getUint32(52),
    backlog: view.getUint32(56),
    retransmit: flags !== 0,
    requests,
  };
}

/** `count` sets from `offset` to the end of the view; undefined unless that is exactly what is there. */
function getSets(view: DataView, offset: number, count: number): Set<NodeId>[] | undefined {
  if (view.byteLength < offset + 2) return undefined;
  const length = view.getUint16(offset);
  if (length > MAX_NODES || view.byteLength !== offset + 2 + 5 * length) return undefined;
  const sets = Array.from({ length: count }, () => new Set<NodeId>());
  let last = 0;
  for (let index = 0; index < length; index++) {
    const id = view.getUint32(offset + 2 + 5 * index);
    const bits = view.getUint8(offset + 6 + 5 * index);
    if (id <= last || bits === 0 || bits >> count !== 0) return undefined;
    last = id;
    for (let bit = 0; bit < count; bit++) if ((bits >> bit) & 1) sets[bit]?.add(nodeId(id));
  }
  return sets;
}

function getStamp(view: DataView, offset: number): Stamp {
  return { version: getLong(view, offset), nodes: view.getUint32(offset + 8) };
}

function decodeJoin(view: DataView, flags: number): Join | undefined {
  if (view.byteLength < 30 || flags > FLAG_LEAVE) return undefined;
  const ringSequence = getLong(view, 8);
  const stamp = getStamp(view, 16);
  const [proc, failed, heard, orderly] = getSets(view, 28, 4) ?? [];
  if (!(ringSequence <= MAX_RING_SEQUENCE) || Number.isNaN(stamp.version)) return undefined;
  if (!proc || !failed || !heard || !orderly) return undefined;
  return { kind: "join", leave: flags !== 0, ringSequence, proc, failed, heard, orderly, stamp };
}

function decodeMerge(view: DataView, flags: number): Merge | undefined {
  if (view.byteLength < 38 || flags !== 0) return undefined;
  const ring = getRing(view, 8);
  const stamp = getStamp(view, 24);
  const [members, heard] = getSets(view, 36, 2) ?? [];
  if (Number.isNaN(ring.sequence + stamp.version) || !members || !heard) return undefined;
  return { kind: "merge", ring, members, heard, stamp };
}

function decodeHoldCancel(view: DataView, flags: number): HoldCancel | undefined {
  if (view.byteLength !== HEAD + 16 || flags !== 0) return undefined;
  const ring = getRing(view, 8);
  return Number.isNaN(ring.sequence) ? undefined : { kind: "hold-cancel", ring };
}

function decodeTokenAck(view: DataView, flags: number): TokenAck | undefined {
  if (view.byteLength !== HEAD + 24 || flags !== 0) return undefined;
  const ring = getRing(view, 8);
  const hop = getLong(view, 24);
  return Number.isNaN(ring.sequence + hop) ? undefined : { kind: "token-ack", ring, hop };
}

function decodeFragment(data: Uint8Array, view: DataView, flags: number): Fragment | undefined {
  if (view.byteLength <= FRAGMENT_HEADER || flags !== 0) return undefined;
  const index = view.getUint16(12);
  const count = view.getUint16(14);
  if (count < 2 || count > MAX_FRAGMENTS || index >= count) return undefined;
  return { kind: "fragment", unit: view.getUint32(8), index, count, data: data.subarray(FRAGMENT_HEADER) };
}

function decodeCommit(view: DataView, flags: number): Commit | undefined {
  if (view.byteLength < COMMIT_FIXED || flags !== 0) return undefined;
  const ring = getRing(view, 8);
  const hop = getLong(view, 24);
  const count = view.getUint16(32);
  const gone = view.getUint16(34);
  if (
    !(ring.sequence <= MAX_RING_SEQUENCE) ||
    Number.isNaN(hop) ||
    count === 0 ||
    count > MAX_NODES ||
    gone > MAX_NODES
  )
    return undefined;
  const members: CommitEntry[] = [];
  let at = COMMIT_FIXED;
  let last = 0;
  for (let index = 0; index < count; index++) {
    const entry = decodeCommitEntry(view, at);
    if (!entry || entry.id <= last) return undefined;
    last = entry.id;
    members.push(entry);
    at += COMMIT_ENTRY + 4 * entry.obligation.length;
  }
  if (view.byteLength !== at + 4 * gone) return undefined;
  if (digestOf(members.map((entry) => entry.id)) !== ring.memberDigest) return undefined;
  return { kind: "commit", ring, hop, members, orderly: getIds(view, at, gone) };
}

function getIds(view: DataView, offset: number, count: number): NodeId[] {
  return Array.from({ length: count }, (_, index) => nodeId(view.getUint32(offset + 4 * index)));
}

function decodeCommitEntry(view: DataView, at: number): CommitEntry | undefined {
  if (view.byteLength < at + COMMIT_ENTRY) return undefined;
  const filled = view.getUint8(at + 4);
  const oldRing = getRing(view, at + 5);
  const aru = getLong(view, at + 21);
  const high = getLong(view, at + 29);
  const delivered = getLong(view, at + 37);
  const owed = view.getUint16(at + 45);
  if (filled > 1 || Number.isNaN(oldRing.sequence + aru + high + delivered)) return undefined;
  if (delivered > aru || aru > high) return undefined;
  if (owed > MAX_NODES || view.byteLength < at + COMMIT_ENTRY + 4 * owed) return undefined;
  const id = nodeId(view.getUint32(at));
  const obligation = getIds(view, at + COMMIT_ENTRY, owed);
  return { id, filled: filled === 1, oldRing, aru, high, delivered, obligation };
}

import { type NodeId, nodeId } from "../../terms/index.ts";
import type { RingId } from "../face.ts";

/**
 * Protocol data units of the single ring and their binary form: a header of 8 bytes (magic, version, kind, flags,
 * three zero bytes), then the body; big endian. `decode` checks every length before it reads and answers `undefined`
 * for anything malformed: it never throws and never allocates more than a small multiple of the input.
 */
const MAGIC = 0x4854;
const VERSION = 1;
const HEAD = 8;

const KIND_REGULAR = 1;
const KIND_TOKEN = 2;
const KIND_JOIN = 3;
const KIND_COMMIT = 4;
const KIND_MERGE = 5;
const KIND_HOLD_CANCEL = 6;
const KIND_TOKEN_ACK = 7;

const FLAG_SAFE = 1;
const FLAG_ENCAPSULATED = 2;
const FLAG_RETRANSMIT = 1;
const FLAG_LEAVE = 1;

/** Bytes in front of the chunks of a regular message, and what encapsulation adds to a message. */
export const REGULAR_HEADER = 32;
/** Bytes in front of each chunk: flags and length. */
export const CHUNK_HEADER = 3;
export const CHUNK_FIRST = 1;
export const CHUNK_LAST = 2;
/** Entries that a token's list of retransmission requests may have. */
export const MAX_REQUESTS = 30;
/** Nodes that a membership message may name. */
export const MAX_NODES = 1024;

/** An ordered message, or in Recovery the carrier of one of the old ring. Its bytes are kept for retransmission. */
export interface Regular {
  readonly kind: "regular";
  readonly raw: Uint8Array;
  /** Who originated it; another member may have retransmitted it. */
  readonly sender: NodeId;
  readonly representative: NodeId;
  readonly ringSequence: number;
  readonly sequence: number;
  readonly safe: boolean;
  readonly encapsulated: boolean;
}

/** The token (Totem, "regular token"). Mutable: a visit changes it in place. */
export interface Token {
  readonly kind: "token";
  readonly ring: RingId;
  /** Counts hops; a token whose number is not above the last is a duplicate. */
  hop: number;
  /** Highest sequence number given to a message. */
  sequence: number;
  /** All received up to: lower bound that becomes exact in two rotations. */
  aru: number;
  /** Who lowered `aru`; 0 for nobody. */
  aruBy: number;
  /** Flow control count: messages sent in the last rotation. */
  fcc: number;
  /** Messages that wait, whole ring. */
  backlog: number;
  /** Recovery: somebody still has old messages to send. */
  retransmit: boolean;
  /** Sequence numbers that somebody lacks. */
  requests: number[];
}

/** What every node must have alike before it may come in. */
export interface Stamp {
  /** Version of the configuration, 0 for none. */
  readonly version: number;
  /** Digest of the configured node ids. */
  readonly nodes: number;
}

/** Membership proposal of the Gather state, or with `leave` the announcement of an orderly exit. */
export interface Join {
  readonly kind: "join";
  readonly leave: boolean;
  /** Highest ring sequence known to the sender. */
  readonly ringSequence: number;
  readonly proc: ReadonlySet<NodeId>;
  readonly failed: ReadonlySet<NodeId>;
  /** Nodes whose datagrams reach the sender. */
  readonly heard: ReadonlySet<NodeId>;
  /** Nodes that announced their exit. */
  readonly orderly: ReadonlySet<NodeId>;
  readonly stamp: Stamp;
}

/** What one member of the new ring brings along from its old one. */
export interface CommitEntry {
  readonly id: NodeId;
  readonly filled: boolean;
  readonly oldRing: RingId;
  /** Contiguously received of the old ring. */
  readonly aru: number;
  /** Highest held of the old ring. */
  readonly high: number;
  /** Delivered in the old ring's regular configuration. */
  readonly delivered: number;
  /** Nodes to whom it has confirmed, in a Recovery that failed, to have everything of the old ring; ascending. */
  readonly obligation: readonly NodeId[];
}

/** The commit token: goes round twice, collecting and then showing what each member has. */
export interface Commit {
  readonly kind: "commit";
  readonly ring: RingId;
  /** Hops since the representative created it; member i sees i, then n + i. */
  readonly hop: number;
  readonly members: readonly CommitEntry[];
  readonly orderly: readonly NodeId[];
}

/** Merge detection: an incomplete ring shows itself, its members and whom the sender hears. */
export interface Merge {
  readonly kind: "merge";
  readonly ring: RingId;
  readonly members: ReadonlySet<NodeId>;
  readonly heard: ReadonlySet<NodeId>;
  readonly stamp: Stamp;
}

/** Somebody has a message: the representative is to let go of the idle token. */
export interface HoldCancel {
  readonly kind: "hold-cancel";
  readonly ring: RingId;
}

/** The token with this hop has arrived (our addition: it need not be sent again while it rests). */
export interface TokenAck {
  readonly kind: "token-ack";
  readonly ring: RingId;
  readonly hop: number;
}

export type Pdu = Regular | Token | Join | Commit | Merge | HoldCancel | TokenAck;

const MAX_HIGH_WORD = 0x1f_ffff;
/** A higher ring sequence is not believed: there must be room to go on from it. */
const MAX_RING_SEQUENCE = 2 ** 52;

function putLong(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / 0x1_0000_0000));
  view.setUint32(offset + 4, value >>> 0);
}

/** A 53-bit number, or NaN when it is greater. */
function getLong(view: DataView, offset: number): number {
  const high = view.getUint32(offset);
  return high > MAX_HIGH_WORD ? Number.NaN : high * 0x1_0000_0000 + view.getUint32(offset + 4);
}

function putRing(view: DataView, offset: number, ring: RingId): void {
  view.setUint32(offset, ring.representative);
  putLong(view, offset + 4, ring.sequence);
}

function getRing(view: DataView, offset: number): RingId {
  return { representative: nodeId(view.getUint32(offset)), sequence: getLong(view, offset + 4) };
}

/** Whether both name the same ring. */
export const sameRing = (a: RingId, b: RingId): boolean =>
  a.sequence === b.sequence && a.representative === b.representative;

function head(view: DataView, kind: number, flags: number): void {
  view.setUint16(0, MAGIC);
  view.setUint8(2, VERSION);
  view.setUint8(3, kind);
  view.setUint32(4, flags << 24);
}

function create(size: number, kind: number, flags: number): { data: Uint8Array; view: DataView } {
  const data = new Uint8Array(size);
  const view = new DataView(data.buffer);
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
  putLong(view, 24, sequence);
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
    representative: ring.representative,
    ringSequence: ring.sequence,
    sequence,
    safe: false,
    encapsulated: true,
  };
}

/** The message inside an encapsulated one, or undefined when it is not one. */
export function decapsulate(outer: Regular): Regular | undefined {
  const inner = decode(outer.raw.subarray(REGULAR_HEADER));
  return inner?.kind === "regular" && !inner.encapsulated ? inner : undefined;
}

export function encodeToken(token: Token): Uint8Array {
  const { data, view } = create(
    57 + 8 * token.requests.length,
    KIND_TOKEN,
    token.retransmit ? FLAG_RETRANSMIT : 0,
  );
  putRing(view, 8, token.ring);
  putLong(view, 20, token.hop);
  putLong(view, 28, token.sequence);
  putLong(view, 36, token.aru);
  view.setUint32(44, token.aruBy);
  view.setUint32(48, token.fcc);
  view.setUint32(52, token.backlog);
  view.setUint8(56, token.requests.length);
  for (const [index, sequence] of token.requests.entries()) putLong(view, 57 + 8 * index, sequence);
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
    if (id <= last || bits >> count !== 0) return undefined;
    last = id;
    for (const [bit, set] of sets.entries()) if ((bits >> bit) & 1) set.add(nodeId(id));
  }
  return sets;
}

function putStamp(view: DataView, offset: number, stamp: Stamp): void {
  putLong(view, offset, stamp.version);
  view.setUint32(offset + 8, stamp.nodes);
}

function getStamp(view: DataView, offset: number): Stamp {
  return { version: getLong(view, offset), nodes: view.getUint32(offset + 8) };
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
  const { data, view } = create(HEAD + 26 + 5 * ids.length, KIND_MERGE, 0);
  putRing(view, 8, merge.ring);
  putStamp(view, 20, merge.stamp);
  putSets(view, 32, ids, sets);
  return data;
}

export function encodeHoldCancel(ring: RingId): Uint8Array {
  const { data, view } = create(HEAD + 12, KIND_HOLD_CANCEL, 0);
  putRing(view, 8, ring);
  return data;
}

export function encodeTokenAck(token: Pick<Token, "ring" | "hop">): Uint8Array {
  const { data, view } = create(HEAD + 20, KIND_TOKEN_ACK, 0);
  putRing(view, 8, token.ring);
  putLong(view, 20, token.hop);
  return data;
}

const COMMIT_FIXED = 32;
const COMMIT_ENTRY = 43;

export function encodeCommit(commit: Commit): Uint8Array {
  const { members, orderly } = commit;
  const owed = members.reduce((sum, entry) => sum + entry.obligation.length, 0);
  const size = COMMIT_FIXED + COMMIT_ENTRY * members.length + 4 * (orderly.length + owed);
  const { data, view } = create(size, KIND_COMMIT, 0);
  putRing(view, 8, commit.ring);
  putLong(view, 20, commit.hop);
  view.setUint16(28, members.length);
  view.setUint16(30, orderly.length);
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
  putLong(view, at + 17, entry.aru);
  putLong(view, at + 25, entry.high);
  putLong(view, at + 33, entry.delivered);
  view.setUint16(at + 41, entry.obligation.length);
  return putIds(view, at + COMMIT_ENTRY, entry.obligation);
}

/** The protocol data unit in `data`, or undefined when it is not one. Regular messages keep `data`. */
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
    default:
      return undefined;
  }
}

function decodeRegular(data: Uint8Array, view: DataView, flags: number): Regular | undefined {
  if (view.byteLength < REGULAR_HEADER || flags > 3) return undefined;
  const encapsulated = (flags & FLAG_ENCAPSULATED) !== 0;
  const ringSequence = getLong(view, 16);
  const sequence = getLong(view, 24);
  if (!(ringSequence > 0) || !(sequence > 0)) return undefined;
  if (!encapsulated && !chunksFit(view)) return undefined;
  return {
    kind: "regular",
    raw: data,
    sender: nodeId(view.getUint32(8)),
    representative: nodeId(view.getUint32(12)),
    ringSequence,
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
  if (view.byteLength < 57 || flags > FLAG_RETRANSMIT) return undefined;
  const count = view.getUint8(56);
  if (count > MAX_REQUESTS || view.byteLength !== 57 + 8 * count) return undefined;
  const ring = getRing(view, 8);
  const hop = getLong(view, 20);
  const sequence = getLong(view, 28);
  const aru = getLong(view, 36);
  if (Number.isNaN(ring.sequence + hop + sequence + aru) || aru > sequence) return undefined;
  const requests: number[] = [];
  for (let index = 0; index < count; index++) {
    const wanted = getLong(view, 57 + 8 * index);
    if (!(wanted > 0 && wanted <= sequence)) return undefined;
    requests.push(wanted);
  }
  return {
    kind: "token",
    ring,
    hop,
    sequence,
    aru,
    aruBy: view.getUint32(44),
    fcc: view.getUint32(48),
    backlog: view.getUint32(52),
    retransmit: flags !== 0,
    requests,
  };
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
  if (view.byteLength < 34 || flags !== 0) return undefined;
  const ring = getRing(view, 8);
  const stamp = getStamp(view, 20);
  const [members, heard] = getSets(view, 32, 2) ?? [];
  if (Number.isNaN(ring.sequence + stamp.version) || !members || !heard) return undefined;
  return { kind: "merge", ring, members, heard, stamp };
}

function decodeHoldCancel(view: DataView, flags: number): HoldCancel | undefined {
  if (view.byteLength !== HEAD + 12 || flags !== 0) return undefined;
  const ring = getRing(view, 8);
  return Number.isNaN(ring.sequence) ? undefined : { kind: "hold-cancel", ring };
}

function decodeTokenAck(view: DataView, flags: number): TokenAck | undefined {
  if (view.byteLength !== HEAD + 20 || flags !== 0) return undefined;
  const ring = getRing(view, 8);
  const hop = getLong(view, 20);
  return Number.isNaN(ring.sequence + hop) ? undefined : { kind: "token-ack", ring, hop };
}

function decodeCommit(view: DataView, flags: number): Commit | undefined {
  if (view.byteLength < COMMIT_FIXED || flags !== 0) return undefined;
  const ring = getRing(view, 8);
  const hop = getLong(view, 20);
  const count = view.getUint16(28);
  const gone = view.getUint16(30);
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
  return { kind: "commit", ring, hop, members, orderly: getIds(view, at, gone) };
}

function getIds(view: DataView, offset: number, count: number): NodeId[] {
  return Array.from({ length: count }, (_, index) => nodeId(view.getUint32(offset + 4 * index)));
}

function decodeCommitEntry(view: DataView, at: number): CommitEntry | undefined {
  if (view.byteLength < at + COMMIT_ENTRY) return undefined;
  const filled = view.getUint8(at + 4);
  const oldRing = getRing(view, at + 5);
  const aru = getLong(view, at + 17);
  const high = getLong(view, at + 25);
  const delivered = getLong(view, at + 33);
  const owed = view.getUint16(at + 41);
  if (filled > 1 || Number.isNaN(oldRing.sequence + aru + high + delivered)) return undefined;
  if (delivered > aru || aru > high) return undefined;
  if (owed > MAX_NODES || view.byteLength < at + COMMIT_ENTRY + 4 * owed) return undefined;
  const id = nodeId(view.getUint32(at));
  const obligation = getIds(view, at + COMMIT_ENTRY, owed);
  return { id, filled: filled === 1, oldRing, aru, high, delivered, obligation };
}

import type { NodeId } from "../../terms/index.ts";
import type { RingId } from "../face.ts";

/** The protocol data units of the single ring, as values. */

/** Bytes in front of the chunks of a regular message, and what encapsulation adds to a message. */
export const REGULAR_HEADER = 36;

/** Bytes in front of each chunk: flags and length. */
export const CHUNK_HEADER = 3;

export const CHUNK_FIRST = 1;

export const CHUNK_LAST = 2;

/** Entries that a token's list of retransmission requests may have. */
export const MAX_REQUESTS = 30;

/** Pieces that a unit may have. */
export const MAX_FRAGMENTS = 4096;

/** An ordered message, or in Recovery the carrier of one of the old ring. Its bytes are kept for retransmission. */
export interface Regular {
  readonly kind: "regular";
  readonly raw: Uint8Array;
  /** Who originated it; another member may have retransmitted it. */
  readonly sender: NodeId;
  readonly ring: RingId;
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

/** A piece of a unit that is too long for one datagram (our addition). */
export interface Fragment {
  readonly kind: "fragment";
  /** Names the unit among those of its sender. */
  readonly unit: number;
  readonly index: number;
  readonly count: number;
  readonly data: Uint8Array;
}

export type Pdu = Regular | Token | Join | Commit | Merge | HoldCancel | TokenAck | Fragment;

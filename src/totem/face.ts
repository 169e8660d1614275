import type { Millis, NodeId } from "../terms/index.ts";

/**
 * Identity of a ring: who formed it and a sequence that never goes back (Totem, ring_id); and, since a representative
 * that has lost its disk may come to a sequence again, a digest of who is in it. Whoever remembers the one ring lets no
 * other with its sequence come to be that he is in, so that two rings with the same three have no member in common
 * that could confuse them.
 */
export interface RingId {
  readonly representative: NodeId;
  readonly sequence: number;
  /** See `digestOf`. */
  readonly memberDigest: number;
}

/** Whether both are there and name the same ring. */
export const sameRing = (a: RingId | undefined, b: RingId | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.sequence === b.sequence &&
  a.representative === b.representative &&
  a.memberDigest === b.memberDigest;

/**
 * `agreed`: delivered in the ring's order without a gap. `safe`: additionally known to be received by every
 * member before anyone delivers it (Amir et al., TOCS 13(4), 1995, section 2).
 */
export type Guarantee = "agreed" | "safe";

/** Names of the protocol's timers (semantics.md §1, §3). */
export type TotemTimer =
  | "token-loss"
  | "token-retransmit"
  | "token-warning"
  | "hold"
  | "join"
  | "consensus"
  | "merge"
  | "commit"
  | "pause";

/** Effective protocol constants; milliseconds unless said. `config` computes them (corosync.conf(5), totem). */
export interface TotemOptions {
  readonly tokenMs: Millis;
  /** Percentage of `tokenMs` after which a warning is logged; 0 switches it off. */
  readonly tokenWarning: number;
  readonly tokenRetransmitMs: Millis;
  readonly holdMs: Millis;
  readonly joinMs: Millis;
  readonly sendJoinMs: Millis;
  readonly consensusMs: Millis;
  readonly mergeMs: Millis;
  readonly failRecvConst: number;
  readonly seqnoUnchangedConst: number;
  readonly missCountConst: number;
  /** Messages per rotation, whole ring. */
  readonly windowSize: number;
  /** Messages per token visit, one node. */
  readonly maxMessages: number;
  /** Bytes a datagram may have, IP and UDP headers included; what the links add below the protocol is not in it. */
  readonly netmtu: number;
  readonly cancelTokenHoldOnRetransmit: boolean;
  /** Version of the configuration (corosync.conf(5), config_version); 0 or absent: not kept. */
  readonly configVersion?: number;
}

/** What goes into the protocol core. The first event is `start`. */
export type TotemEvent =
  | { readonly type: "start"; readonly ringSequence: number }
  /** A protocol message whose sender has been authenticated. The bytes belong to the core from now on. */
  | { readonly type: "datagram"; readonly from: NodeId; readonly data: Uint8Array }
  | { readonly type: "timer"; readonly timer: TotemTimer }
  /** What lies below knows that this node is not reached any more, before its silence is long enough to tell. */
  | { readonly type: "lost"; readonly node: NodeId }
  /** Puts a message of any size into the queue of this node. */
  | { readonly type: "send"; readonly payload: Uint8Array; readonly guarantee: Guarantee }
  /** The ring sequence of a `persist` effect is on disk; what waited for it goes on. */
  | { readonly type: "persisted"; readonly ringSequence: number }
  /** New constants or peers, applied by every node at the same point of the message order. */
  | { readonly type: "reconfigure"; readonly options: TotemOptions; readonly peers: readonly NodeId[] }
  /** Orderly exit: tell the others, send nothing more. */
  | { readonly type: "leave" };

/** What the driver must do, in order. */
export type TotemEffect =
  /** `successor`: one node, the token's way. `all`: every configured peer, by unicast; never to oneself. */
  | { readonly type: "transmit"; readonly to: NodeId | "all"; readonly data: Uint8Array }
  | { readonly type: "set-timer"; readonly timer: TotemTimer; readonly afterMs: Millis }
  | { readonly type: "cancel-timer"; readonly timer: TotemTimer }
  | {
      readonly type: "deliver";
      readonly from: NodeId;
      readonly payload: Uint8Array;
      readonly ringId: RingId;
      /** Ring-wide sequence number of the message's last fragment. */
      readonly sequence: number;
    }
  /** Extended virtual synchrony: first `transitional` (survivors of the old ring), then `regular`. */
  | {
      readonly type: "configuration";
      readonly kind: "transitional" | "regular";
      readonly ringId: RingId;
      readonly members: readonly NodeId[];
      readonly joined: readonly NodeId[];
      /** Members of the ring before that are gone; `orderly` those of them that said so. */
      readonly left: readonly NodeId[];
      readonly orderly: readonly NodeId[];
    }
  /**
   * Write the ring sequence durably, then answer with `persisted`. It lies ahead of the sequences in use, so that a
   * new ring seldom has to wait for the disk; `start` gets it back after a restart.
   */
  | { readonly type: "persist"; readonly ringSequence: number }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "notice" | "warning" | "error";
      readonly text: string;
    };

/** Counters and state for `hactl ring status`. */
export interface TotemStatus {
  readonly state: "operational" | "gather" | "commit" | "recovery" | "stopped";
  readonly ringId: RingId;
  readonly members: readonly NodeId[];
  readonly counters: Readonly<Record<string, number>>;
  /** Neighbours with another configuration than this node's, with which it forms no ring, and what differs. */
  readonly refused: readonly { readonly node: NodeId; readonly reason: string }[];
  /** Token rotation time. */
  readonly rotationMs: { readonly now: Millis; readonly average: Millis; readonly worst: Millis };
}

import type { Millis, NodeId } from "../terms/index.ts";
import type { LinkTimes } from "./links-liveness.ts";
import type { StampKey } from "./seal-stamp.ts";

/** How a datagram chooses among the links that are up (corosync.conf(5), link_mode). */
export type LinkMode = "passive" | "active" | "rr";

/** One network that connects all nodes. */
export interface LinkOptions extends LinkTimes {
  /** 0 … 7. */
  readonly number: number;
  /** In passive mode the highest wins, then the lowest number. */
  readonly priority: number;
}

/** Where a node is reached. */
export interface LinkAddress {
  readonly link: number;
  readonly address: string;
  readonly port: number;
}

/** A node of the node list with its addresses, at most one a link. */
export interface LinkNode {
  readonly node: NodeId;
  readonly addresses: readonly LinkAddress[];
}

/** What may change while the ring runs. */
export interface LinksOptions {
  readonly mode: LinkMode;
  readonly links: readonly LinkOptions[];
  readonly nodes: readonly LinkNode[];
  /** Drop what comes from addresses that are not in the node list (corosync.conf(5), block_unlisted_ips). */
  readonly blockUnlistedIps: boolean;
  /** How long a node counts as heard after its last link went down: the token timeout. */
  readonly reachLagMs: Millis;
}

/** What the links ask for, in order. */
export type LinksEffect =
  | {
      readonly type: "send";
      readonly link: number;
      readonly to: NodeId;
      readonly address: string;
      readonly port: number;
      readonly data: Uint8Array;
    }
  | { readonly type: "set-timer"; readonly timer: "tick"; readonly afterMs: Millis }
  /** A protocol message from a node that this node hears both ways. */
  | { readonly type: "receive"; readonly from: NodeId; readonly data: Uint8Array }
  /** No link has carried anything to this node and back for the lag: nothing more is received from it. */
  | { readonly type: "lost"; readonly node: NodeId }
  /**
   * A flood of datagrams of somebody without the key: the kernel has to refuse what has no stamp of one of these keys.
   * Undefined: it lets all through.
   */
  | { readonly type: "refuse-unstamped"; readonly keys: readonly StampKey[] | undefined }
  | { readonly type: "log"; readonly level: "debug" | "info" | "notice" | "warning"; readonly text: string };

/** Reasons for which a datagram is dropped; each is counted. */
export type LinkDrop =
  | "short"
  | "foreign"
  | "version"
  | "own"
  | "unknown-sender"
  | "unknown-key"
  | "forged"
  | "too-many"
  | "bad-tag"
  | "replay"
  | "unlisted-address"
  | "wrong-address"
  | "unknown-link"
  | "malformed"
  | "misdirected"
  | "unproven"
  | "stale-pong"
  | "unreachable";

/** Why this node ignores a host that may belong to the cluster. */
export type StrangerCause =
  /** It has the key, and the number of a node that is listed at another address. */
  | "claims-node"
  /** It has the key and this node's own number. */
  | "claims-self"
  /** It has the key, and a number that is not in the node list. */
  | "unlisted-node"
  /** It has the key, and what it sends here is for a node of another number. */
  | "calls-another"
  /** At a listed address: another key, another version, another program, or datagrams that do not open. */
  | "another-key"
  | "another-version"
  | "another-program"
  | "damaged";

/** A host that this node ignores. */
export interface Stranger {
  /** Whom it claims to be, or who is listed at that address. */
  readonly node: NodeId | undefined;
  readonly link: number;
  readonly address: string;
  readonly cause: StrangerCause;
}

/** One link to one node, for `hactl ring status`. */
export interface LinkStatus {
  readonly node: NodeId;
  readonly link: number;
  readonly address: string;
  readonly up: boolean;
  readonly since: Millis;
  readonly latencyMs: number | undefined;
  readonly downs: number;
}

export interface LinksStatus {
  readonly links: readonly LinkStatus[];
  /** Whom each node hears both ways: this node, and those that it hears, as they say. */
  readonly hears: ReadonlyMap<NodeId, readonly NodeId[]>;
  /** Hosts that are ignored although they may belong to the cluster. */
  readonly strangers: readonly Stranger[];
  readonly counters: Readonly<Record<string, number>>;
}

import type { LastQuorate, QuorumOptions, QuorumState } from "../quorum/index.ts";
import type { Millis, NodeId } from "../terms/index.ts";
import type {
  LinksOptions,
  LinksStatus,
  RingId,
  StampKey,
  TotemOptions,
  TotemStatus,
} from "../totem/index.ts";
import type { BroughtRefusal } from "./ring-core-brought.ts";

/** Everything that the ring of a node has to know. */
export interface RingCoreOptions {
  readonly self: NodeId;
  readonly totem: TotemOptions;
  readonly quorum: QuorumOptions;
  /** Links, addresses of all nodes (this one's are not used), mode. */
  readonly links: LinksOptions;
  /** Bytes of the key file, and of a second one while the key is being changed. */
  readonly key: Uint8Array;
  readonly alsoAcceptKeys?: readonly Uint8Array[];
  /** A key that was stored but not adopted before this start: the change goes on. */
  readonly nextKey?: Uint8Array;
  /** A key that was brought to this node by hand: accepted, and used when others use it. */
  readonly broughtKey?: Uint8Array;
  /** Part of all that is derived from the key: as it was at the start, until all are restarted. */
  readonly clusterName?: string;
  readonly configVersion: number;
  /** Options that have to be the same on all nodes, as name and value: compared and logged when they differ. */
  readonly agreement: readonly (readonly [string, string])[];
}

/** The part of the options that may change while the ring runs. */
export type RingCoreChange = Omit<
  RingCoreOptions,
  "self" | "key" | "clusterName" | "alsoAcceptKeys" | "nextKey" | "broughtKey"
>;

/** What goes into the ring. The first event is `start`. */
export type RingEvent =
  /** `ringSequence`, `expectedVotes` and `lastQuorate` as the last `persist…` effects of an earlier run wrote them. */
  | {
      readonly type: "start";
      readonly ringSequence: number;
      readonly expectedVotes?: number;
      readonly lastQuorate?: LastQuorate;
    }
  /** `address`: the sender's IP address as the socket gave it. */
  | { readonly type: "datagram"; readonly link: number; readonly address: string; readonly data: Uint8Array }
  | { readonly type: "timer"; readonly timer: RingTimer }
  | { readonly type: "persisted"; readonly ringSequence: number }
  /** A manager connected. No manager before it on this node had the same incarnation; > 0, below 2^48. */
  | { readonly type: "manager-up"; readonly incarnation: number }
  | { readonly type: "manager-down" }
  | { readonly type: "manager-send"; readonly payload: Uint8Array }
  /** An administrator sets the cluster's expected votes. */
  | { readonly type: "set-expected-votes"; readonly votes: number }
  /** An administrator sets the votes of a member. */
  | { readonly type: "set-votes"; readonly node: NodeId; readonly votes: number }
  | { readonly type: "set-keys"; readonly key: Uint8Array; readonly alsoAccept: readonly Uint8Array[] }
  /** An administrator gives the cluster a new key. Only for a settled, quorate ring without a change under way. */
  | { readonly type: "rekey"; readonly key: Uint8Array }
  /**
   * An administrator has brought a new key to all nodes: they switch to it when all members have it. Only for a settled, quorate
   * ring without a change under way. `nonce`: 32 random hexadecimal digits. Answered by `key-changed` or `brought-refused`.
   */
  | { readonly type: "rekey-brought"; readonly nonce: string }
  /** Answer to `find-brought`. */
  | { readonly type: "brought-found"; readonly nonce: string; readonly key: Uint8Array | undefined }
  /** The administrator waits no longer: the key stays as it is, unless all have switched already. */
  | { readonly type: "drop-brought"; readonly nonce: string }
  /** Answers to `store-key` and `adopt-key`. */
  | { readonly type: "key-stored"; readonly digest: string }
  | { readonly type: "key-adopted"; readonly digest: string }
  /** This node has read a changed configuration: it is applied when all members have read the same. */
  | { readonly type: "reconfigure"; readonly change: RingCoreChange }
  | { readonly type: "leave" };

/** `${layer}:${name}`. */
export type RingTimer = `totem:${string}` | "links:tick" | "quorum:last-man-standing";

/** A manager that takes part in the cluster. */
export interface Participant {
  readonly nodeId: NodeId;
  readonly incarnation: number;
}

/**
 * Who is there: the same on all members, at the same point of the message order. `left`, `orderlyLeft` and
 * `cameWithMe` compare with the membership that this node was in before, so they differ between nodes that come
 * from different ones.
 */
export interface RingMembership {
  readonly ringId: RingId;
  /** Memberships of one ring are numbered from 1: ring and serial together name a membership. */
  readonly serial: number;
  /** Nodes whose ring takes part. */
  readonly members: readonly NodeId[];
  /** Nodes whose manager takes part. */
  readonly participants: readonly Participant[];
  readonly quorate: boolean;
  readonly quorum: QuorumState;
  /** Nodes of the membership before that are gone; `orderlyLeft` those of them that said goodbye. */
  readonly left: readonly NodeId[];
  readonly orderlyLeft: readonly NodeId[];
  /**
   * Participants that have received exactly the same messages as this node since the membership before, this node
   * included. Empty for a manager's first membership.
   */
  readonly cameWithMe: readonly NodeId[];
}

/** What the driver must do, in order. */
export type RingEffect =
  | {
      readonly type: "send";
      readonly link: number;
      readonly to: NodeId;
      readonly address: string;
      readonly port: number;
      readonly data: Uint8Array;
    }
  | { readonly type: "set-timer"; readonly timer: RingTimer; readonly afterMs: Millis }
  | { readonly type: "cancel-timer"; readonly timer: RingTimer }
  /** The sockets take only what has a stamp of one of these keys from now on; undefined: they take all. */
  | { readonly type: "refuse-unstamped"; readonly keys: readonly StampKey[] | undefined }
  /** Write durably, then answer with `persisted`. */
  | { readonly type: "persist"; readonly ringSequence: number }
  /** Write durably; no answer. */
  | {
      readonly type: "persist-expected-votes";
      readonly expectedVotes: number;
      readonly lastQuorate: LastQuorate;
    }
  /** A configuration that this node has read is in force now: all members have read the same. */
  | { readonly type: "reconfigured"; readonly change: RingCoreChange }
  /** Write the new key beside the present one, durably and for nobody else to read, then answer `key-stored`. */
  | { readonly type: "store-key"; readonly key: Uint8Array; readonly digest: string }
  /** Make it the key of the next start and keep the old one, then answer with `key-adopted`. */
  | { readonly type: "adopt-key"; readonly key: Uint8Array; readonly digest: string }
  /** Read the key that somebody may have brought to this node, then answer `brought-found`. */
  | { readonly type: "find-brought"; readonly nonce: string }
  /** Nothing was changed: not all members have the same one. */
  | { readonly type: "brought-refused"; readonly refusal: BroughtRefusal }
  /** All members use the new key, and nothing else is accepted any more. */
  | { readonly type: "key-changed"; readonly digest: string; readonly nodes: readonly NodeId[] }
  /** To the local manager, and only to the one with this incarnation. */
  | { readonly type: "manager-membership"; readonly incarnation: number; readonly membership: RingMembership }
  | {
      readonly type: "manager-deliver";
      readonly incarnation: number;
      readonly from: NodeId;
      readonly payload: Uint8Array;
    }
  /** The configuration changed; a membership follows as soon as all have announced themselves. */
  | { readonly type: "manager-changing"; readonly incarnation: number }
  /** For logs and history. */
  | {
      readonly type: "configuration";
      readonly ringId: RingId;
      readonly members: readonly NodeId[];
      readonly joined: readonly NodeId[];
      readonly left: readonly NodeId[];
      readonly orderly: readonly NodeId[];
    }
  | { readonly type: "quorum"; readonly state: QuorumState }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "notice" | "warning" | "error";
      /** Part of the ring that speaks, as `[[logging.logger_subsys]]` has it. */
      readonly subsystem: "TOTEM" | "LINK" | "QUORUM";
      readonly text: string;
    };

/** An option in which another node differs from this one. */
export interface Disagreement {
  readonly node: NodeId;
  /** What is said of that node, behind its name. */
  readonly text: string;
  /** Whether the option decides who is quorate: until it is the same, only a majority counts. */
  readonly quorum?: true;
}

/** For `hactl ring status` and `hactl quorum status`. */
export interface RingCoreStatus {
  readonly self: NodeId;
  readonly totem: TotemStatus;
  readonly links: LinksStatus;
  readonly quorum: QuorumState;
  /** Votes of the members, as they count. */
  readonly votes: Readonly<Record<number, number>>;
  /** The same by the configuration: what differs was set by an administrator. */
  readonly configuredVotes?: Readonly<Record<number, number>>;
  /** Whether all members have announced themselves in this configuration. */
  readonly settled: boolean;
  readonly participants: readonly Participant[];
  /** Bytes that the local manager has sent and that were not delivered yet: for flow control. */
  readonly backlogBytes: number;
  /** Nodes whose options differ from this node's, and how. */
  readonly disagreements: readonly Disagreement[];
  /** Members that have not yet read the new configuration that this node has read. */
  readonly changeWaitsFor: readonly NodeId[];
  /** Members that have read a configuration that is not in force yet. */
  readonly changeReadBy: readonly NodeId[];
  /** A change of the key that is under way, and the members that it waits for. */
  readonly keyChange: { readonly digest: string; readonly waitsFor: readonly NodeId[] } | undefined;
}

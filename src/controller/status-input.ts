import type { XmlElement } from "../cib/index.ts";
import type { FenceResult } from "../fencer/index.ts";
import type { EpochSeconds, Millis, NodeName } from "../terms/index.ts";

/** A member of the ring, as the local daemon knows it. */
export interface StatusMember {
  readonly id: number;
  readonly name: NodeName;
  /** Its manager takes part in the decisions; a member without is "pending". */
  readonly participates: boolean;
}

/** One link between this node and another, as the ring measures it. */
export interface StatusLink {
  readonly link: number;
  readonly peer: NodeName;
  readonly up: boolean;
  /** Address used, for people. */
  readonly address?: string;
}

/** Ring and quorum as the local node sees them. */
export interface StatusMembership {
  /** `RING-ID` of the configuration, for people and comparison only. */
  readonly ringId: string;
  readonly members: readonly StatusMember[];
  /** Configured nodes that are not members. */
  readonly absent: readonly { readonly id: number; readonly name: NodeName }[];
  readonly quorate: boolean;
  /** Why it is (not) quorate: votes present and needed, two_node, wait_for_all. A clause without full stop. */
  readonly quorumReason: string;
  readonly votes: number;
  readonly expectedVotes: number;
  readonly quorumVotes: number;
  /** The DC; absent while none is decided. */
  readonly leader?: NodeName;
  readonly links: readonly StatusLink[];
}

/** What the leader is doing. Known on the leader; elsewhere what it last told. */
export interface StatusTransition {
  readonly id: number;
  readonly state: "idle" | "deciding" | "running" | "aborted" | "waiting";
  readonly total: number;
  readonly done: number;
  readonly flying: number;
  readonly failed: number;
  /** Keys of the actions under way, `RSC_TASK_INTERVALMS on NODE`. */
  readonly actions: readonly string[];
  /** Why it was aborted, or what it waits for. */
  readonly reason?: string;
}

/** Fencing under way. */
export interface StatusFencing {
  readonly target: NodeName;
  readonly action: "off" | "reboot" | "on";
  readonly origin: NodeName;
  readonly client: string;
  readonly startedAt: EpochSeconds;
  readonly reason: string;
}

/** Jobs limited because of load. */
export interface StatusThrottle {
  readonly node: NodeName;
  readonly mode: "none" | "low" | "medium" | "high" | "extreme";
  readonly jobs: number;
  readonly reason: string;
}

/** Something that people must know and the CIB does not tell; `code` as in the verdict of `hactl status`. */
export interface StatusWarning {
  readonly code:
    | "NO-DECISION"
    | "REPEATING"
    | "CONFIG-FALLBACK"
    | "FENCING-UNTRUE"
    | "ALERT-FAILING"
    | "STRANGER"
    | "OPTIONS-DIFFER"
    | "QUORUM-DIFFERS"
    | "EXPECTED-VOTES"
    | "CHANGE-WAITS"
    | "CLOCK"
    | "LOCAL-WARNING";
  readonly text: string;
  /** What to do. */
  readonly cure?: string;
  /** The node that it is about, where that is one. */
  readonly node?: NodeName;
}

/** A node that cannot write its state. */
export interface StatusDisk {
  readonly node: NodeName;
  readonly problem: string;
}

/**
 * Everything that a status display shows: what the manager answers to the request `status`. The renderers are
 * pure functions of it.
 */
export interface StatusInput {
  /** `<cib>` with configuration and status. */
  readonly cib: XmlElement;
  readonly now: EpochSeconds;
  /** Sections of the CIB in which access rules hide something from who asked: what is missing there may be there. */
  readonly hidden?: readonly string[];
  /** Node whose daemon answered; absent when a file is shown. */
  readonly localNode?: NodeName;
  readonly clusterName?: string;
  /** Version of hactl, and the feature set of the rules. */
  readonly version: string;
  readonly featureSet: string;
  /** Since when the local daemon runs. */
  readonly startedAt?: EpochSeconds;
  /** Absent when a file is shown: then the CIB's own `have-quorum` and `dc-uuid` count. */
  readonly membership?: StatusMembership;
  readonly transition?: StatusTransition;
  readonly fencing: {
    /** Newest first. */
    readonly history: readonly FenceResult[];
    readonly pending: readonly StatusFencing[];
    /** What keeps fencing from succeeding and is in no configuration. */
    readonly remarks?: readonly string[];
  };
  readonly throttle: readonly StatusThrottle[];
  /** Nodes that cannot write their state, as they tell it. */
  readonly disks: readonly StatusDisk[];
  /** What the leader, the ring and the local node itself want people to know. */
  readonly warnings: readonly StatusWarning[];
  /** How long a request to the manager took, when it is slow. */
  readonly delayMs?: Millis;
}

/** The same on the wire: JSON has no elements, so the CIB goes as XML text. */
export type StatusReply = Omit<StatusInput, "cib"> & { readonly cib: string };

import type { StatusFencing, StatusThrottle, StatusTransition } from "../../controller/index.ts";
import type { FenceResult } from "../../fencer/index.ts";
import type { CauseCode } from "./verdict-causes.ts";

/**
 * What `hactl status --json` prints (format `hactl-status/1`) and what the screen is made from. Times are seconds since
 * 1970. Members may be added; those that are here keep their meaning.
 */
export interface StatusModel {
  readonly format: "hactl-status/1";
  readonly verdict: Verdict;
  readonly cluster: ClusterFacts;
  readonly nodes: readonly NodeFacts[];
  readonly resources: readonly ResourceFacts[];
  readonly failures: readonly FailureFacts[];
  readonly fencing: FencingFacts;
  readonly tickets: readonly { readonly id: string; readonly granted: boolean; readonly standby: boolean }[];
  readonly bans: readonly { readonly id: string; readonly rsc: string; readonly node: string }[];
  readonly transition?: StatusTransition;
  readonly throttle: readonly StatusThrottle[];
}

/** `UNKNOWN`: access rules hide from who asks what the verdict would rest on, and nothing bad is seen. */
export type VerdictState = "NORMAL" | "DEGRADED" | "STOPPED" | "NO QUORUM" | "UNKNOWN";

/** The state of the whole, and why. */
export interface Verdict {
  readonly state: VerdictState;
  /** The most important cause, or what is well. */
  readonly text: string;
  /** Everything that is not as it should be, the most important first. */
  readonly causes: readonly Cause[];
}

/** One thing that is not as it should be. */
export interface Cause {
  /** Stable name. */
  readonly code: CauseCode;
  /** `warning` does not make the cluster DEGRADED: a risk, not a failure. */
  readonly level: "error" | "warning";
  readonly text: string;
  readonly cure?: string;
  readonly node?: string;
  readonly rsc?: string;
}

/** A cause whose level is that of its kind (`verdictCauses`). */
export type CauseWithoutLevel = Omit<Cause, "level">;

export interface ClusterFacts {
  /** What is shown, where it is not the running cluster: a file, a draft. */
  readonly source?: string;
  /** Sections of the CIB in which access rules hide something from who asks. */
  readonly hidden?: readonly string[];
  readonly name?: string;
  readonly localNode?: string;
  readonly leader?: string;
  readonly now: number;
  readonly version: string;
  readonly featureSet: string;
  /** `admin_epoch.epoch.num_updates`. */
  readonly configVersion: string;
  readonly configChanged?: string;
  readonly quorate: boolean;
  readonly quorumReason?: string;
  readonly votes?: number;
  readonly expectedVotes?: number;
  readonly maintenance: boolean;
  readonly instances: {
    readonly total: number;
    readonly running: number;
    /** Of those that run: neither switched on nor configured, or more than there may be. */
    readonly surplus: number;
    readonly disabled: number;
    readonly blocked: number;
  };
}

/** State of a node that is in the node list alone. */
export const NEVER_SEEN = "never seen";

/** Why a fence device is not used that location constraints keep off every node. */
export const NO_PLACE = "no node may run it";

export interface NodeFacts {
  readonly name: string;
  readonly id: string;
  readonly kind: "member" | "remote" | "guest";
  /** "online", "standby", "UNCLEAN (offline)", … */
  readonly state: string;
  readonly online: boolean;
  readonly unclean: boolean;
  readonly leader: boolean;
  /** It is being stopped. */
  readonly leaving: boolean;
  readonly resources: number;
  /** Why it must be fenced, when it is unclean. */
  readonly reason?: string;
  readonly links?: readonly { readonly link: number; readonly up: boolean; readonly address?: string }[];
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ResourceFacts {
  readonly id: string;
  readonly kind: "primitive" | "group" | "clone" | "bundle";
  readonly agent?: string;
  /** Of a primitive: "Started", "Stopped", "Promoted", "Unpromoted", "Starting", …; `FAILED` is a flag. */
  readonly role?: string;
  readonly nodes: readonly { readonly node: string; readonly role: string; readonly since?: number }[];
  readonly failed: boolean;
  readonly flags: readonly string[];
  /** What the last failure said. */
  readonly failure?: string;
  /** For clones: nodes that could have an instance and have none. */
  readonly idle?: readonly string[];
  readonly promotable?: boolean;
  readonly children: readonly ResourceFacts[];
}

export interface FailureFacts {
  readonly rsc: string;
  readonly task: string;
  readonly intervalMs: number;
  readonly node: string;
  readonly rc: number;
  readonly status: number;
  /** "Not running", "Timed Out", … */
  readonly outcome: string;
  readonly exitReason: string;
  readonly at?: number;
  readonly execMs: number;
  readonly failCount: number | "INFINITY";
  readonly threshold: number;
}

export interface FencingFacts {
  readonly enabled: boolean;
  readonly devices: readonly {
    readonly id: string;
    readonly agent: string;
    readonly node?: string;
    readonly disabled?: string;
  }[];
  /** Nodes that no device can fence. */
  readonly unfenceable: readonly string[];
  /** Devices whose lists of hosts name no node that is there. */
  readonly idle: readonly string[];
  /** Device ids by level, for each node with a topology. */
  readonly topology: readonly { readonly node: string; readonly levels: readonly (readonly string[])[] }[];
  readonly warnings: readonly string[];
  readonly pending: readonly StatusFencing[];
  /** Newest first. */
  readonly history: readonly FenceResult[];
}

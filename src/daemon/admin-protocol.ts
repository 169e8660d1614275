import type { AttributeUpdate } from "../attributes/index.ts";
import type { CibOperation } from "../cib/index.ts";
import type { AskedAgents, FailedOperation } from "../controller/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";

/** Frames on the admin socket: requests and replies carry a number that ties them together. */
export const AdminFrame = {
  /**
   * JSON `{ id, request }`, client to manager; with `user`, root or hacluster asks in the name of that user. Who asks is
   * what the socket says, never the message.
   */
  REQUEST: 1,
  /** JSON `{ id, value }` or `{ id, error }`, manager to client. */
  REPLY: 2,
  /** Something changed; for clients that asked to `watch`. */
  CHANGED: 3,
} as const;

/** What can be asked of a daemon, by the CLI and by agents' tools. */
export type AdminRequest =
  /** Everything that a status display shows: `StatusReply`. */
  | { readonly type: "status" }
  /** The whole `<cib>` as XML text. */
  | { readonly type: "cib" }
  /** Changes the CIB, all or nothing. */
  | { readonly type: "cib-apply"; readonly operations: readonly CibOperation[]; readonly client: string }
  | {
      readonly type: "attributes-update";
      readonly updates: readonly AttributeUpdate[];
      /** Values of nodes that nobody knows are kept for them, as Pacemaker's attribute manager does. */
      readonly keepsUnknown?: boolean;
    }
  /** Current values of a transient attribute, by node; private and dampened ones too. */
  | { readonly type: "attributes-query"; readonly name: string; readonly node?: string }
  /** Names of the transient attributes that any node has; private and dampened ones too. */
  | { readonly type: "attributes-names" }
  /** Forget failures (and with `failuresOnly: false` the history) of a resource, so that it is looked at anew. */
  | {
      readonly type: "forget";
      readonly rsc?: string;
      readonly node?: string;
      readonly failuresOnly: boolean;
      /** Of the failures, only those of this operation. */
      readonly failed?: FailedOperation;
    }
  /** A resource, by its name in the histories, is to count as failed on a node where it runs. */
  | { readonly type: "fail"; readonly rsc: string; readonly node: string }
  /** Who am I, who is there: `NodeReply`. */
  | { readonly type: "node" }
  | { readonly type: "ring-status" }
  | { readonly type: "expected-votes"; readonly votes: number }
  /** Votes of a member, until it starts again or another hactl.toml comes into force. */
  | { readonly type: "node-votes"; readonly node: number; readonly votes: number }
  /** With `force` also where the quorum is lost by it. */
  | { readonly type: "reload"; readonly force?: boolean | undefined }
  /** Give the cluster a new key: `RekeyReply`. `brought`: the one that was brought to each node. */
  | { readonly type: "rekey"; readonly brought?: boolean | undefined }
  /** Drain this node and leave the cluster; answered at once. */
  | { readonly type: "shutdown" }
  /** Answered when the leader has nothing to do any more, or after the time. */
  | { readonly type: "wait-idle"; readonly timeoutMs: number }
  /** `CHANGED` frames from now on. */
  | { readonly type: "watch" }
  /** The last decision of this node as leader: input, actions, reasons. */
  | { readonly type: "history"; readonly since?: number; readonly limit?: number }
  | { readonly type: "metadata"; readonly class: string; readonly provider?: string; readonly agent: string }
  /** What these agents are on some nodes of the cluster: `SurveyReply`. */
  | { readonly type: "agents"; readonly asked: readonly AskedAgents[] }
  /** Fence a node and wait for the outcome: `FenceResult`. */
  | {
      readonly type: "fence.request";
      readonly target: string;
      readonly action: "off" | "reboot" | "on";
      readonly timeoutMs?: number;
      /** Before the first device, besides what devices ask for; −1 switches every delay off. */
      readonly delayMs?: number;
      readonly client: string;
      readonly reason: string;
    }
  | { readonly type: "fence.history" }
  /** Nobody sees any more what has been fenced until now; `target`: of one node only. */
  | { readonly type: "fence.forget"; readonly target?: string; readonly client: string }
  /** Register a device with the fencer of this node, as long as that runs: what is remarkable about it. */
  | {
      readonly type: "fence.register";
      readonly device: string;
      readonly agent: string;
      readonly params: Readonly<Record<string, string>>;
      readonly client: string;
    }
  | { readonly type: "fence.deregister"; readonly device: string; readonly client: string }
  /** Devices of a level for NAME, `@PATTERN` or ATTRIBUTE=VALUE, as long. */
  | {
      readonly type: "fence.register-level";
      readonly target: string;
      readonly index: number;
      readonly devices: readonly string[];
      readonly client: string;
    }
  /** `index` 0: every level of that target. */
  | {
      readonly type: "fence.deregister-level";
      readonly target: string;
      readonly index: number;
      readonly client: string;
    }
  | { readonly type: "fence.confirm"; readonly target: string; readonly client: string }
  | { readonly type: "fence.test"; readonly target: string }
  | { readonly type: "fence.devices" }
  /** Ask fence devices from this node, without touching a host: `DeviceAnswer[]`. */
  | {
      readonly type: "fence.ask";
      readonly ask: "monitor" | "list" | "able";
      /** One device; all that are used when none is named. */
      readonly device?: string;
      /** The host that is to be fenced, for `able`. */
      readonly target?: string;
      readonly timeoutMs?: number;
    };

/** Answer to `node`. */
export interface NodeReply {
  readonly id: number;
  readonly name: string;
  readonly quorate: boolean;
  readonly leader?: string;
  /** Access rules hide some of the nodes from who asks, or which of them leads: what is not told may be there. */
  readonly hidden?: boolean;
  /** Sections of the CIB in which access rules hide something from who asks. */
  readonly hiddenSections?: readonly string[];
  readonly joined: boolean;
  /** Process of the daemon, which ends last. */
  readonly pid: number;
  /** The file that tells, when that process has ended, whether it has left in order (`hasLeft`). */
  readonly leftMark?: string;
  readonly members: readonly {
    readonly id: number;
    readonly name: string;
    readonly state: "member" | "pending" | "lost";
  }[];
}

/** An error on its way to a client. */
export interface WireError {
  readonly code: string;
  readonly what: string;
  readonly cure?: string;
  readonly where?: {
    readonly file?: string;
    readonly line?: number;
    readonly column?: number;
    readonly id?: string;
  };
  readonly exit: number;
}

/** Any error as it goes to a client. What was not thrown on purpose is a defect, and says so. */
export function wireError(error: unknown): WireError {
  if (error instanceof HactlError) {
    const { code, what, cure, where, exit } = error;
    return {
      code,
      what,
      exit,
      ...(cure === undefined ? {} : { cure }),
      ...(where === undefined ? {} : { where }),
    };
  }
  const what = `the daemon could not answer: ${error instanceof Error ? error.message : String(error)}`;
  return { code: "INTERNAL", what, cure: "see the daemon's log, and report it", exit: CrmExit.SOFTWARE };
}

/** Path of the admin socket in a run directory. */
export const adminSocketPath = (runDir: string): string => `${runDir}/admin.sock`;
export const ringSocketPath = (runDir: string): string => `${runDir}/ring.sock`;
export const executorSocketPath = (runDir: string): string => `${runDir}/executor.sock`;
/** Names of the sockets in the run directory. */
export const socketNames: readonly string[] = ["admin.sock", "ring.sock", "executor.sock"];

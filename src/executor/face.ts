import type { EpochSeconds, Millis, OpStatus, ResourceId } from "../terms/index.ts";

/** The agent and instance that an operation is for. */
export interface AgentResource {
  readonly id: ResourceId;
  readonly class: "ocf" | "lsb" | "systemd" | "service" | "stonith";
  readonly provider?: string;
  readonly type: string;
}

/** One operation for an executor to run: once, or again and again when `intervalMs` > 0. */
export interface Operation {
  /** Number that the manager gives; a result names it. Higher is later. */
  readonly callId: number;
  readonly rsc: AgentResource;
  readonly action: string;
  readonly intervalMs: Millis;
  readonly timeoutMs: Millis;
  readonly startDelayMs: Millis;
  /** Parameters as they are and meta attributes as `CRM_meta_NAME`. */
  readonly params: Readonly<Record<string, string>>;
  /** Carried through unchanged: the transition key of the action. */
  readonly transitionKey: string;
}

/** What an agent says of its parameters, as far as it decides what a change of them asks for. */
export interface ParameterTraits {
  /** The action by which it takes over changed parameters while its service runs on; absent when it cannot. */
  readonly reload?: "reload-agent" | "reload";
  /** A change of these needs a restart all the same. */
  readonly forceRestart: readonly string[];
  /** Secrets of its own: a change of nothing but these does not restart. */
  readonly private: readonly string[];
}

/** How an operation ended. A recurring one reports its first result and then each that differs. */
export interface OperationResult {
  readonly callId: number;
  readonly rsc: AgentResource;
  readonly action: string;
  readonly intervalMs: Millis;
  readonly transitionKey: string;
  readonly rc: number;
  readonly status: OpStatus;
  /** Text behind `ocf-exit-reason:`, or hactl's own words (time-out, not installed). */
  readonly exitReason: string;
  readonly stdout: string;
  readonly execMs: Millis;
  readonly queueMs: Millis;
  readonly lastRun: EpochSeconds;
  /** When the result became what it is. */
  readonly lastChange: EpochSeconds;
  readonly params: Readonly<Record<string, string>>;
  /** As the agent's meta-data said on the node where it ran; the manager there adds it as soon as it is known. */
  readonly traits?: ParameterTraits;
}

/** What a manager asks of an executor. */
export type ExecutorRequest =
  /** First message on a connection. `client` names the manager for the log. */
  | { readonly type: "register"; readonly client: string; readonly version: number }
  | { readonly type: "execute"; readonly operation: Operation }
  | {
      readonly type: "cancel";
      readonly rsc: ResourceId;
      readonly action: string;
      readonly intervalMs: Millis;
    }
  /** The cluster has looked for everything that may run here: what is not known does not run. */
  | { readonly type: "probed" }
  /** Forget the resource: cancel its recurring operations and drop its history. */
  | { readonly type: "forget"; readonly rsc: ResourceId }
  /**
   * The cluster has dropped what it knew of a failure: what recurring operations of the resource said last does not count
   * any more. They run at once and say what they find, also if it is the same.
   */
  | { readonly type: "look-again"; readonly rsc: ResourceId }
  /** `looks`: whether an init script or unit is there is to be found out, too; others describe themselves. */
  | {
      readonly type: "metadata";
      readonly requestId: number;
      readonly rsc: Omit<AgentResource, "id">;
      readonly looks?: boolean;
    }
  | { readonly type: "list"; readonly requestId: number; readonly class: string; readonly provider?: string }
  /** Is it alive? Answered with `pong`; a frozen executor does not answer. */
  | { readonly type: "ping"; readonly requestId: number }
  /** Answer to a `tool` event of a remote host. */
  | { readonly type: "tool-reply"; readonly requestId: number; readonly reply: unknown }
  /** The cluster has stopped what ran there; a remote that asked to stop may end. */
  | { readonly type: "shutdown-ack" }
  /** Cluster properties that concern executors; a field that is absent keeps its value. */
  | {
      readonly type: "configure";
      /** `node-action-limit`; 0 means twice the number of cores. */
      readonly nodeActionLimit?: number;
      /** `load-threshold`, percent. */
      readonly loadThreshold?: number;
      /** What the node's configuration says by now (`describeInForce`), for its own executor: where it logs, what agents are told. */
      readonly inForce?: string;
    };

/** Who calls a tool: a user of the host where it runs, as the kernel and the databases there say. */
export interface ToolUser {
  readonly name: string;
  readonly groups: readonly string[];
  /** root or hacluster there, or whoever the daemon runs as. */
  readonly privileged: boolean;
}

/** What an executor tells its manager. */
export type ExecutorEvent =
  /** Answer to `register`: what is known here, so that a new manager misses nothing. */
  | {
      readonly type: "registered";
      readonly version: number;
      readonly hostname: string;
      readonly bootId: string;
      readonly results: readonly OperationResult[];
      readonly running: readonly Operation[];
      readonly recurring: readonly Operation[];
      /**
       * What may have left a service active of which nothing is known now: changes that were under way when an earlier
       * daemon died, what brought services up that were forgotten, or that ran when nobody looked for too long. With the
       * parameters with which the service runs, if it does.
       */
      readonly interrupted: readonly Operation[];
      /** Resources of which only what an earlier daemon left is told: nothing has been seen of them since. */
      readonly remembered: readonly ResourceId[];
      /**
       * Nothing of the cluster runs on this host but what is named here. Not so after a start that found no trace of
       * what ran before, unless the host has been rebooted: what is not named may run.
       */
      readonly complete: boolean;
    }
  | { readonly type: "result"; readonly result: OperationResult }
  | {
      readonly type: "cancelled";
      readonly rsc: ResourceId;
      readonly action: string;
      readonly intervalMs: Millis;
    }
  /** `absent`: the error is that the agent is not there, or cannot be run. */
  | {
      readonly type: "metadata";
      readonly requestId: number;
      readonly xml: string;
      readonly error?: string;
      readonly absent?: boolean;
    }
  | { readonly type: "list"; readonly requestId: number; readonly names: readonly string[] }
  | { readonly type: "pong"; readonly requestId: number }
  /** An agent on a remote host called an admin tool: the same request as on the local IPC socket. */
  | {
      readonly type: "tool";
      readonly requestId: number;
      readonly request: unknown;
      /** Who asks there, as that host's socket saw it. */
      readonly user?: ToolUser;
    }
  /** Load of this host, sent when the mode changes (semantics.md §15). */
  | {
      readonly type: "load";
      readonly mode: "none" | "low" | "medium" | "high" | "extreme";
      readonly jobs: number;
      readonly reason: string;
    }
  | { readonly type: "shutdown-request" };

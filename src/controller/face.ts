import type { AlertEvent } from "../alerts/index.ts";
import type { AttributeSnapshot, AttributeUpdate } from "../attributes/index.ts";
import type { Asker, CibOperation, CibVersion, XmlElement } from "../cib/index.ts";
import type { AgentResource, Operation, OperationResult, ParameterTraits } from "../executor/index.ts";
import type { FenceRequest, FenceResult, FencerMembership } from "../fencer/index.ts";
import type { RemoteHost, SchedulerInput, Transition } from "../scheduler/index.ts";
import type { EpochSeconds, HactlError, Millis, NodeId, NodeName, ResourceId } from "../terms/index.ts";
import type { AgentKind } from "./agent-knowledge.ts";
import type { Loss } from "./join.ts";
import type {
  AskedAgents,
  Boots,
  ExecutorHistory,
  FailedOperation,
  RemoteAddress,
  RemoteHistory,
  ToldAgent,
} from "./messages.ts";
import type { ClusterTraits } from "./own-properties.ts";
import type { StatusWarning } from "./status-input.ts";

/** A node of the node list in hactl.toml. */
export interface ConfiguredNode {
  readonly id: NodeId;
  readonly name: NodeName;
}

/** A membership as the ring announces it, at the same point of the message order everywhere. */
export interface Membership {
  readonly ringId: { readonly representative: NodeId; readonly sequence: number };
  /** Memberships of one ring are numbered. */
  readonly serial: number;
  /** Nodes whose ring is there. */
  readonly members: readonly NodeId[];
  /** Those of them whose manager is there. */
  readonly participants: readonly { readonly nodeId: NodeId; readonly incarnation: number }[];
  /** Participants that were with this node without a break since the membership before. */
  readonly cameWithMe: readonly NodeId[];
  readonly quorate: boolean;
}

/** Timers that the controller sets; a dampening has the attribute's name behind a colon. */
export type ControllerTimer =
  | "schedule"
  | "recheck"
  | "transition"
  | "startup"
  | "manager-grace"
  | `dampen:${string}`;

/** Names an administrator's request, so that the reply finds its way. */
export type RequestId = string;

/** What came of a decision that was computed elsewhere (`plan`). */
export interface PlanAnswer {
  readonly id: number;
  /** Absent when none could be computed. */
  readonly decision?: Transition | undefined;
  readonly error?: string | undefined;
}

export type ControllerEvent =
  | { readonly type: "membership"; readonly membership: Membership }
  | { readonly type: "message"; readonly from: NodeId; readonly payload: Uint8Array }
  | { readonly type: "timer"; readonly timer: ControllerTimer }
  /**
   * The local executor is there, with its past. `again`: it was there before. `remotes`: remote nodes that this manager
   * is connected to already, as the one before it was.
   */
  | {
      readonly type: "executor-up";
      readonly history: ExecutorHistory;
      readonly again: boolean;
      readonly remotes?: readonly RemoteHistory[];
    }
  /** A remote node's executor is connected to this node, or is not any more. */
  | {
      readonly type: "remote-up";
      readonly node: NodeName;
      readonly history: ExecutorHistory;
      readonly address?: RemoteAddress;
    }
  | { readonly type: "remote-down"; readonly node: NodeName }
  /** A remote node that is watched (`watch-remotes`) serves again. */
  | { readonly type: "remote-answers"; readonly node: NodeName }
  /** From the local executor, or from the remote node's that `node` names. */
  | { readonly type: "result"; readonly node: NodeName; readonly result: OperationResult }
  /** What an agent says of itself there (`ask-agent`); without traits it could not be asked. */
  | {
      readonly type: "agent-told";
      readonly node: NodeName;
      readonly agent: AgentKind;
      readonly traits?: ParameterTraits;
    }
  /** Somebody here wants to know of agents on some nodes; those who speak for them answer by `agents-told`. */
  | { readonly type: "agents-question"; readonly request: RequestId; readonly asked: readonly AskedAgents[] }
  /** An answer to `agents-asked`, or a part of it. */
  | {
      readonly type: "agents-answer";
      readonly request: RequestId;
      readonly node: NodeName;
      readonly told: readonly ToldAgent[];
    }
  /** What the fencer wants to say to its peers. */
  | { readonly type: "fencer-send"; readonly body: unknown }
  /** A fencing came to an end of which no message of the fencers tells: it failed, and nobody else knows. */
  | { readonly type: "fence-result"; readonly result: FenceResult }
  | {
      readonly type: "cib-request";
      readonly request: RequestId;
      readonly operations: readonly CibOperation[];
      /** Who asks, and with which program. */
      readonly user: string;
      readonly client: string;
      /** Whose rights by the access rules count. */
      readonly askers: readonly Asker[];
    }
  | {
      readonly type: "attribute-request";
      readonly request: RequestId;
      readonly updates: readonly AttributeUpdate[];
    }
  | {
      readonly type: "forget-request";
      readonly request: RequestId;
      readonly rsc?: ResourceId;
      readonly node?: NodeName;
      readonly failuresOnly: boolean;
      readonly failed?: FailedOperation;
    }
  /** A resource, by its name in the histories, is to count as failed on a node. */
  | {
      readonly type: "fail-request";
      readonly request: RequestId;
      readonly rsc: ResourceId;
      readonly node: NodeName;
    }
  | ({ readonly type: "planned" } & PlanAnswer)
  /** Answered when the leader has nothing to do and nothing to decide any more. */
  | { readonly type: "idle-request"; readonly request: RequestId }
  /** This node shall leave the cluster: drain it first. */
  | { readonly type: "shutdown-request" }
  | { readonly type: "nodes"; readonly nodes: readonly ConfiguredNode[] };

export type ControllerEffect =
  | { readonly type: "broadcast"; readonly payload: Uint8Array }
  /** Run it on the local executor (`on` is this node) or through the connection to a remote node. */
  | { readonly type: "execute"; readonly on: NodeName; readonly operation: Operation }
  | {
      readonly type: "cancel";
      readonly on: NodeName;
      readonly rsc: ResourceId;
      readonly action: string;
      readonly intervalMs: Millis;
    }
  | { readonly type: "forget"; readonly on: NodeName; readonly rsc: ResourceId }
  /** A failure is forgotten: should it go on, the recurring operations of the resource have to say so again. */
  | { readonly type: "look-again"; readonly on: NodeName; readonly rsc: ResourceId }
  /** Ask an agent there for its meta-data; answered by `agent-told`. Nothing waits for it. */
  | { readonly type: "ask-agent"; readonly on: NodeName; readonly agent: AgentKind }
  /** A member wants to know of agents on a node for which this manager speaks; answered by `agents-answer`. */
  | {
      readonly type: "agents-asked";
      readonly from: NodeId;
      readonly request: RequestId;
      readonly asked: AskedAgents;
    }
  /** What was found out there. */
  | {
      readonly type: "agents-told";
      readonly request: RequestId;
      readonly node: NodeName;
      readonly told: readonly ToldAgent[];
    }
  /** Tell the executor that the cluster has looked for all that may run there. */
  | { readonly type: "probed"; readonly on: NodeName }
  /** Start, stop or check the connection to a remote node; answered by `result`. */
  | { readonly type: "connection"; readonly operation: Operation }
  /** Where some node is connected to a remote node; without an address: none is any more. */
  | { readonly type: "remote-at"; readonly node: NodeName; readonly address?: RemoteAddress }
  /** Ask these hosts now and then whether they serve, and no others any more; answered by `remote-answers`. */
  | { readonly type: "watch-remotes"; readonly remotes: readonly RemoteHost[] }
  | { readonly type: "fence"; readonly request: FenceRequest }
  | { readonly type: "fencer-deliver"; readonly from: NodeId; readonly body: unknown }
  /** Who takes part and who leads (nobody while those who were away are missing), at the same point of the order everywhere. */
  | { readonly type: "fencer-membership"; readonly membership: FencerMembership }
  /** A node is there again that is no member: a remote one. */
  | { readonly type: "fencer-alive"; readonly node: NodeName }
  /** Start, stop or check a fence device (a resource of class stonith); answered by `result`. */
  | { readonly type: "fence-device"; readonly operation: Operation }
  /** The configuration has changed: write it to the disk, and tell the fencer. */
  | { readonly type: "persist" }
  | { readonly type: "set-timer"; readonly timer: ControllerTimer; readonly afterMs: Millis }
  | { readonly type: "cancel-timer"; readonly timer: ControllerTimer }
  | {
      readonly type: "reply";
      readonly request: RequestId;
      readonly value?: unknown;
      readonly error?: HactlError;
    }
  /**
   * Compute a decision about this CIB, as of `now`; answered by `planned`. It takes long: not within a step. The one that
   * was asked before does not matter any more.
   */
  | { readonly type: "plan"; readonly id: number; readonly cib: string; readonly now: EpochSeconds }
  /** Nobody waits for what was to be computed. */
  | { readonly type: "plan-dropped" }
  /** A decision was taken; kept for `hactl history` and for replaying it. */
  | {
      readonly type: "transition";
      readonly id: number;
      readonly input: SchedulerInput;
      /** Absent when none could be taken. */
      readonly decision?: Transition;
      readonly triggers: readonly string[];
    }
  | { readonly type: "transition-over"; readonly id: number; readonly outcome: string }
  /** This manager cannot go on and has to start anew, with a state that the others give it. */
  | { readonly type: "restart"; readonly reason: string }
  /** The node may leave the ring: nothing of the cluster runs here. */
  | { readonly type: "leave" }
  /** This node cannot take part, and has to end. */
  | { readonly type: "refused"; readonly error: HactlError }
  /** Keep this where only a reboot of the host clears it, before anything that follows is said. */
  | { readonly type: "remember"; readonly memory: Remembered }
  /** Others believe that this node is off: it must not go on (`fence-reaction`). */
  | { readonly type: "self-fenced"; readonly reaction: "stop" | "panic" }
  /** Something for the event history and the log. */
  | { readonly type: "event"; readonly event: ClusterEvent }
  /** Something that this node tells to alert agents: others do so themselves, or do not. */
  | { readonly type: "alert"; readonly event: AlertEvent };

/** A fact for people: one line of the log, one row of the history. */
export interface ClusterEvent {
  readonly level: "info" | "notice" | "warning" | "error";
  /** Stable id, upper case with dashes. */
  readonly id: string;
  readonly text: string;
  readonly node?: NodeName;
  readonly rsc?: string;
}

/**
 * Nodes that are away and run nothing: cluster nodes that have left in order or were fenced, and remote nodes whose
 * connection was stopped when nothing was left there (with 0), remote nodes that were fenced and have not been connected
 * since (with the time of it).
 */
export type Away = readonly (readonly [node: NodeName, fencedAt: EpochSeconds])[];

/** Resources that wait for nodes that were shut down, and since when (shutdown-lock). */
export type Locks = readonly {
  readonly node: NodeName;
  readonly rsc: AgentResource;
  readonly since: EpochSeconds;
}[];

/** The states of all tickets: the attributes of each, as pairs. */
export type Tickets = readonly (readonly (readonly [name: string, value: string])[])[];

/**
 * What a manager that was started anew cannot learn from its executor, and nobody may know beside it when all managers
 * died at once. It belongs to a boot of the host.
 */
export interface Remembered {
  /** Transient attributes of all nodes. */
  readonly attributes: AttributeSnapshot;
  readonly boots: Boots;
  /** The attributes of each ticket's state, as pairs (Pacemaker Explained, "Multi-Site Clusters and Tickets"). */
  readonly tickets: Tickets;
  readonly away: Away;
  /** Not in what an older release has left. */
  readonly locks?: Locks;
  /** Results of this node that its executor does not keep: last failures, and operations that the manager itself carried out. */
  readonly results: readonly OperationResult[];
}

export interface ControllerInit {
  readonly self: NodeId;
  readonly selfName: NodeName;
  readonly nodes: readonly ConfiguredNode[];
  /** A text unlike that of every other start of a manager; names its transitions. */
  readonly incarnation: string;
  /** The `<cib>` from the disk; an empty one on a new node. Belongs to the controller from now on. */
  readonly cib: XmlElement;
  /** What the manager before this one left, of this boot. */
  readonly remembered?: Remembered;
  /** The whole daemon has been started anew, not only its manager. */
  readonly daemonIsNew: boolean;
  /** Version of the older copy that `cib` was built on, where a newer one was lost. */
  readonly fallback?: CibVersion;
  /** What was lost, here at this start or anywhere before, and was not accepted yet. */
  readonly losses?: readonly Loss[];
  /** What the cluster's properties tell while this node leads; nothing is written where it is not told. */
  readonly traits?: ClusterTraits;
  /** Decisions that are expected to take longer are computed elsewhere (`plan`); 500 where it is not given. */
  readonly decideHereMs?: Millis;
}

/** What the controller shows to administrators. */
export interface ControllerView {
  readonly phase: "waiting" | "joining" | "syncing" | "synced";
  /** Whether this copy of the state has been the cluster's since this manager was started. */
  readonly live: boolean;
  readonly leader: NodeName | undefined;
  readonly membership: Membership | undefined;
  readonly cib: XmlElement;
  readonly fallback: CibVersion | undefined;
  readonly losses: readonly Loss[];
  readonly transition:
    | {
        readonly id: number;
        readonly total: number;
        readonly done: number;
        readonly flying: readonly string[];
        readonly aborted: string | undefined;
      }
    | undefined;
  /** Whether the leader has nothing to do and nothing to decide. Only the leader knows; others say undefined. */
  readonly idle: boolean | undefined;
  /** What people have to know: of the configuration, and on the leader of its decisions. */
  readonly warnings: readonly StatusWarning[];
  readonly at: EpochSeconds;
}

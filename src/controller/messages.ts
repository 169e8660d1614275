import type { AttributeSnapshot, AttributeUpdate } from "../attributes/index.ts";
import type { AgentFacts, Asker, CibOperation } from "../cib/index.ts";
import type { Operation, OperationResult } from "../executor/index.ts";
import type { MaintenanceChange } from "../scheduler/index.ts";
import type { EpochSeconds, Millis, NodeId, NodeName, ResourceId } from "../terms/index.ts";
import type { AgentKind } from "./agent-knowledge.ts";
import type { KnownFencing } from "./fencings.ts";
import type { CibVersion, Summary } from "./join.ts";

/** State of a node's executor: what a node brings along when it joins or when its executor came back. */
export interface ExecutorHistory {
  readonly results: readonly OperationResult[];
  /** Sent but not answered. */
  readonly running: readonly Operation[];
  /** What may have left a service active of which nothing is known (executor, `registered`). */
  readonly interrupted: readonly Operation[];
  /** Resources of which only what a daemon before left is told: nothing has been seen of them since. */
  readonly remembered: readonly ResourceId[];
  /** Boot of the host (random(4), boot_id): transient attributes belong to it. */
  readonly bootId: string;
  /** Nothing of the cluster runs there but what is named; else what is not named may run, and has to be looked for. */
  readonly complete: boolean;
}

/** Where a remote host listens. */
export interface RemoteAddress {
  readonly host: string;
  readonly port: number;
}

/** A remote node's executor, and the cluster node that is connected to it. */
export interface RemoteHistory {
  readonly node: NodeName;
  /** Where it is connected. */
  readonly address?: RemoteAddress;
  readonly history: ExecutorHistory;
}

/** An operation that the leader gives out, with the node that it is for. */
export interface Dispatch {
  /** Where the resource is: a cluster node, or a remote node. */
  readonly node: NodeName;
  /** The cluster node that carries it out. */
  readonly executor: NodeName;
  readonly operation: Operation;
  /** The resource waits for that node since then (shutdown-lock). */
  readonly lockedSince?: EpochSeconds;
}

/** The whole replicated state, for a node that lacks it. */
export interface Snapshot {
  readonly cib: string;
  readonly attributes: AttributeSnapshot;
  readonly boots: Boots;
  readonly fencings: readonly KnownFencing[];
  /** What it was built on, where something newer was lost. */
  readonly fallback?: CibVersion;
  readonly untold: Untold;
  readonly mayRun: MayRun;
  readonly remembered: RememberedResources;
  /** None from a release that does not know it. */
  readonly seen?: Seen;
  /** Highest call id that has been heard of, per executor. */
  readonly callIds: readonly (readonly [NodeName, number])[];
  /** Call ids with which recurring operations were ended last, by node and operation. */
  readonly cancelled?: readonly (readonly [string, number])[];
  /** What was given out and is not answered. */
  readonly underWay: readonly Dispatch[];
}

/** A resource that was being moved to another node when the daemon of its node died. */
export interface Moving {
  readonly rsc: string;
  readonly to: NodeName;
}

/** Nodes that could not tell all that runs there, each with what was being moved away from it. */
export type Untold = readonly (readonly [NodeName, readonly Moving[]])[];

/** What may have left a service active on each node, until the resource has been looked at or stopped there. */
export type MayRun = readonly (readonly [NodeName, readonly Operation[]])[];

/** Resources, by node: those of which each has told only what a daemon before remembered, or others. */
export type RememberedResources = readonly (readonly [NodeName, readonly string[]])[];

/** What is remembered of where resources were seen (`Sightings`). */
export interface Seen {
  /** Resources that run on each node, by what has come of what was done there, each with since when. */
  readonly active: TimedResources;
  /** What was begun on each node, and may run there, though nothing has said so. */
  readonly tried: TimedResources;
  /** What was configured while this cluster ran, and was not seen to run anywhere since. */
  readonly added: readonly string[];
  /** What was given other parameters while this cluster ran, and was not seen to come up anywhere since. */
  readonly changed: readonly string[];
  /** Nodes that lost their power after stops had failed there, as long as nothing better is heard of these resources. */
  readonly fencedFor: TimedResources;
  /** How often in a row each node lost its power for resources that had not run there for long. */
  readonly resets: TimedResources;
  /** Resources for which a node lost its power where their start had failed, and that came up nowhere since. */
  readonly inVain: readonly string[];
  /** In which boot each node was when it told what it runs, and when it was fenced, until it has told again. */
  readonly boots: Boots;
  readonly fencedIn: Boots;
}

/** Resources on nodes, each with a time, or a number. */
export type TimedResources = readonly (readonly [NodeName, readonly (readonly [string, number])[]])[];

/** In which boot each node was when its transient attributes were set. */
export type Boots = readonly (readonly [NodeName, string])[];

/** Most agents that a question names for one node, and most nodes. */
export const MOST_AGENTS = 200;
export const MOST_ASKED_NODES = 200;

/** Agents that a node is asked about. */
export interface AskedAgents {
  readonly node: NodeName;
  readonly agents: readonly AgentKind[];
}

/** What was found out about the agent that stands at this place of the question. */
export interface ToldAgent {
  readonly index: number;
  readonly facts: AgentFacts;
}

/** What managers say to each other, in the ring's order. */
export type ClusterMessage =
  /** Answer of every participant to a change of the membership. `membership` names the change. */
  | {
      readonly type: "summary";
      readonly membership: string;
      readonly summary: Summary;
      /** How the node calls itself. */
      readonly name: NodeName;
      readonly at: EpochSeconds;
      readonly history: ExecutorHistory;
      /** Remote nodes that it is connected to. */
      readonly remotes: readonly RemoteHistory[];
      /** Its own transient attributes. */
      readonly attributes: AttributeSnapshot;
      /** The whole daemon has been started anew: a wish to leave is of the past. */
      readonly daemonIsNew: boolean;
      /** It was told that it may go, and is about to: whatever happens meanwhile, it will not be lost. */
      readonly leaving: boolean;
    }
  | { readonly type: "snapshot"; readonly membership: string; readonly snapshot: Snapshot }
  | {
      readonly type: "cib";
      readonly request: string;
      readonly operations: readonly CibOperation[];
      /** Who asked, and with which program. */
      readonly user: string;
      readonly client: string;
      /** Whose rights by the access rules count. */
      readonly askers: readonly Asker[];
      readonly at: EpochSeconds;
    }
  | {
      readonly type: "actions";
      readonly transition: string;
      /** Names the membership in which it was decided: it is not carried out in another. */
      readonly membership: string;
      readonly dispatches: readonly Dispatch[];
      readonly at: EpochSeconds;
    }
  | { readonly type: "results"; readonly node: NodeName; readonly results: readonly OperationResult[] }
  /** What agents say of the parameters of results that were told before without it. */
  | { readonly type: "described"; readonly node: NodeName; readonly results: readonly OperationResult[] }
  /** The leader has waited in vain for an operation: what is to be supposed of it until its result comes. */
  | { readonly type: "unanswered"; readonly node: NodeName; readonly result: OperationResult }
  /** An executor came back without its past, or a remote node was connected. */
  | {
      readonly type: "history";
      readonly node: NodeName;
      readonly history: ExecutorHistory;
      /** Highest call id of that node that its manager had heard of then: it says nothing of what was given out since. */
      readonly seen: number;
      readonly at: EpochSeconds;
    }
  /** What may run on these nodes has been looked for everywhere: what their executors do not name does not run. */
  | { readonly type: "probed"; readonly nodes: readonly NodeName[] }
  /** By the clock the cluster no longer leaves these alone (ids of outermost resources; none: all). */
  | { readonly type: "managed-again"; readonly resources?: readonly string[] }
  | {
      readonly type: "attributes";
      readonly updates: readonly AttributeUpdate[];
      readonly request?: string;
      /** Transition key of the action that this carries out. */
      readonly completes?: string;
      /** The last failure of a resource is no longer remembered, either. */
      readonly forgetFailure?: { readonly node: NodeName; readonly rsc: string };
    }
  | { readonly type: "flush"; readonly name: string }
  | { readonly type: "fencer"; readonly body: unknown }
  /** A node wants to leave; its resources are stopped or moved first. */
  | { readonly type: "shutdown"; readonly node: NodeName; readonly at: EpochSeconds }
  /** Nothing of the cluster runs there any more: it may go. */
  | { readonly type: "release"; readonly node: NodeName; readonly completes?: string }
  /** Remote and guest nodes go into maintenance or come out of it. */
  | {
      readonly type: "maintenance";
      readonly changes: readonly MaintenanceChange[];
      readonly completes: string;
    }
  /** A node's manager has been missing for too long although its ring is there. */
  | { readonly type: "manager-lost"; readonly node: NodeName }
  /** Somebody waits until the leader has nothing to do; it answers with `idle`. */
  | { readonly type: "when-idle"; readonly request: string }
  | { readonly type: "idle"; readonly requests: readonly string[] }
  /**
   * Somebody wants to know what these agents are on some nodes. Whoever speaks for one answers, as far as it can and in
   * several messages; nobody's state changes, and nothing is decided by it.
   */
  | { readonly type: "ask-agents"; readonly request: string; readonly asked: readonly AskedAgents[] }
  | {
      readonly type: "agents-told";
      readonly request: string;
      readonly node: NodeName;
      readonly told: readonly ToldAgent[];
    }
  /** A remote node that was away answers again. */
  | { readonly type: "remote-back"; readonly node: NodeName }
  | {
      readonly type: "remote";
      readonly node: NodeName;
      readonly up: boolean;
      readonly address?: RemoteAddress;
    }
  | {
      readonly type: "forget";
      readonly rsc?: ResourceId;
      readonly node?: NodeName;
      /** Only histories with failures, and the fail counts (`crm_resource --cleanup`). */
      readonly failuresOnly: boolean;
      /** Of them, only those of this operation. */
      readonly failed?: FailedOperation;
      readonly at: EpochSeconds;
      readonly request?: string;
      readonly completes?: string;
    }
  /** Somebody says that a resource has failed on a node (`crm_resource --fail`). */
  | {
      readonly type: "fail";
      readonly rsc: ResourceId;
      readonly node: NodeName;
      readonly at: EpochSeconds;
      readonly request: string;
    };

/** An operation of a resource by which its failures are counted. */
export interface FailedOperation {
  readonly action: string;
  readonly intervalMs: Millis;
}

/** Version of the messages, the first byte of each. */
export const MESSAGE_VERSION = 6;

/** One byte of version, then the message as JSON. */
export function encodeMessage(message: ClusterMessage): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(body.length + 1);
  bytes[0] = MESSAGE_VERSION;
  bytes.set(body, 1);
  return bytes;
}

/** The actions of a transition that a message carries out. */
export function transitionKeys(message: ClusterMessage): string[] {
  if (message.type === "actions") return message.dispatches.map(({ operation }) => operation.transitionKey);
  return "completes" in message && message.completes !== undefined ? [message.completes] : [];
}

/** Names a membership: the ring, the number of the membership in it, and which managers take part. */
export function membershipKey({
  ringId,
  serial,
  participants,
}: {
  readonly ringId: { readonly representative: NodeId; readonly sequence: number };
  readonly serial: number;
  readonly participants: readonly { readonly nodeId: NodeId; readonly incarnation: number }[];
}): string {
  const who = participants.map(({ nodeId, incarnation }) => `${nodeId}=${incarnation}`).sort();
  return `${ringId.representative}.${ringId.sequence}.${serial}/${who.join(",")}`;
}

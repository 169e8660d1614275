import type { XmlElement } from "../cib/index.ts";
import type { EpochSeconds, Millis, NodeName } from "../terms/index.ts";

/** What the scheduler is asked: a whole `<cib>` (configuration and status) and the time. */
export interface SchedulerInput {
  readonly cib: XmlElement;
  readonly now: EpochSeconds;
  /** Seconds that the clock which shows parts of a date is ahead of UTC; this machine's where none is given. */
  readonly utcOffset?: number | undefined;
  /** The CIB may come from a report, with private parameters blanked: a change of those alone is none. */
  readonly sanitized?: boolean;
  /** Write down where each score comes from (`Transition.ledger`). */
  readonly explain?: boolean;
  /**
   * So many steps may be made along colocations, each a look at one node for one resource of a chain of them: where many
   * resources are colocated with many others, the chains double with each resource. For more `EffortSpent` is thrown; in
   * any case for more than fifty million.
   */
  readonly effort?: number;
  /** Tell what is needed and cannot run, too (`Transition.unrunnable`). */
  readonly unrunnable?: boolean;
}

/** The agent that an action runs. */
export interface ActionResource {
  /** Id as used in the operation history: with `:n` only for globally unique clones. */
  readonly id: string;
  /** Id with the instance number, when it differs. */
  readonly longId?: string;
  readonly class: string;
  readonly provider?: string;
  readonly type: string;
}

/** One action of a transition. `pseudo` is a mere synchronisation point; `crm` is done by the controller. */
export interface GraphAction {
  readonly id: number;
  readonly kind: "rsc" | "pseudo" | "crm";
  /** start, stop, monitor, promote, demote, notify, migrate_to, …; stonith, do_shutdown, clear_failcount. */
  readonly task: string;
  /** `RSC_TASK_INTERVALMS`. */
  readonly key: string;
  readonly node?: NodeName;
  /** Id of that node in `<nodes>`. */
  readonly nodeId?: string;
  /** Node that a mere point of synchronisation is about, as the stop of what was fenced away with it. */
  readonly place?: NodeName;
  /** Cluster node that carries it out, when `node` is a remote or guest node. */
  readonly router?: NodeName;
  readonly rsc?: ActionResource;
  readonly intervalMs: Millis;
  readonly timeoutMs: Millis;
  readonly startDelayMs: Millis;
  /** Exit code that means success (7 for a probe that should find nothing). */
  readonly expectedRc: number;
  /** The transition goes on when it fails. */
  readonly canFail: boolean;
  readonly priority: number;
  /** Everything the agent gets: parameters as they are, meta attributes as `CRM_meta_NAME`. */
  readonly params: Readonly<Record<string, string>>;
  /** Ids of the actions that must be done before. */
  readonly inputs: readonly number[];
  /** The resource waits for the action's node since then (shutdown-lock): it does so until it is active there. */
  readonly lockedSince?: EpochSeconds;
  /** The stop of a service on a node that is left out: once it has succeeded, the service may run there. */
  readonly lone?: true;
  /** Of `maintenance_nodes`: remote and guest nodes that go into maintenance or come out of it. */
  readonly maintenance?: readonly MaintenanceChange[];
  /** What must be done before but will not be, as it cannot run: the action is never carried out. */
  readonly unmet?: readonly ActionName[];
}

/** A remote or guest node that is, or is not any more, in maintenance. Its state records that it knows. */
export interface MaintenanceChange {
  readonly node: NodeName;
  /** Id of the node in `<nodes>`. */
  readonly nodeId: string;
  readonly inMaintenance: boolean;
}

/** What tells an action from others. */
export type ActionName = Pick<
  GraphAction,
  "id" | "kind" | "task" | "key" | "node" | "nodeId" | "place" | "router" | "rsc"
>;

/** Where something is after all actions have succeeded. */
export interface Placement {
  readonly rsc: string;
  readonly role: "Started" | "Unpromoted" | "Promoted";
  readonly node: NodeName;
  /** Which instance it is, where `rsc` does not tell. */
  readonly instance?: string;
}

/** One reason for a decision, recorded while it was taken. */
export interface Reason {
  readonly rsc: string;
  readonly node?: NodeName;
  /** Score that it added, where it is one. */
  readonly score?: number;
  /** Kind of the source: `location`, `colocation`, `stickiness`, `failure`, `node`, `quorum`, `ticket`, … */
  readonly source: string;
  /** Id of the constraint, attribute or rule. */
  readonly id?: string;
  /** A sentence for people. */
  readonly text: string;
}

/** Why a score changed: where it comes from, and a sentence. */
export type Cause = Pick<Reason, "source" | "id" | "text">;

/** Something wrong or remarkable in the input. */
export interface SchedulerMessage {
  readonly level: "error" | "warning" | "info";
  readonly text: string;
  readonly id?: string;
  readonly line?: number;
}

/** What is needed and cannot run. */
export interface Unrunnable {
  readonly actions: readonly ActionName[];
  /** Pairs of actions, one of which may be in the graph: the first would have to be done before the second. */
  readonly orders: readonly (readonly [first: ActionName, then: ActionName])[];
}

/** Something that will change, as people are told. */
export type Change = NodeChange | ResourceChange;

export interface NodeChange {
  readonly kind: "node";
  /** `Fence (reboot)`. */
  readonly task: string;
  /** Name, for a guest with what carries it. */
  readonly node: string;
  readonly reason: string | undefined;
}

export interface ResourceChange {
  readonly kind: "resource";
  /** `Start`, `Move`, `Promote`, … */
  readonly verb: string;
  readonly rsc: string;
  /** Names of the roles before and after, where they say anything. */
  readonly roles: { readonly from: string; readonly to: string } | undefined;
  readonly sameRole: boolean;
  /** Nodes before and after. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly reason: string | undefined;
  readonly blocked: boolean;
}

/** Where a remote or guest node is to be reached. */
export interface RemoteHost {
  readonly node: NodeName;
  readonly host: string;
  readonly port: number;
}

/** The decision. */
export interface Transition {
  readonly actions: readonly GraphAction[];
  readonly unrunnable?: Unrunnable;
  readonly placement: readonly Placement[];
  /** What will change, and its lines as `crm_simulate` words them: first what happens to nodes. */
  readonly changes: readonly Change[];
  readonly summary: readonly string[];
  readonly scores: readonly string[];
  readonly reasons: readonly Reason[];
  /** Where each agent's resource will be, parts of bundles too, by its own id; written down with the ledger. */
  readonly assigned?: readonly Placement[];
  /** What each score is the sum of, by resource and node, in the order in which it was added. */
  readonly ledger?: readonly Reason[];
  readonly messages: readonly SchedulerMessage[];
  readonly quorate: boolean;
  /** Nodes that must be fenced, with the cause. */
  readonly fencing: readonly { readonly node: NodeName; readonly action: string; readonly reason: string }[];
  /** Remote and guest nodes that shall be connected, are not, and will not be by this decision. */
  readonly unconnected?: readonly RemoteHost[];
  /** When to schedule again although nothing changes (expiring failures, rules with dates). */
  readonly recheckAt?: EpochSeconds;
  readonly batchLimit: number;
  /** Live migrations that a node may carry out at a time; -1 is any number. */
  readonly migrationLimit: number;
  readonly clusterDelayMs: Millis;
  readonly stonithTimeoutMs: Millis;
  readonly failedStopOffset: string;
  readonly failedStartOffset: string;
}

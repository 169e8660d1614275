import type { XmlElement } from "../cib/index.ts";
import type { EpochSeconds, Millis } from "../terms/index.ts";
import type { Cause, Reason, SchedulerMessage } from "./face.ts";
import type { ProbeMode } from "./flags.ts";
import { Flag, Role } from "./flags.ts";
import { type ReleaseRules, rulesOf } from "./release.ts";

/** Most steps of any decision: a fast processor makes them in ten seconds or so. */
const mostEffort = 50_000_000;

/**
 * The working set: the cluster as the scheduler sees it. `unpackCluster` fills it from the CIB; the stages of
 * the decision change it in place, so after `decide` it also says what is wanted.
 */

/** A cluster node, a remote node or a guest node. */
export class Node {
  online = false;
  unclean = false;
  /** Seen in this cluster: has a node_state. */
  unseen = true;
  /** Member whose manager has not finished joining. */
  pending = false;
  standby = false;
  standbyOnFail = false;
  shutdown = false;
  expectedUp = false;
  isDc = false;
  maintenance = false;
  /** A remote node whose connection was lost is recovered by fencing. */
  remoteRequiresReset = false;
  remoteWasFenced = false;
  remoteMaintenance = false;
  /** Resources may be probed here. */
  rscDiscoveryEnabled = true;
  /** Fencing was requested by the `terminate` attribute. */
  terminate = false;
  unpacked = false;
  unhealthy = false;
  /** Reason of the fencing, when `unclean`. */
  fenceReason = "";
  /** Time at which it became a member or process-group peer, when recorded (feature set 3.19.0). */
  whenMember: EpochSeconds = 0;
  whenOnline: EpochSeconds = 0;
  attributes = new Map<string, string>();
  utilization = new Map<string, number>();
  /** Stays as configured while `utilization` shrinks during assignment. */
  capacity = new Map<string, number>();
  /** Resources active here by the history. */
  running: Resource[] = [];
  /** Resources assigned here by this decision. */
  assigned: Resource[] = [];
  /** The connection resource, for remote and guest nodes. */
  remoteRsc: Resource | undefined;
  /** Sum of the priorities of what is active here (priority-fencing-delay). */
  priority = 0;
  /** Feature set that the node's history was written with, for display. */
  featureSet: string | undefined;
  /** Digests of operations as they would run here now, by key: the history is compared with them. */
  readonly digests = new Map<string, DigestResult>();
  /** Health score, worst colour as a number. */
  health = 0;
  fenceAction: Action | undefined;
  /** `score` of the `<node>`: added wherever a resource may go there. */
  baseScore = 0;
  /** Agents that cannot be executed here, as far as is known. */
  readonly unexecutable = new Set<string>();
  /** Bundle node: only the inner resource may be there. */
  closed = false;
  /** Fail counts and times of last failures, by resource name; made when first asked for. */
  failIndex: Map<string, FailRecord[]> | undefined;

  constructor(
    /** Id in `<nodes>` (`id`): the ring id as text, a UUID, or the name. */
    readonly id: string,
    readonly name: string,
    readonly kind: "member" | "remote" | "ping",
    readonly index: number,
  ) {}

  /** A guest node: remote node inside a resource of the cluster. */
  get isGuest(): boolean {
    return this.kind === "remote" && this.remoteRsc?.container !== undefined;
  }
  /** A remote node that is not a guest. */
  get isRemote(): boolean {
    return this.kind === "remote" && this.remoteRsc?.container === undefined;
  }
  get isRemoteOrGuest(): boolean {
    return this.kind === "remote";
  }
}

/** A node in a resource's list of possible places, with its score there. */
export interface NodeScore {
  readonly node: Node;
  score: number;
  discovery: ProbeMode;
  /** Instances of the clone assigned to the node while the clone is distributed. */
  count: number;
}

/** A `fail-count-…` or `last-failure-…` attribute taken apart. */
export interface FailRecord {
  readonly kind: "count" | "time";
  /** `OP_INTERVALMS`, absent in old attributes. */
  readonly op: string | undefined;
  /** Instance number behind the name. */
  readonly instance: string | undefined;
  readonly value: string;
}

export type Variant = "primitive" | "group" | "clone" | "bundle";

/** What `restart-type`, `on-fail` and friends become. */
export type OnFail =
  | "ignore"
  | "demote"
  | "restart"
  | "restart-container"
  | "reset-remote"
  | "block"
  | "stop"
  | "ban"
  | "standby"
  | "fence";

export type Requires = "nothing" | "quorum" | "fencing" | "unfencing";

/** Settings of a clone. */
export interface CloneSettings {
  cloneMax: number;
  cloneNodeMax: number;
  cloneMin: number;
  promotedMax: number;
  promotedNodeMax: number;
  interleave: boolean;
  ordered: boolean;
  /** The `<primitive>` or `<group>` that is multiplied. */
  childXml: XmlElement;
  assignedInstances: number;
  promotedCount: number;
  /** Pseudo actions of notifications, made once. */
  stopNotify: NotifyData | undefined;
  startNotify: NotifyData | undefined;
  promoteNotify: NotifyData | undefined;
  demoteNotify: NotifyData | undefined;
  /** Promotion scores have been added to the places. */
  promotionAdded: boolean;
  /** Roles are being, or have been, chosen. */
  promotionConstrained: boolean;
  /** It is configured as unique, which the agent of a part does not support. */
  forcedAnonymous: boolean;
}

/** Settings of a bundle. */
export interface BundleSettings {
  agent: string;
  image: string;
  replicas: BundleReplica[];
  replicasPerHost: number;
  promotedMax: number;
  network: string | undefined;
  hostNetwork: string | undefined;
  controlPort: string | undefined;
  ipRangeStart: string | undefined;
  hostNetmask: string | undefined;
  addHost: boolean;
  runCommand: string | undefined;
  options: string | undefined;
  /** The clone made from the inner primitive. */
  clone: Resource | undefined;
  mounts: { source: string; target: string; options: string | undefined; perReplica: boolean }[];
  ports: { source: string; target: string }[];
  attributeTarget: string | undefined;
  /** Its colocations count for the roles of what is inside. */
  readonly colocatesByRole: boolean;
}

export interface BundleReplica {
  readonly offset: number;
  container: Resource;
  ip: Resource | undefined;
  remote: Resource | undefined;
  child: Resource | undefined;
  node: Node | undefined;
  ipAddress: string | undefined;
}

/** An `<op>` of a resource. */
export interface OperationConfig {
  readonly name: string;
  readonly intervalMs: Millis;
  readonly enabled: boolean;
  readonly xml: XmlElement;
}

export interface FailedOp {
  readonly rsc: string;
  readonly node: Node;
  /** The `lrm_rsc_op`. */
  readonly xml: XmlElement;
}

export class Resource {
  parent: Resource | undefined;
  children: Resource[] = [];
  /** Settings of a clone or bundle. */
  clone: CloneSettings | undefined;
  bundle: BundleSettings | undefined;
  /** Agent, for primitives. */
  class = "";
  provider: string | undefined;
  type = "";
  /** Where it is in the configuration, counted. */
  sortIndex = 0;
  priority = 0;
  stickiness = 0;
  migrationThreshold = 1_000_000;
  failureTimeoutMs: Millis = 0;
  remoteReconnectMs: Millis = 0;
  multipleActive: "stop_start" | "stop_only" | "block" | "stop_unexpected" = "stop_start";
  restartType: "ignore" | "restart" = "ignore";
  role: Role = Role.Stopped;
  nextRole: Role = Role.Unknown;
  /** Number of the operation that the history has pending, as shown by status displays. */
  pendingTask: string | undefined;
  pendingNode: Node | undefined;

  managed = true;
  /** Nothing may be done with it until somebody intervenes. */
  blocked = false;
  failed = false;
  failureIgnored = false;
  /** Not configured any more, known from the history. */
  removed = false;
  /** Surplus instance of a clone, made for a history entry. */
  removedInstance = false;
  /** Not configured any more, and the history says that a container carried it. */
  removedFiller = false;
  notify = false;
  unique = false;
  promotable = false;
  unassigned = true;
  assigning = false;
  runnable = true;
  startPending = false;
  restarting = false;
  critical = true;
  needsQuorum = false;
  needsFencing = false;
  needsUnfencing = false;
  exclusiveDiscovery = false;
  migratable = false;
  /** The current history asks for a stop (on-fail). */
  stopIfFailed = false;
  reload = false;
  maintenance = false;
  /** multiple-active=stop_unexpected applies. */
  stopUnexpected = false;
  isFenceDevice = false;
  isRemoteConnection = false;
  detectLoop = false;
  mergingScores = false;
  allowUnhealthy = false;
  ensureUniqueStart = false;
  /** A resource that its container's node may run although it is remote. */
  allowRemoteRemotes = false;
  fenceDeviceProvidesUnfencing = false;

  lockNode: Node | undefined;
  lockTime: EpochSeconds = 0;
  /** Place chosen by this decision. */
  assignedTo: Node | undefined;
  /** Score that the place had when it was chosen; of what nobody manages, that of the node itself. */
  assignedScore = 0;
  partialMigrationSource: Node | undefined;
  partialMigrationTarget: Node | undefined;
  danglingMigrations: Node[] = [];
  /** Nodes that are left out after a failure (`leavesOut`), and whether its stop is yet to be tried there. */
  leftOut = new Map<Node, boolean>();
  /** Nodes where the history says that it is active. */
  runningOn: Node[] = [];
  /** Nodes where its state is known (probed). */
  knownOn = new Set<Node>();
  allowed = new Map<Node, NodeScore>();
  /** Effective meta attributes and parameters that do not depend on a node. */
  meta = new Map<string, string>();
  params = new Map<string, string>();
  paramsByNode = new Map<Node, Map<string, string>>();
  utilization = new Map<string, number>();
  locations: Location[] = [];
  /** Colocations in which it is the dependent. */
  thisWith: Colocation[] = [];
  /** Colocations in which it is the primary. */
  withThis: Colocation[] = [];
  /** A group that hands its colocations over to its members (see ReleaseRules). */
  handsOverColocations = false;
  /** A member of a group after one that is not managed, whatever befalls them later. */
  afterUnmanaged = false;
  /** How often it has been tried, as an instance of a clone, to find a place for it. */
  tries = 0;
  tickets: TicketDependency[] = [];
  actions: Action[] = [];
  readonly actionsByKey = new Map<string, Action[]>();
  /** Resources inside it: what a container carries. */
  fillers: Resource[] = [];
  /** The resource that carries it (VM of a guest connection, container of a bundle replica). */
  container: Resource | undefined;
  /** Node whose connection this resource is. */
  remoteNode: Node | undefined;
  pendingActionNode: Node | undefined;
  failedOps: FailedOp[] = [];
  promotionScores: Map<Node, number> | undefined;
  /** Of a promotable instance: the score that decides about promotion. */
  promotionPriority = 0;
  /** Replica that it belongs to, inside a bundle. */
  replica: BundleReplica | undefined;
  /** Name of the last failure, for display. */
  failureReason: string | undefined;

  constructor(
    /** Id, with `:n` for an instance of a clone. */
    public id: string,
    readonly variant: Variant,
    /** Configuration, templates and instance numbers resolved. */
    public xml: XmlElement,
    /** Id in the configuration, without instance number. */
    public configId: string,
  ) {}

  /** Id under which the history keeps it: with the number only for globally unique instances. */
  historyId = "";
  /** Instance number, when it is (in) an instance of a clone. */
  instance: number | undefined;

  get isPrimitive(): boolean {
    return this.variant === "primitive";
  }
  get isGroup(): boolean {
    return this.variant === "group";
  }
  get isClone(): boolean {
    return this.variant === "clone";
  }
  get isBundle(): boolean {
    return this.variant === "bundle";
  }
  /** Clones and bundles: variants that have instances. */
  get isCollective(): boolean {
    return this.variant === "clone" || this.variant === "bundle";
  }
}

/** An input of an action, or what follows it. */
export interface Edge {
  readonly action: Action;
  kind: number;
  /** Shown in the graph? Found out when the graph is made. */
  state: "open" | "printed" | "dropped";
  /** Found to close a circle. */
  looped: boolean;
}

const noValues: ReadonlyMap<string, string> = new Map();

export class Action {
  flags = Flag.Runnable | Flag.Optional;
  /** Inputs: what must be before it. */
  before: Edge[] = [];
  after: Edge[] = [];
  /** Kinds of the edges to each follower, so that a second edge of the same kind is not made. */
  afterKinds: Map<Action, number> | undefined;
  reason: string | undefined;
  /** Key of the operation that a cancel ends. */
  cancelTask: string | undefined;
  /** Options of the operation from the configuration, shared with other actions. */
  config: ReadonlyMap<string, string> = noValues;
  /** What this action adds to them. Agents see both as `CRM_meta_NAME`. */
  readonly meta = new Map<string, string>();
  /** Parameters of the operation's own, given to the agent besides the resource's. */
  extra: ReadonlyMap<string, string> = noValues;
  op: XmlElement | undefined;
  needs: Requires = "nothing";
  onFail: OnFail = "ignore";
  failRole: Role = Role.Unknown;
  intervalMs: Millis = 0;
  timeoutMs: Millis | undefined;
  startDelayMs: Millis = 0;
  priority = 0;
  requiredRunnableBefore = 0;
  runnableBefore = 0;
  /** Position in the graph. */
  synapse = -1;
  /** Node that is only named, for fencing "topology" and the like. */
  fenceOp: string | undefined;
  /** Of a notification: what it announces. */
  notifyKeys: ReadonlyMap<string, string> | undefined;
  params: ReadonlyMap<string, string> | undefined;
  digestMarks: ReadonlyMap<string, string> | undefined;
  /** Search for circles: number of the last visit. */
  visited = 0;

  constructor(
    readonly id: number,
    readonly rsc: Resource | undefined,
    public task: string,
    public key: string,
    public node: Node | undefined,
  ) {}

  has(flag: number): boolean {
    return (this.flags & flag) === flag;
  }
  set(flag: number): void {
    this.flags |= flag;
  }
  clear(flag: number): void {
    this.flags &= ~flag;
  }
  get optional(): boolean {
    return (this.flags & Flag.Optional) !== 0;
  }
  get runnable(): boolean {
    return (this.flags & Flag.Runnable) !== 0;
  }
  get pseudo(): boolean {
    return (this.flags & Flag.Pseudo) !== 0;
  }
}

/** An ordering between two actions, or between tasks of resources while the actions are not made yet. */
export interface Ordering {
  readonly id: number;
  readonly firstRsc: Resource | undefined;
  readonly firstTask: string | undefined;
  readonly firstAction: Action | undefined;
  readonly thenRsc: Resource | undefined;
  readonly thenTask: string | undefined;
  readonly thenAction: Action | undefined;
  kind: number;
}

export interface Colocation {
  readonly id: string;
  readonly dependent: Resource;
  readonly primary: Resource;
  readonly dependentRole: Role;
  readonly primaryRole: Role;
  /** `#uname` unless said otherwise. */
  readonly attribute: string;
  readonly score: number;
  /** Whether the dependent's preferences count for the primary. */
  readonly influence: boolean;
  /** Written by somebody, not implied by a group or bundle. */
  readonly explicit: boolean;
}

/** A location constraint or one of its rules, evaluated: scores on nodes. */
export interface Location {
  readonly id: string;
  readonly rsc: Resource;
  readonly role: Role;
  readonly discovery: ProbeMode;
  readonly nodes: { readonly node: Node; readonly score: number }[];
  /** What an explanation says of it. */
  readonly cause: Cause;
}

export interface Ticket {
  readonly id: string;
  granted: boolean;
  standby: boolean;
  lastGranted: EpochSeconds | undefined;
  readonly state: Map<string, string>;
}

export interface TicketDependency {
  readonly id: string;
  readonly ticket: Ticket;
  readonly role: Role;
  readonly lossPolicy: "stop" | "demote" | "fence" | "freeze";
}

export interface DigestResult {
  readonly kind: "match" | "unknown" | "restart" | "all";
  readonly digestAll: string;
  readonly digestRestart: string | undefined;
  readonly digestSecure: string | undefined;
  readonly paramsAll: ReadonlyMap<string, string>;
  readonly paramsRestart: ReadonlyMap<string, string> | undefined;
  readonly paramsSecure: ReadonlyMap<string, string> | undefined;
}

/** What a notification tells: who is active, starts, stops … and the pseudo actions around the step. */
export interface NotifyData {
  pre: Action | undefined;
  post: Action | undefined;
  preDone: Action | undefined;
  postDone: Action | undefined;
  readonly task: string;
  readonly entries: Map<string, { rsc: Resource; node: Node | undefined }[]>;
  keys: Map<string, string>;
}

/** Cluster-wide options after defaults. Durations in milliseconds. */
export interface Options {
  fencingEnabled: boolean;
  fencingAction: "reboot" | "off";
  fencingTimeoutMs: Millis;
  concurrentFencing: boolean;
  startupFencing: boolean;
  startupProbes: boolean;
  haveWatchdog: boolean;
  watchdogTimeoutMs: Millis;
  noQuorumPolicy: "stop" | "freeze" | "ignore" | "demote" | "fence";
  symmetric: boolean;
  stopAll: boolean;
  stopRemovedResources: boolean;
  cancelRemovedActions: boolean;
  removeAfterStop: boolean;
  maintenance: boolean;
  startFailureFatal: boolean;
  placementStrategy: "default" | "utilization" | "minimal" | "balanced";
  shutdownLock: boolean;
  shutdownLockLimitMs: Millis;
  nodePendingTimeoutMs: Millis;
  priorityFencingDelayMs: Millis;
  clusterDelayMs: Millis;
  batchLimit: number;
  migrationLimit: number;
  fenceRemoteWithoutQuorum: boolean;
  healthStrategy: "none" | "migrate-on-red" | "only-green" | "progressive" | "custom";
  healthBase: number;
  healthGreen: number;
  healthYellow: number;
  healthRed: number;
}

/** Everything that one decision works on. */
export class Cluster {
  nodes: Node[] = [];
  nodeById = new Map<string, Node>();
  nodeByName = new Map<string, Node>();
  /** Nodes by name that only the status knows: no others than for what they remember of migrations. */
  readonly formerNodes = new Map<string, Node>();
  /** Top-level resources in the order of the configuration, removed ones at the end. */
  resources: Resource[] = [];
  /** All resources by id, instances and members too. */
  resourceById = new Map<string, Resource>();
  templates = new Map<string, string[]>();
  tags = new Map<string, string[]>();
  tickets = new Map<string, Ticket>();
  properties = new Map<string, string>();
  actions: Action[] = [];
  singletons = new Map<string, Action>();
  orderings: Ordering[] = [];
  colocations: Colocation[] = [];
  locations: Location[] = [];
  failedOps: FailedOp[] = [];
  dcNode: Node | undefined;
  quorate = false;
  /** The CIB may come from a report, with private parameters blanked: a change of those alone is none. */
  sanitized = false;
  haveFenceDevice = false;
  haveUnfencing = false;
  haveRemoteNodes = false;
  stoppedBlocked = 0;
  blockedResources = 0;
  disabledResources = 0;
  instanceCount = 0;
  /** Rules of the release of Pacemaker that it decides as. */
  rules: ReleaseRules = rulesOf["3.0"];
  /** So many steps may still be made along colocations. */
  effortLeft = mostEffort;
  nextActionId = 1;
  nextOrderingId = 1;
  loopVisit = 0;
  recheckAt: EpochSeconds | undefined;
  readonly reasons: Reason[] = [];
  /** Books over the scores, when somebody wants to know. */
  ledger: ScoreBooks | undefined;
  readonly messages: SchedulerMessage[] = [];
  readonly scores: string[] = [];
  /** Removed lrm_resource entries: id, node, for `lrm_delete`. */
  removedOps: { rsc: Resource; node: Node; key: string; task: string; intervalMs: Millis; callId: string }[] =
    [];
  params = new Map<string, string>();

  constructor(
    readonly cib: XmlElement,
    readonly now: EpochSeconds,
    public options: Options,
    /** Of the clock by which rules with parts of a date are decided; this machine's where none is given. */
    readonly utcOffset?: number,
  ) {}

  warn(text: string, id?: string): void {
    this.messages.push({ level: "warning", text, ...(id === undefined ? {} : { id }) });
  }
  error(text: string, id?: string): void {
    this.messages.push({ level: "error", text, ...(id === undefined ? {} : { id }) });
  }
  info(text: string, id?: string): void {
    this.messages.push({ level: "info", text, ...(id === undefined ? {} : { id }) });
  }
  reason(reason: Reason): void {
    this.reasons.push(reason);
  }
  node(id: string): Node | undefined {
    return this.nodeById.get(id);
  }
}

/** What keeps the books over the scores of places. */
export interface ScoreBooks {
  note(rsc: Resource, cause: Cause | ((node: Node) => Cause), meant: (node: Node) => number): void;
  strike(rsc: Resource): void;
  reasons(): Reason[];
}

/** Copy of an entry of a node list. */
export const copyScore = (entry: NodeScore): NodeScore => ({ ...entry });

/** The resource itself, or the group/clone/bundle that it is in, outermost. */
export function topLevel(rsc: Resource, includeBundle = true): Resource {
  let current = rsc;
  while (current.parent && (includeBundle || !current.parent.isBundle)) current = current.parent;
  return current;
}

/** By whose places a resource goes: all instances of a clone that cannot be told apart go by the clone's. */
export function placedAs(rsc: Resource): Resource {
  const top = topLevel(rsc, false);
  return top.isClone && !top.unique ? top : rsc;
}

/** The innermost clone or bundle around a resource (or the resource itself). */
export function enclosingCollective(rsc: Resource): Resource | undefined {
  for (let current: Resource | undefined = rsc; current; current = current.parent)
    if (current.isCollective) return current;
  return undefined;
}

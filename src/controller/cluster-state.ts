import type { AlertEvent } from "../alerts/index.ts";
import {
  type AttributeEffect,
  type AttributeSnapshot,
  AttributeTable,
  type AttributeUpdate,
} from "../attributes/index.ts";
import {
  child,
  childrenOf,
  element,
  formatXml,
  knownNodes,
  parseBoolean,
  parseXml,
  refuseOtherForm,
  type XmlElement,
} from "../cib/index.ts";
import {
  type AgentResource,
  isNotBegun,
  isUnwatched,
  type Operation,
  type OperationResult,
  readAnyOperation,
  tellsRole,
} from "../executor/index.ts";
import {
  type MaintenanceChange,
  parameterDigest,
  SPARED,
  type Spared,
  sparedFor,
} from "../scheduler/index.ts";
import {
  type EpochSeconds,
  type HactlError,
  type NodeId,
  type NodeName,
  nodeName,
  OcfExit,
  OpStatus,
  type ResourceId,
  read,
  resourceId,
  withoutInstance,
} from "../terms/index.ts";
import { sameKind } from "./agent-knowledge.ts";
import { connectionNames, guestsByContainer, remoteHosts } from "./connection-names.ts";
import type { Away, ConfiguredNode, Locks, Remembered, Tickets } from "./face.ts";
import { Fencings } from "./fencings.ts";
import {
  asBefore,
  asRecorded,
  asSeen,
  beginsAnew,
  claimedFailure,
  digestedParameters,
  endsActive,
  endsHandedOver,
  endsInactive,
  endsPromoted,
  endsRecurring,
  endsUnstopped,
  FEATURE_SET,
  followsStop,
  foundActive,
  foundInactive,
  goesOnSince,
  historyEntry,
  idsOfResult,
  isFailure,
  isLeftAlone,
  isPending,
  isRecorded,
  isReload,
  isSupposed,
  isUnanswered,
  isUnbegunReload,
  keepsLock,
  mayBeActive,
  operationKey,
  pendingResult,
  recordedAction,
  revivesMigration,
  tellsNothing,
  traitAttributes,
} from "./history.ts";
import type { CibVersion, Loss } from "./join.ts";
import { isConnection } from "./local-history.ts";
import { type Families, managedAgain } from "./management-ends.ts";
import type { Dispatch, ExecutorHistory, FailedOperation, Moving, Snapshot } from "./messages.ts";
import { migratable, movedBy } from "./moving.ts";
import { nodesEntries, placeNode } from "./nodes-section.ts";
import { isCloned, resourceFamilies } from "./one-owner.ts";
import { type Elsewhere, Sightings } from "./sightings.ts";
import { StatusSection } from "./status.ts";
import { UnderWay } from "./under-way.ts";
import { Undo } from "./undo.ts";
import {
  type Activation,
  isConfigured,
  type Place,
  supposedActive,
  Unseen,
  type UnseenPlace,
} from "./unseen.ts";

/** Ends of recurring operations that are remembered: answers cross only the last of them. */
const MOST_CANCELLED = 500;

/** No executor is given so many operations in earnest. A call id beyond it that is far from what was heard is none. */
const FAR_CALL_ID = 2 ** 47;
/** Beyond that the numbers go on one by one, so that whatever others say, the next one can always be given. */
const CALL_ID_LEAP = 2 ** 20;

/**
 * The state that every member has alike: CIB with status, transient attributes. It changes only
 * by messages in their order, so the same messages give the same state everywhere.
 */
export class ClusterState {
  cib: XmlElement;
  /** Version that this configuration was built on after a newer one was lost, until somebody accepts that. */
  fallback: CibVersion | undefined;
  /** What nodes have lost, until somebody brings it back or accepts that. */
  losses: readonly Loss[] = [];
  status: StatusSection;
  readonly attributes = new AttributeTable();
  #nodes: readonly ConfiguredNode[];
  /** How the participants call themselves, which the node list of another node's file may not know yet. */
  #names = new Map<NodeId, NodeName>();
  /** In which boot each node was when its transient attributes were set; none for a node that was lost since. */
  #boots = new Map<NodeName, string>();
  /** Attributes that were written into the status since somebody asked. */
  #written: Extract<AlertEvent, { kind: "attribute" }>[] = [];
  /** Names of the remote and guest nodes that the configuration has; made when it is asked for. */
  #connections: ReadonlySet<string> | undefined;
  /** See `guests`. */
  #guestsKnown: ReadonlyMap<string, string> | undefined;
  #fencings = new Fencings();
  /** Nodes that could not tell all that runs there, each with what was being moved away from it. */
  #untold = new Map<NodeName, readonly Moving[]>();
  #underWay = new UnderWay();
  /** What nobody has seen since a daemon died. */
  #unseen = new Unseen();
  #sightings = new Sightings();
  /** Call ids with which recurring operations were ended last, by node and operation: an answer may cross that. */
  #cancelled: ReadonlyMap<string, number> = new Map();
  /** See `Remembered`. */
  #away: ReadonlyMap<NodeName, EpochSeconds> = new Map();
  /** Highest call id that has been heard of, per executor. */
  #callIds = new Map<NodeName, number>();
  /** Highest call id that this node has given out. */
  readonly #reserved = new Map<NodeName, number>();
  /** Told of every element before it is changed. */
  readonly undo = new Undo();

  constructor(cib: XmlElement, nodes: readonly ConfiguredNode[], remembered?: Remembered) {
    this.cib = cib;
    this.#nodes = nodes;
    this.status = new StatusSection(cib, this.undo);
    if (!remembered) return;
    for (const [node, boot] of remembered.boots) this.#boots.set(node, boot);
    this.attributes.restore(remembered.attributes);
    for (const { name, set, written } of remembered.attributes)
      for (const [node, value] of written) this.status.setAttribute(this.idOf(node), node, name, value, set);
    for (const [name, fencedAt] of remembered.away) this.#setAway(this.idOf(name), name, fencedAt);
    for (const { node, rsc, since } of remembered.locks ?? [])
      this.status.lock(this.idOf(node), node, rsc, since);
    if (remembered.tickets.length > 0) {
      const states = remembered.tickets.map((state) => element("ticket_state", Object.fromEntries(state)));
      this.status.xml.children.push(element("tickets", {}, states));
    }
  }

  /** Nodes that could not tell all that runs there, each with what was being moved away from it. */
  get untold(): ReadonlyMap<NodeName, readonly Moving[]> {
    return this.#untold;
  }

  /**
   * Nothing is known of a remote node since this cluster remembers, and no attempt to connect to it has failed. A guest
   * that runs may not answer, and goes on with its services: only its end makes it certain.
   */
  isUnheard(remote: NodeName, isGuest: boolean): boolean {
    if (this.status.nodeState(remote, "in_ccm") !== undefined) return false;
    if (isGuest) return true;
    return !this.attributes.names().some((name) => name.startsWith(`fail-count-${remote}#start_`));
  }

  /** All that may run on a node has been looked for; says whether that was still to be done. */
  probed(name: NodeName): boolean {
    return this.#untold.delete(name);
  }

  /** Attributes and boots, for a manager that is started anew when no other one knows them. */
  remembered(): Omit<Remembered, "results" | "tickets" | "away" | "locks"> {
    return { attributes: this.attributes.snapshot(), boots: [...this.#boots] };
  }

  get away(): Away {
    return [...this.#away];
  }

  /** What waits for nodes that are away. */
  locks(): Locks {
    if (!this.#hasLocks()) return [];
    return [...this.#away.keys()].flatMap((node) =>
      this.status.locksOn(this.idOf(node)).map((lock) => ({ node, ...lock })),
    );
  }

  /** A node has gone, and nothing of what it ran is left. `fencedAt`: of a remote one, 0 when it was let go. */
  #setAway(id: string, name: NodeName, fencedAt: EpochSeconds): void {
    const how = fencedAt > 0 ? { node_fenced: String(fencedAt) } : { expected: "down" };
    this.status.setNodeState(
      id,
      name,
      this.isClusterNode(name)
        ? { in_ccm: "false", crmd: "offline", join: "down", expected: "down" }
        : { remote_node: "true", in_ccm: "false", ...how },
    );
    this.#away = new Map([...this.#away, [name, fencedAt]]);
  }

  #setBack(name: NodeName): void {
    if (!this.#away.has(name)) return;
    this.#away = new Map([...this.#away].filter(([other]) => other !== name));
  }

  /**
   * Since when a remote node is known to be fenced, 0 for one that was let go and for a cluster node that is away;
   * undefined: it is none of this, or may run something.
   */
  #awaySince(id: string): EpochSeconds | undefined {
    const known = (field: string) => this.status.nodeState(id, field);
    const isCluster = known("remote_node") === undefined;
    const fencedAt = isCluster ? 0 : Number(known("node_fenced") ?? 0);
    const isExpected = known("expected") === "down";
    const isGone = isCluster ? known("crmd") === "offline" && isExpected : fencedAt > 0 || isExpected;
    if (!isGone || known("in_ccm") !== "false") return undefined;
    return this.status.resourcesOn(id).some((rsc) => mayBeActive(this.status.ops(id, rsc)))
      ? undefined
      : fencedAt;
  }

  /** The states of the tickets, as the status has them. */
  tickets(): Tickets {
    return childrenOf(child(child(this.cib, "status"), "tickets"), "ticket_state").map(({ attributes }) => [
      ...attributes,
    ]);
  }

  /** Changes the state, wholly or not at all: what `change` throws is thrown again, with everything as it was. */
  attempt(change: () => void): void {
    const { cib, fallback, losses } = this;
    const callIds = new Map(this.#callIds);
    const names = new Map(this.#names);
    const boots = new Map(this.#boots);
    const fencings = this.#fencings.all();
    const untold = new Map(this.#untold);
    const away = this.#away;
    const cancelled = this.#cancelled;
    const underWay = this.#underWay;
    const unseen = this.#unseen.copy();
    const sightings = this.#sightings.copy();
    const written = [...this.#written];
    this.undo.begin();
    this.attributes.begin();
    underWay.begin();
    // Counters and who wrote it stand here: every message touches them.
    this.undo.touch(cib);
    try {
      change();
    } catch (error) {
      this.undo.rollback();
      this.attributes.rollback();
      this.#callIds = callIds;
      this.#names = names;
      this.#boots = boots;
      this.#fencings = new Fencings(fencings);
      this.#untold = untold;
      this.#away = away;
      this.#cancelled = cancelled;
      underWay.rollback();
      this.#underWay = underWay;
      this.#unseen = unseen;
      this.#sightings = sightings;
      this.#written = written;
      this.#connections = undefined;
      this.#guestsKnown = undefined;
      this.cib = cib;
      this.fallback = fallback;
      this.losses = losses;
      this.status = new StatusSection(cib, this.undo);
      throw error;
    }
    this.undo.commit();
    this.attributes.commit();
    underWay.commit();
  }

  get configuration(): XmlElement | undefined {
    return child(this.cib, "configuration");
  }

  setNodes(nodes: readonly ConfiguredNode[]): void {
    this.#nodes = nodes;
  }

  version(): CibVersion {
    const part = (name: string) => Number.parseInt(this.cib.attributes.get(name) ?? "0", 10) || 0;
    return [part("admin_epoch"), part("epoch"), part("num_updates")];
  }

  /** The status has changed. */
  touch(): void {
    const next = this.version()[2] + 1;
    // At their end they stand still: a number that is none could not be read by anybody.
    this.cib.attributes.set("num_updates", String(Math.min(next, Number.MAX_SAFE_INTEGER)));
  }

  /**
   * The configuration, or the status, has been changed from outside; the index over the status is made anew, it may have
   * been replaced. A node whose state was removed has no attributes any more, unless it is there. Those of the others are what
   * was told of them: what is asked for and what is decided by would differ otherwise, until a value changes.
   * @param configuration as it was before
   * @returns where what is known may not hold any more, see `doubt`
   */
  configurationChanged(at: EpochSeconds, configuration: XmlElement | undefined): readonly Place[] {
    const before = this.status;
    this.status = new StatusSection(this.cib, this.undo);
    this.#connections = undefined;
    this.#meetRemotes(configuration);
    this.#guestsKnown = undefined;
    const kept = new Set(this.status.nodeIds());
    for (const id of before.nodeIds()) {
      if (kept.has(id) || before.nodeState(id, "crmd") === "online") continue;
      this.attributes.removeNode(before.nameOf(id));
    }
    if (this.attributes.holds) this.#writeAttributes(this.attributes.meet(knownNodes(this.cib)));
    this.#writeAttributes(this.attributes.rewrite().filter(({ node }) => kept.has(this.idOf(node))));
    this.#sightings.configured(configuration, this.configuration, () =>
      this.status.nodeIds().flatMap((id) => this.status.resourcesOn(id)),
    );
    this.#showForsaken(at);
    const again = managedAgain(configuration, this.configuration);
    return again === undefined ? [] : this.doubt(again);
  }

  /** See `doubt`. */
  doubtFamiliesOf(resources: readonly string[]): readonly Place[] {
    return this.doubt(new Set(resources.map(resourceFamilies(this.configuration))));
  }

  /**
   * Somebody may have stopped or started resources of these families on any node, as while the cluster left them alone: what
   * is known of them is only a memory from here on. Returns these places; what is done there has to be looked at again.
   */
  doubt(families: Families): readonly Place[] {
    const familyOf = resourceFamilies(this.configuration);
    const isMeant = (id: string, rsc: string) => {
      const agent = this.status.agentOf(id, rsc);
      if (!agent || isConnection(agent) || agent.class === "stonith") return false;
      return families === "all" || families.has(familyOf(rsc));
    };
    const places = this.status.nodeIds().flatMap((id) =>
      this.status
        .resourcesOn(id)
        .filter((rsc) => isMeant(id, rsc) && !this.status.ops(id, rsc).some(isPending))
        .map((rsc) => ({ node: this.status.nameOf(id), rsc: resourceId(rsc) })),
    );
    for (const { node, rsc } of places) this.#unseen.doubt(node, rsc);
    return places;
  }

  /**
   * A remote node that is configured only now has run nothing for this cluster: there is nothing to fence it for, as there would
   * be for one of which nobody knows anything since the cluster began (startup-fencing).
   */
  #meetRemotes(before: XmlElement | undefined): void {
    // What was not changed is the same element.
    if (before === this.configuration) return;
    const were = remoteHosts(before);
    for (const name of remoteHosts(this.configuration))
      if (!were.has(name) && !this.status.has(name) && !this.#isMembers(name))
        this.status.setNodeState(name, nodeName(name), { remote_node: "true" });
  }

  /** What may run and is not configured any more is looked for by nobody: the histories tell of it, so that it is stopped. */
  #showForsaken(at: EpochSeconds): void {
    const all = this.#unseen.mayRun;
    if (all.length === 0) return;
    const configured = isConfigured(this.configuration, resourceFamilies(this.configuration));
    for (const [node, operations] of all)
      for (const operation of operations) {
        const known = this.status.ops(this.idOf(node), operation.rsc.id);
        // A probe that is under way will tell that it does not run, too.
        if (configured(operation.rsc) || known.some((op) => !isPending(op) || !isProbeEntry(op))) continue;
        this.#record(node, supposedActive(operation, at));
      }
  }

  /** Name of a cluster node by its ring id: what it says itself, then what the configuration knows. */
  nameOf(id: NodeId): NodeName {
    const announced = this.#names.get(id);
    if (announced !== undefined) return announced;
    const known = nodesEntries(this.configuration).find((node) => node.attributes.get("id") === String(id));
    const uname = known?.attributes.get("uname");
    if (uname !== undefined) return nodeName(uname);
    return this.#nodes.find((node) => node.id === id)?.name ?? nodeName(`node${id}`);
  }

  /** Id under which `<nodes>` and `<status>` keep a node. Remote nodes have their name as id. */
  idOf(name: NodeName): string {
    const known = nodesEntries(this.configuration).find((node) => node.attributes.get("uname") === name);
    return known?.attributes.get("id") ?? String(this.#nodes.find((node) => node.name === name)?.id ?? name);
  }

  /** Names of the cluster nodes that the configuration knows, remote and guest nodes not among them. */
  clusterNodes(): { readonly id: string; readonly name: NodeName }[] {
    const known = new Map(this.#nodes.map(({ id }) => [String(id), this.nameOf(id)]));
    for (const node of nodesEntries(this.configuration)) {
      const type = node.attributes.get("type");
      if (type === "remote" || type === "ping") continue;
      const id = node.attributes.get("id");
      const uname = node.attributes.get("uname");
      if (id !== undefined && uname !== undefined && !known.has(id)) known.set(id, nodeName(uname));
    }
    return [...known].map(([id, name]) => ({ id, name }));
  }

  /** Whether a name is that of a cluster node, not of a remote or guest one. */
  isClusterNode(name: NodeName): boolean {
    return this.clusterNodes().some((node) => node.name === name);
  }

  /** A cluster property's plain value; rules are the scheduler's business. */
  property(...names: readonly string[]): string | undefined {
    for (const set of childrenOf(child(this.configuration, "crm_config"), "cluster_property_set")) {
      for (const nvpair of childrenOf(set, "nvpair")) {
        if (names.includes(nvpair.attributes.get("name") ?? "")) return nvpair.attributes.get("value");
      }
    }
    return undefined;
  }

  /** A number for the next operation of that executor. */
  nextCallId(name: NodeName): number {
    return Math.max(this.heardCallId(name), this.#reserved.get(name) ?? 0) + 1;
  }

  /** The highest call id that all who have heard the same know of. */
  heardCallId(name: NodeName): number {
    return this.#callIds.get(name) ?? 0;
  }

  /** Marks a call id as given out. */
  reserveCallId(name: NodeName, callId: number): void {
    this.#reserved.set(name, callId);
  }

  /**
   * A participant is there, under the name by which it calls itself: entries in `<nodes>` and `<status>`. Says whether
   * the configuration changed, and how the node was called before if that was otherwise.
   */
  nodeJoined(id: NodeId, name: NodeName): { readonly changed: boolean; readonly before?: NodeName } {
    this.#names.set(id, name);
    this.#setBack(name);
    const placed = placeNode(this.configuration, String(id), name, this.undo);
    if (placed.before !== undefined) {
      this.attributes.removeNode(placed.before);
      this.#boots.delete(placed.before);
      const { exchanged } = placed;
      if (exchanged !== undefined && this.status.has(exchanged))
        this.status.setNodeState(exchanged, placed.before, {});
    }
    this.status.setNodeState(String(id), name, {
      in_ccm: "true",
      crmd: "online",
      join: "member",
      expected: "member",
      "crm-debug-origin": "hactl",
    });
    this.touch();
    return placed;
  }

  /** Whether what is known of a node's transient attributes is of that boot, and the node was not lost since. */
  remembersBoot(name: NodeName, boot: string): boolean {
    return this.#boots.get(name) === boot;
  }

  /** What is known of a node from here on is of that boot. */
  setBoot(name: NodeName, boot: string): void {
    this.#boots.set(name, boot);
  }

  /** The boot in which each of some nodes runs, as far as it has told. */
  bootsOf(nodes: readonly NodeName[]): ReadonlyMap<NodeName, string> {
    return new Map([...this.#boots].filter(([node]) => nodes.includes(node)));
  }

  /** Transient attributes of a node are not known: it was lost, or has been rebooted. */
  dropAttributes(id: string, name: NodeName): void {
    this.status.clearAttributes(id);
    this.attributes.removeNode(name);
    this.#boots.delete(name);
  }

  /** Drops what is remembered of cluster nodes that are not there: they will tell it themselves. */
  dropAbsentAttributes(present: ReadonlySet<string>): void {
    for (const { id, name } of this.clusterNodes())
      if (!present.has(id) && this.status.nodeState(id, "crmd") === undefined) this.dropAttributes(id, name);
  }

  /** A cluster node's ring, or its manager, is gone. `expected` stays: a node that did not say goodbye is unclean. */
  nodeLost(id: string, name: NodeName, ringThere: boolean): void {
    this.status.setNodeState(id, name, { in_ccm: String(ringThere), crmd: "offline", join: "down" });
    this.dropAttributes(id, name);
    // A node that has left in order and has stopped nothing, as in maintenance.
    if (this.status.nodeState(id, "expected") === "down") this.#guestsUnheard(this.#guestsOn(id));
    if (this.#awaySince(id) === 0) this.#setAway(id, name, 0);
    this.touch();
  }

  /** The guests that a node is connected to, by what is known. */
  #guestsOn(id: string): readonly NodeName[] {
    return [...this.guests.values()].filter((guest) => endsActive(this.status.ops(id, guest))).map(nodeName);
  }

  /**
   * Guests run on while nobody is connected to them, nor knows of what carries them. What they run they tell when they are
   * connected again; until then it is as if they had not been heard of, and not as if they were lost. What ran in them may
   * run still.
   */
  #guestsUnheard(guests: readonly NodeName[]): void {
    for (const guest of guests) {
      for (const operation of this.#mayStillRunOn(guest))
        this.#unseen.forgotten(guest, operation.rsc.id, operation);
      this.status.clearHistory(guest);
      this.status.unsetNodeState(guest, "in_ccm");
    }
  }

  /**
   * A guest in which a resource may run, by what it ran when it was heard last, while it is carried or may be. Of one that
   * was found running and was never heard, it may be all that nobody here has ever run.
   */
  unheardGuestOf(rsc: string): NodeName | undefined {
    const plain = withoutInstance(rsc);
    const mayRun = new Map(this.#unseen.mayRun);
    for (const [container, guest] of this.guests) {
      const name = nodeName(guest);
      if (container === rsc || guest === rsc) continue;
      const known = mayRun.get(name);
      const mayBeInside = known
        ? known.some((operation) => withoutInstance(operation.rsc.id) === plain) && this.#isCarried(container)
        : this.isUnheard(name, true) && this.wasFound(container) && !this.#wasEverRun(rsc);
      if (mayBeInside) return name;
    }
    return undefined;
  }

  /** Whether what carries a guest is active, or may be. */
  #isCarried(container: string): boolean {
    return (
      this.#untold.size > 0 || this.status.nodeIds().some((id) => mayBeActive(this.status.ops(id, container)))
    );
  }

  /** Whether a resource is active, and was so when somebody looked. */
  wasFound(rsc: string): boolean {
    return this.status.nodeIds().some((id) => {
      const ops = this.status.ops(id, rsc);
      return endsActive(ops) && !ops.some((op) => op.attributes.get("operation") !== "monitor");
    });
  }

  /** Whether more was done with a resource than to look for it. */
  #wasEverRun(rsc: string): boolean {
    return this.status.nodeIds().some((id) => this.status.ops(id, rsc).some((op) => !isProbeEntry(op)));
  }

  /** What carried guests has ended on a node. Those that are carried nowhere else run nothing, and have no attributes. */
  #guestsEnded(containers: readonly string[]): void {
    for (const container of containers) {
      const guest = this.guests.get(container);
      if (guest === undefined || !this.status.has(guest) || this.#isCarried(container)) continue;
      const name = nodeName(guest);
      this.#unseen.lost(name);
      this.#sightings.off(name);
      this.status.setNodeState(guest, name, { in_ccm: "false" });
      this.status.clearHistory(guest);
      this.dropAttributes(guest, name);
      this.touch();
    }
  }

  /** Guest nodes by what carries them, as it is configured now. */
  get guests(): ReadonlyMap<string, string> {
    this.#guestsKnown ??= guestsByContainer(this.configuration);
    return this.#guestsKnown;
  }

  /** A node may go: it is expected to be down from now on, and nothing runs there. */
  nodeReleased(name: NodeName): void {
    const id = this.idOf(name);
    this.status.setNodeState(id, name, { expected: "down", join: "down" });
    this.touch();
  }

  /** Fencings that run. */
  get fencings(): Fencings {
    return this.#fencings;
  }

  /**
   * Fencing says that a node is off: it runs nothing. Of a remote or guest node the time is kept (`node_fenced`): as long
   * as its connection is not up again, its failure is no reason to fence it once more, and may expire.
   */
  nodeFenced(name: NodeName, at: EpochSeconds): void {
    const id = this.idOf(name);
    const ended = this.status.resourcesOn(id);
    const unstopped = ended.filter((rsc) => endsUnstopped(this.status.ops(id, rsc)));
    const isSpared = (rsc: string) => this.status.ops(id, rsc).some((op) => sparedFor(op) !== undefined);
    this.#sightings.reset(
      name,
      unstopped.map((rsc) => ({ rsc, spared: isSpared(rsc) })),
      at,
    );
    this.#setAway(id, name, this.isClusterNode(name) ? 0 : Math.max(1, Math.floor(at)));
    this.status.clearHistory(id);
    this.dropAttributes(id, name);
    this.#untold.delete(name);
    this.#unseen.lost(name);
    this.#guestsEnded(ended);
    this.touch();
  }

  /** The connection to a remote node is up or down. Says whether that is news. */
  remoteState(name: NodeName, up: boolean): boolean {
    // Whether a member is there is told by the ring, not by a connection that goes by its name, or by its id.
    if (this.#isMembers(name)) return false;
    const wasUp = this.status.nodeState(name, "in_ccm") === "true";
    if (up) {
      this.#setBack(name);
      this.status.unsetNodeState(name, "expected");
    }
    this.status.setNodeState(name, name, {
      remote_node: "true",
      in_ccm: String(up),
      "crm-debug-origin": "hactl",
      ...(up ? { node_fenced: "0" } : {}),
    });
    if (wasUp && !up && this.#isLetGo(name)) this.#setAway(name, name, 0);
    this.touch();
    return wasUp !== up;
  }

  /** Whether a remote or guest node of a name is connected that somebody else has who is in the ring. */
  isConnectedAs(id: NodeId, name: NodeName): boolean {
    return this.status.nodeIds().some((other) => {
      const state = (field: string) => this.status.nodeState(other, field);
      if (other === String(id) || state("remote_node") !== "true" || state("in_ccm") !== "true") return false;
      return this.status.nameOf(other).toLowerCase() === name.toLowerCase();
    });
  }

  /** Whether a word is the name, or the id, of a member by the configuration, which decisions go by. */
  #isMembers(word: string): boolean {
    return nodesEntries(this.configuration).some(({ attributes }) => {
      if (attributes.get("type") === "remote") return false;
      return [attributes.get("id"), attributes.get("uname")].some(
        (one) => one?.toLowerCase() === word.toLowerCase(),
      );
    });
  }

  /** A remote host, of which all is known, runs nothing. What runs in a guest its container says. */
  #isLetGo(name: NodeName): boolean {
    const inDoubt = this.#untold.has(name) || this.#unseen.mayRunOn(name).length > 0;
    if (inDoubt || [...this.guests.values()].includes(name)) return false;
    return !this.status.resourcesOn(name).some((rsc) => mayBeActive(this.status.ops(name, rsc)));
  }

  /**
   * Forgets the remote and guest nodes that are not configured any more, with their history and attributes, as soon as no
   * node remembers a connection to them: until then it may be up, and the scheduler would miss their state. What was noted of
   * one that goes by the name of a member is no node's. Returns their names.
   */
  forgetRemovedRemotes(): NodeName[] {
    const forgotten: NodeName[] = [];
    for (const id of this.status.nodeIds()) {
      if (this.status.nodeState(id, "remote_node") !== "true") continue;
      const name = this.status.nameOf(id);
      // Written by a connection that was taken for the member itself.
      if (nodesEntries(this.configuration).some((node) => node.attributes.get("id") === id)) continue;
      const isNamesake = this.#isMembers(name);
      this.#connections ??= connectionNames(this.configuration);
      if (isNamesake) {
        this.status.removeNode(id);
        this.touch();
        continue;
      }
      if (this.#connections.has(name)) continue;
      if (this.status.nodeIds().some((other) => this.status.knows(other, name))) continue;
      this.status.removeNode(id);
      this.attributes.removeNode(name);
      this.#callIds.delete(name);
      this.touch();
      forgotten.push(name);
    }
    return forgotten;
  }

  /** Whether there is anything to be known of a remote node: it is configured, or something tells of it still. */
  isOfRemote(name: NodeName): boolean {
    this.#connections ??= connectionNames(this.configuration);
    if (this.#connections.has(name) || this.status.has(this.idOf(name))) return true;
    return this.status.nodeIds().some((other) => this.status.knows(other, name));
  }

  /** Remote and guest nodes have been told that they are in maintenance, or not any more. */
  maintenance(changes: readonly MaintenanceChange[]): void {
    for (const { node, nodeId, inMaintenance } of changes)
      this.status.setNodeState(nodeId, node, { node_in_maintenance: inMaintenance ? "1" : "0" });
    this.touch();
  }

  /** An operation has been given out: it is pending, and what it ends is not in the history any more. */
  dispatched(dispatch: Dispatch, at: EpochSeconds): void {
    const { node, operation } = dispatch;
    if (!this.#isCallId(node, operation.callId)) return;
    this.#sawCallId(node, operation.callId);
    const { rsc, action, intervalMs } = operation;
    const id = this.idOf(node);
    if (action === "cancel") {
      const key = operationKey(rsc.id, operation.params.CRM_meta_operation ?? "", cancelInterval(operation));
      if (this.status.removeOps(id, rsc.id, (op) => op.attributes.get("id") === key)) this.touch();
      const others = [...this.#cancelled].filter(([one]) => one !== `${node} ${key}`);
      this.#cancelled = new Map([...others.slice(-MOST_CANCELLED), [`${node} ${key}`, operation.callId]]);
      return;
    }
    // What runs goes on as it was started until a reload says otherwise.
    if (!isRecorded(action) || intervalMs > 0 || isReload(action)) return;
    if (endsRecurring(action)) {
      this.status.removeOps(id, rsc.id, (op) => isRecurring(op) && !isLastFailure(op));
    }
    this.#sightings.begun(node, operation);
    for (const { to } of movedBy(operation)) {
      this.#forgetArrival(to, operation);
      this.#sightings.begun(to, operation);
    }
    this.#record(node, pendingResult(operation, at));
    this.#underWay.add(dispatch);
  }

  /**
   * A resource is being moved to a remote node, where it was known not to run: it may run there from now on, and no
   * decision would look, since of a remote node it takes what the source says for outdated. True if that was known, and is
   * not any more.
   */
  forgetAbsence(to: NodeName, rsc: ResourceId): boolean {
    const id = this.idOf(to);
    if (this.isClusterNode(to) || endsActive(this.status.ops(id, rsc))) return false;
    if (!this.status.removeResource(id, rsc)) return false;
    this.touch();
    return true;
  }

  /** A resource is migrated once more from the same node to another: that it arrived there before says nothing of this time. */
  #forgetArrival(to: NodeName, { rsc, params }: Operation): void {
    const key = operationKey(rsc.id, "migrate_from", 0);
    const source = params.CRM_meta_migrate_source;
    const isEarlier = ({ attributes }: XmlElement) =>
      attributes.get("id") === key && attributes.get("migrate_source") === source;
    this.status.removeOps(this.idOf(to), rsc.id, isEarlier);
  }

  /**
   * Operations that were given out and may still be answered: the history waits for them, their executors are there, and
   * so are the connections of these to remote nodes.
   */
  get underWay(): readonly Dispatch[] {
    return this.#pending().filter(
      ({ node, executor }) =>
        this.status.nodeState(this.idOf(executor), "crmd") === "online" &&
        (node === executor || !this.#isConnectionLost(node, executor)),
    );
  }

  /** Whether a node has found that its connection to a remote one has failed, and has not made another one. */
  #isConnectionLost(remote: NodeName, executor: NodeName): boolean {
    const id = this.idOf(executor);
    const failure = this.status.op(id, remote, operationKey(remote, "last_failure", 0));
    const last = this.status.op(id, remote, operationKey(remote, "last", 0));
    return failure !== undefined && callOf(failure) >= callOf(last);
  }

  #pending(): readonly Dispatch[] {
    return this.#underWay
      .all()
      .filter(({ node, operation }) =>
        this.status
          .ops(this.idOf(node), operation.rsc.id)
          .some((op) => Number(op.attributes.get("call-id")) === operation.callId && isPending(op)),
      );
  }

  /** Takes a result into the history; a failure counts. Returns what follows for the attributes. */
  result(node: NodeName, told: OperationResult): AttributeEffect[] {
    // It would be newer than all that the node is given from now on.
    if (!this.#isCallId(node, told.callId)) return [];
    const result = this.#asRecorded(node, told);
    this.#sawCallId(node, result.callId);
    if (!isRecorded(result.action)) return [];
    this.#unseen.saw(node, result);
    const lockedSince = this.#underWay.of(node, result)?.lockedSince;
    if (result.intervalMs === 0) this.#underWay.over(node, result);
    // A node that was forgotten meanwhile does not come back by what it had begun.
    if (!this.status.has(this.idOf(node))) return [];
    if (this.#isOutdated(node, result)) return [];
    const supposed = this.#dropSupposed(node, result);
    if (supposed === "overtaken") return [];
    this.#sightings.told(node, result, this.configuration);
    this.#record(node, told);
    if (result.intervalMs === 0) this.#lock(node, result, lockedSince);
    if (result.action === "stop" && !isFailure(result)) this.#guestsEnded([result.rsc.id]);
    // That it did not come in time has been counted already.
    if (supposed === "dropped") return [];
    if (!isFailure(result) || (result.action === "monitor" && result.intervalMs === 0)) return [];
    return this.#countFailure(node, result);
  }

  /** A resource waits for a node that goes, or is back, as long as it is not active there (shutdown-lock). */
  #lock(node: NodeName, result: OperationResult, since: EpochSeconds | undefined): void {
    const id = this.idOf(node);
    if (since !== undefined && this.#hasLocks() && keepsLock(result))
      this.status.lock(id, node, result.rsc, since);
    else this.status.unlock(id, result.rsc.id);
  }

  /** What an agent says of the parameters of results that are in the history already. */
  described(node: NodeName, results: readonly OperationResult[]): void {
    const id = this.idOf(node);
    for (const result of results) {
      const attributes = traitAttributes(result);
      if (attributes.length === 0) continue;
      const digest = parameterDigest(digestedParameters(result.intervalMs, result.params));
      const isIts = (op: XmlElement) =>
        callOf(op) === result.callId &&
        !isPending(op) &&
        op.attributes.get("interval") === String(result.intervalMs) &&
        op.attributes.get("op-digest") === digest;
      for (const op of this.status.ops(id, result.rsc.id).filter(isIts)) {
        const described = { ...op, attributes: new Map([...op.attributes, ...attributes]) };
        this.status.recordOp(id, node, result.rsc, described, true);
        this.touch();
      }
    }
  }

  /**
   * The leader has waited in vain for a result: what is supposed instead. Undefined when there is nothing to suppose,
   * since the result has come meanwhile, or the resource was forgotten.
   */
  unanswered(node: NodeName, result: OperationResult): AttributeEffect[] | undefined {
    const ofCall = this.status
      .ops(this.idOf(node), result.rsc.id)
      .filter(({ attributes }) => Number(attributes.get("call-id")) === result.callId);
    const pending = ofCall.filter(isPending);
    if (!this.status.knows(this.idOf(node), result.rsc.id)) return undefined;
    const waits = result.intervalMs > 0 || isReload(result.action) || pending.length > 0;
    if (pending.length < ofCall.length || !waits) return undefined;
    return this.result(node, result);
  }

  /**
   * Somebody says that a resource has failed on a node: the result that is to be taken into the history, with a number
   * that follows from the history alone, so that it is the same on all members. Undefined when it does not run there.
   */
  claimedFailure(node: NodeName, rsc: string, at: EpochSeconds): OperationResult | undefined {
    const id = this.idOf(node);
    const agent = this.status.agentOf(id, rsc);
    if (!agent || !endsActive(this.status.ops(id, rsc))) return undefined;
    const calls = this.status.resourcesOn(id).flatMap((known) => this.status.ops(id, known));
    const last = Math.max(0, ...calls.map(({ attributes }) => Number(attributes.get("call-id") ?? 0) || 0));
    return claimedFailure(agent, last + 1, at);
  }

  /**
   * A node's history as its executor tells it takes the place of what was known, but for last failures in the same boot,
   * which an executor does not keep, and for what was given out to it since (with a call id above `seen`). `executor` is
   * the cluster node that speaks for it. Of one that cannot tell all, what was known to run there may run still: if it is not
   * configured any more, or with another agent, nobody would look for it. What was stopped there after a failure is taken for
   * what the node remembers.
   *
   * The executor of a remote host lives on while no node remembers the attributes of that boot: promotion scores among them,
   * which agents set when they are looked at. What it says is then no more than that something may run there.
   */
  replaceHistory(
    node: NodeName,
    executor: NodeName,
    history: ExecutorHistory,
    at: EpochSeconds,
    seen: number,
  ): void {
    const id = this.idOf(node);
    const since = this.status.entries(id, (op) => Number(op.attributes.get("call-id") ?? 0) > seen);
    const failures = this.remembersBoot(node, history.bootId) ? this.status.entries(id, isLastFailure) : [];
    const moved = this.#movedFrom(node, history);
    const isKnownBoot = this.remembersBoot(node, history.bootId);
    this.#sightings.runs(node, history.bootId, knowsAnything(history));
    const isBelieved = node === executor || isKnownBoot || history.results.length === 0;
    const forgetful = !history.complete && isKnownBoot;
    const doubtful = [
      ...(history.complete && isBelieved ? [] : this.#unseen.mayRunOn(node)),
      ...(forgetful ? this.#mayStillRunOn(id) : []),
    ];
    const guests = forgetful ? this.#guestsOn(id) : [];
    const stopped = forgetful ? this.#stoppedFailures(id, history) : [];
    this.status.clearHistory(id, this.#hasLocks());
    for (const { rsc, op } of stopped) this.status.recordOp(id, node, rsc, op);
    this.#underWay.restart(node, seen);
    for (const result of [...history.results].sort((a, b) => a.callId - b.callId)) {
      if (!this.#isCallId(node, result.callId)) continue;
      this.#sawCallId(node, result.callId);
      if (!isRecorded(result.action)) continue;
      this.#sightings.told(node, this.#asRecorded(node, result), this.configuration);
      this.#record(node, result);
    }
    for (const operation of [...history.running, ...history.interrupted])
      this.#sightings.begun(node, operation);
    if (!isBelieved) {
      doubtful.push(...this.#mayStillRunOn(id));
      this.status.clearHistory(id, this.#hasLocks());
    }
    for (const operation of history.running) {
      if (!this.#isCallId(node, operation.callId)) continue;
      this.#sawCallId(node, operation.callId);
      if (!isRecorded(operation.action) || isReload(operation.action)) continue;
      this.#record(node, pendingResult(operation, at));
      this.#underWay.add({ node, executor, operation });
    }
    // Each is put before the others: the first of them last.
    for (const { rsc, op } of since.toReversed()) this.status.recordOp(id, node, rsc, op);
    this.#takeUntold(node, history.complete && isBelieved ? undefined : moved);
    const carried = new Set(this.#guestsOn(id));
    this.#guestsUnheard(guests.filter((guest) => !carried.has(guest)));
    for (const { callId } of history.interrupted) this.#sawCallId(node, callId);
    const remembered = [...history.remembered, ...stopped.map(({ rsc }) => rsc.id)];
    this.#unseen.told(node, { ...history, remembered: isBelieved ? remembered : [] });
    const known = new Set(this.status.resourcesOn(id));
    for (const still of doubtful)
      if (!known.has(still.rsc.id)) this.#unseen.forgotten(node, still.rsc.id, still);
    this.#showForsaken(at);
    const told = new Set(this.status.resourcesOn(id));
    for (const { rsc, op } of failures)
      if (told.has(rsc.id) && !this.status.op(id, rsc.id, op.attributes.get("id") ?? ""))
        this.status.recordOp(id, node, rsc, op, true);
    this.touch();
  }

  /** Whether resources wait for nodes that were shut down. */
  #hasLocks(): boolean {
    return parseBoolean(this.property("shutdown-lock")) ?? false;
  }

  /**
   * The stops that went well of resources that had failed on a node, and of which it does not tell anything itself;
   * connections and fence devices the managers know.
   */
  #stoppedFailures(id: string, { results, running, interrupted }: ExecutorHistory) {
    const told = new Set([...results, ...running, ...interrupted].map(({ rsc }) => rsc.id));
    return this.status
      .entries(id, (op) => {
        const { action, rc, status } = entryOf(op);
        return action === "stop" && rc === OcfExit.OK && status === OpStatus.DONE && !isLastFailure(op);
      })
      .filter(({ rsc }) => !told.has(rsc.id) && rsc.class !== "stonith" && !isConnection(rsc))
      .filter(({ rsc }) => this.status.ops(id, rsc.id).some(isLastFailure));
  }

  /**
   * What may be on its way from a node to others: what was under way when its daemon died, or was given out and is not
   * answered. Of a node that nobody knows anything of any more it may be all that can be moved, to any other node.
   */
  #movedFrom(node: NodeName, { interrupted }: ExecutorHistory): readonly Moving[] {
    const given = this.#underWay.all().filter((dispatch) => dispatch.node === node);
    const moved = [...interrupted, ...given.map(({ operation }) => operation)].flatMap(movedBy);
    if (moved.length > 0 || this.status.resourcesOn(this.idOf(node)).length > 0) return moved;
    const configured = nodesEntries(this.configuration).map(({ attributes }) => attributes.get("uname"));
    const others = new Set([
      ...configured.flatMap((name) => (name ? [nodeName(name)] : [])),
      ...this.status.nodeIds().map((id) => this.status.nameOf(id)),
    ]);
    others.delete(node);
    return migratable(this.configuration).flatMap((rsc) => [...others].map((to) => ({ rsc, to })));
  }

  /**
   * Of a resource that was being moved when its node's daemon died, it is not known on the other node, either, unless it
   * is known to have been there already.
   */
  #takeUntold(node: NodeName, moved: readonly Moving[] | undefined): void {
    if (moved === undefined) this.#untold.delete(node);
    else this.#untold.set(node, moved);
    for (const { rsc, to } of [...this.#untold.values()].flat()) {
      const id = this.idOf(to);
      if (!endsActive(this.status.ops(id, rsc))) this.status.removeResource(id, rsc);
    }
  }

  /**
   * Applies attribute changes, all or none of them; what must be written into the status is written. Dampenings are returned.
   * @param asked by somebody, not by the cluster itself, see `AttributeTable.refusal`
   */
  setAttributes(
    updates: readonly AttributeUpdate[],
    asked = false,
  ): {
    readonly written: boolean;
    readonly dampen: AttributeEffect[];
    readonly refused?: HactlError;
  } {
    const refused = this.attributes.refusal(updates, !asked);
    if (refused) return { written: false, dampen: [], refused };
    return this.#writeAttributes(updates.flatMap((update) => this.attributes.apply(update)));
  }

  /** Attributes that were written into the status since it was asked last. */
  takeWritten(): readonly Extract<AlertEvent, { kind: "attribute" }>[] {
    const written = this.#written;
    if (written.length > 0) this.#written = [];
    return written;
  }

  /** A node tells its attributes itself: what is not dampened is in the status at once. */
  takeAttributes(node: NodeName, told: AttributeSnapshot): AttributeEffect[] {
    return this.#writeAttributes(this.attributes.takeNode(node, told)).dampen;
  }

  /** Ends a dampening. */
  flushAttribute(name: string): boolean {
    return this.#writeAttributes(this.attributes.flush(name)).written;
  }

  /**
   * Forgets what is known of a resource (all of them) on a node (everywhere): fail counts, and the history, so that
   * it is probed again. What is under way stays: its result is newer than what is forgotten; and so does a connection to
   * a remote or guest node that is well, of which only failures of the past are forgotten: to doubt it is to doubt all
   * that runs behind it. What is not configured any more is probed by nobody: where it may run it is known still that it
   * may, and the executor goes on knowing how it was started, with which it is to be stopped. Of failures of one
   * operation the history goes as well only where it ends with one of them: what else would it be told by that it runs?
   * Returns what was forgotten; whatever is not `kept` the executor must forget, too.
   */
  forget({ rsc, node, failuresOnly, failed: only, at }: ToForget): Forgotten[] {
    const forgotten: Forgotten[] = [];
    const configured = isConfigured(this.configuration, resourceFamilies(this.configuration));
    for (const id of this.status.nodeIds()) {
      const name = this.status.nameOf(id);
      if (node !== undefined && name !== node) continue;
      this.#clearFailCounts(name, rsc, only);
      for (const resource of this.status.resourcesOn(id)) {
        if (rsc !== undefined && withoutInstance(resource) !== withoutInstance(rsc)) continue;
        this.#sightings.cleanedUp(resource);
        const ops = this.status.ops(id, resource);
        const asked = only ? isFailureOf(only) : isToldFailure;
        if (failuresOnly && !ops.some(asked)) continue;
        const newest = ops.reduce((last, op) => (callOf(op) > callOf(last) ? op : last));
        if (only && !asked(newest)) {
          this.status.removeOps(id, resource, asked);
          forgotten.push({ node: name, rsc: resource, kept: true });
          continue;
        }
        const kept = this.#isSoundConnection(id, resource);
        const still = this.#mayStillRun(id, resource);
        const forsaken = still !== undefined && !configured(still.rsc);
        if (!kept) this.#unseen.forgotten(name, resource, still);
        this.status.removeOps(id, resource, (op) => (kept ? isFailedEntry(op) : !isPending(op)));
        if (this.status.ops(id, resource).length === 0) this.status.removeResource(id, resource);
        forgotten.push({ node: name, rsc: resource, kept: kept || forsaken });
      }
    }
    this.#showForsaken(at);
    this.touch();
    return forgotten;
  }

  /** What a resource's history leaves behind when it is forgotten; connections and fence devices the managers know. */
  #mayStillRun(id: string, resource: string, counts = endsActive): Operation | undefined {
    const rsc = this.status.agentOf(id, resource);
    const ops = this.status.ops(id, resource);
    if (!rsc || isConnection(rsc) || rsc.class === "stonith" || !counts(ops)) return undefined;
    // That it may run only a look says that failed, which is made again where it is configured.
    if (ops.some((op) => endsUnstopped([op]) && sparedFor(op) === "never-seen")) return undefined;
    const callId = Math.max(0, ...ops.map((op) => callOf(op) || 0));
    const action = endsPromoted(ops) ? "promote" : "start";
    const transitionKey = ops[0]?.attributes.get("transition-key") ?? "";
    const still = {
      callId,
      rsc,
      action,
      intervalMs: 0,
      timeoutMs: 0,
      startDelayMs: 0,
      params: {},
      transitionKey,
    };
    // Anybody with the right to may have written anything into the status; others could not read it.
    return read.accepts(readAnyOperation, still) ? still : undefined;
  }

  /**
   * The id under which a node runs what a decision calls `id`. When the instances of a clone lose their numbers, what runs
   * keeps its own until it ends, also where something is known of the plain id: a probe that found nothing. `longId` is
   * the decision's guess.
   */
  idInUse(node: NodeName, id: ResourceId, longId: string): ResourceId {
    const nodeId = this.idOf(node);
    const active = (rsc: string) => mayBeActive(this.status.ops(nodeId, rsc));
    if (active(id)) return id;
    if (active(longId)) return resourceId(longId);
    const numbered = this.status
      .resourcesOn(nodeId)
      .filter((rsc) => rsc !== id && withoutInstance(rsc) === id);
    return resourceId(numbered.sort().find(active) ?? id);
  }

  /** The agent that a node's history names for a resource. */
  agentOf(node: NodeName, rsc: ResourceId): AgentResource | undefined {
    return this.status.agentOf(this.idOf(node), rsc);
  }

  #mayStillRunOn(id: string): readonly Operation[] {
    return this.status
      .resourcesOn(id)
      .flatMap((resource) => this.#mayStillRun(id, resource, mayBeActive) ?? []);
  }

  /** Whether something is known only from what a daemon that died remembered. */
  get remembersAnything(): boolean {
    return this.#unseen.remembersAnything;
  }

  /** Whether a result only says that all is as the daemon before remembered. */
  confirmed(node: NodeName, result: OperationResult): boolean {
    const { rsc, action, intervalMs } = result;
    if (intervalMs === 0 || isFailure(result) || !this.#unseen.isRemembered(node, rsc.id)) return false;
    const known = this.status.op(this.idOf(node), rsc.id, operationKey(rsc.id, action, intervalMs));
    return known !== undefined && Number(known.attributes.get("rc-code")) === result.rc;
  }

  /**
   * A result that shows that somebody has acted while no daemon watched: that of the first monitor which finds a
   * resource in another role than its node remembered, or one that finds it where another node remembers it, too. Then
   * nothing is known of it there any more, nor wherever it is known not to run: it may have been brought to any node,
   * also to one whose daemon lived all the time. Returns these places.
   */
  disproved(node: NodeName, result: OperationResult): readonly Place[] {
    if (!this.remembersAnything || !tellsRole(result)) return [];
    const familyOf = resourceFamilies(this.configuration);
    const family = familyOf(result.rsc.id);
    const remembered = this.#unseen.rememberedOf((rsc) => familyOf(rsc) === family);
    const isOwn = (place: Place) => place.node === node && place.rsc === result.rsc.id;
    const contradicts = (place: Place) =>
      isOwn(place)
        ? result.intervalMs > 0 && isFailure(result) && !this.#isKnownBlock(node, result)
        : this.#excludes(place, result);
    const wrong = remembered.filter(contradicts);
    if (wrong.length === 0) return [];
    const isWrong = (place: Place) =>
      wrong.some((other) => other.node === place.node && other.rsc === place.rsc);
    const inactive = this.#inactivePlaces((rsc) => familyOf(rsc) === family);
    const places = [...wrong, ...inactive.filter((place) => !isOwn(place) && !isWrong(place))];
    for (const { node: where, rsc } of places) {
      const id = this.idOf(where);
      this.#unseen.forgotten(where, rsc, this.#mayStillRun(id, rsc));
      this.status.removeOps(id, rsc, (op) => !isPending(op));
      if (this.status.ops(id, rsc).length === 0) this.status.removeResource(id, rsc);
    }
    this.touch();
    return places;
  }

  /** A monitor has said the same before, and nothing better since, and the service was left as it is (on-fail=block). */
  #isKnownBlock(node: NodeName, result: OperationResult): boolean {
    if (!isLeftAlone(result)) return false;
    const { rsc, action, intervalMs, callId, rc } = result;
    const op = (key: string) => this.status.op(this.idOf(node), rsc.id, key);
    const failure = op(operationKey(rsc.id, "last_failure", 0));
    if (!failure || op(operationKey(rsc.id, action, intervalMs))) return false;
    return callOf(failure) === callId && failure.attributes.get("rc-code") === String(rc);
  }

  /** Where resources are known not to run; what is being done there is about to tell more. */
  #inactivePlaces(isMeant: (rsc: string) => boolean): readonly Place[] {
    return this.status.nodeIds().flatMap((id) => {
      const rest = this.status.resourcesOn(id).filter((rsc) => {
        const ops = this.status.ops(id, rsc);
        return isMeant(rsc) && !endsActive(ops) && !ops.some(isPending);
      });
      return rest.map((rsc) => ({ node: this.status.nameOf(id), rsc: resourceId(rsc) }));
    });
  }

  /** Whether a resource that a monitor has found on a node cannot well be where another node remembers it. */
  #excludes({ node, rsc }: Place, result: OperationResult): boolean {
    const ops = this.status.ops(this.idOf(node), rsc);
    if (result.rc === OcfExit.NOT_RUNNING || withoutInstance(rsc) !== withoutInstance(result.rsc.id))
      return false;
    if (result.rc === OcfExit.RUNNING_PROMOTED) return endsPromoted(ops);
    // Where it was migrated away from it has still to be stopped, but nothing is wrong.
    return endsActive(ops) && !endsHandedOver(ops) && !isCloned(this.configuration, withoutInstance(rsc));
  }

  /**
   * Where only the memory of a daemon that died says that a resource is not active, or not promoted, which is about to
   * become so elsewhere.
   */
  unseenBefore(activation: Activation, familyOf: (rsc: string) => string): readonly UnseenPlace[] {
    const family = familyOf(activation.rsc);
    return this.#unseen
      .rememberedOf((rsc) => familyOf(rsc) === family)
      .flatMap((place) => {
        const unseen = this.#unseenPlace(place);
        const { node, rsc } = place;
        const isOwner = activation.promotes
          ? endsPromoted(this.status.ops(this.idOf(node), rsc))
          : unseen.active;
        return node === activation.node || isOwner ? [] : [unseen];
      });
  }

  /** Where only the memory of a daemon that died says that a resource is not active. */
  unseenInactive(): readonly UnseenPlace[] {
    return this.#unseen
      .rememberedOf(() => true)
      .map((place) => this.#unseenPlace(place))
      .filter(({ active }) => !active);
  }

  #unseenPlace(place: Place): UnseenPlace {
    const nodeId = this.idOf(place.node);
    const ops = this.status.ops(nodeId, place.rsc);
    const watched = ops.some((op) => isRecurring(op) && !isLastFailure(op));
    return { ...place, nodeId, active: endsActive(ops), watched };
  }

  /** Whether a resource is a connection that was made, or let go, since it failed. */
  #isSoundConnection(id: string, rsc: string): boolean {
    const agent = this.status.agentOf(id, rsc);
    if (!agent || !isConnection(agent)) return false;
    const last = this.status.op(id, rsc, operationKey(rsc, "last", 0));
    if (!last || isFailedEntry(last)) return false;
    return callOf(last) > callOf(this.status.op(id, rsc, operationKey(rsc, "last_failure", 0)));
  }

  /** Drops the entry of a resource's last failure on a node: its fail count is cleared. */
  forgetFailure(node: NodeName, rsc: string): void {
    if (this.status.removeOps(this.idOf(node), rsc, isLastFailure)) this.touch();
  }

  /** Drops one resource's history on one node (a `delete` action). */
  deleteResource(node: NodeName, rsc: string): void {
    const still = this.#mayStillRun(this.idOf(node), rsc);
    if (!this.status.removeResource(this.idOf(node), rsc)) return;
    this.#unseen.forgotten(node, resourceId(rsc), still);
    this.touch();
  }

  snapshot(): Snapshot {
    return {
      cib: formatXml(this.cib, -1),
      ...this.remembered(),
      fencings: this.#fencings.all(),
      untold: [...this.#untold],
      mayRun: this.#unseen.mayRun,
      remembered: this.#unseen.remembered,
      seen: this.#sightings.seen(),
      callIds: [...this.#callIds],
      cancelled: [...this.#cancelled],
      underWay: this.#pending(),
      ...(this.fallback && { fallback: this.fallback }),
    };
  }

  restore(snapshot: Snapshot): void {
    const cib = parseXml(snapshot.cib);
    refuseOtherForm(cib);
    this.cib = cib;
    this.fallback = snapshot.fallback;
    this.status = new StatusSection(this.cib, this.undo);
    this.#connections = undefined;
    this.#guestsKnown = undefined;
    this.attributes.restore(snapshot.attributes);
    this.#boots.clear();
    for (const [node, boot] of snapshot.boots) this.#boots.set(node, boot);
    this.#fencings = new Fencings(snapshot.fencings);
    this.#untold.clear();
    for (const [node, moving] of snapshot.untold) this.#untold.set(node, moving);
    this.#underWay = new UnderWay(snapshot.underWay);
    this.#unseen = new Unseen(snapshot.mayRun, snapshot.remembered);
    this.#sightings = new Sightings(snapshot.seen);
    this.#cancelled = new Map(snapshot.cancelled ?? []);
    this.#away = new Map(
      this.status.nodeIds().flatMap((id) => {
        const since = this.#awaySince(id);
        return since === undefined ? [] : [[this.status.nameOf(id), since] as const];
      }),
    );
    // Of what was forgotten, and of recurring operations that are not answered yet, the status does not tell.
    this.#callIds = new Map(snapshot.callIds);
    for (const id of this.status.nodeIds()) {
      const name = this.status.nameOf(id);
      for (const resource of this.status.resourcesOn(id)) {
        for (const op of this.status.ops(id, resource)) {
          this.#sawCallId(name, Number.parseInt(op.attributes.get("call-id") ?? "0", 10) || 0);
        }
      }
    }
  }

  /** Whether a node can have been given an operation of that number. */
  #isCallId(node: NodeName, callId: number): boolean {
    return callId <= FAR_CALL_ID || callId <= this.heardCallId(node) + CALL_ID_LEAP;
  }

  #sawCallId(node: NodeName, callId: number): void {
    if (callId > this.heardCallId(node) && this.#isCallId(node, callId)) this.#callIds.set(node, callId);
  }

  /**
   * A late result of a recurring operation that a newer state change has ended, or that its executor was told to forget:
   * then nothing is known of the resource, or only what was asked for since.
   */
  #isOutdated(node: NodeName, result: OperationResult): boolean {
    if (result.intervalMs === 0) return false;
    const id = this.idOf(node);
    if (!this.status.knows(id, result.rsc.id)) return true;
    const key = operationKey(result.rsc.id, result.action, result.intervalMs);
    if ((this.#cancelled.get(`${node} ${key}`) ?? 0) > result.callId) return true;
    const last = this.status.op(id, result.rsc.id, operationKey(result.rsc.id, "last", 0));
    if (!last || !beginsAnew(last.attributes.get("operation") ?? "")) return false;
    return Number(last.attributes.get("call-id") ?? 0) > result.callId;
  }

  /**
   * A result that comes late takes the place of what was supposed of its operation. `overtaken`: another operation was
   * given out since, and what was supposed is part of the past.
   */
  #dropSupposed(node: NodeName, result: OperationResult): "nothing" | "dropped" | "overtaken" {
    const id = this.idOf(node);
    const { rsc, callId } = result;
    const call = (op: XmlElement) => Number(op.attributes.get("call-id"));
    const ops = this.status.ops(id, rsc.id);
    if (!ops.some((op) => isSupposed(op) && call(op) === callId)) return "nothing";
    if (ops.some((op) => !isRecurring(op) && call(op) > callId)) return "overtaken";
    this.status.removeOps(id, rsc.id, (op) => isSupposed(op) && call(op) === callId);
    return "dropped";
  }

  #asRecorded(node: NodeName, told: OperationResult): OperationResult {
    // Only of what was reloaded the role is not known by what was to be done.
    const promoted = isReload(told.action) && endsPromoted(this.status.ops(this.idOf(node), told.rsc.id));
    return asRecorded(told, promoted);
  }

  #record(node: NodeName, told: OperationResult): void {
    const id = this.idOf(node);
    const result = this.#asRecorded(node, told);
    const { rsc, action } = result;
    const moved = operationKey(rsc.id, "migrate_to", 0);
    const lastId = operationKey(rsc.id, "last", 0);
    const beside = operationKey(rsc.id, "monitor", 0);
    const entry = (key: string) => {
      const op = this.status.op(id, rsc.id, key);
      return op && entryOf(op);
    };
    const known = followsStop(result, entry(lastId)) ? this.status.agentOf(id, rsc.id) : undefined;
    const looksAgain = known && sameKind(known, rsc);
    // Until it is answered the look stands beside the stop, which it may confirm.
    const isOpen = looksAgain && result.status === OpStatus.PENDING;
    const confirms = looksAgain && foundInactive(result);
    const unbegun = isUnbegunReload(told);
    const ids = isOpen ? [beside] : confirms ? [] : idsOfResult(told, result);
    if (confirms || ids.includes(lastId))
      this.status.removeOps(id, rsc.id, ({ attributes }) => attributes.get("id") === beside);
    if (ids.includes(lastId) && revivesMigration(result, entry(lastId), entry(moved)))
      this.status.removeOps(id, rsc.id, ({ attributes }) => attributes.get("id") === moved);
    // What waited for the answer may stand under another id than what is recorded of it.
    const since = isNotBegun(told) ? undefined : goesOnSince(result, this.status.ops(id, rsc.id));
    if (told.status !== OpStatus.PENDING)
      this.status.removeOps(id, rsc.id, (op) => isPending(op) && callOf(op) === told.callId);
    const spared = this.#spared(node, result);
    for (const entryId of ids) {
      const made = historyEntry(entryId, node, result);
      if (since !== undefined) made.attributes.set("last-rc-change", since);
      if (spared !== undefined) made.attributes.set(SPARED, spared);
      const entry = unbegun ? asBefore(made, this.status.op(id, rsc.id, lastId)) : made;
      this.status.recordOp(id, node, rsc, entry);
    }
    if (action === "migrate_to" || action === "stop" || foundActive(result)) this.#dropOverMigrations(rsc.id);
    if (result.intervalMs > 0 && !isUnwatched(result.exitReason)) this.#seeAgain(node, result);
    this.touch();
  }

  /** Why nothing is fenced for a failure; what a node did not answer is its own. */
  #spared(node: NodeName, result: OperationResult): Spared | undefined {
    const { rsc, action, intervalMs } = result;
    if (rsc.class === "stonith" || isConnection(rsc) || !isFailure(result) || isUnanswered(result))
      return undefined;
    if (action === "stop") {
      const elsewhere = () => this.#elsewhere(node, rsc.id);
      return this.#sightings.spared(node, rsc.id, result.lastRun, this.configuration, elsewhere);
    }
    if (action !== "monitor" || intervalMs > 0 || !tellsNothing(result)) return undefined;
    return this.#sightings.wasResetFor(node, rsc.id) ? "reset-before" : undefined;
  }

  /** What is known of a resource, by whatever instance, on the other nodes that are there. */
  #elsewhere(node: NodeName, rsc: string): Elsewhere {
    const plain = withoutInstance(rsc);
    const there = this.status
      .nodeIds()
      .filter((id) => this.status.nameOf(id) !== node && this.#isThere(id))
      .map((id) =>
        this.status
          .resourcesOn(id)
          .filter((known) => withoutInstance(known) === plain)
          .map((known) => this.status.ops(id, known)),
      )
      .filter((known) => known.length > 0)
      .map((known) => known.every(endsInactive));
    const inactive = there.filter((isInactive) => isInactive).length;
    return { inactive, unknown: there.length - inactive };
  }

  /** Whether a node takes part, or is connected. */
  #isThere(id: string): boolean {
    const state = (field: string) => this.status.nodeState(id, field);
    return state("remote_node") === "true" ? state("in_ccm") === "true" : state("crmd") === "online";
  }

  /** A monitor can be executed: that something could not be before says nothing any more of what comes next. */
  #seeAgain(node: NodeName, { rsc }: OperationResult): void {
    const id = this.idOf(node);
    for (const op of this.status.ops(id, rsc.id)) {
      if (isRecurring(op) || isLastFailure(op) || !isUnwatchedEntry(op)) continue;
      this.status.recordOp(id, node, rsc, { ...op, attributes: asSeen(op.attributes) }, true);
    }
  }

  /**
   * A migration is over when the resource has ended where it was before. It would be taken for one that is half done where
   * its target does not remember it any more, and a look has found the resource there.
   */
  #dropOverMigrations(rsc: string): void {
    const last = (id: string) => this.status.op(id, rsc, operationKey(rsc, "last", 0));
    const isLook = (op: XmlElement | undefined) => op?.attributes.get("operation") === "monitor";
    for (const id of this.status.nodeIds()) {
      const migration = this.status.op(id, rsc, operationKey(rsc, "migrate_to", 0));
      const after = last(id);
      if (!migration || !after || isLook(after) || callOf(after) <= callOf(migration)) continue;
      const target = this.idOf(nodeName(migration.attributes.get("migrate_target") ?? ""));
      if (!isLook(last(target)) || !endsActive(this.status.ops(target, rsc))) continue;
      this.status.removeOps(id, rsc, (op) => op === migration);
    }
  }

  /** `fail-count-RSC#ACTION_INTERVAL`: a failed start (when fatal) or stop counts as INFINITY, all else as one. */
  #countFailure(node: NodeName, result: OperationResult): AttributeEffect[] {
    const action = recordedAction(result);
    const { intervalMs } = result;
    const rsc = result.rsc.id;
    const fatal = action === "stop" || (action === "start" && this.#startFailureIsFatal());
    const name = (kind: string) => `${kind}-${rsc}#${action}_${intervalMs}`;
    const { dampen } = this.setAttributes([
      { node, name: name("fail-count"), value: fatal ? "INFINITY" : "value++" },
      { node, name: name("last-failure"), value: String(Math.floor(result.lastRun + result.execMs / 1000)) },
    ]);
    return dampen;
  }

  #startFailureIsFatal(): boolean {
    return !["false", "no", "off", "n", "0"].includes(
      (this.property("start-failure-is-fatal") ?? "true").toLowerCase(),
    );
  }

  #clearFailCounts(node: NodeName, rsc: string | undefined, failed: FailedOperation | undefined): void {
    const wanted = rsc === undefined ? undefined : withoutInstance(rsc);
    const updates = this.attributes.names().flatMap((name): AttributeUpdate[] => {
      const match = /^(?:fail-count|last-failure)-(.+?)(?:#(.*))?$/.exec(name);
      if (!match || (wanted !== undefined && withoutInstance(match[1] ?? "") !== wanted)) return [];
      if (failed && match[2] !== `${failed.action}_${failed.intervalMs}`) return [];
      return [{ node, name, value: undefined }];
    });
    this.setAttributes(updates);
  }

  #writeAttributes(effects: readonly AttributeEffect[]): { written: boolean; dampen: AttributeEffect[] } {
    let written = false;
    const ids = new Map<NodeName, string>();
    for (const effect of effects) {
      if (effect.type !== "write") continue;
      const id = ids.get(effect.node) ?? this.idOf(effect.node);
      ids.set(effect.node, id);
      if (!this.status.setAttribute(id, effect.node, effect.name, effect.value, effect.set)) continue;
      written = true;
      const { node, name, value } = effect;
      this.#written.push({ kind: "attribute", node, nodeId: /^\d+$/.test(id) ? Number(id) : 0, name, value });
    }
    if (written) this.touch();
    return { written, dampen: effects.filter(({ type }) => type === "dampen") };
  }
}

/** Interval of the recurring operation that a `cancel` names, in milliseconds. */
export function cancelInterval(operation: Operation): number {
  return Number.parseInt(operation.params.CRM_meta_interval ?? "0", 10) || 0;
}

/** What is asked of an entry to know whether another one takes its place. */
const entryOf = (op: XmlElement) => ({
  action: op.attributes.get("operation") ?? "",
  callId: callOf(op),
  rc: Number(op.attributes.get("rc-code")),
  status: Number(op.attributes.get("op-status")) as OpStatus,
});

const callOf = (op: XmlElement | undefined): number => Number(op?.attributes.get("call-id") ?? 0);

function isRecurring(op: XmlElement): boolean {
  return (op.attributes.get("interval") ?? "0") !== "0";
}

/** Of which resource (of all) on which node (everywhere) what is known is to be forgotten. */
interface ToForget {
  readonly rsc?: string;
  readonly node?: NodeName;
  /** Only where something has failed. */
  readonly failuresOnly: boolean;
  /** Only failures of this operation. */
  readonly failed?: FailedOperation;
  readonly at: EpochSeconds;
}

/** What was forgotten of a resource on a node: its failures only, where the rest is `kept`. */
export interface Forgotten {
  readonly node: NodeName;
  readonly rsc: string;
  readonly kept: boolean;
}

function isFailedEntry(op: XmlElement): boolean {
  const { attributes } = op;
  return isFailure({
    rc: Number(attributes.get("rc-code")),
    status: Number(attributes.get("op-status")) as OpStatus,
    transitionKey: attributes.get("transition-key") ?? "",
  });
}

/** Whether an entry tells of a failure of that operation. */
const isFailureOf =
  ({ action, intervalMs }: FailedOperation) =>
  (op: XmlElement): boolean =>
    isFailedEntry(op) &&
    op.attributes.get("operation") === action &&
    (op.attributes.get("interval") ?? "0") === String(intervalMs);

/** Whether an entry tells of a look at a resource. */
function isProbeEntry(op: XmlElement): boolean {
  return op.attributes.get("operation") === "monitor" && !isRecurring(op);
}

function isLastFailure(op: XmlElement): boolean {
  return op.attributes.get("id")?.endsWith("_last_failure_0") ?? false;
}

/** Whether an entry tells of something that is shown as a failure until it is cleaned up. */
const isToldFailure = (op: XmlElement): boolean =>
  isLastFailure(op) || (!isRecurring(op) && isUnwatchedEntry(op));

const isUnwatchedEntry = ({ attributes }: XmlElement): boolean =>
  isUnwatched(attributes.get("exit-reason") ?? "");

/** An empty CIB, for a node that has none. */
export function emptyCib(): XmlElement {
  return element(
    "cib",
    {
      crm_feature_set: FEATURE_SET,
      "validate-with": "pacemaker-3.9",
      admin_epoch: 0,
      epoch: 0,
      num_updates: 0,
    },
    [
      element("configuration", {}, [
        element("crm_config"),
        element("nodes"),
        element("resources"),
        element("constraints"),
      ]),
      element("status"),
    ],
  );
}

/** Whether an executor knows, or may have forgotten, anything that ran there since the boot. */
const knowsAnything = ({ complete, results, running, interrupted, remembered }: ExecutorHistory): boolean =>
  !complete || results.length + running.length + interrupted.length + remembered.length > 0;

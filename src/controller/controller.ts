import type { AttributeEffect } from "../attributes/index.ts";
import { applyOperations, parseBoolean } from "../cib/index.ts";
import { canBeRun, type Operation, type OperationResult } from "../executor/index.ts";
import { type FenceResult, type FencingNews, fencingNews, isGivenUp } from "../fencer/index.ts";
import {
  CrmExit,
  defectLine,
  type EpochSeconds,
  HactlError,
  type Millis,
  type NodeId,
  type NodeName,
  nodeName,
  resourceId,
} from "../terms/index.ts";
import { AgentKnowledge, sameKind } from "./agent-knowledge.ts";
import { fencingAlert, memberAlerts, resourceAlert } from "./alert-events.ts";
import { CLOCK_ATTRIBUTE, ClockWatch } from "./clock-watch.ts";
import { ClusterState, cancelInterval } from "./cluster-state.ts";
import { isOfThisNode, notApplied } from "./defect.ts";
import type {
  ClusterEvent,
  ControllerEffect,
  ControllerEvent,
  ControllerInit,
  ControllerTimer,
  ControllerView,
  Membership,
} from "./face.ts";
import { bearsTraits, FEATURE_SET, isFailure, notRunnable } from "./history.ts";
import { decideJoin, type JoinOutcome, MOST_LOSSES, type OrderPoint, type Summary } from "./join.ts";
import { Leader, managerGraceMs } from "./leader.ts";
import { isConnection, LocalHistory } from "./local-history.ts";
import { lossesThatStay, lossWarnings, newLosses } from "./losses.ts";
import { leavesAlone } from "./management-ends.ts";
import { decodeMessage, readMessage } from "./message-parse.ts";
import {
  type ClusterMessage,
  type ExecutorHistory,
  encodeMessage,
  type FailedOperation,
  membershipKey,
  type RemoteAddress,
  type RemoteHistory,
  type Snapshot,
  transitionKeys,
} from "./messages.ts";
import { movedBy } from "./moving.ts";
import { constraintsNaming } from "./nodes-section.ts";
import { propertiesRequest } from "./own-properties.ts";
import { Reboots } from "./reboots.ts";
import { takeBack, waitsForReturn } from "./returning-remotes.ts";
import type { Place } from "./unseen.ts";

type SummaryMessage = Extract<ClusterMessage, { type: "summary" }>;
type Received = { readonly from: NodeId; readonly message: ClusterMessage };

/**
 * The cluster's brain, one on every node. All of them apply the same messages in the same order to the same
 * state; the leader among them decides and gives out actions, also as messages. On each change of the membership
 * every manager sends a summary; when all have been delivered, all compute the same leader and the same winning
 * CIB (DESIGN.md, "How the cluster decides").
 */
export class Controller {
  readonly #init: ControllerInit;
  readonly #state: ClusterState;
  readonly #leader: Leader;
  readonly #reboots = new Reboots();
  #phase: ControllerView["phase"] = "waiting";
  #membership: Membership | undefined;
  #membershipKey = "";
  #leaderId: NodeId | undefined;
  #summaries = new Map<NodeId, SummaryMessage>();
  #outcome: JoinOutcome | undefined;
  /** Delivered after the summaries and before the snapshot that they build on. */
  #buffer: Received[] = [];
  /** Participants of the last membership whose join was complete, that have been in all since then together with this node. */
  #companions: ReadonlySet<NodeId> = new Set();
  /** The join of the membership before was complete here: its members have the same state. */
  #settled = false;
  /** It was told that it may go. */
  #leaving = false;
  /** Nodes that have been told since the membership began that they may go. */
  readonly #releasedSince = new Set<NodeName>();
  /** What this node wants to say as soon as the join is over. */
  #outbox: ClusterMessage[] = [];
  /** Whether this copy of the state has been the cluster's. */
  #live = false;
  #since: OrderPoint = [Number.MAX_SAFE_INTEGER, 0];
  readonly #local = new LocalHistory();
  #executorUp = false;
  /** What the executor has said since it told its history, of which the controller has not been told yet. */
  #early: OperationResult[] = [];
  /** What the remote nodes have done that this manager is connected to. */
  readonly #remotes = new Map<NodeName, LocalHistory>();
  readonly #addresses = new Map<NodeName, RemoteAddress>();
  /** What the agents say of themselves on the nodes for which this manager speaks. */
  readonly #agents = new AgentKnowledge();
  /** How much of what this manager has told last of an executor had been ended by then (`LocalHistory.endings`). */
  readonly #told = new Map<NodeName, number>();
  /** What was remembered last. */
  #remembered = "";
  /** Participants (by name) whose manager is missing while their ring is there. */
  #missingManagers = new Set<NodeName>();
  #results: Extract<ClusterMessage, { type: "results" }>["results"][number][] = [];
  #resultsUnderWay = false;
  /** Who waits until nothing is left to do; the same on all members, so that a new leader answers too. */
  #whenIdle = new Set<string>();
  #idleSaid = false;
  #shuttingDown = false;
  readonly #clocks = new ClockWatch();
  /** Members that alert agents have been told of; a manager that is started anew in a daemon that goes on tells nothing twice. */
  #toldMembers: readonly NodeId[] | undefined;
  #effects: ControllerEffect[] = [];
  #now: Millis = 0;
  #wall = 0;

  constructor(init: ControllerInit) {
    this.#init = init;
    this.#state = new ClusterState(init.cib, init.nodes, init.remembered);
    this.#local.remember(init.remembered?.results ?? []);
    this.#state.fallback = init.fallback;
    this.#state.losses = (init.losses ?? []).slice(-MOST_LOSSES);
    this.#leader = new Leader({
      state: this.#state,
      selfName: init.selfName,
      incarnation: init.incarnation,
      membership: () => this.#membershipKey,
      send: (message) => this.#send(message),
      emit: (effect) => this.#effects.push(effect),
      traits: init.traits,
      decideHereMs: init.decideHereMs,
    });
  }

  /** Takes an event at monotonic time `now` (ms) and wall-clock time `wall` (s); returns what must be done, in order. */
  step(event: ControllerEvent, now: Millis, wall: number): readonly ControllerEffect[] {
    this.#now = now;
    this.#wall = wall;
    this.#effects = [];
    try {
      this.#take(event);
    } catch (error) {
      this.#mishap(event, error);
    }
    if (this.#whenIdle.size > 0 && this.#leads && this.#leader.idle && !this.#idleSaid) {
      this.#idleSaid = true;
      this.#send({ type: "idle", requests: [...this.#whenIdle] });
    }
    this.#alertAttributes();
    this.#remember();
    return this.#effects;
  }

  /** Attributes that were written, as the leader alone tells them. */
  #alertAttributes(): void {
    for (const event of this.#state.takeWritten())
      if (this.#leads) this.#effects.push({ type: "alert", event });
  }

  /** Every member tells which nodes have come and gone, itself among them. */
  #alertMembers(membership: Membership): void {
    const before = this.#toldMembers ?? (this.#init.daemonIsNew ? [] : membership.members);
    this.#toldMembers = membership.members;
    for (const event of memberAlerts(before, membership, (id) => this.#state.nameOf(id)))
      this.#effects.push({ type: "alert", event });
  }

  #alertRemote(node: NodeName, state: "member" | "lost"): void {
    this.#effects.push({ type: "alert", event: { kind: "node", node, nodeId: 0, state } });
  }

  /** First of all effects: what follows from it may be believed by others. */
  #remember(): void {
    const known = { tickets: this.#state.tickets(), away: this.#state.away, locks: this.#state.locks() };
    const revision = `${this.#state.attributes.revision} ${this.#local.revision} ${JSON.stringify(known)}`;
    if (revision === this.#remembered || !this.#live) return;
    this.#remembered = revision;
    const memory = { ...this.#state.remembered(), ...known, results: this.#local.kept() };
    this.#effects.unshift({ type: "remember", memory });
  }

  /** What an administrator may see. The CIB is the live one: read it at once, change nothing. */
  view(): ControllerView {
    const leads = this.#leads;
    return {
      phase: this.#phase,
      live: this.#live,
      leader: this.#leaderId === undefined ? undefined : this.#state.nameOf(this.#leaderId),
      membership: this.#membership,
      cib: this.#state.cib,
      transition: leads ? this.#leader.transitionView() : undefined,
      idle: leads ? this.#leader.idle : undefined,
      fallback: this.#state.fallback,
      losses: this.#state.losses,
      warnings: [
        ...(leads ? this.#leader.warnings() : []),
        ...lossWarnings(this.#state.losses, this.#state.fallback, this.#state.version()),
        ...this.#reboots.warnings(),
      ],
      at: this.#wall,
    };
  }

  /** Names of the transient attributes that any node has, dampened or private ones too. */
  attributeNames(): readonly string[] {
    return this.#state.attributes.names();
  }

  /** Current value of a transient attribute, dampened or private ones too. */
  attributeValues(name: string): ReadonlyMap<NodeName, string> {
    return this.#state.attributes.values(name);
  }

  /** Name of a cluster node by its ring id. */
  nameOf(id: NodeId): NodeName {
    return this.#state.nameOf(id);
  }

  /** A cluster property's plain value, whatever rules say. */
  property(name: string): string | undefined {
    return this.#state.property(name);
  }

  get #leads(): boolean {
    return this.#phase === "synced" && this.#leaderId === this.#init.self;
  }

  #take(event: ControllerEvent): void {
    switch (event.type) {
      case "membership":
        return this.#membershipChanged(event.membership);
      case "message":
        return this.#received(event.from, event.payload);
      case "timer":
        return this.#timer(event.timer);
      case "executor-up":
        return this.#executorIsUp(event.history, event.again, event.remotes ?? []);
      case "agent-told":
        return this.#agentTold(event);
      case "remote-up":
        this.#agents.forget(event.node);
        this.#speakFor(event);
        this.#queue({ type: "remote", node: event.node, up: true, ...addressOf(event) });
        return this.#sendHistory(event.node, event.history);
      case "remote-down":
        this.#remotes.delete(event.node);
        this.#agents.forget(event.node);
        return this.#queue({ type: "remote", node: event.node, up: false });
      case "remote-answers":
        if (this.#leads) this.#send({ type: "remote-back", node: event.node });
        return;
      case "result":
        return this.#ownResult(event.node, event.result);
      case "agents-question":
        return this.#queue({ type: "ask-agents", request: event.request, asked: event.asked });
      case "agents-answer": {
        const { request, node, told } = event;
        return this.#queue({ type: "agents-told", request, node, told });
      }
      case "fencer-send":
        return this.#queue({ type: "fencer", body: event.body });
      case "fence-result": {
        const { result } = event;
        this.#attempt(`the fencing of ${result.target}`, () => this.#fenced(result, false), []);
        return;
      }
      case "cib-request": {
        const { request, operations, user, client, askers } = event;
        return this.#ask({ type: "cib", request, operations, user, client, askers, at: this.#wall });
      }
      case "attribute-request":
        return this.#ask({ type: "attributes", updates: event.updates, request: event.request });
      case "forget-request": {
        const { request, rsc, node, failuresOnly, failed } = event;
        return this.#ask({
          type: "forget",
          ...(rsc && { rsc }),
          ...(node && { node }),
          failuresOnly,
          ...(failed && { failed }),
          at: this.#wall,
          request,
        });
      }
      case "fail-request": {
        const { request, rsc, node } = event;
        return this.#queue({ type: "fail", rsc, node, at: this.#wall, request });
      }
      case "planned":
        return this.#leader.planned(event, this.#now, this.#wall);
      case "idle-request":
        return this.#ask({ type: "when-idle", request: event.request });
      case "shutdown-request":
        return this.#shutdownRequested();
      case "nodes":
        return this.#state.setNodes(event.nodes);
    }
  }

  // ── joining ──────────────────────────────────────────────────────────────────────────────────────────────

  #membershipChanged(membership: Membership): void {
    const before = this.#membership;
    this.#membership = membership;
    this.#companions = new Set(membership.cameWithMe.filter((id) => this.#companions.has(id)));
    this.#membershipKey = membershipKey(membership);
    this.#noteLostNodes(before, membership);
    this.#leader.pause("the membership changed");
    this.#settled = this.#phase === "synced";
    this.#phase = "joining";
    this.#leaderId = undefined;
    this.#idleSaid = false;
    this.#summaries = new Map();
    this.#outcome = undefined;
    this.#buffer = [];
    this.#releasedSince.clear();
    this.#sendSummary();
  }

  /** A manager joins only together with its executor, so that the summary tells what runs there. */
  #sendSummary(): void {
    const membership = this.#membership;
    if (!membership || !this.#executorUp || this.#phase !== "joining") return;
    const companions = this.#live && this.#settled ? membership.cameWithMe : [this.#init.self];
    const newcomers = membership.participants.some(({ nodeId }) => !companions.includes(nodeId));
    const summary: Summary = {
      node: this.#init.self,
      featureSet: FEATURE_SET,
      since: this.#since,
      version: this.#state.version(),
      ...(this.#state.fallback && { fallback: this.#state.fallback }),
      ...(this.#state.losses.length > 0 && { losses: this.#state.losses }),
      live: this.#live,
      companions,
    };
    this.#send({
      type: "summary",
      membership: this.#membershipKey,
      summary,
      name: this.#init.selfName,
      at: this.#wall,
      history: newcomers || !this.#live ? this.#local.history() : { ...this.#local.history(), ...nothing },
      remotes: newcomers || !this.#live ? this.#remoteHistories() : [],
      attributes: newcomers || !this.#live ? this.#state.attributes.ofNode(this.#init.selfName) : [],
      daemonIsNew: !this.#live && this.#init.daemonIsNew,
      leaving: this.#leaving,
    });
  }

  #takeSummary(message: SummaryMessage): void {
    if (message.membership !== this.#membershipKey || this.#phase !== "joining") return;
    this.#summaries.set(message.summary.node, message);
    const participants = this.#membership?.participants ?? [];
    if (participants.some(({ nodeId }) => !this.#summaries.has(nodeId))) return;
    if (this.#nameIsTaken()) return;
    const outcome = decideJoin(
      participants.flatMap(({ nodeId }) => this.#summaries.get(nodeId)?.summary ?? []),
    );
    this.#outcome = outcome;
    if (
      outcome.winner === this.#init.self &&
      participants.some(({ nodeId }) => !outcome.holders.has(nodeId))
    ) {
      const snapshot = this.#state.snapshot();
      this.#send({ type: "snapshot", membership: this.#membershipKey, snapshot });
    }
    if (outcome.holders.has(this.#init.self)) this.#completeJoin(outcome, false);
    else this.#phase = "syncing";
  }

  #takeSnapshot(membership: string, snapshot: Snapshot): void {
    if (this.#phase !== "syncing" || membership !== this.#membershipKey || !this.#outcome) return;
    const lost = this.#state.fallback;
    this.#state.restore(snapshot);
    this.#completeJoin(this.#outcome, true);
    if (!this.#isSynced) return;
    if (lost && !this.#state.fallback && this.#state.losses.length === 0)
      this.#event(
        "notice",
        "CONFIG-BACK",
        "another node has brought the configuration back that was lost here",
      );
    const buffer = this.#buffer;
    this.#buffer = [];
    for (const { from, message } of buffer) this.#apply(from, message);
  }

  /** The same on every participant: their state is alike from here on. */
  #completeJoin(outcome: JoinOutcome, received: boolean): void {
    const membership = this.#membership;
    if (!membership) return;
    if (this.#isNameOfConnected(membership)) {
      this.#phase = "joining";
      return;
    }
    const lossesChanged = this.#takeLosses(outcome);
    let configurationChanged = false;
    const at = this.#summaries.get(outcome.winner)?.at ?? 0;
    if (!this.#summaries.get(outcome.winner)?.summary.live)
      this.#state.dropAbsentAttributes(new Set(membership.participants.map(({ nodeId }) => String(nodeId))));
    for (const { nodeId } of membership.participants) {
      const message = this.#summaries.get(nodeId);
      if (!message) continue;
      const { changed, before } = this.#state.nodeJoined(nodeId, message.name);
      if (changed) configurationChanged = true;
      if (before !== undefined) this.#renamed(nodeId, before, message.name);
      // It may have been told so after it had sent its summary.
      if (message.leaving || this.#releasedSince.has(message.name)) this.#state.nodeReleased(message.name);
      if (outcome.holders.has(nodeId) && message.summary.live) continue;
      const what = `what node ${message.name} tells`;
      this.#attempt(what, () => this.#takeNewcomer(nodeId, message, at), []);
    }
    if (configurationChanged) this.#bumpEpoch(at);
    this.#markAbsent(membership);
    this.#noteMissing(membership);
    const { attributes } = this.#state.cib;
    attributes.set("have-quorum", membership.quorate ? "1" : "0");
    attributes.set("dc-uuid", String(outcome.leader));
    const first = !this.#live;
    this.#live = true;
    // Of what was received as a whole, or was remembered, nobody here has started the timers.
    if (first || received) this.#dampen(this.#state.attributes.dampened());
    if (first) this.#since = [membership.ringId.sequence, membership.serial];
    this.#phase = "synced";
    this.#leaderId = outcome.leader;
    if (configurationChanged || received || lossesChanged) this.#effects.push({ type: "persist" });
    this.#tellFencer(membership, outcome.leader);
    this.#announceLeader();
    this.#alertMembers(membership);
    // What the join itself has written is not news.
    this.#state.takeWritten();
    const outbox = this.#outbox;
    this.#outbox = [];
    for (const message of outbox) this.#send(this.#upToDate(message));
    if (this.#leads) {
      this.#leader.begin(membership, this.#missingManagers, this.#now, this.#wall);
    }
  }

  /**
   * What is lost from here on; returns whether that has changed. A cluster that was started with less than a node has lost
   * is built on an older copy, wherever that comes from: a node that kept more and comes later wins.
   */
  #takeLosses({ winner }: JoinOutcome): boolean {
    const summaries = [...this.#summaries.values()].map(({ summary }) => summary);
    const best = this.#summaries.get(winner)?.summary;
    if (!best) return false;
    const before = this.#state.losses;
    const losses = lossesThatStay(summaries, best);
    this.#state.losses = losses;
    const unknownToWinner = newLosses(losses, best.losses ?? []);
    if (!best.live && unknownToWinner.length > 0) this.#state.fallback ??= best.version;
    const news = best.live ? unknownToWinner : losses;
    const warnings = news.length > 0 ? lossWarnings(news, this.#state.fallback, this.#state.version()) : [];
    for (const warning of warnings) this.#event("error", "CONFIG-LOST", warning.text, warning.node);
    return JSON.stringify(before) !== JSON.stringify(losses);
  }

  /** Who did not come along all the time was away: what it was to do meanwhile is not known. */
  #tellFencer({ participants }: Membership, leader: NodeId): void {
    const names = (ids: readonly NodeId[]) => ids.map((id) => this.#state.nameOf(id));
    const all = participants.map(({ nodeId }) => nodeId);
    const stayed = all.filter((id) => this.#companions.has(id));
    const away = all.filter((id) => !this.#companions.has(id));
    if (away.length > 0) this.#membershipOfFencer(names(stayed), undefined, names(away));
    this.#membershipOfFencer(names(all), this.#state.nameOf(leader));
    this.#companions = new Set(all);
  }

  /** `away`: those who are about to be back. What a node runs whose manager is missing may go on. */
  #membershipOfFencer(
    members: readonly NodeName[],
    leader: NodeName | undefined,
    away: readonly NodeName[] = [],
  ): void {
    const coming = [...away, ...this.#missingManagers];
    const inRing = (this.#membership?.members ?? []).map((id) => this.#state.nameOf(id));
    const boots = this.#state.bootsOf(members);
    const membership = { members, leader, coming, ring: this.#ringName, inRing, boots };
    this.#effects.push({ type: "fencer-membership", membership });
  }

  get #ringName(): string {
    const { representative, sequence } = this.#membership?.ringId ?? {};
    return `${representative}.${sequence}`;
  }

  /**
   * A node whose manager did not come along from the membership before. Its executor tells what runs there. Transient
   * attributes belong to the boot of a node: a manager that has just been started knows them from the others, if these
   * have not lost the node meanwhile, else from what the manager before it wrote down.
   */
  #takeNewcomer(
    id: NodeId,
    { name, summary, history, remotes, attributes, daemonIsNew }: SummaryMessage,
    at: number,
  ): void {
    this.#state.fencings.outlived(name);
    const untrue = this.#reboots.cameBack(name, history.bootId, daemonIsNew);
    if (untrue !== undefined) this.#event("error", "FENCING-UNTRUE", untrue, name);
    const remembered = this.#state.remembersBoot(name, history.bootId);
    if (summary.live || !remembered) {
      this.#state.dropAttributes(String(id), name);
      this.#dampen(this.#state.takeAttributes(name, attributes));
    }
    if (daemonIsNew) this.#state.setAttributes([{ node: name, name: "shutdown", value: undefined }]);
    this.#takeHistory(name, name, history, at);
    for (const remote of remotes) {
      if (remote.address)
        this.#effects.push({ type: "remote-at", node: remote.node, address: remote.address });
      this.#state.remoteState(remote.node, true);
      this.#takeHistory(remote.node, name, remote.history, at);
    }
    this.#leader.executorReplaced(name, history, Number.POSITIVE_INFINITY, remotes);
  }

  /** What a node's executor tells, by the manager of node `teller`. */
  #takeHistory(
    node: NodeName,
    teller: NodeName,
    history: ExecutorHistory,
    at: number,
    seen = Number.POSITIVE_INFINITY,
  ): void {
    this.#state.replaceHistory(node, teller, history, at, seen);
    this.#state.setBoot(node, history.bootId);
    this.#reboots.runs(node, history.bootId);
  }

  /** Two nodes of one name cannot be told apart: the one that came later has to go. */
  #nameIsTaken(): boolean {
    const all = [...this.#summaries.values()];
    const later = all.filter(({ name, summary }) =>
      all.some((other) => other.name === name && isBefore(other.summary, summary)),
    );
    const mine = later.find(({ summary }) => summary.node === this.#init.self);
    if (mine) {
      const other = all.find(({ name, summary }) => name === mine.name && summary.node !== this.#init.self);
      this.#effects.push({
        type: "refused",
        error: new HactlError({
          code: "NAME_TAKEN",
          what: `node ${other?.summary.node} of the cluster is called ${mine.name}, too`,
          cure: "give each node of [[nodelist.node]] a name of its own, the same in hactl.toml of all nodes",
          exit: CrmExit.CONFIG,
        }),
      });
    }
    return later.length > 0;
  }

  /**
   * What runs on a remote node would be taken for what runs on a member of its name, and be forgotten: while it is connected,
   * who comes with its name has to go.
   */
  #isNameOfConnected({ participants }: Membership): boolean {
    const coming = [...this.#summaries.values()].filter(
      ({ summary, name }) =>
        participants.some(({ nodeId }) => nodeId === summary.node) &&
        this.#state.isConnectedAs(summary.node, name),
    );
    const mine = coming.find(({ summary }) => summary.node === this.#init.self);
    if (mine)
      this.#effects.push({
        type: "refused",
        error: new HactlError({
          code: "NAME_TAKEN",
          what: `a remote node that is connected is called ${mine.name}, too`,
          cure: `give this node another name in hactl.toml of all nodes; or, where it takes the place of the remote node, remove that first ('hactl configure delete ${mine.name}')`,
          exit: CrmExit.CONFIG,
        }),
      });
    return coming.length > 0;
  }

  get #isSynced(): boolean {
    return this.#phase === "synced";
  }

  #renamed(id: NodeId, before: NodeName, name: NodeName): void {
    const naming = constraintsNaming(this.#state.configuration, before);
    const constraints =
      naming.length === 0
        ? ""
        : `; constraints that name ${before} do not concern it any more: ${naming.join(" ")}`;
    this.#event(
      "warning",
      "NODE-RENAMED",
      `node ${id} is called ${name} now, not ${before}${constraints}`,
      name,
    );
  }

  /** Nodes that the status believes to be online but that are not in the membership. */
  #markAbsent(membership: Membership): void {
    const present = new Set(membership.participants.map(({ nodeId }) => String(nodeId)));
    const members = new Set(membership.members.map(String));
    for (const { id, name } of this.#state.clusterNodes()) {
      if (present.has(id)) {
        this.#missingManagers.delete(name);
        continue;
      }
      // Its manager is on its way back, or is given up by a message that all hear.
      if (members.has(id)) continue;
      this.#missingManagers.delete(name);
      if (this.#state.status.nodeState(id, "in_ccm") === "true") this.#state.nodeLost(id, name, false);
    }
  }

  /** Whoever was a participant and still is a member has only lost its manager, which is on its way back. */
  #noteLostNodes(before: Membership | undefined, after: Membership): void {
    const participants = new Set(after.participants.map(({ nodeId }) => nodeId));
    const members = new Set(after.members);
    for (const { nodeId } of before?.participants ?? []) {
      const name = this.#state.nameOf(nodeId);
      if (participants.has(nodeId)) continue;
      if (members.has(nodeId)) this.#managerMissing(name, "has gone; its services go on");
      else this.#nodeLeft(nodeId, name);
    }
    this.#noteMissing(after);
    if (this.#clocks.gone(participants)) this.#tellClocks();
  }

  /** What follows from the state alone, so that a manager that has just received it sees the same. */
  #noteMissing(membership: Membership): void {
    const participants = new Set(membership.participants.map(({ nodeId }) => nodeId));
    for (const node of membership.members) {
      const name = this.#state.nameOf(node);
      if (participants.has(node)) continue;
      const known = (field: string) => this.#state.status.nodeState(String(node), field);
      if (known("crmd") === "online") this.#managerMissing(name, "has gone; its services go on");
      // A lost node whose ring is back is about to tell what runs there: no need to shoot it while it boots.
      else if (known("in_ccm") === "false" && known("expected") === "member")
        this.#managerMissing(name, "is not there yet, but its ring is back");
    }
    for (const name of [...this.#missingManagers]) {
      const id = this.#state.idOf(name);
      if (!membership.members.some((member) => String(member) === id)) this.#missingManagers.delete(name);
    }
  }

  #managerMissing(name: NodeName, how: string): void {
    if (this.#missingManagers.has(name) || name === this.#init.selfName) return;
    this.#missingManagers.add(name);
    this.#effects.push({ type: "set-timer", timer: "manager-grace", afterMs: managerGraceMs });
    this.#event(
      "warning",
      "MANAGER-LOST",
      `the manager of ${name} ${how}: it is given ${managerGraceMs / 1000} s`,
      name,
    );
  }

  #nodeLeft(id: NodeId, name: NodeName): void {
    const clean = this.#state.status.nodeState(String(id), "expected") === "down";
    if (clean) this.#event("notice", "NODE-LEFT", `node ${name} has left`, name);
    else this.#event("error", "NODE-LOST", `node ${name} is lost: nothing has been heard of it`, name);
    this.#leader.nodeLost(name);
  }

  #announceLeader(): void {
    const membership = this.#membership;
    if (!membership || this.#leaderId === undefined) return;
    const names = membership.participants.map(({ nodeId }) => this.#state.nameOf(nodeId)).sort();
    const leader = this.#state.nameOf(this.#leaderId);
    const quorum = membership.quorate ? "with quorum" : "WITHOUT quorum";
    this.#event("notice", "MEMBERSHIP", `members ${names.join(" ")}, ${quorum}; leader (DC) is ${leader}`);
  }

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────

  #received(from: NodeId, payload: Uint8Array): void {
    const decoded = decodeMessage(payload);
    if ("refused" in decoded) return this.#refused(from, decoded.refused);
    const { message } = decoded;
    if ("at" in message && from !== this.#init.self && this.#clocks.heard(from, message.at, this.#wall))
      this.#tellClocks();
    if (message.type === "summary") {
      if (message.summary.node === from) return this.#takeSummary(message);
      return this.#refused(from, `it is a summary of node ${message.summary.node}`);
    }
    if (message.type === "snapshot") {
      if (from !== this.#outcome?.winner) return;
      return this.#takeSnapshot(message.membership, message.snapshot);
    }
    if (this.#phase === "syncing") {
      this.#buffer.push({ from, message });
      return;
    }
    this.#apply(from, message);
  }

  /** Everybody may see whose clocks differ. */
  #tellClocks(): void {
    const value = this.#clocks.text((id) => this.#state.nameOf(id));
    const update = { node: this.#init.selfName, name: CLOCK_ATTRIBUTE, value, private: true };
    this.#queue({ type: "attributes", updates: [update] });
    if (value !== undefined) this.#event("warning", "CLOCK", `the clocks of the nodes differ: ${value}`);
  }

  /** A message that cannot be understood: every member refuses it alike. */
  #refused(from: NodeId, why: string): void {
    const text = `a message of node ${this.#state.nameOf(from)} is refused: ${why}`;
    this.#event("warning", "MESSAGE-REFUSED", text);
  }

  /**
   * Applies a message wholly or not at all. What it throws is a mistake of ours: the message counts as refused, on every
   * member alike, and whoever waits for it is told.
   */
  #apply(from: NodeId, message: ClusterMessage): void {
    const what = `a message "${message.type}" of node ${this.#state.nameOf(from)}`;
    const change = () => {
      this.#applyNow(from, message);
      this.#forgetRemovedRemotes();
    };
    const failed = this.#attempt(what, change, transitionKeys(message));
    if (!failed || from !== this.#init.self) return;
    if ("request" in message && message.request !== undefined)
      this.#reply(message.request, undefined, failed);
    if (message.type === "idle") this.#idleSaid = false;
    if (message.type === "actions")
      for (const { operation } of message.dispatches) this.#local.dropped(operation);
    if (message.type !== "results" || message.node !== this.#init.selfName) return;
    this.#resultsUnderWay = false;
    this.#sendResults();
  }

  #forgetRemovedRemotes(): void {
    for (const name of this.#state.forgetRemovedRemotes())
      this.#event(
        "notice",
        "NODE-FORGOTTEN",
        `node ${name} is not configured any more: it is forgotten`,
        name,
      );
  }

  /**
   * Changes the state and does what follows, or leaves everything as it was: then the error is answered, and the leader
   * decides anew after a while. `keys` name the actions that are waited for.
   */
  #attempt(what: string, change: () => void, keys: readonly string[]): HactlError | undefined {
    const effects = this.#effects.length;
    const missing = new Set(this.#missingManagers);
    const idle = new Set(this.#whenIdle);
    try {
      this.#state.attempt(change);
      return undefined;
    } catch (error) {
      this.#effects.length = effects;
      this.#missingManagers = missing;
      this.#whenIdle = idle;
      const text = `${what} could not be applied and changes nothing: ${defectLine(error)}`;
      this.#event("error", "NOT-APPLIED", text);
      if (isOfThisNode(error))
        this.#effects.push({ type: "restart", reason: `${what} could not be applied here` });
      this.#leader.recover(`${what} could not be applied`, keys);
      return notApplied(what, error);
    }
  }

  /** A mistake of ours beside the messages. While members join nothing can be left out: this manager starts anew. */
  #mishap(event: ControllerEvent, error: unknown): void {
    this.#event("error", "DEFECT", `"${event.type}" could not be dealt with: ${defectLine(error)}`);
    if (event.type === "membership" || event.type === "message")
      this.#effects.push({ type: "restart", reason: `"${event.type}" could not be dealt with` });
    else this.#leader.recover(`"${event.type}" could not be dealt with`, []);
  }

  #applyNow(from: NodeId, message: ClusterMessage): void {
    switch (message.type) {
      case "summary":
      case "snapshot":
        return;
      case "cib":
        return this.#applyCib(from, message);
      case "actions":
        return this.#applyActions(from, message);
      case "results":
        return this.#applyResults(from, message);
      case "described":
        return this.#state.described(message.node, message.results);
      case "unanswered":
        return this.#applyUnanswered(message);
      case "history":
        if (from !== this.#init.self) this.#remotes.delete(message.node);
        if (!this.#state.remembersBoot(message.node, message.history.bootId))
          this.#state.dropAttributes(this.#state.idOf(message.node), message.node);
        this.#takeHistory(message.node, this.#state.nameOf(from), message.history, message.at, message.seen);
        this.#leader.executorReplaced(message.node, message.history, message.seen);
        if (from === this.#init.self) this.#tellAgain(message.node);
        this.#leader.changed(`the executor on ${message.node} came back`);
        return this.#leader.advance(this.#now, this.#wall);
      case "probed":
        for (const node of message.nodes) {
          if (!this.#state.probed(node)) continue;
          this.#historyOf(node)?.probed();
          this.#effects.push({ type: "probed", on: node });
        }
        return;
      case "managed-again":
        this.#doubt(this.#state.doubt(message.resources ? new Set(message.resources) : "all"));
        this.#leader.changed("the cluster no longer leaves alone what it did, by the clock");
        return this.#leader.advance(this.#now, this.#wall);
      case "attributes":
        return this.#applyAttributes(from, message);
      case "flush":
        if (this.#state.flushAttribute(message.name))
          this.#leader.changed(`attribute ${message.name} changed`);
        return;
      case "fencer":
        this.#effects.push({ type: "fencer-deliver", from, body: message.body });
        return this.#applyFencing(from, fencingNews(this.#state.nameOf(from), message.body));
      case "shutdown":
        this.#dampen(
          this.#state.setAttributes([
            { node: message.node, name: "shutdown", value: String(Math.floor(message.at)) },
          ]).dampen,
        );
        this.#event(
          "notice",
          "NODE-STOPPING",
          `node ${message.node} wants to leave; its resources go first`,
          message.node,
        );
        return this.#leader.changed(`node ${message.node} wants to leave`);
      case "release":
        return this.#released(message);
      case "maintenance":
        this.#state.maintenance(message.changes);
        this.#leader.completed(message.completes);
        return this.#leader.advance(this.#now, this.#wall);
      case "manager-lost":
        return this.#managerGivenUp(message.node);
      case "when-idle":
        this.#whenIdle.add(message.request);
        return;
      case "idle":
        this.#idleSaid = false;
        for (const request of message.requests) {
          if (this.#whenIdle.delete(request)) this.#reply(request, true, undefined);
        }
        return;
      case "remote":
        // What nobody has configured would be forgotten at once.
        if (!this.#state.isOfRemote(message.node)) return;
        if (message.address || !message.up)
          this.#effects.push({ type: "remote-at", node: message.node, ...addressOf(message) });
        if (message.up) {
          this.#state.fencings.outlived(message.node);
          this.#effects.push({ type: "fencer-alive", node: message.node });
        }
        if (this.#state.remoteState(message.node, message.up))
          this.#alertRemote(message.node, message.up ? "member" : "lost");
        return this.#leader.changed(
          `remote node ${message.node} is ${message.up ? "connected" : "not connected"}`,
        );
      case "remote-back":
        return this.#applyReturn(message.node);
      case "ask-agents": {
        const { request } = message;
        for (const asked of message.asked)
          if (this.#historyOf(asked.node)) this.#effects.push({ type: "agents-asked", from, request, asked });
        return;
      }
      case "agents-told":
        // Others have not asked.
        this.#effects.push(message);
        return;
      case "forget":
        return this.#applyForget(from, message);
      case "fail":
        return this.#applyFail(from, message);
    }
  }

  #applyCib(from: NodeId, message: Extract<ClusterMessage, { type: "cib" }>): void {
    let value: unknown;
    let error: HactlError | undefined;
    try {
      const { askers, at } = message;
      const { configuration } = this.#state;
      const outcome = applyOperations(this.#state.cib, message.operations, { live: true, askers, now: at });
      this.#state.cib = outcome.cib;
      if (message.operations.some(({ op }) => op === "accept")) {
        this.#state.fallback = undefined;
        this.#state.losses = [];
      }
      value = outcome.value;
      if (outcome.configurationChanged || outcome.statusChanged)
        this.#doubt(this.#state.configurationChanged(message.at, configuration));
      if (outcome.configurationChanged) {
        const { attributes } = this.#state.cib;
        attributes.set("cib-last-written", formatTime(message.at));
        attributes.set("update-origin", this.#state.nameOf(from));
        attributes.set("update-client", message.client);
        attributes.set("update-user", message.user);
        this.#effects.push({ type: "persist" });
        this.#event(
          "notice",
          "CONFIG-CHANGED",
          `configuration changed by ${message.user} (${message.client}) on ${this.#state.nameOf(from)}`,
        );
      }
      if (outcome.configurationChanged || outcome.statusChanged) this.#leader.configurationChanged();
    } catch (caught) {
      if (!(caught instanceof HactlError)) throw caught;
      error = caught;
    }
    if (from !== this.#init.self) return;
    if (message.request !== propertiesRequest(this.#init.selfName))
      return this.#reply(message.request, value, error);
    if (error)
      this.#event(
        "warning",
        "PROPERTIES-REFUSED",
        `the cluster's own properties are not written: ${error.what}`,
      );
  }

  /**
   * What was planned for another membership is not carried out: a node may have come since, with services that the plan
   * does not know of. The leader's transition has ended with that membership, too.
   */
  #applyActions(from: NodeId, message: Extract<ClusterMessage, { type: "actions" }>): void {
    if (message.membership !== this.#membershipKey) {
      const keys = message.dispatches.map(({ operation }) => operation.transitionKey);
      this.#leader.refused(keys, "it was planned for a membership that is over");
      return this.#leader.advance(this.#now, this.#wall);
    }
    for (const dispatch of message.dispatches) {
      const { operation, node, executor } = dispatch;
      this.#state.dispatched(dispatch, message.at);
      for (const { to } of movedBy(operation)) {
        this.#historyOf(to)?.expected(operation);
        if (this.#state.forgetAbsence(to, operation.rsc.id)) this.#forgetThere(to, operation.rsc.id);
      }
      if (executor === this.#init.selfName) this.#execute(node, operation);
      if (operation.action === "delete") this.#state.deleteResource(node, operation.rsc.id);
      if (operation.action === "cancel" || operation.action === "delete") {
        this.#leader.completed(operation.transitionKey);
      }
    }
    if (from === this.#leaderId) this.#leader.advance(this.#now, this.#wall);
  }

  #execute(on: NodeName, operation: Operation): void {
    const { rsc, action } = operation;
    const local = on === this.#init.selfName;
    const history = this.#historyOf(on);
    if (action === "cancel") {
      const task = operation.params.CRM_meta_operation ?? "";
      const intervalMs = cancelInterval(operation);
      history?.cancelled(rsc.id, task, intervalMs);
      this.#effects.push({ type: "cancel", on, rsc: rsc.id, action: task, intervalMs });
      return;
    }
    if (action === "delete") {
      history?.forgotten(rsc.id);
      this.#effects.push({ type: "forget", on, rsc: rsc.id });
      return;
    }
    history?.started(operation);
    if (!canBeRun(rsc)) {
      this.#ownResult(on, notRunnable(operation, this.#wall));
    } else if (rsc.class === "stonith") {
      this.#effects.push({ type: "fence-device", operation });
    } else if (isConnection(rsc) && local) {
      this.#effects.push({ type: "connection", operation });
    } else {
      this.#askAgent(on, operation);
      this.#effects.push({ type: "execute", on, operation: this.#inAgentsWords(on, operation) });
    }
  }

  /** Nothing waits for the answer: what is recorded without it is completed when it comes (`agent-told`). */
  #askAgent(on: NodeName, { rsc, action }: Pick<Operation, "rsc" | "action">): void {
    if (!this.#agents.asks(on, rsc, action, this.#now)) return;
    const { id: _, ...agent } = rsc;
    this.#effects.push({ type: "ask-agent", on, agent });
  }

  /** An agent of OCF 1.0 takes over changed parameters by another action. */
  #inAgentsWords(on: NodeName, operation: Operation): Operation {
    if (operation.action !== "reload-agent") return operation;
    return { ...operation, action: this.#agents.of(on, operation.rsc)?.reload ?? operation.action };
  }

  #agentTold({ node, agent, traits }: Extract<ControllerEvent, { type: "agent-told" }>): void {
    this.#agents.told(node, agent, traits);
    if (!traits) return;
    const completed = this.#historyOf(node)?.described(agent, traits) ?? [];
    // What has not been sent yet tells it itself.
    if (node === this.#init.selfName)
      this.#results = this.#results.map((result) =>
        sameKind(result.rsc, agent) ? this.#withTraits(node, result) : result,
      );
    const says = traits.reload !== undefined || traits.private.length > 0;
    if (says && completed.length > 0) this.#queue({ type: "described", node, results: completed });
  }

  #withTraits(node: NodeName, result: OperationResult): OperationResult {
    const traits = bearsTraits(result) ? this.#agents.of(node, result.rsc) : undefined;
    return traits ? { ...result, traits } : result;
  }

  #applyResults(from: NodeId, message: Extract<ClusterMessage, { type: "results" }>): void {
    for (const result of message.results) {
      this.#lookAgain(message.node, result);
      const confirms = this.#state.confirmed(message.node, result);
      this.#dampen(this.#state.result(message.node, result));
      if (!confirms) this.#leader.resulted(message.node, result);
    }
    this.#leader.advance(this.#now, this.#wall);
    if (from !== this.#init.self || message.node !== this.#init.selfName) return;
    this.#resultsUnderWay = false;
    this.#sendResults();
  }

  /** Somebody has acted while no daemon watched: what was remembered is looked for anew. */
  #lookAgain(node: NodeName, result: OperationResult): void {
    const places = this.#state.disproved(node, result);
    if (places.length === 0) return;
    const { id } = result.rsc;
    const text = `${id} on ${node} is not as was remembered: it is looked for on every node`;
    this.#event("notice", "MEMORY-WRONG", text, node);
    for (const place of places) this.#forgetThere(place.node, place.rsc);
  }

  /** What goes on in these places says what it finds, also if it is nothing new. */
  #doubt(places: readonly Place[]): void {
    for (const { node, rsc } of places)
      if (this.#historyOf(node)) this.#effects.push({ type: "look-again", on: node, rsc });
  }

  /** What the state does not tell of any more its executor must not tell of, either. */
  #forgetThere(node: NodeName, rsc: string): void {
    this.#leader.forgotten(node, rsc);
    const history = this.#historyOf(node);
    if (!history) return;
    history.forgotten(rsc);
    this.#effects.push({ type: "forget", on: node, rsc: resourceId(rsc) });
  }

  /** A failure that is forgotten before anybody has acted upon it would never be told again. */
  #forgetFailureThere(node: NodeName, rsc: string, of?: FailedOperation): void {
    const history = this.#historyOf(node);
    if (!history) return;
    history.forgetFailure(rsc, of?.action, of?.intervalMs);
    this.#effects.push({ type: "look-again", on: node, rsc: resourceId(rsc) });
  }

  #applyUnanswered({ node, result }: Extract<ClusterMessage, { type: "unanswered" }>): void {
    this.#dampen(this.#state.unanswered(node, result) ?? []);
    this.#leader.unanswered(node, result);
    this.#leader.advance(this.#now, this.#wall);
  }

  #applyAttributes(from: NodeId, message: Extract<ClusterMessage, { type: "attributes" }>): void {
    if (message.forgetFailure) {
      const { node, rsc } = message.forgetFailure;
      this.#state.forgetFailure(node, rsc);
      this.#forgetFailureThere(node, rsc);
    }
    const asked = message.request !== undefined;
    const { written, dampen, refused } = this.#state.setAttributes(message.updates, asked);
    if (refused && from !== this.#init.self) this.#refused(from, refused.what);
    this.#dampen(dampen);
    // Of a node that is in maintenance until it is rebooted it may end now.
    if (message.updates.some(({ name, value }) => leavesAlone(name) && parseBoolean(value) !== true))
      this.#doubt(this.#state.doubt("all"));
    if (written && message.completes === undefined) {
      const names = [...new Set(message.updates.map(({ name }) => name))];
      const more = names.length > NAMED_ATTRIBUTES ? ` and ${names.length - NAMED_ATTRIBUTES} more` : "";
      this.#leader.changed(`attribute ${names.slice(0, NAMED_ATTRIBUTES).join(" ")}${more} changed`);
    }
    if (message.completes !== undefined) this.#leader.completed(message.completes);
    this.#leader.advance(this.#now, this.#wall);
    if (message.request !== undefined && from === this.#init.self)
      this.#reply(message.request, undefined, refused);
  }

  #applyForget(from: NodeId, message: Extract<ClusterMessage, { type: "forget" }>): void {
    const forgotten = this.#state.forget(message);
    for (const { node, rsc, kept } of forgotten) {
      if (kept) {
        this.#forgetFailureThere(node, rsc, message.failed);
        continue;
      }
      this.#forgetThere(node, rsc);
    }
    // What failed may have failed since somebody has started it elsewhere.
    const failed = message.failuresOnly ? forgotten.filter(({ kept }) => !kept) : [];
    if (failed.length > 0) this.#doubt(this.#state.doubtFamiliesOf(failed.map(({ rsc }) => rsc)));
    if (message.completes !== undefined) this.#leader.completed(message.completes);
    else this.#leader.changed("the history was cleaned up");
    this.#leader.advance(this.#now, this.#wall);
    if (message.request !== undefined && from === this.#init.self)
      this.#reply(
        message.request,
        forgotten.map(({ node, rsc }) => ({ node, rsc })),
        undefined,
      );
  }

  #applyReturn(node: NodeName): void {
    if (!waitsForReturn(this.#state, node)) return;
    takeBack(this.#state, node);
    this.#local.forgetFailure(node, "start");
    this.#event("notice", "REMOTE-BACK", `remote node ${node} answers again`, node);
    this.#leader.changed(`remote node ${node} answers again`);
  }

  #applyFail(from: NodeId, message: Extract<ClusterMessage, { type: "fail" }>): void {
    const { node, rsc, request, at } = message;
    const result = this.#state.claimedFailure(node, rsc, at);
    if (result) {
      this.#dampen(this.#state.result(node, result));
      if (this.#historyOf(node)) this.#effects.push({ type: "alert", event: resourceAlert(node, result) });
      const text = `${rsc} on ${node} is taken for failed, as was asked on ${this.#state.nameOf(from)}`;
      this.#event("warning", "FAILURE-CLAIMED", text, node);
      this.#leader.resulted(node, result);
      this.#leader.advance(this.#now, this.#wall);
    }
    if (from === this.#init.self)
      this.#reply(request, undefined, result ? undefined : notRunningThere(rsc, node));
  }

  #released(message: Extract<ClusterMessage, { type: "release" }>): void {
    this.#state.nodeReleased(message.node);
    this.#releasedSince.add(message.node);
    if (message.completes !== undefined) this.#leader.completed(message.completes);
    this.#leader.advance(this.#now, this.#wall);
    if (message.node !== this.#init.selfName) return;
    this.#leaving = true;
    this.#effects.push({ type: "leave" });
  }

  #managerGivenUp(node: NodeName): void {
    this.#missingManagers.delete(node);
    const id = this.#state.idOf(node);
    const back = this.#membership?.participants.some(({ nodeId }) => String(nodeId) === id);
    const known = (field: string) => this.#state.status.nodeState(id, field);
    // By what all have alike: a manager that has just come may not have missed it.
    if (back || (known("crmd") !== "online" && known("expected") !== "member")) return;
    this.#state.nodeLost(id, node, true);
    this.#event("error", "MANAGER-GONE", `the manager of ${node} did not come back`, node);
    // What it ran is not waited for any more.
    if (this.#phase === "synced" && this.#membership && this.#leaderId !== undefined)
      this.#tellFencer(this.#membership, this.#leaderId);
    this.#leader.nodeLost(node);
    this.#leader.unblock(this.#missingManagers);
  }

  /** The same on every member, also on one that came in the middle of it. */
  #applyFencing(from: NodeId, news: FencingNews | undefined): void {
    if (news?.type === "asked") this.#state.fencings.asked(news.op, news.target);
    if (news?.type === "ordered") this.#state.fencings.ordered(news.op, news.target, news.attempt);
    if (news?.type !== "ended") return;
    const { result } = news;
    const goneAgain = news.goneAgain !== undefined && news.goneAgain === this.#ringName;
    const rejoined = this.#state.fencings.ended(result.id, result.target) && !goneAgain;
    this.#fenced(result, rejoined);
    if (result.target !== this.#init.selfName || !result.ok || result.action === "on" || rejoined) return;
    // Who has not the others' state yet is told of a life before this one.
    const known = this.#live && this.#settled && this.#membership?.cameWithMe.includes(from);
    if (this.#phase !== "synced" && !known) return;
    const panic = this.#state.property("fence-reaction", "fencing-reaction") === "panic";
    this.#effects.push({ type: "self-fenced", reaction: panic ? "panic" : "stop" });
  }

  /** `rejoined`: the target has come back since it was ordered, and what is known of it is newer. */
  #fenced(result: FenceResult, rejoined: boolean): void {
    this.#effects.push({ type: "alert", event: fencingAlert(result) });
    const known = (field: string) => this.#state.status.nodeState(result.target, field);
    const remoteWasUp = known("remote_node") === "true" && known("in_ccm") === "true";
    if (result.ok && result.action !== "on" && !rejoined && remoteWasUp)
      this.#alertRemote(result.target, "lost");
    if (result.ok && result.action !== "on" && !rejoined) {
      this.#state.nodeFenced(result.target, result.completedAt);
      this.#reboots.fenced(result);
    }
    const text = result.ok
      ? `node ${result.target} was fenced (${result.action}) by ${result.devices.join(" ")} on ${result.executor}${rejoined ? "; it has come back since" : ""}`
      : `fencing of ${result.target} (${result.action}) ${isGivenUp(result) ? "was given up" : "failed"}: ${result.reason}`;
    if (result.ok) this.#event("notice", "NODE-FENCED", text, result.target);
    else if (isGivenUp(result)) this.#event("warning", "FENCING-GIVEN-UP", text, result.target);
    else this.#event("error", "FENCING-FAILED", text, result.target);
    this.#leader.fenced(result, rejoined, this.#now, this.#wall);
  }

  // ── this node's own part ─────────────────────────────────────────────────────────────────────────────────

  #executorIsUp(history: ExecutorHistory, again: boolean, remotes: readonly RemoteHistory[]): void {
    const known = this.#executorUp;
    this.#executorUp = true;
    if (!known) for (const remote of remotes) this.#speakFor(remote);
    if (!known && this.#init.daemonIsNew && !history.complete) this.#local.forgetOwn();
    if (!known || again) {
      this.#agents.forget(this.#init.selfName);
      this.#local.replace(history);
      for (const result of history.results) this.#askAgent(this.#init.selfName, result);
    }
    const early = this.#early;
    this.#early = [];
    for (const result of early) this.#ownResult(this.#init.selfName, result);
    if (!known) return this.#sendSummary();
    if (again) this.#sendHistory(this.#init.selfName, this.#local.history());
  }

  /** What is known here of an executor that this manager speaks for. */
  #historyOf(node: NodeName): LocalHistory | undefined {
    return node === this.#init.selfName ? this.#local : this.#remotes.get(node);
  }

  /** This manager is connected to a remote node from now on. */
  #speakFor({ node, history, address }: RemoteHistory): void {
    if (address) this.#addresses.set(node, address);
    else this.#addresses.delete(node);
    const local = this.#remotes.get(node) ?? new LocalHistory();
    local.replace(history);
    this.#remotes.set(node, local);
    for (const result of history.results) this.#askAgent(node, result);
  }

  #remoteHistories(): RemoteHistory[] {
    return [...this.#remotes].map(([node, local]) => ({
      node,
      history: local.history(),
      ...addressOf({ address: this.#addresses.get(node) }),
    }));
  }

  /** What is given out until this is heard is not in it, and goes on. */
  #sendHistory(node: NodeName, history: ExecutorHistory): void {
    const seen = this.#state.heardCallId(node);
    this.#told.set(node, this.#historyOf(node)?.endings ?? 0);
    this.#queue({ type: "history", node, history, seen, at: this.#wall });
  }

  /** While members join nothing is given out: a history that waited knows of all that the state knows of now. */
  #upToDate(message: ClusterMessage): ClusterMessage {
    return message.type === "history" ? { ...message, seen: this.#state.heardCallId(message.node) } : message;
  }

  /** What was ended or forgotten between a history's sending and its place in the order, it still told of. */
  #tellAgain(node: NodeName): void {
    const local = this.#historyOf(node);
    const told = this.#told.get(node);
    if (local && told !== undefined && local.endings !== told) this.#sendHistory(node, local.history());
  }

  #ownResult(node: NodeName, told: OperationResult): void {
    // Before its history it would be taken for one of an operation that nobody knows.
    if (node === this.#init.selfName && !this.#executorUp) {
      this.#early.push(told);
      return;
    }
    const result = this.#withTraits(node, this.#byLeadersClock(told));
    this.#historyOf(node)?.finished(result);
    this.#effects.push({ type: "alert", event: resourceAlert(node, result) });
    if (node !== this.#init.selfName) return this.#queue({ type: "results", node, results: [result] });
    // Without its connection this manager cannot tell any more what a remote node does.
    if (isConnection(result.rsc) && isFailure(result)) this.#remotes.delete(nodeName(result.rsc.id));
    this.#results.push(result);
    this.#sendResults();
  }

  /**
   * Whether a failure is over by its failure-timeout is decided by the leader's clock. By one that is far behind it would be over
   * as soon as it is told, and nobody would recover what has failed.
   */
  #byLeadersClock(result: OperationResult): OperationResult {
    const ahead = this.#leaderId === undefined ? 0 : this.#clocks.aheadOf(this.#leaderId);
    if (ahead === 0) return result;
    return { ...result, lastRun: result.lastRun + ahead, lastChange: result.lastChange + ahead };
  }

  /** While one message with results is under way, further ones gather: many results, few messages. */
  #sendResults(): void {
    if (this.#resultsUnderWay || this.#results.length === 0) return;
    const results = this.#results;
    this.#results = [];
    this.#resultsUnderWay = true;
    this.#queue({ type: "results", node: this.#init.selfName, results });
  }

  #shutdownRequested(): void {
    if (this.#shuttingDown) return;
    this.#shuttingDown = true;
    this.#queue({ type: "shutdown", node: this.#init.selfName, at: this.#wall });
  }

  #timer(timer: ControllerTimer): void {
    if (timer.startsWith("dampen:")) {
      if (this.#leads) this.#send({ type: "flush", name: timer.slice("dampen:".length) });
    } else if (timer === "manager-grace") {
      if (this.#leads) for (const node of this.#missingManagers) this.#send({ type: "manager-lost", node });
    } else if (this.#leads) {
      this.#leader.timer(timer, this.#now, this.#wall);
    }
  }

  /** Every node starts the timer, so that a new leader needs no memory of it; only the leader acts. */
  #dampen(effects: readonly AttributeEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== "dampen") continue;
      this.#effects.push({ type: "set-timer", timer: `dampen:${effect.name}`, afterMs: effect.afterMs });
    }
  }

  #bumpEpoch(at: EpochSeconds): void {
    const [adminEpoch, epoch] = this.#state.version();
    const { attributes } = this.#state.cib;
    // A member's coming cannot be refused: at the end of the epochs the next admin_epoch begins.
    const full = epoch >= Number.MAX_SAFE_INTEGER;
    if (full) attributes.set("admin_epoch", String(Math.min(adminEpoch + 1, Number.MAX_SAFE_INTEGER)));
    attributes.set("epoch", String(full ? 0 : epoch + 1));
    attributes.set("num_updates", "0");
    // Programs that read the date of the last change expect one from the beginning.
    attributes.set("cib-last-written", formatTime(at));
  }

  /** What the members would refuse is answered at once, by the same rules. */
  #ask(message: ClusterMessage & { readonly request: string }): void {
    try {
      const checked = readMessage(message, "");
      // What is refused costs the others nothing. They decide again when it is their turn.
      const refused =
        checked.type === "attributes" ? this.#state.attributes.refusal(checked.updates) : undefined;
      if (refused) throw refused;
      this.#queue(checked);
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      this.#reply(message.request, undefined, error);
    }
  }

  #queue(message: ClusterMessage): void {
    if (this.#phase === "synced") this.#send(message);
    else this.#outbox.push(message);
  }

  #send(message: ClusterMessage): void {
    this.#effects.push({ type: "broadcast", payload: encodeMessage(message) });
  }

  #reply(request: string, value: unknown, error: HactlError | undefined): void {
    this.#effects.push({ type: "reply", request, ...(error ? { error } : { value }) });
  }

  #event(level: ClusterEvent["level"], id: string, text: string, node?: NodeName): void {
    this.#effects.push({
      type: "event",
      event: { level, id, text, ...(node === undefined ? {} : { node }) },
    });
  }
}

/** Nothing that those who came along from the membership before do not know. */
/** Attributes that a reason of a decision names. */
const NAMED_ATTRIBUTES = 5;

const nothing = { results: [], running: [], interrupted: [], remembered: [] };

/** Who of two nodes with one name keeps it: who takes part already, then who is longer in, then the lower id. */
function isBefore(a: Summary, b: Summary): boolean {
  if (a.node === b.node) return false;
  if (a.live !== b.live) return a.live;
  return (a.since[0] - b.since[0] || a.since[1] - b.since[1] || a.node - b.node) < 0;
}

/** Error for requests that need a cluster when there is none. */
export function notInCluster(): HactlError {
  return new HactlError({
    code: "NOT_JOINED",
    what: "this node has not joined the cluster yet",
    cure: "look at `hactl status`; is the cluster's network up, and does the other node run?",
    exit: CrmExit.UNAVAILABLE,
  });
}

function notRunningThere(rsc: string, node: string): HactlError {
  return new HactlError({
    code: "NOT_RUNNING_THERE",
    what: `resource '${rsc}' is not running on ${node}`,
    cure: `crm_resource --locate -r ${rsc} names the nodes that it runs on`,
    exit: CrmExit.NOSUCH,
  });
}

/** A time as ctime(3) writes it, in UTC so that every node writes the same: `Sun Nov 22 12:38:55 2026`. */
function formatTime(at: EpochSeconds): string {
  const [day = "", date = "", month = "", year = "", time = ""] = new Date(at * 1000)
    .toUTCString()
    .split(" ");
  return `${day.replace(",", "")} ${month} ${date.replace(/^0/, " ")} ${time} ${year}`;
}

const addressOf = ({ address }: { readonly address?: RemoteAddress | undefined }) =>
  address === undefined ? {} : { address };

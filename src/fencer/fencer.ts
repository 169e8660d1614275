import { element } from "../cib/index.ts";
import { defectLine, HactlError, INFINITY, type Millis, type NodeName } from "../terms/index.ts";
import { AgentCatalogue } from "./agent-catalogue.ts";
import { seconds } from "./agent-run.ts";
import type { FenceDevice } from "./device.ts";
import { describeDevices, type FenceDeviceInfo, fenceable, supposed } from "./device-info.ts";
import { devicesFromCib, type FenceConfiguration } from "./devices.ts";
import { Executions, split } from "./executions.ts";
import type {
  Attempt,
  ExecuteAnswer,
  ExecuteOrder,
  FenceDeed,
  FenceRequest,
  FenceResult,
  FencerEffect,
  FencerEvent,
  FencerMembership,
  FencerMessage,
  FencerOptions,
  FenceTestRow,
  ToldOperation,
} from "./face.ts";
import { FenceHistory } from "./history.ts";
import { KdumpNotices } from "./kdump-notices.ts";
import { readFencerMessage } from "./messages.ts";
import type { AgentMetadata } from "./metadata.ts";
import { confirmation } from "./news.ts";
import { OwnRequests } from "./own-requests.ts";
import { actionLimit } from "./parameters.ts";
import {
  delayBefore,
  deviceTimeout,
  endsLife,
  endsMembership,
  endsOther,
  isGivenUp,
  isOver,
  nextStep,
  type Operation,
  overReason,
  type PlanView,
  planLevels,
  successesOf,
  targetIsBack,
  wholeTime,
} from "./plan.ts";
import { Questions } from "./questions.ts";
import { hasLevel, Registry, registrationText } from "./registry.ts";
import { Rehearsals } from "./rehearsal.ts";
import { TestBoard } from "./test-board.ts";
import { requestsOf, takeTold, toldOf } from "./told.ts";

/** A request under way, for status output. */
export interface FenceProgress {
  readonly request: FenceRequest;
  readonly merged: number;
  readonly attempts: readonly {
    readonly level: number;
    readonly device: string;
    readonly executor: NodeName;
    readonly state: "running" | "ok" | "failed";
    readonly reason: string;
  }[];
}

/** Who asks in the name of the cluster's decisions. */
const decider = "controller";
const askerGone = "the node that asked is gone";

/** Whether the operation answers this request. */
const asks = (operation: Operation, id: string): boolean =>
  operation.request.id === id || operation.merged.some((one) => one.id === id);

const copyOf = (operation: Operation): Operation => ({ ...operation, ...toldOf(operation) });

/**
 * Fencing, one instance in each manager. Everything that is decided travels as an ordered message, so that every
 * node holds the same operations; the leader alone decides the next step, by a pure function of what was tried, and
 * its successor goes on from there. What is in doubt counts as failure.
 */
export class Fencer {
  private readonly effects: FencerEffect[] = [];
  private configuration: FenceConfiguration;
  private running: ReadonlyMap<string, NodeName> = new Map();
  private members: readonly NodeName[] = [];
  private leader: NodeName | undefined;
  /** Nodes whose managers are started anew: what they run may go on. */
  private coming: readonly NodeName[] = [];
  private inRing: readonly NodeName[] = [];
  /** The boot in which each node was when it was here last. */
  private readonly boots = new Map<NodeName, string>();
  /** How targets were fenced that have not come back since, each with its place among all results that came here. */
  private down = new Map<NodeName, { readonly result: FenceResult; readonly place: number }>();
  private results = 0;
  /** The requests under way as this fencer has told them last, until that has come round. */
  private told = "";
  private readonly operations = new Map<string, Operation>();
  private readonly own = new OwnRequests();
  /** Orders and results sent by this coordinator that have not come round yet. */
  private readonly sent = new Map<string, string>();
  /** Requests whose devices say that they have done it, and whose targets are still there. */
  private readonly awaited = new Set<string>();
  private readonly tests = new TestBoard();
  private readonly agents = new AgentCatalogue();
  private readonly registry = new Registry();
  /** The `<configuration>` of the CIB. */
  private written = element("configuration");
  private readonly notices: KdumpNotices;
  private readonly history: FenceHistory;
  private readonly executions: Executions;
  private readonly rehearsals: Rehearsals;
  private readonly questions: Questions;
  private readonly graceMs: Millis;
  /** How long a target that was switched off may still take part. */
  private readonly proofMs: Millis;
  /** What messages change beside the operations. */
  private readonly parts: readonly { savepoint(): () => void }[];
  private said = "";

  constructor(private readonly options: FencerOptions) {
    this.graceMs = options.graceMs ?? 5000;
    this.proofMs = 2 * (options.detectionMs + this.graceMs);
    this.notices = new KdumpNotices(options.detectionMs, options.noticeMaxAgeMs ?? 60_000);
    this.history = new FenceHistory(options.historyLimit ?? 500);
    const metadataOf = (agent: string) => this.agents.ownOf(agent);
    const emit = (effect: FencerEffect) => void this.effects.push(effect);
    this.executions = new Executions(
      options.self,
      this.graceMs,
      metadataOf,
      emit,
      (answer) => this.broadcast({ type: "answer", answer }),
      options.left ?? [],
    );
    this.rehearsals = new Rehearsals(options.self, metadataOf, emit, (id, rows) =>
      this.broadcast({ type: "test-answer", id, rows }),
    );
    this.questions = new Questions(options.self, metadataOf, emit);
    this.parts = [
      this.history,
      this.notices,
      this.agents,
      this.own,
      this.tests,
      this.executions,
      this.registry,
    ];
    this.configuration = devicesFromCib(this.written, 0);
  }

  /**
   * Takes an event at a time of the monotonic clock; the effects are to be carried out in order. It never throws: a
   * message that cannot be applied, by a mistake of ours, is refused by every fencer alike and changes nothing.
   */
  step(event: FencerEvent, now: Millis): FencerEffect[] {
    const restore = event.type === "message" ? this.savepoint() : undefined;
    try {
      this.take(event, now);
    } catch (error) {
      if (restore) {
        restore();
        this.effects.length = 0;
      }
      this.defect(`"${event.type}" could not be dealt with`, error);
      if (event.type === "request") this.refuse(event.request, "a defect of hactl: see its log");
    }
    return this.effects.splice(0);
  }

  private defect(what: string, error: unknown): void {
    this.log("error", `${what}, a defect of hactl: ${defectLine(error)}`);
  }

  /** Takes back what a message does to the state that all fencers share, and what it begins here. */
  private savepoint(): () => void {
    const operations = [...this.operations.values()].map(copyOf);
    const sent = [...this.sent];
    const awaited = [...this.awaited];
    const [down, results] = [new Map(this.down), this.results];
    const undo = this.parts.map((part) => part.savepoint());
    const { configuration } = this;
    return () => {
      for (const back of undo) back();
      this.configuration = configuration;
      this.operations.clear();
      for (const operation of operations) this.operations.set(operation.request.id, operation);
      this.sent.clear();
      for (const [id, what] of sent) this.sent.set(id, what);
      this.awaited.clear();
      for (const id of awaited) this.awaited.add(id);
      this.down = down;
      this.results = results;
    };
  }

  private take(event: FencerEvent, now: Millis): void {
    switch (event.type) {
      case "configuration":
        this.configure(event.configuration, event.running ?? new Map(), now);
        break;
      case "membership":
        this.changeMembers(event, now);
        break;
      case "request":
        this.ask(event.request);
        break;
      case "message":
        this.hear(event.from, event.message, now);
        break;
      case "agent-result":
        if (!this.executions.result(event.run, event.outcome, now))
          if (!this.rehearsals.result(event.run, event.outcome))
            this.questions.result(event.run, event.outcome, now);
        break;
      case "metadata":
        this.takeMetadata(event.agent, event.metadata, now);
        break;
      case "timer":
        this.timer(event.timer, now);
        break;
      case "kdump-notice":
        this.broadcast({ type: "notice", node: event.node, signed: event.signed });
        break;
      case "alive":
        this.notices.alive(event.node);
        this.cameBack(event.node, now);
        break;
      case "confirm":
        this.broadcast({
          type: "confirm",
          id: event.id,
          target: event.target,
          client: event.client,
          at: this.options.wallClock(),
        });
        break;
      case "forget":
        this.broadcast(event);
        break;
      case "register":
        this.register(event);
        break;
      case "test":
        this.test(event.id, event.target);
        break;
      case "ask":
        this.questions.ask(event.id, event.question, this.configuration, now);
        break;
    }
  }

  /** Requests under way. */
  pending(): FenceProgress[] {
    return [...this.operations.values()].map(({ request, merged, attempts }) => ({
      request,
      merged: merged.length,
      attempts: attempts.map(({ level, device, executor, state, reason }) => ({
        level,
        device,
        executor,
        state,
        reason,
      })),
    }));
  }

  /** What has ended and is not forgotten, oldest first. */
  entries(): FenceResult[] {
    return this.history.shown();
  }

  /** Failures of a target in a row. */
  failures(target: NodeName): number {
    return this.history.failuresOf(target);
  }

  /** Whether stonith-max-attempts is used up for a target: ask again only at the next recheck or event. */
  exhausted(target: NodeName): boolean {
    return this.failures(target) >= this.configuration.maxAttempts;
  }

  /** The most that a request takes before its result comes; for the time-out of who waits. */
  timeFor(request: FenceRequest): Millis {
    return this.wholeTime(request, 0) + 3 * this.graceMs;
  }

  /** Devices with their levels, for people. */
  devices(): FenceDeviceInfo[] {
    return describeDevices(this.view("" as NodeName, 0));
  }

  /** Those of the nodes that no device can fence, as far as the configuration tells. */
  unfenceable(nodes: readonly NodeName[]): NodeName[] {
    return nodes.filter((node) => !fenceable(node, this.view(node, 0)));
  }

  // ── configuration, membership ────────────────────────────────────────────────────────────────────────────────

  private configure(
    configuration: Parameters<typeof devicesFromCib>[0],
    running: ReadonlyMap<string, NodeName>,
    now: Millis,
  ): void {
    this.written = configuration;
    this.running = running;
    this.reconfigure(now);
  }

  /** Devices and levels are now those of the configuration and those that are registered. */
  private reconfigure(now: Millis): void {
    this.configuration = devicesFromCib(this.written, this.options.wallClock(), this.registry.all());
    this.executions.configured();
    const problems = this.configuration.problems.join("\n");
    if (problems !== this.said) {
      this.said = problems;
      for (const problem of this.configuration.problems) this.log("warning", problem);
    }
    for (const device of this.configuration.devices.values())
      if (this.concerns(device) && this.agents.wants(device, now))
        this.effects.push({ type: "fetch-metadata", agent: device.agent });
    this.advanceAll(now);
  }

  /** A device that is registered elsewhere is never used here: its agent need not be here either. */
  private concerns({ registeredOn }: FenceDevice): boolean {
    return registeredOn === undefined || registeredOn.includes(this.options.self);
  }

  private takeMetadata(agent: string, metadata: AgentMetadata | undefined, now: Millis): void {
    if (!metadata)
      this.log("warning", `fence agent ${agent} is not installed here or has no readable metadata`);
    if (this.agents.fetched(agent, metadata)) this.tellAgents();
    this.executions.metadata(agent, now);
    this.rehearsals.metadata(agent);
    this.questions.metadata(agent, now);
  }

  private tellAgents(): void {
    const agents = this.agents.toTell();
    if (agents && this.members.includes(this.options.self)) this.broadcast({ type: "agents", agents });
  }

  private changeMembers(
    { members, leader, coming = [], ring = "", inRing = [...members, ...coming], boots }: FencerMembership,
    now: Millis,
  ): void {
    const before = this.members;
    this.members = members;
    this.coming = coming;
    this.inRing = inRing;
    this.executions.ring = ring;
    const changed = leader !== this.leader;
    if (changed) {
      this.sent.clear();
      this.awaited.clear();
    }
    this.leader = leader;
    this.notices.membership(new Set(members), now);
    const joined = members.filter((node) => !before.includes(node));
    for (const node of joined) {
      this.history.forgive(node);
      const boot = boots?.get(node);
      this.cameBack(node, now, boot !== undefined && boot === this.boots.get(node));
    }
    for (const [node, boot] of boots ?? []) this.boots.set(node, boot);
    this.agents.keep(members);
    const ended = this.registry.keep(members);
    if (ended.length > 0) {
      this.log("notice", `what was registered on ${ended.join(", ")} for fencing has ended with its manager`);
      this.reconfigure(now);
    }
    for (const operation of this.operations.values()) this.loseExecutors(operation, joined);
    if (joined.length > 0) {
      this.tellAgents();
      this.tellRegistered();
      // One of each part that came together speaks for it: who leads, else the first by name of those who were there.
      const part = before.filter((node) => members.includes(node)).sort();
      const speaker = part.find((node) => node === leader) ?? part[0] ?? this.options.self;
      if (speaker === this.options.self) this.tell();
    }
    // A leader from another part of the cluster has not heard of these; one that has ignores the repetition.
    if (changed && leader !== undefined && before.length > 0)
      for (const request of this.own.waiting()) this.broadcast({ type: "request", request });
    if (leader === this.options.self) this.orderAgain(new Set(joined));
    for (const id of this.tests.ids()) this.testEnd(id);
    this.advanceAll(now);
  }

  /** Tells who has just come what has ended and what is under way. */
  private tell(): void {
    const entries = this.history.entries();
    const operations = [...this.operations.values()].map(toldOf);
    if (entries.length === 0 && operations.length === 0) return;
    this.told = JSON.stringify(operations);
    const failures = this.history.allFailures();
    this.broadcast({ type: "history", entries, failures, forgotten: this.history.forgotten(), operations });
  }

  /** A node is there again: what is said of it from here on is of another life, unless it is known to be the same. */
  private cameBack(node: NodeName, now: Millis, sameLife = false): void {
    this.down.delete(node);
    this.executions.outlived(node, now);
    for (const operation of this.operations.values()) {
      if (operation.request.target !== node) continue;
      operation.sameLife = sameLife && !endsOther(operation);
      operation.outlived = true;
    }
  }

  /** `joined`: who has just come. One that was to fence itself, and comes, may have done it: it would do it again. */
  private loseExecutors({ request, attempts }: Operation, joined: readonly NodeName[] = []): void {
    for (const attempt of attempts) {
      if (attempt.state !== "running") continue;
      const { executor } = attempt;
      const isBack = executor === request.target && joined.includes(executor);
      if (isBack && endsLife(attempt)) attempt.reason = targetIsBack;
      else if (this.members.includes(executor) || this.coming.includes(executor)) continue;
      else attempt.reason = "the node left before it answered";
      attempt.state = "failed";
    }
  }

  /**
   * Of those who are back it is not known whether they still do what they were told: they are told once more, unless the target
   * is back, too.
   */
  private orderAgain(back: ReadonlySet<NodeName>): void {
    for (const { request, attempts, outlived } of this.operations.values())
      for (const { state, ran: _ran, deed: _deed, reason: _reason, ...ordered } of attempts) {
        if (state !== "running" || !back.has(ordered.executor) || this.sent.has(request.id)) continue;
        if (outlived && endsLife(ordered)) continue;
        this.sendOrder({ op: request.id, target: request.target, ...ordered });
      }
  }

  // ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

  private ask(request: FenceRequest): void {
    if (request.target === "") return this.refuse(request, "the request names no node");
    const asked = { ...request, ring: this.executions.ring };
    this.own.ask(asked, this.results);
    this.effects.push({ type: "set-timer", timer: `asked:${request.id}`, afterMs: this.timeFor(request) });
    this.broadcast({ type: "request", request: asked });
  }

  /** A request that cannot even be begun fails at once. */
  private refuse(request: FenceRequest, reason: string): void {
    this.own.settle(request.id);
    const how = { ok: false, executor: this.options.self, devices: [], reason, deed: "none" } as const;
    this.report(this.resultOf(request, how), false);
  }

  /** What is not understood is ignored, the same by every fencer. */
  private hear(from: NodeName, value: unknown, now: Millis): void {
    let message: FencerMessage;
    try {
      message = readFencerMessage(value, "");
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      this.log("warning", `a fencing message of ${from} is not understood and ignored: ${error.what}`);
      return;
    }
    this.receive(from, message, now);
  }

  private receive(from: NodeName, message: FencerMessage, now: Millis): void {
    // Whoever sends is alive: what was heard of its crash before is void.
    this.notices.alive(from);
    switch (message.type) {
      case "request":
        this.takeRequest(message.request, now);
        break;
      case "execute":
        this.takeOrder(from, message.order, now);
        break;
      case "answer":
        this.takeAnswer(from, message.answer, now);
        break;
      case "done":
        this.takeDone(message.op, message.result, now, true, message.goneAgain);
        break;
      case "notice":
        this.takeNotice(from, message.node, message.signed, now);
        break;
      case "confirm":
        this.takeConfirm(from, message, now);
        break;
      case "forget":
        this.history.forget(message.target);
        this.log(
          "info",
          `${message.client} on ${from} clears the history of ${message.target ?? "all fencing"}`,
        );
        if (from === this.options.self) this.effects.push({ type: "forgotten", id: message.id });
        break;
      case "registered":
        this.takeRegistered(from, message, now);
        break;
      case "agents":
        this.agents.told(from, message.agents);
        this.advanceAll(now);
        break;
      case "history":
        for (const entry of this.history.merge(message.entries, message.failures, message.forgotten))
          this.effects.push({ type: "history", entry });
        for (const operation of message.operations ?? []) this.takeTold(operation, now);
        // What has changed before it had come round, who has just come has not been told.
        if (
          from === this.options.self &&
          JSON.stringify([...this.operations.values()].map(toldOf)) !== this.told
        )
          this.tell();
        break;
      case "test":
        this.takeTest(message.id, message.target);
        break;
      case "test-answer":
        this.tests.answer(from, message.id, message.rows);
        this.testEnd(message.id);
        break;
    }
  }

  private takeRequest(request: FenceRequest, now: Millis): void {
    const { target, action } = request;
    if ([...this.operations.values()].some((one) => asks(one, request.id)) || this.history.has(request.id))
      return;
    const equal = this.equalTo(request);
    if (equal) {
      equal.merged.push(request);
      this.log("info", `${action} of ${target} for ${request.client} shares the request that is under way`);
      return;
    }
    this.log(
      "notice",
      `${request.client} on ${request.origin} asks to ${action} ${target}: ${request.reason}`,
    );
    const answered = this.answerTo(request);
    const outlived = this.isOutdated(request);
    this.begin({ request, merged: [], attempts: [], outlived, ...(answered && { answered }) }, now);
  }

  /**
   * The cluster has decided before its target came, or at least its ring, whose manager is on its way: it would decide
   * otherwise now, or decides the same anew.
   */
  private isOutdated({ ring, target, client }: FenceRequest): boolean {
    const isOther = ring !== undefined && ring !== this.executions.ring;
    return client === decider && isOther && this.inRing.includes(target);
  }

  private begin(operation: Operation, now: Millis): void {
    const { request } = operation;
    this.operations.set(request.id, operation);
    const wholeMs = this.wholeTime(request, now);
    this.effects.push({ type: "set-timer", timer: `whole:${request.id}`, afterMs: wholeMs });
    this.log("notice", `${request.action} of ${request.target} may take ${seconds(wholeMs)} in all`);
    this.advance(operation, now);
  }

  /** With the time in which a target that takes part has to be gone. */
  private wholeTime(request: FenceRequest, now: Millis): Millis {
    const proof = request.action !== "on" && this.inRing.includes(request.target) ? this.proofMs : 0;
    return wholeTime(request, this.view(request.target, now)) + proof;
  }

  /** A request under way whose end answers another one, too. */
  private equalTo({ target, action }: FenceRequest): Operation | undefined {
    return [...this.operations.values()].find(
      (one) => one.request.target === target && one.request.action === action && !endsOther(one),
    );
  }

  /**
   * A decision of the cluster that was taken before its node had heard that the target is fenced, and came after that: it
   * has been carried out. Its node alone can tell.
   */
  private answerTo({ id, target, action, client }: FenceRequest): FenceResult | undefined {
    const asked = this.own.askedAt(id);
    const down = this.down.get(target);
    if (asked === undefined || !down || client !== decider || action === "on") return undefined;
    return down.place > asked ? down.result : undefined;
  }

  /** Another fencer tells of a request under way. */
  private takeTold(told: ToldOperation, now: Millis): void {
    const { id } = told.request;
    if (this.history.has(id)) return;
    const known = this.operations.get(id);
    const equal = known ?? this.equalTo(told.request);
    if (known) takeTold(known, told);
    else if (equal && (equal.attempts.length > 0 || this.sent.has(equal.request.id)))
      equal.merged.push(...requestsOf(told).filter((one) => !asks(equal, one.id)));
    else {
      const operation = toldOf(told);
      if (equal) {
        // This one has been asked for here since, and is further.
        this.operations.delete(equal.request.id);
        this.effects.push({ type: "cancel-timer", timer: `whole:${equal.request.id}` });
        operation.merged.push(...requestsOf(equal).filter((one) => !asks(operation, one.id)));
      }
      for (const { state, attempt, delayMs, timeoutMs } of operation.attempts)
        if (state === "running") this.guardAttempt(id, attempt, delayMs + timeoutMs);
      this.begin(operation, now);
      return;
    }
    this.advanceAll(now);
  }

  private guardAttempt(op: string, attempt: number, timeMs: Millis): void {
    this.effects.push({
      type: "set-timer",
      timer: `guard:${op}#${attempt}`,
      afterMs: timeMs + 2 * this.graceMs,
    });
  }

  private advanceAll(now: Millis): void {
    for (const operation of [...this.operations.values()]) this.advance(operation, now);
  }

  private view(target: NodeName, now: Millis): PlanView {
    return {
      configuration: this.configuration,
      members: this.members,
      coordinator: this.leader ?? this.options.self,
      agentOn: (node, agent) => this.agents.on(node, agent),
      runningOn: (device) => this.running.get(device),
      dumping: this.notices.valid(target, now),
    };
  }

  /** The leader's part. What the others do not do must not make its state another one than theirs. */
  private advance(operation: Operation, now: Millis): void {
    const { request } = operation;
    if (this.leader !== this.options.self || this.sent.has(request.id)) return;
    try {
      this.decide(operation, now);
    } catch (error) {
      this.defect(`the next step for ${request.target} could not be decided`, error);
    }
  }

  /** Whether it goes on: nothing new begins for askers that are all gone, what has begun is brought to its end. */
  private goesOn(operation: Operation): boolean {
    const { request, attempts } = operation;
    if (requestsOf(operation).some(({ origin }) => this.members.includes(origin))) return true;
    // The target may have asked itself, and wait to be switched on again.
    if (attempts.some(({ state }) => state === "ok")) return true;
    return attempts.length > 0 && !this.members.includes(request.target);
  }

  /** Who asked is gone. Whoever leads now may want the same; when nobody does, it is over. */
  private abandoned(operation: Operation): void {
    const { id } = operation.request;
    if (operation.attempts.length > 0) this.end(operation, false, [], "none", askerGone);
    else this.effects.push({ type: "set-timer", timer: `abandoned:${id}`, afterMs: 4 * this.graceMs });
  }

  private stillAbandoned(id: string): void {
    const operation = this.operations.get(id);
    if (!operation || this.leader !== this.options.self || this.sent.has(id)) return;
    if (operation.attempts.length === 0 && !this.goesOn(operation))
      this.end(operation, false, [], "none", askerGone);
  }

  /** The leader's decision: the next order or the end. */
  private decide(operation: Operation, now: Millis): void {
    const { request } = operation;
    const { answered } = operation;
    if (answered) {
      const { devices, deed, reason, executor } = answered;
      return this.end(operation, true, devices, deed, reason, executor);
    }
    const view = this.view(request.target, now);
    const step = nextStep(operation, view);
    switch (step.type) {
      case "wait":
        return;
      case "execute":
        if (isOver(operation, step, this.members.includes(request.target)))
          this.end(operation, false, [], "none", overReason(operation));
        else if (!this.goesOn(operation)) this.abandoned(operation);
        else if (this.hasTurn(step.device, step.executor)) this.order(operation, step, view);
        return;
      case "success": {
        const shows = endsMembership(step, view);
        if (this.isStillThere(operation) && shows) return this.awaitProof(request.id);
        this.end(operation, true, step.level.devices, step.deed, "", step.executor, shows);
        return;
      }
      case "failure":
        this.end(operation, false, [], "none", step.reason);
    }
  }

  /** Whether the target, which devices say is off or was reset, takes part as it did before. */
  private isStillThere(operation: Operation): boolean {
    return !endsOther(operation) && this.inRing.includes(operation.request.target);
  }

  /**
   * Devices may lie (a wrong plug, a controller that has lost its supply, a script that only says so). A member that was
   * switched off leaves the ring within the time in which the loss of a node is noticed: only then it has been.
   */
  private awaitProof(op: string): void {
    if (this.awaited.has(op)) return;
    this.awaited.add(op);
    this.effects.push({ type: "set-timer", timer: `proof:${op}`, afterMs: this.proofMs });
  }

  /** The target is still there: no device of that level has done what it says. */
  private disprove(id: string, now: Millis): void {
    const operation = this.operations.get(id);
    if (!this.awaited.delete(id) || !operation || this.leader !== this.options.self) return;
    const view = this.view(operation.request.target, now);
    const step = nextStep(operation, view);
    if (step.type !== "success" || !this.isStillThere(operation) || !endsMembership(step, view)) return;
    const reason = `it says that it has done it, but ${operation.request.target} is still there, as a member of the cluster`;
    for (const { attempt, device } of successesOf(operation, step.level))
      this.broadcast({
        type: "answer",
        answer: { op: id, attempt, device, ok: false, ran: true, deed: "none", reason, disproved: true },
      });
  }

  /** pcmk_action_limit: what a device does at a time on one node, over all requests. */
  private hasTurn(device: FenceDevice, executor: NodeName): boolean {
    const busy = [...this.operations.values()].flatMap(({ attempts }) =>
      attempts.filter(
        (one) => one.state === "running" && one.device === device.id && one.executor === executor,
      ),
    );
    return (
      device.kind === "kdump" || busy.length + this.ordered(device.id, executor) < actionLimit(device.params)
    );
  }

  private ordered(device: string, executor: NodeName): number {
    return [...this.sent.values()].filter((one) => one === `${device}@${executor}`).length;
  }

  private order(
    operation: Operation,
    step: Extract<ReturnType<typeof nextStep>, { readonly type: "execute" }>,
    view: PlanView,
  ): void {
    const { request } = operation;
    const earlier = operation.attempts.some(
      (one) => this.configuration.devices.get(one.device)?.kind !== "kdump",
    );
    const delayMs =
      step.phase === "on" ? 0 : delayBefore(request, step.device, !earlier, this.options.random);
    const order: ExecuteOrder = {
      op: request.id,
      attempt: operation.attempts.length + 1,
      level: step.level,
      device: step.device.id,
      target: request.target,
      action: step.action,
      phase: step.phase,
      executor: step.executor,
      timeoutMs: deviceTimeout(request, step.device, step.action, view),
      delayMs,
    };
    this.sendOrder(order);
  }

  private sendOrder(order: ExecuteOrder): void {
    this.sent.set(order.op, `${order.device}@${order.executor}`);
    this.broadcast({ type: "execute", order });
  }

  private end(
    operation: Operation,
    ok: boolean,
    devices: readonly string[],
    deed: FenceDeed,
    reason: string,
    executor: NodeName = operation.attempts.at(-1)?.executor ?? this.options.self,
    isGone = false,
  ): void {
    const { request } = operation;
    const goneAgain =
      isGone && operation.outlived && !endsOther(operation) ? this.executions.ring : undefined;
    const why = reason === "" ? request.reason : reason;
    const untried = !ok && operation.attempts.every(({ ran }) => !ran);
    const result = this.resultOf(request, {
      ok,
      executor,
      devices,
      reason: why,
      deed,
      ...(untried ? { untried } : {}),
    });
    this.sent.set(request.id, "end");
    this.broadcast({ type: "done", op: request.id, result, ...(goneAgain !== undefined && { goneAgain }) });
  }

  /** The end of a request, now, with the failures in a row that it makes. */
  private resultOf(
    request: FenceRequest,
    how: Pick<FenceResult, "ok" | "executor" | "devices" | "reason" | "deed" | "untried">,
  ): FenceResult {
    const { id, target, action, client, origin } = request;
    // What others have told may be the highest number that there is.
    const failures = how.ok ? 0 : Math.min(this.history.failuresOf(target) + 1, Number.MAX_SAFE_INTEGER);
    return {
      id,
      target,
      action,
      client,
      origin,
      ...how,
      completedAt: this.options.wallClock(),
      failures,
      exhausted: failures >= this.configuration.maxAttempts,
    };
  }

  // ── orders and answers ───────────────────────────────────────────────────────────────────────────────────────

  private takeOrder(from: NodeName, order: ExecuteOrder, now: Millis): void {
    const operation = this.operations.get(order.op);
    // Two leaders may meet for a moment; who is not the leader now has nothing to order.
    if (from !== this.leader || !operation || operation.attempts.length + 1 < order.attempt) return;
    // A leader that came from elsewhere has begun anew; what it does not know of does not count.
    operation.attempts.length = order.attempt - 1;
    if (this.leader === this.options.self) this.sent.delete(order.op);
    const { op: _op, target: _target, ...ordered } = order;
    const attempt: Attempt = { ...ordered, state: "running", ran: false, deed: "none", reason: "" };
    operation.attempts.push(attempt);
    const level = order.level > 0 ? ` (level ${order.level})` : "";
    const delay = order.delayMs > 0 ? ` after ${seconds(order.delayMs)}` : "";
    this.log(
      "notice",
      `${order.executor} is to ${order.action} ${order.target} by ${order.device}${level}${delay}, within ${seconds(order.timeoutMs)}`,
    );
    this.guardAttempt(order.op, order.attempt, order.delayMs + order.timeoutMs);
    if (!this.members.includes(order.executor)) this.loseExecutors(operation);
    else if (order.executor === this.options.self) this.execute(order, now);
    this.advance(operation, now);
  }

  /** This node's part of an order; what it cannot even begin has failed. */
  private execute(order: ExecuteOrder, now: Millis): void {
    const forget = this.executions.savepoint();
    const effects = this.effects.length;
    try {
      this.executions.start(order, this.configuration, now);
    } catch (error) {
      forget();
      this.effects.length = effects;
      this.defect(`${order.device} could not be used`, error);
      const { op, attempt, device } = order;
      const reason = "a defect of hactl: see its log";
      this.broadcast({
        type: "answer",
        answer: { op, attempt, device, ok: false, ran: false, deed: "none", reason },
      });
    }
  }

  private takeAnswer(from: NodeName, answer: ExecuteAnswer, now: Millis): void {
    const operation = this.operations.get(answer.op);
    const attempt = operation?.attempts.find((one) => one.attempt === answer.attempt);
    if (!operation || !attempt || attempt.device !== answer.device || attempt.disproved) return;
    const disproved = answer.disproved === true && from === this.leader;
    if (attempt.state === "ok" && !disproved) return;
    if (from !== attempt.executor && (answer.ok || from !== this.leader)) return;
    // A failure that was only assumed (no answer in time) gives way to evidence of success, never the reverse.
    if (attempt.state === "failed" && !answer.ok) return;
    attempt.state = answer.ok ? "ok" : "failed";
    attempt.ran = answer.ran;
    attempt.deed = answer.deed;
    attempt.reason = answer.reason;
    if (disproved) attempt.disproved = true;
    this.effects.push({ type: "cancel-timer", timer: `guard:${answer.op}#${answer.attempt}` });
    if (!answer.ok)
      this.log(
        "warning",
        `${attempt.device} on ${attempt.executor} did not fence ${operation.request.target}: ${answer.reason}`,
      );
    this.advanceAll(now);
  }

  private takeDone(op: string, result: FenceResult, now: Millis, told = true, goneAgain?: string): void {
    const operation = this.operations.get(op);
    this.sent.delete(op);
    const isLast = goneAgain !== undefined && goneAgain === this.executions.ring;
    if (operation && (!operation.outlived || isLast)) this.fencedNow(result);
    if (this.history.add(result)) this.effects.push({ type: "history", entry: result });
    if (operation) this.finish(operation, result, now, told);
    else if (this.own.get(op)) {
      this.settled(op);
      this.report(result, told);
    }
    this.advanceAll(now);
  }

  /** From here on the target is down until it comes back. */
  private fencedNow(result: FenceResult): void {
    this.results++;
    if (result.ok && result.action !== "on" && !this.members.includes(result.target))
      this.down.set(result.target, { result, place: this.results });
  }

  /** Tells everybody who asked. */
  private finish(operation: Operation, result: FenceResult, now: Millis, told = true): void {
    const { request, merged } = operation;
    this.operations.delete(request.id);
    this.executions.cancel(request.id, now);
    this.awaited.delete(request.id);
    for (const kind of ["whole", "forget", "abandoned", "proof"])
      this.effects.push({ type: "cancel-timer", timer: `${kind}:${request.id}` });
    for (const attempt of operation.attempts)
      this.effects.push({ type: "cancel-timer", timer: `guard:${request.id}#${attempt.attempt}` });
    const givenUp = isGivenUp(result);
    const failed = givenUp ? "given up" : "failed";
    const how = result.ok ? `done (${result.deed}) by ${result.devices.join(", ") || "hand"}` : failed;
    this.log(
      result.ok ? "notice" : givenUp ? "warning" : "error",
      `${result.action} of ${result.target} ${how}: ${result.reason}${result.exhausted ? "; tried again at the next recheck or event" : ""}`,
    );
    for (const one of [request, ...merged]) {
      this.settled(one.id);
      this.report({ ...result, id: one.id, client: one.client, origin: one.origin }, told);
    }
  }

  /** Says how a request ended, once. */
  private report(result: FenceResult, told: boolean): void {
    if (this.own.report(result.id)) this.effects.push({ type: "result", result, told });
  }

  private settled(id: string): void {
    if (this.own.settle(id)) this.effects.push({ type: "cancel-timer", timer: `asked:${id}` });
  }

  // ── notices, confirmation, timers ────────────────────────────────────────────────────────────────────────────

  private takeNotice(from: NodeName, node: NodeName, signed: boolean, now: Millis): void {
    if (from === node) return;
    const before = this.notices.valid(node, now);
    this.notices.notice(node, now);
    if (!before) this.log("notice", `${from} received a ${signed ? "signed " : ""}kdump notice of ${node}`);
    this.advanceAll(now);
  }

  private takeConfirm(
    from: NodeName,
    message: Extract<FencerMessage, { readonly type: "confirm" }>,
    now: Millis,
  ): void {
    const base = confirmation(from, message);
    this.log("warning", `${message.client} on ${from} answers for it that ${message.target} is down`);
    this.history.forgive(message.target);
    this.fencedNow(base);
    if (this.history.add(base)) this.effects.push({ type: "history", entry: base });
    this.effects.push({ type: "result", result: base, told: true });
    for (const operation of [...this.operations.values()])
      if (operation.request.target === message.target && operation.request.action !== "on")
        this.finish(operation, { ...base, id: operation.request.id, action: operation.request.action }, now);
  }

  private timer(name: string, now: Millis): void {
    if (this.executions.timer(name, now)) return;
    const [kind, id] = split(name);
    if (kind === "guard") this.guard(id);
    else if (kind === "whole") this.outOfTime(id, now);
    else if (kind === "proof") this.disprove(id, now);
    else if (kind === "forget") this.forget(id, now);
    else if (kind === "abandoned") this.stillAbandoned(id);
    else if (kind === "asked") this.unanswered(id, now);
    else if (kind === "test") this.testEnd(id, true);
  }

  private guard(id: string): void {
    const at = id.lastIndexOf("#");
    const op = id.slice(0, at);
    const attempt = this.operations.get(op)?.attempts.find((one) => one.attempt === Number(id.slice(at + 1)));
    if (this.leader !== this.options.self || attempt?.state !== "running") return;
    const reason = `${attempt.executor} did not answer in time`;
    this.broadcast({
      type: "answer",
      answer: {
        op,
        attempt: attempt.attempt,
        device: attempt.device,
        ok: false,
        ran: true,
        deed: "none",
        reason,
      },
    });
  }

  private outOfTime(id: string, now: Millis): void {
    const operation = this.operations.get(id);
    if (!operation) return;
    if (operation.attempts.length === 0 && this.busy()) {
      // It waits for its turn at a device that is busy with other nodes; its time has not begun.
      const afterMs = this.wholeTime(operation.request, now);
      this.effects.push({ type: "set-timer", timer: `whole:${id}`, afterMs });
    } else if (this.leader === this.options.self) {
      if (!this.sent.has(id))
        this.end(operation, false, [], "none", "the time for the whole request is over");
    } else this.effects.push({ type: "set-timer", timer: `forget:${id}`, afterMs: 4 * this.graceMs });
  }

  private busy(): boolean {
    return [...this.operations.values()].some(({ attempts }) =>
      attempts.some(({ state }) => state === "running"),
    );
  }

  /** Who asked is gone and the leader has never heard of it: nobody will end it. */
  private forget(id: string, now: Millis): void {
    const operation = this.operations.get(id);
    if (!operation) return;
    if (this.leader === this.options.self) {
      this.outOfTime(id, now);
      return;
    }
    // Of what another part of the cluster has ended nobody will say how its attempts went.
    if (!this.history.has(id) && operation.attempts.some(({ state }) => state === "running")) {
      this.effects.push({ type: "set-timer", timer: `forget:${id}`, afterMs: 4 * this.graceMs });
      return;
    }
    this.operations.delete(id);
    this.executions.cancel(id, now);
    this.effects.push({ type: "cancel-timer", timer: `abandoned:${id}` });
    this.log(
      "info",
      `${operation.request.action} of ${operation.request.target} is forgotten: nobody waits for it`,
    );
  }

  /**
   * Nobody has decided: who asked ends it. First as a message, so that all know; when not even that comes round (no
   * ring), here alone.
   */
  private unanswered(id: string, now: Millis): void {
    const request = this.own.get(id);
    if (!request) return;
    const operation = [...this.operations.values()].find((one) => asks(one, id));
    if (operation && this.busy() && this.leader !== undefined) {
      // The leader is at it, or at what comes before it, and ends it in time.
      this.effects.push({ type: "set-timer", timer: `asked:${id}`, afterMs: this.timeFor(request) });
      return;
    }
    const result = this.resultOf(request, {
      ok: false,
      executor: this.options.self,
      devices: [],
      reason: "no coordinator answered",
      deed: "none",
    });
    if (this.own.giveUp(id)) {
      this.effects.push({ type: "set-timer", timer: `asked:${id}`, afterMs: this.graceMs });
      this.broadcast({ type: "done", op: operation?.request.id ?? id, result });
      return;
    }
    this.takeDone(operation?.request.id ?? id, result, now, false);
  }

  // ── registration ─────────────────────────────────────────────────────────────────────────────────────────────

  private register({ id, registration, client }: Extract<FencerEvent, { readonly type: "register" }>): void {
    const { self } = this.options;
    const isWritten = (target: string, index: number) => hasLevel(this.written, target, index);
    const refused = this.registry.refusal(registration, self, this.configuration.devices, isWritten);
    if (refused) {
      this.effects.push({ type: "registered", id, refused });
      return;
    }
    this.log("notice", `${client} on ${self} ${registrationText(registration)}`);
    this.broadcast({ type: "registered", id, ...this.registry.change(registration) });
  }

  private tellRegistered(): void {
    const registered = this.registry.toTell();
    if (registered && this.members.includes(this.options.self))
      this.broadcast({ type: "registered", ...registered });
  }

  private takeRegistered(
    from: NodeName,
    { id, devices, levels }: Extract<FencerMessage, { readonly type: "registered" }>,
    now: Millis,
  ): void {
    // With who is gone it has ended.
    if (!this.members.includes(from)) return;
    this.registry.take(from, { devices, levels });
    this.reconfigure(now);
    if (id !== undefined && from === this.options.self) this.effects.push({ type: "registered", id });
  }

  // ── rehearsal ────────────────────────────────────────────────────────────────────────────────────────────────

  private test(id: string, target: NodeName): void {
    this.tests.begin(id, target, this.members);
    const afterMs = this.configuration.timeoutMs + this.graceMs;
    this.effects.push({ type: "set-timer", timer: `test:${id}`, afterMs });
    this.broadcast({ type: "test", id, target });
  }

  private takeTest(id: string, target: NodeName): void {
    const { self } = this.options;
    const levels = self === target ? [] : planLevels(supposed(target, self), this.view(target, 0));
    const parts = levels.flatMap(({ index, devices }) =>
      devices
        .map((device) => this.configuration.devices.get(device))
        .filter((device) => device !== undefined)
        .filter((device) => device.disabled === undefined)
        .filter((device) => device.kind === "kdump" || device.scoreOn(self) > -INFINITY)
        .map((device) => ({ level: index, device })),
    );
    this.rehearsals.start(id, target, parts, this.configuration.timeoutMs);
  }

  private testEnd(id: string, late = false): void {
    const rows = this.tests.finish(id, this.members, late, (target) => this.unusedIn(target));
    if (!rows) return;
    this.effects.push({ type: "cancel-timer", timer: `test:${id}` });
    this.effects.push({ type: "test-result", id, rows });
  }

  /** Devices that the levels of a target name, and that nobody tries. */
  private unusedIn(target: NodeName): FenceTestRow[] {
    const { devices, levelsFor } = this.configuration;
    return levelsFor(target).flatMap(({ index, devices: ids }) =>
      ids.flatMap((device): FenceTestRow[] => {
        const found = devices.get(device);
        const why = found ? found.disabled && `it is not used: ${found.disabled}` : "there is no such device";
        if (why === undefined) return [];
        const own = this.registry.levelOf(target, index, device);
        const cure =
          own === undefined
            ? ""
            : `; on ${own.node} 'stonith_admin -d ${own.target} -i ${index}' takes the level back`;
        const text = `${why}: level ${index} fails${cure}`;
        return [{ level: index, device, node: this.options.self, ok: false, check: "level", text }];
      }),
    );
  }

  /** What keeps fencing from succeeding and is in no configuration, for people. */
  remarks(): string[] {
    return this.registry.remarks(this.configuration.devices);
  }

  // ── small things ─────────────────────────────────────────────────────────────────────────────────────────────

  private broadcast(message: FencerMessage): void {
    this.effects.push({ type: "broadcast", message });
  }

  private log(level: "debug" | "info" | "notice" | "warning" | "error", text: string): void {
    this.effects.push({ type: "log", level, text });
  }
}

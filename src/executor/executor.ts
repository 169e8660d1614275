import { type EpochSeconds, type Millis, OcfExit, OpStatus, type ResourceId } from "../terms/index.ts";
import type { Command, ProcessOutcome, Verdict } from "./command.ts";
import { DEFAULT_TIMEOUT_MS, type ExecutorConfig, PROTOCOL_VERSION } from "./config.ts";
import type { AgentResource, ExecutorEvent, ExecutorRequest, Operation, OperationResult } from "./face.ts";
import { metadataProcedure } from "./metadata.ts";
import { agentName } from "./ocf.ts";
import { exitReason } from "./output.ts";
import { procedureFor } from "./procedure.ts";
import { firstDelay, Queue } from "./queue.ts";
import { type Job, newResource, operationKey, type Recurring, type ResourceState } from "./state.ts";
import { decayOwnLoad, type LoadSample, type Throttle, throttle } from "./throttle.ts";

/** Both clocks at one moment. */
export interface Now {
  /** Monotonic, milliseconds. */
  readonly mono: Millis;
  /** Wall clock, seconds, for people. */
  readonly epoch: EpochSeconds;
}

/** What happens to an executor. */
export type ExecutorInput =
  | { readonly type: "request"; readonly request: CoreRequest }
  | { readonly type: "timer"; readonly timer: string }
  | { readonly type: "process"; readonly job: number; readonly outcome: ProcessOutcome }
  | { readonly type: "load"; readonly sample: LoadSample }
  /** Agents of an executor before this one were found running; the resource waits until they are gone. */
  | { readonly type: "leftovers"; readonly rsc: ResourceId; readonly count: number };

/** The requests that concern the core; the others are the driver's. */
export type CoreRequest = Extract<
  ExecutorRequest,
  { type: "register" | "execute" | "cancel" | "forget" | "metadata" | "ping" | "configure" }
>;

/** What an executor wants done, in order. */
export type ExecutorEffect =
  | { readonly type: "run"; readonly job: number; readonly command: Command; readonly label: string }
  | { readonly type: "kill"; readonly job: number; readonly signal: "TERM" | "KILL" }
  /** Give up on a process that does not die even of SIGKILL; no outcome is expected any more. */
  | { readonly type: "abandon"; readonly job: number }
  | { readonly type: "timer"; readonly timer: string; readonly at: Millis }
  | { readonly type: "no-timer"; readonly timer: string }
  | { readonly type: "emit"; readonly event: ExecutorEvent }
  | {
      readonly type: "log";
      readonly priority: "err" | "warning" | "notice" | "info" | "debug";
      readonly id: string;
      readonly text: string;
    };

/** What survives the death of an executor process, as plain data. */
export interface ExecutorSnapshot {
  readonly unfinished: readonly Operation[];
  readonly recurring: readonly Operation[];
  readonly results: readonly OperationResult[];
  readonly nodeActionLimit: number;
  readonly loadThreshold: number;
}

/** Time that a monitor gets to end by itself when it is cancelled during a run. */
const CANCEL_GRACE_MS = 500;
/** Between two attempts to start a process when the machine has no room for one. */
const NO_ROOM_WAIT_MS = 500;
const NO_ROOM_RETRIES = 3;
const METADATA_TIMEOUT_MS = 30_000;
const DEFAULT_LOAD_THRESHOLD = 80;

/**
 * The executor of one host, without its processes: takes requests and what became of processes, and says what
 * to start, to kill and to report. One operation at a time per resource, in order; recurring operations never
 * overlap themselves; a job limit for the whole host.
 */
export class Executor {
  readonly #config: ExecutorConfig;
  readonly #resources = new Map<ResourceId, ResourceState>();
  readonly #jobs = new Map<number, Job>();
  readonly #queue: Queue;
  readonly #metadataQueue: {
    readonly requestId: number;
    readonly rsc: Omit<AgentResource, "id">;
    readonly since: Millis;
  }[] = [];
  #effects: ExecutorEffect[] = [];
  #lastJob = 0;
  #recurringCount = 0;
  #nodeActionLimit = 0;
  #loadThreshold = DEFAULT_LOAD_THRESHOLD;
  #throttle: Throttle;
  #ownLoad = 0;
  #ownLoadAt = 0;
  #lastSample: LoadSample | undefined;

  constructor(config: ExecutorConfig) {
    this.#config = config;
    this.#throttle = { mode: "none", jobs: this.#limit(), reason: "" };
    this.#queue = new Queue(this.#resources);
  }

  /** Takes one event and returns what is to be done, in order. */
  step(input: ExecutorInput, now: Now): ExecutorEffect[] {
    this.#effects = [];
    switch (input.type) {
      case "request":
        this.#request(input.request, now);
        break;
      case "timer":
        this.#timer(input.timer, now);
        break;
      case "process": {
        const job = this.#jobs.get(input.job);
        if (job) this.#processEnded(job, input.outcome, now);
        break;
      }
      case "load":
        this.#load(input.sample, now);
        break;
      case "leftovers": {
        const resource = this.#resource(input.rsc);
        resource.leftovers = input.count;
        this.#queue.offer(resource, now.mono);
        break;
      }
    }
    this.#pump(now);
    return this.#effects;
  }

  /** What a following executor process needs to go on as if nothing had happened. */
  snapshot(): ExecutorSnapshot {
    const states = [...this.#resources.values()];
    return {
      unfinished: states.flatMap(unfinished),
      recurring: states.flatMap((state) => [...state.recurring.values()].map(({ operation }) => operation)),
      results: states.flatMap((state) => [...state.history.values()]),
      nodeActionLimit: this.#nodeActionLimit,
      loadThreshold: this.#loadThreshold,
    };
  }

  /**
   * Goes on from a snapshot. Unfinished operations are run again: actions of agents are idempotent (OCF resource
   * agent API, "Actions"). The caller first reports agents that still run as `leftovers`.
   */
  restore(snapshot: ExecutorSnapshot, now: Now): ExecutorEffect[] {
    this.#effects = [];
    this.#nodeActionLimit = snapshot.nodeActionLimit;
    this.#loadThreshold = snapshot.loadThreshold;
    for (const result of snapshot.results) {
      this.#resource(result.rsc.id).history.set(operationKey(result.action, result.intervalMs), result);
    }
    for (const operation of snapshot.recurring) {
      const recurring = this.#addRecurring(this.#resource(operation.rsc.id), operation, now.mono);
      const known = this.#resource(operation.rsc.id).history.get(
        operationKey(operation.action, operation.intervalMs),
      );
      recurring.lastRc = known?.rc;
      recurring.lastStatus = known?.status;
      recurring.tellNext = known === undefined;
    }
    for (const operation of snapshot.unfinished) this.#enqueueOnce(operation, now.mono);
    this.#pump(now);
    return this.#effects;
  }

  /** Jobs that run now, and the throttle that holds. */
  get load(): { readonly running: number; readonly throttle: Throttle } {
    return { running: this.#jobs.size, throttle: this.#throttle };
  }

  #request(request: CoreRequest, now: Now): void {
    switch (request.type) {
      case "register":
        this.#registered();
        return;
      case "execute":
        this.#execute(request.operation, now);
        return;
      case "cancel":
        this.#cancel(request.rsc, request.action, request.intervalMs, now);
        return;
      case "forget":
        this.#forget(request.rsc, now);
        return;
      case "metadata":
        this.#metadata(request.requestId, request.rsc, now);
        return;
      case "ping":
        this.#emit({ type: "pong", requestId: request.requestId });
        return;
      case "configure":
        this.#nodeActionLimit = request.nodeActionLimit ?? this.#nodeActionLimit;
        this.#loadThreshold = request.loadThreshold ?? this.#loadThreshold;
        this.#rate(now);
        return;
    }
  }

  #registered(): void {
    const { unfinished: running, recurring, results } = this.snapshot();
    this.#emit({
      type: "registered",
      version: PROTOCOL_VERSION,
      hostname: this.#config.hostname,
      bootId: this.#config.bootId,
      results: [...results].sort((a, b) => a.callId - b.callId),
      running,
      recurring,
    });
    this.#emit({ type: "load", ...this.#throttle });
  }

  #execute(operation: Operation, now: Now): void {
    const resource = this.#resource(operation.rsc.id);
    if (this.#isRepeat(resource, operation)) return;
    resource.forgotten = false;
    if (operation.intervalMs > 0) {
      this.#defineRecurring(resource, operation, now);
      return;
    }
    if (changesState(operation.action)) this.#cancelAllRecurring(resource, now);
    this.#enqueueOnce(operation, now.mono);
  }

  /** The same request again, from a manager that is not sure it arrived: answered, not run twice. */
  #isRepeat(resource: ResourceState, operation: Operation): boolean {
    const same = (other: { readonly callId: number; readonly transitionKey: string }) =>
      other.callId === operation.callId && other.transitionKey === operation.transitionKey;
    const key = operationKey(operation.action, operation.intervalMs);
    const recurring = resource.recurring.get(key);
    if (
      operation.intervalMs === 0 ? unfinished(resource).some(same) : recurring && same(recurring.operation)
    ) {
      const known = resource.history.get(key);
      if (operation.intervalMs > 0 && known && same(known)) this.#emit({ type: "result", result: known });
      return true;
    }
    const known = resource.history.get(key);
    if (operation.intervalMs > 0 || !known || !same(known)) return false;
    this.#emit({ type: "result", result: known });
    return true;
  }

  #enqueueOnce(operation: Operation, mono: Millis): void {
    const resource = this.#resource(operation.rsc.id);
    const notBefore = mono + Math.max(0, operation.startDelayMs);
    resource.once.push({ operation, since: mono, notBefore });
    if (notBefore > mono) this.#setTimer(`delay:${resource.id}`, notBefore);
    this.#queue.offer(resource, mono);
  }

  #defineRecurring(resource: ResourceState, operation: Operation, now: Now): void {
    const key = operationKey(operation.action, operation.intervalMs);
    const existing = resource.recurring.get(key);
    if (!existing) {
      this.#addRecurring(resource, operation, now.mono);
      return;
    }
    existing.operation = operation;
    existing.tellNext = true;
    if (this.#isRunning(resource, key)) existing.again = true;
    else this.#makeDue(resource, key, existing, now.mono);
  }

  #addRecurring(resource: ResourceState, operation: Operation, mono: Millis): Recurring {
    const recurring: Recurring = {
      operation,
      due: false,
      dueAt: mono + Math.max(0, operation.startDelayMs),
      tellNext: true,
      again: false,
      lastRc: undefined,
      lastStatus: undefined,
      phase: firstDelay(this.#recurringCount++),
      settled: false,
    };
    const key = operationKey(operation.action, operation.intervalMs);
    resource.recurring.set(key, recurring);
    if (recurring.dueAt > mono) this.#setTimer(recurringTimer(resource.id, key), recurring.dueAt);
    else this.#makeDue(resource, key, recurring, mono);
    return recurring;
  }

  #makeDue(resource: ResourceState, key: string, recurring: Recurring, mono: Millis): void {
    this.#clearTimer(recurringTimer(resource.id, key));
    recurring.due = true;
    recurring.dueAt = mono;
    this.#queue.offer(resource, mono);
  }

  #cancel(rsc: ResourceId, action: string, intervalMs: Millis, now: Now): void {
    const resource = this.#resources.get(rsc);
    if (resource && intervalMs === 0) {
      this.#cancelOnce(resource, action, now);
      return;
    }
    const key = operationKey(action, intervalMs);
    if (resource?.recurring.has(key)) this.#cancelRecurring(resource, key, now);
    else this.#emit({ type: "cancelled", rsc, action, intervalMs });
  }

  /** Only what has not begun: an action that changes the service is not left half done. */
  #cancelOnce(resource: ResourceState, action: string, now: Now): void {
    const gone = resource.once.filter(({ operation }) => operation.action === action);
    for (const waiting of gone) {
      resource.once.splice(resource.once.indexOf(waiting), 1);
      this.#emit({
        type: "result",
        result: resultOf(
          waiting.operation,
          cancelledVerdict,
          0,
          now.mono - waiting.since,
          now.epoch,
          now.epoch,
        ),
      });
    }
    if (gone.length === 0) this.#emit({ type: "cancelled", rsc: resource.id, action, intervalMs: 0 });
    this.#queue.offer(resource, now.mono);
  }

  #cancelRecurring(resource: ResourceState, key: string, now: Now): void {
    const recurring = resource.recurring.get(key);
    if (!recurring) return;
    resource.recurring.delete(key);
    resource.history.delete(key);
    this.#clearTimer(recurringTimer(resource.id, key));
    const job = resource.job;
    if (job && this.#isRunning(resource, key)) {
      // The run ends soon by itself, or is ended: what waits behind it is usually a stop.
      if (!job.ending) {
        job.ending = "cancel";
        this.#setTimer(`term:${job.id}`, now.mono + CANCEL_GRACE_MS);
      }
      return;
    }
    this.#emitCancelled(recurring.operation);
  }

  #cancelAllRecurring(resource: ResourceState, now: Now): void {
    for (const key of [...resource.recurring.keys()]) this.#cancelRecurring(resource, key, now);
  }

  #forget(rsc: ResourceId, now: Now): void {
    const resource = this.#resources.get(rsc);
    if (!resource) return;
    this.#cancelAllRecurring(resource, now);
    resource.history.clear();
    resource.forgotten = true;
    if (!resource.job && resource.once.length === 0 && resource.leftovers === 0) this.#resources.delete(rsc);
  }

  #metadata(requestId: number, rsc: Omit<AgentResource, "id">, now: Now): void {
    this.#metadataQueue.push({ requestId, rsc, since: now.mono });
  }

  /** Questions for meta-data concern no resource; a few at a time, beside the operations. */
  #pumpMetadata(now: Now): void {
    const running = [...this.#jobs.values()].filter((job) => job.work.kind === "metadata").length;
    for (const { requestId, rsc, since } of this.#metadataQueue.splice(0, this.#limit() - running)) {
      this.#begin(
        {
          id: ++this.#lastJob,
          work: { kind: "metadata", requestId, rsc },
          procedure: metadataProcedure(rsc, this.#config),
          startedAt: now.mono,
          startedEpoch: now.epoch,
          queuedMs: now.mono - since,
          timeoutMs: METADATA_TIMEOUT_MS,
          recurring: false,
          running: false,
          ending: undefined,
          retries: 0,
        },
        now,
      );
    }
  }

  #timer(timer: string, now: Now): void {
    const [kind = "", name = ""] = splitOnce(timer);
    switch (kind) {
      case "delay": {
        const resource = this.#resources.get(name as ResourceId);
        if (resource) this.#queue.offer(resource, now.mono);
        return;
      }
      case "repeat": {
        const [key = "", rsc = ""] = splitOnce(name);
        const resource = this.#resources.get(rsc as ResourceId);
        const recurring = resource?.recurring.get(key);
        if (resource && recurring) this.#makeDue(resource, key, recurring, now.mono);
        return;
      }
      case "pump":
        return;
      default: {
        const job = this.#jobs.get(Number(name));
        if (job) this.#jobTimer(kind, job, now);
      }
    }
  }

  #jobTimer(kind: string, job: Job, now: Now): void {
    switch (kind) {
      case "limit":
        // A cancelled run keeps its limit: whichever comes first ends it.
        job.ending ??= "timeout";
        this.#end(job, now);
        return;
      case "term":
        this.#end(job, now);
        return;
      case "kill":
        this.#effects.push({ type: "kill", job: job.id, signal: "KILL" });
        this.#setTimer(`lost:${job.id}`, now.mono + this.#config.killGraceMs);
        return;
      case "lost":
        this.#log("err", "AGENT_UNKILLABLE", `${label(job)} does not die of SIGKILL, going on without it`);
        this.#effects.push({ type: "abandon", job: job.id });
        this.#finish(job, endedVerdict(job), now);
        return;
      case "wait":
        this.#advance(job, undefined, now);
        return;
    }
  }

  /** SIGTERM to the whole process group now, SIGKILL after the grace. */
  #end(job: Job, now: Now): void {
    this.#clearTimer(`limit:${job.id}`);
    this.#clearTimer(`term:${job.id}`);
    if (!job.running) {
      this.#clearTimer(`wait:${job.id}`);
      this.#finish(job, endedVerdict(job), now);
      return;
    }
    this.#effects.push({ type: "kill", job: job.id, signal: "TERM" });
    this.#setTimer(`kill:${job.id}`, now.mono + this.#config.killGraceMs);
  }

  #begin(job: Job, now: Now): void {
    this.#countOwnLoad(now.mono);
    this.#jobs.set(job.id, job);
    this.#setTimer(`limit:${job.id}`, now.mono + job.timeoutMs);
    this.#advance(job, undefined, now);
  }

  #advance(job: Job, outcome: ProcessOutcome | undefined, now: Now): void {
    const step = job.procedure.next(outcome);
    switch (step.do) {
      case "run":
        job.running = true;
        this.#effects.push({ type: "run", job: job.id, command: step.command, label: label(job) });
        return;
      case "wait":
        this.#setTimer(`wait:${job.id}`, now.mono + step.ms);
        return;
      case "finish":
        this.#finish(job, step.verdict, now);
        return;
    }
  }

  #processEnded(job: Job, outcome: ProcessOutcome, now: Now): void {
    job.running = false;
    if (outcome.kind === "no-room" && !job.ending && job.retries < NO_ROOM_RETRIES) {
      job.retries++;
      this.#log("warning", "NO_ROOM", `${label(job)}: ${outcome.message}; trying again`);
      // The procedure has not seen an outcome, so it gives the same command again.
      this.#setTimer(`wait:${job.id}`, now.mono + NO_ROOM_WAIT_MS);
      return;
    }
    if (job.ending === "timeout") this.#finish(job, timeoutVerdict(job, said(outcome)), now);
    else if (job.ending) this.#finish(job, cancelledVerdict, now);
    else this.#advance(job, outcome, now);
  }

  #finish(job: Job, verdict: Verdict, now: Now): void {
    this.#countOwnLoad(now.mono);
    this.#jobs.delete(job.id);
    for (const kind of ["limit", "term", "kill", "lost", "wait"]) this.#clearTimer(`${kind}:${job.id}`);
    if (job.work.kind === "metadata") {
      this.#emit({ type: "metadata", requestId: job.work.requestId, ...metadataAnswer(verdict) });
      return;
    }
    const { operation } = job.work;
    const resource = this.#resource(operation.rsc.id);
    resource.job = undefined;
    const result = resultOf(
      operation,
      verdict,
      now.mono - job.startedAt,
      job.queuedMs,
      job.startedEpoch,
      job.startedEpoch,
    );
    if (job.recurring) this.#recurringDone(resource, job, result, now);
    else this.#onceDone(resource, result);
    this.#queue.offer(resource, now.mono);
    if (isIdle(resource)) this.#resources.delete(resource.id);
  }

  #onceDone(resource: ResourceState, result: OperationResult): void {
    if (result.action !== "notify" && !resource.forgotten)
      resource.history.set(operationKey(result.action, 0), result);
    if (result.status === OpStatus.TIMEOUT || result.status === OpStatus.ERROR) this.#logFailure(result);
    this.#emit({ type: "result", result });
  }

  #recurringDone(resource: ResourceState, job: Job, result: OperationResult, now: Now): void {
    const key = operationKey(result.action, result.intervalMs);
    const recurring = resource.recurring.get(key);
    // A new definition may have come since the cancellation; it is due by itself.
    if (!recurring || job.ending === "cancel") {
      this.#emitCancelled(result);
      return;
    }
    this.#report(resource, recurring, key, result);
    if (recurring.again) {
      recurring.again = false;
      this.#makeDue(resource, key, recurring, now.mono);
      return;
    }
    const wait = recurring.settled ? 1 : recurring.phase;
    recurring.settled = true;
    recurring.dueAt = now.mono + Math.max(1, Math.round(result.intervalMs * wait));
    this.#setTimer(recurringTimer(resource.id, key), recurring.dueAt);
  }

  /** Tells the first result of a definition and then each that differs from the one before. */
  #report(resource: ResourceState, recurring: Recurring, key: string, result: OperationResult): void {
    const changed = recurring.lastRc !== result.rc || recurring.lastStatus !== result.status;
    const known = resource.history.get(key);
    const told = {
      ...result,
      callId: recurring.operation.callId,
      transitionKey: recurring.operation.transitionKey,
      lastChange: changed || !known ? result.lastChange : known.lastChange,
    };
    // The run that was under way when the definition changed does not answer for the new one.
    if (recurring.again) return;
    recurring.lastRc = result.rc;
    recurring.lastStatus = result.status;
    resource.history.set(key, told);
    if (changed && (result.status !== OpStatus.DONE || result.rc !== OcfExit.OK)) this.#logFailure(result);
    if (!changed && !recurring.tellNext) return;
    recurring.tellNext = false;
    this.#emit({ type: "result", result: told });
  }

  /** Starts what may start: first what was asked for once, then due recurring operations. */
  #pump(now: Now): void {
    this.#pumpMetadata(now);
    const running = [...this.#jobs.values()].filter((job) => job.work.kind === "operation");
    const next = this.#queue.take(running, this.#throttle.jobs, this.#strictLimit(), now.mono);
    for (const { resource, operation, since, recurring } of next.start) {
      const job: Job = {
        id: ++this.#lastJob,
        work: { kind: "operation", operation },
        procedure: procedureFor(operation, this.#config),
        startedAt: now.mono,
        startedEpoch: now.epoch,
        queuedMs: Math.max(0, now.mono - since),
        timeoutMs: operation.timeoutMs > 0 ? operation.timeoutMs : DEFAULT_TIMEOUT_MS,
        recurring,
        running: false,
        ending: undefined,
        retries: 0,
      };
      resource.job = job;
      this.#begin(job, now);
    }
    // Some end at once, without a process, and leave their place to others.
    if (next.start.some(({ resource }) => resource.job === undefined)) this.#pump(now);
    else if (next.lookAgainAt !== undefined) this.#setTimer("pump:", next.lookAgainAt);
  }

  #load(sample: LoadSample, now: Now): void {
    this.#lastSample = sample;
    this.#rate(now);
  }

  #rate(now: Now): void {
    this.#countOwnLoad(now.mono);
    const before = this.#throttle;
    const sample = this.#lastSample ?? { loadavg1: 0 };
    this.#throttle = throttle(sample, this.#ownLoad, this.#config.cores, this.#loadThreshold, this.#limit());
    if (before.mode === this.#throttle.mode && before.jobs === this.#throttle.jobs) return;
    this.#log(
      "debug",
      "LOAD_MODE",
      `load ${this.#throttle.mode}, ${this.#throttle.jobs} jobs at a time${this.#throttle.reason === "" ? "" : `: ${this.#throttle.reason}`}`,
    );
    this.#emit({ type: "load", ...this.#throttle });
  }

  #countOwnLoad(mono: Millis): void {
    this.#ownLoad = decayOwnLoad(this.#ownLoad, this.#jobs.size, mono - this.#ownLoadAt);
    this.#ownLoadAt = mono;
  }

  #limit(): number {
    return this.#config.nodeActionLimit || this.#nodeActionLimit || 2 * this.#config.cores;
  }

  /** A limit that somebody set counts every job; the computed one only those that still use the processor. */
  #strictLimit(): boolean {
    return (this.#config.nodeActionLimit || this.#nodeActionLimit) > 0;
  }

  #isRunning(resource: ResourceState, key: string): boolean {
    const work = resource.job?.work;
    return (
      resource.job?.recurring === true &&
      work?.kind === "operation" &&
      operationKey(work.operation.action, work.operation.intervalMs) === key
    );
  }

  #resource(id: ResourceId): ResourceState {
    const known = this.#resources.get(id);
    if (known) return known;
    const created = newResource(id);
    this.#resources.set(id, created);
    return created;
  }

  #logFailure(result: OperationResult): void {
    const reason = result.exitReason === "" ? "" : `: ${result.exitReason}`;
    this.#log(
      "warning",
      "OPERATION_FAILED",
      `${result.rsc.id} ${operationKey(result.action, result.intervalMs)} gave ${result.rc}${reason}`,
    );
  }

  #emitCancelled(operation: Pick<Operation, "rsc" | "action" | "intervalMs">): void {
    const { rsc, action, intervalMs } = operation;
    this.#emit({ type: "cancelled", rsc: rsc.id, action, intervalMs });
  }

  #emit(event: ExecutorEvent): void {
    this.#effects.push({ type: "emit", event });
  }

  #setTimer(timer: string, at: Millis): void {
    this.#effects.push({ type: "timer", timer, at });
  }

  #clearTimer(timer: string): void {
    this.#effects.push({ type: "no-timer", timer });
  }

  #log(priority: "err" | "warning" | "notice" | "info" | "debug", id: string, text: string): void {
    this.#effects.push({ type: "log", priority, id, text });
  }
}

/** Actions after which earlier monitors say nothing any more: all but a probe, a notification and a check. */
function changesState(action: string): boolean {
  return !["monitor", "notify", "meta-data", "validate-all", "status"].includes(action);
}

function unfinished(state: ResourceState): Operation[] {
  const waiting = state.once.map(({ operation }) => operation);
  const work = state.job?.work;
  return state.job && !state.job.recurring && work?.kind === "operation"
    ? [work.operation, ...waiting]
    : waiting;
}

function isIdle(state: ResourceState): boolean {
  return (
    state.job === undefined &&
    state.once.length === 0 &&
    state.recurring.size === 0 &&
    state.history.size === 0 &&
    state.leftovers === 0
  );
}

const recurringTimer = (rsc: ResourceId, key: string) => `repeat:${key}:${rsc}`;

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(":");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function label(job: Job): string {
  return job.work.kind === "metadata"
    ? `${agentName(job.work.rsc)} meta-data`
    : `${job.work.operation.rsc.id} ${operationKey(job.work.operation.action, job.work.operation.intervalMs)}`;
}

const cancelledVerdict: Verdict = {
  rc: OcfExit.UNKNOWN,
  status: OpStatus.CANCELLED,
  exitReason: "",
  stdout: "",
};

function endedVerdict(job: Job): Verdict {
  return job.ending === "timeout" ? timeoutVerdict(job, "") : cancelledVerdict;
}

function timeoutVerdict(job: Job, said: string): Verdict {
  const limit = job.timeoutMs % 1000 === 0 ? `${job.timeoutMs / 1000} s` : `${job.timeoutMs} ms`;
  return {
    rc: OcfExit.GENERIC,
    status: OpStatus.TIMEOUT,
    exitReason: `did not finish within ${limit}${said === "" ? "" : `: ${said}`}`,
    stdout: "",
  };
}

/** The reason that an agent gave before it was ended. */
function said(outcome: ProcessOutcome): string {
  return outcome.kind === "exited" || outcome.kind === "signalled" ? exitReason(outcome.stderr) : "";
}

function metadataAnswer(verdict: Verdict): { readonly xml: string; readonly error?: string } {
  if (verdict.status === OpStatus.DONE && verdict.rc === OcfExit.OK) return { xml: verdict.stdout };
  return { xml: "", error: verdict.exitReason || `meta-data gave exit code ${verdict.rc}` };
}

function resultOf(
  operation: Operation,
  verdict: Verdict,
  execMs: Millis,
  queueMs: Millis,
  lastRun: EpochSeconds,
  lastChange: EpochSeconds,
): OperationResult {
  const { callId, rsc, action, intervalMs, transitionKey, params } = operation;
  return {
    callId,
    rsc,
    action,
    intervalMs,
    transitionKey,
    ...verdict,
    execMs,
    queueMs,
    lastRun,
    lastChange,
    params,
  };
}

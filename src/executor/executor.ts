import { type Millis, OcfExit, OpStatus, type ResourceId } from "../terms/index.ts";
import type { Verdict } from "./command.ts";
import { DEFAULT_TIMEOUT_MS, type ExecutorConfig, PROTOCOL_VERSION } from "./config.ts";
import {
  type CoreRequest,
  type ExecutorEffect,
  type ExecutorInput,
  type ExecutorSnapshot,
  type Now,
  Outbox,
} from "./effects.ts";
import type { AgentResource, Operation, OperationResult } from "./face.ts";
import { Jobs } from "./jobs.ts";
import { LoadMeter } from "./load.ts";
import { metadataProcedure } from "./metadata.ts";
import { procedureFor } from "./procedure.ts";
import { Queue } from "./queue.ts";
import { RecurringOperations } from "./recurring.ts";
import {
  arrivalOf,
  asStarted,
  cancelledVerdict,
  cannotRun,
  failureLine,
  isFailure,
  isForOther,
  isLeftAlone,
  isMigration,
  isNotBegun,
  isProbe,
  leftBehind,
  mayRun,
  metadataAnswer,
  migrated,
  notBegun,
  nothingToStop,
  resultOf,
  tellsRole,
  unseen,
} from "./results.ts";
import { changesState, type Job, newResource, operationKey, type ResourceState } from "./state.ts";
import type { Throttle } from "./throttle.ts";

const METADATA_TIMEOUT_MS = 30_000;

/**
 * The executor of one host, without its processes: takes requests and what became of processes, and says what
 * to start, to kill and to report. One operation at a time per resource, in order; recurring operations never
 * overlap themselves; a job limit for the whole host.
 */
export class Executor {
  #config: ExecutorConfig;
  readonly #resources = new Map<ResourceId, ResourceState>();
  readonly #out = new Outbox();
  readonly #queue: Queue;
  readonly #jobs: Jobs;
  readonly #recurring: RecurringOperations;
  readonly #load: LoadMeter;
  readonly #metadata: {
    readonly requestId: number;
    readonly rsc: Omit<AgentResource, "id">;
    readonly looks: boolean;
    readonly since: Millis;
  }[] = [];

  /** What may have left a service active of which nothing is known, until it has been looked at. */
  readonly #interrupted = new Map<ResourceId, Operation>();
  /** Of these nothing has been seen since an earlier daemon left them. */
  readonly #remembered = new Set<ResourceId>();
  /** Migrations that an executor before this one may have begun: whether they are done is looked at first. */
  readonly #looksFirst = new WeakSet<Operation>();
  /** Whether what is known here is all that runs. */
  #complete = true;

  constructor(config: ExecutorConfig) {
    this.#config = config;
    this.#queue = new Queue(this.#resources);
    this.#jobs = new Jobs(config, this.#out, (job, verdict, now) => this.#finished(job, verdict, now));
    this.#recurring = new RecurringOperations(this.#queue, this.#jobs, this.#out);
    this.#load = new LoadMeter(config, this.#out);
  }

  /** Takes one event and returns what is to be done, in order. */
  step(input: ExecutorInput, now: Now): ExecutorEffect[] {
    switch (input.type) {
      case "request":
        this.#request(input.request, now);
        break;
      case "timer":
        this.#timer(input.timer, now);
        break;
      case "process":
        this.#jobs.processEnded(input.job, input.outcome, now);
        break;
      case "load":
        this.#load.sample(input.sample, this.#jobs.size, now.mono);
        break;
      case "environment":
        this.#config = { ...this.#config, environment: input.environment };
        break;
      case "leftovers": {
        const resource = this.#resource(input.rsc);
        resource.leftovers = input.count;
        this.#queue.offer(resource, now.mono);
        break;
      }
    }
    this.#pump(now);
    return this.#out.drain();
  }

  /** What a following executor process needs to go on as if nothing had happened. */
  snapshot(): ExecutorSnapshot {
    const states = [...this.#resources.values()];
    return {
      unfinished: states.flatMap(unfinished),
      recurring: states.flatMap((state) => [...state.recurring.values()].map(({ operation }) => operation)),
      results: states.flatMap((state) => [...state.history.values()]),
      interrupted: [...this.#interrupted.values()],
      remembered: [...this.#remembered],
      complete: this.#complete,
      ...this.#load.settings,
    };
  }

  /** Something of the cluster may run here that this executor has not heard of. */
  admitGaps(): void {
    this.#complete = false;
  }

  /**
   * Goes on from a snapshot. Unfinished operations are run again: actions of agents are idempotent (OCF resource
   * agent API, "Actions"), but for migrations that are over. The caller first reports agents that still run as `leftovers`.
   */
  restore(snapshot: ExecutorSnapshot, now: Now): ExecutorEffect[] {
    this.#load.configure(snapshot, 0, now.mono);
    this.#complete = snapshot.complete;
    for (const operation of snapshot.interrupted) this.#interrupted.set(operation.rsc.id, operation);
    for (const rsc of snapshot.remembered) this.#remembered.add(rsc);
    for (const result of snapshot.results) {
      const key = operationKey(result.action, result.intervalMs);
      this.#resource(result.rsc.id).history.set(isNotBegun(result) ? notBegunKey(key) : key, result);
    }
    for (const operation of snapshot.recurring) {
      const remembered = this.#remembered.has(operation.rsc.id);
      this.#recurring.resume(this.#resource(operation.rsc.id), operation, remembered, now);
    }
    for (const operation of snapshot.unfinished) {
      if (isMigration(operation)) this.#looksFirst.add(operation);
      this.#enqueue(operation, now.mono);
    }
    this.#pump(now);
    return this.#out.drain();
  }

  /** Jobs that run now, and the throttle that holds. */
  get load(): { readonly running: number; readonly throttle: Throttle } {
    return { running: this.#jobs.size, throttle: this.#load.throttle };
  }

  #request(request: CoreRequest, now: Now): void {
    switch (request.type) {
      case "register":
        return this.#registered();
      case "execute":
        return this.#execute(request.operation, now);
      case "cancel":
        return this.#cancel(request.rsc, request.action, request.intervalMs, now);
      case "forget":
        return this.#forget(request.rsc, now);
      case "look-again": {
        const resource = this.#resources.get(request.rsc);
        if (resource) this.#recurring.lookAgain(resource, now);
        return;
      }
      case "probed":
        // What is interrupted stays so until it has been looked at: it may be about to be stopped.
        this.#complete = true;
        return;
      case "metadata": {
        const { requestId, rsc, looks } = request;
        this.#metadata.push({ requestId, rsc, looks: looks === true, since: now.mono });
        return;
      }
      case "ping":
        return this.#out.emit({ type: "pong", requestId: request.requestId });
      case "configure":
        return this.#load.configure(request, this.#jobs.size, now.mono);
    }
  }

  #registered(): void {
    const { unfinished: running, recurring, results, interrupted, remembered, complete } = this.snapshot();
    this.#out.emit({
      type: "registered",
      version: PROTOCOL_VERSION,
      hostname: this.#config.hostname,
      bootId: this.#config.bootId,
      results: [...results].sort((a, b) => a.callId - b.callId),
      running,
      recurring,
      interrupted,
      remembered,
      complete,
    });
    this.#out.emit({ type: "load", ...this.#load.throttle });
  }

  #execute(operation: Operation, now: Now): void {
    const resource = this.#resource(operation.rsc.id);
    if (this.#isRepeat(resource, operation)) return;
    if (operation.intervalMs > 0) return this.#recurring.define(resource, operation, now);
    if (changesState(operation.action)) this.#recurring.cancelAll(resource, now);
    this.#enqueue(operation, now.mono);
  }

  /** The same request again, from a manager that is not sure it arrived: answered, not run twice. */
  #isRepeat(resource: ResourceState, operation: Operation): boolean {
    const same = (other: Operation | OperationResult | undefined) =>
      other?.callId === operation.callId && other.transitionKey === operation.transitionKey;
    const key = operationKey(operation.action, operation.intervalMs);
    const pending =
      operation.intervalMs === 0
        ? unfinished(resource).some(same)
        : same(resource.recurring.get(key)?.operation);
    const found = resource.history.get(key);
    const known = same(found) ? found : resource.history.get(notBegunKey(key));
    // A recurring one that was cancelled is not the same any more.
    const isKnown = known !== undefined && same(known) && (operation.intervalMs === 0 || pending);
    if (isKnown && !(pending && operation.intervalMs === 0))
      this.#out.emit({ type: "result", result: known });
    return pending || isKnown;
  }

  #enqueue(operation: Operation, mono: Millis): void {
    const resource = this.#resource(operation.rsc.id);
    const notBefore = mono + Math.max(0, operation.startDelayMs);
    resource.once.push({ operation, since: mono, notBefore });
    if (notBefore > mono) this.#out.setTimer(`delay:${resource.id}`, notBefore);
    this.#queue.offer(resource, mono);
  }

  #cancel(rsc: ResourceId, action: string, intervalMs: Millis, now: Now): void {
    const resource = this.#resources.get(rsc);
    const found =
      resource !== undefined &&
      (intervalMs === 0
        ? this.#cancelWaiting(resource, action, now)
        : this.#recurring.cancel(resource, operationKey(action, intervalMs), now));
    if (!found) this.#out.emit({ type: "cancelled", rsc, action, intervalMs });
  }

  /** Only what has not begun: an action that changes the service is not left half done. */
  #cancelWaiting(resource: ResourceState, action: string, now: Now): boolean {
    const gone = resource.once.filter(({ operation }) => operation.action === action);
    for (const waiting of gone) {
      resource.once.splice(resource.once.indexOf(waiting), 1);
      const times = { execMs: 0, queueMs: now.mono - waiting.since, lastRun: now.epoch };
      this.#out.emit({ type: "result", result: resultOf(waiting.operation, cancelledVerdict, times) });
    }
    this.#queue.offer(resource, now.mono);
    return gone.length > 0;
  }

  #forget(rsc: ResourceId, now: Now): void {
    const resource = this.#resources.get(rsc);
    if (!resource) return;
    this.#recurring.cancelAll(resource, now);
    const still = leftBehind([...resource.history.values()]);
    if (still) this.#interrupted.set(rsc, still);
    this.#remembered.delete(rsc);
    // What is under way is newer than what is forgotten: whoever asks for all that runs here is told of its end.
    resource.history.clear();
    this.#dropIdle(resource);
  }

  #timer(timer: string, now: Now): void {
    const [kind, name] = splitOnce(timer);
    switch (kind) {
      case "delay": {
        const resource = this.#resources.get(name as ResourceId);
        if (resource) this.#queue.offer(resource, now.mono);
        return;
      }
      case "repeat": {
        const [key, rsc] = splitOnce(name);
        const resource = this.#resources.get(rsc as ResourceId);
        if (resource) this.#recurring.due(resource, key, now);
        return;
      }
      case "pump":
        return;
      default:
        return this.#jobs.timer(kind, Number(name), now);
    }
  }

  #finished(job: Job, verdict: Verdict, now: Now): void {
    // Until now it was one more.
    this.#load.count(this.#jobs.size + 1, now.mono);
    if (job.work.kind === "metadata") {
      this.#out.emit({ type: "metadata", requestId: job.work.requestId, ...metadataAnswer(verdict) });
      return;
    }
    const { operation, asked } = job.work;
    const resource = this.#resource(operation.rsc.id);
    resource.job = undefined;
    const times = {
      execMs: now.mono - job.startedAt,
      queueMs: job.queuedMs,
      lastRun: job.startedEpoch,
    };
    const looked = isProbe(operation) && isMigration(asked);
    const blind = this.#unseen(resource, asked, verdict);
    const judged = blind ?? this.#judged(resource, asked, verdict);
    const result = looked ? migrated(asked, verdict, times) : resultOf(operation, judged, times);
    if (!result) return this.#askAgain(resource, asked, now);
    const before = resource.history.get(operationKey(result.action, result.intervalMs));
    const isNews = !isLeftAlone(result) || before?.callId !== result.callId || before.rc !== result.rc;
    const disproved =
      !blind &&
      !isNotBegun(result) &&
      this.#remembered.delete(resource.id) &&
      tellsRole(result) &&
      isFailure(result) &&
      isNews;
    if (blind && before?.rc !== blind.rc)
      this.#out.log("warning", "NOT_WATCHED", `${resource.id} ${blind.exitReason}`);
    if (job.recurring) this.#recurring.done(resource, job, result, now);
    else if (result.rc === OcfExit.NOT_RUNNING && isProbe(asked) && isForOther(operation, asked)) {
      // It is not what may have been left; now for what was asked for.
      this.#interrupted.delete(resource.id);
      resource.history.set(operationKey(result.action, result.intervalMs), result);
      this.#askAgain(resource, asked, now);
    } else {
      const arrival = arrivalOf(this.#interrupted.get(resource.id), result);
      if (arrival) this.#onceDone(resource, arrival);
      this.#onceDone(resource, result);
    }
    // Somebody has acted while no daemon watched: nothing else that is remembered of it counts, either.
    if (job.recurring && disproved) this.#forget(resource.id, now);
    this.#queue.offer(resource, now.mono);
    this.#dropIdle(resource);
  }

  /** What an agent's word, or that it could not be executed, means for a service of which more is known here. */
  #judged(resource: ResourceState, asked: Operation, verdict: Verdict): Verdict {
    const looks = isProbe(asked);
    if ((!looks && asked.action !== "stop") || !this.#neverBegun(resource)) return notBegun(asked, verdict);
    return looks ? cannotRun(verdict) : nothingToStop(verdict);
  }

  /** What a monitor that could not be executed says of a service that runs by all that is known here. */
  #unseen({ id, history }: ResourceState, asked: Operation, verdict: Verdict): Verdict | undefined {
    const active = mayRun([...history.values()]) ?? this.#interrupted.get(id);
    return active === undefined ? undefined : unseen(asked, verdict, active);
  }

  /** Whether it is known that no executor of this boot has left a service active, whatever was forgotten since. */
  #neverBegun({ id, history }: ResourceState): boolean {
    return this.#complete && !this.#interrupted.has(id) && mayRun([...history.values()]) === undefined;
  }

  /** It comes first: nothing that was asked for later may overtake it. */
  #askAgain(resource: ResourceState, operation: Operation, { mono }: Now): void {
    resource.once.unshift({ operation, since: mono, notBefore: mono });
    this.#queue.offer(resource, mono);
  }

  /** What is run for an operation. */
  #toRun(asked: Operation, resource: ResourceState): Operation {
    if (this.#looksFirst.delete(asked)) return { ...asked, action: "monitor" };
    return asStarted(asked, [...resource.history.values()], this.#interrupted.get(resource.id));
  }

  #onceDone(resource: ResourceState, result: OperationResult): void {
    const key = operationKey(result.action, 0);
    // What was known before holds still.
    if (isNotBegun(result)) resource.history.set(notBegunKey(key), result);
    else if (result.action !== "notify") {
      this.#interrupted.delete(resource.id);
      resource.history.set(key, result);
    }
    // An exit code of an agent may be just what was expected: that is the scheduler's to judge.
    const failure = result.status === OpStatus.DONE ? undefined : failureLine(result);
    if (failure !== undefined) this.#out.log("warning", "OPERATION_FAILED", failure);
    this.#out.emit({ type: "result", result });
  }

  /** Starts what may start: questions for meta-data, what was asked for once, then due recurring operations. */
  #pump(now: Now): void {
    this.#pumpMetadata(now);
    const next = this.#queue.take(
      this.#jobs.of("operation"),
      this.#load.throttle.jobs,
      this.#load.strict,
      now.mono,
    );
    for (const { resource, operation: asked, since, recurring } of next.start) {
      const operation = this.#toRun(asked, resource);
      this.#load.count(this.#jobs.size, now.mono);
      const job = this.#jobs.create(
        {
          work: { kind: "operation", operation, asked },
          procedure: procedureFor(operation, this.#config),
          queuedMs: Math.max(0, now.mono - since),
          timeoutMs: operation.timeoutMs > 0 ? operation.timeoutMs : DEFAULT_TIMEOUT_MS,
          recurring,
        },
        now,
      );
      resource.job = job;
      this.#jobs.begin(job, now);
    }
    // Some end at once, without a process, and leave their place to others.
    if (next.start.some(({ resource }) => resource.job === undefined)) this.#pump(now);
    else if (next.lookAgainAt !== undefined) this.#out.setTimer("pump:", next.lookAgainAt);
  }

  /** Questions for meta-data concern no resource; a few at a time, beside the operations. */
  #pumpMetadata(now: Now): void {
    const room = Math.max(0, this.#load.limit - this.#jobs.of("metadata").length);
    for (const { requestId, rsc, looks, since } of this.#metadata.splice(0, room)) {
      const job = this.#jobs.create(
        {
          work: { kind: "metadata", requestId, rsc },
          procedure: metadataProcedure(rsc, this.#config, looks),
          queuedMs: now.mono - since,
          timeoutMs: METADATA_TIMEOUT_MS,
          recurring: false,
        },
        now,
      );
      this.#jobs.begin(job, now);
    }
  }

  #resource(id: ResourceId): ResourceState {
    const known = this.#resources.get(id);
    if (known) return known;
    const created = newResource(id);
    this.#resources.set(id, created);
    return created;
  }

  #dropIdle(resource: ResourceState): void {
    const idle =
      resource.job === undefined &&
      resource.once.length === 0 &&
      resource.recurring.size === 0 &&
      resource.history.size === 0 &&
      resource.leftovers === 0;
    if (idle) this.#resources.delete(resource.id);
  }
}

function unfinished(state: ResourceState): Operation[] {
  const waiting = state.once.map(({ operation }) => operation);
  const { job } = state;
  return job && !job.recurring && job.work.kind === "operation" ? [job.work.asked, ...waiting] : waiting;
}

/** Under which a result is kept that says nothing of the service, beside that of the operation before. */
const notBegunKey = (key: string): string => `${key} not begun`;

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(":");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

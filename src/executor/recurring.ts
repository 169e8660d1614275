import type { Millis } from "../terms/index.ts";
import type { Now, Outbox } from "./effects.ts";
import type { Operation, OperationResult } from "./face.ts";
import type { Jobs } from "./jobs.ts";
import { firstDelay, type Queue } from "./queue.ts";
import { failureLine } from "./results.ts";
import { type Job, operationKey, type Recurring, type ResourceState } from "./state.ts";

/** Name of the timer of the next run. */
const timerOf = (resource: ResourceState, key: string) => `repeat:${key}:${resource.id}`;

/**
 * Recurring operations: an interval after each run they are due, and wait for their resource and a free job. They tell
 * their first result and then each that differs.
 */
export class RecurringOperations {
  #count = 0;

  constructor(
    private readonly queue: Queue,
    private readonly jobs: Jobs,
    private readonly out: Outbox,
  ) {}

  /** Takes a definition, or a new one in the place of another with the same action and interval. */
  define(resource: ResourceState, operation: Operation, now: Now): void {
    const key = operationKey(operation.action, operation.intervalMs);
    const existing = resource.recurring.get(key);
    if (!existing) {
      this.#add(resource, operation, now.mono);
      return;
    }
    existing.operation = operation;
    existing.tellNext = true;
    if (isRunning(resource, key)) existing.again = true;
    else this.#makeDue(resource, key, existing, now.mono);
  }

  /**
   * Takes one over from an executor before this one, with what it said last; that this is only remembered, its next
   * result ends.
   */
  resume(resource: ResourceState, operation: Operation, remembered: boolean, now: Now): void {
    const recurring = this.#add(resource, operation, now.mono);
    const known = resource.history.get(operationKey(operation.action, operation.intervalMs));
    recurring.lastRc = known?.rc;
    recurring.lastStatus = known?.status;
    recurring.tellNext = known === undefined || remembered;
    if (recurring.gridFrom === undefined || known === undefined) return;
    // Counted from the origin since its last run; when it was first given out does not matter any more.
    recurring.gridFrom = now.mono - (now.epoch - known.lastRun) * 1000;
  }

  /** The time of the next run has come. */
  due(resource: ResourceState, key: string, now: Now): void {
    const recurring = resource.recurring.get(key);
    if (recurring) this.#makeDue(resource, key, recurring, now.mono);
  }

  /** What the recurring operations of a resource said last does not count: whatever they say next is a change. */
  lookAgain(resource: ResourceState, now: Now): void {
    for (const [key, recurring] of resource.recurring) {
      recurring.lastRc = undefined;
      recurring.lastStatus = undefined;
      recurring.tellNext = true;
      // A run that is under way tells what it finds.
      if (!isRunning(resource, key)) this.#makeDue(resource, key, recurring, now.mono);
    }
  }

  /** Ends one. When it is in the middle of a run, `cancelled` is told after that; `false` if there is none. */
  cancel(resource: ResourceState, key: string, now: Now): boolean {
    const recurring = resource.recurring.get(key);
    if (!recurring) return false;
    resource.recurring.delete(key);
    resource.history.delete(key);
    this.out.clearTimer(timerOf(resource, key));
    // What waits behind the run is usually a stop.
    if (resource.job && isRunning(resource, key)) this.jobs.cancel(resource.job, now);
    else this.#emitCancelled(recurring.operation);
    return true;
  }

  cancelAll(resource: ResourceState, now: Now): void {
    for (const key of [...resource.recurring.keys()]) this.cancel(resource, key, now);
  }

  /** A run is over. */
  done(resource: ResourceState, job: Job, result: OperationResult, now: Now): void {
    const key = operationKey(result.action, result.intervalMs);
    const recurring = resource.recurring.get(key);
    // A new definition may have come since the cancellation; it is due by itself.
    if (!recurring || job.ending === "cancel") {
      this.#emitCancelled(result);
      return;
    }
    if (recurring.again) {
      // The run that was under way when the definition changed does not answer for the new one.
      recurring.again = false;
      this.#makeDue(resource, key, recurring, now.mono);
      return;
    }
    this.#report(resource, recurring, key, result);
    const wait = recurring.settled ? 1 : recurring.phase;
    recurring.settled = true;
    recurring.dueAt =
      recurring.gridFrom === undefined
        ? now.mono + Math.max(1, Math.round(result.intervalMs * wait))
        : nextOf(recurring.gridFrom, result.intervalMs, now.mono);
    this.out.setTimer(timerOf(resource, key), recurring.dueAt);
  }

  #add(resource: ResourceState, operation: Operation, mono: Millis): Recurring {
    const key = operationKey(operation.action, operation.intervalMs);
    const recurring: Recurring = {
      operation,
      due: false,
      dueAt: mono + Math.max(0, operation.startDelayMs),
      tellNext: true,
      again: false,
      lastRc: undefined,
      lastStatus: undefined,
      phase: firstDelay(this.#count++),
      gridFrom: hasOrigin(operation) ? mono + Math.max(0, operation.startDelayMs) : undefined,
      settled: false,
    };
    resource.recurring.set(key, recurring);
    if (recurring.dueAt > mono) this.out.setTimer(timerOf(resource, key), recurring.dueAt);
    else this.#makeDue(resource, key, recurring, mono);
    return recurring;
  }

  #makeDue(resource: ResourceState, key: string, recurring: Recurring, mono: Millis): void {
    this.out.clearTimer(timerOf(resource, key));
    recurring.due = true;
    recurring.dueAt = mono;
    this.queue.offer(resource, mono);
  }

  #report(resource: ResourceState, recurring: Recurring, key: string, result: OperationResult): void {
    const changed = recurring.lastRc !== result.rc || recurring.lastStatus !== result.status;
    const known = resource.history.get(key);
    const told = changed || !known ? result : { ...result, lastChange: known.lastChange };
    recurring.lastRc = result.rc;
    recurring.lastStatus = result.status;
    resource.history.set(key, told);
    const failure = changed ? failureLine(result) : undefined;
    if (failure !== undefined) this.out.log("warning", "OPERATION_FAILED", failure);
    if (!changed && !recurring.tellNext) return;
    recurring.tellNext = false;
    this.out.emit({ type: "result", result: told });
  }

  #emitCancelled({ rsc, action, intervalMs }: Pick<Operation, "rsc" | "action" | "intervalMs">): void {
    this.out.emit({ type: "cancelled", rsc: rsc.id, action, intervalMs });
  }
}

/** Runs that are counted from a point in time (`interval-origin`), of which the first is delayed to fall on one of them. */
const hasOrigin = ({ params, intervalMs }: Operation): boolean =>
  intervalMs >= 1000 && params.CRM_meta_interval_origin !== undefined;

/** The next of the times that lie whole intervals from another, later than now. */
const nextOf = (from: Millis, intervalMs: Millis, now: Millis): Millis =>
  from + (Math.floor((now - from) / intervalMs) + 1) * intervalMs;

function isRunning(resource: ResourceState, key: string): boolean {
  const { job } = resource;
  if (job?.recurring !== true || job.work.kind !== "operation") return false;
  return operationKey(job.work.operation.action, job.work.operation.intervalMs) === key;
}

import type { Millis, ResourceId } from "../terms/index.ts";
import type { Operation } from "./face.ts";
import type { Job, ResourceState } from "./state.ts";

/**
 * A job that has run for this long waits for something rather than computes: it no longer takes a place of the
 * computed limit, so that a few hanging agents do not hold up all the others.
 */
const SETTLE_MS = 1000;
const GOLDEN = 0.618_033_988_749_895;
/** Hundreds of slow agents at once are a load too, even when each only waits. */
const WAITING_FACTOR = 32;

/** What may start now. */
export interface Turn {
  readonly start: readonly {
    readonly resource: ResourceState;
    readonly operation: Operation;
    readonly since: Millis;
    readonly recurring: boolean;
  }[];
  /** When a place may become free without anything else happening. */
  readonly lookAgainAt: Millis | undefined;
}

/**
 * The share of its interval after which the n-th recurring operation runs for the second time, between 0.1 and
 * 1: a sequence of low discrepancy, so that those defined together spread evenly and stay so.
 */
export function firstDelay(n: number): number {
  return 0.1 + 0.9 * (((n + 1) * GOLDEN) % 1);
}

/** Which resources have something to run, in the order in which they came to it. */
export class Queue {
  readonly #resources: ReadonlyMap<ResourceId, ResourceState>;
  readonly #once = new Set<ResourceId>();
  readonly #recurring = new Set<ResourceId>();

  constructor(resources: ReadonlyMap<ResourceId, ResourceState>) {
    this.#resources = resources;
  }

  /** Looks whether a resource can run something, and puts it in line if so. */
  offer(resource: ResourceState, mono: Millis): void {
    const free = resource.job === undefined && resource.leftovers === 0;
    const head = resource.once[0];
    place(this.#once, resource.id, free && head !== undefined && head.notBefore <= mono);
    const due = free && head === undefined && [...resource.recurring.values()].some(({ due }) => due);
    place(this.#recurring, resource.id, due);
  }

  /** Takes out what fits under the limit, which holds for each of both kinds. */
  take(running: readonly Job[], limit: number, strict: boolean, mono: Millis): Turn {
    const start: Turn["start"][number][] = [];
    const once = running.filter((job) => !job.recurring);
    const repeats = running.filter((job) => job.recurring);
    for (const resource of this.#first(this.#once, room(once, limit, strict, mono))) {
      const waiting = resource.once.shift();
      if (waiting) {
        start.push({ resource, operation: waiting.operation, since: waiting.since, recurring: false });
      }
    }
    for (const resource of this.#first(this.#recurring, room(repeats, limit, false, mono))) {
      const earliest = [...resource.recurring.values()]
        .filter(({ due }) => due)
        .sort((a, b) => a.dueAt - b.dueAt)[0];
      if (!earliest) continue;
      earliest.due = false;
      earliest.again = false;
      start.push({ resource, operation: earliest.operation, since: earliest.dueAt, recurring: true });
    }
    return { start, lookAgainAt: this.#lookAgainAt(running, mono) };
  }

  #first(line: Set<ResourceId>, count: number): ResourceState[] {
    const taken: ResourceState[] = [];
    for (const id of line) {
      if (taken.length >= count) break;
      line.delete(id);
      const resource = this.#resources.get(id);
      if (resource) taken.push(resource);
    }
    return taken;
  }

  #lookAgainAt(running: readonly Job[], mono: Millis): Millis | undefined {
    if (this.#once.size === 0 && this.#recurring.size === 0) return undefined;
    const settling = running.map((job) => job.startedAt + SETTLE_MS).filter((at) => at > mono);
    return settling.length === 0 ? mono + SETTLE_MS : Math.min(...settling);
  }
}

function room(running: readonly Job[], limit: number, strict: boolean, mono: Millis): number {
  if (strict) return limit - running.length;
  const busy = running.filter((job) => mono - job.startedAt < SETTLE_MS).length;
  return Math.min(limit - busy, limit * WAITING_FACTOR - running.length);
}

function place(line: Set<ResourceId>, id: ResourceId, wanted: boolean): void {
  if (wanted) line.add(id);
  else line.delete(id);
}

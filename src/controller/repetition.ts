import type { GraphAction, Transition } from "../scheduler/index.ts";
import type { Millis } from "../terms/index.ts";

/** So many times the same is done within the window without a pause: then it is done for nothing. */
const FREE = 6;
const WINDOW_MS: Millis = 60_000;
const FIRST_PAUSE_MS: Millis = 1_000;
const LONGEST_PAUSE_MS: Millis = 30_000;

interface Seen {
  /** When it was begun, the last times. */
  times: Millis[];
  pause: Millis;
}

/** The same decision, again and again. */
export interface Repetition {
  readonly times: number;
  readonly withinMs: Millis;
  /** Until it may be carried out once more. */
  readonly waitMs: Millis;
  /** What is done each time. */
  readonly actions: readonly string[];
}

/** Looks change nothing; that a failure is forgotten brings the next look at it. */
const changesSomething = ({ kind, task, intervalMs }: GraphAction): boolean =>
  kind === "rsc" ? task !== "monitor" || intervalMs > 0 : kind === "crm" && task === "clear_failcount";

/**
 * Guards against transitions that repeat themselves: a service that fails as soon as it was started, a configuration that
 * contradicts itself, attributes that agents set to and fro. Each repetition costs an outage, so that they are spaced
 * out; what has to be fenced is never kept waiting.
 */
export class RepetitionGuard {
  readonly #seen = new Map<string, Seen>();

  /** Asks whether a decision may be carried out now; undefined when it may, and it is noted as carried out then. */
  ask(decision: Transition, now: Millis): Repetition | undefined {
    const actions = decision.actions
      .filter(changesSomething)
      .map(({ key, node }) => `${key} on ${node ?? "the cluster"}`);
    const urgent = decision.actions.some(({ kind, task }) => kind === "crm" && task === "stonith");
    if (actions.length === 0 || urgent) return undefined;
    for (const [key, { times }] of this.#seen)
      if ((times.at(-1) ?? 0) < now - WINDOW_MS - LONGEST_PAUSE_MS) this.#seen.delete(key);
    const key = actions.join("\n");
    const seen = this.#seen.get(key) ?? { times: [], pause: 0 };
    seen.times = seen.times.filter((at) => at >= now - WINDOW_MS);
    this.#seen.set(key, seen);
    const last = seen.times.at(-1);
    // What did not happen for a whole window is over.
    if (last === undefined) seen.pause = 0;
    else if (seen.pause === 0 && seen.times.length >= FREE) seen.pause = FIRST_PAUSE_MS;
    const waitMs = last === undefined ? 0 : last + seen.pause - now;
    if (waitMs > 0)
      return { times: seen.times.length, withinMs: now - (seen.times[0] ?? now), waitMs, actions };
    seen.times.push(now);
    if (seen.pause > 0) seen.pause = Math.min(LONGEST_PAUSE_MS, seen.pause * 2);
    return undefined;
  }
}

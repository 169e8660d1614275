import type { ThreadTimes } from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";

/**
 * How long a process has been silent although it could have spoken. Not counted is time in which whoever listens did not
 * run itself (a machine that was paused), nor time in which the process wanted to run and was given no processor: a busy
 * machine makes everything late, and to start processes anew would make it busier.
 */
export class Silence {
  #countedMs: Millis = 0;
  #lookedAt: Millis | undefined;
  #before: ThreadTimes | undefined;

  /** `everyMs`: how often `look` is called. */
  constructor(private readonly everyMs: Millis) {}

  /** A new process, or a sign of life of it. */
  heard(now: Millis): void {
    this.#countedMs = 0;
    this.#lookedAt = now;
    this.#before = undefined;
  }

  /** There was no sign of life since the last look. `times`: of the process, where they are known. @returns the silence */
  look(now: Millis, times: ThreadTimes | undefined): Millis {
    // A look that comes late says that the listener stood still: of that time a usual interval counts.
    const passed = Math.min(now - (this.#lookedAt ?? now), 2 * this.everyMs);
    this.#countedMs += ownTime(passed, this.#before, times);
    this.#lookedAt = now;
    this.#before = times;
    return this.#countedMs;
  }
}

/** The part of a time that was the process's own: it ran, or did nothing at all. */
function ownTime(passed: Millis, before: ThreadTimes | undefined, times: ThreadTimes | undefined): Millis {
  if (!before || !times) return passed;
  // The kernel adds the time that a thread has waited when it runs again: until then only what it has run is sure.
  if (times.runnable) return Math.min(passed, times.ranMs - before.ranMs);
  return Math.max(0, passed - (times.waitedMs - before.waitedMs));
}

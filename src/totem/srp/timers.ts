import type { Millis } from "../../terms/index.ts";
import type { TotemEffect, TotemTimer } from "../face.ts";

/** Timers of the driver may fire this much early (they count whole milliseconds). */
const EARLY_MS = 1;

/**
 * Deadlines that move at every token. Moving one to a later time costs the driver nothing: the timer that runs is left
 * alone, and when it fires before the deadline it is set again for the rest. So an idle or a busy ring sets one timer
 * per timeout instead of several per token.
 */
export class Timers {
  readonly #deadlines = new Map<TotemTimer, Millis>();
  readonly #running = new Map<TotemTimer, Millis>();

  /** The timer is to fire in `afterMs`, whatever was said before. */
  arm(timer: TotemTimer, now: Millis, afterMs: Millis, out: TotemEffect[]): void {
    const deadline = now + afterMs;
    this.#deadlines.set(timer, deadline);
    const running = this.#running.get(timer);
    if (running !== undefined && running <= deadline && running >= now) return;
    this.#running.set(timer, deadline);
    out.push({ type: "set-timer", timer, afterMs });
  }

  /** The timer is not to fire. */
  disarm(timer: TotemTimer): void {
    this.#deadlines.delete(timer);
  }

  /** The same where it happens seldom enough to be cheaper than a timer that fires for nothing. */
  cancel(timer: TotemTimer, out: TotemEffect[]): void {
    this.#deadlines.delete(timer);
    if (this.#running.delete(timer)) out.push({ type: "cancel-timer", timer });
  }

  /** Whether a deadline is set. */
  armed(timer: TotemTimer): boolean {
    return this.#deadlines.has(timer);
  }

  /** When it is due, if armed. */
  deadline(timer: TotemTimer): Millis | undefined {
    return this.#deadlines.get(timer);
  }

  /** The driver's timer fired: whether the deadline has come. Sets the timer again when it lies ahead. */
  fired(timer: TotemTimer, now: Millis, out: TotemEffect[]): boolean {
    this.#running.delete(timer);
    const deadline = this.#deadlines.get(timer);
    if (deadline === undefined) return false;
    if (now + EARLY_MS <= deadline) {
      this.#running.set(timer, deadline);
      out.push({ type: "set-timer", timer, afterMs: deadline - now });
      return false;
    }
    this.#deadlines.delete(timer);
    return true;
  }

  /** Nothing is to fire any more. */
  stop(out: TotemEffect[]): void {
    for (const timer of this.#running.keys()) out.push({ type: "cancel-timer", timer });
    this.#running.clear();
    this.#deadlines.clear();
  }
}

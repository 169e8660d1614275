import type { ControllerTimer } from "../controller/index.ts";
import { LONGEST_TIMER_MS } from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";

/** The controller's timers on the real clock. */
export class ManagerTimers {
  readonly #timers = new Map<ControllerTimer, ReturnType<typeof setTimeout>>();

  constructor(private readonly fired: (timer: ControllerTimer) => void) {}

  set(timer: ControllerTimer, afterMs: Millis): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.set(
      timer,
      setTimeout(
        () => {
          this.#timers.delete(timer);
          this.fired(timer);
        },
        Math.min(afterMs, LONGEST_TIMER_MS),
      ),
    );
  }

  cancel(timer: ControllerTimer): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.delete(timer);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

import type { ControllerTimer } from "../controller/index.ts";
import type { Millis } from "../terms/index.ts";

/** Longest time that a timer of the engine can wait. */
const longestMs: Millis = 2_147_483_647;

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
        Math.min(afterMs, longestMs),
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

import { LONGEST_TIMER_MS } from "../platform/index.ts";
import { CrmExit, HactlError, type Millis } from "../terms/index.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Requests whose answers come later. Each is answered once: at the latest when its time is over. */
export class PendingReplies<Id> {
  readonly #waiting = new Map<Id, Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Settles with the answer to a request. `what` says what is waited for. */
  wait(id: Id, what: string, patienceMs: Millis): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.reject(id, tooLate(what)), Math.min(patienceMs, LONGEST_TIMER_MS));
      this.#waiting.set(id, { resolve, reject, timer });
    });
  }

  resolve(id: Id, value: unknown): void {
    this.#take(id)?.resolve(value);
  }

  reject(id: Id, error: Error): void {
    this.#take(id)?.reject(error);
  }

  #take(id: Id): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}

const tooLate = (what: string): HactlError =>
  new HactlError({
    code: "NO_ANSWER",
    what: `no answer came in time: ${what}; it may still be done`,
    cure: "the cluster may be settling its membership; look at 'hactl status' and ask again",
    exit: CrmExit.TIMEOUT,
  });

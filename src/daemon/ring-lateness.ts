import type { Millis } from "../terms/index.ts";

/** Buckets per doubling: a reading is right within a sixth. */
const perDoubling = 4;
/** Upper end of the first bucket. */
const smallest: Millis = 0.0625;
const bucketCount = 80;

/** How late timers fire, as a histogram of constant size: the one number that says whether the machine lets the ring run. */
export class Lateness {
  readonly #buckets = new Uint32Array(bucketCount);
  #count = 0;
  #worst: Millis = 0;

  /** A timer fired so much after it was due. */
  note(lateMs: Millis): void {
    const bucket = Math.ceil(Math.log2(Math.max(lateMs, smallest) / smallest) * perDoubling);
    const at = Math.min(bucketCount - 1, bucket);
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
    this.#count++;
    if (lateMs > this.#worst) this.#worst = lateMs;
  }

  /** Timers so far, the lateness that so many of a thousand do not exceed, and the worst. */
  summary(): TimerLateness {
    return { timers: this.#count, p99: this.#within(0.99), p999: this.#within(0.999), worst: this.#worst };
  }

  #within(share: number): Millis {
    let rest = this.#count * share;
    for (const [at, count] of this.#buckets.entries()) {
      rest -= count;
      if (rest <= 0) return Math.min(this.#worst, smallest * 2 ** (at / perDoubling));
    }
    return this.#worst;
  }
}

/** For `hactl ring status`, in milliseconds. */
export interface TimerLateness {
  readonly timers: number;
  readonly p99: Millis;
  readonly p999: Millis;
  readonly worst: Millis;
}

import type { Millis } from "../terms/index.ts";

/** Datagrams with one counter that may fail to open: a copy with another body costs no more than so many decryptions. */
const FAILURES = 4;
const SLOTS = 4096;

/**
 * How often datagrams with a counter did not open. Only headers with the right stamp come this far, and those are copies of
 * what was really sent: so the work is bounded by that, however many copies come.
 */
export class Failures {
  private readonly counters = new Float64Array(SLOTS);
  private readonly times = new Uint8Array(SLOTS);

  /** Whether one more is to be tried. */
  mayTry(counter: number): boolean {
    const slot = counter % SLOTS;
    return this.counters[slot] !== counter || (this.times[slot] ?? 0) < FAILURES;
  }

  /** A datagram with this counter did not open. */
  note(counter: number): void {
    const slot = counter % SLOTS;
    if (this.counters[slot] !== counter) {
      this.counters[slot] = counter;
      this.times[slot] = 0;
    }
    this.times[slot] = (this.times[slot] ?? 0) + 1;
  }
}

/** So many incarnations are told apart: one that somebody plays from a recording does not use up what another may. */
const BUCKETS = 8;
/** Keys of unknown incarnations that are derived in a second, in each bucket. */
const DERIVATIONS = 25;
/** Datagrams of incarnations without a proof that are opened in a second. */
const UNPROVEN = 1000;
const SECOND: Millis = 1000;

/** What the datagrams of one sender may cost as long as they are of no incarnation that has proved to be alive. */
export class UnprovenBudget {
  private since: Millis = Number.NEGATIVE_INFINITY;
  private opened = 0;
  private readonly derived = new Uint16Array(BUCKETS);

  /** Whether one more may be opened now; `derive`: its key has to be derived for it. Counts it when it may. */
  take(low: number, derive: boolean, now: Millis): boolean {
    if (now - this.since >= SECOND || now < this.since) {
      this.since = now;
      this.opened = 0;
      this.derived.fill(0);
    }
    const bucket = low % BUCKETS;
    if (this.opened >= UNPROVEN || (derive && (this.derived[bucket] ?? 0) >= DERIVATIONS)) return false;
    this.opened += 1;
    if (derive) this.derived[bucket] = (this.derived[bucket] ?? 0) + 1;
    return true;
  }
}

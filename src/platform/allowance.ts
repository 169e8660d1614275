import type { Millis } from "../terms/index.ts";

/** How much of this process's time somebody may take: always a share of it, and for once more at a time. */
export interface AllowanceLimits {
  /** Part of one core, over any long time. */
  readonly share: number;
  /** Work that is done at once when nothing was asked for a while. */
  readonly burstMs: Millis;
}

/** Whoever asked for far too much is heard again after so long. */
const LONGEST_MEMORY_MS: Millis = 60_000;
/** Work that a byte costs that somebody sends or is sent: it is read, parsed, kept and told on. */
const MS_PER_BYTE = 1 / 20_000;

/**
 * What somebody outside costs, counted in milliseconds of work: who has used up what is his is not heard until it has come
 * back. Nothing is refused; the connection is not read, so that the other side has to wait.
 */
export class Allowance {
  #used: Millis = 0;
  #at: Millis;

  constructor(
    private readonly limits: AllowanceLimits,
    private readonly now: () => Millis,
  ) {
    this.#at = now();
  }

  /** Notes work that was done, or is about to be. */
  charge(workMs: Millis, bytes = 0): void {
    this.#settle();
    const most = this.limits.burstMs + this.limits.share * LONGEST_MEMORY_MS;
    this.#used = Math.min(most, this.#used + workMs + bytes * MS_PER_BYTE);
  }

  /** How long not to hear; 0 when there is something left. */
  get waitMs(): Millis {
    this.#settle();
    return Math.max(0, Math.ceil((this.#used - this.limits.burstMs) / this.limits.share));
  }

  /** Everything has come back: whoever it was for can be forgotten. */
  get whole(): boolean {
    this.#settle();
    return this.#used === 0;
  }

  #settle(): void {
    const now = this.now();
    this.#used = Math.max(0, this.#used - (now - this.#at) * this.limits.share);
    this.#at = now;
  }
}

import type { Millis } from "../terms/index.ts";

/** In this time so many datagrams of somebody without the key are a flood: each costs about 8 µs to be received. */
const WINDOW_MS: Millis = 100;
const MANY = 200;
/** How long the kernel refuses them before it is tried whether the flood goes on, at first and at most. */
const SHORTEST_MS: Millis = 10_000;
const LONGEST_MS: Millis = 80_000;

export type FloodChange = "begins" | "again" | "pause" | "ends";

/**
 * Notices when datagrams of somebody without the key come in such numbers that the kernel has to refuse them. In peace it
 * refuses nothing, so that a host with another key or version shows. What it refuses isn't seen: from time to time
 * all is let through again for the moment that it takes to notice.
 */
export class Flood {
  private since: Millis = Number.NEGATIVE_INFINITY;
  private count = 0;
  private lasts: Millis = SHORTEST_MS;
  /** Until when the kernel refuses; then, until when a flood counts as the same one. */
  private until: Millis | undefined;
  private quietUntil: Millis | undefined;

  /** Whether the kernel refuses them now. */
  get refusing(): boolean {
    return this.until !== undefined;
  }

  /** One came. Says when the kernel has to refuse them from now on. */
  note(now: Millis): "begins" | "again" | undefined {
    if (now - this.since >= WINDOW_MS) {
      this.since = now;
      this.count = 0;
    }
    this.count += 1;
    if (this.refusing || this.count < MANY) return undefined;
    const again = this.quietUntil !== undefined;
    this.lasts = again ? Math.min(LONGEST_MS, this.lasts * 2) : SHORTEST_MS;
    this.until = now + this.lasts;
    this.quietUntil = undefined;
    return again ? "again" : "begins";
  }

  /** Time has passed: says when the kernel may let all through again, and when it has been quiet since. */
  pass(now: Millis): "pause" | "ends" | undefined {
    if (this.until !== undefined && now >= this.until) {
      this.until = undefined;
      this.quietUntil = now + SHORTEST_MS;
      this.count = 0;
      return "pause";
    }
    if (this.quietUntil === undefined || now < this.quietUntil) return undefined;
    this.quietUntil = undefined;
    return "ends";
  }
}

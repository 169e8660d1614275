import type { Millis } from "../terms/index.ts";

/** Lines in a minute; whatever else is turned away is only counted. */
const MOST = 20;
const MINUTE: Millis = 60_000;

/**
 * Who was turned away at a port. Anybody can send there, so anybody could fill the log: an address is told once a
 * minute with each reason, all together at most 20 times, and the next line tells how many were left out.
 */
export class TurnedAway {
  readonly #told = new Set<string>();
  #since: Millis = Number.NEGATIVE_INFINITY;
  #left = 0;

  constructor(
    private readonly tell: (reason: string, address: string) => void,
    private readonly now: () => Millis,
  ) {}

  /** @param kind of one kind an address is told once a minute, whatever the words */
  note(from: string, reason: string, kind = reason): void {
    // Also of a clock that was set back.
    if (Math.abs(this.now() - this.#since) >= MINUTE) {
      this.#told.clear();
      this.#since = this.now();
    }
    // Each connection has a port of its own.
    const address = from.replace(/:\d+$/, "");
    const key = `${address} ${kind}`;
    if (this.#told.has(key) || this.#told.size >= MOST) {
      this.#left++;
      return;
    }
    this.#told.add(key);
    const others =
      this.#left === 0 ? "" : ` (${this.#left} others were turned away since the last such line)`;
    this.#left = 0;
    this.tell(`${reason}${others}`, address);
  }
}

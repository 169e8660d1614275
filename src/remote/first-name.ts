import type { Millis } from "../terms/index.ts";

/** So long after the last connection a host may be looked for under another name. */
const FREE_AFTER_MS: Millis = 60_000;

/**
 * Which remote node a host is that has the whole key and was not told its name: the one that the first manager looks for,
 * as long as it is in use. Connection resources are often called otherwise than the host; but once it is known which one
 * this is, the connection for another that is led here is not taken.
 */
export class FirstName {
  #name: string | undefined;
  #open = 0;
  #closedAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(private readonly now: () => Millis) {}

  /** The name that it has now. */
  get name(): string | undefined {
    const unused = this.#open === 0 && this.now() - this.#closedAt >= FREE_AFTER_MS;
    return unused ? undefined : this.#name;
  }

  /** Whether a manager that has proved itself may look for this name here. */
  accepts(name: string): boolean {
    return this.name === undefined || this.name === name;
  }

  /** A connection for this name is there. */
  opened(name: string): void {
    this.#name = name;
    this.#open++;
  }

  closed(): void {
    this.#open--;
    this.#closedAt = this.now();
  }
}

import type { NodeName } from "../terms/index.ts";

/** A fencing that is asked for: what is known of its target then may end at any moment. */
export interface KnownFencing {
  readonly op: string;
  readonly target: NodeName;
  /** Number of the last order to a device; 0 before the first. */
  readonly attempt: number;
  /** The target has come back since, and tells what runs there: the end of it concerns the life before. */
  readonly outlived: boolean;
}

/** Fencings that run, all members alike, by the name of their request. */
export class Fencings {
  #known: Map<string, KnownFencing> = new Map();

  constructor(known: readonly KnownFencing[] = []) {
    this.#known = new Map(known.map((one) => [one.op, one]));
  }

  asked(op: string, target: NodeName): void {
    if (!this.#known.has(op)) this.#put({ op, target, attempt: 0, outlived: false });
  }

  /** A device is told to switch the target off. An order that is given once more goes on with what it has begun. */
  ordered(op: string, target: NodeName, attempt: number): void {
    if (attempt > (this.#known.get(op)?.attempt ?? 0)) this.#put({ op, target, attempt, outlived: false });
  }

  /** A node has come. */
  outlived(target: NodeName): void {
    for (const one of [...this.#known.values()])
      if (one.target === target) this.#put({ ...one, outlived: true });
  }

  /**
   * A fencing has ended. Says whether its target has come back since it was ordered. Requests for the same that were never
   * ordered by themselves have ended with it.
   */
  ended(op: string, target: NodeName): boolean {
    const outlived = this.#known.get(op)?.outlived ?? false;
    const rest = [...this.#known.values()].filter(
      (one) => one.op !== op && (one.target !== target || one.attempt > 0),
    );
    this.#known = new Map(rest.map((one) => [one.op, one]));
    return outlived;
  }

  all(): readonly KnownFencing[] {
    return [...this.#known.values()];
  }

  #put(fencing: KnownFencing): void {
    this.#known.set(fencing.op, fencing);
  }
}

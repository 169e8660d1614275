import type { EpochSeconds, NodeId, NodeName } from "../terms/index.ts";

/** Private attribute of a node: which clocks are ahead of its own, in words. */
export const CLOCK_ATTRIBUTE = "#clock";

/** Less is nobody's business: rules with dates and the order of logs suffer from more. */
const remarkableSeconds = 5;

/**
 * Compares the times that others write into their messages with this node's own. A message may be late, never early: one
 * from the future proves that the clocks differ. Of two nodes the one that is behind sees it.
 */
export class ClockWatch {
  readonly #ahead = new Map<NodeId, number>();

  /** Whose clock is ahead, in words; undefined where none is. */
  text(nameOf: (node: NodeId) => NodeName): string | undefined {
    if (this.#ahead.size === 0) return undefined;
    return [...this.#ahead]
      .sort(([a], [b]) => a - b)
      .map(([node, seconds]) => `that of ${nameOf(node)} is ${seconds} s ahead`)
      .join(", ");
  }

  /** By how many seconds a node's clock is known to be ahead of this node's own; 0 where that is nobody's business. */
  aheadOf(node: NodeId): number {
    return this.#ahead.get(node) ?? 0;
  }

  /** A message was written at `at` and came at `now`. Answers whether something else holds since. */
  heard(node: NodeId, at: EpochSeconds, now: EpochSeconds): boolean {
    const ahead = at - now;
    const known = this.#ahead.get(node);
    if (ahead < remarkableSeconds) return this.#ahead.delete(node);
    // What differs a little more or less is the same.
    if (known !== undefined && Math.abs(known - ahead) < remarkableSeconds) return false;
    this.#ahead.set(node, Math.round(ahead));
    return true;
  }

  /** A node has gone. Answers whether something else holds since. */
  gone(present: ReadonlySet<NodeId>): boolean {
    let changed = false;
    for (const node of [...this.#ahead.keys()])
      if (!present.has(node)) changed = this.#ahead.delete(node) || changed;
    return changed;
  }
}

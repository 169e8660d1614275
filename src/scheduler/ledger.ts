import { addScores, INFINITY, nodeName } from "../terms/index.ts";
import type { Cause, Reason } from "./face.ts";
import type { Cluster, Node, Resource, ScoreBooks } from "./model.ts";

interface Entry {
  readonly cause: Cause;
  /** What was added. */
  readonly score: number;
  /** The sum so far, this included. */
  readonly sum: number;
}

/**
 * The books over the scores of places: what was added to each, and why, written down while the decision is taken. The
 * entries of a place always add up to its score. What is tried and taken back is struck out.
 */
export class Ledger implements ScoreBooks {
  readonly #books = new Map<Resource, Map<Node, Entry[]>>();

  /**
   * Notes what has changed since the last time, for a resource and all in it, as due to a cause. `meant` is what was to
   * be added to a place: where that changes nothing, since the place is excluded already, it is a reason all the same.
   */
  note(rsc: Resource, cause: Cause | ((node: Node) => Cause), meant: (node: Node) => number): void {
    for (const part of partsOf(rsc)) this.note(part, cause, meant);
    for (const { node, score } of rsc.allowed.values()) {
      const entries = this.#entries(rsc, node);
      const before = entries.at(-1)?.sum ?? 0;
      const vain = score <= -INFINITY && score === before ? meant(node) : 0;
      if (vain <= -INFINITY) entries.push({ cause: textOf(cause, node), score: vain, sum: score });
      if (score === before) continue;
      const added = difference(before, score);
      // What no sum can bring about sets the score anew.
      if (added === undefined) entries.length = 0;
      entries.push({ cause: textOf(cause, node), score: added ?? score, sum: score });
    }
  }

  /** A resource, and all in it, is as it was before: strikes out what was noted since. */
  strike(rsc: Resource): void {
    for (const part of partsOf(rsc)) this.strike(part);
    for (const { node, score } of rsc.allowed.values()) {
      const entries = this.#entries(rsc, node);
      while (entries.length > 0 && entries.at(-1)?.sum !== score) entries.pop();
    }
  }

  /** What makes up the scores, as reasons, by resource and node. */
  reasons(): Reason[] {
    return [...this.#books].flatMap(([rsc, places]) =>
      [...places].flatMap(([node, entries]) =>
        entries.map(({ cause, score }) => ({ rsc: rsc.id, node: nodeName(node.name), score, ...cause })),
      ),
    );
  }

  #entries(rsc: Resource, node: Node): Entry[] {
    const places = this.#books.get(rsc) ?? new Map<Node, Entry[]>();
    this.#books.set(rsc, places);
    const entries = places.get(node) ?? [];
    places.set(node, entries);
    return entries;
  }
}

/** What is in a resource: members, instances, or what the replicas of a bundle consist of. */
function partsOf(rsc: Resource): readonly Resource[] {
  if (!rsc.bundle) return rsc.children;
  const { clone, replicas } = rsc.bundle;
  const parts = replicas.flatMap(({ container, ip, remote }) => [container, ip, remote]);
  return [clone, ...parts].filter((part) => part !== undefined);
}

/** What must be added to `before` for `after`; undefined when nothing can. */
function difference(before: number, after: number): number | undefined {
  const added = Math.abs(after) >= INFINITY ? after : after - before;
  return addScores(before, added) === after ? added : undefined;
}

const textOf = (cause: Cause | ((node: Node) => Cause), node: Node): Cause =>
  typeof cause === "function" ? cause(node) : cause;

/** Notes a change of scores where books are kept. */
export function noteScores(
  cluster: Cluster,
  rsc: Resource,
  cause: Cause | ((node: Node) => Cause),
  meant: (node: Node) => number = () => 0,
): void {
  cluster.ledger?.note(rsc, cause, meant);
}

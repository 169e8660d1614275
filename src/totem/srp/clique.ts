import type { NodeId } from "../../terms/index.ts";

/** Whether two nodes can be in one ring. Symmetric; not asked for a node and itself. */
export type Edge = (a: NodeId, b: NodeId) => boolean;

/** Steps after which the search goes on greedily, so that a strange graph cannot keep a node from its token. */
const BUDGET = 2000;

/** Whether ring `a` is to be preferred to `b`: more members, then the lower ids. Both ascending. */
export function better(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  if (a.length !== b.length) return a.length > b.length;
  for (const [index, id] of a.entries()) {
    const other = b[index];
    if (other !== undefined && id !== other) return id < other;
  }
  return false;
}

/**
 * The best set of nodes that contains `self`, is drawn from `nodes`, and in which every pair has an edge. Every node
 * that knows the same edges finds the same best set, and the best set of all is the best for each of its members.
 * Ascending.
 */
export function bestClique(self: NodeId, nodes: Iterable<NodeId>, edge: Edge): NodeId[] {
  const others = [...new Set(nodes)].filter((id) => id !== self && edge(self, id));
  const ids = [...others, self].sort((a, b) => a - b);
  return new Search(ids, edge).best();
}

/** Works on indices into the sorted ids; whether two miss each other is looked up in a table. */
class Search {
  readonly #ids: readonly NodeId[];
  readonly #misses: Uint8Array;
  #steps = 0;
  #best: readonly NodeId[] = [];

  constructor(ids: readonly NodeId[], edge: Edge) {
    this.#ids = ids;
    const size = ids.length;
    this.#misses = new Uint8Array(size * size);
    for (const [row, a] of ids.entries()) {
      for (const [column, b] of ids.entries()) {
        if (row < column && !edge(a, b)) {
          this.#misses[row * size + column] = 1;
          this.#misses[column * size + row] = 1;
        }
      }
    }
  }

  best(): NodeId[] {
    this.#visit(this.#ids.map((_, index) => index));
    return [...this.#best];
  }

  /** Splits at the node that fits the fewest others: without it, or without all that it does not fit. */
  #visit(nodes: readonly number[]): void {
    if (nodes.length < this.#best.length) return;
    this.#steps++;
    const misfit = this.#misfit(nodes);
    if (misfit === undefined) {
      const found = nodes.flatMap((index) => this.#ids[index] ?? []);
      if (better(found, this.#best)) this.#best = found;
      return;
    }
    if (this.#steps > BUDGET && this.#best.length > 0) return;
    this.#visit(nodes.filter((index) => index !== misfit));
    if (this.#steps <= BUDGET)
      this.#visit(nodes.filter((index) => !this.#misses[misfit * this.#ids.length + index]));
  }

  /** Of those that miss most others the last; never the node itself, which misses nobody. */
  #misfit(nodes: readonly number[]): number | undefined {
    const size = this.#ids.length;
    let worst: number | undefined;
    let most = 1;
    for (const row of nodes) {
      let count = 0;
      for (const column of nodes) count += this.#misses[row * size + column] ?? 0;
      if (count < most) continue;
      most = count;
      worst = row;
    }
    return worst;
  }
}

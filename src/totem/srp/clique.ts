import type { NodeId } from "../../terms/index.ts";

/** Whether two nodes can be in one ring. Symmetric; not asked for a node and itself. */
export type Edge = (a: NodeId, b: NodeId) => boolean;

/** Steps after which the search goes on greedily, so that a strange graph cannot keep a node from its token. */
const BUDGET = 4000;

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
  const candidates = [...new Set(nodes)].filter((id) => id !== self && edge(self, id));
  const start = [...candidates, self].sort((a, b) => a - b);
  return new Search(self, edge).best(start);
}

class Search {
  readonly #self: NodeId;
  readonly #edge: Edge;
  #steps = 0;
  #best: readonly NodeId[] = [];

  constructor(self: NodeId, edge: Edge) {
    this.#self = self;
    this.#edge = edge;
  }

  best(start: readonly NodeId[]): NodeId[] {
    this.#visit(start);
    return [...this.#best];
  }

  /** Splits at the node that fits the fewest others: without it, or without all that it does not fit. */
  #visit(nodes: readonly NodeId[]): void {
    if (nodes.length < this.#best.length) return;
    this.#steps++;
    const misfit = this.#misfit(nodes);
    if (misfit === undefined) {
      if (better(nodes, this.#best)) this.#best = nodes;
      return;
    }
    const without = nodes.filter((id) => id !== misfit);
    if (this.#steps > BUDGET && this.#best.length > 0) return;
    this.#visit(without);
    if (this.#steps <= BUDGET) this.#visit(nodes.filter((id) => id === misfit || this.#edge(id, misfit)));
  }

  #misfit(nodes: readonly NodeId[]): NodeId | undefined {
    let worst: NodeId | undefined;
    let most = 0;
    for (const id of nodes) {
      if (id === this.#self) continue;
      let misses = 0;
      for (const other of nodes) if (other !== id && !this.#edge(id, other)) misses++;
      if (misses >= most && misses > 0) {
        most = misses;
        worst = id;
      }
    }
    return worst;
  }
}

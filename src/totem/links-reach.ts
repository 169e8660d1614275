import type { NodeId } from "../terms/index.ts";

/** Above this number of nodes the largest clique is looked for greedily. */
const EXACT_LIMIT = 40;

/**
 * Splits nodes into groups in which everybody hears everybody, so that every node that knows the same facts
 * computes the same groups: the largest group first, among equals the one with the lowest ids.
 * `hears` must be symmetric; a node that is not a key hears nobody.
 */
export function cliques(hears: ReadonlyMap<NodeId, ReadonlySet<NodeId>>): NodeId[][] {
  const rest = new Set([...hears.keys()].sort((a, b) => a - b));
  const groups: NodeId[][] = [];
  while (rest.size > 0) {
    const nodes = [...rest];
    const group = nodes.length <= EXACT_LIMIT ? largestClique(nodes, hears) : greedyClique(nodes, hears);
    groups.push(group);
    for (const node of group) rest.delete(node);
  }
  return groups;
}

/** Branch and bound over nodes in ascending order: the first of the largest found is the lowest of them. */
function largestClique(nodes: readonly NodeId[], hears: ReadonlyMap<NodeId, ReadonlySet<NodeId>>): NodeId[] {
  let best: NodeId[] = [];
  const grow = (clique: NodeId[], candidates: readonly NodeId[]): void => {
    if (clique.length + candidates.length <= best.length) return;
    if (candidates.length === 0) {
      best = clique;
      return;
    }
    for (let at = 0; at < candidates.length; at++) {
      if (clique.length + candidates.length - at <= best.length) return;
      const node = candidates[at] as NodeId;
      const neighbours = hears.get(node);
      const left = candidates.slice(at + 1).filter((other) => neighbours?.has(other));
      grow([...clique, node], left);
    }
  };
  grow([], nodes);
  return best;
}

function greedyClique(nodes: readonly NodeId[], hears: ReadonlyMap<NodeId, ReadonlySet<NodeId>>): NodeId[] {
  const degree = (node: NodeId) => hears.get(node)?.size ?? 0;
  const order = [...nodes].sort((a, b) => degree(b) - degree(a) || a - b);
  const clique: NodeId[] = [];
  for (const node of order) {
    if (clique.every((other) => hears.get(node)?.has(other))) clique.push(node);
  }
  return clique.sort((a, b) => a - b);
}

/** What one node says: whom it hears both ways, and what those nodes said that differs from its own view. */
export interface HearingReport {
  readonly hears: readonly NodeId[];
  readonly others: ReadonlyMap<NodeId, readonly NodeId[]>;
}

/**
 * Whom every node hears, as far as one node knows: its own observation, the reports of those that it hears, and
 * what these relay. From it follows the group of nodes that this node forms rings with: nodes that all hear each
 * other both ways. A node that only some of the others hear would make the membership change for ever
 * (corosync issue #750).
 */
export class Hearing {
  private readonly self: NodeId;
  private own: ReadonlySet<NodeId> = new Set();
  private readonly reports = new Map<NodeId, HearingReport>();

  constructor(self: NodeId) {
    this.self = self;
  }

  /** Sets whom this node hears. */
  setOwn(hears: ReadonlySet<NodeId>): void {
    this.own = hears;
    for (const node of this.reports.keys()) if (!hears.has(node)) this.reports.delete(node);
  }

  /** Takes a report. Returns whether it says something new. */
  report(from: NodeId, report: HearingReport): boolean {
    const before = this.reports.get(from);
    if (before && sameReport(before, report)) return false;
    this.reports.set(from, report);
    return true;
  }

  /** The report that this node gives: rows equal to its own view are left out. */
  ownReport(): HearingReport {
    const view = new Set([this.self, ...this.own]);
    const others = new Map<NodeId, readonly NodeId[]>();
    for (const node of [...this.own].sort((a, b) => a - b)) {
      const row = this.reports.get(node);
      if (!row) continue;
      const same = row.hears.length + 1 === view.size && row.hears.every((other) => view.has(other));
      if (!same) others.set(node, row.hears);
    }
    return { hears: [...this.own].sort((a, b) => a - b), others };
  }

  /** The rows as known: node to those that it says it hears. */
  rows(): Map<NodeId, readonly NodeId[]> {
    const rows = new Map<NodeId, readonly NodeId[]>();
    rows.set(this.self, [...this.own]);
    for (const node of this.own) {
      const row = this.reports.get(node);
      if (row) rows.set(node, row.hears);
    }
    for (const relay of [...this.own].sort((a, b) => a - b)) {
      const report = this.reports.get(relay);
      if (!report) continue;
      for (const [node, row] of report.others) if (!rows.has(node)) rows.set(node, row);
      const closed = [relay, ...report.hears];
      for (const node of report.hears) {
        if (!rows.has(node)) {
          rows.set(
            node,
            closed.filter((other) => other !== node),
          );
        }
      }
    }
    return rows;
  }

  /** The nodes that this node may form a ring with, itself included, ascending. */
  group(): NodeId[] {
    if (this.isComplete()) return [this.self, ...this.own].sort((a, b) => a - b);
    const rows = this.rows();
    const claims = new Map([...rows].map(([node, row]) => [node, new Set(row)]));
    const nodes = new Set<NodeId>([...rows.keys(), ...[...rows.values()].flat()]);
    const edges = new Map<NodeId, Set<NodeId>>();
    for (const node of nodes) {
      const heard = new Set<NodeId>();
      for (const other of nodes) {
        if (other === node) continue;
        // Whoever has not spoken yet is taken to hear those that hear it.
        const forth = claims.get(node)?.has(other) ?? true;
        const back = claims.get(other)?.has(node) ?? true;
        if (forth && back && (claims.has(node) || claims.has(other))) heard.add(other);
      }
      edges.set(node, heard);
    }
    return cliques(edges).find((group) => group.includes(this.self)) ?? [this.self];
  }

  private isComplete(): boolean {
    const size = this.own.size;
    for (const node of this.own) {
      const report = this.reports.get(node);
      if (!report) continue;
      if (report.others.size > 0 || report.hears.length !== size) return false;
      for (const other of report.hears) if (other !== this.self && !this.own.has(other)) return false;
    }
    return true;
  }
}

function sameReport(a: HearingReport, b: HearingReport): boolean {
  const same = (x: readonly NodeId[], y: readonly NodeId[]) =>
    x.length === y.length && x.every((node, at) => node === y[at]);
  if (!same(a.hears, b.hears) || a.others.size !== b.others.size) return false;
  for (const [node, row] of a.others) {
    const other = b.others.get(node);
    if (!other || !same(row, other)) return false;
  }
  return true;
}

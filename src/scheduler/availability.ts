import { INFINITY } from "../terms/index.ts";
import { Role } from "./flags.ts";
import type { Places } from "./methods.ts";
import type { Cluster, Node, NodeScore, Resource } from "./model.ts";

/** Whether a node can run anything at all. */
export const nodeUsable = (node: Node): boolean =>
  node.online && !node.shutdown && !node.unclean && !node.standby && !node.maintenance;

/** Whether an entry is a usable node that is not excluded. */
export const placeUsable = (place: NodeScore | undefined): boolean =>
  place !== undefined && place.score >= 0 && nodeUsable(place.node);

/** Whether any node of a list can be used. */
export function anyUsable(places: Places): boolean {
  for (const place of places.values()) if (place.score >= 0 && nodeUsable(place.node)) return true;
  return false;
}

/** The best of the nodes where it is active: one that is up, if possible the one a migration came from. */
export function currentNode(rsc: Resource): Node | undefined {
  return activeNode(rsc).node;
}

export interface ActiveNode {
  readonly node: Node | undefined;
  /** All nodes where it is active, and those of them that are up and clean. */
  readonly all: number;
  readonly clean: number;
}

/**
 * Where a resource is active, and on how many nodes. Of several, the source of a migration under way counts; else
 * a node that is up when the resource does not need fencing first; else the first.
 */
export function activeNode(rsc: Resource): ActiveNode {
  const good = (node: Node) => node.online && !node.unclean;
  const all = rsc.runningOn;
  const clean = all.filter(good);
  let node = all[0];
  if (rsc.partialMigrationSource && all.includes(rsc.partialMigrationSource))
    node = rsc.partialMigrationSource;
  else if (!rsc.partialMigrationSource && !rsc.needsFencing) node = clean[0] ?? node;
  return { node, all: all.length, clean: clean.length };
}

/** Nodes of a resource and its parts: where they are (`current`) or will be. */
export function locations(rsc: Resource, current: boolean): Node[] {
  const result: Node[] = [];
  const visit = (part: Resource) => {
    if (part.children.length > 0) {
      for (const inner of part.children) visit(inner);
      return;
    }
    const nodes = current ? part.runningOn : part.assignedTo ? [part.assignedTo] : [];
    for (const node of nodes) if (!result.includes(node)) result.push(node);
  };
  visit(rsc);
  return result;
}

/** The one node of a resource, if it is one. */
export function soleLocation(rsc: Resource, current: boolean): Node | undefined {
  if (rsc.isPrimitive) {
    if (!current) return rsc.assignedTo;
    return rsc.runningOn.length === 1 ? rsc.runningOn[0] : undefined;
  }
  const nodes = locations(rsc, current);
  return nodes.length === 1 ? nodes[0] : undefined;
}

/** Role that it has, or will have; the highest of its parts. */
export function roleOf(rsc: Resource, current: boolean): Role {
  if (rsc.isPrimitive) return current ? rsc.role : rsc.nextRole;
  if (rsc.isBundle) {
    let highest: Role = Role.Unknown;
    for (const { container } of rsc.bundle?.replicas ?? []) {
      const role = roleOf(container, current);
      if (role > highest) highest = role;
    }
    return highest;
  }
  let highest: Role = Role.Unknown;
  for (const part of rsc.children) {
    const role = roleOf(part, current);
    if (role > highest) highest = role;
  }
  return highest;
}

/**
 * Order of preference among nodes: score, then free capacity (`balanced`), then fewer resources, then the node
 * where it is active, then the name.
 */
export function compareNodes(
  cluster: Cluster,
  a: { readonly node: Node; readonly score: number },
  b: { readonly node: Node; readonly score: number },
  active: Node | undefined,
): number {
  const scoreA = nodeUsable(a.node) ? a.score : -INFINITY;
  const scoreB = nodeUsable(b.node) ? b.score : -INFINITY;
  if (scoreA !== scoreB) return scoreB - scoreA;
  const { placementStrategy } = cluster.options;
  if (placementStrategy !== "minimal") {
    if (placementStrategy === "balanced") {
      const free = compareCapacity(a.node, b.node);
      if (free !== 0) return free;
    }
    const count = a.node.assigned.length - b.node.assigned.length;
    if (count !== 0) return count;
    if (active === a.node) return -1;
    if (active === b.node) return 1;
  }
  return a.node.name < b.node.name ? -1 : a.node.name > b.node.name ? 1 : 0;
}

/** Negative when `a` has more room: one for every attribute of which a node has more than the other. */
export function compareCapacity(a: Node, b: Node): number {
  let sum = 0;
  for (const [name, free] of a.utilization) {
    const other = b.utilization.get(name) ?? 0;
    if (free > other) sum--;
    else if (free < other) sum++;
  }
  for (const [name, free] of b.utilization) {
    if (a.utilization.has(name)) continue;
    if (free > 0) sum++;
    else if (free < 0) sum--;
  }
  return sum;
}

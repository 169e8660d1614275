import { INFINITY } from "../terms/index.ts";
import { compareCapacity, placeUsable } from "./availability.ts";
import {
  colocationAffects,
  countedColocations,
  thisWithColocations,
  withThisColocations,
} from "./colocation.ts";
import { noteScores } from "./ledger.ts";
import { assignmentOf } from "./methods.ts";
import type { Cluster, Colocation, Node, Resource } from "./model.ts";
import { addPlaceScore } from "./places.ts";
import { tableOrder } from "./table-order.ts";

/** Takes what a resource needs from a node's free capacity. */
export function consume(node: Node, rsc: Resource): void {
  for (const [name, need] of rsc.utilization) {
    const free = node.utilization.get(name);
    if (free !== undefined) node.utilization.set(name, free - need);
  }
}

/** Amounts as the score listing shows them, each behind a blank. */
export const amounts = (all: ReadonlyMap<string, number>): string =>
  [...all].map(([name, value]) => ` ${name}=${value}`).join("");

/** Gives back what `consume` took. */
export function release(node: Node, rsc: Resource): void {
  for (const [name, need] of rsc.utilization) {
    const free = node.utilization.get(name);
    if (free !== undefined) node.utilization.set(name, free + need);
  }
}

function fits(node: Node, need: ReadonlyMap<string, number>): boolean {
  for (const [name, amount] of need) if (amount > (node.utilization.get(name) ?? 0)) return false;
  return true;
}

/** What a node lacks. */
function shortage(node: Node, need: ReadonlyMap<string, number>): string {
  const short = [...need].flatMap(([name, amount]) => {
    const free = node.utilization.get(name) ?? 0;
    return amount > free ? [`${name} is short by ${amount - free} (${amount} needed, ${free} free)`] : [];
  });
  return `${node.name} has no room for it: ${short.join(", ")}`;
}

/** Resources that will have to be where `rsc` is: mandatory colocations, in both directions, all the way. */
function colocated(cluster: Cluster, list: Resource[], rsc: Resource, original: Resource): Resource[] {
  if (rsc === original || list.includes(rsc)) return list;
  list.unshift(rsc);
  followColocations(cluster, list, rsc, original);
  // Wherever it has handed them over to, the colocations of a group and of all its members count.
  if (rsc.handsOverColocations)
    for (const member of rsc.children) followColocations(cluster, list, member, original);
  return list;
}

function followColocations(cluster: Cluster, list: Resource[], rsc: Resource, original: Resource): void {
  for (const colocation of countedColocations(cluster, rsc, thisWithColocations(rsc))) {
    const { primary } = colocation;
    if (primary !== original && binds(cluster, rsc, primary, colocation))
      colocated(cluster, list, primary, original);
  }
  for (const colocation of countedColocations(cluster, rsc, withThisColocations(rsc))) {
    const { dependent } = colocation;
    // What is with some instance of a clone may be with another one than the rest.
    if (rsc.isClone && !dependent.isClone) continue;
    if (dependent !== original && binds(cluster, dependent, rsc, colocation))
      colocated(cluster, list, dependent, original);
  }
}

/** Whether a colocation puts the two on the same node, whatever else. */
const binds = (cluster: Cluster, dependent: Resource, primary: Resource, colocation: Colocation): boolean =>
  colocation.score === INFINITY &&
  colocationAffects(cluster, dependent, primary, colocation, true) === "location";

/** What a resource and the unplaced ones colocated with it need together. */
function totalNeed(rsc: Resource, others: readonly Resource[]): Map<string, number> {
  const sum = new Map<string, number>();
  const all = [rsc, ...others];
  for (const each of all) if (each.unassigned) assignmentOf(each).addUtilization(each, rsc, all, sum);
  return sum;
}

/**
 * Bans the nodes that cannot hold a resource: with everything colocated with it if some node can hold that, else
 * on its own. When there is no room for all, returns the node that has most (Pacemaker Explained, "Utilization
 * and Placement Strategy").
 */
export function banInsufficient(cluster: Cluster, rsc: Resource): Node | undefined {
  if (cluster.options.placementStrategy === "default") return undefined;
  let mostFree: Node | undefined;
  const list: Resource[] = [];
  followColocations(cluster, list, rsc, rsc);
  const need = totalNeed(rsc, list);
  let roomForAll = false;
  for (const entry of tableOrder(rsc.allowed)) {
    if (!placeUsable(entry)) continue;
    if (fits(entry.node, need)) roomForAll = true;
    if (!mostFree || compareCapacity(entry.node, mostFree) < 0) mostFree = entry.node;
  }
  const required = roomForAll ? need : rsc.utilization;
  const unfit: Node[] = [];
  for (const entry of rsc.allowed.values())
    if (placeUsable(entry) && !fits(entry.node, required)) unfit.push(entry.node);
  for (const node of unfit) addPlaceScore(cluster, rsc, node, -INFINITY);
  if (cluster.ledger)
    noteScores(cluster, rsc, (node) => ({
      source: "utilization",
      id: node.id,
      text: shortage(node, required),
    }));
  return roomForAll ? undefined : mostFree;
}

import { INFINITY } from "../terms/index.ts";
import { currentNode, nodeUsable } from "./availability.ts";
import { hasInfluence, thisWithColocations, withThisColocations } from "./colocation.ts";
import type { Places } from "./methods.ts";
import { methodsOf } from "./methods.ts";
import type { Cluster, Node, NodeScore, Resource } from "./model.ts";
import { placeAt } from "./places.ts";

/** Entry of a node among those that the clone or bundle of an instance may use. */
export function collectivePlace(instance: Resource, node: Node | undefined): NodeScore | undefined {
  if (!node) return undefined;
  return (instance.parent ?? instance).allowed.get(node);
}

const failed = (rsc: Resource): boolean => rsc.failed || rsc.children.some(failed);

/** A node of an instance that it may be on; `allowed` is false when it is on one where it may not be. */
function allowedCurrent(instance: Resource): { readonly node: Node | undefined; readonly allowed: boolean } {
  const node = currentNode(instance);
  if (!node) return { node, allowed: true };
  const entry = instance.allowed.get(node);
  if (!entry || entry.score < 0) return { node: undefined, allowed: false };
  return { node, allowed: true };
}

/**
 * Order in which the instances of a clone or bundle are assigned: those that are active as they should be come
 * first, so that they may stay (Pacemaker Explained, "Clones").
 */
export function compareInstances(cluster: Cluster, a: Resource, b: Resource): number {
  // A group is counted once for each member that is active without being managed.
  const onA = a.runningOn.length;
  const onB = b.runningOn.length;
  if (onA > 0 && onB > 0 && onA !== onB) return onA - onB;
  const currentA = allowedCurrent(a);
  const currentB = allowedCurrent(b);
  if (currentA.allowed !== currentB.allowed) return currentA.allowed ? -1 : 1;
  if (a.priority !== b.priority) return b.priority - a.priority;
  const nodeA = currentA.node;
  const nodeB = currentB.node;
  if (!nodeA && !nodeB) return 0;
  if (!nodeA || !nodeB) return nodeA ? -1 : 1;
  const usableA = nodeUsable(nodeA);
  const usableB = nodeUsable(nodeB);
  if (usableA !== usableB) return usableA ? -1 : 1;
  const placeA = collectivePlace(a, nodeA);
  const placeB = collectivePlace(b, nodeB);
  if (!placeA && !placeB) return 0;
  if (!placeA || !placeB) return placeA ? -1 : 1;
  if (placeA.count !== placeB.count) return placeA.count - placeB.count;
  const failedA = failed(a);
  const failedB = failed(b);
  if (failedA !== failedB) return failedA ? 1 : -1;
  return compareByColocation(cluster, a, b, nodeA, nodeB) || compareNumbers(a, b);
}

/** Instances by their number. */
export const compareNumbers = (a: Resource, b: Resource): number => (a.instance ?? 0) - (b.instance ?? 0);

function compareByColocation(cluster: Cluster, a: Resource, b: Resource, nodeA: Node, nodeB: Node): number {
  const scoreA = colocationScore(cluster, a, nodeA);
  const scoreB = colocationScore(cluster, b, nodeB);
  return scoreB - scoreA;
}

/** What the colocations of the whole clone say about the node that an instance is on, as if there were no other. */
function colocationScore(cluster: Cluster, instance: Resource, node: Node): number {
  const { parent } = instance;
  if (!parent) return 0;
  let places: Places = new Map([[node, placeAt(node, node.baseScore)]]);
  const take = (merged: Places | undefined) => {
    if (merged) places = merged;
  };
  for (const colocation of thisWithColocations(parent)) {
    const { primary, score } = colocation;
    take(
      methodsOf(primary).addColocatedScores(
        cluster,
        primary,
        instance,
        places,
        colocation,
        score / INFINITY,
        {},
      ),
    );
  }
  for (const colocation of withThisColocations(parent)) {
    if (!hasInfluence(colocation, instance)) continue;
    const { dependent, score } = colocation;
    const options = { nonNegative: true };
    take(
      methodsOf(dependent).addColocatedScores(
        cluster,
        dependent,
        instance,
        places,
        colocation,
        score / INFINITY,
        options,
      ),
    );
  }
  return places.get(node)?.score ?? 0;
}

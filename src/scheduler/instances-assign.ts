import { INFINITY } from "../terms/index.ts";
import { unassign } from "./assign.ts";
import { currentNode, nodeUsable } from "./availability.ts";
import type { Cause } from "./face.ts";
import { collectivePlace } from "./instance-order.ts";
import { noteScores } from "./ledger.ts";
import type { Places } from "./methods.ts";
import { methodsOf } from "./methods.ts";
import type { Cluster, Node, Resource } from "./model.ts";
import { addPlaceScore } from "./places.ts";
import { copyPlaces } from "./table-order.ts";

/**
 * Distributes the instances of a clone, or the containers of a bundle: first as many as possible stay where they
 * are, evenly; then the others get the best of what is left.
 */
export function assignInstances(
  cluster: Cluster,
  collective: Resource,
  instances: readonly Resource[],
  maxTotal: number,
  maxPerNode: number,
): number {
  const nodes = resetCounts(collective);
  const optimal = Math.max(1, nodes > 0 ? Math.floor(maxTotal / nodes) : 1);
  let assigned = 0;
  for (const instance of instances) {
    if (assigned >= maxTotal) break;
    const current = preferredNode(instance, optimal);
    if (current && assignEarly(cluster, instance, current, maxPerNode, maxTotal - assigned)) assigned++;
  }
  for (const instance of instances) {
    if (!instance.unassigned) continue;
    // The surplus is not even looked at, so that it stops also where a lack of fence devices keeps the rest as it is.
    if (assigned >= maxTotal) {
      addPlaceScore(cluster, instance, undefined, -INFINITY);
      noteScores(cluster, instance, {
        source: "clone",
        text: `all ${maxTotal} instances that there shall be have their places`,
      });
      continue;
    }
    const chosen = assignInstance(cluster, instance, undefined, maxPerNode);
    if (!chosen) continue;
    countUp(instance, chosen);
    assigned++;
  }
  return assigned;
}

/** Counts of instances a node begin at 0. Returns how many nodes can be used. */
function resetCounts(collective: Resource): number {
  let available = 0;
  for (const entry of collective.allowed.values()) {
    entry.count = 0;
    if (nodeUsable(entry.node)) available++;
  }
  return available;
}

/** Where a healthy active instance should stay, unless that node has its share already. */
function preferredNode(instance: Resource, optimal: number): Node | undefined {
  if (!isActive(instance) || !instance.unassigned || instance.failed) return undefined;
  const node = currentNode(instance);
  if (!node || !nodeUsable(node)) return undefined;
  const place = collectivePlace(instance, node);
  return place && place.count >= optimal ? undefined : node;
}

const isActive = (instance: Resource) => instance.runningOn.length > 0;

/**
 * Tries to give an instance the node that it is on. When its preferences are stronger for another node, one place
 * there is set aside for whoever comes, and it is tried again: so nodes get their shares by preference, but which
 * instance is where changes as little as possible. `available`: how many instances may still be assigned.
 */
function assignEarly(
  cluster: Cluster,
  instance: Resource,
  current: Node,
  maxPerNode: number,
  available: number,
): boolean {
  const { parent } = instance;
  // Nothing makes good for a ban.
  const least = cluster.rules.colocationsCountForStaying ? 1 - INFINITY : 0;
  if (!parent || (instance.allowed.get(current)?.score ?? -INFINITY) < least) return false;
  const tables = copyTables(cluster, instance);
  const original = parent.allowed;
  parent.allowed = copyPlaces(cluster, original);
  let stays = false;
  for (let reserved = 0; reserved < available; reserved++) {
    const chosen = assignInstance(cluster, instance, current, maxPerNode);
    stays = chosen === current;
    if (stays || (!instance.isPrimitive && !cluster.rules.groupsAreTakenBack)) break;
    if (!chosen && !cluster.rules.triesAreTentative) break;
    restoreTables(cluster, tables);
    cluster.ledger?.strike(instance);
    unassign(instance);
    if (!chosen || !cluster.rules.instancesReservePlaces) break;
    countUp(instance, chosen);
  }
  parent.allowed = original;
  if (stays) countUp(instance, current);
  return stays;
}

function assignInstance(
  cluster: Cluster,
  instance: Resource,
  prefer: Node | undefined,
  maxPerNode: number,
): Node | undefined {
  if (!instance.unassigned) return instance.assignedTo;
  if (instance.assigning) return undefined;
  instance.tries++;
  banUnavailable(instance, maxPerNode);
  if (cluster.ledger) noteScores(cluster, instance, (node) => unavailable(instance, node, maxPerNode));
  const stopIfFail = prefer === undefined || !cluster.rules.triesAreTentative;
  return methodsOf(instance).assign(cluster, instance, prefer, stopIfFail);
}

function countUp(instance: Resource, node: Node): void {
  const place = collectivePlace(instance, node);
  if (place) place.count++;
}

/** Nodes that cannot take an instance (more) are excluded, also for what is in it. */
function banUnavailable(instance: Resource, maxPerNode: number): void {
  for (const entry of instance.allowed.values()) {
    if (canRun(instance, entry.node, maxPerNode)) continue;
    entry.score = -INFINITY;
    for (const part of instance.children) {
      const inner = part.allowed.get(entry.node);
      if (inner) inner.score = -INFINITY;
    }
  }
}

/** Why a node takes no more instances. */
function unavailable(instance: Resource, node: Node, maxPerNode: number): Cause {
  if (instance.removed) return { source: "clone", text: "it is not configured any more" };
  if (!nodeUsable(node)) return { source: "node", id: node.id, text: `${node.name} cannot run anything now` };
  const place = collectivePlace(instance, node);
  const name = instance.parent?.id ?? instance.id;
  if (!place || place.score < 0) return { source: "clone", text: `${name} may not be there` };
  return {
    source: "clone",
    text: `${node.name} has as many instances of ${name} as it may have (${maxPerNode})`,
  };
}

function canRun(instance: Resource, node: Node, maxPerNode: number): boolean {
  if (instance.removed || !nodeUsable(node)) return false;
  const place = collectivePlace(instance, node);
  return place !== undefined && place.score >= 0 && place.count < maxPerNode;
}

type Tables = readonly (readonly [Resource, Places])[];

function copyTables(cluster: Cluster, rsc: Resource): Tables {
  const own: [Resource, Places] = [rsc, copyPlaces(cluster, rsc.allowed)];
  return [own, ...rsc.children.flatMap((part) => copyTables(cluster, part))];
}

function restoreTables(cluster: Cluster, tables: Tables): void {
  for (const [rsc, places] of tables) rsc.allowed = copyPlaces(cluster, places);
}

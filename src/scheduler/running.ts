import { INFINITY } from "../terms/index.ts";
import { activeNode } from "./availability.ts";
import { Role } from "./flags.ts";
import type { Cluster, Node, Resource } from "./model.ts";
import { addPlaceScore, placeAt } from "./places.ts";

/** A resource, and with it what it is part of, is active on a node. */
export function addRunning(cluster: Cluster, rsc: Resource, node: Node, failed: boolean): void {
  if (rsc.runningOn.includes(node)) return;
  rsc.runningOn.push(node);
  if (rsc.isPrimitive) {
    node.running.push(rsc);
    addPriority(rsc, node, failed);
    if (node.maintenance) {
      rsc.managed = false;
      rsc.maintenance = true;
    }
  }
  if (!rsc.managed) {
    addPlaceScore(cluster, rsc, node, INFINITY);
    for (let { parent } = rsc; parent && node.online; parent = parent.parent) parent.runningOn.push(node);
    return;
  }
  if (rsc.isPrimitive && activeCount(rsc) > 1) tooManyActive(cluster, rsc);
  if (rsc.parent) addRunning(cluster, rsc.parent, node, false);
}

/**
 * Nodes where it counts as active: for what may start before nodes are fenced, only those that are up and clean. A
 * migration under way counts twice, so that a resource that is to be blocked then is blocked in the middle of it.
 */
function activeCount(rsc: Resource): number {
  const { all, clean } = activeNode(rsc);
  return rsc.needsFencing ? all : clean;
}

function tooManyActive(cluster: Cluster, rsc: Resource): void {
  switch (rsc.multipleActive) {
    case "stop_only":
      rsc.allowed = new Map(cluster.nodes.map((node) => [node, placeAt(node, -INFINITY)]));
      return;
    case "block": {
      rsc.managed = false;
      rsc.blocked = true;
      const { parent } = rsc;
      if (parent && (parent.isGroup || parent.isBundle) && parent.multipleActive === "block")
        for (const part of parent.children) {
          part.managed = false;
          part.blocked = true;
        }
      return;
    }
    case "stop_start":
    case "stop_unexpected":
      return;
  }
}

/** Counts what is active for priority-fencing-delay: a promoted instance one more. */
function addPriority(rsc: Resource, node: Node, failed: boolean): void {
  const priority =
    rsc.priority === 0 || failed ? 0 : rsc.role === Role.Promoted ? rsc.priority + 1 : rsc.priority;
  if (priority === 0) return;
  node.priority += priority;
  const connection = node.isGuest ? node.remoteRsc : undefined;
  for (const host of connection?.container?.runningOn ?? []) host.priority += priority;
}

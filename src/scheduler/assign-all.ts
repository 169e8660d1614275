import { INFINITY } from "../terms/index.ts";
import { compareNodes, currentNode } from "./availability.ts";
import { bundleAssignment } from "./bundle-assign.ts";
import { cloneAssignment } from "./clone-assign.ts";
import { groupAssignment } from "./group-assign.ts";
import { methodsOf, type Places, registerAssignment } from "./methods.ts";
import type { Cluster, Node, Resource } from "./model.ts";
import { primitiveAssignment } from "./primitive-assign.ts";
import { mergeSort } from "./table-order.ts";
import { amounts } from "./utilization.ts";

registerAssignment("primitive", primitiveAssignment);
registerAssignment("group", groupAssignment);
registerAssignment("clone", cloneAssignment);
registerAssignment("bundle", bundleAssignment);

/**
 * Gives every resource its place. Connections to remote nodes come first, since their nodes are places themselves;
 * with a placement strategy the order follows priority and preference (Pacemaker Explained, "Utilization").
 */
export function assignResources(cluster: Cluster): void {
  if (cluster.options.placementStrategy !== "default") sortResources(cluster);
  showCapacity(cluster, "Original");
  if (cluster.haveRemoteNodes) {
    for (const rsc of cluster.resources) {
      if (rsc.isRemoteConnection) methodsOf(rsc).assign(cluster, rsc, rsc.partialMigrationTarget, true);
    }
  }
  for (const rsc of cluster.resources) {
    if (!rsc.isRemoteConnection) methodsOf(rsc).assign(cluster, rsc, undefined, true);
  }
  showCapacity(cluster, "Remaining");
}

/** Priority, then score on the current node, then the scores on the best nodes; else as configured. */
function sortResources(cluster: Cluster): void {
  const nodes = mergeSort(cluster.nodes, (a, b) => {
    return compareNodes(cluster, { node: a, score: a.baseScore }, { node: b, score: b.baseScore }, undefined);
  });
  const merged = new Map<Resource, Places>();
  const placesOf = (rsc: Resource): Places => {
    let places = merged.get(rsc);
    if (!places) {
      places =
        methodsOf(rsc).addColocatedScores(cluster, rsc, undefined, undefined, undefined, 1, {
          thisWith: true,
        }) ?? rsc.allowed;
      merged.set(rsc, places);
    }
    return places;
  };
  const score = (rsc: Resource, node: Node | undefined) =>
    (node && placesOf(rsc).get(node)?.score) ?? -INFINITY;
  cluster.resources.sort((a, b) => {
    if (a.priority !== b.priority) return b.priority - a.priority;
    const here = score(b, currentNode(b)) - score(a, currentNode(a));
    if (here !== 0) return here;
    for (const node of nodes) {
      const there = score(b, node) - score(a, node);
      if (there !== 0) return there;
    }
    return 0;
  });
}

/** What the nodes can hold, as the score listing shows it; a bundle's own nodes hold only what is the bundle's. */
function showCapacity(cluster: Cluster, when: "Original" | "Remaining"): void {
  for (const node of cluster.nodes.filter(({ remoteRsc }) => remoteRsc?.replica === undefined))
    cluster.scores.push(`${when}: ${node.name} capacity:${amounts(node.utilization)}`);
}

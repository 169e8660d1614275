import { type Cluster, type Placement, type Resource, Role } from "../../scheduler/index.ts";
import type { NodeName } from "../../terms/index.ts";
import { currentNode, displayedRole, isActive, printableId } from "./cluster-view.ts";
import { isImplied } from "./resource-list.ts";

/**
 * What is active where: one entry for each resource and node, with the id of the configuration (a number only for
 * unique instances). A bundle's replica is one entry, on the host of its container.
 */
export function placementOf(cluster: Cluster): Placement[] {
  return cluster.resources
    .filter((rsc) => !isImplied(rsc) && (!rsc.removed || isActive(rsc, true)))
    .flatMap(placementsIn);
}

function placementsIn(rsc: Resource): Placement[] {
  if (rsc.bundle) {
    return rsc.bundle.replicas.flatMap(({ child, container, remote }) => {
      const shown = child ?? container;
      const node = currentNode(container);
      const role = placedRole(shown);
      return node && role
        ? [{ rsc: printableId(remote ?? container), role, node: node.name as NodeName }]
        : [];
    });
  }
  // Instances on nodes that are gone are not shown either.
  if (rsc.isClone) return rsc.children.filter((instance) => isActive(instance, false)).flatMap(placementsIn);
  if (!rsc.isPrimitive) return rsc.children.flatMap(placementsIn);
  const role = placedRole(rsc);
  if (!role) return [];
  return rsc.runningOn.map((node) => ({ rsc: printableId(rsc), role, node: node.name as NodeName }));
}

function placedRole(rsc: Resource): Placement["role"] | undefined {
  switch (displayedRole(rsc)) {
    case Role.Started:
      return "Started";
    case Role.Unpromoted:
      return "Unpromoted";
    case Role.Promoted:
      return "Promoted";
    default:
      return rsc.failed && rsc.runningOn.length > 0 ? "Started" : undefined;
  }
}

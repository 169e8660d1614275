import { nodeName } from "../terms/index.ts";
import { pseudoAction } from "./actions.ts";
import type { MaintenanceChange } from "./face.ts";
import { Flag } from "./flags.ts";
import type { Cluster } from "./model.ts";

/** The task that tells remote and guest nodes about maintenance. */
export const maintenanceTask = "maintenance_nodes";

/**
 * Remote and guest nodes whose state does not say yet that they are in maintenance, or still says so
 * (`node_in_maintenance` of the node state). Cluster nodes know by themselves.
 */
export function maintenanceChanges(cluster: Cluster): MaintenanceChange[] {
  return cluster.nodes
    .filter((node) => node.isRemoteOrGuest && node.maintenance !== node.remoteMaintenance)
    .map(({ name, id, maintenance }) => ({ node: nodeName(name), nodeId: id, inMaintenance: maintenance }));
}

/** Makes the pseudo action by which such nodes learn of it. It waits for nothing, and nothing waits for it. */
export function tellMaintenance(cluster: Cluster): void {
  if (maintenanceChanges(cluster).length > 0) pseudoAction(cluster, maintenanceTask).clear(Flag.Optional);
}

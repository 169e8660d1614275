import { fencingAction, orderActions } from "./actions.ts";
import { Link } from "./flags.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { addOrdering } from "./orderings.ts";
import { triggerUnfencing } from "./parameter-changes.ts";

/** Whether a node has been given access by unfencing since it was last fenced. */
export function isUnfenced(node: Node): boolean {
  const value = node.attributes.get("#node-unfenced");
  return value !== undefined && value !== "0";
}

/** The unfencing of a node; optional until something needs it. */
export const unfencing = (cluster: Cluster, node: Node): Action =>
  fencingAction(cluster, node, "on", true, undefined, false);

/** Orders a probe or start after the unfencing of its node, where that is needed. */
export function orderAfterUnfencing(
  cluster: Cluster,
  rsc: Resource,
  node: Node,
  action: Action,
  kind: number,
): void {
  if (!(rsc.isFenceDevice && cluster.haveUnfencing) && !rsc.needsUnfencing) return;
  orderActions(unfencing(cluster, node), action, kind);
  if (!isUnfenced(node))
    triggerUnfencing(cluster, undefined, node, `required by ${rsc.id} ${action.task}`, undefined);
}

/** A resource stops before its node is unfenced again, and starts after that. */
export function orderAroundUnfencing(cluster: Cluster, rsc: Resource): void {
  if (rsc.isFenceDevice || !cluster.haveUnfencing || !rsc.needsUnfencing) return;
  for (const node of rsc.allowed.keys()) {
    const unfence = unfencing(cluster, node);
    addOrdering(cluster, { rsc, task: "stop" }, { action: unfence }, Link.Ordered | Link.IfOnSameNode);
    addOrdering(
      cluster,
      { action: unfence },
      { rsc, task: "start" },
      Link.FirstImpliesSameNodeThen | Link.IfOnSameNode,
    );
  }
}

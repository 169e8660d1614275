import type { Action, Cluster, Resource } from "./model.ts";

/**
 * Actions in the order in which Pacemaker's graph lists them: resource by resource, the youngest action of each first,
 * then those that belong to no resource. The order decides nothing, but rehearsals and logs follow it.
 */
export function graphOrder(cluster: Cluster): Action[] {
  const ordered = new Set<Action>();
  const take = (actions: readonly Action[]) => {
    for (const action of actions.toReversed()) ordered.add(action);
  };
  const visit = (rsc: Resource) => {
    if (rsc.bundle) {
      // What belongs to the bundle as a whole comes at the end, with what belongs to no resource.
      if (rsc.bundle.clone) visit(rsc.bundle.clone);
      for (const { ip, container, remote } of rsc.bundle.replicas)
        for (const part of [ip, container, remote]) if (part) visit(part);
    } else if (rsc.isClone) {
      for (const child of rsc.children) visit(child);
      take(rsc.actions);
    } else {
      take(rsc.actions);
      for (const child of rsc.children) visit(child);
    }
  };
  for (const rsc of cluster.resources) visit(rsc);
  take(cluster.actions);
  return [...ordered];
}

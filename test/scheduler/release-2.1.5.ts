import { parseBoolean } from "../../src/cib/index.ts";
import { type Cluster, Link, type Resource } from "../../src/scheduler/index.ts";

/**
 * What Pacemaker 2.1.5, the release that the generated clusters are compared with, does otherwise than 3.x, whose
 * decisions the conformance suite holds. Each difference is undone in the working set before it is decided, so that
 * the comparison says nothing about the old rule and everything about what follows from it.
 */
export function applyRulesOf215(cluster: Cluster): void {
  for (const rsc of cluster.resources)
    applyToAll(rsc, (part) => {
      leaveMaintenance(cluster, part);
      orderNeighbours(cluster, part);
    });
}

function applyToAll(rsc: Resource, rule: (part: Resource) => void): void {
  rule(rsc);
  for (const part of rsc.children) applyToAll(part, rule);
}

/**
 * A resource on a node in maintenance is merely unmanaged, not in maintenance itself (what 3.x prints of it is
 * "maintenance" in the suite's shutdown-maintenance-node, "unmanaged" in 2.1.5). It matters for one that is active on
 * other nodes as well: its recurring monitors there are not cancelled.
 */
function leaveMaintenance(cluster: Cluster, rsc: Resource): void {
  const configured = cluster.options.maintenance || parseBoolean(rsc.meta.get("maintenance")) === true;
  if (!configured) rsc.maintenance = false;
}

/**
 * In a clone with `ordered` each instance waits for the one before it; in 3.x for all before it, which matters when one
 * between has nothing to do (268 edges instead of 112 in the suite's clone-order-16instances).
 */
function orderNeighbours(cluster: Cluster, { clone, children }: Resource): void {
  if (clone?.ordered !== true) return;
  clone.ordered = false;
  const order = (first: Resource, then: Resource, task: string) =>
    cluster.orderings.push({
      id: cluster.nextOrderingId++,
      firstRsc: first,
      firstTask: `${first.id}_${task}_0`,
      firstAction: undefined,
      thenRsc: then,
      thenTask: `${then.id}_${task}_0`,
      thenAction: undefined,
      kind: Link.Ordered,
    });
  let previous: Resource | undefined;
  for (const instance of [...children].sort((a, b) => (a.instance ?? 0) - (b.instance ?? 0))) {
    if (previous)
      for (const [up, down] of [
        ["start", "stop"],
        ["promote", "demote"],
      ] as const) {
        order(previous, instance, up);
        order(instance, previous, down);
      }
    previous = instance;
  }
}

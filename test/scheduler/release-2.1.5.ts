import { parseBoolean } from "../../src/cib/index.ts";
import type { Cluster, GraphAction, Resource } from "../../src/scheduler/index.ts";

/**
 * What Pacemaker 2.1.5, the release that the generated clusters are compared with, does otherwise than 3.x, whose
 * decisions the conformance suite holds. Each difference is undone, in the working set before it is decided or in the
 * graph, so that the comparison says nothing about the old rule and everything about what follows from it.
 */
export function applyRulesOf215(cluster: Cluster): void {
  for (const rsc of cluster.resources) applyToAll(rsc, (part) => leaveMaintenance(cluster, part));
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
 * The inputs of each action by the rules of 2.1.5. In a clone with `ordered` each instance waits there for the one
 * before it; in 3.x for all before it, which matters when one between has nothing to do (268 edges instead of 112 in
 * the suite's clone-order-16instances).
 */
export function inputsBy215(
  cluster: Cluster,
  actions: readonly GraphAction[],
): ReadonlyMap<number, number[]> {
  const owners = new Map(cluster.actions.map(({ id, rsc }) => [id, rsc]));
  const skips = (before: number, then: number): boolean => {
    const [a, b] = [owners.get(before), owners.get(then)];
    if (!a || !b || a === b || a.parent !== b.parent || a.parent?.clone?.ordered !== true) return false;
    const instances = [...a.parent.children].sort((x, y) => (x.instance ?? 0) - (y.instance ?? 0));
    return Math.abs(instances.indexOf(a) - instances.indexOf(b)) > 1;
  };
  return new Map(actions.map(({ id, inputs }) => [id, inputs.filter((before) => !skips(before, id))]));
}

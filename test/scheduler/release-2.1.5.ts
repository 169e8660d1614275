import { parseBoolean } from "../../src/cib/index.ts";
import type { Cluster, Resource } from "../../src/scheduler/index.ts";

/**
 * What Pacemaker 2.1.5, the release that the generated clusters are compared with, does otherwise than 3.x, whose
 * decisions the conformance suite holds. Each difference is undone, in the working set before it is decided or in the
 * graph, so that the comparison says nothing about the old rule and everything about what follows from it.
 */
export function applyRulesOf215(cluster: Cluster): void {
  // By default one node is fenced after the other (release notes of 3.0: "concurrent-fencing … now defaults to true").
  if (!cluster.properties.has("concurrent-fencing")) cluster.options.concurrentFencing = false;
  for (const rsc of cluster.resources) applyToAll(rsc, (part) => leaveMaintenance(cluster, part));
  forgetUnseenNames(cluster);
}

/**
 * A remote or guest node has no attribute `#uname` until the status knows it: all such nodes are one place for
 * colocations, so that even a mandatory one may be broken (with two guests that were never up, what is banned from
 * the first is put on the second although it must be with what goes to the first), and no rule finds them by name.
 * `#uname` is the name of the node in every colocation (Pacemaker Explained, "Colocation", node-attribute).
 */
function forgetUnseenNames(cluster: Cluster): void {
  for (const { attributes } of cluster.nodes) if (!attributes.has("#id")) attributes.delete("#uname");
}

/**
 * A line of the summary in the words of 2.1.5, which has none of its own for what can only no longer migrate, calls
 * fencing that the node attribute `terminate` asks for a termination, and does not show fencing that has no reason.
 */
export const wordsOf215 = (line: string): string =>
  line
    .replace("due to unmigrateable ", "due to unrunnable ")
    .replace("'fencing was requested'", "'termination was requested'")
    .replace(/^Fence \S+ \S+( \(resource: \S+\))?$/, "");

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
 * Whether 2.1.5 has an edge of the graph (ids of its actions) for certain. In a clone with `ordered` each instance waits
 * for the one before it; in 3.x for all before it, which matters when one between has nothing to do (268 edges instead
 * of 112 in the suite's clone-order-16instances). 2.1.5 has some of the others by accident: between instances that
 * are required as soon as their actions are made.
 */
export function orderedBy215(cluster: Cluster): (before: number, then: number) => boolean {
  const owners = new Map(cluster.actions.map(({ id, rsc }) => [id, rsc]));
  return (before, then) => {
    const [a, b] = [owners.get(before), owners.get(then)];
    if (!a || !b || a === b || a.parent !== b.parent || a.parent?.clone?.ordered !== true) return true;
    const instances = [...a.parent.children].sort((x, y) => (x.instance ?? 0) - (y.instance ?? 0));
    return Math.abs(instances.indexOf(a) - instances.indexOf(b)) <= 1;
  };
}

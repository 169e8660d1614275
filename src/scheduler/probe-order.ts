import { findActions, orderActions } from "./actions.ts";
import { Link, Role } from "./flags.ts";
import type { Action, Cluster, Edge, Ordering, Resource } from "./model.ts";
import { topLevel } from "./model.ts";
import { opKey } from "./operations.ts";
import { compatibleInstance } from "./pairing.ts";

/** Orders probes before whatever their results may change: starts and restarts of other resources, and stops. */
export function orderProbes(cluster: Cluster): void {
  for (const rsc of cluster.resources) orderRestarts(cluster, rsc);
  for (const ordering of cluster.orderings) orderBeforeStopped(ordering);
}

const probesOf = (rsc: Resource): Action[] => findActions(rsc, opKey(rsc.id, "monitor", 0), undefined);

function orderRestarts(cluster: Cluster, rsc: Resource): void {
  if (!rsc.isPrimitive) {
    for (const part of rsc.children) orderRestarts(cluster, part);
    return;
  }
  for (const probe of probesOf(rsc))
    for (const edge of [...probe.after].reverse()) {
      holdInstances(probe, edge);
      cluster.loopVisit++;
      holdRestarts(cluster, probe, edge.action);
    }
}

/** Instances of a clone that is partly active do not start while a probe of it cannot be made. */
function holdInstances(probe: Action, edge: Edge): void {
  const { action: start, kind } = edge;
  if (!start.rsc || !probe.rsc || probe.runnable || (kind & Link.UnrunnableFirstBlocks) !== 0) return;
  if (start.task !== "start" || topLevel(probe.rsc, false) !== start.rsc) return;
  for (const { action: then } of [...start.after]) {
    if (!then.rsc || then.rsc.runningOn.length > 0 || then.task !== "start") continue;
    if (topLevel(then.rsc, false) === start.rsc)
      orderActions(probe, then, Link.Ordered | Link.UnrunnableFirstBlocks);
  }
}

/** If the probe finds something, what comes after the resource restarts: its stop must not have begun then. */
function holdRestarts(cluster: Cluster, probe: Action, after: Action): void {
  if (!probe.rsc?.isPrimitive || probe.task !== "monitor") return;
  if (after.visited === cluster.loopVisit) return;
  after.visited = cluster.loopVisit;
  const { rsc } = after;
  if (rsc?.isPrimitive && probe.rsc !== rsc) {
    const down = after.task === "start" ? "stop" : after.task === "promote" ? "demote" : undefined;
    if (down !== undefined)
      for (const then of findActions(rsc, opKey(rsc.id, down, 0), undefined))
        if (!then.pseudo) orderActions(probe, then, Link.Ordered);
  }
  const interleaved = rsc?.isClone === true && rsc.clone?.interleave === true;
  const partner = interleaved ? compatibleInstance(cluster, probe.rsc, rsc, Role.Unknown, false) : undefined;
  for (const edge of [...after.after].reverse()) {
    const next = edge.action;
    if ((edge.kind & Link.FirstImpliesThen) === 0) {
      // From a group or clone to its own parts the way goes on although that edge implies nothing.
      if (!rsc || rsc.isPrimitive || probe.rsc.parent === rsc) continue;
      if (!next.rsc || next.rsc.isCollective || next.rsc.parent !== rsc) continue;
      if (interleaved && partner !== next.rsc) continue;
    }
    holdRestarts(cluster, probe, next);
  }
}

/** What waits for a stop waits for the probe that may show that there is something to stop. */
function orderBeforeStopped(ordering: Ordering): void {
  const { firstRsc, thenRsc, firstAction, thenAction } = ordering;
  if (ordering.kind === Link.None || !firstRsc || firstRsc === thenRsc) return;
  // Of what is no resource's only the points by which load is kept within capacity matter.
  if (!thenRsc && ordering.kind !== Link.IfOnSameNodeOrTarget) return;
  const isStop = (action: Action | undefined, key: string | undefined) =>
    action ? action.task === "stop" : key?.endsWith("_stop_0") === true;
  if (!isStop(firstAction, ordering.firstTask)) return;
  if (thenRsc && firstRsc.container === thenRsc && isStop(thenAction, ordering.thenTask)) return;
  const probes = probesOf(firstRsc);
  if (probes.length === 0) return;
  let kind: number = Link.Ordered;
  kind |= ordering.kind & (Link.IfFirstUnmigratable | Link.IfOnSameNode);
  if (ordering.kind === Link.IfRequiredOnSameNode || ordering.kind === Link.IfOnSameNodeOrTarget)
    kind = ordering.kind;
  const thens = thenAction
    ? [thenAction]
    : thenRsc
      ? findActions(thenRsc, ordering.thenTask ?? "", undefined)
      : [];
  for (const probe of probes) for (const then of thens) orderActions(probe, then, kind);
}

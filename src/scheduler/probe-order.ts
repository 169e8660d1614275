import { lookup } from "../terms/index.ts";
import { findActions, orderActions } from "./actions.ts";
import { Link, Role } from "./flags.ts";
import type { Action, Cluster, Edge, Ordering, Resource } from "./model.ts";
import { topLevel } from "./model.ts";
import { opKey } from "./operations.ts";
import { compatibleInstance, isInterleaved } from "./pairing.ts";

/** Orders probes before whatever their results may change: starts and restarts of other resources, and stops. */
export function orderProbes(cluster: Cluster): void {
  const leading = leadingToRestarts(cluster);
  for (const rsc of cluster.resources) orderRestarts(cluster, rsc, leading);
  for (const ordering of cluster.orderings) orderBeforeStopped(ordering);
}

const probesOf = (rsc: Resource): Action[] => findActions(rsc, opKey(rsc.id, "monitor", 0), undefined);

/** Actions from which the way along what follows comes to something that may restart: the others need no search. */
function leadingToRestarts(cluster: Cluster): ReadonlySet<Action> {
  const leading = new Set<Action>();
  const pending: Action[] = [];
  for (const action of cluster.actions) {
    const down = downFor[action.task];
    if (down === undefined || !action.rsc?.isPrimitive) continue;
    if (action.rsc.actionsByKey.has(opKey(action.rsc.id, down, 0))) pending.push(action);
  }
  for (let action = pending.pop(); action; action = pending.pop()) {
    if (leading.has(action)) continue;
    leading.add(action);
    for (const edge of action.before) pending.push(edge.action);
  }
  return leading;
}

/** What a restart does before it starts or promotes. */
const downFor: Readonly<Record<string, string>> = lookup({ start: "stop", promote: "demote" });

function orderRestarts(cluster: Cluster, rsc: Resource, leading: ReadonlySet<Action>): void {
  if (!rsc.isPrimitive) {
    for (const part of rsc.children) orderRestarts(cluster, part, leading);
    return;
  }
  for (const probe of probesOf(rsc))
    for (const edge of [...probe.after].reverse()) {
      if (cluster.rules.probesHoldInactive) holdInstances(probe, edge);
      holdRestarts(cluster, probe, edge.action, leading);
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
function holdRestarts(cluster: Cluster, probe: Action, start: Action, leading: ReadonlySet<Action>): void {
  const { rsc } = probe;
  if (!rsc?.isPrimitive || probe.task !== "monitor") return;
  const visit = ++cluster.loopVisit;
  const pending = [start];
  for (let after = pending.pop(); after; after = pending.pop()) {
    if (after.visited === visit || !leading.has(after)) continue;
    after.visited = visit;
    holdRestart(probe, rsc, after);
    pending.push(...restartedBy(cluster, rsc, after));
  }
}

function holdRestart(probe: Action, probed: Resource, after: Action): void {
  const { rsc } = after;
  const down = downFor[after.task];
  if (!rsc?.isPrimitive || probed === rsc || down === undefined) return;
  for (const then of findActions(rsc, opKey(rsc.id, down, 0), undefined))
    if (!then.pseudo) orderActions(probe, then, Link.Ordered);
}

/** What an action makes required; from a group or clone also its parts, or only the one that fits. */
function restartedBy(cluster: Cluster, probed: Resource, after: Action): Action[] {
  const { rsc } = after;
  const interleaved = rsc !== undefined && isInterleaved(rsc);
  const partner = interleaved ? compatibleInstance(cluster, probed, rsc, Role.Unknown, false) : undefined;
  const result: Action[] = [];
  for (const { action: next, kind } of after.after) {
    if ((kind & Link.FirstImpliesThen) === 0) {
      // From a group or clone to its own parts the way goes on although that edge implies nothing.
      if (!rsc || rsc.isPrimitive || probed.parent === rsc) continue;
      if (!next.rsc || next.rsc.isCollective || next.rsc.parent !== rsc) continue;
      if (interleaved && partner !== next.rsc) continue;
    }
    result.push(next);
  }
  return result;
}

/** What waits for a stop waits for the probe that may show that there is something to stop. */
function orderBeforeStopped(ordering: Ordering): void {
  const { firstRsc, thenRsc, firstAction, thenAction } = ordering;
  if (ordering.kind === Link.None || !firstRsc || firstRsc === thenRsc) return;
  // Of what is no resource's only points matter: load that is within capacity again, enough instances that stopped.
  if (!thenRsc && thenAction?.pseudo !== true) return;
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

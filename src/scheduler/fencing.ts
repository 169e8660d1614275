import { canFence, clusterAction, fencingAction, findActions, orderActions } from "./actions.ts";
import { Flag, Link } from "./flags.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { topLevel } from "./model.ts";
import { notifyAfterFencing } from "./notifications.ts";
import { opKey } from "./operations.ts";
import { firstAction } from "./ordering-update.ts";
import { isKnownOn } from "./probes.ts";

/** Schedules the fencing of unclean nodes and the shutdown of those that asked for it. */
export function scheduleFencingAndShutdowns(cluster: Cluster): void {
  const anyManaged = cluster.resources.some(hasManaged);
  let dcDown: Action | undefined;
  const fencings: Action[] = [];
  const shutdowns: Action[] = [];
  for (const node of cluster.nodes) {
    if (node.isGuest) {
      if (node.remoteRequiresReset && anyManaged && canFence(cluster, node)) fenceGuest(cluster, node);
      continue;
    }
    let fencing: Action | undefined;
    if (anyManaged && node.unclean && canFence(cluster, node)) {
      fencing = fencingAction(cluster, node, undefined, false, "node is unclean", false);
      orderAroundFencing(cluster, fencing, node);
      if (node.isDc) dcDown = fencing;
      else {
        if (!cluster.options.concurrentFencing) orderActions(fencings.at(-1), fencing, Link.Ordered);
        fencings.push(fencing);
      }
    } else if (node.online && node.shutdown && !node.isRemoteOrGuest) {
      const shutdown = scheduleShutdown(cluster, node);
      if (node.isDc) dcDown = shutdown;
      else shutdowns.push(shutdown);
    }
    if (!fencing && node.unclean)
      cluster.warn(`Node ${node.name} is unclean but cannot be fenced`, node.name);
  }
  if (!dcDown) return;
  // The coordinator goes last, or there would be an election for every node before it.
  if (dcDown.task === "do_shutdown") for (const each of shutdowns) orderActions(each, dcDown, Link.Ordered);
  const before = cluster.options.concurrentFencing ? fencings : fencings.slice(-1);
  for (const each of before) orderActions(each, dcDown, Link.Ordered);
}

/** Nothing is fenced for the sake of resources that are all left alone. */
const hasManaged = ({ managed, children }: Resource): boolean => managed || children.some(hasManaged);

function scheduleShutdown(cluster: Cluster, node: Node): Action {
  const shutdown = clusterAction(cluster, `do_shutdown-${node.name}`, "do_shutdown", node, false);
  for (const stop of [...cluster.actions].reverse()) {
    const { rsc } = stop;
    if (stop.node !== node || stop.task !== "stop" || !rsc) continue;
    if (rsc.maintenance || node.maintenance) continue;
    // An unmanaged resource must not keep the node from going; a blocked one does.
    if (!rsc.managed && !rsc.blocked) continue;
    stop.clear(Flag.Optional);
    orderActions(stop, shutdown, Link.Ordered | Link.UnrunnableFirstBlocks);
  }
  shutdown.meta.set("op_no_wait", "true");
  return shutdown;
}

/** A guest is fenced by the recovery of its container: the fencing is only a point to order things by. */
function fenceGuest(cluster: Cluster, node: Node): void {
  const connection = node.remoteRsc;
  const container = connection?.container;
  const stop = container && firstAction(container, "stop");
  const operation = container && firstAction(container, "start") ? "reboot" : "off";
  const fencing = fencingAction(cluster, node, operation, false, "guest is unclean", false);
  fencing.set(Flag.Pseudo | Flag.Runnable);
  const follows = Link.UnrunnableFirstBlocks | Link.FirstImpliesThen;
  if (stop?.pseudo && stop.node) {
    const host = fencingAction(cluster, stop.node, undefined, false, undefined, false);
    orderActions(host, fencing, follows);
  } else if (stop) orderActions(stop, fencing, follows);
  else orderActions(connection && firstAction(connection, "stop"), fencing, Link.Ordered);
  orderAroundFencing(cluster, fencing, node);
}

function orderAroundFencing(cluster: Cluster, fencing: Action, target: Node): void {
  const visit = (rsc: Resource) => {
    if (rsc.children.length > 0) for (const part of rsc.children) visit(part);
    else if (rsc.managed) {
      orderStarts(rsc, fencing, target);
      implyStops(cluster, rsc, fencing, target);
    }
  };
  for (const rsc of cluster.resources) visit(rsc);
}

function orderStarts(rsc: Resource, fencing: Action, target: Node): void {
  for (const each of rsc.actions) {
    if (each.needs === "fencing" || each.needs === "unfencing") orderActions(fencing, each, Link.Ordered);
    else if (
      each.needs === "quorum" &&
      each.task === "start" &&
      rsc.allowed.has(target) &&
      !isKnownOn(rsc, target)
    )
      // It may be active there for all we know: whoever knew is gone.
      orderActions(fencing, each, Link.Ordered | Link.UnrunnableFirstBlocks);
  }
}

/** What was active on a node that gets fenced is stopped by that. */
function implyStops(cluster: Cluster, rsc: Resource, fencing: Action, target: Node): void {
  const stops = findActions(rsc, opKey(rsc.id, "stop", 0), target);
  const ordered = rsc.needsFencing || target.isGuest;
  const whole = topLevel(rsc, false);
  const wholeStop = ordered && stops.length > 0 ? firstAction(whole, "stop") : undefined;
  const bundled = topLevel(rsc).isBundle;
  for (const stop of stops) {
    stop.set(Flag.Pseudo | Flag.Runnable);
    if (ordered) {
      if (!bundled) orderActions(fencing, stop, Link.GuestAllowed);
      orderActions(fencing, wholeStop, Link.GuestAllowed);
    }
    if (rsc.notify) notifyAfterFencing(cluster, stop, rsc, fencing);
  }
  for (const demote of findActions(rsc, opKey(rsc.id, "demote", 0), target)) {
    if (demote.node?.online && !demote.node.unclean && !rsc.failed) continue;
    demote.set(Flag.Pseudo | Flag.Runnable);
    if (!bundled && ordered) orderActions(fencing, demote, Link.GuestAllowed | Link.Ordered);
  }
}

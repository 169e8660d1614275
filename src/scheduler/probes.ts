import { action, clusterAction, fenceNode } from "./actions.ts";
import { Flag, Link, Role } from "./flags.ts";
import { actionsOf } from "./methods.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { topLevel } from "./model.ts";
import { opKey } from "./operations.ts";
import { addOrdering, orderTasks } from "./orderings.ts";
import { connectionState } from "./remote-order.ts";
import { orderAfterUnfencing } from "./unfencing.ts";

/** Asks about every resource on every node where its state is not known yet. */
export function scheduleProbes(cluster: Cluster): void {
  if (!cluster.options.startupProbes) return;
  for (const node of cluster.nodes) {
    if (!node.online) {
      const booting = node.remoteWasFenced && cluster.rules.fencedRemotesMayBeSlow;
      if (node.isRemote && node.remoteRsc && !booting && connectionState(node) === "failed")
        fenceNode(cluster, node, "the connection is unrecoverable", false);
      continue;
    }
    if (node.unclean || !node.rscDiscoveryEnabled) continue;
    if (probesTurnedOff(node)) {
      clusterAction(cluster, `${probeAgain}-${node.name}`, probeAgain, node, false);
      continue;
    }
    for (const rsc of cluster.resources) actionsOf(rsc).createProbe(cluster, rsc, node);
  }
}

/**
 * CIBs of releases before 1.1.14 have an attribute that says that a node has not been probed yet. It is asked to do so,
 * and only then about its resources.
 */
const probeAgain = "probe_again";

function probesTurnedOff(node: Node): boolean {
  const value = node.attributes.get("probe_complete");
  return value !== undefined && !/^(true|on|yes|y|1)$/i.test(value);
}

/** Makes the probe of a primitive on a node, if one is needed. */
export function probePrimitive(cluster: Cluster, rsc: Resource, node: Node): boolean {
  if (!cluster.options.startupProbes || cannotRunThere(rsc, node)) return false;
  if ((rsc.container && !rsc.isRemoteConnection) || rsc.removed || rsc.knownOn.has(node)) return false;
  const whole = topLevel(rsc, false);
  const allowed = rsc.allowed.get(node);
  if (rsc.exclusiveDiscovery || whole.exclusiveDiscovery)
    if (allowed?.discovery !== "exclusive") return false;
  if ((allowed?.discovery ?? (node.closed ? "never" : "always")) === "never") return false;
  if (node.isGuest && node.remoteRsc?.container && guestGoes(cluster, whole, node, node.remoteRsc.container))
    return false;
  const probe = probeAction(cluster, rsc, node);
  const about = whole.isClone ? whole : rsc;
  let kind: number = Link.Ordered;
  // Nothing starts while its state is unknown, but what runs is not stopped for that.
  const { runningOn } = cluster.rules.probesHoldInactive ? about : rsc;
  if (!probe.runnable && runningOn.length === 0) kind |= Link.UnrunnableFirstBlocks;
  addOrdering(cluster, { rsc, action: probe }, { rsc: about, task: "start" }, kind);
  addOrdering(
    cluster,
    { rsc, action: probe },
    { rsc: about, key: opKey(rsc.id, "reload-agent", 0) },
    Link.Ordered,
  );
  return true;
}

/** Whether the state of a resource on a node is known; of an anonymous clone, from any of its instances. */
export function isKnownOn(rsc: Resource, node: Node): boolean {
  if (rsc.knownOn.has(node)) return true;
  const { parent } = rsc;
  return rsc.isPrimitive && parent?.isClone === true && !parent.unique && parent.knownOn.has(node);
}

/** Remote nodes have no fencing devices and no connections; guests no further guests. */
function cannotRunThere(rsc: Resource, node: Node): boolean {
  if (!node.isRemoteOrGuest) return false;
  if (rsc.isFenceDevice || rsc.isRemoteConnection) return true;
  return node.isGuest && rsc.fillers.some((filler) => filler.isRemoteConnection);
}

/** A guest that is down, or goes down, needs no probing; what starts there waits for what is known then. */
function guestGoes(cluster: Cluster, whole: Resource, node: Node, guest: Resource): boolean {
  if (guest.role === Role.Stopped) {
    if (guest.assignedTo && !guest.knownOn.has(guest.assignedTo))
      orderTasks(cluster, guest, "monitor", whole, "start", Link.Ordered);
    return true;
  }
  const moves =
    guest.role > Role.Stopped &&
    guest.assignedTo !== undefined &&
    !guest.runningOn.includes(guest.assignedTo);
  if (
    !node.remoteRequiresReset &&
    !node.unclean &&
    !guest.failed &&
    guest.nextRole !== Role.Stopped &&
    !moves
  )
    return false;
  orderTasks(cluster, guest, "stop", whole, "start", Link.Ordered);
  return true;
}

function probeAction(cluster: Cluster, rsc: Resource, node: Node): Action {
  const probe = action(cluster, rsc, opKey(rsc.id, "monitor", 0), "monitor", 0, node, false);
  probe.clear(Flag.Optional);
  orderAfterUnfencing(cluster, rsc, node, probe, Link.Ordered);
  if (!rsc.runningOn.includes(node)) probe.meta.set("op_target_rc", "7");
  else if (rsc.role === Role.Promoted) probe.meta.set("op_target_rc", "8");
  return probe;
}

import { fenceNode } from "./actions.ts";
import { currentNode } from "./availability.ts";
import { Link, Role } from "./flags.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { addOrdering } from "./orderings.ts";

/**
 * What happens on a remote or guest node happens while its connection is up (Pacemaker Remote, "How Pacemaker Remote
 * Works"). Call it when all resources have their actions and before fencing is decided: a node whose connection
 * cannot be made again has to be fenced.
 */
export function orderRemoteActions(cluster: Cluster): void {
  if (!cluster.haveRemoteNodes) return;
  for (const action of [...cluster.actions].reverse()) {
    const { rsc, node } = action;
    if (!rsc) continue;
    if (rsc.isRemoteConnection && action.task === "clear_failcount") {
      addOrdering(cluster, { action }, { rsc, task: "start" }, Link.Ordered);
      continue;
    }
    const connection = node?.remoteRsc;
    if (!node?.isRemoteOrGuest || action.pseudo || !connection) continue;
    if (action.task === "start") keepUntilConnected(cluster, rsc, node, connection);
    if (connection.container) orderInGuest(cluster, action, node, connection, connection.container);
    else orderOnRemote(cluster, action, node, connection);
  }
}

/** What moves to a remote node stops where it is only once the connection is up. */
function keepUntilConnected(cluster: Cluster, rsc: Resource, node: Node, connection: Resource): void {
  for (const stop of rsc.actions)
    if (stop.task === "stop" && stop.node !== node)
      addOrdering(cluster, { rsc: connection, task: "start" }, { action: stop }, Link.Ordered);
}

type Order = (kind: number) => void;

/** Orderings after the start of what the action needs, and before the stop of the connection. */
function orders(
  cluster: Cluster,
  action: Action,
  needed: Resource,
): { afterStart: Order; beforeStop: Order } {
  return {
    afterStart: (kind) =>
      addOrdering(
        cluster,
        { rsc: needed, task: "start" },
        { action },
        Link.GuestAllowed | Link.UnrunnableFirstBlocks | kind,
      ),
    beforeStop: (kind) =>
      addOrdering(cluster, { action }, { rsc: needed, task: "stop" }, Link.GuestAllowed | kind),
  };
}

/** Tasks that belong to a step of a resource's life; anything else is nothing particular. */
const known: ReadonlySet<string> = new Set([
  "monitor",
  "stop",
  "stopped",
  "start",
  "running",
  "notify",
  "notified",
  "promote",
  "promoted",
  "demote",
  "demoted",
]);

function orderInGuest(
  cluster: Cluster,
  action: Action,
  node: Node,
  connection: Resource,
  container: Resource,
): void {
  if (container.failed) fenceNode(cluster, node, "container failed", false);
  const { afterStart, beforeStop } = orders(cluster, action, connection);
  switch (action.task) {
    case "start":
    case "promote":
      orders(cluster, action, container).afterStart(Link.FirstImpliesThen);
      afterStart(Link.None);
      break;
    case "stop":
    case "demote":
    case "migrate_to":
    case "migrate_from":
      // Of a failed container nothing inside has to be stopped: its own stop does that.
      if (!container.failed) beforeStop(Link.None);
      break;
    default:
      if (action.intervalMs === 0) afterStart(Link.None);
      else if (known.has(action.task)) afterStart(Link.FirstImpliesThen);
  }
}

export type ConnectionState = "unknown" | "alive" | "resting" | "failed" | "stopped";

/** What can be said about the connection to a remote node, for what is to be done there. */
export function connectionState(node: Node): ConnectionState {
  const connection = node.remoteRsc;
  if (!connection) return "unknown";
  const host = currentNode(connection);
  if (connection.nextRole === Role.Stopped || !connection.assignedTo) {
    if (host?.unclean) return "failed";
    if (!connection.failed) return "stopped";
    const waiting = connection.nextRole === Role.Stopped && connection.remoteReconnectMs !== 0;
    // Whether it comes back is known only after the reconnect interval.
    if (waiting && node.remoteWasFenced && !shutdownRequested(node)) return "unknown";
    return "failed";
  }
  if (!host) return "unknown";
  if (host.unclean || !host.online) return "resting";
  const migrating = connection.partialMigrationSource && connection.partialMigrationTarget;
  if (connection.runningOn.length > 1 && migrating) return "resting";
  return "alive";
}

const shutdownRequested = (node: Node): boolean => {
  const value = node.attributes.get("shutdown");
  return value !== undefined && value !== "0";
};

function orderOnRemote(cluster: Cluster, action: Action, node: Node, connection: Resource): void {
  const state = connectionState(node);
  const { afterStart, beforeStop } = orders(cluster, action, connection);
  switch (action.task) {
    case "start":
    case "promote":
      afterStart(state === "failed" ? Link.FirstImpliesThen : Link.None);
      return;
    case "stop":
    case "migrate_to":
    case "migrate_from":
      if (state === "failed")
        fenceNode(cluster, node, "resources are active but connection is unrecoverable", false);
      else if (state === "alive" || connection.nextRole === Role.Stopped) beforeStop(Link.ThenImpliesFirst);
      else afterStart(Link.None);
      return;
    case "demote":
      // Else the stop takes care of it; a connection that goes down for good must not hold it back.
      if (state === "resting" || state === "unknown") afterStart(Link.None);
      return;
    default:
  }
  if (action.intervalMs > 0) {
    afterStart(Link.FirstImpliesThen);
    return;
  }
  if (action.task === "monitor" && state === "failed")
    fenceNode(cluster, node, "resources are in unknown state and connection is unrecoverable", false);
  // A last look at what is there before the connection goes down for good.
  if (state === "stopped" && currentNode(connection)) beforeStop(Link.UnrunnableFirstBlocks);
  else afterStart(Link.None);
}

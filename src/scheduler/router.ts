import { currentNode } from "./availability.ts";
import type { Action, Node } from "./model.ts";

/** Done while the connection to the node is still where it was. */
const early: ReadonlySet<string> = new Set(["cancel", "stop", "demote", "migrate_from", "migrate_to"]);

/** Cluster node that carries out an action on a remote or guest node: the one with the connection at that time. */
export function routerOf(action: Action): Node | undefined {
  const connection = action.node?.isRemoteOrGuest ? action.node.remoteRsc : undefined;
  if (!connection || action.task === "stonith") return undefined;
  const from = currentNode(connection);
  const to = connection.assignedTo;
  if (!from || !to || from === to) return from ?? to;
  const partial = !connection.container && connection.partialMigrationTarget !== undefined;
  const task = action.task === "notify" ? (action.meta.get("notify_operation") ?? "") : action.task;
  return early.has(task) && !partial ? from : to;
}

import { Flag, Link } from "./flags.ts";
import type { Action, Cluster, Edge, Node, Resource } from "./model.ts";

/** Kinds of edges that change nothing about the actions that they connect. */
const harmless = Link.ThenImpliesFirstGraphed | Link.FirstImpliesThenGraphed | Link.Ordered;

/** Whether an action will be carried out. */
export function inGraph(action: Action): boolean {
  if (!action.runnable) return false;
  if (action.optional && !action.has(Flag.PrintAlways)) return false;
  const { rsc, node } = action;
  if (rsc && !rsc.managed && action.task !== "monitor" && action.intervalMs === 0) return false;
  if (action.pseudo || action.task === "stonith" || action.task === "do_shutdown") return true;
  if (!node) return false;
  if (action.has(Flag.OnCoordinator)) return true;
  if (node.isGuest && !node.remoteRequiresReset) return true;
  return node.online && !node.unclean;
}

/** Whether an action really has to wait for an input. Edges that are found not to count are taken out for good. */
export function edgeCounts(action: Action, edge: Edge): boolean {
  const input = edge.action;
  if (edge.state === "printed") return true;
  if (edge.kind === Link.None) return false;
  if (!input.runnable && (edge.kind & ~harmless) === 0) return false;
  if (!input.runnable && (edge.kind & (Link.MinRunnable | Link.UnmigratableThenBlocks)) !== 0) return false;
  const migrating = input.has(Flag.MigrateRunnable);
  if (migrating && (edge.kind & Link.IfFirstUnmigratable) !== 0) return false;
  if (migrating && edge.kind === Link.Ordered && input.task === "stop") return false;
  if (edge.kind === Link.IfOnSameNodeOrTarget) {
    const where = action.rsc && action.task === "migrate_to" ? action.rsc.assignedTo : action.node;
    const moving = action.rsc !== undefined && action.task === "migrate_to";
    if (input.node !== where || (!moving && input.optional)) {
      edge.kind = Link.None;
      return false;
    }
  } else if (edge.kind === Link.IfRequiredOnSameNode) {
    const elsewhere = input.node && action.node && input.node !== action.node;
    if (elsewhere || input.optional) {
      edge.kind = Link.None;
      return false;
    }
  } else if (
    input.rsc &&
    input.rsc !== action.rsc &&
    input.rsc.failed &&
    !input.rsc.managed &&
    input.task === "stop" &&
    action.rsc?.isClone
  )
    return false;
  if (input.optional && !input.has(Flag.PrintAlways) && !input.has(Flag.DumpedInGraph) && !inGraph(input))
    return false;
  return true;
}

/** Whether a resource is the one that brings a guest node up. */
const bringsUp = (rsc: Resource | undefined, node: Node | undefined): boolean =>
  rsc !== undefined && rsc.fillers.length > 0 && node?.remoteRsc?.container === rsc;

/**
 * Takes out edges that can never hold: a guest's carrier waiting for what is inside, and circles of load, in which
 * the action that was decided last does not wait.
 */
export function dropInvalidEdges(cluster: Cluster): void {
  for (const action of [...cluster.actions].reverse())
    for (const edge of action.before) {
      if (
        (edge.kind & Link.GuestAllowed) === 0 &&
        edge.action.rsc &&
        bringsUp(action.rsc, edge.action.node)
      ) {
        edge.kind = Link.None;
        continue;
      }
      if (
        edge.kind === Link.IfOnSameNodeOrTarget &&
        action.task === "migrate_to" &&
        leadsTo(cluster, action, edge)
      )
        edge.kind = Link.None;
    }
}

/** Whether what an edge comes from waits, in the end, for `target`. */
function leadsTo(cluster: Cluster, target: Action, start: Edge): boolean {
  if (!edgeCounts(target, start)) return false;
  const visit = ++cluster.loopVisit;
  const pending: Action[] = [start.action];
  for (let current = pending.pop(); current; current = pending.pop()) {
    if (current === target) return true;
    if (current.visited === visit) continue;
    current.visited = visit;
    for (const edge of current.before) if (edgeCounts(current, edge)) pending.push(edge.action);
  }
  return false;
}

/** Joins edges from the same action into one with all their kinds. */
export function joinEdges(action: Action): void {
  if (action.has(Flag.Deduplicated)) return;
  action.set(Flag.Deduplicated);
  const first = new Map<Action, Edge>();
  for (const edge of action.before) {
    const known = first.get(edge.action);
    if (!known) first.set(edge.action, edge);
    else known.kind |= edge.kind;
  }
  action.before = [...first.values()];
}

import { findActions } from "./actions.ts";
import { activeNode } from "./availability.ts";
import type { Change, ResourceChange } from "./face.ts";
import { Flag, Role, roleName } from "./flags.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { opKey } from "./operations.ts";

/** What will change: first what happens to nodes. */
export function summarize(cluster: Cluster): Change[] {
  const nodes = [...cluster.actions].reverse().flatMap((action) => nodeChange(action) ?? []);
  return [...nodes, ...cluster.resources.flatMap(resourceChanges)];
}

/** A change as a line: `ACTION RSC ( DETAILS )  REASON`. */
export function changeText(change: Change): string {
  const { reason } = change;
  if (change.kind === "node")
    return `${change.task} ${change.node}${reason === undefined ? "" : ` '${reason}'`}`;
  const { verb, rsc, blocked } = change;
  const why =
    reason === undefined ? (blocked ? "  blocked" : "") : `  due to ${reason}${blocked ? " (blocked)" : ""}`;
  return `${verb} ${rsc} ( ${detailsOf(change)} )${why}`;
}

function nodeChange(action: Action): Change | undefined {
  const { node, task } = action;
  if (action.rsc || action.optional || !node) return undefined;
  if (task !== "stonith") return undefined;
  const container = node.isGuest ? node.remoteRsc?.container : undefined;
  const name = container ? `${node.name} (resource: ${container.id})` : node.name;
  return {
    kind: "node",
    task: `Fence (${action.fenceOp ?? "reboot"})`,
    node: name,
    reason: action.reason,
  };
}

function resourceChanges(rsc: Resource): Change[] {
  if (rsc.bundle)
    return rsc.bundle.replicas.flatMap(({ ip, container, remote, child }) =>
      [ip, container, remote, child].flatMap((part) => (part ? resourceChanges(part) : [])),
    );
  if (rsc.children.length > 0) return rsc.children.flatMap(resourceChanges);
  if (!rsc.isPrimitive) return [];
  const current = activeNode(rsc).node;
  if (current && rsc.role === Role.Stopped) rsc.role = Role.Started;
  const next = rsc.assignedTo;
  if (!current && rsc.removed) return [];
  if (!rsc.managed || (!current && !next)) return [];
  return changesOf(rsc, current, next);
}

/** The action with a task, on a node if given, that was made first. */
const taskOn = (rsc: Resource, task: string, node: Node | undefined): Action | undefined =>
  findActions(rsc, opKey(rsc.id, task, 0), node)[0];

function changesOf(rsc: Resource, current: Node | undefined, next: Node | undefined): Change[] {
  const moving = current !== undefined && next !== undefined && current !== next;
  const start = taskOn(rsc, "start", next);
  let stop = taskOn(rsc, "stop", start?.runnable ? current : undefined);
  if (!stop && rsc.stopUnexpected) stop = taskOn(rsc, "stop", undefined);
  const promote = taskOn(rsc, "promote", next);
  const demote = taskOn(rsc, "demote", next);
  const line = (
    verb: string,
    from: Node | undefined,
    to: Node | undefined,
    action: Action | undefined,
    source?: Action,
  ): Change[] => (action ? [change(verb, rsc, from, to, action, source ?? action)] : []);
  if (rsc.role === rsc.nextRole) {
    if (!next) return [];
    const migrate = taskOn(rsc, "migrate_from", next);
    if (migrate?.runnable && current) return line("Migrate", current, next, start);
    if (rsc.reload) return line("Reload", current, next, start);
    if (!start || start.optional) {
      if (demote && promote && !demote.optional && !promote.optional)
        return line("Re-promote", current, next, promote, demote);
      return [];
    }
    if (!start.runnable)
      return line("Stop", current, undefined, stop, stop?.reason === undefined ? start : stop);
    if (moving) return line(rsc.failed ? "Recover" : "Move", current, next, stop);
    if (rsc.failed) return line("Recover", current, undefined, stop);
    return line("Restart", current, next, start);
  }
  if (stop && (rsc.nextRole === Role.Stopped || (start && !start.runnable)))
    return rsc.runningOn.flatMap((node) => {
      const own = taskOn(rsc, "stop", node);
      const source = own?.reason === undefined ? start : own;
      return line("Stop", node, undefined, own, source);
    });
  if (stop && rsc.failed && rsc.stopIfFailed) return line("Recover", current, next, stop, start);
  if (moving) return line("Move", current, next, stop);
  if (rsc.reload) return line("Reload", current, next, start);
  if (stop && !stop.optional) return line("Restart", current, next, start);
  if (rsc.role === Role.Promoted) return line("Demote", current, next, demote);
  if (rsc.nextRole === Role.Promoted) return line("Promote", current, next, promote);
  if (rsc.role === Role.Stopped && rsc.nextRole > Role.Stopped) return line("Start", current, next, start);
  return [];
}

function change(
  verb: string,
  rsc: Resource,
  from: Node | undefined,
  to: Node | undefined,
  action: Action,
  source: Action,
): Change {
  const telling = rsc.role > Role.Started || rsc.nextRole > Role.Unpromoted;
  const sameRole = rsc.role === rsc.nextRole;
  // Where a resource stays or moves and its role changes, the roles are told whatever they are.
  const told = telling || (!sameRole && from !== undefined && to !== undefined);
  return {
    kind: "resource",
    verb,
    rsc: rsc.id,
    roles: told ? { from: roleName(rsc.role), to: roleName(rsc.nextRole) } : undefined,
    sameRole,
    from: from?.name,
    to: to?.name,
    reason: source.reason,
    blocked: (action.flags & Flag.Runnable) === 0,
  };
}

function detailsOf({ roles, sameRole, from, to }: ResourceChange): string {
  if (from === undefined) return roles ? `${roles.from} -> ${roles.to} ${to}` : `${to}`;
  if (to === undefined) return roles ? `${roles.from} ${from}` : from;
  if (sameRole && from === to) return roles ? `${roles.from} ${from}` : from;
  if (sameRole) return roles ? `${from} -> ${to} ${roles.from}` : `${from} -> ${to}`;
  if (from === to) return `${roles?.from} -> ${roles?.to} ${from}`;
  return `${roles?.from} ${from} -> ${roles?.to} ${to}`;
}

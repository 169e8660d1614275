import { findActions } from "./actions.ts";
import { activeNode } from "./availability.ts";
import { Flag, Role, roleName } from "./flags.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { opKey } from "./operations.ts";

/** What will change, a line each: `ACTION RSC ( DETAILS )  REASON`; first what happens to nodes. */
export function summarize(cluster: Cluster): string[] {
  const lines: string[] = [];
  for (const action of [...cluster.actions].reverse()) {
    const line = nodeLine(action);
    if (line !== undefined) lines.push(line);
  }
  for (const rsc of cluster.resources) lines.push(...resourceLines(rsc));
  return lines;
}

function nodeLine(action: Action): string | undefined {
  const { node, task } = action;
  if (action.rsc || action.optional || !node) return undefined;
  if (task !== "stonith") return undefined;
  const container = node.isGuest ? node.remoteRsc?.container : undefined;
  const name = container ? `${node.name} (resource: ${container.id})` : node.name;
  const reason = action.reason === undefined ? "" : ` '${action.reason}'`;
  return `Fence (${action.fenceOp ?? "reboot"}) ${name}${reason}`;
}

function resourceLines(rsc: Resource): string[] {
  if (rsc.bundle)
    return rsc.bundle.replicas.flatMap(({ ip, container, remote, child }) =>
      [ip, container, remote, child].flatMap((part) => (part ? resourceLines(part) : [])),
    );
  if (rsc.children.length > 0) return rsc.children.flatMap(resourceLines);
  if (!rsc.isPrimitive) return [];
  const current = activeNode(rsc).node;
  if (current && rsc.role === Role.Stopped) rsc.role = Role.Started;
  const next = rsc.assignedTo;
  if (!current && rsc.removed) return [];
  if (!rsc.managed || (!current && !next)) return [];
  return linesFor(rsc, current, next);
}

/** The action with a task, on a node if given, that was made first. */
const taskOn = (rsc: Resource, task: string, node: Node | undefined): Action | undefined =>
  findActions(rsc, opKey(rsc.id, task, 0), node)[0];

function linesFor(rsc: Resource, current: Node | undefined, next: Node | undefined): string[] {
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
  ): string[] => (action ? [format(verb, rsc, from, to, action, source ?? action)] : []);
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

function format(
  verb: string,
  rsc: Resource,
  from: Node | undefined,
  to: Node | undefined,
  action: Action,
  source: Action,
): string {
  const details = detailsFor(rsc, from?.name, to?.name);
  const blocked = (action.flags & Flag.Runnable) === 0;
  let reason = "";
  if (source.reason !== undefined) reason = `  due to ${source.reason}${blocked ? " (blocked)" : ""}`;
  else if (blocked) reason = "  blocked";
  return `${verb} ${rsc.id} ( ${details} )${reason}`;
}

function detailsFor(rsc: Resource, from: string | undefined, to: string | undefined): string {
  const showRole = rsc.role > Role.Started || rsc.nextRole > Role.Unpromoted;
  const role = roleName(rsc.role);
  const next = roleName(rsc.nextRole);
  if (from === undefined) return showRole ? `${role} -> ${next} ${to}` : `${to}`;
  if (to === undefined) return showRole ? `${role} ${from}` : from;
  const sameRole = rsc.role === rsc.nextRole;
  if (sameRole && from === to) return showRole ? `${role} ${from}` : from;
  if (sameRole) return showRole ? `${from} -> ${to} ${role}` : `${from} -> ${to}`;
  if (from === to) return `${role} -> ${next} ${from}`;
  return `${role} ${from} -> ${next} ${to}`;
}

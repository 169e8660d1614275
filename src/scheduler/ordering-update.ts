import { INFINITY, lookup } from "../terms/index.ts";
import { clearBecause, orderActions, setReason } from "./actions.ts";
import { roleOf, soleLocation } from "./availability.ts";
import { withThisColocations } from "./colocation.ts";
import { Flag, Link, Role } from "./flags.ts";
import { actionsOf, Changed } from "./methods.ts";
import type { Action, Cluster, Edge, Node, Resource } from "./model.ts";
import { topLevel } from "./model.ts";

/** First action of a resource with a task that does not recur: newest first, on a node if given. */
export function firstAction(rsc: Resource, task: string, node?: Node): Action | undefined {
  const all = rsc.actionsByKey.get(`${rsc.id}_${task}_0`);
  if (!all) return undefined;
  for (let index = all.length - 1; index >= 0; index--) {
    const found = all[index];
    if (found && found.task === task && (node === undefined || found.node === node)) return found;
  }
  return undefined;
}

/** What a task of a collective is called when it is complete. */
const completed: Readonly<Record<string, string>> = lookup({
  start: "running",
  stop: "stopped",
  promote: "promoted",
  demote: "demoted",
  running: "running",
  stopped: "stopped",
  promoted: "promoted",
  demoted: "demoted",
});

/** The task whose completion a pseudo action tells. */
export const begun: Readonly<Record<string, string>> = lookup({
  running: "start",
  stopped: "stop",
  promoted: "promote",
  demoted: "demote",
});

/**
 * What comes after a group or clone waits until all of it is done, not just begun; with notifications until
 * everybody has been told.
 */
function completion(first: Action): Action {
  const { rsc } = first;
  if (!rsc || rsc.isPrimitive || first.intervalMs !== 0 || first.key.includes("_notify_")) return first;
  const task = completed[first.task];
  if (task === undefined) return first;
  const key =
    rsc.notify && rsc.isCollective ? `${rsc.id}_confirmed-post_notify_${task}_0` : `${rsc.id}_${task}_0`;
  return rsc.actionsByKey.get(key)?.at(-1) ?? first;
}

/** Flags of an action as an ordering sees them. A clone's are those of its instance on the node. */
function flagsForOrdering(cluster: Cluster, action: Action, node: Node | undefined): number {
  const { rsc } = action;
  if (!rsc) return action.flags;
  if (rsc.isPrimitive) return action.flags;
  const methods = actionsOf(rsc);
  const flags = methods.actionFlags(cluster, action, undefined);
  if (!node || !rsc.isClone) return flags;
  // Whether it can run at all counts, not whether it can on that node.
  return methods.actionFlags(cluster, action, node) | (flags & Flag.Runnable);
}

const isInside = (rsc: Resource, parent: Resource): boolean => {
  for (let current = rsc.parent; current; current = current.parent) if (current === parent) return true;
  return false;
};

/** Beyond this depth, updates that follow from updates are queued rather than made at once. */
const maximumDepth = 400;

interface UpdateState {
  depth: number;
  readonly queue: Action[];
}

const states = new WeakMap<Cluster, UpdateState>();

function stateOf(cluster: Cluster): UpdateState {
  let state = states.get(cluster);
  if (!state) {
    state = { depth: 0, queue: [] };
    states.set(cluster, state);
  }
  return state;
}

/** Applies all orderings in which an action comes later; whatever changes is followed up, until nothing does. */
export function updateAction(cluster: Cluster, then: Action): void {
  const state = stateOf(cluster);
  if (state.depth >= maximumDepth) {
    state.queue.push(then);
    return;
  }
  state.depth++;
  updateOnce(cluster, then);
  state.depth--;
  if (state.depth > 0) return;
  for (let next = state.queue.pop(); next; next = state.queue.pop()) {
    state.depth = 1;
    updateOnce(cluster, next);
    state.depth = 0;
  }
}

function updateOnce(cluster: Cluster, then: Action): void {
  const before = then.flags;
  let changed: number = Changed.None;
  const needsSome = then.has(Flag.RequiresAny);
  if (needsSome) {
    then.runnableBefore = 0;
    if (then.requiredRunnableBefore === 0) then.requiredRunnableBefore = 1;
    // Counting the inputs will say again whether it can run.
    then.clear(Flag.Runnable);
  }
  const inputs = then.before;
  for (let index = inputs.length - 1; index >= 0; index--) {
    const edge = inputs[index];
    if (!edge || edge.kind === Link.None) continue;
    changed &= ~Changed.First;
    changed |= updateEdge(cluster, edge, then);
  }
  if (needsSome) {
    if (then.flags === before) changed &= ~Changed.Then;
    else changed |= Changed.Then;
  }
  if ((changed & Changed.Then) === 0) return;
  if ((before & Flag.Runnable) !== 0 && !then.runnable) blockDependents(cluster, then);
  updateAction(cluster, then);
  followUp(cluster, then);
}

/** Updates what comes after an action, the newest ordering first. */
export function followUp(cluster: Cluster, action: Action): void {
  const { after } = action;
  for (let index = after.length - 1; index >= 0; index--) {
    const edge = after[index];
    if (edge) updateAction(cluster, edge.action);
  }
}

function groupStartNode(action: Action): Node | undefined {
  const { rsc } = action;
  return rsc?.isGroup && action.task === "start" ? soleLocation(rsc, false) : action.node;
}

function updateEdge(cluster: Cluster, edge: Edge, then: Action): number {
  let first = edge.action;
  const thenNode = groupStartNode(then);
  const firstNode = groupStartNode(first);
  if ((edge.kind & Link.IfOnSameNode) !== 0 && firstNode && thenNode && firstNode !== thenNode) {
    edge.kind = Link.None;
    return Changed.None;
  }
  if (first.rsc && (edge.kind & Link.ThenCancelsFirst) !== 0 && !then.optional) {
    first.set(Flag.Optional);
    if (first.task === "reload-agent") first.rsc.reload = false;
  }
  if (first.rsc && then.rsc && first.rsc !== then.rsc && !isInside(then.rsc, first.rsc))
    first = completion(first);
  let changed: number = Changed.None;
  // Asking a collective for its flags also settles what its instances require of it.
  const firstFlags = flagsForOrdering(cluster, first, thenNode);
  const thenFlags = flagsForOrdering(cluster, then, firstNode);
  if (first === edge.action) {
    changed = updateByKind(cluster, first, then, firstFlags, thenFlags, edge);
  } else if (orderActions(first, then, edge.kind)) {
    changed = Changed.Then;
    edge.kind = Link.None;
  }
  if ((changed & Changed.First) !== 0) {
    followUp(cluster, first);
    updateAction(cluster, first);
  }
  return changed;
}

/** Each kind of an edge in turn, with the flags that it can change. */
function updateByKind(
  cluster: Cluster,
  first: Action,
  then: Action,
  firstFlags: number,
  thenFlags: number,
  edge: Edge,
): number {
  let node = then.node;
  let changed: number = Changed.None;
  const update = (rsc: Resource, flags: number, filter: number, kind: number) =>
    actionsOf(rsc).updateOrdered(cluster, first, then, node, flags, filter, kind);
  if ((edge.kind & Link.FirstImpliesSameNodeThen) !== 0) {
    // Unfencing: only the instances on that node.
    edge.kind = (edge.kind & ~Link.FirstImpliesSameNodeThen) | Link.FirstImpliesThen;
    node = first.node;
  }
  const has = (kind: number) => (edge.kind & kind) !== 0;
  const optional = firstFlags & Flag.Optional;
  const runnable = firstFlags & Flag.Runnable;
  if (has(Link.FirstImpliesThen)) {
    if (then.rsc) changed |= update(then.rsc, optional, Flag.Optional, Link.FirstImpliesThen);
    else if (!optional && then.optional) {
      then.clear(Flag.Optional);
      changed |= Changed.Then;
    }
  }
  if (has(Link.Restart) && then.rsc)
    changed |= update(then.rsc, firstFlags, Flag.Optional | Flag.Runnable, Link.Restart);
  if (has(Link.ThenImpliesFirst)) {
    if (first.rsc) changed |= update(first.rsc, firstFlags, Flag.Optional, Link.ThenImpliesFirst);
    else if (!optional && first.runnable) {
      first.clear(Flag.Runnable);
      changed |= Changed.First;
    }
  }
  if (has(Link.PromotedThenImpliesFirst) && then.rsc)
    changed |= update(then.rsc, optional, Flag.Optional, Link.PromotedThenImpliesFirst);
  if (has(Link.MinRunnable)) {
    if (then.rsc) changed |= update(then.rsc, firstFlags, Flag.Runnable, Link.MinRunnable);
    else if (runnable) {
      then.runnableBefore++;
      if (then.runnableBefore >= then.requiredRunnableBefore && !then.runnable) {
        then.set(Flag.Runnable);
        changed |= Changed.Then;
      }
    }
  }
  if (has(Link.NestedRemoteProbe) && then.rsc) {
    if (!runnable && first.rsc && first.rsc.runningOn.length > 0) edge.kind = Link.None;
    else changed |= update(then.rsc, firstFlags, Flag.Runnable, Link.UnrunnableFirstBlocks);
  }
  if (has(Link.UnrunnableFirstBlocks)) {
    if (then.rsc) changed |= update(then.rsc, firstFlags, Flag.Runnable, Link.UnrunnableFirstBlocks);
    else if (!runnable && then.runnable) {
      then.clear(Flag.Runnable);
      changed |= Changed.Then;
    }
  }
  if (then.rsc) {
    if (has(Link.UnmigratableThenBlocks))
      changed |= update(then.rsc, firstFlags, Flag.Optional, Link.UnmigratableThenBlocks);
    if (has(Link.FirstElseThen)) changed |= update(then.rsc, firstFlags, Flag.Optional, Link.FirstElseThen);
    if (has(Link.Ordered)) changed |= update(then.rsc, firstFlags, Flag.Runnable, Link.Ordered);
    if (has(Link.Asymmetric)) changed |= update(then.rsc, firstFlags, Flag.Runnable, Link.Asymmetric);
  }
  if (first.runnable && has(Link.FirstImpliesThenGraphed) && !optional) then.set(Flag.PrintAlways);
  if (has(Link.ThenImpliesFirstGraphed) && (thenFlags & Flag.Optional) === 0) first.set(Flag.PrintAlways);
  if (
    has(Link.FirstImpliesThen | Link.ThenImpliesFirst | Link.Restart) &&
    blockedStop(first) &&
    then.runnable
  ) {
    then.clear(Flag.Runnable);
    changed |= Changed.Then;
  }
  return changed;
}

/** A stop that cannot be carried out because somebody has to look at the resource first. */
const blockedStop = ({ rsc, runnable, task }: Action): boolean =>
  rsc !== undefined && !rsc.managed && rsc.blocked && !runnable && task === "stop";

/** Applies one kind of ordering to two actions; the part that all variants have in common. */
export function updatePair(
  cluster: Cluster,
  first: Action,
  then: Action,
  flags: number,
  filter: number,
  kind: number,
): number {
  const firstBefore = first.flags;
  const thenBefore = then.flags;
  const optional = (filter & Flag.Optional) !== 0;
  const has = (link: number) => (kind & link) !== 0;
  if (has(Link.Asymmetric)) asymmetric(cluster, first, then);
  if (has(Link.ThenImpliesFirst) && (thenBefore & Flag.Optional) === 0) {
    if (optional && (flags & Flag.Optional) === 0 && (firstBefore & Flag.Optional) !== 0)
      clearBecause(cluster, first, Flag.Optional, then);
    if ((flags & Flag.MigrateRunnable) !== 0 && !then.has(Flag.MigrateRunnable))
      clearBecause(cluster, first, Flag.MigrateRunnable, then);
  }
  if (has(Link.PromotedThenImpliesFirst) && then.rsc?.role === Role.Promoted && optional && !then.optional) {
    clearBecause(cluster, first, Flag.Optional, then);
    if (first.has(Flag.MigrateRunnable) && !then.has(Flag.MigrateRunnable))
      clearBecause(cluster, first, Flag.MigrateRunnable, then);
  }
  if (has(Link.UnmigratableThenBlocks) && optional) {
    if (!then.has(Flag.MigrateRunnable | Flag.Runnable)) clearBecause(cluster, first, Flag.Runnable, then);
    if (!then.optional) clearBecause(cluster, first, Flag.Optional, then);
  }
  if (has(Link.FirstElseThen) && optional && !first.runnable) {
    clearBecause(cluster, then, Flag.MigrateRunnable, first);
    then.clear(Flag.Pseudo);
  }
  if (
    has(Link.UnrunnableFirstBlocks) &&
    (filter & Flag.Runnable) !== 0 &&
    then.runnable &&
    (flags & Flag.Runnable) === 0
  ) {
    clearBecause(cluster, then, Flag.Runnable, first);
    clearBecause(cluster, then, Flag.MigrateRunnable, first);
  }
  if (
    has(Link.FirstImpliesThen) &&
    optional &&
    then.optional &&
    (flags & Flag.Optional) === 0 &&
    !first.has(Flag.MigrateRunnable)
  )
    clearBecause(cluster, then, Flag.Optional, first);
  if (has(Link.Restart)) restart(cluster, first, then, filter);
  let changed: number = Changed.None;
  if (then.flags !== thenBefore) {
    changed |= Changed.Then;
    if (then.rsc?.parent) updateAction(cluster, then);
  }
  if (first.flags !== firstBefore) changed |= Changed.First;
  return changed;
}

/** An asymmetric ordering keeps `then` from running when `first` cannot, unless it is there already. */
function asymmetric(cluster: Cluster, first: Action, then: Action): void {
  const { rsc } = then;
  if (!rsc || first.runnable) return;
  const role = roleOf(rsc, true);
  if (role === Role.Stopped && then.task === "stop") return;
  if (role >= Role.Started && then.task === "start" && then.optional) {
    const only = then.node !== undefined && rsc.runningOn.length === 1 && rsc.runningOn[0] === then.node;
    if (only) return;
  }
  clearBecause(cluster, then, Flag.Optional, first);
  clearBecause(cluster, then, Flag.Runnable, first);
}

/** The stop before a start: needed when the start is, and also when the start is impossible. */
function restart(cluster: Cluster, stop: Action, start: Action, filter: number): void {
  const needed = (filter & Flag.Optional) !== 0 && !start.optional;
  const impossible =
    (filter & Flag.Runnable) !== 0 &&
    !start.runnable &&
    start.rsc?.managed === true &&
    stop.rsc === start.rsc;
  if (!needed && !impossible) return;
  if (stop.runnable) clearBecause(cluster, stop, Flag.Optional, start);
  if (!start.optional) clearBecause(cluster, stop, Flag.Optional, start);
  if (!start.has(Flag.MigrateRunnable)) clearBecause(cluster, stop, Flag.MigrateRunnable, start);
  if (!stop.optional && !stop.runnable) clearBecause(cluster, start, Flag.Runnable, stop);
}

/** When a start or promotion cannot run, neither can that of what must be with it. */
export function blockDependents(cluster: Cluster, action: Action): void {
  if (action.runnable || !action.rsc) return;
  const isStart = action.task === "start";
  if (!isStart && action.task !== "promote") return;
  const rsc = topLevel(action.rsc);
  for (const part of rsc.children) {
    const own = firstAction(part, action.task);
    if (!own || own.runnable) return;
  }
  for (const { score, primaryRole, dependentRole, dependent } of withThisColocations(rsc)) {
    if (score < INFINITY) continue;
    if (!isStart && primaryRole !== Role.Promoted) continue;
    const task = dependentRole === Role.Promoted ? "promote" : "start";
    markBlocked(cluster, dependent, task, action.rsc);
  }
}

function markBlocked(cluster: Cluster, rsc: Resource, task: string, reason: Resource): void {
  const all = rsc.actionsByKey.get(`${rsc.id}_${task}_0`) ?? [];
  for (let index = all.length - 1; index >= 0; index--) {
    const action = all[index];
    if (!action?.runnable || action.task !== task) continue;
    action.clear(Flag.Runnable);
    setReason(action, `colocation with ${reason.id}`, false);
    blockDependents(cluster, action);
    updateAction(cluster, action);
  }
  for (const part of rsc.children) markBlocked(cluster, part, task, reason);
}

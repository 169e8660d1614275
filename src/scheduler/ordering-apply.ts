import { action, findActions, orderActions } from "./actions.ts";
import { roleOf } from "./availability.ts";
import { Flag, Link, Role } from "./flags.ts";
import { dropInvalidEdges } from "./graph-edges.ts";
import type { Action, Cluster, Ordering, Resource } from "./model.ts";
import { opKey } from "./operations.ts";
import { blockDependents, updateAction } from "./ordering-update.ts";
import { orderProbes } from "./probe-order.ts";

/** Turns the orderings into edges between actions and lets the edges change what is optional and runnable. */
export function applyOrderings(cluster: Cluster): void {
  // In the order in which they were made: applying one may make an action that a later one finds.
  for (const ordering of cluster.orderings) {
    if (ordering.firstRsc) applyFirst(cluster, ordering.firstRsc, ordering);
    else if (ordering.thenRsc) applyThen(ordering.firstAction, ordering.thenRsc, ordering);
    else orderActions(ordering.firstAction, ordering.thenAction, ordering.kind);
  }
  const newestFirst = [...cluster.actions].reverse();
  for (const each of newestFirst) blockDependents(cluster, each);
  orderProbes(cluster);
  for (const each of [...cluster.actions].reverse()) updateAction(cluster, each);
  dropInvalidEdges(cluster);
}

interface Task {
  readonly name: string;
  readonly intervalMs: number;
}

/** Task and interval at the end of a key `RSC_TASK_INTERVALMS`. */
export function taskOfKey(key: string): Task | undefined {
  const match =
    /_((?:migrate_(?:to|from)|(?:confirmed-)?(?:pre|post)_notify_[a-z_]+|lrm_delete|clear_failcount|[^_]+))_(\d+)$/.exec(
      key,
    );
  return match?.[1] === undefined ? undefined : { name: match[1], intervalMs: Number(match[2]) };
}

/** Actions of a resource with a key, or with the same task when the key was made for another id of it. */
function byTask(rsc: Resource, key: string): Action[] {
  const found = findActions(rsc, key, undefined);
  if (found.length > 0 || key.startsWith(`${rsc.id}_`)) return found;
  const task = taskOfKey(key);
  return task ? findActions(rsc, opKey(rsc.id, task.name, task.intervalMs), undefined) : [];
}

function applyFirst(cluster: Cluster, rsc: Resource, ordering: Ordering): void {
  const key = ordering.firstTask ?? "";
  let firsts = ordering.firstAction ? [ordering.firstAction] : byTask(rsc, key);
  if (firsts.length === 0 && rsc !== ordering.thenRsc) {
    const made = makeFirst(cluster, rsc, key);
    firsts = made ? [made] : [];
  }
  for (const first of firsts) {
    if (ordering.thenRsc) applyThen(first, ordering.thenRsc, ordering);
    else orderActions(first, ordering.thenAction, ordering.kind);
  }
}

/** An action that something is ordered after must exist, unless it would bring down what is down already. */
function makeFirst(cluster: Cluster, rsc: Resource, key: string): Action | undefined {
  const task = taskOfKey(key);
  if (!task) return undefined;
  const role = roleOf(rsc, true);
  if (task.name === "stop" && role === Role.Stopped) return undefined;
  if (task.name === "demote" && role === Role.Unpromoted) return undefined;
  return action(
    cluster,
    rsc,
    opKey(rsc.id, task.name, task.intervalMs),
    task.name,
    task.intervalMs,
    undefined,
    true,
  );
}

function applyThen(first: Action | undefined, rsc: Resource, ordering: Ordering): void {
  const thens = ordering.thenAction ? [ordering.thenAction] : byTask(rsc, ordering.thenTask ?? "");
  let { kind } = ordering;
  // The stop that cleans up after a broken migration does not make the resource start again.
  if (first && first.rsc === rsc && first.has(Flag.MigrationAbort)) kind &= ~Link.FirstImpliesThen;
  if (!first && (kind & Link.FirstImpliesThen) === 0) return;
  for (const then of thens) {
    if (first) orderActions(first, then, kind);
    else then.clear(Flag.Runnable);
  }
}

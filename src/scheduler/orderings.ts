import { Link } from "./flags.ts";
import type { Action, Cluster, Resource } from "./model.ts";
import { opKey } from "./operations.ts";

/** One end of an ordering: an action, or a task (or key) of a resource whose actions are not made yet. */
export interface End {
  readonly rsc?: Resource | undefined;
  readonly task?: string;
  /** Key when it is not simply that of the task with interval 0. */
  readonly key?: string;
  readonly action?: Action | undefined;
}

/** Adds an ordering of two tasks of resources; migrations get orderings of their own. */
export function orderTasks(
  cluster: Cluster,
  first: Resource,
  firstTask: string,
  then: Resource,
  thenTask: string,
  kind: number,
): void {
  addOrdering(cluster, { rsc: first, task: firstTask }, { rsc: then, task: thenTask }, kind);
}

/** Adds an ordering to the working set. It becomes edges between actions when all actions have been made. */
export function addOrdering(cluster: Cluster, first: End, then: End, kind: number): void {
  const firstRsc = first.rsc ?? first.action?.rsc;
  const thenRsc = then.rsc ?? then.action?.rsc;
  if (!first.action && !firstRsc) return;
  if (!then.action && !thenRsc) return;
  const firstKey = keyOf(first, firstRsc);
  const thenKey = keyOf(then, thenRsc);
  cluster.orderings.push({
    id: cluster.nextOrderingId++,
    firstRsc,
    firstTask: firstKey,
    firstAction: first.action,
    thenRsc,
    thenTask: thenKey,
    thenAction: then.action,
    kind,
  });
  if (!firstRsc || !thenRsc || (!firstRsc.migratable && !thenRsc.migratable)) return;
  const firstTask = stepOf(firstKey);
  const thenTask = stepOf(thenKey);
  if (firstTask !== undefined && thenTask !== undefined)
    orderMigrations(cluster, firstRsc, firstTask, thenRsc, thenTask);
}

/** The step that a key is about, if it is one that a migration may replace. */
const stepOf = (key: string | undefined): string | undefined =>
  key === undefined ? undefined : /_(start|stop|promote|demote)_0$/.exec(key)?.[1];

const keyOf = (end: End, rsc: Resource | undefined): string | undefined => {
  if (end.action) return end.action.key;
  if (end.key !== undefined) return end.key;
  return rsc && end.task !== undefined ? opKey(rsc.id, end.task, 0) : undefined;
};

function isInside(rsc: Resource, parent: Resource): boolean {
  for (let current = rsc.parent; current; current = current.parent) if (current === parent) return true;
  return false;
}

/** What an ordering of starts and stops means for the steps of a live migration. */
function orderMigrations(
  cluster: Cluster,
  first: Resource,
  firstTask: string,
  then: Resource,
  thenTask: string,
): void {
  if (first === then || isInside(first, then) || isInside(then, first)) return;
  const order = (task: string, thenAs: string, kind: number) =>
    orderTasks(cluster, first, task, then, thenAs, kind);
  const ordered = first.migratable ? Link.Ordered | Link.IfFirstUnmigratable : Link.Ordered;
  const partial = then.partialMigrationTarget !== undefined;
  if (firstTask === "start" && thenTask === "start") {
    if (first.migratable && then.migratable) order("migrate_from", "migrate_to", Link.Ordered);
    if (then.migratable) order("start", "migrate_to", ordered);
  } else if (firstTask === "stop" && thenTask === "stop" && then.migratable) {
    order("stop", "migrate_to", ordered);
    if (partial) order("stop", "migrate_from", ordered);
  } else if (firstTask === "promote" && thenTask === "start" && then.migratable) {
    order("promote", "migrate_to", Link.Ordered);
  } else if (firstTask === "demote" && thenTask === "stop" && then.migratable) {
    order("demote", "migrate_to", Link.Ordered);
    if (partial) order("demote", "migrate_from", Link.Ordered);
  }
}

import { action, startAction, stopAction } from "./actions.ts";
import { Flag, Link } from "./flags.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { opKey } from "./operations.ts";
import { addOrdering } from "./orderings.ts";
import { scheduleCleanup } from "./parameter-changes.ts";

/** Whether a resource can move without being stopped in between. */
export function canMigrate(rsc: Resource, current: Node): boolean {
  const next = rsc.assignedTo;
  if (!rsc.migratable || !rsc.managed || rsc.failed || rsc.startPending) return false;
  return next !== undefined && !current.unclean && !next.unclean;
}

/** Makes the steps of a live migration: the source hands over, the target takes over, the source stops. */
export function createMigration(cluster: Cluster, rsc: Resource, source: Node): void {
  const target = rsc.assignedTo;
  if (!target) return;
  const make = (task: string, node: Node) =>
    action(cluster, rsc, opKey(rsc.id, task, 0), task, 0, node, true);
  const start = startAction(cluster, rsc, target, true);
  const stop = stopAction(cluster, rsc, source, true);
  const to = rsc.partialMigrationTarget ? undefined : make("migrate_to", source);
  const from = make("migrate_from", target);
  start.set(Flag.MigrateRunnable | Flag.Pseudo);
  stop.set(Flag.MigrateRunnable);
  from.set(Flag.MigrateRunnable);
  // What a start has to wait for, such as fencing, the first step of the migration waits for.
  (to ?? from).needs = start.needs;
  const order = (first: string, then: string, kind: number) =>
    addOrdering(
      cluster,
      { rsc, key: opKey(rsc.id, first, 0) },
      { rsc, key: opKey(rsc.id, then, 0) },
      Link.Ordered | kind,
    );
  if (to) {
    to.set(Flag.MigrateRunnable);
    order("monitor", "migrate_to", Link.None);
    order("migrate_to", "migrate_from", Link.UnmigratableThenBlocks);
  }
  order("migrate_from", "stop", Link.UnmigratableThenBlocks);
  order("migrate_from", "start", Link.UnmigratableThenBlocks | Link.FirstElseThen);
  const tell = (step: Action) => {
    step.meta.set("migrate_source", source.name);
    step.meta.set("migrate_target", target.name);
  };
  tell(from);
  if (!to) return;
  tell(to);
  // The target is affected too: if the source is lost meanwhile, others must know.
  if (!rsc.isRemoteConnection) to.meta.set("record-pending", "true");
}

/** What a migration left behind on its source is stopped. */
export function abortDanglingMigration(cluster: Cluster, rsc: Resource, source: Node): void {
  stopAction(cluster, rsc, source, false).set(Flag.MigrationAbort);
  if (cluster.options.removeAfterStop) scheduleCleanup(cluster, rsc, source, false);
}

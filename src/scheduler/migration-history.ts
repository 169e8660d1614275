import { parseInteger, type XmlElement } from "../cib/index.ts";
import { historyOf, unknownOnNode } from "./failcount.ts";
import { Role } from "./flags.ts";
import type { HistoryEntry } from "./history-entry.ts";
import { compareOperations } from "./history-order.ts";
import type { Cluster, Node, Resource } from "./model.ts";
import { addRunning } from "./running.ts";
import type { Unpacker } from "./unpacker.ts";

/** Source and target that a migration's history entry names, if it makes sense on that node. */
function migrationNodes(
  cluster: Cluster,
  entry: HistoryEntry,
):
  | { source: Node | undefined; target: Node | undefined; sourceName: string; targetName: string }
  | undefined {
  const sourceName = entry.xml.attributes.get("migrate_source");
  const targetName = entry.xml.attributes.get("migrate_target");
  if (sourceName === undefined || targetName === undefined) return undefined;
  const own = entry.task === "migrate_to" ? sourceName : targetName;
  if (own.toLowerCase() !== entry.node.name.toLowerCase()) return undefined;
  const find = (name: string) => cluster.nodeByName.get(name) ?? cluster.formerNodes.get(name);
  return {
    source: find(sourceName),
    target: find(targetName),
    sourceName,
    targetName,
  };
}

function findMigration(
  node: Node | undefined,
  rsc: Resource,
  task: "migrate_to" | "migrate_from",
  other: string,
  rc: number | undefined,
): XmlElement | undefined {
  if (!node) return undefined;
  return historyOf(node, rsc.id).find(({ attributes }) => {
    if (attributes.get("operation") !== task) return false;
    const named = attributes.get(task === "migrate_to" ? "migrate_target" : "migrate_source");
    if (named !== other) return false;
    return (
      rc === undefined || (attributes.get("rc-code") === String(rc) && attributes.get("op-status") === "0")
    );
  });
}

const changing = new Set(["start", "stop", "migrate_to", "migrate_from"]);

/** Whether something other than a monitor happened on the node after an operation. */
function changedAfter(node: Node | undefined, rsc: Resource, than: XmlElement, sameNode: boolean): boolean {
  if (!node) return false;
  return historyOf(node, rsc.id).some(
    (op) =>
      op !== than &&
      changing.has(op.attributes.get("operation") ?? "") &&
      compareOperations(op, than, sameNode) > 0,
  );
}

function foundStoppedAfter(
  node: Node | undefined,
  rsc: Resource,
  than: XmlElement,
  sameNode: boolean,
): boolean {
  if (!node) return false;
  return historyOf(node, rsc.id).some(
    (op) =>
      op.attributes.get("operation") === "monitor" &&
      op.attributes.get("rc-code") === "7" &&
      op.attributes.get("op-status") === "0" &&
      compareOperations(op, than, sameNode) > 0,
  );
}

/** Whether the node knows something newer of the resource than a migration. */
function newerState(
  node: Node | undefined,
  nodeName: string,
  rsc: Resource,
  migrateTo: XmlElement | undefined,
  migrateFrom: XmlElement | undefined,
): boolean {
  let than = migrateFrom ?? migrateTo;
  if (!than) return false;
  const source = than.attributes.get("migrate_source");
  const target = than.attributes.get("migrate_target");
  let sameNode = false;
  if (nodeName === target) {
    sameNode = migrateFrom !== undefined;
    than = migrateFrom ?? migrateTo ?? than;
  } else if (nodeName === source) {
    sameNode = migrateTo !== undefined;
    than = migrateTo ?? migrateFrom ?? than;
  }
  return changedAfter(node, rsc, than, sameNode) || foundStoppedAfter(node, rsc, than, sameNode);
}

function recoverWithoutMigration(rsc: Resource): void {
  rsc.failed = true;
  rsc.stopIfFailed = true;
  rsc.migratable = false;
}

/**
 * A `migrate_to` went well. Without a `migrate_from` the migration is under way (partial), with one but no stop on
 * the source it is dangling; newer events on either node make it history.
 */
export function migrateToSucceeded({ cluster }: Unpacker, entry: HistoryEntry): void {
  const nodes = migrationNodes(cluster, entry);
  if (!nodes) return;
  const { rsc, xml } = entry;
  const { source, target, sourceName, targetName } = nodes;
  const sourceNewer = changedAfter(source, rsc, xml, true);
  const from = findMigration(target, rsc, "migrate_from", sourceName, undefined);
  if (from && sourceNewer) return;
  const targetNewer = newerState(target, targetName, rsc, xml, from);
  if (sourceNewer && targetNewer) return;
  const fromRc = from ? (parseInteger(from.attributes.get("rc-code")) ?? 0) : 0;
  const fromStatus = from ? (parseInteger(from.attributes.get("op-status")) ?? 0) : 0;
  if (from && fromRc === 0 && fromStatus === 0) {
    rsc.role = Role.Stopped;
    rsc.danglingMigrations.unshift(entry.node);
    return;
  }
  rsc.role = Role.Started;
  const activeOnTarget = !targetNewer && target !== undefined && target.online;
  if (from && fromStatus !== -1) {
    if (activeOnTarget && target) addRunning(cluster, rsc, target, true);
    else recoverWithoutMigration(rsc);
    return;
  }
  if (target?.online && unknownOnNode(target, rsc.id)) return;
  if (activeOnTarget && target) {
    addRunning(cluster, rsc, target, false);
    if (source?.online) {
      rsc.partialMigrationTarget = target;
      rsc.partialMigrationSource = source;
    }
  } else if (!sourceNewer) recoverWithoutMigration(rsc);
}

/** A `migrate_to` failed: the resource may be on both nodes unless something newer says otherwise. */
export function migrateToFailed({ cluster }: Unpacker, entry: HistoryEntry): void {
  const nodes = migrationNodes(cluster, entry);
  if (!nodes) return;
  const { rsc, xml } = entry;
  const { source, target, sourceName, targetName } = nodes;
  rsc.role = Role.Started;
  const from = findMigration(target, rsc, "migrate_from", sourceName, 0);
  if (!unknownOnNode(target, rsc.id) && !newerState(target, targetName, rsc, xml, from)) {
    if (target?.online) addRunning(cluster, rsc, target, false);
  } else if (!changedAfter(source, rsc, xml, true)) {
    rsc.danglingMigrations.unshift(entry.node);
  }
}

/** A `migrate_from` failed: the resource may still be on the source. */
export function migrateFromFailed({ cluster }: Unpacker, entry: HistoryEntry): void {
  const nodes = migrationNodes(cluster, entry);
  if (!nodes) return;
  const { rsc, xml } = entry;
  const { source, sourceName, targetName } = nodes;
  rsc.role = Role.Started;
  const to = findMigration(source, rsc, "migrate_to", targetName, 0);
  if (!unknownOnNode(source, rsc.id) && !newerState(source, sourceName, rsc, to, xml))
    if (source?.online) addRunning(cluster, rsc, source, true);
}

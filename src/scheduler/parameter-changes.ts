import { childrenOf, type XmlElement } from "../cib/index.ts";
import { action, clearFailcount, fencingAction, orderActions, setReason, stopAction } from "./actions.ts";
import { nodeUsable } from "./availability.ts";
import { compareDigests, DIGEST_OF, needsRemoteName } from "./digests.ts";
import { failCount, historyEntries, historyInterval } from "./failcount.ts";
import { Flag, Link } from "./flags.ts";
import { activeRange } from "./history.ts";
import { oldestFirst } from "./history-order.ts";
import { type Action, type Cluster, type Node, type Resource, topLevel } from "./model.ts";
import { findOperation, opKey } from "./operations.ts";
import { addOrdering, orderTasks } from "./orderings.ts";
import { parameters } from "./parameters.ts";
import { type Unpacker, unpackerOf } from "./unpacker.ts";

/**
 * Compares what runs with what is configured now. What changed is restarted, reloaded or, a recurring operation,
 * scheduled anew; what is configured no more is cancelled or cleaned from the history (Pacemaker Administration,
 * "Reloading an Agent After a Definition Change"). Call it when the variants' own orderings have been made and
 * before places are chosen.
 */
export function handleConfigurationChanges(cluster: Cluster): void {
  const unpacker = unpackerOf(cluster);
  const byHistoryId = primitivesByHistoryId(cluster);
  for (const node of cluster.nodes) {
    // In maintenance recurring operations have to be cancelled; else only what can act is looked at.
    if (!node.maintenance && !nodeUsable(node)) continue;
    for (const [id, entry] of historyEntries(node))
      for (const rsc of byHistoryId.get(id) ?? []) compareEntry(unpacker, rsc, node, entry);
  }
}

function primitivesByHistoryId(cluster: Cluster): Map<string, Resource[]> {
  const result = new Map<string, Resource[]>();
  const add = (id: string, rsc: Resource) => {
    const known = result.get(id);
    if (known) known.push(rsc);
    else result.set(id, [rsc]);
  };
  const visit = (rsc: Resource) => {
    for (const part of rsc.children) visit(part);
    if (!rsc.isPrimitive) return;
    add(rsc.id, rsc);
    if (rsc.historyId !== "" && rsc.historyId !== rsc.id) add(rsc.historyId, rsc);
  };
  for (const rsc of cluster.resources) visit(rsc);
  return result;
}

/** Compares the history that a node has of a resource; one without operations tells nothing. */
function compareEntry(unpacker: Unpacker, rsc: Resource, node: Node, entry: XmlElement): void {
  const { cluster } = unpacker;
  if (entry.children.length === 0) return;
  if (rsc.removed) {
    const top = topLevel(rsc, false);
    // A surplus instance shares its history entry with the others.
    if (!(top.isClone && !top.unique)) scheduleCleanup(cluster, rsc, node, false);
    return;
  }
  if (!rsc.runningOn.includes(node)) {
    if (agentChanged(cluster, rsc, node, entry, false)) scheduleCleanup(cluster, rsc, node, false);
    return;
  }
  if (agentChanged(cluster, rsc, node, entry, true)) scheduleCleanup(cluster, rsc, node, false);
  const operations = oldestFirst(
    childrenOf(entry, "lrm_rsc_op").filter(({ attributes }) => attributes.get("operation") !== "notify"),
  );
  const { start, stop } = activeRange(operations);
  // What ran before the last stop does so no more, whatever became of that.
  if (start < stop) return;
  for (const xml of operations.slice(Math.max(0, start))) {
    const task = xml.attributes.get("operation") ?? "";
    const intervalMs = historyInterval(xml.attributes.get("interval"));
    if (intervalMs > 0 && (rsc.maintenance || node.maintenance)) {
      scheduleCancel(cluster, rsc, task, intervalMs, node, xml, "maintenance mode");
      continue;
    }
    if (intervalMs === 0 && !establishing.has(task) && !xml.attributes.has(DIGEST_OF)) continue;
    if (needsRemoteName(rsc, parameters(unpacker, rsc, node))) {
      // Its address is that of a host which has not been chosen yet.
      unpacker.lateChecks.push({ rsc, xml, node, about: "active" });
    } else checkActive(unpacker, rsc, node, xml);
  }
}

/** Operations that ran with the parameters that the resource has now. */
const establishing: ReadonlySet<string> = new Set(["monitor", "start", "promote", "migrate_from"]);

/** A failure of an operation whose definition has changed since counts no more. */
function checkActive(unpacker: Unpacker, rsc: Resource, node: Node, xml: XmlElement): void {
  if (!compareOperation(unpacker, rsc, node, xml)) return;
  if (failCount(unpacker, node, rsc, { effective: true }).count === 0) return;
  clearFailcount(unpacker.cluster, rsc, node, "action definition changed");
}

/** Compares one operation with the configuration and schedules what a difference asks for. Returns whether one is. */
function compareOperation(unpacker: Unpacker, rsc: Resource, node: Node, xml: XmlElement): boolean {
  const { cluster } = unpacker;
  const task = xml.attributes.get("operation") ?? "";
  const intervalMs = historyInterval(xml.attributes.get("interval"));
  if (intervalMs > 0 && !findOperation(unpacker, rsc, task, intervalMs, false)) {
    if (cluster.options.cancelRemovedActions)
      scheduleCancel(cluster, rsc, task, intervalMs, node, xml, "orphan");
    return true;
  }
  const { kind, digestSecure } = compareDigests(unpacker, rsc, xml, node);
  if (kind === "match") return false;
  const recordedSecure = xml.attributes.get("op-secure-digest");
  const onlyPrivate = recordedSecure !== undefined && recordedSecure === digestSecure;
  if (onlyPrivate && (cluster.sanitized || (kind === "restart" && intervalMs === 0))) {
    cluster.info(
      `Only 'private' parameters to ${intervalMs}ms-interval ${task} for ${rsc.id} on ${node.name} changed: ${xml.attributes.get("transition-magic") ?? ""}`,
      rsc.id,
    );
    return false;
  }
  if (kind === "restart") forceRestart(cluster, rsc, task, intervalMs, node);
  else if (intervalMs > 0) {
    // The executor replaces a recurring operation by the one with the new parameters.
    action(cluster, rsc, opKey(rsc.id, task, intervalMs), task, intervalMs, node, true).set(Flag.Reschedule);
  } else if (xml.attributes.has("op-restart-digest")) scheduleReload(cluster, rsc, node);
  else forceRestart(cluster, rsc, task, intervalMs, node);
  return true;
}

/** Operations without interval tell the parameters of the start. */
const taskForDigest = (task: string, intervalMs: number): string =>
  intervalMs === 0 && ["monitor", "migrate_from", "promote", "demote"].includes(task) ? "start" : task;

const definitionChange = "resource definition change";

function forceRestart(cluster: Cluster, rsc: Resource, given: string, intervalMs: number, node: Node): void {
  const task = taskForDigest(given, intervalMs);
  const required = action(cluster, rsc, opKey(rsc.id, task, intervalMs), task, intervalMs, undefined, false);
  setReason(required, definitionChange, true);
  triggerUnfencing(cluster, rsc, node, "Device parameters changed", undefined);
}

/** The agent takes over the new parameters while the resource runs on. */
function scheduleReload(cluster: Cluster, rsc: Resource, node: Node): void {
  if (!rsc.managed || rsc.failed) return;
  if (rsc.startPending) {
    // Nobody knows yet with which parameters it will have started.
    stopAction(cluster, rsc, node, false);
    return;
  }
  rsc.reload = true;
  const reload = action(cluster, rsc, opKey(rsc.id, "reload-agent", 0), "reload-agent", 0, node, false);
  setReason(reload, definitionChange, false);
  for (const task of ["stop", "demote"])
    addOrdering(cluster, { action: reload }, { rsc, task }, Link.Ordered | Link.ThenCancelsFirst);
}

/** Whether another agent is configured than the one that the history tells of; then it must restart. */
function agentChanged(
  cluster: Cluster,
  rsc: Resource,
  node: Node,
  entry: XmlElement,
  active: boolean,
): boolean {
  let changed = false;
  for (const name of ["type", "class", "provider"]) {
    if (rsc.xml.attributes.get(name) === entry.attributes.get(name)) continue;
    changed = true;
    triggerUnfencing(cluster, rsc, node, "Device definition changed", undefined);
  }
  if (changed && active) {
    stopAction(cluster, rsc, node, false);
    rsc.startPending = true;
  }
  return changed;
}

/**
 * Gives a node access again after a device that provides unfencing has changed: `node` while it is up, else all
 * nodes where the device may run. Without resource it is simply asked for. `dependency` waits for it.
 */
export function triggerUnfencing(
  cluster: Cluster,
  rsc: Resource | undefined,
  node: Node | undefined,
  reason: string,
  dependency: Action | undefined,
): void {
  if (!cluster.haveUnfencing || (rsc && !rsc.isFenceDevice)) return;
  const up = (target: Node) => target.online && !target.unclean && !target.shutdown;
  const targets = node && up(node) ? [node] : rsc ? [...rsc.allowed.keys()].filter(up) : [];
  for (const target of targets) {
    const unfence = fencingAction(cluster, target, "on", false, reason, false);
    orderActions(unfence, dependency, Link.Ordered);
  }
}

function scheduleCancel(
  cluster: Cluster,
  rsc: Resource,
  task: string,
  intervalMs: number,
  node: Node,
  xml: XmlElement,
  reason: string,
): void {
  const cancel = cancelAction(cluster, rsc, task, intervalMs, node);
  cancel.meta.set("call-id", xml.attributes.get("call-id") ?? "");
  setReason(cancel, reason, false);
  addOrdering(cluster, { rsc, task: "stop" }, { rsc, action: cancel }, Link.Ordered);
}

/** Makes the action that ends a recurring operation. Its key is that of the operation. */
export function cancelAction(
  cluster: Cluster,
  rsc: Resource,
  task: string,
  intervalMs: number,
  node: Node,
): Action {
  const made = action(cluster, rsc, opKey(rsc.id, task, intervalMs), "cancel", intervalMs, node, false);
  made.task = "cancel";
  made.cancelTask = task;
  made.meta.set("operation", task);
  made.meta.set("interval", String(intervalMs));
  return made;
}

/**
 * Removes a resource from a node's history, after its stop and before its start. `optional`: only if the resource
 * stops anyway.
 */
export function scheduleCleanup(cluster: Cluster, rsc: Resource, node: Node, optional: boolean): void {
  if (rsc.failed || node.unclean || !node.online) return;
  action(cluster, rsc, opKey(rsc.id, "delete", 0), "delete", 0, node, optional);
  // A required clean-up matters to the others only in order; an optional one becomes required with the stop.
  const kind = optional ? Link.FirstImpliesThen : Link.Ordered;
  orderTasks(cluster, rsc, "stop", rsc, "delete", kind);
  orderTasks(cluster, rsc, "delete", rsc, "start", kind);
}

/** Comparisons of parameters that had to wait until places were known. Call it right after the assignment. */
export function handleLateChecks(cluster: Cluster): void {
  const unpacker = unpackerOf(cluster);
  for (const { rsc, xml, node, about } of unpacker.lateChecks) {
    if (about === "active") {
      checkActive(unpacker, rsc, node, xml);
      continue;
    }
    const { kind } = compareDigests(unpacker, rsc, xml, node);
    if (kind === "restart" || kind === "all")
      clearFailcount(cluster, rsc, node, "resource parameters have changed");
  }
}

/** Clears the fail counts of resources that are not configured any more, before they stop. */
export function clearRemovedFailcounts(cluster: Cluster): void {
  if (!cluster.options.stopRemovedResources) return;
  const unpacker = unpackerOf(cluster);
  for (const rsc of cluster.resources) {
    if (!rsc.removed) continue;
    for (const node of cluster.nodes) {
      if (!node.online || failCount(unpacker, node, rsc, { effective: true }).count === 0) continue;
      const clear = clearFailcount(cluster, rsc, node, "it is removed");
      addOrdering(cluster, { action: clear }, { rsc, task: "stop" }, Link.Ordered);
    }
  }
}

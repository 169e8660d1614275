import { childrenOf, parseInteger, type XmlElement } from "../cib/index.ts";
import { INFINITY, OpStatus } from "../terms/index.ts";
import { action, clearHistory, demoteAction, fenceNode, findActions, stopAction } from "./actions.ts";
import { historyInterval, rememberHistory } from "./failcount.ts";
import { Flag, Role } from "./flags.ts";
import type { HistoryState } from "./history-entry.ts";
import { applyOperation } from "./history-ops.ts";
import { oldestFirst } from "./history-order.ts";
import { findHistoryResource, removedResource } from "./instances-history.ts";
import type { Cluster, Node, OnFail, Resource } from "./model.ts";
import { opKey } from "./operations.ts";
import { addPlaceScore } from "./places.ts";
import { targetRole } from "./resources.ts";
import { addRunning } from "./running.ts";
import { leaveOut } from "./spared.ts";
import { noteUnexecutable } from "./unexecutable.ts";
import { noteRecheck, type Unpacker } from "./unpacker.ts";

/** Reads what a node's executor has done: `<lrm>` of its state. */
export function unpackNodeHistory(unpacker: Unpacker, node: Node, lrm: XmlElement): void {
  const { cluster } = unpacker;
  const entries = childrenOf(lrm, "lrm_resources").flatMap((list) => childrenOf(list, "lrm_resource"));
  rememberHistory(node, new Map(entries.map((entry) => [entry.attributes.get("id") ?? "", entry])));
  let removedFillers = false;
  for (const entry of entries) {
    const rsc = unpackResourceHistory(unpacker, node, entry);
    if (rsc?.removedFiller) removedFillers = true;
  }
  if (!removedFillers) return;
  for (const entry of entries) {
    const rsc = cluster.resourceById.get(entry.attributes.get("id") ?? "");
    const container = cluster.resourceById.get(entry.attributes.get("container") ?? "");
    if (!rsc?.removedFiller || rsc.container || !container) continue;
    rsc.container = container;
    container.fillers.push(rsc);
  }
}

function unpackResourceHistory(unpacker: Unpacker, node: Node, entry: XmlElement): Resource | undefined {
  const { cluster } = unpacker;
  const id = entry.attributes.get("id");
  if (id === undefined) return undefined;
  const operations = childrenOf(entry, "lrm_rsc_op");
  const { shutdownLock } = cluster.options;
  if (operations.length === 0 && !shutdownLock) return undefined;
  const found = findHistoryResource(unpacker, node, id);
  // What was a primitive once and is a group or clone now is a removed resource with that name.
  let rsc = found === "composite" ? undefined : found;
  if (!rsc) {
    if (operations.length === 0) return undefined;
    rsc = removedResource(unpacker, node, entry);
    if (!rsc) return undefined;
  }
  if (shutdownLock) unpackShutdownLock(unpacker, entry, rsc, node);
  const savedRole = rsc.role;
  rsc.role = Role.Unknown;
  // Notifications have no call number and no effect; among the others they would have no certain place.
  const telling = operations.filter(({ attributes }) => attributes.get("operation") !== "notify");
  const sorted = oldestFirst(telling);
  const state: HistoryState = { onFail: "ignore", lastFailure: undefined, leftOutBy: undefined };
  for (const operation of sorted) applyOperation(unpacker, rsc, node, operation, state);
  rememberRecurring(cluster, rsc, node, sorted);
  noteUnexecutable(unpacker, rsc, node, sorted);
  if (state.leftOutBy) leaveOut(cluster, rsc, node, state.leftOutBy);
  applyState(unpacker, rsc, node, state.leftOutBy ? "ignore" : state.onFail);
  const wanted = targetRole(rsc);
  if (wanted !== undefined && (rsc.nextRole === Role.Unknown || wanted < rsc.nextRole)) rsc.nextRole = wanted;
  if (savedRole > rsc.role) rsc.role = savedRole;
  return rsc;
}

/** `shutdown-lock` of a history entry: the resource waits for this node to come back. */
function unpackShutdownLock(unpacker: Unpacker, entry: XmlElement, rsc: Resource, node: Node): void {
  const { cluster } = unpacker;
  const since = parseInteger(entry.attributes.get("shutdown-lock"));
  if (since === undefined || since === 0) return;
  const limit = cluster.options.shutdownLockLimitMs / 1000;
  if (limit > 0 && cluster.now > since + limit) {
    // What the node remembers of it goes with the lock.
    clearHistory(cluster, rsc, node);
    cluster.info(`Shutdown lock for ${rsc.id} on ${node.name} expired`, rsc.id);
    return;
  }
  rsc.lockNode = node;
  rsc.lockTime = since;
  if (limit > 0) noteRecheck(cluster, since + limit + 1);
}

/** Recurring operations that the node has still running become optional actions. */
function rememberRecurring(cluster: Cluster, rsc: Resource, node: Node, sorted: readonly XmlElement[]): void {
  const { start, stop } = activeRange(sorted);
  if (!node.online) return;
  for (const [position, xml] of sorted.entries()) {
    if (start < stop && position <= stop) continue;
    if (position < start) continue;
    const intervalMs = historyInterval(xml.attributes.get("interval"));
    if (intervalMs === 0) continue;
    if (parseInteger(xml.attributes.get("op-status")) === OpStatus.PENDING) continue;
    const task = xml.attributes.get("operation") ?? "";
    action(cluster, rsc, opKey(rsc.id, task, intervalMs), task, intervalMs, node, true);
  }
}

/** Positions of the last start (or what implies one) and of the last successful stop. */
export function activeRange(sorted: readonly XmlElement[]): { start: number; stop: number } {
  let start = -1;
  let stop = -1;
  let byMonitor = -1;
  let byClone = -1;
  for (const [position, { attributes }] of sorted.entries()) {
    const task = attributes.get("operation");
    const rc = attributes.get("rc-code");
    if (task === "stop" && attributes.get("op-status") === "0") stop = position;
    else if (task === "start" || task === "migrate_from") start = position;
    else if (byMonitor <= stop && task === "monitor") {
      if (rc === "0" || rc === "8") byMonitor = position;
    } else if (task === "promote" || task === "demote") byClone = position;
  }
  if (start === -1) start = byClone !== -1 ? byClone : byMonitor;
  return { start, stop };
}

/** Draws the conclusions from a resource's role and the answer to its failures on one node. */
function applyState(unpacker: Unpacker, rsc: Resource, node: Node, given: OnFail): void {
  const { cluster } = unpacker;
  if (rsc.role !== Role.Unknown)
    for (let part: Resource | undefined = rsc; part; part = part.parent) {
      part.knownOn.add(node);
      if (part.unique) break;
    }
  fenceForActive(cluster, rsc, node);
  const onFail = node.unclean ? "ignore" : given;
  applyOnFail(unpacker, rsc, node, onFail);
  if (rsc.failed && rsc.isRemoteConnection) {
    const remote = cluster.nodeByName.get(rsc.id);
    if (remote?.isRemoteOrGuest && remote.unclean) remote.unseen = false;
  }
  if (rsc.role !== Role.Stopped && rsc.role !== Role.Unknown) {
    addRunning(cluster, rsc, node, given !== "ignore");
    if (onFail === "demote" || onFail === "block") rsc.failed = true;
    else if (onFail !== "ignore") {
      rsc.failed = true;
      rsc.stopIfFailed = true;
    }
  } else if (rsc.historyId.includes(":")) {
    rsc.historyId = "";
  } else {
    for (const stop of findActions(rsc, opKey(rsc.id, "stop", 0), node)) stop.set(Flag.Optional);
  }
  const { partialMigrationSource: from, partialMigrationTarget: to } = rsc;
  if (rsc.role === Role.Stopped && from === node && to && rsc.runningOn.includes(to)) rsc.role = Role.Started;
}

/** A node that is gone is fenced while something managed may be active on it. */
function fenceForActive(cluster: Cluster, rsc: Resource, node: Node): void {
  if (rsc.role <= Role.Stopped || node.online || node.maintenance || !rsc.managed) return;
  let reason = `${rsc.id} is thought to be active there`;
  if (node.isGuest) {
    rsc.failed = true;
    rsc.stopIfFailed = true;
    fenceNode(cluster, node, reason, false);
  } else if (cluster.options.fencingEnabled) {
    if (node.isRemote && node.remoteRsc && !node.remoteRsc.failed) {
      // Fenced only if the connection cannot be made again from elsewhere.
      node.unseen = true;
      reason = `${rsc.id} is active there (fencing will be revoked if remote connection can be re-established elsewhere)`;
    }
    fenceNode(cluster, node, reason, false);
  }
}

function applyOnFail(unpacker: Unpacker, rsc: Resource, node: Node, onFail: OnFail): void {
  const { cluster } = unpacker;
  const fail = () => {
    rsc.failed = true;
    rsc.stopIfFailed = true;
  };
  const active = rsc.role !== Role.Stopped && rsc.role !== Role.Unknown;
  switch (onFail) {
    case "ignore":
      return;
    case "demote":
      rsc.failed = true;
      demoteAction(cluster, rsc, node, false);
      return;
    case "fence":
      fenceNode(cluster, node, `${rsc.id} failed there`, false);
      return;
    case "standby":
      node.standby = true;
      node.standbyOnFail = true;
      return;
    case "block":
      rsc.managed = false;
      rsc.blocked = true;
      return;
    case "ban":
      addPlaceScore(cluster, rsc, node, -INFINITY);
      return;
    case "stop":
      rsc.nextRole = Role.Stopped;
      return;
    case "restart":
      if (active) {
        fail();
        stopAction(cluster, rsc, node, false);
      }
      return;
    case "restart-container":
      fail();
      if (rsc.container && rsc.replica) unpacker.stopNeeded.push({ container: rsc.container });
      else if (rsc.container) stopAction(cluster, rsc.container, node, false);
      else if (active) stopAction(cluster, rsc, node, false);
      return;
    case "reset-remote": {
      fail();
      const remote = rsc.isRemoteConnection ? cluster.nodeByName.get(rsc.id) : undefined;
      if (cluster.options.fencingEnabled && remote?.isRemote && !remote.remoteWasFenced)
        fenceNode(cluster, remote, "remote connection is unrecoverable", false);
      if (rsc.role > Role.Stopped) stopAction(cluster, rsc, node, false);
      if (rsc.remoteReconnectMs !== 0) rsc.nextRole = Role.Stopped;
      return;
    }
  }
}

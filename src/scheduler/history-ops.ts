import { parseInteger, type XmlElement } from "../cib/index.ts";
import { INFINITY, OcfExit, OpStatus } from "../terms/index.ts";
import { canFence, clearFailcount, stopAction } from "./actions.ts";
import { compareDigests, needsRemoteName } from "./digests.ts";
import { expectedResult, failCount, historyInterval } from "./failcount.ts";
import { Role } from "./flags.ts";
import type { HistoryEntry, HistoryState } from "./history-entry.ts";
import { migrateFromFailed, migrateToFailed, migrateToSucceeded } from "./migration-history.ts";
import type { Node, Resource } from "./model.ts";
import { placedAs, topLevel } from "./model.ts";
import { compareOnFail, onFailOf, opKey, roleAfterFailure } from "./operations.ts";
import { parameters } from "./parameters.ts";
import { addPlaceScore, placeAt, setAll } from "./places.ts";
import { leavesOut, sparing } from "./spared.ts";
import { noteRecheck, type Unpacker } from "./unpacker.ts";

const isProbe = ({ task, intervalMs }: HistoryEntry): boolean => task === "monitor" && intervalMs === 0;

/** Takes one entry of a resource's history into account; entries come oldest first. */
export function applyOperation(
  unpacker: Unpacker,
  rsc: Resource,
  node: Node,
  xml: XmlElement,
  state: HistoryState,
): void {
  const { cluster } = unpacker;
  const task = xml.attributes.get("operation");
  if (task === undefined || task === "notify" || task === "meta-data") return;
  const intervalMs = historyInterval(xml.attributes.get("interval") ?? xml.attributes.get("interval-ms"));
  const entry: HistoryEntry = {
    rsc,
    node,
    xml,
    task,
    intervalMs,
    key: xml.attributes.get("operation_key") ?? xml.attributes.get("id") ?? opKey(rsc.id, task, intervalMs),
    expected: expectedResult(xml) ?? -1,
    status: parseInteger(xml.attributes.get("op-status")) ?? OpStatus.DONE,
    // A trimmed history may lack it; Pacemaker takes 0 then.
    rc: parseInteger(xml.attributes.get("rc-code")) ?? OcfExit.OK,
  };
  const whole = rsc.unique ? rsc : topLevel(rsc, false);
  const expired = entry.status !== OpStatus.NOT_INSTALLED && checkExpiry(unpacker, entry);
  const maskable = masksProbeFailure(entry) && !(rsc.replica !== undefined && isProbe(entry));
  if (entry.status === OpStatus.DONE || entry.status === OpStatus.ERROR)
    remapResult(unpacker, entry, state, expired && cluster.rules.expiredFailuresTellNothing);
  if (expired && entry.rc !== entry.expected && entry.status !== OpStatus.PENDING) {
    if (entry.intervalMs === 0) return;
    if (node.online && !node.unclean) {
      // The failure has expired while the monitor goes on: it has to be scheduled anew.
      unpacker.outlivedFailures.add(xml);
      return;
    }
  }
  if (maskable) {
    updateRole(unpacker, entry, state);
    recordFailure(unpacker, entry);
    addPlaceScore(cluster, whole, node, -INFINITY);
    return;
  }
  switch (entry.status) {
    case OpStatus.CANCELLED:
      return;
    case OpStatus.PENDING:
      applyPending(unpacker, entry);
      return;
    case OpStatus.DONE:
      updateRole(unpacker, entry, state);
      return;
    case OpStatus.NOT_INSTALLED:
      // That the agent is missing cannot be ignored, whatever on-fail says.
      if (onFailOf(unpacker, rsc, task, intervalMs) === "ignore") state.onFail = "ban";
      addPlaceScore(cluster, whole, node, -INFINITY);
      applyFailure(unpacker, entry, state);
      return;
    case OpStatus.NOT_CONNECTED:
      if (node.isRemoteOrGuest && node.remoteRsc?.managed) {
        node.remoteRsc.failed = true;
        node.remoteRsc.stopIfFailed = true;
      }
      break;
    default:
      break;
  }
  const onFail = onFailOf(unpacker, rsc, task, intervalMs);
  if (onFail === "ignore" || (onFail === "restart-container" && task === "stop")) {
    entry.rc = entry.expected;
    updateRole(unpacker, entry, state);
    rsc.failureIgnored = true;
    recordFailure(unpacker, entry);
    if (onFail === "restart-container" && compareOnFail(state.onFail, "restart") <= 0) state.onFail = onFail;
    return;
  }
  applyFailure(unpacker, entry, state);
  if (entry.status === OpStatus.ERROR_HARD) addPlaceScore(cluster, whole, node, -INFINITY);
  else if (entry.status === OpStatus.ERROR_FATAL) addPlaceScore(cluster, whole, undefined, -INFINITY);
}

/**
 * A probe that cannot run because the software is not there, or not set up on that node, counts as "not running" (release
 * notes of 2.1.3: "probes that failed because the service is not installed or locally configured").
 */
function masksProbeFailure(entry: HistoryEntry): boolean {
  if (!isProbe(entry)) return false;
  const { rc, status } = entry;
  return rc === OcfExit.INSTALLED || rc === OcfExit.ARGS || status === OpStatus.NOT_INSTALLED;
}

function applyPending(unpacker: Unpacker, entry: HistoryEntry): void {
  const { cluster } = unpacker;
  const { rsc, node, task, xml } = entry;
  if (task === "start") {
    rsc.startPending = true;
    setActive(rsc);
  } else if (task === "promote") rsc.role = Role.Promoted;
  else if (task === "migrate_to" && node.unclean) {
    const target = cluster.nodeByName.get(xml.attributes.get("migrate_target") ?? "");
    if (target) stopAction(cluster, rsc, target, false);
  }
  if (rsc.pendingTask === undefined && !isProbe(entry)) {
    rsc.pendingTask = task;
    rsc.pendingNode = node;
  }
}

/** Active: the lowest role in which it is. */
export function setActive(rsc: Resource): void {
  const top = topLevel(rsc, false);
  rsc.role = top.promotable ? Role.Unpromoted : Role.Started;
}

/** What an exit code means, given what was expected (OCF resource agent API, "Return codes"). */
function remapResult(unpacker: Unpacker, entry: HistoryEntry, state: HistoryState, expired: boolean): void {
  const { rsc } = entry;
  const probe = isProbe(entry);
  if (entry.rc === OcfExit.DEGRADED || entry.rc === OcfExit.DEGRADED_PROMOTED) {
    if (!entry.node.shutdown || entry.node.online) recordFailure(unpacker, entry);
    entry.rc = entry.rc === OcfExit.DEGRADED ? OcfExit.OK : OcfExit.RUNNING_PROMOTED;
  }
  if (entry.status !== OpStatus.NOT_INSTALLED && entry.expected >= 0)
    entry.status = entry.rc === entry.expected ? OpStatus.DONE : OpStatus.ERROR;
  const block = () => {
    if (!expired && entry.task === "stop" && !canFence(unpacker.cluster, entry.node)) {
      rsc.managed = false;
      rsc.blocked = true;
    }
  };
  switch (entry.rc) {
    case OcfExit.OK:
      if (probe && entry.expected === OcfExit.NOT_RUNNING) entry.status = OpStatus.DONE;
      return;
    case OcfExit.NOT_RUNNING:
      if (probe || entry.expected === entry.rc || !rsc.managed) {
        entry.status = OpStatus.DONE;
        rsc.role = Role.Stopped;
        state.onFail = "ignore";
        rsc.nextRole = Role.Unknown;
      }
      return;
    case OcfExit.RUNNING_PROMOTED:
      if (probe && entry.rc !== entry.expected) entry.status = OpStatus.DONE;
      if (!expired || entry.rc === entry.expected) rsc.role = Role.Promoted;
      return;
    case OcfExit.FAILED_PROMOTED:
      if (!expired) rsc.role = Role.Promoted;
      entry.status = OpStatus.ERROR;
      return;
    case OcfExit.CONFIGURED:
      entry.status = OpStatus.ERROR_FATAL;
      return;
    case OcfExit.UNIMPLEMENTED:
      if (entry.intervalMs === 0) {
        block();
        entry.status = OpStatus.ERROR_HARD;
      } else entry.status = OpStatus.NOT_SUPPORTED;
      return;
    case OcfExit.INSTALLED:
    case OcfExit.ARGS:
    case OcfExit.PERM:
      block();
      entry.status = OpStatus.ERROR_HARD;
      return;
    default:
      if (entry.status === OpStatus.DONE) entry.status = OpStatus.ERROR;
  }
}

/** The role after a completed (or completed-as-far-as-we-care) operation. */
export function updateRole(unpacker: Unpacker, entry: HistoryEntry, state: HistoryState): void {
  const { rsc } = entry;
  let clears = false;
  state.leftOutBy = undefined;
  const bundled = rsc.replica !== undefined;
  if (entry.rc === OcfExit.INSTALLED || (!bundled && masksProbeFailure(entry))) {
    rsc.role = Role.Stopped;
  } else if (entry.rc === OcfExit.NOT_RUNNING) {
    clears = true;
  } else
    switch (entry.task) {
      case "monitor":
        if (state.lastFailure && keyOf(state.lastFailure) === entry.key) clears = true;
        if (rsc.role < Role.Started) setActive(rsc);
        break;
      case "start":
      case "migrate_from":
        rsc.role = Role.Started;
        clears = true;
        break;
      case "stop":
        rsc.role = Role.Stopped;
        clears = true;
        break;
      case "promote":
        rsc.role = Role.Promoted;
        clears = true;
        break;
      case "demote":
        if (state.onFail === "demote") clears = true;
        rsc.role = Role.Unpromoted;
        break;
      case "migrate_to":
        migrateToSucceeded(unpacker, entry);
        break;
      default:
        if (rsc.role < Role.Started) setActive(rsc);
    }
  if (!clears) return;
  switch (state.onFail) {
    case "stop":
    case "ban":
    case "standby":
    case "fence":
      return;
    case "reset-remote":
      if (rsc.remoteReconnectMs !== 0) return;
      break;
    default:
      break;
  }
  state.onFail = "ignore";
  rsc.nextRole = Role.Unknown;
}

const keyOf = (xml: XmlElement): string | undefined =>
  xml.attributes.get("operation_key") ?? xml.attributes.get("id");

function applyFailure(unpacker: Unpacker, entry: HistoryEntry, state: HistoryState): void {
  const { cluster } = unpacker;
  const { rsc, node, task } = entry;
  state.lastFailure = entry.xml;
  const configured = onFailOf(unpacker, rsc, task, entry.intervalMs);
  state.leftOutBy = leavesOut(configured, entry.xml) ? entry.xml : undefined;
  if (cluster.options.symmetric || entry.rc !== OcfExit.INSTALLED) recordFailure(unpacker, entry);
  if (state.leftOutBy) return;
  const onFail = sparing(configured, entry.xml);
  if (compareOnFail(state.onFail, onFail) < 0) state.onFail = onFail;
  switch (task) {
    case "stop":
      addPlaceScore(cluster, rsc, node, -INFINITY);
      break;
    case "migrate_to":
      migrateToFailed(unpacker, entry);
      break;
    case "migrate_from":
      migrateFromFailed(unpacker, entry);
      break;
    case "promote":
      rsc.role = Role.Promoted;
      break;
    case "demote":
      if (onFail === "block") {
        rsc.role = Role.Promoted;
        rsc.nextRole = Role.Stopped;
      } else if (entry.rc === OcfExit.NOT_RUNNING) rsc.role = Role.Stopped;
      else rsc.role = Role.Unpromoted;
      break;
    default:
      break;
  }
  if (isProbe(entry) && entry.rc === OcfExit.INSTALLED) rsc.role = Role.Stopped;
  else if (rsc.role < Role.Started) setActive(rsc);
  const failRole = roleAfterFailure(unpacker, rsc, task, entry.intervalMs, onFail);
  if (failRole !== Role.Started && rsc.nextRole < failRole) rsc.nextRole = failRole;
  if (failRole === Role.Stopped) banEverywhere(unpacker, rsc);
}

/** on-fail=stop: neither it nor, for an anonymous clone, any instance may run anywhere. */
function banEverywhere({ cluster }: Unpacker, rsc: Resource): void {
  const target = placedAs(rsc);
  for (const node of cluster.nodes)
    if (!target.allowed.has(node)) target.allowed.set(node, placeAt(node, -INFINITY));
  setAll(target.allowed, -INFINITY);
}

/** Adds the entry to the list of failed operations that status displays show. */
export function recordFailure({ cluster }: Unpacker, entry: HistoryEntry): void {
  const { rsc, node, xml } = entry;
  if (node.shutdown && !node.online) return;
  const key = keyOf(xml);
  if (cluster.failedOps.some((known) => known.node === node && keyOf(known.xml) === key)) return;
  const failed = { rsc: rsc.id, node, xml };
  cluster.failedOps.push(failed);
  rsc.failedOps.push(failed);
}

/** Whether the failure that the entry reports is older than failure-timeout; schedules what follows from it. */
function checkExpiry(unpacker: Unpacker, entry: HistoryEntry): boolean {
  const { cluster } = unpacker;
  const { rsc, node, xml } = entry;
  const lastFailureEntry = xml.attributes.get("id")?.endsWith("_last_failure_0") === true;
  const changed = parseInteger(xml.attributes.get("last-rc-change"));
  let expired = false;
  let unexpiredCount = 0;
  let why: string | undefined;
  if (rsc.failureTimeoutMs > 0 && changed !== undefined) {
    const timeout = rsc.failureTimeoutMs / 1000;
    if (cluster.now >= changed + timeout && !waitsForFencing(unpacker, entry)) expired = true;
    const effective = failCount(unpacker, node, rsc, { effective: true }, xml);
    unexpiredCount = effective.count;
    // In the second in which its time is over a count still counts.
    if (unexpiredCount > 0 && cluster.now <= effective.lastFailure + rsc.failureTimeoutMs / 1000)
      noteRecheck(cluster, effective.lastFailure + rsc.failureTimeoutMs / 1000 + 1);
    if (rsc.failureTimeoutMs === 0) expired = false;
  }
  if (expired) {
    if (failCount(unpacker, node, rsc, {}, xml).count > 0) {
      if (unexpiredCount === 0) why = "it expired";
      else expired = false;
    } else if (lastFailureEntry && rsc.remoteReconnectMs !== 0) why = "reconnect interval is set";
  }
  if (!expired && lastFailureEntry && parametersChanged(unpacker, entry))
    why = "resource parameters have changed";
  if (why !== undefined) {
    const clear = clearFailcount(cluster, rsc, node, why);
    if (cluster.options.fencingEnabled && rsc.remoteReconnectMs !== 0)
      unpacker.afterRemoteFencing.push({ clear, rsc });
  }
  if (expired && isProbe(entry)) {
    const known: readonly number[] = [
      OcfExit.OK,
      OcfExit.NOT_RUNNING,
      OcfExit.RUNNING_PROMOTED,
      OcfExit.DEGRADED,
      OcfExit.DEGRADED_PROMOTED,
    ];
    if (known.includes(entry.rc)) expired = false;
  }
  return expired;
}

/** A lost connection with reconnect interval is cleared only after its node was fenced. */
function waitsForFencing({ cluster }: Unpacker, { rsc, task, intervalMs }: HistoryEntry): boolean {
  if (rsc.remoteReconnectMs === 0 || !cluster.options.fencingEnabled) return false;
  if (intervalMs === 0 || task !== "monitor") return false;
  const remote = cluster.nodeByName.get(rsc.id);
  return remote?.isRemoteOrGuest === true && !remote.remoteWasFenced;
}

function parametersChanged(unpacker: Unpacker, { rsc, xml, node, task }: HistoryEntry): boolean {
  if (task !== "start" && task !== "monitor") return false;
  if (needsRemoteName(rsc, parameters(unpacker, rsc, undefined))) {
    unpacker.lateChecks.push({ rsc, xml, node, about: "failure" });
    return false;
  }
  const { kind } = compareDigests(unpacker, rsc, xml, node);
  return kind === "restart" || kind === "all";
}

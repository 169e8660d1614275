import { type Millis, nodeName } from "../terms/index.ts";
import { deviceDigests } from "./device-digests.ts";
import { Flag, Role } from "./flags.ts";
import { Action, type Cluster, type Edge, type Node, type Resource } from "./model.ts";
import {
  onFailOf,
  operationOptions,
  operationParameters,
  opKey,
  requirementOf,
  roleAfterFailure,
} from "./operations.ts";
import { unpackerOf } from "./unpacker.ts";

/**
 * Finds the actions of a resource with a key, in the order in which they were made; on a node if given. An action
 * without node joins it.
 */
export function findActions(rsc: Resource, key: string, node: Node | undefined): Action[] {
  const all = rsc.actionsByKey.get(key) ?? [];
  if (node === undefined) return [...all];
  return all.filter((action) => {
    action.node ??= node;
    return action.node === node;
  });
}

/** The action with a key, on `node` if given; of several the oldest. One without node gets it. */
export function findAction(rsc: Resource, key: string, node: Node | undefined): Action | undefined {
  const all = rsc.actionsByKey.get(key);
  if (!all) return undefined;
  for (const action of all) {
    if (node === undefined || action.node === node) return action;
    if (action.node === undefined) {
      action.node = node;
      return action;
    }
  }
  return undefined;
}

/** Like `findActions`, without giving a node to actions that have none; only exactly on `node`. */
export function findActionsExact(rsc: Resource, key: string, node: Node | undefined): Action[] {
  const all = rsc.actionsByKey.get(key);
  if (!all || !node) return [];
  return all.filter((action) => action.node === node);
}

/**
 * The action with that key on that node: the one that is there already, or a new one. `optional: false` makes it
 * required either way, except for actions of unmanaged resources.
 */
export function action(
  cluster: Cluster,
  rsc: Resource,
  key: string,
  task: string,
  intervalMs: Millis,
  node: Node | undefined,
  optional: boolean,
): Action {
  const found =
    findAction(rsc, key, node) ?? registered(rsc, newAction(cluster, rsc, key, task, intervalMs, node));
  if (!rsc.managed && found.node && !found.pseudo && found.intervalMs === 0) found.set(Flag.Optional);
  else if (!optional) found.clear(Flag.Optional);
  updateRunnable(cluster, found);
  return found;
}

/** An action that belongs to no resource: fencing, shutdown, a point of synchronisation. One for each key. */
export function clusterAction(
  cluster: Cluster,
  key: string,
  task: string,
  node: Node | undefined,
  optional: boolean,
): Action {
  let found = cluster.singletons.get(key);
  if (!found) {
    found = new Action(cluster.nextActionId++, undefined, task, key, node);
    found.flags = Flag.Runnable | Flag.Optional;
    cluster.actions.push(found);
    cluster.singletons.set(key, found);
  }
  if (!optional) found.clear(Flag.Optional);
  return found;
}

/** The pseudo action with that key. */
export function pseudoAction(cluster: Cluster, name: string): Action {
  const key = `${name}`;
  const found = clusterAction(cluster, key, name, undefined, cluster.singletons.get(key)?.optional ?? true);
  found.set(Flag.Pseudo | Flag.Runnable);
  return found;
}

/** An action that is needed, and that no ordering finds by its key: what is done with the resource elsewhere does not follow it. */
export function loneAction(cluster: Cluster, rsc: Resource, key: string, task: string, node: Node): Action {
  const made = newAction(cluster, rsc, key, task, 0, node);
  made.clear(Flag.Optional);
  made.set(Flag.Lone);
  updateRunnable(cluster, made);
  return made;
}

/** From now on its resource has it, and orderings find it by its key. */
function registered(rsc: Resource, made: Action): Action {
  rsc.actions.push(made);
  const same = rsc.actionsByKey.get(made.key);
  if (same) same.push(made);
  else rsc.actionsByKey.set(made.key, [made]);
  return made;
}

function newAction(
  cluster: Cluster,
  rsc: Resource,
  key: string,
  task: string,
  intervalMs: Millis,
  node: Node | undefined,
): Action {
  const made = new Action(cluster.nextActionId++, rsc, task, key, node);
  if (task === "lrm_delete" || task === "delete") made.set(Flag.OnCoordinator);
  const unpacker = unpackerOf(cluster);
  const options = operationOptions(unpacker, rsc, task, intervalMs);
  made.op = options.xml;
  made.config = options.values;
  made.extra = operationParameters(unpacker, rsc, task, intervalMs, node);
  made.timeoutMs = options.timeoutMs;
  made.startDelayMs = options.startDelayMs;
  made.intervalMs = intervalMs;
  made.needs = requirementOf(rsc, task);
  made.onFail = onFailOf(unpacker, rsc, task, intervalMs);
  made.failRole = roleAfterFailure(unpacker, rsc, task, intervalMs, made.onFail);
  cluster.actions.push(made);
  return made;
}

/** What the lack of quorum means for a resource; "demote" keeps promotable instances, but not promoted ones. */
function quorumPolicyFor(cluster: Cluster, rsc: Resource): Cluster["options"]["noQuorumPolicy"] {
  if (cluster.quorate) return "ignore";
  const policy = cluster.options.noQuorumPolicy;
  if (policy !== "demote") return policy;
  if (rsc.role !== Role.Promoted && rsc.role !== Role.Unpromoted) return "stop";
  if (rsc.nextRole > Role.Unpromoted) rsc.nextRole = Role.Unpromoted;
  return "ignore";
}

/** Finds out whether an action can run, by the state of its node and quorum. */
function updateRunnable(cluster: Cluster, target: Action): void {
  const { node, rsc } = target;
  if (target.pseudo || !rsc) return;
  const policy = target.needs === "nothing" ? "ignore" : quorumPolicyFor(cluster, rsc);
  if (!node) {
    target.clear(Flag.Runnable);
  } else if (!target.has(Flag.OnCoordinator) && !node.online && (!node.isGuest || node.remoteRequiresReset)) {
    target.clear(Flag.Runnable);
    if (rsc.managed && target.task === "stop" && !node.unclean)
      fenceNode(cluster, node, "stop is unrunnable", false);
  } else if (!target.has(Flag.OnCoordinator) && node.pending) {
    target.clear(Flag.Runnable);
  } else if (target.needs === "nothing") {
    target.reason = undefined;
    if (node.isGuest && !canFence(cluster, node)) target.clear(Flag.Runnable);
    else target.set(Flag.Runnable);
  } else if (policy === "stop") {
    target.clear(Flag.Runnable);
    target.reason = "no quorum";
  } else if (policy === "freeze") {
    // What is active goes on, but what was found not to be runnable before does not become so.
    if (isActive(rsc, true) && rsc.nextRole <= rsc.role) return;
    target.clear(Flag.Runnable);
    target.reason = "quorum freeze";
  } else {
    target.set(Flag.Runnable);
  }
}

/** Sets the reason that the summary shows; a later one only with `overwrite`. */
export function setReason(target: Action, reason: string | undefined, overwrite: boolean): void {
  if (target.reason !== undefined && overwrite) target.reason = reason;
  else if (target.reason === undefined && reason !== undefined) target.reason = reason;
}

const changeWords = new Map<number, string>([
  [Flag.Runnable, "unrunnable"],
  [Flag.Optional, "required"],
  [Flag.MigrateRunnable, "unmigrateable"],
]);

/** Takes a flag away because of another action; the first time that this happens is remembered as the reason. */
export function clearBecause(cluster: Cluster, target: Action, flag: number, why: Action): void {
  if ((target.flags & flag) === 0) return;
  target.clear(flag);
  // That a resource waits for itself explains nothing.
  if (target.rsc === why.rsc) return;
  const owner = why.rsc ? ` ${why.rsc.id}` : "";
  const replaces = flag === Flag.MigrateRunnable && !cluster.rules.firstReasonsStand;
  setReason(target, `${changeWords.get(flag) ?? ""}${owner} ${why.task}`, replaces);
}

const byTask =
  (task: string) =>
  (cluster: Cluster, rsc: Resource, node: Node | undefined, optional: boolean): Action =>
    action(cluster, rsc, opKey(rsc.id, task, 0), task, 0, node, optional);

export const startAction = byTask("start");
export const stopAction = byTask("stop");
export const promoteAction = byTask("promote");
export const demoteAction = byTask("demote");

/** Whether it is active: all of it, or any part. A clone's or group's parts count. */
export function isActive(rsc: Resource, all: boolean): boolean {
  if (rsc.isPrimitive) {
    for (const node of rsc.runningOn) {
      if (node.unclean) return true;
      if (!node.online && rsc.managed) continue;
      return true;
    }
    return false;
  }
  if (rsc.isBundle) return bundleActive(rsc, all);
  for (const part of rsc.children) {
    const active = isActive(part, all);
    if (!all && active) return true;
    if (all && !active) return false;
  }
  return all;
}

function bundleActive(bundle: Resource, all: boolean): boolean {
  for (const { ip, child, container, remote } of bundle.bundle?.replicas ?? [])
    for (const part of [ip, child, container, remote]) {
      if (!part) continue;
      const active = isActive(part, all);
      if (active && !all) return true;
      if (!active && all) return false;
    }
  return all;
}

/** Adds an edge. Nothing happens when there is one with any of these kinds. Returns whether it was added. */
export function orderActions(first: Action | undefined, then: Action | undefined, kind: number): boolean {
  if (!first || !then || first === then) return false;
  let kinds = first.afterKinds;
  if (!kinds) {
    kinds = new Map();
    first.afterKinds = kinds;
  }
  const existing = kinds.get(then);
  if (existing !== undefined && (existing & kind) !== 0) return false;
  kinds.set(then, (existing ?? 0) | kind);
  first.after.push(edge(then, kind));
  then.before.push(edge(first, kind));
  return true;
}

const edge = (target: Action, kind: number): Edge => ({ action: target, kind, state: "open", looped: false });

/** Whether a node can be fenced, or, for a guest, its container recovered. */
export function canFence(cluster: Cluster, node: Node | undefined): boolean {
  const { options } = cluster;
  if (node?.isGuest) {
    const container = node.remoteRsc?.container;
    return (container?.runningOn ?? []).every((host) => host.online || canFence(cluster, host));
  }
  if (!options.fencingEnabled || !cluster.haveFenceDevice) return false;
  if (cluster.quorate || options.noQuorumPolicy === "ignore") return true;
  if (!node) return false;
  if (node.isRemote && options.fenceRemoteWithoutQuorum) return true;
  return node.online;
}

/** A node must be fenced (a guest: its container recovered) for that reason. */
export function fenceNode(cluster: Cluster, node: Node, reason: string, priorityDelay: boolean): void {
  const connection = node.remoteRsc;
  if (node.isGuest) {
    const container = connection?.container;
    if (container && !container.failed && container.managed) {
      node.remoteRequiresReset = true;
      container.failed = true;
      container.stopIfFailed = true;
      cluster.reason({
        rsc: container.id,
        node: nodeName(node.name),
        source: "node",
        text: `guest node ${node.name} must be recovered: ${reason}`,
      });
    }
    return;
  }
  if (isDanglingGuest(node) && connection) {
    connection.failed = true;
    connection.stopIfFailed = true;
    return;
  }
  if (node.isRemote) {
    if (!(connection && !connection.managed)) node.remoteRequiresReset = true;
    node.unclean = true;
    fencingAction(cluster, node, undefined, true, reason, false);
    return;
  }
  node.unclean = true;
  if (node.fenceReason === "") node.fenceReason = reason;
  fencingAction(cluster, node, undefined, true, reason, priorityDelay);
}

/** A guest whose container is gone from the configuration. */
function isDanglingGuest(node: Node): boolean {
  const connection = node.remoteRsc;
  return (
    node.kind === "remote" &&
    connection !== undefined &&
    connection.container === undefined &&
    connection.removedFiller
  );
}

/** The fencing of a node; made required unless `optional`. */
export function fencingAction(
  cluster: Cluster,
  node: Node,
  operation: string | undefined,
  optional: boolean,
  reason: string | undefined,
  priorityDelay: boolean,
): Action {
  const op = operation ?? cluster.options.fencingAction;
  let needed = !optional;
  const key = `stonith-${node.name}-${op}`;
  let fencing = cluster.singletons.get(key);
  if (!fencing) {
    fencing = clusterAction(cluster, key, "stonith", node, true);
    fencing.fenceOp = op;
    fencing.meta.set("on_node", node.name);
    fencing.meta.set("on_node_uuid", node.id);
    fencing.meta.set("stonith_action", op);
    if (cluster.haveUnfencing) {
      const digests = deviceDigests(cluster, node);
      if (digests.changed) needed = true;
      fencing.meta.set("digests-all", digests.all);
      fencing.meta.set("digests-secure", digests.secure);
    }
  }
  if (
    cluster.options.priorityFencingDelayMs > 0 &&
    (priorityDelay || fencing.meta.has("priority-fencing-delay"))
  )
    fencing.meta.set("priority-fencing-delay", String(priorityDelaySeconds(cluster, node)));
  if (needed && canFence(cluster, node)) {
    fencing.clear(Flag.Optional);
    setReason(fencing, reason, false);
  } else if (reason !== undefined && fencing.reason === undefined) fencing.reason = reason;
  return fencing;
}

/** Seconds that fencing of the node with the more important services is delayed (priority-fencing-delay). */
function priorityDelaySeconds(cluster: Cluster, target: Node): number {
  const delay = cluster.options.priorityFencingDelayMs / 1000;
  let online = 0;
  let lowest: number | undefined;
  let highest: number | undefined;
  let members = 0;
  for (const node of cluster.nodes) {
    if (node.kind !== "member") continue;
    members++;
    if (node.online) online++;
    highest = Math.max(highest ?? node.priority, node.priority);
    lowest = Math.min(lowest ?? node.priority, node.priority);
  }
  // A majority is not delayed, nor is anybody when all are equally important.
  if (online > members / 2) return 0;
  if (lowest === highest) return 0;
  return target.priority < (highest ?? 0) ? 0 : delay;
}

/** Finds or makes the action that clears a fail count. */
export function clearFailcount(cluster: Cluster, rsc: Resource, node: Node, reason: string): Action {
  const key = opKey(rsc.id, "clear_failcount", 0);
  const clear = action(cluster, rsc, key, "clear_failcount", 0, node, false);
  clear.meta.set("op_no_wait", "true");
  clear.reason = reason;
  return clear;
}

/** What a node remembers of a resource is deleted from the status; the coordinator does that, the node may be away. */
export function clearHistory(cluster: Cluster, rsc: Resource, node: Node): void {
  const clear = action(cluster, rsc, opKey(rsc.id, "lrm_delete", 0), "lrm_delete", 0, node, false);
  clear.meta.set("on-fail", "ignore");
}

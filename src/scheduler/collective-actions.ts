import { action, orderActions } from "./actions.ts";
import { setPlace } from "./assign.ts";
import { Flag, Link, Role } from "./flags.ts";
import { Changed, methodsOf } from "./methods.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { opKey } from "./operations.ts";
import { begun, firstAction, followUp, updatePair } from "./ordering-update.ts";
import { orderTasks } from "./orderings.ts";
import { compatibleInstance, isInterleaved } from "./pairing.ts";

/** What clones and bundles have in common when they act: pseudo actions that stand for those of their instances. */

/** The pseudo actions around the starts and stops of instances. */
export interface InstanceSteps {
  readonly start: Action;
  readonly started: Action;
  readonly stop: Action;
  readonly stopped: Action;
}

const highPriority = 1_000_000;

/** A pseudo action of a resource with the key of a task. */
export function stepAction(
  cluster: Cluster,
  rsc: Resource,
  task: string,
  optional: boolean,
  runnable: boolean,
): Action {
  const made = action(cluster, rsc, opKey(rsc.id, task, 0), task, 0, undefined, optional);
  made.set(Flag.Pseudo);
  if (runnable) made.set(Flag.Runnable);
  return made;
}

/** The pseudo action after a task of all instances: it goes before others that could be done at the same time. */
export function doneAction(
  cluster: Cluster,
  rsc: Resource,
  task: string,
  optional: boolean,
  runnable: boolean,
): Action {
  const made = stepAction(cluster, rsc, task, optional, runnable);
  made.priority = highPriority;
  return made;
}

/** Makes the actions of instances, and the pseudo actions around their starts and stops. */
export function createInstanceActions(
  cluster: Cluster,
  collective: Resource,
  instances: readonly Resource[],
): InstanceSteps {
  const state = { active: false, starting: false, stopping: false, restarting: false };
  for (const instance of instances) {
    methodsOf(instance).createActions(cluster, instance);
    noteState(instance, state);
  }
  const start = stepAction(cluster, collective, "start", !state.starting, true);
  const started = doneAction(cluster, collective, "running", !state.starting, false);
  if (state.active || state.starting) started.set(Flag.Runnable);
  const stop = stepAction(cluster, collective, "stop", !state.stopping, true);
  const stopped = doneAction(cluster, collective, "stopped", !state.stopping, true);
  if (!state.restarting) stop.set(Flag.MigrateRunnable);
  return { start, started, stop, stopped };
}

interface InstancesState {
  active: boolean;
  starting: boolean;
  stopping: boolean;
  /** One instance does both. */
  restarting: boolean;
}

function noteState(instance: Resource, state: InstancesState): void {
  if (instance.children.length > 0) {
    for (const part of instance.children) noteState(part, state);
    return;
  }
  if (instance.runningOn.length > 0) state.active = true;
  let starting = false;
  let stopping = false;
  for (const op of instance.actions) {
    if (op.optional) continue;
    if (op.task === "start") starting ||= op.runnable;
    // A stop that fencing implies is a pseudo action.
    else if (op.task === "stop") stopping ||= op.runnable || op.pseudo;
  }
  state.starting ||= starting;
  state.stopping ||= stopping;
  state.restarting ||= starting && stopping;
}

/** Flags of a collective's action: required when one instance's is, runnable when one instance's is. */
export function collectiveFlags(
  cluster: Cluster,
  target: Action,
  instances: readonly Resource[],
  node: Node | undefined,
): number {
  const task = instanceTask(target);
  let flags = Flag.Optional | Flag.Runnable | Flag.Pseudo;
  let runnable = false;
  for (const instance of instances) {
    const found = firstAction(instance, task, instance.isPrimitive ? node : undefined);
    if (!found) continue;
    const own = methodsOf(instance).actionFlags(cluster, found, node);
    if ((own & Flag.Optional) === 0) {
      flags &= ~Flag.Optional;
      target.clear(Flag.Optional);
    }
    if ((own & Flag.Runnable) !== 0) runnable = true;
  }
  if (!runnable) {
    flags &= ~Flag.Runnable;
    if (!node) target.clear(Flag.Runnable);
  }
  return flags;
}

/** Task of the instances that a collective's pseudo action stands for. Groups have "running" and so on themselves. */
export function instanceTask(target: Action): string {
  const announced = /_notify_(.+)_0$/.exec(target.key)?.[1];
  const task =
    (target.task === "notify" || target.task === "notified") && announced !== undefined
      ? announced
      : target.task;
  return target.rsc?.children[0]?.isPrimitive === false ? task : (begun[task] ?? task);
}

/** Orders what a restart of all instances does: demote, stop, start, promote. */
export function orderPromotableRestart(cluster: Cluster, rsc: Resource): void {
  const order = (first: string, then: string) => orderTasks(cluster, rsc, first, rsc, then, Link.Ordered);
  order("stopped", "start");
  order("stopped", "promote");
  order("demoted", "stop");
  order("demoted", "start");
  order("demoted", "promote");
  order("running", "promote");
  order("demote", "demoted");
}

/** The instances of a clone, the containers of a bundle. */
const instancesOf = (rsc: Resource): readonly Resource[] =>
  rsc.bundle ? rsc.bundle.replicas.map(({ container }) => container) : rsc.children;

/** Applies an ordering whose second action is a collective's. */
export function updateCollective(
  cluster: Cluster,
  first: Action,
  then: Action,
  node: Node | undefined,
  flags: number,
  filter: number,
  kind: number,
): number {
  if (!then.rsc) return Changed.None;
  if (first.rsc && interleaves(first.rsc, then, then.rsc))
    return updateInterleaved(cluster, first, first.rsc, then, then.rsc, node, filter, kind);
  let changed = updatePair(cluster, first, then, flags, filter, kind);
  for (const instance of instancesOf(then.rsc))
    changed |= updateInstance(cluster, instance, first, then, node, flags, filter, kind);
  return changed;
}

/** Two collectives act instance by instance when the one that depends on the other says so. */
function interleaves(firstRsc: Resource, then: Action, thenRsc: Resource): boolean {
  if (firstRsc === thenRsc || !firstRsc.isCollective || !thenRsc.isCollective) return false;
  const dependent = then.key.endsWith("_stop_0") || then.key.endsWith("_demote_0") ? firstRsc : thenRsc;
  return isInterleaved(dependent);
}

function updateInterleaved(
  cluster: Cluster,
  first: Action,
  firstRsc: Resource,
  then: Action,
  thenRsc: Resource,
  node: Node | undefined,
  filter: number,
  kind: number,
): number {
  let changed: number = Changed.None;
  // What goes down is paired by where it is, what comes up by where it will be.
  const current = first.key.endsWith("_stopped_0") || first.key.endsWith("_demoted_0");
  const firstTask = instanceTask(first);
  for (const instance of instancesOf(thenRsc)) {
    const partner = compatibleInstance(cluster, instance, firstRsc, Role.Unknown, current);
    if (!partner) {
      const mustPair = (kind & (Link.UnrunnableFirstBlocks | Link.FirstImpliesThen)) !== 0;
      if (!current && mustPair && setPlace(cluster, instance, undefined, true, true)) changed |= Changed.Then;
      continue;
    }
    const before = instanceAction(cluster, first, partner, firstTask, node, true);
    const after = before && instanceAction(cluster, then, instance, then.task, node, false);
    if (!before || !after) continue;
    if (orderActions(before, after, kind)) changed |= Changed.First | Changed.Then;
    const flags = methodsOf(partner).actionFlags(cluster, before, node);
    changed |= methodsOf(instance).updateOrdered(cluster, before, after, node, flags, filter, kind);
  }
  return changed;
}

/**
 * The action of an instance. For bundles it is the container's or that of what is inside: others wait for what is
 * inside to be up, but for the container to be gone; and only what is inside can have roles.
 */
function instanceAction(
  cluster: Cluster,
  collective: Action,
  instance: Resource,
  task: string,
  node: Node | undefined,
  asFirst: boolean,
): Action | undefined {
  const down = collective.task === "stop" || collective.task === "stopped";
  const role = /^(promote|promoted|demote|demoted)$/.test(collective.task);
  const inside = (asFirst ? !down : role) && cluster.rules.bundlesWaitForInside;
  const inner = inside ? instance.replica?.child : undefined;
  const isContainer = instance.replica?.container === instance;
  return inner && isContainer ? firstAction(inner, task, undefined) : firstAction(instance, task, node);
}

function updateInstance(
  cluster: Cluster,
  instance: Resource,
  first: Action,
  then: Action,
  node: Node | undefined,
  flags: number,
  filter: number,
  kind: number,
): number {
  const found = firstAction(instance, then.task, node);
  if (!found) return Changed.None;
  if ((methodsOf(instance).actionFlags(cluster, found, node) & Flag.Runnable) === 0) return Changed.None;
  const changed = methodsOf(instance).updateOrdered(cluster, first, found, node, flags, filter, kind);
  if ((changed & Changed.Then) !== 0) followUp(cluster, found);
  return changed;
}

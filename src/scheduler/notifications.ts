import { action, orderActions } from "./actions.ts";
import { compareNames } from "./assign.ts";
import { Flag, Link, Role } from "./flags.ts";
import { actionsOf } from "./methods.ts";
import type { Action, Cluster, Node, NotifyData, Resource } from "./model.ts";
import { topLevel } from "./model.ts";
import { firstAction } from "./ordering-update.ts";

/**
 * Notifications of clones (Pacemaker Explained, "notify"; OCF resource agents get them as action `notify`): before
 * and after the instances start, stop, are promoted or demoted, every affected instance is told what happens.
 * Around each step of the clone stand four pseudo actions: `pre`, `confirmed-pre`, `post`, `confirmed-post`.
 */

/** Steps of a clone that are announced. */
type Step = "start" | "stop" | "promote" | "demote";

type Moment = "pre" | "post" | "confirmed-pre" | "confirmed-post";

type Entries = { rsc: Resource; node: Node | undefined }[];

const lists = ["start", "stop", "promote", "demote", "active", "unpromoted", "promoted", "inactive"] as const;
type List = (typeof lists)[number];

/** Post notifications go before anything else that could be done at the same time. */
const highPriority = 1_000_000;

/**
 * Makes the pseudo actions around the start and the stop of a clone's instances. Call it when the clone's own
 * pseudo actions (start, running, stop, stopped) have been made.
 */
export function announceStartStop(
  cluster: Cluster,
  clone: Resource,
  start: Action,
  started: Action,
  stop: Action,
  stopped: Action,
): void {
  const settings = clone.clone;
  if (!settings) return;
  settings.startNotify ??= announce(cluster, clone, "start", start, started);
  if (settings.stopNotify) return;
  settings.stopNotify = announce(cluster, clone, "stop", stop, stopped);
  orderActions(settings.stopNotify?.postDone, settings.startNotify?.pre, Link.Ordered);
}

/** Makes the pseudo actions around the promotion of a clone's instances. */
export function announcePromotion(
  cluster: Cluster,
  clone: Resource,
  promote: Action,
  promoted: Action,
): void {
  if (clone.clone) clone.clone.promoteNotify ??= announce(cluster, clone, "promote", promote, promoted);
}

/** Makes the pseudo actions around the demotion of a clone's instances, after those around the promotion. */
export function announceDemotion(cluster: Cluster, clone: Resource, demote: Action, demoted: Action): void {
  const settings = clone.clone;
  if (!settings || settings.demoteNotify) return;
  settings.demoteNotify = announce(cluster, clone, "demote", demote, demoted);
  const { startNotify, stopNotify, promoteNotify, demoteNotify } = settings;
  if (!promoteNotify) return;
  // Down before up: demote, stop, start, promote.
  for (const earlier of [stopNotify, startNotify, demoteNotify])
    orderActions(earlier?.postDone, promoteNotify.pre, Link.Ordered);
  orderActions(demoteNotify?.postDone, startNotify?.pre, Link.Ordered);
  orderActions(demoteNotify?.postDone, stopNotify?.pre, Link.Ordered);
}

/**
 * Makes the notifications of the instances, and gives the instances' actions what the agents are to know. Call it
 * when all orderings have been applied, since only then is known which actions will run.
 */
export function createNotifications(cluster: Cluster, clone: Resource): void {
  const settings = clone.clone;
  if (!settings) return;
  // What the instances turned out to need decides about the clone's own points, announcements among them.
  for (const each of clone.actions) actionsOf(clone).actionFlags(cluster, each, undefined);
  const { startNotify, stopNotify, promoteNotify, demoteNotify } = settings;
  for (const data of [startNotify, stopNotify, promoteNotify, demoteNotify]) {
    if (!data) continue;
    collect(clone, true, data);
    tellKeys(cluster, clone, data);
    notifyInstances(cluster, clone, data);
  }
}

/** A stop that fencing implies is announced once the node has been fenced. */
export function notifyAfterFencing(cluster: Cluster, stop: Action, rsc: Resource, fencing: Action): void {
  const data = announce(cluster, rsc, "stop", undefined, fencing);
  if (!data) return;
  collect(rsc, false, data);
  data.keys.set("notify_stop_resource", rsc.id);
  data.keys.set("notify_stop_uname", stop.node?.name ?? "");
  notifyInstances(cluster, topLevel(rsc, false), data);
}

/** Makes the pseudo actions around a step: before `begin`, and after `complete`, as far as these are given. */
function announce(
  cluster: Cluster,
  rsc: Resource,
  step: Step,
  begin: Action | undefined,
  complete: Action | undefined,
): NotifyData | undefined {
  if (!rsc.notify) return undefined;
  const data: NotifyData = {
    pre: undefined,
    post: undefined,
    preDone: undefined,
    postDone: undefined,
    task: step,
    entries: new Map(),
    keys: new Map(),
  };
  if (begin) {
    data.pre = point(cluster, rsc, begin, "pre", step);
    data.preDone = point(cluster, rsc, begin, "confirmed-pre", step);
    data.pre.set(Flag.Runnable);
    data.preDone.set(Flag.Runnable);
    orderActions(data.pre, data.preDone, Link.Ordered);
    orderActions(data.preDone, begin, Link.Ordered);
  }
  if (complete) {
    data.post = point(cluster, rsc, complete, "post", step);
    data.postDone = point(cluster, rsc, complete, "confirmed-post", step);
    for (const part of [data.post, data.postDone]) {
      part.priority = highPriority;
      if (complete.runnable) part.set(Flag.Runnable);
      else part.clear(Flag.Runnable);
    }
    orderActions(complete, data.post, Link.FirstImpliesThen);
    orderActions(data.post, data.postDone, Link.FirstImpliesThen);
  }
  if (begin && complete) orderActions(data.preDone, data.post, Link.Ordered);
  return data;
}

const notifyKey = (rsc: Resource, moment: Moment, task: string) => `${rsc.id}_${moment}_notify_${task}_0`;

function point(cluster: Cluster, rsc: Resource, around: Action, moment: Moment, step: Step): Action {
  const confirmed = moment === "confirmed-pre" || moment === "confirmed-post";
  const task = confirmed ? "notified" : "notify";
  const key = notifyKey(rsc, moment, around.task);
  const made = action(cluster, rsc, key, task, 0, undefined, around.optional);
  made.set(Flag.Pseudo);
  made.meta.set("notify_key_type", moment);
  made.meta.set("notify_key_operation", around.task);
  made.meta.set("notify_type", moment.endsWith("pre") ? "pre" : "post");
  made.meta.set("notify_operation", step);
  return made;
}

/** Lists what the instances are and, with `activity`, what they are about to do. */
function collect(rsc: Resource, activity: boolean, data: NotifyData): void {
  if (rsc.children.length > 0) {
    for (const part of rsc.children) collect(part, activity, data);
    return;
  }
  const add = (list: List, node: Node | undefined) => {
    const known = data.entries.get(list);
    if (known) known.push({ rsc, node });
    else data.entries.set(list, [{ rsc, node }]);
  };
  const node = rsc.runningOn[0];
  if (rsc.role === Role.Stopped) add("inactive", node);
  else if (rsc.role >= Role.Started) add("active", node);
  if (rsc.role === Role.Unpromoted) add("unpromoted", node);
  else if (rsc.role === Role.Promoted) add("promoted", node);
  if (!activity) return;
  for (const op of rsc.actions) {
    if (op.optional || !op.node || !isStep(op.task)) continue;
    // A stop on a lost node is told whether or not the node can be fenced.
    if (op.runnable || (op.task === "stop" && op.node.unclean)) add(op.task, op.node);
  }
}

const isStep = (task: string): task is Step =>
  task === "start" || task === "stop" || task === "promote" || task === "demote";

/** Makes of the lists what the agents get, and makes the announced step's pseudo actions required. */
function tellKeys(cluster: Cluster, clone: Resource, data: NotifyData): void {
  const { keys, entries } = data;
  for (const list of lists) {
    const { resources, nodes } = listed(entries.get(list) ?? []);
    const names = list === "unpromoted" ? [list, "slave"] : list === "promoted" ? [list, "master"] : [list];
    for (const name of names) {
      keys.set(`notify_${name}_resource`, resources);
      if (list !== "inactive") keys.set(`notify_${name}_uname`, nodes);
    }
  }
  const byName = (nodes: Iterable<Node>) => [...nodes].sort((a, b) => compareNames(a.name, b.name));
  keys.set("notify_available_uname", nodeNames(byName(clone.allowed.keys())));
  const all = byName(cluster.nodes);
  if (clone.meta.get("container-attribute-target")?.toLowerCase() === "host")
    keys.set("notify_all_hosts", nodeNames(all.map(hostOf)));
  keys.set("notify_all_uname", nodeNames(all));
  if (!isStep(data.task) || !entries.has(data.task)) return;
  for (const part of [data.pre, data.preDone, data.post, data.postDone]) part?.clear(Flag.Optional);
}

/** A list without entries: a word must be there. */
const nothing = " ";

const nodeNames = (nodes: readonly Node[]) => nodes.map(({ name }) => name).join(" ") || nothing;

/** Where a guest runs at present; any other node itself. */
const hostOf = (node: Node): Node => (node.isGuest && node.remoteRsc?.container?.runningOn[0]) || node;

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Names of resources and their nodes, sorted, each resource once. */
function listed(entries: Entries): { resources: string; nodes: string } {
  if (entries.length === 0) return { resources: nothing, nodes: nothing };
  entries.sort(
    (a, b) => compareText(a.rsc.id, b.rsc.id) || compareText(a.node?.name ?? "", b.node?.name ?? ""),
  );
  const resources: string[] = [];
  const nodes: string[] = [];
  for (const { rsc, node } of entries) {
    if (resources.at(-1) === rsc.id) continue;
    resources.push(rsc.id);
    if (node) nodes.push(node.name);
  }
  return { resources: resources.join(" ") || nothing, nodes: nodes.join(" ") || nothing };
}

/** Makes the notifications of each instance for one step. */
function notifyInstances(cluster: Cluster, rsc: Resource, data: NotifyData): void {
  if (rsc.children.length > 0) {
    for (const part of rsc.children) notifyInstances(cluster, part, data);
    return;
  }
  for (const op of rsc.actions) if (!op.optional && op.node && isStep(op.task)) addKeys(op, data);
  const { task } = data;
  // A stop may be implied by fencing, so that one is announced even if nothing stops.
  if (task !== "stop" && !data.entries.has(task)) return;
  if (task === "stop" || task === "demote") {
    if (rsc.role !== Role.Stopped) notifyGoingDown(cluster, rsc, data);
  } else if (rsc.nextRole !== Role.Stopped) notifyGoingUp(cluster, rsc, data);
}

function notifyGoingDown(cluster: Cluster, rsc: Resource, data: NotifyData): void {
  const stop = firstAction(rsc, "stop");
  for (const node of rsc.runningOn) {
    // Nobody is told on a node that gets fenced.
    if (stop?.pseudo && (node.unclean || node.remoteRequiresReset)) continue;
    notify(cluster, rsc, node, data.pre, data.preDone, data);
    if (data.task === "demote" || !stop || stop.optional) notifyAfterwards(cluster, rsc, node, data);
  }
}

function notifyGoingUp(cluster: Cluster, rsc: Resource, data: NotifyData): void {
  const start = firstAction(rsc, "start");
  const connection = start?.node?.remoteRsc;
  const connectionStart = connection && firstAction(connection, "start");
  // Behind a connection that cannot be made nobody can be told.
  if (connectionStart && !connectionStart.runnable) return;
  const node = rsc.assignedTo;
  if (!node) return;
  if (data.task !== "start" || !start || start.optional)
    notify(cluster, rsc, node, data.pre, data.preDone, data);
  notifyAfterwards(cluster, rsc, node, data);
}

/** The notification of one instance, between the clone's pseudo action and its confirmation. */
function notify(
  cluster: Cluster,
  rsc: Resource,
  node: Node,
  parent: Action | undefined,
  confirmed: Action | undefined,
  data: NotifyData,
): Action | undefined {
  if (!parent?.runnable || !confirmed) return undefined;
  const moment = parent.meta.get("notify_type") === "pre" ? "pre" : "post";
  const key = notifyKey(rsc, moment, parent.meta.get("notify_operation") ?? data.task);
  const made = action(cluster, rsc, key, parent.task, 0, node, parent.optional);
  for (const [name, value] of parent.meta) if (!made.meta.has(name)) made.meta.set(name, value);
  addKeys(made, data);
  orderActions(parent, made, Link.Ordered);
  orderActions(made, confirmed, Link.Ordered);
  return made;
}

function notifyAfterwards(cluster: Cluster, rsc: Resource, node: Node, data: NotifyData): void {
  const made = notify(cluster, rsc, node, data.post, data.postDone, data);
  if (made) made.priority = highPriority;
  if (!data.postDone) return;
  for (const op of rsc.actions)
    if (op.intervalMs > 0 && op.task !== "cancel") orderActions(data.postDone, op, Link.Ordered);
}

/** The keys are shared: all instances are told the same. */
function addKeys(target: Action, data: NotifyData): void {
  const { notifyKeys } = target;
  if (notifyKeys === data.keys) return;
  const covered = notifyKeys === undefined || [...notifyKeys.keys()].every((name) => data.keys.has(name));
  target.notifyKeys = covered ? data.keys : new Map([...notifyKeys, ...data.keys]);
}

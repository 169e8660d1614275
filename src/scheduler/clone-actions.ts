import {
  collectiveFlags,
  createInstanceActions,
  doneAction,
  orderPromotableRestart,
  stepAction,
  updateCollective,
} from "./collective-actions.ts";
import { Link } from "./flags.ts";
import { type ActionMethods, actionsOf } from "./methods.ts";
import type { Cluster, Node, Resource } from "./model.ts";
import { announceDemotion, announcePromotion, announceStartStop } from "./notifications.ts";
import { orderTasks } from "./orderings.ts";

function createActions(cluster: Cluster, clone: Resource): void {
  const { start, started, stop, stopped } = createInstanceActions(cluster, clone, clone.children);
  announceStartStop(cluster, clone, start, started, stop, stopped);
  if (clone.promotable) createPromotableActions(cluster, clone);
}

function createPromotableActions(cluster: Cluster, clone: Resource): void {
  const promoting = clone.children.some((instance) => anyRequired(instance, "promote"));
  const demoting = clone.children.some((instance) => anyRequired(instance, "demote"));
  const promote = stepAction(cluster, clone, "promote", !promoting, true);
  const promoted = doneAction(cluster, clone, "promoted", !promoting, true);
  announcePromotion(cluster, clone, promote, promoted);
  const demote = stepAction(cluster, clone, "demote", !demoting, true);
  const demoted = doneAction(cluster, clone, "demoted", !demoting, true);
  announceDemotion(cluster, clone, demote, demoted);
}

const anyRequired = (rsc: Resource, task: string): boolean =>
  rsc.children.length > 0
    ? rsc.children.some((part) => anyRequired(part, task))
    : rsc.actions.some((action) => action.task === task && !action.optional);

const byNumber = (a: Resource, b: Resource): number => (a.instance ?? 0) - (b.instance ?? 0);

function createProbe(cluster: Cluster, clone: Resource, node: Node): boolean {
  // From here on the instances stand by their numbers, not as assignment has sorted them.
  clone.children.sort(byNumber);
  if (clone.exclusiveDiscovery && clone.allowed.get(node)?.discovery !== "exclusive") {
    clone.allowed.delete(node);
    return false;
  }
  const instances = clone.children;
  if (!clone.unique) {
    // One instance is enough: one that is known there already, one that will be there, or any.
    const there =
      instances.find((instance) => knownInside(instance, node)) ??
      instances.find((instance) => placeOf(instance) === node) ??
      instances[0];
    return there !== undefined && actionsOf(there).createProbe(cluster, there, node);
  }
  let any = false;
  for (const instance of instances) if (actionsOf(instance).createProbe(cluster, instance, node)) any = true;
  return any;
}

const knownInside = (rsc: Resource, node: Node): boolean =>
  rsc.children.length > 0 ? rsc.children.some((part) => knownInside(part, node)) : rsc.knownOn.has(node);

/** The one node of an instance, if it has exactly one. */
function placeOf(instance: Resource): Node | undefined {
  if (instance.isPrimitive) return instance.assignedTo;
  const places = new Set(instance.children.flatMap((part) => placeOf(part) ?? []));
  return places.size === 1 ? [...places][0] : undefined;
}

function constrain(cluster: Cluster, clone: Resource): void {
  const own = (first: string, then: string, kind: number) =>
    orderTasks(cluster, clone, first, clone, then, kind);
  own("stopped", "start", Link.Ordered);
  own("start", "running", Link.UnrunnableFirstBlocks);
  own("stop", "stopped", Link.UnrunnableFirstBlocks);
  if (clone.promotable) {
    own("demoted", "stop", Link.Ordered);
    own("running", "promote", Link.UnrunnableFirstBlocks);
  }
  const ordered = clone.clone?.ordered === true;
  const instances = ordered ? [...clone.children].sort(byNumber) : clone.children;
  for (const [index, instance] of instances.entries()) {
    actionsOf(instance).internalConstraints(cluster, instance);
    orderTasks(
      cluster,
      clone,
      "start",
      instance,
      "start",
      Link.UnrunnableFirstBlocks | Link.ThenImpliesFirstGraphed,
    );
    orderTasks(cluster, instance, "start", clone, "running", Link.FirstImpliesThenGraphed);
    orderTasks(cluster, clone, "stop", instance, "stop", Link.ThenImpliesFirstGraphed);
    orderTasks(cluster, instance, "stop", clone, "stopped", Link.FirstImpliesThenGraphed);
    if (!ordered) continue;
    for (const later of instances.slice(index + 1)) {
      orderTasks(cluster, instance, "start", later, "start", Link.Ordered);
      orderTasks(cluster, later, "stop", instance, "stop", Link.Ordered);
    }
  }
  if (clone.promotable) constrainRoles(cluster, clone, instances, ordered);
}

function constrainRoles(
  cluster: Cluster,
  clone: Resource,
  instances: readonly Resource[],
  ordered: boolean,
): void {
  orderPromotableRestart(cluster, clone);
  let previous: Resource | undefined;
  for (const instance of instances) {
    orderTasks(cluster, instance, "demote", instance, "promote", Link.Ordered);
    orderTasks(cluster, clone, "promote", instance, "promote", Link.ThenImpliesFirstGraphed);
    orderTasks(cluster, instance, "promote", clone, "promoted", Link.FirstImpliesThenGraphed);
    orderTasks(cluster, clone, "demote", instance, "demote", Link.ThenImpliesFirstGraphed);
    orderTasks(cluster, instance, "demote", clone, "demoted", Link.FirstImpliesThenGraphed);
    if (previous && ordered) {
      orderTasks(cluster, previous, "promote", instance, "promote", Link.Ordered);
      orderTasks(cluster, instance, "demote", previous, "demote", Link.Ordered);
    }
    previous = instance;
  }
}

/** What clones do to reach the places that were chosen. */
export const cloneActions: ActionMethods = {
  createActions,
  createProbe,
  internalConstraints: constrain,
  actionFlags: (cluster, action, node) => collectiveFlags(cluster, action, action.rsc?.children ?? [], node),
  updateOrdered: updateCollective,
  addGraphMeta(_cluster, clone, meta) {
    const { clone: settings } = clone;
    if (!settings) return;
    const set = (name: string, value: string | number | boolean) => {
      if (!meta.has(`CRM_meta_${name}`)) meta.set(`CRM_meta_${name}`, String(value));
    };
    set("globally_unique", clone.unique);
    set("notify", clone.notify);
    set("clone_max", settings.cloneMax);
    set("clone_node_max", settings.cloneNodeMax);
    if (!clone.promotable) return;
    set("promoted_max", settings.promotedMax);
    set("promoted_node_max", settings.promotedNodeMax);
    // Agents written for older releases know these names.
    set("master_max", settings.promotedMax);
    set("master_node_max", settings.promotedNodeMax);
  },
};

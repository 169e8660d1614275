import { parseBoolean } from "../cib/index.ts";
import { INFINITY } from "../terms/index.ts";
import { action } from "./actions.ts";
import { addColocation } from "./colocation-unpack.ts";
import { Flag, Link } from "./flags.ts";
import { type ActionMethods, actionsOf } from "./methods.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { topLevel } from "./model.ts";
import { opKey } from "./operations.ts";
import { begun, firstAction, updatePair } from "./ordering-update.ts";
import { orderTasks } from "./orderings.ts";

function createActions(cluster: Cluster, group: Resource): void {
  for (const member of group.children) actionsOf(member).createActions(cluster, member);
  const tasks = ["start", "running", "stop", "stopped"];
  if (parseBoolean(group.meta.get("promotable")) === true)
    tasks.push("demote", "demoted", "promote", "promoted");
  for (const task of tasks)
    action(cluster, group, opKey(group.id, task, 0), task, 0, undefined, true).set(
      Flag.Pseudo | Flag.Runnable,
    );
}

function createProbe(cluster: Cluster, group: Resource, node: Node): boolean {
  let any = false;
  for (const member of group.children) if (actionsOf(member).createProbe(cluster, member, node)) any = true;
  return any;
}

function constrain(cluster: Cluster, group: Resource): void {
  group.handsOverColocations = !cluster.rules.groupsKeepColocations;
  orderTasks(cluster, group, "stop", group, "stopped", Link.UnrunnableFirstBlocks);
  orderTasks(cluster, group, "stopped", group, "start", Link.Ordered);
  orderTasks(cluster, group, "start", group, "running", Link.UnrunnableFirstBlocks);
  const ordered = parseBoolean(group.meta.get("ordered")) ?? true;
  const colocated = parseBoolean(group.meta.get("collocated") ?? group.meta.get("colocated")) ?? true;
  const promotable = topLevel(group, false).promotable;
  let previous: Resource | undefined;
  let lastActive: Resource | undefined;
  for (const member of group.children) {
    constrainMember(cluster, group, member, previous, { ordered, colocated, promotable });
    if (member.runningOn.length > 0) {
      // A group with gaps is stopped in sequence too.
      if (ordered && previous && previous.runningOn.length === 0 && lastActive)
        orderTasks(cluster, member, "stop", lastActive, "stop", Link.Ordered);
      lastActive = member;
    }
    member.afterUnmanaged = previous !== undefined && (previous.afterUnmanaged || !previous.managed);
    previous = member;
  }
}

interface GroupKind {
  readonly ordered: boolean;
  readonly colocated: boolean;
  readonly promotable: boolean;
}

function constrainMember(
  cluster: Cluster,
  group: Resource,
  member: Resource,
  previous: Resource | undefined,
  { ordered, colocated, promotable }: GroupKind,
): void {
  actionsOf(member).internalConstraints(cluster, member);
  const order = (first: Resource, firstTask: string, then: Resource, thenTask: string, kind: number) =>
    orderTasks(cluster, first, firstTask, then, thenTask, kind);
  let down: number = Link.ThenImpliesFirstGraphed;
  let afterDown: number = Link.FirstImpliesThenGraphed;
  if (!previous) {
    if (ordered) {
      down |= Link.Ordered;
      afterDown = Link.FirstImpliesThen;
    }
  } else if (colocated)
    addColocation(cluster, {
      id: "#group-members",
      dependent: member,
      primary: previous,
      score: INFINITY,
      influence: String(member.critical),
      attribute: undefined,
      dependentRole: undefined,
      primaryRole: undefined,
      explicit: false,
    });
  const up = Link.UnrunnableFirstBlocks | Link.FirstImpliesThen | Link.FirstImpliesThenGraphed;
  if (promotable) {
    order(group, "demote", member, "demote", down);
    order(member, "demote", group, "demoted", afterDown);
    order(member, "promote", group, "promoted", up);
    order(group, "promote", member, "promote", Link.ThenImpliesFirstGraphed);
  }
  order(group, "stop", member, "stop", down);
  order(member, "stop", group, "stopped", afterDown);
  order(group, "start", member, "start", Link.ThenImpliesFirstGraphed);
  order(member, "start", group, "running", up);
  if (!ordered) {
    const all = Link.FirstImpliesThen | Link.UnrunnableFirstBlocks | Link.ThenImpliesFirstGraphed;
    order(group, "start", member, "start", all);
    if (promotable) order(group, "promote", member, "promote", all);
  } else if (previous) {
    const chain = Link.FirstImpliesThen | Link.UnrunnableFirstBlocks;
    order(previous, "start", member, "start", chain);
    order(member, "stop", previous, "stop", Link.Ordered | Link.Restart);
    // A member that was put in front of others that run: they stop before it starts, where the cluster may stop them.
    const behindGap = member.runningOn.length > 0 && previous.runningOn.length === 0;
    if (cluster.rules.laterMembersStopFirst && behindGap && member.managed)
      order(member, "stop", previous, "start", Link.ThenImpliesFirst | Link.UnrunnableFirstBlocks);
    if (promotable) {
      order(previous, "promote", member, "promote", chain);
      order(member, "demote", previous, "demote", Link.Ordered);
    }
  }
}

/** A group's action is required when a member's is, and runnable when every member's is. */
function actionFlags(cluster: Cluster, target: Action, node: Node | undefined): number {
  let flags = Flag.Optional | Flag.Runnable | Flag.Pseudo;
  for (const member of target.rsc?.children ?? []) {
    const task = begun[target.task] ?? target.task;
    const own = firstAction(member, task, node);
    if (!own) {
      if (task !== "stop" && task !== "demote") flags &= ~Flag.Runnable;
      continue;
    }
    const ownFlags = actionsOf(member).actionFlags(cluster, own, node);
    if ((ownFlags & Flag.Optional) === 0) {
      flags &= ~Flag.Optional;
      target.clear(Flag.Optional);
    }
    if (task !== target.task && (ownFlags & Flag.Runnable) === 0) {
      flags &= ~Flag.Runnable;
      target.clear(Flag.Runnable);
    }
  }
  return flags;
}

/** What groups do to reach the places that were chosen. */
export const groupActions: ActionMethods = {
  createActions,
  createProbe,
  internalConstraints: constrain,
  actionFlags,
  updateOrdered(cluster, first, then, node, flags, filter, kind) {
    let changed = updatePair(cluster, first, then, flags, filter, kind);
    for (const member of then.rsc?.children ?? []) {
      const own = firstAction(member, then.task, node);
      if (own) changed |= actionsOf(member).updateOrdered(cluster, first, own, node, flags, filter, kind);
    }
    return changed;
  },
  addGraphMeta() {},
};

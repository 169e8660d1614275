import {
  demoteAction,
  findActionsExact,
  orderActions,
  promoteAction,
  setReason,
  startAction,
  stopAction,
} from "./actions.ts";
import { activeNode } from "./availability.ts";
import { Flag, Link, Role } from "./flags.ts";
import type { ActionMethods } from "./methods.ts";
import { abortDanglingMigration, canMigrate, createMigration } from "./migration.ts";
import type { Cluster, Node, Resource } from "./model.ts";
import { opKey } from "./operations.ts";
import { updatePair } from "./ordering-update.ts";
import { scheduleCleanup } from "./parameter-changes.ts";
import { constrainPrimitive } from "./primitive-constraints.ts";
import { probePrimitive } from "./probes.ts";
import { createRecurring } from "./recurring.ts";
import { stopLeftOut } from "./spared.ts";
import { isUnfenced, orderAfterUnfencing, unfencing } from "./unfencing.ts";

/** Makes all actions of a primitive: from its role now to the one it will have, on the node that was chosen. */
function createActions(cluster: Cluster, rsc: Resource): void {
  if (rsc.nextRole === Role.Unknown) rsc.nextRole = rsc.assignedTo ? Role.Started : Role.Stopped;
  const active = activeNode(rsc);
  const current = active.node;
  const place = rsc.assignedTo;
  for (const source of rsc.danglingMigrations) abortDanglingMigration(cluster, rsc, source);
  const moves =
    current !== undefined && place !== undefined && current !== place && rsc.nextRole >= Role.Started;
  let migrates = moves && canMigrate(rsc, current);
  let mustStop = moves;
  const { partialMigrationSource: from, partialMigrationTarget: to } = rsc;
  rsc.stopUnexpected = false;
  if (from && to && migrates && active.all === 2 && current === from && place === to) {
    // The migration that is under way goes on.
  } else if (from || to) {
    mustStop = true;
    rsc.partialMigrationSource = undefined;
    rsc.partialMigrationTarget = undefined;
    migrates = false;
  } else if ((rsc.needsFencing ? active.all : active.clean) > 1) {
    cluster.error(`Resource ${rsc.id} might be active on ${active.all} nodes`, rsc.id);
    if (rsc.multipleActive === "stop_start") mustStop = true;
    else if (rsc.multipleActive === "stop_unexpected") {
      mustStop = true;
      rsc.stopUnexpected = true;
    }
  }
  if (rsc.startPending) startAction(cluster, rsc, place, true).set(Flag.PrintAlways);
  let mustPromote = false;
  if (moves) {
    // What follows is about resources that stay.
  } else if (rsc.failed) {
    if (rsc.stopIfFailed) mustStop = true;
    else if (rsc.nextRole === Role.Promoted) mustPromote = true;
  } else if (rsc.blocked) mustStop = true;
  else if (rsc.role > Role.Started && current && place) {
    if (!startAction(cluster, rsc, place, true).optional) mustStop = true;
  }
  scheduleRestart(cluster, rsc, current, mustStop, mustPromote);
  scheduleTransition(cluster, rsc);
  createRecurring(cluster, rsc);
  stopLeftOut(cluster, rsc);
  if (migrates && current) createMigration(cluster, rsc, current);
}

/** The role that comes next on the way from one role to another. */
function nextStep(from: Role, to: Role): Role {
  switch (from) {
    case Role.Unknown:
      return to === Role.Unknown ? Role.Unknown : Role.Stopped;
    case Role.Stopped:
      if (to <= Role.Stopped) return Role.Stopped;
      return to === Role.Started ? Role.Started : Role.Unpromoted;
    case Role.Started:
      return to <= Role.Stopped ? Role.Stopped : to;
    case Role.Unpromoted:
      return to <= Role.Started ? Role.Stopped : to;
    case Role.Promoted:
      return to === Role.Promoted ? Role.Promoted : Role.Unpromoted;
  }
}

/** Makes the action of one step. Returns false when there is none. */
function step(
  cluster: Cluster,
  rsc: Resource,
  from: Role,
  to: Role,
  node: Node | undefined,
  optional: boolean,
): boolean {
  if (from === Role.Promoted) {
    if (to === Role.Promoted) return false;
    demote(cluster, rsc, optional);
  } else if (to === Role.Promoted) promote(cluster, rsc, node, optional);
  else if (from === Role.Stopped) {
    if (to === Role.Stopped) return false;
    start(cluster, rsc, node, optional);
  } else if (to === Role.Stopped || from === Role.Unpromoted) stop(cluster, rsc, optional);
  else return false;
  return true;
}

/** Down on the node where it is and up again to the same role on the node where it will be; optional if nothing asks for it. */
function scheduleRestart(
  cluster: Cluster,
  rsc: Resource,
  current: Node | undefined,
  mustStop: boolean,
  mustPromote: boolean,
): void {
  rsc.restarting = true;
  let { role } = rsc;
  while (role !== Role.Stopped) {
    const next = nextStep(role, Role.Stopped);
    if (!step(cluster, rsc, role, next, current, !mustStop)) break;
    role = next;
  }
  while (rsc.role <= rsc.nextRole && role !== rsc.role && !rsc.blocked) {
    const next = nextStep(role, rsc.role);
    const required = mustStop || (next === Role.Promoted && mustPromote);
    if (!step(cluster, rsc, role, next, rsc.assignedTo, !required)) break;
    role = next;
  }
  rsc.restarting = false;
}

function scheduleTransition(cluster: Cluster, rsc: Resource): void {
  let { role } = rsc;
  while (role !== rsc.nextRole) {
    const next = nextStep(role, rsc.nextRole);
    if (!step(cluster, rsc, role, next, rsc.assignedTo, false)) break;
    role = next;
  }
}

/** Where a resource that is active on too many nodes may stay. */
const expectedHere = (rsc: Resource, node: Node | undefined): boolean =>
  rsc.stopUnexpected && rsc.restarting && rsc.nextRole > Role.Stopped && rsc.assignedTo === node;

function start(cluster: Cluster, rsc: Resource, node: Node | undefined, optional: boolean): void {
  if (!node) return;
  const made = startAction(cluster, rsc, node, true);
  orderAfterUnfencing(cluster, rsc, node, made, Link.FirstImpliesThen);
  // One that cannot run is not asked for, so that nothing else is done on its account.
  if (made.runnable && !optional) made.clear(Flag.Optional);
  if (expectedHere(rsc, node)) made.set(Flag.Pseudo);
}

function stop(cluster: Cluster, rsc: Resource, given: boolean): void {
  let optional = given;
  for (const node of rsc.runningOn) {
    if (expectedHere(rsc, node)) continue;
    if (rsc.partialMigrationTarget) {
      if (node === rsc.partialMigrationTarget && node === rsc.assignedTo) continue;
      optional = false;
    }
    const made = stopAction(cluster, rsc, node, optional);
    if (!rsc.assignedTo) setReason(made, "node availability", true);
    else if (rsc.restarting && rsc.stopUnexpected) setReason(made, "being multiply active", true);
    if (!rsc.managed) made.clear(Flag.Runnable);
    if (cluster.options.removeAfterStop) scheduleCleanup(cluster, rsc, node, optional);
    if (rsc.needsUnfencing) {
      orderActions(made, unfencing(cluster, node), Link.ThenImpliesFirst);
      if (!isUnfenced(node)) cluster.error(`Stopping ${rsc.id} until ${node.name} can be unfenced`, rsc.id);
    }
  }
}

function promote(cluster: Cluster, rsc: Resource, node: Node | undefined, optional: boolean): void {
  if (!node) return;
  const starts = findActionsExact(rsc, opKey(rsc.id, "start", 0), node);
  if (starts.every((each) => each.runnable)) {
    const made = promoteAction(cluster, rsc, node, optional);
    if (expectedHere(rsc, node)) made.set(Flag.Pseudo);
    return;
  }
  for (const each of findActionsExact(rsc, opKey(rsc.id, "promote", 0), node)) each.clear(Flag.Runnable);
}

function demote(cluster: Cluster, rsc: Resource, optional: boolean): void {
  for (const node of rsc.runningOn) if (!expectedHere(rsc, node)) demoteAction(cluster, rsc, node, optional);
}

/** What primitives do to reach the places that were chosen. */
export const primitiveActions: ActionMethods = {
  createActions,
  createProbe: probePrimitive,
  internalConstraints: constrainPrimitive,
  actionFlags: (_cluster, action) => action.flags,
  updateOrdered: (cluster, first, then, _node, flags, filter, kind) =>
    updatePair(cluster, first, then, flags, filter, kind),
  addGraphMeta(_cluster, rsc, meta) {
    if (rsc.instance !== undefined) meta.set("CRM_meta_clone", String(rsc.instance));
    const remoteNode = rsc.meta.get("remote-node");
    if (remoteNode !== undefined) meta.set("CRM_meta_remote_node", remoteNode);
    // A group may be in a container as a whole; the outermost counts.
    for (let part: Resource | undefined = rsc; part; part = part.parent)
      if (part.container) meta.set("CRM_meta_container", part.container.id);
    const address = rsc.meta.get("external-ip");
    if (address !== undefined) meta.set("pcmk_external_ip", address);
  },
};

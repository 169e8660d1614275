import { addScores, INFINITY } from "../terms/index.ts";
import { anyUsable, nodeUsable } from "./availability.ts";
import { insertThisWith, insertWithThis } from "./colocation-unpack.ts";
import { spend } from "./effort.ts";
import { Role } from "./flags.ts";
import { applyLocation } from "./location.ts";
import { assignmentOf, type MergeOptions, type Places } from "./methods.ts";
import type { Cluster, Colocation, Node, Resource } from "./model.ts";
import { attributeForColocation } from "./node-attributes.ts";
import { copyPlaces } from "./table-order.ts";

/** Marks a node that the merging of preferences has ruled out; it becomes 1 at the end. */
const ruledOut = -100 * INFINITY;

/** Colocations in which a resource is the dependent, also by way of what it is part of. */
export function thisWithColocations(rsc: Resource): Colocation[] {
  const list: Colocation[] = [];
  assignmentOf(rsc).thisWithColocations(rsc, rsc, list);
  return list;
}

/** Colocations in which a resource is the primary, also by way of what it is part of. */
export function withThisColocations(rsc: Resource): Colocation[] {
  const list: Colocation[] = [];
  assignmentOf(rsc).withThisColocations(rsc, rsc, list);
  return list;
}

/** Those of its colocations that count for an instance, or for what is in it, as often as they do. */
export function countedColocations(
  cluster: Cluster,
  part: Resource,
  colocations: readonly Colocation[],
): readonly Colocation[] {
  const { allColocationsForInstances, triesLeaveNothing } = cluster.rules;
  const instance = part.parent?.isGroup ? part.parent : part;
  const whole = instance.parent;
  if (allColocationsForInstances && triesLeaveNothing) return colocations;
  // The containers of a bundle are its instances.
  if (!whole?.clone && !whole?.bundle) return colocations;
  const isWholes = ({ dependent, primary }: Colocation) => dependent === whole || primary === whole;
  const counting = colocations.filter(
    (colocation) =>
      !isWholes(colocation) || allColocationsForInstances || countsForInstance(whole, part, colocation),
  );
  // What a try leaves behind comes after all that was there.
  const again = triesLeaveNothing ? 0 : Math.max(0, instance.tries - 1);
  return [counting, ...new Array<readonly Colocation[]>(again).fill(counting.filter(isWholes))].flat();
}

/** Whether a colocation of a clone or bundle counts in 2.1 for an instance or for what is in it. */
function countsForInstance(whole: Resource, part: Resource, colocation: Colocation): boolean {
  const asDependent = colocation.dependent === whole;
  if (!asDependent && !hasInfluence(colocation, part)) return false;
  if (colocation.score < 0 || (asDependent && colocation.score >= INFINITY)) return true;
  let usable = 0;
  for (const { node } of whole.allowed.values()) if (nodeUsable(node)) usable++;
  return (whole.clone?.cloneMax ?? whole.bundle?.replicas.length ?? 0) < usable;
}

/** The colocations that count for a resource as the dependent, in the order in which they are applied. */
export function countingThisWith(cluster: Cluster, rsc: Resource): readonly Colocation[] {
  const list = countedColocations(cluster, rsc, thisWithColocations(rsc));
  return takenOver(cluster, rsc, list, ({ dependent }) => dependent, insertThisWith);
}

/** The colocations that count for a resource as the primary, in the order in which they are applied. */
export function countingWithThis(cluster: Cluster, rsc: Resource): readonly Colocation[] {
  const list = countedColocations(cluster, rsc, withThisColocations(rsc));
  return takenOver(cluster, rsc, list, ({ primary }) => primary, insertWithThis);
}

/** In 2.1 those of the whole are inserted one by one, each before its equals; at a second level once more. */
function takenOver(
  cluster: Cluster,
  rsc: Resource,
  list: readonly Colocation[],
  end: (colocation: Colocation) => Resource,
  insert: (list: Colocation[], colocation: Colocation) => void,
): readonly Colocation[] {
  const whole = rsc.parent;
  if (cluster.rules.colocationsKeepOrder || !whole || whole.parent || whole.isBundle) return list;
  const result = list.filter((colocation) => end(colocation) !== whole);
  for (const colocation of list) if (end(colocation) === whole) insert(result, colocation);
  return result;
}

/** Of equally important colocations the newer comes first; those of the first list keep the order that they have. */
export function addThisWith(list: Colocation[], more: readonly Colocation[]): void {
  if (list.length === 0) list.push(...more);
  else for (const colocation of more) insertThisWith(list, colocation);
}

export function addWithThis(list: Colocation[], more: readonly Colocation[]): void {
  if (list.length === 0) list.push(...more);
  else for (const colocation of more) insertWithThis(list, colocation);
}

/** Value of the attribute by which a colocation matches nodes. */
export const colocationValue = (
  node: Node,
  attribute: string,
  rsc: Resource | undefined,
): string | undefined =>
  attribute === "#uname" && !node.isRemoteOrGuest ? node.name : attributeForColocation(rsc, node, attribute);

const sameValue = (a: string | undefined, b: string | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase());

/** Whether the dependent of a colocation may pull its primary (or an instance of it). */
export function hasInfluence(colocation: Colocation, rsc: Resource = colocation.primary): boolean {
  // A connection is cheap to move and its container is not.
  if (colocation.dependent.allowRemoteRemotes && !rsc.failed && rsc.runningOn.length === 1) return false;
  return colocation.influence || rsc.runningOn.length === 0;
}

/** The instance whose role counts: what is inside, for a container of a bundle. */
function forRole(rsc: Resource): Resource {
  if (rsc.replica?.container !== rsc || !rsc.parent?.bundle?.colocatesByRole) return rsc;
  return rsc.replica.child ?? rsc;
}

export type Affects = "nothing" | "location" | "role";

/** What a colocation can change at this point of the assignment. */
export function colocationAffects(
  cluster: Cluster,
  dependent: Resource,
  primary: Resource,
  colocation: Colocation,
  preview: boolean,
): Affects {
  if (!preview && primary.unassigned) return "nothing";
  const dependentRole = forRole(dependent);
  const primaryRole = forRole(primary);
  if (
    colocation.dependentRole >= Role.Unpromoted &&
    dependentRole.parent?.promotable &&
    !dependentRole.unassigned
  )
    return "role";
  if (!preview && !dependent.unassigned) return "nothing";
  const applies = (role: Role, rsc: Resource) => {
    if (role === Role.Unknown) return true;
    const inverted = colocation.score < 0 && !cluster.rules.negativeColocationsByRole;
    return (role === rsc.nextRole) !== inverted;
  };
  return applies(colocation.dependentRole, dependentRole) && applies(colocation.primaryRole, primaryRole)
    ? "location"
    : "nothing";
}

/** Applies a colocation to the places of the dependent, now that the primary has (or has not) one. */
export function applyToPlaces(
  cluster: Cluster,
  dependent: Resource,
  primary: Resource,
  colocation: Colocation,
): void {
  const target = primary.assignedTo;
  const { score, attribute } = colocation;
  if (!target && score < 0) return;
  const value = target && colocationValue(target, attribute, primary);
  const work = copyPlaces(cluster, dependent.allowed);
  for (const entry of work.values()) {
    if (!target) entry.score = addScores(-score, entry.score);
    else if (sameValue(colocationValue(entry.node, attribute, dependent), value)) {
      if (score < INFINITY) entry.score = addScores(score, entry.score);
    } else if (score >= INFINITY) entry.score = -INFINITY;
  }
  const mandatory = score <= -INFINITY || score >= INFINITY;
  if (!mandatory && !anyUsable(work)) return;
  dependent.allowed = work;
}

/** Applies a colocation by role: the promotion priority of an assigned instance. */
export function applyToPriority(dependent: Resource, primary: Resource, colocation: Colocation): void {
  const place = dependent.assignedTo;
  if (!place || !primary.assignedTo) return;
  const { attribute, score } = colocation;
  const here = colocationValue(place, attribute, dependent);
  const there = colocationValue(primary.assignedTo, attribute, primary);
  const primaryRole = forRole(primary).nextRole;
  const matches = colocation.primaryRole === Role.Unknown || colocation.primaryRole === primaryRole;
  if (!sameValue(here, there)) {
    if (score === INFINITY && colocation.dependentRole === Role.Promoted) dependent.priority = -INFINITY;
    return;
  }
  if (!matches) return;
  const sign = colocation.dependentRole === Role.Unpromoted ? -1 : 1;
  dependent.priority = addScores(sign * score, dependent.priority);
}

/** A dependent before its own assignment: its primary first, then what follows for its places. */
export function applyThisWith(cluster: Cluster, colocation: Colocation, rsc: Resource): void {
  const { primary, score } = colocation;
  const revertible = colocation.dependentRole >= Role.Promoted || (score < 0 && score > -INFINITY);
  const archive = revertible ? copyPlaces(cluster, rsc.allowed) : undefined;
  if (primary.unassigned) assignmentOf(primary).assign(cluster, primary, undefined, true);
  assignmentOf(rsc).applyColocation(cluster, rsc, primary, colocation, true);
  if (archive && !anyUsable(rsc.allowed)) rsc.allowed = archive;
}

/** A primary before its own assignment: it counts what its dependent would like, scaled by the score. */
export function addDependentScores(cluster: Cluster, colocation: Colocation, target: Resource): void {
  if (!hasInfluence(colocation)) return;
  const source = colocation.dependent;
  const options: MergeOptions = { active: true, nonNegative: target.isClone };
  const merged = assignmentOf(source).addColocatedScores(
    cluster,
    source,
    target,
    target.allowed,
    colocation,
    colocation.score / INFINITY,
    options,
  );
  if (merged) target.allowed = merged;
}

/** Whether a resource may run on one node only. */
function allowedOnOne(rsc: Resource): boolean {
  let count = 0;
  for (const entry of rsc.allowed.values()) if (entry.score >= 0 && ++count > 1) return false;
  return count === 1;
}

/** Best score that a resource has on a usable node with that value of the attribute. */
function bestMatchingScore(
  cluster: Cluster,
  colocation: Colocation | undefined,
  rsc: Resource,
  attribute: string,
  value: string | undefined,
  node: Node,
): number {
  const original = rsc.allowed;
  const { parent } = rsc;
  const named = colocation?.explicit === true && rsc === colocation.dependent;
  const known = parent?.isGroup !== true || rsc === parent.children[0];
  if (named && !known && cluster.rules.membersHaveGroupsLocations) {
    // Only the first member got the group's locations, and this colocation names another one.
    rsc.allowed = copyPlaces(cluster, rsc.allowed);
    for (const location of cluster.locations)
      if (location.rsc === parent) applyLocation(cluster, rsc, location);
  }
  let best = -INFINITY;
  if (attribute === "#uname" && value === node.name && !node.isRemoteOrGuest) {
    const entry = rsc.allowed.get(node);
    if (entry && nodeUsable(node)) best = Math.max(best, entry.score);
  } else
    for (const entry of rsc.allowed.values())
      if (
        entry.score > best &&
        nodeUsable(entry.node) &&
        sameValue(value, colocationValue(entry.node, attribute, rsc))
      )
        best = entry.score;
  rsc.allowed = original;
  return best;
}

function addMatchingScores(
  cluster: Cluster,
  places: Places,
  source: Resource,
  target: Resource | undefined,
  colocation: Colocation,
  factor: number,
  onlyPositive: boolean,
): void {
  const { attribute } = colocation;
  const avoidsOne = cluster.rules.avoidsOnlyNode && factor < 0 && allowedOnOne(colocation.dependent);
  for (const entry of places.values()) {
    const value = colocationValue(entry.node, attribute, target);
    const score = bestMatchingScore(cluster, colocation, source, attribute, value, entry.node);
    // "Away from what stays away from there" is no reason to go there, unless it can run nowhere else.
    if (factor < 0 && score < 0 && !(avoidsOne && -score > colocation.dependent.stickiness)) continue;
    if (entry.score === ruledOut) continue;
    const exact = factor * score;
    let weight = Math.trunc(exact < 0 ? exact - 0.5 : exact + 0.5);
    if (weight === 0 && score !== 0) weight = factor > 0 ? 1 : factor < 0 ? -1 : 0;
    const sum = addScores(weight, entry.score);
    if (onlyPositive && sum < 0 && entry.score > 0) {
      entry.score = ruledOut;
      continue;
    }
    if (onlyPositive && sum < 0 && entry.score === 0) continue;
    entry.score = sum;
  }
}

/**
 * Merges the preferences of `source`, and then of what is colocated with it in turn, into `places`. Without
 * places it starts with those of `source`. Returns undefined when nothing was merged.
 */
export function mergeScores(
  cluster: Cluster,
  source: Resource,
  target: Resource | undefined,
  places: Places | undefined,
  colocation: Colocation | undefined,
  factor: number,
  options: MergeOptions,
): Places | undefined {
  if (source.mergingScores) return undefined;
  spend(cluster, source.allowed.size);
  source.mergingScores = true;
  let work: Places;
  let about = target;
  if (places === undefined) {
    work = copyPlaces(cluster, source.allowed);
    about = source;
  } else {
    work = copyPlaces(cluster, places);
    if (colocation)
      addMatchingScores(cluster, work, source, about, colocation, factor, options.nonNegative ?? false);
  }
  if (anyUsable(work)) {
    const list = options.thisWith ? thisWithColocations(source) : withThisColocations(source);
    const counted = countedColocations(cluster, source, list);
    work = mergeFollowing(cluster, counted, about, work, factor, options);
  } else if (options.active) {
    source.mergingScores = false;
    return undefined;
  }
  if (options.nonNegative) for (const entry of work.values()) if (entry.score === ruledOut) entry.score = 1;
  source.mergingScores = false;
  return work;
}

/** Merges into `work` what the other sides of colocations prefer, and what follows from that in turn. */
export function mergeFollowing(
  cluster: Cluster,
  list: readonly Colocation[],
  about: Resource | undefined,
  work: Places,
  factor: number,
  options: MergeOptions,
): Places {
  const inner = options.active ? options : { ...options, active: true };
  let result = work;
  for (const next of list) {
    const other = options.thisWith ? next.primary : next.dependent;
    if (!options.thisWith && !hasInfluence(next)) continue;
    const scale = ((cluster.rules.chainsFade ? factor : Math.sign(factor)) * next.score) / INFINITY;
    result =
      assignmentOf(other).addColocatedScores(cluster, other, about, result, next, scale, inner) ?? result;
  }
  return result;
}

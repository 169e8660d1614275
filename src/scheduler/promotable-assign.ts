import { addScores, formatScore, INFINITY, nodeName, withoutInstance } from "../terms/index.ts";
import { nodeUsable, placeUsable, roleOf, soleLocation } from "./availability.ts";
import {
  colocationValue,
  countedColocations,
  hasInfluence,
  thisWithColocations,
  withThisColocations,
} from "./colocation.ts";
import { Role } from "./flags.ts";
import { compareInstances } from "./instance-order.ts";
import { methodsOf } from "./methods.ts";
import { type Cluster, type Colocation, type Node, type Resource, topLevel } from "./model.ts";
import { attributeForRules } from "./node-attributes.ts";
import { compatibleInstance, intersectPlaces } from "./pairing.ts";
import { addPlaceScore } from "./places.ts";
import { cannotBePromoted } from "./unexecutable.ts";

/** Promotion scores that agents or administrators have set make their nodes attractive for the instances. */
export function addPromotionScores(cluster: Cluster, clone: Resource): void {
  if (!clone.clone || clone.clone.promotionAdded) return;
  clone.clone.promotionAdded = true;
  for (const instance of clone.children) {
    for (const entry of instance.allowed.values()) {
      if (!nodeUsable(entry.node)) continue;
      const score = promotionScore(cluster, instance, entry.node) ?? 0;
      if (score > 0) entry.score = addScores(entry.score, score);
      if (score > instance.priority) instance.priority = score;
    }
  }
}

/** Promotion score of an instance on a node (of a group: the sum of its members'); undefined when there is none. */
function promotionScore(cluster: Cluster, rsc: Resource, node: Node): number | undefined {
  if (rsc.children.length > 0) {
    const scores = rsc.children.flatMap((part) => promotionScore(cluster, part, node) ?? []);
    return scores.length === 0 ? undefined : scores.reduce((sum, score) => addScores(sum, score));
  }
  if (!scoreApplies(rsc, node)) return undefined;
  const host = rsc.unassigned || !cluster.rules.hostAsAssigned ? "current" : "assigned";
  const own = attributeForRules(rsc, node, `master-${rsc.historyId || rsc.id}`, host);
  const plain = rsc.unique
    ? undefined
    : attributeForRules(rsc, node, `master-${withoutInstance(rsc.id)}`, host);
  const text = own ?? plain;
  return text === undefined ? undefined : readScore(text);
}

/** Score as attributes have it; what is none counts as 0. */
function readScore(text: string): number {
  const trimmed = text.trim().toUpperCase();
  if (trimmed === "INFINITY" || trimmed === "+INFINITY") return INFINITY;
  if (trimmed === "-INFINITY") return -INFINITY;
  const value = Number.parseInt(trimmed, 10);
  return Number.isNaN(value) ? 0 : Math.max(-INFINITY, Math.min(INFINITY, value));
}

/** A score counts where the instance is active or has been probed, and where nobody has been probed yet. */
function scoreApplies(rsc: Resource, node: Node): boolean {
  const allowed = (rsc.allowed.get(node)?.score ?? -INFINITY) >= 0;
  if (!rsc.unique) {
    const id = withoutInstance(rsc.id);
    const clone = topLevel(rsc, false);
    const siblings = clone.children.flatMap((instance) => partNamed(instance, id) ?? []);
    const active = siblings.find((sibling) => sibling.runningOn.includes(node));
    if (active === rsc) return allowed;
    if (!active && siblings.some((sibling) => sibling.knownOn.has(node))) return allowed;
  }
  if (rsc.runningOn.length === 0 && rsc.knownOn.size === 0) return allowed;
  return allowed && (rsc.knownOn.has(node) || rsc.runningOn.includes(node));
}

/** The primitive of that name in an instance. */
function partNamed(instance: Resource, id: string): Resource | undefined {
  if (instance.children.length === 0) return withoutInstance(instance.id) === id ? instance : undefined;
  for (const part of instance.children) {
    const found = partNamed(part, id);
    if (found) return found;
  }
  return undefined;
}

/** Chooses which instances are promoted: those with the highest scores, as many as may be. */
export function setInstanceRoles(cluster: Cluster, clone: Resource): void {
  for (const entry of clone.allowed.values()) entry.count = 0;
  for (const instance of clone.children) addPromotionPriority(cluster, clone, instance);
  sortByPromotion(cluster, clone);
  let promoted = 0;
  const max = clone.clone?.promotedMax ?? 1;
  for (const instance of clone.children) {
    showPromotionScore(cluster, instance);
    const wanted = instance.promotionPriority >= 0 && (promoted < max || !clone.managed);
    const place = wanted ? promotionPlace(cluster, instance) : undefined;
    const frozen =
      instance.role < Role.Promoted && !cluster.quorate && cluster.options.noQuorumPolicy === "freeze";
    if (!place || frozen) {
      staysUnpromoted(instance);
      continue;
    }
    place.count++;
    becomesPromoted(instance);
    promoted++;
    cluster.reason({
      rsc: instance.id,
      node: nodeName(place.node.name),
      score: instance.promotionPriority,
      source: "promotion",
      text: `${instance.id} is promoted on ${place.node.name}: its promotion score is the best`,
    });
  }
  if (clone.clone) clone.clone.promotedCount = promoted;
}

function addPromotionPriority(cluster: Cluster, clone: Resource, instance: Resource): void {
  if (roleOf(instance, true) === Role.Started) currentlyUnpromoted(instance);
  const place = soleLocation(instance, false);
  instance.promotionPriority = cluster.rules.unplacedComeLast ? -INFINITY : 0;
  if (!place) return;
  const next = roleOf(instance, false);
  if (next === Role.Started || next === Role.Unknown) {
    // Without any score only a location constraint for the role can make an instance eligible.
    instance.priority = promotionScore(cluster, instance, place) ?? -1;
  } else if (next === Role.Unpromoted || next === Role.Stopped) instance.priority = -INFINITY;
  for (const holder of [instance, clone]) {
    for (const location of holder.locations) {
      if (location.role !== Role.Promoted) continue;
      for (const { node, score } of location.nodes) {
        if (node === place) instance.priority = addScores(instance.priority, score);
      }
    }
  }
  for (const colocation of countedColocations(cluster, instance, thisWithColocations(instance)))
    applyToInstance(cluster, instance, colocation);
  if (cannotBePromoted(instance, place)) instance.priority = -INFINITY;
  else if (next === Role.Promoted) {
    instance.promotionPriority = INFINITY;
    return;
  }
  instance.promotionPriority = instance.priority;
}

/** What a colocation does to the first member of a group, it does to the whole instance. */
function applyToInstance(cluster: Cluster, instance: Resource, colocation: Colocation): void {
  const first = leaf(instance);
  const own = first.priority;
  if (first !== instance) first.priority = instance.priority;
  methodsOf(instance).applyColocation(cluster, instance, colocation.primary, colocation, true);
  if (first === instance) return;
  instance.priority = first.priority;
  first.priority = own;
}

/** A clone of which roles are chosen knows no Started: what runs is unpromoted. */
function currentlyUnpromoted(rsc: Resource): void {
  if (rsc.role === Role.Started) rsc.role = Role.Unpromoted;
  for (const part of rsc.children) currentlyUnpromoted(part);
}

/** The places of the clone as seen for promotion: the instances' scores, and what is colocated with that role. */
function sortByPromotion(cluster: Cluster, clone: Resource): void {
  const settings = clone.clone;
  if (!settings || settings.promotionConstrained) return;
  settings.promotionConstrained = true;
  clone.mergingScores = true;
  for (const instance of clone.children) {
    const place = soleLocation(instance, false);
    const entry = place && instance.promotionPriority >= 0 ? clone.allowed.get(place) : undefined;
    if (entry) entry.score = addScores(instance.promotionPriority, entry.score);
  }
  for (const colocation of thisWithColocations(clone)) {
    const optional = colocation.score < INFINITY;
    if (colocation.dependentRole !== Role.Promoted || (optional && cluster.rules.promotionCountsOnce))
      continue;
    mergePreference(cluster, clone, colocation.primary, colocation, { active: optional });
  }
  for (const colocation of withThisColocations(clone)) {
    if (colocation.primaryRole !== Role.Promoted || !hasInfluence(colocation)) continue;
    mergePreference(cluster, clone, colocation.dependent, colocation, { active: true, nonNegative: true });
  }
  requireTickets(cluster, clone);
  for (const instance of clone.children) {
    const place = soleLocation(instance, false);
    if (!instance.managed && instance.nextRole === Role.Promoted) instance.promotionPriority = INFINITY;
    else if (place && instance.promotionPriority >= 0) {
      instance.promotionPriority = clone.allowed.get(place)?.score ?? instance.promotionPriority;
    }
  }
  clone.children.sort((a, b) => {
    const difference = b.promotionPriority - a.promotionPriority || roleOf(b, true) - roleOf(a, true);
    return difference || compareInstances(cluster, a, b);
  });
  clone.mergingScores = false;
}

function mergePreference(
  cluster: Cluster,
  clone: Resource,
  other: Resource,
  colocation: Colocation,
  options: { active?: boolean; nonNegative?: boolean },
): void {
  const factor = colocation.score / INFINITY;
  const merged = methodsOf(other).addColocatedScores(
    cluster,
    other,
    clone,
    clone.allowed,
    colocation,
    factor,
    options,
  );
  if (merged) clone.allowed = merged;
}

function requireTickets(cluster: Cluster, clone: Resource): void {
  for (const { role, ticket } of clone.tickets) {
    if (role !== Role.Promoted || (ticket.granted && !ticket.standby)) continue;
    addPlaceScore(cluster, clone, undefined, -INFINITY);
  }
}

function showPromotionScore(cluster: Cluster, instance: Resource): void {
  const place = soleLocation(instance, false);
  const score = formatScore(instance.promotionPriority);
  cluster.scores.push(
    place
      ? `${instance.id} promotion score on ${place.name}: ${score}`
      : `${instance.id} promotion score (inactive): ${score}`,
  );
}

/** Where an instance may be promoted, if it may; of a group every member must be able to. */
function promotionPlace(cluster: Cluster, rsc: Resource): { readonly node: Node; count: number } | undefined {
  for (const part of rsc.children) if (!promotionPlace(cluster, part)) return undefined;
  const node = soleLocation(rsc, false);
  if (!node) return undefined;
  if (!rsc.managed) {
    if (roleOf(rsc, true) !== Role.Promoted) return undefined;
  } else if (rsc.priority < 0 || !canRunResources(node)) return undefined;
  const clone = topLevel(rsc, false);
  const entry = clone.allowed.get(node);
  if (!entry) return undefined;
  return entry.count < (clone.clone?.promotedNodeMax ?? 1) || !rsc.managed ? entry : undefined;
}

/** A guest's node can run something only if its guest has a place. */
const canRunResources = (node: Node): boolean =>
  placeUsable({ node, score: 0, discovery: "always", count: 0 }) &&
  (!node.isGuest || node.remoteRsc?.container?.assignedTo !== undefined);

function staysUnpromoted(rsc: Resource): void {
  rsc.nextRole = soleOrAny(rsc) ? Role.Unpromoted : Role.Stopped;
  for (const part of rsc.children) staysUnpromoted(part);
}

const soleOrAny = (rsc: Resource): boolean =>
  rsc.children.length > 0 ? rsc.children.some(soleOrAny) : rsc.assignedTo !== undefined;

function becomesPromoted(rsc: Resource): void {
  if (rsc.nextRole === Role.Unknown) rsc.nextRole = Role.Promoted;
  for (const part of rsc.children) becomesPromoted(part);
}

/** Places of a dependent when its colocation names a role of the primary. */
export function colocateWithPromotable(
  cluster: Cluster,
  primary: Resource,
  dependent: Resource,
  colocation: Colocation,
): void {
  const nodes: { readonly node: Node; readonly score: number }[] = [];
  for (const instance of primary.children) {
    const node = soleLocation(instance, false);
    if (!node || roleOf(instance, false) !== colocation.primaryRole) continue;
    preferMatching(dependent, primary, node, colocation);
    nodes.unshift({ node, score: leaf(instance).assignedScore });
  }
  // Of promoted with promoted the unpromoted instances must still find a place.
  const bothPromoted = colocation.dependentRole === Role.Promoted && colocation.primaryRole === Role.Promoted;
  if (colocation.score >= INFINITY && !bothPromoted)
    intersectPlaces(cluster, dependent, primary, colocation, nodes, true);
}

const leaf = (rsc: Resource): Resource => (rsc.children[0] ? leaf(rsc.children[0]) : rsc);

function preferMatching(dependent: Resource, primary: Resource, node: Node, colocation: Colocation): void {
  if (colocation.score >= INFINITY) return;
  const wanted = colocationValue(node, colocation.attribute, primary);
  for (const entry of dependent.allowed.values()) {
    if (colocationValue(entry.node, colocation.attribute, dependent) !== wanted) continue;
    entry.score = addScores(entry.score, colocation.score);
  }
}

/** Priority for promotion of a dependent whose colocation names a role of the primary. */
export function promotionByColocation(
  cluster: Cluster,
  primary: Resource,
  dependent: Resource,
  colocation: Colocation,
): void {
  const instance = compatibleInstance(cluster, dependent, primary, colocation.primaryRole, false);
  if (instance) dependent.priority = addScores(dependent.priority, colocation.score);
  else if (colocation.score >= INFINITY) dependent.priority = -INFINITY;
}

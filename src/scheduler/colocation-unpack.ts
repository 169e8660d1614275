import { parseBoolean, parseScore, type XmlElement } from "../cib/index.ts";
import { INFINITY, lookup } from "../terms/index.ts";
import { constraintResource, ignoredFor, lastMember, membersOf, setsOf } from "./constraint-sets.ts";
import { Link, parseRole, Role } from "./flags.ts";
import type { Cluster, Colocation, Resource } from "./model.ts";
import { orderTasks } from "./orderings.ts";
import type { Unpacker } from "./unpacker.ts";

/** Reads `rsc_colocation`: two resources or sets. */
export function unpackColocation(unpacker: Unpacker, xml: XmlElement): void {
  const { cluster } = unpacker;
  const id = xml.attributes.get("id") ?? "";
  const score = parseScore(xml.attributes.get("score")) ?? 0;
  const influence = xml.attributes.get("influence");
  const sets = setsOf(unpacker, xml);
  if (sets.length === 0) {
    const dependent = constraintResource(cluster, xml.attributes.get("rsc"));
    const primary = constraintResource(cluster, xml.attributes.get("with-rsc"));
    if (!dependent || !primary) {
      const missing = dependent ? xml.attributes.get("with-rsc") : xml.attributes.get("rsc");
      cluster.error(ignoredFor(cluster, id, missing), id);
      return;
    }
    addColocation(cluster, {
      id,
      dependent,
      primary,
      score,
      attribute: xml.attributes.get("node-attribute"),
      dependentRole: xml.attributes.get("rsc-role"),
      primaryRole: xml.attributes.get("with-rsc-role"),
      influence,
    });
    return;
  }
  let previous: XmlElement | undefined;
  for (const set of sets) {
    colocateWithin(unpacker, set, score, influence);
    if (previous) colocateSets(unpacker, id, previous, set, score, influence);
    previous = set;
  }
}

const isSequential = (set: XmlElement) => parseBoolean(set.attributes.get("sequential")) ?? true;

/** Members of a set: each with the one before it, or away from all before it. */
function colocateWithin(
  unpacker: Unpacker,
  set: XmlElement,
  outerScore: number,
  influence: string | undefined,
): void {
  const own = set.attributes.get("score");
  const score = own === undefined ? outerScore : (parseScore(own) ?? 0);
  if (score === 0 || !isSequential(set)) return;
  const role = set.attributes.get("role");
  const members = [...membersOf(unpacker, set).known];
  // "listed": each with the next one, rather than with the previous one.
  if (score > 0 && (set.attributes.get("ordering") ?? "group") !== "group") members.reverse();
  for (const [index, dependent] of members.entries()) {
    const others = score > 0 ? members.slice(Math.max(0, index - 1), index) : members.slice(0, index);
    for (const primary of others)
      addColocation(unpacker.cluster, {
        id: set.attributes.get("id") ?? "",
        dependent,
        primary,
        score,
        attribute: undefined,
        dependentRole: role,
        primaryRole: role,
        influence,
      });
  }
}

/** One set with the next: their ends when they are sequential, every member when they are not. */
function colocateSets(
  unpacker: Unpacker,
  id: string,
  first: XmlElement,
  second: XmlElement,
  score: number,
  influence: string | undefined,
): void {
  const dependents = membersOf(unpacker, first).known;
  const primaries = membersOf(unpacker, second);
  const last = isSequential(second) ? lastMember(unpacker, second) : undefined;
  const from = isSequential(first) ? dependents.slice(0, 1) : dependents;
  const to = isSequential(second) ? (last ? [last] : []) : primaries.known;
  for (const dependent of from) {
    for (const primary of to)
      addColocation(unpacker.cluster, {
        id,
        dependent,
        primary,
        score,
        attribute: undefined,
        dependentRole: first.attributes.get("role"),
        primaryRole: second.attributes.get("role"),
        influence,
      });
    if (!last && !primaries.complete) return;
  }
}

export interface ColocationInput {
  /** False for those that a group or bundle implies. */
  readonly explicit?: boolean;
  readonly id: string;
  readonly dependent: Resource;
  readonly primary: Resource;
  readonly score: number;
  readonly attribute: string | undefined;
  readonly dependentRole: string | undefined;
  readonly primaryRole: string | undefined;
  /** As written; absent: whether the dependent is critical. */
  readonly influence: string | undefined;
}

const roleOf = (text: string | undefined): Role => {
  const role = parseRole(text);
  return role === Role.Started ? Role.Unknown : role;
};

/** Adds a colocation to both resources. A score of 0 means nothing and adds nothing. */
export function addColocation(cluster: Cluster, input: ColocationInput): void {
  if (input.score === 0) return;
  const given = parseBoolean(input.influence);
  const colocation: Colocation = {
    id: input.id,
    dependent: input.dependent,
    primary: input.primary,
    dependentRole: roleOf(input.dependentRole),
    primaryRole: roleOf(input.primaryRole),
    attribute: input.attribute ?? "#uname",
    score: input.score,
    influence: given ?? input.dependent.critical,
    explicit: input.explicit ?? true,
  };
  insertThisWith(input.dependent.thisWith, colocation);
  insertWithThis(input.primary.withThis, colocation);
  cluster.colocations.push(colocation);
  if (colocation.score > -INFINITY) return;
  const { dependent, dependentRole, primary, primaryRole } = colocation;
  orderApart(cluster, dependent, dependentRole, primary, primaryRole);
  orderApart(cluster, primary, primaryRole, dependent, dependentRole);
}

/** Where two must never be together, one leaves its role before the other takes its own there. */
function orderApart(
  cluster: Cluster,
  first: Resource,
  firstRole: Role,
  then: Resource,
  thenRole: Role,
): void {
  const leaving =
    firstRole === Role.Promoted ? ["demote"] : firstRole === Role.Unpromoted ? ["stop", "promote"] : ["stop"];
  const taking =
    thenRole === Role.Promoted ? ["promote"] : thenRole === Role.Unpromoted ? ["start", "demote"] : ["start"];
  for (const leave of leaving)
    for (const take of taking) orderTasks(cluster, first, leave, then, take, Link.IfRequiredOnSameNode);
}

/** Colocations with more important primaries are looked at first. */
export const insertThisWith = (list: Colocation[], item: Colocation): void =>
  insertSorted(list, item, (a, b) => compareImportance(a.primary, b.primary));

/** Colocations of more important dependents are looked at first. */
export const insertWithThis = (list: Colocation[], item: Colocation): void =>
  insertSorted(list, item, (a, b) => compareImportance(a.dependent, b.dependent));

const variantRank = lookup({ primitive: 0, group: 1, clone: 2, bundle: 3 } as const);

function compareImportance(a: Resource, b: Resource): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  const rank = variantRank[b.variant] - variantRank[a.variant];
  if (rank !== 0) return rank;
  if (a.isClone && a.promotable !== b.promotable) return a.promotable ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Inserts before the first entry that does not come before the item. */
function insertSorted<T>(list: T[], item: T, compare: (a: T, b: T) => number): void {
  let index = 0;
  for (const existing of list) {
    if (compare(item, existing) <= 0) break;
    index++;
  }
  list.splice(index, 0, item);
}

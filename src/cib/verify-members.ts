import { unpackNvpairs } from "./nvpairs.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { constraintNames, containerKinds } from "./resource-kinds.ts";
import { parseBoolean, parseScore } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/**
 * Constraints about what is inside of something: against what a group says of its members already, so that they never
 * start; and about an instance of a clone or bundle, which count only once a node knows it by that name.
 */
export function findMemberProblems(configuration: XmlElement): CibProblem[] {
  const groups = groupsIn(configuration);
  const holders = holdersIn(configuration);
  return (child(configuration, "constraints")?.children ?? []).flatMap((constraint) => [
    ...againstGroup(constraint, groups),
    ...namingInner(constraint, holders),
  ]);
}

interface Group {
  readonly id: string;
  readonly members: readonly string[];
  readonly ordered: boolean;
  readonly together: boolean;
}

const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";

function groupsIn(configuration: XmlElement): Group[] {
  const visit = (parent: XmlElement): Group[] =>
    parent.children.flatMap((item) => {
      if (item.name !== "group") return containerKinds.has(item.name) ? visit(item) : [];
      const { values } = unpackNvpairs([item], "meta_attributes", { now: 0 });
      const says = (name: string) => parseBoolean(values.get(name)?.value) ?? true;
      const members = childrenOf(item, "primitive").map(idOf);
      return [{ id: idOf(item), members, ordered: says("ordered"), together: says("collocated") }];
    });
  return visit(child(configuration, "resources") ?? configuration);
}

/** What is inside a clone or bundle, with the id of that. */
function holdersIn(configuration: XmlElement): ReadonlyMap<string, string> {
  const holders = new Map<string, string>();
  const visit = (parent: XmlElement, outer: string) => {
    for (const item of parent.children) {
      if (item.name !== "primitive" && item.name !== "group") continue;
      holders.set(idOf(item), outer);
      visit(item, outer);
    }
  };
  for (const top of child(configuration, "resources")?.children ?? [])
    if (containerKinds.has(top.name) && top.name !== "group") visit(top, idOf(top));
  return holders;
}

/** Pairs of resources that a constraint is about, in the order of its attributes; of sets, those that follow one another. */
function pairsOf(constraint: XmlElement): [string, string][] {
  const [one, other] = constraint.name === "rsc_order" ? ["first", "then"] : ["rsc", "with-rsc"];
  const first = constraint.attributes.get(one ?? "");
  const second = constraint.attributes.get(other ?? "");
  if (first !== undefined && second !== undefined) return [[first, second]];
  return childrenOf(constraint, "resource_set").flatMap((set) => {
    const ids = childrenOf(set, "resource_ref").map(idOf);
    const isLoose = parseBoolean(set.attributes.get("sequential")) === false;
    return isLoose ? [] : ids.slice(1).map((id, at): [string, string] => [ids[at] ?? "", id]);
  });
}

function againstGroup(constraint: XmlElement, groups: readonly Group[]): CibProblem[] {
  const { attributes, name } = constraint;
  const id = idOf(constraint);
  const tell = (text: string) => [
    problemAt(constraint, "warning", "AGAINST_GROUP", text, `remove ${id}, or change the group`),
  ];
  const clash = (wrong: (group: Group, one: string, other: string) => string | undefined) => {
    for (const [one, other] of pairsOf(constraint))
      for (const group of groups) {
        const text = wrong(group, one, other);
        if (text !== undefined) return tell(text);
      }
    return [];
  };
  if (name === "rsc_order") {
    const isStart = ["first-action", "then-action"].every(
      (key) => (attributes.get(key) ?? "start") === "start",
    );
    const isMandatory =
      attributes.get("score") !== "0" && (attributes.get("kind") ?? "Mandatory") === "Mandatory";
    if (!isStart || !isMandatory) return [];
    return clash(({ id: group, members, ordered }, first, then) => {
      const [from, to] = [members.indexOf(first), members.indexOf(then)];
      if (from >= 0 && then === group)
        return `order "${id}" starts "${first}" before group "${group}", which it is in: nothing of the group starts`;
      return ordered && to >= 0 && from > to
        ? `order "${id}" starts "${first}" before "${then}", and group "${group}" the other way round: neither starts`
        : undefined;
    });
  }
  if (name !== "rsc_colocation" || (parseScore(attributes.get("score")) ?? 0) > -1_000_000) return [];
  return clash(({ id: group, members, together }, one, other) =>
    together && members.includes(one) && members.includes(other)
      ? `colocation "${id}" keeps "${one}" and "${other}" apart, and group "${group}" together: not both of them run`
      : undefined,
  );
}

function namingInner(constraint: XmlElement, holders: ReadonlyMap<string, string>): CibProblem[] {
  const named = [
    ...constraintNames.map((name) => constraint.attributes.get(name)),
    ...childrenOf(constraint, "resource_set").flatMap((set) => childrenOf(set, "resource_ref").map(idOf)),
  ];
  return [...new Set(named)].flatMap((inner) => {
    const outer = inner === undefined ? undefined : holders.get(inner);
    if (outer === undefined) return [];
    const text = `constraint "${idOf(constraint)}" names "${inner}", which is inside "${outer}": it counts only once a node has looked for the resource`;
    return [problemAt(constraint, "warning", "INSIDE", text, `write ${outer}`)];
  });
}

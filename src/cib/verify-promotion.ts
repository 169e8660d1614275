import { indexById } from "./nvpairs.ts";
import { isPromotable } from "./promotable.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { resourceKinds } from "./resource-kinds.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** By which attribute a constraint asks for a role or an action of each resource that it names. */
const roleOf = [
  ["rsc_colocation", "rsc", "rsc-role"],
  ["rsc_colocation", "with-rsc", "with-rsc-role"],
  ["rsc_order", "first", "first-action"],
  ["rsc_order", "then", "then-action"],
  ["rsc_ticket", "rsc", "rsc-role"],
  ["rsc_location", "rsc", "role"],
] as const;

const promoting = new Set(["promoted", "unpromoted", "promote", "demote"]);

/** Constraints that ask for a role of what is never promoted: for that part of them there is no case. */
export function findPromotionProblems(configuration: XmlElement): CibProblem[] {
  const index = indexById(configuration);
  const find = (id: string) => index.get(id);
  const known = new Map<string, boolean>();
  const problems: CibProblem[] = [];
  const visit = (parent: XmlElement | undefined, promotable: boolean) => {
    for (const item of parent?.children ?? []) {
      if (!resourceKinds.has(item.name)) continue;
      const own = promotable || isPromotable(item, find);
      known.set(item.attributes.get("id") ?? "", own);
      if (!own) problems.push(...ownProblems(item));
      visit(item, own);
    }
  };
  // What holds for all by default is said there.
  const byDefault = childrenOf(child(configuration, "rsc_defaults"), "meta_attributes").some((set) =>
    childrenOf(set, "nvpair").some(({ attributes }) => attributes.get("name") === "promotable"),
  );
  if (byDefault) return [];
  visit(child(configuration, "resources"), false);
  const check = (source: XmlElement, rsc: string | undefined, word: string, value: string | undefined) => {
    if (rsc === undefined || known.get(rsc) !== false || !promoting.has(value?.toLowerCase() ?? ""))
      return [];
    const text = `${word}="${value}" of <${source.name}> "${source.attributes.get("id")}" is about "${rsc}", which cannot be promoted: the constraint has not the effect that it seems to have`;
    const cure = `write Started or start, or name a promotable clone (clone meta promotable=true)`;
    return [problemAt(source, "warning", "NOT_PROMOTABLE", text, cure)];
  };
  const constraints = child(configuration, "constraints")?.children ?? [];
  const ofConstraints = constraints.flatMap((source) => [
    ...roleOf.flatMap(([kind, name, role]) =>
      kind === source.name
        ? check(source, source.attributes.get(name), role, source.attributes.get(role))
        : [],
    ),
    ...childrenOf(source, "rule").flatMap((rule) =>
      check(rule, source.attributes.get("rsc"), "role", rule.attributes.get("role")),
    ),
    ...childrenOf(source, "resource_set").flatMap((set) =>
      childrenOf(set, "resource_ref").flatMap(({ attributes }) =>
        ["role", "action"].flatMap((name) =>
          check(set, attributes.get("id"), name, set.attributes.get(name)),
        ),
      ),
    ),
  ]);
  return [...problems, ...ofConstraints];
}

/** What asks for promoted instances in a resource that has none. */
function ownProblems(resource: XmlElement): CibProblem[] {
  const id = resource.attributes.get("id");
  const operations = childrenOf(child(resource, "operations"), "op").filter(({ attributes }) =>
    roles.has(attributes.get("role")?.toLowerCase() ?? ""),
  );
  const pairs = (resource.name === "clone" ? childrenOf(resource, "meta_attributes") : [])
    .flatMap((set) => childrenOf(set, "nvpair"))
    .filter(({ attributes }) => counts.has(attributes.get("name") ?? ""));
  const cure = "make it a promotable clone (clone meta promotable=true), or remove this";
  return [
    ...operations.map((op) => {
      const what = `operation ${op.attributes.get("name")} of resource "${id}"`;
      const text = `${what} with role="${op.attributes.get("role")}" is never carried out: "${id}" cannot be promoted`;
      return problemAt(op, "warning", "NOT_PROMOTABLE", text, cure);
    }),
    ...pairs.map((pair) => {
      const text = `${pair.attributes.get("name")} of "${id}" has no effect: it cannot be promoted`;
      return problemAt(pair, "warning", "NOT_PROMOTABLE", text, cure);
    }),
  ];
}

const roles = new Set(["promoted", "unpromoted", "master", "slave"]);
const counts = new Set(["promoted-max", "promoted-node-max", "master-max", "master-node-max"]);

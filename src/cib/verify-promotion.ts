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
  const visit = (parent: XmlElement | undefined, promotable: boolean) => {
    for (const item of parent?.children ?? []) {
      if (!resourceKinds.has(item.name)) continue;
      const own = promotable || isPromotable(item, find);
      known.set(item.attributes.get("id") ?? "", own);
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
  return constraints.flatMap((source) => [
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
}

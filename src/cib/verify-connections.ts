import { type CibProblem, problemAt } from "./references.ts";
import { constraintNames, containerKinds } from "./resource-kinds.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/**
 * Connections to remote nodes where a service would stand: in a group, a clone, a bundle, a colocation or an order. What
 * runs on a remote node is placed and ordered after its connection by itself; a connection that is handled like a service
 * is not supported (crmsh and pcs refuse it, Pacemaker stumbles over it).
 */
export function findConnectionProblems(configuration: XmlElement): CibProblem[] {
  const resources = child(configuration, "resources");
  if (!resources) return [];
  const remoteTemplates = new Set(childrenOf(resources, "template").filter(isRemote).map(idOf));
  const isConnection = (item: XmlElement) =>
    item.name === "primitive" &&
    (isRemote(item) || remoteTemplates.has(item.attributes.get("template") ?? ""));
  const found = new Set<string>();
  const problems: CibProblem[] = [];
  const visit = (parent: XmlElement) => {
    for (const item of parent.children) {
      if (isConnection(item)) {
        found.add(idOf(item));
        if (parent !== resources)
          problems.push(
            wrong(item, `"${idOf(item)}" connects a remote node, but is in ${parent.name} "${idOf(parent)}"`),
          );
      } else if (containerKinds.has(item.name)) visit(item);
    }
  };
  visit(resources);
  if (found.size === 0) return problems;
  const constraints = child(configuration, "constraints");
  for (const [kind, word] of [
    ["rsc_colocation", "colocation"],
    ["rsc_order", "order"],
  ] as const)
    for (const item of childrenOf(constraints, kind)) {
      const name = named(item).find((rsc) => found.has(rsc));
      if (name !== undefined)
        problems.push(wrong(item, `"${name}" connects a remote node, but stands in ${word} "${idOf(item)}"`));
    }
  return problems;
}

const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";

const isRemote = ({ attributes }: XmlElement): boolean =>
  attributes.get("class") === "ocf" &&
  attributes.get("provider") === "pacemaker" &&
  attributes.get("type") === "remote";

/** Whom a constraint is about. */
const named = (constraint: XmlElement): string[] => [
  ...constraintNames.flatMap((name) => constraint.attributes.get(name) ?? []),
  ...childrenOf(constraint, "resource_set").flatMap((set) => childrenOf(set, "resource_ref").map(idOf)),
];

const wrong = (source: XmlElement, text: string): CibProblem =>
  problemAt(
    source,
    "error",
    "CONNECTION_AS_SERVICE",
    text,
    "take it out: services of a remote node follow its connection by themselves; name them, or the node in a location",
  );

import type { OptionSpec } from "../terms/index.ts";
import { byName } from "./options/lookup.ts";
import { cloneMeta, groupMeta, operationOptions, resourceMeta } from "./options/resource.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** What is said twice where once counts: an option under one name or two, a member of a list, a user with rights. */
export function findTwiceProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const visit = (source: XmlElement) => {
    problems.push(...valuesTwice(source), ...membersTwice(source), ...inTwoSets(source));
    source.children.forEach(visit);
  };
  // Those of nodes and of the cluster are looked at with the rest of these.
  for (const section of configuration.children)
    if (section.name !== "crm_config" && section.name !== "nodes") visit(section);
  return [...problems, ...askersTwice(child(configuration, "acls"))];
}

const resourceNames = byName([...resourceMeta, ...cloneMeta, ...groupMeta]);
const operationNames = byName(operationOptions);
const isOperation = ({ name }: XmlElement) => name === "op" || name === "op_defaults";

/** Sets without a rule hold at the same time: of two values one is passed over, by scores and the order in the file. */
function valuesTwice(holder: XmlElement): CibProblem[] {
  return ["meta_attributes", "instance_attributes", "utilization"].flatMap((kind) => {
    const sets = childrenOf(holder, kind).filter(
      (set) => !set.attributes.has("id-ref") && child(set, "rule") === undefined,
    );
    const table: ReadonlyMap<string, OptionSpec> | undefined =
      kind !== "meta_attributes" ? undefined : isOperation(holder) ? operationNames : resourceNames;
    const first = new Map<string, { readonly name: string; readonly value: string }>();
    return sets.flatMap((set) =>
      childrenOf(set, "nvpair").flatMap((pair) => {
        const { name, value } = Object.fromEntries(pair.attributes);
        if (name === undefined || value === undefined) return [];
        const key = table?.get(name)?.name ?? name;
        const other = first.get(key);
        if (other === undefined) first.set(key, { name, value });
        if (other === undefined || other.value === value) return [];
        const id = holder.attributes.get("id");
        const what = id === undefined ? `<${holder.name}>` : `${holder.name} "${id}"`;
        const both = `${other.name}="${other.value}" and ${name}="${value}"`;
        const names = other.name === name ? "" : ", which are one option";
        const text = `${what} has ${both}${names}: only one of them counts`;
        return [problemAt(pair, "warning", "IN_VAIN", text, "remove one")];
      }),
    );
  });
}

/** Lists in which a name says something once, and by what they are called. */
const lists: ReadonlyMap<string, readonly [members: string, what: string]> = new Map([
  ["resource_set", ["resource_ref", "resource"]],
  ["tag", ["obj_ref", "object"]],
  ["acl_target", ["role", "role"]],
  ["acl_group", ["role", "role"]],
]);

function membersTwice(list: XmlElement): CibProblem[] {
  const [members, what] = lists.get(list.name) ?? [];
  const named = `<${list.name}> "${list.attributes.get("id") ?? ""}"`;
  const tell = (id: string, kind: string, place: string) => {
    const text = `${place} names ${kind} "${id}" twice`;
    return problemAt(list, "warning", "TWICE", text, "remove one");
  };
  if (members !== undefined)
    return repeated(childrenOf(list, members).map(({ attributes }) => attributes.get("id") ?? "")).map((id) =>
      tell(id, what ?? "", named),
    );
  if (list.name !== "fencing-level") return [];
  const devices = (list.attributes.get("devices") ?? "").split(",").map((id) => id.trim());
  return repeated(devices.filter((id) => id !== "")).map((id) =>
    tell(id, "device", `level ${list.attributes.get("index") ?? "?"} of the fencing topology`),
  );
}

/** Of a resource that is in two sets of a constraint it would come before itself; it may be there for two roles or actions. */
function inTwoSets(constraint: XmlElement): CibProblem[] {
  const names = childrenOf(constraint, "resource_set").flatMap((set) => {
    const [role, action] = ["role", "action"].map((name) => set.attributes.get(name) ?? "");
    const ids = childrenOf(set, "resource_ref").map(({ attributes }) => attributes.get("id") ?? "");
    return [...new Set(ids)].map((id) => `${id} ${role} ${action}`);
  });
  return repeated(names).map((name) => {
    const [id = ""] = name.split(" ");
    const text = `<${constraint.name}> "${constraint.attributes.get("id")}" names resource "${id}" in two of its sets`;
    return problemAt(constraint, "warning", "TWICE", text, "take it out of one");
  });
}

const repeated = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name, at) => names.indexOf(name) < at)),
];

/** A user or group of whom two entries tell has what both give; who looks at one believes that it is all. */
function askersTwice(acls: XmlElement | undefined): CibProblem[] {
  return ["acl_target", "acl_group"].flatMap((kind) => {
    const seen = new Set<string>();
    return childrenOf(acls, kind).flatMap((one) => {
      const name = one.attributes.get("name") ?? one.attributes.get("id") ?? "";
      if (!seen.has(name)) {
        seen.add(name);
        return [];
      }
      const text = `<${kind}> for "${name}" is there twice`;
      return [problemAt(one, "warning", "TWICE", text, "put all roles into one of them")];
    });
  });
}

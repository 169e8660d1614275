import { type PairIds, pairsIn, type XmlElement } from "../../cib/index.ts";
import { type FoundResource, idOf, isResource } from "../resources.ts";
import type { ResourceCall } from "./crm_resource-call.ts";

/** Ids that the caller names: of the block, and of the pair. */
export const idsOf = ({ given }: ResourceCall): PairIds => ({
  set: given.value("set-name"),
  pair: given.value("nvpair"),
});

const isClone = ({ name }: XmlElement) => name === "clone" || name === "master";

/**
 * Whose meta attribute is meant (crm_resource(8)); the last one is the resource that gets it in any case:
 * - what is in a clone has it from its clone, unless it has it itself;
 * - of a clone its primitive, where that has it;
 * - of a group each member that has it, and the group;
 * - with --force the resource that is named, and so with a block's or pair's id.
 */
export function metaHolders(
  found: FoundResource,
  name: string,
  what: "update" | "delete",
  call: ResourceCall,
): XmlElement[] {
  const { xml, parents } = found;
  const { given, answer } = call;
  if (given.has("force")) return [xml];
  const ids = idsOf(call);
  const sets = (holder: XmlElement) =>
    pairsIn(holder, "meta_attributes", ids).some((pair) => pair.name === name);
  const [parent] = parents;
  if (parent && isClone(parent)) {
    if (sets(xml)) return [xml];
    answer.info(
      `Performing ${what} of '${name}' on '${idOf(parent)}', the parent of '${given.value("resource")}'`,
    );
    return [parent];
  }
  if (isClone(xml) && !parent) {
    const child = xml.children.find(isResource);
    if (child?.name !== "primitive" || !sets(child)) return [xml];
    answer.info(
      `A value for '${name}' already exists in child '${idOf(child)}', performing ${what} on that instead of '${idOf(xml)}'`,
    );
    return [child];
  }
  if (what === "update" && (ids.set !== undefined || ids.pair !== undefined)) return [xml];
  return [...membersIn(xml).filter(sets), xml];
}

/** What is in a resource, the innermost first. */
const membersIn = (xml: XmlElement): XmlElement[] =>
  xml.children.filter(isResource).flatMap((member) => [...membersIn(member), member]);

const kinds = new Set(["instance_attributes", "meta_attributes", "utilization"]);

/** All pairs of a name in a resource and what is in it, what stands first first. */
function pairsOfName(xml: XmlElement, name: string): { readonly id: string; readonly value: string }[] {
  return xml.children.flatMap((part) => {
    if (part.name === "nvpair")
      return part.attributes.get("name") === name
        ? [{ id: idOf(part), value: part.attributes.get("value") ?? "" }]
        : [];
    return kinds.has(part.name) || part.children.length > 0 ? pairsOfName(part, name) : [];
  });
}

/** Tells of all values that the outermost resource and what is in it have under one name, where there are several. */
export function tellOfSeveral({ xml, parents }: FoundResource, name: string, call: ResourceCall): void {
  if (call.given.has("force") || call.given.has("nvpair")) return;
  const all = pairsOfName(parents.at(-1) ?? xml, name);
  if (all.length < 2) return;
  const lines = all.map(({ id, value }) => `  Value: ${value} \t(id=${id})`);
  call.answer.info([`Multiple attributes match name=${name}`, ...lines, ""].join("\n"));
}

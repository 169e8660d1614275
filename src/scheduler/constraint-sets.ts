import { childrenOf, type XmlElement } from "../cib/index.ts";
import { type Cluster, type Resource, topLevel } from "./model.ts";
import { type Unpacker, unpackerOf } from "./unpacker.ts";

/**
 * The resource that a constraint names; the clone when an instance is known by that name: anonymous instances are,
 * by the resource inside the clone, as soon as a node has a history of it.
 */
export function constraintResource(cluster: Cluster, id: string | undefined): Resource | undefined {
  if (id === undefined) return undefined;
  const direct = cluster.resourceById.get(id);
  if (direct) return direct;
  const instance = unpackerOf(cluster).byHistoryId.get(id);
  return instance && topLevel(instance, false);
}

/** Resource sets of a constraint, references resolved. */
export const setsOf = (unpacker: Unpacker, xml: XmlElement): XmlElement[] =>
  childrenOf(xml, "resource_set").map((set) => {
    const ref = set.attributes.get("id-ref");
    return ref === undefined ? set : (unpacker.find(ref) ?? set);
  });

/** Resources of a set, in order; unknown ones are reported and left out. */
export function membersOf(unpacker: Unpacker, set: XmlElement): Resource[] {
  const { cluster } = unpacker;
  return childrenOf(set, "resource_ref").flatMap((ref) => {
    const id = ref.attributes.get("id");
    const rsc = constraintResource(cluster, id);
    if (!rsc) cluster.error(`${set.attributes.get("id")}: no resource found for "${id}"`, id);
    return rsc ?? [];
  });
}

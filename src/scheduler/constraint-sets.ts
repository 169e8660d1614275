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

/** Why a constraint is ignored that names such a resource, and what to write where that is known. */
export function ignoredFor(cluster: Cluster, constraint: string, id: string | undefined): string {
  const inner = [...cluster.resourceById.values()].find(({ configId }) => configId === id);
  const outer = inner && topLevel(inner, false);
  return outer === undefined || outer.id === id
    ? `Ignoring constraint "${constraint}" because resource "${id}" does not exist`
    : `Ignoring constraint "${constraint}" because resource "${id}" is inside "${outer.id}": write ${outer.id}; ` +
        "as it is, the constraint counts only once a node has looked for the resource";
}

/** Resource sets of a constraint, references resolved. */
export const setsOf = (unpacker: Unpacker, xml: XmlElement): XmlElement[] =>
  childrenOf(xml, "resource_set").map((set) => {
    const ref = set.attributes.get("id-ref");
    return ref === undefined ? set : (unpacker.find(ref) ?? set);
  });

/** Resources of a set as far as they are known. */
export interface SetMembers {
  /** Those before the first one that is not known, in order. */
  readonly known: readonly Resource[];
  /** Whether these are all. A constraint is read up to what is not known, and no further. */
  readonly complete: boolean;
}

/** Members of a set. The first one that is not known is reported. */
export function membersOf(unpacker: Unpacker, set: XmlElement): SetMembers {
  const { cluster } = unpacker;
  const known: Resource[] = [];
  for (const ref of childrenOf(set, "resource_ref")) {
    const id = ref.attributes.get("id");
    const rsc = constraintResource(cluster, id);
    if (!rsc) {
      const where = set.attributes.get("id");
      cluster.error(ignoredFor(cluster, where ?? "", id), where);
      return { known, complete: false };
    }
    known.push(rsc);
  }
  return { known, complete: true };
}

/** The last member of a set, if it is known. */
export const lastMember = ({ cluster }: Unpacker, set: XmlElement): Resource | undefined =>
  constraintResource(cluster, childrenOf(set, "resource_ref").at(-1)?.attributes.get("id"));

import type { XmlElement } from "../cib/index.ts";
import { type Cluster, type Resource, Role, unpackCluster } from "../scheduler/index.ts";
import { withoutInstance } from "../terms/index.ts";
import { primitivesOf } from "./render/cluster-view.ts";

/** Where a resource is active, and in which role. */
export interface ActivePlace {
  readonly node: string;
  readonly role: "Started" | "Unpromoted" | "Promoted";
}

const roleWord = (role: Role): ActivePlace["role"] | undefined => {
  switch (role) {
    case Role.Promoted:
      return "Promoted";
    case Role.Unpromoted:
      return "Unpromoted";
    case Role.Started:
      return "Started";
    default:
      return undefined;
  }
};

/**
 * The nodes that a resource is active on by the operation history; of a group, clone or bundle those of all that is
 * in it, each once, with the highest role.
 */
export function placesOf(cib: XmlElement, id: string, now: number): ActivePlace[] {
  const places = new Map<string, ActivePlace>();
  for (const part of partsNamed(unpackCluster(cib, now), id)) {
    for (const node of part.runningOn) {
      const role = roleWord(part.role) ?? "Started";
      const known = places.get(node.name);
      if (!known || role === "Promoted") places.set(node.name, { node: node.name, role });
    }
  }
  return [...places.values()];
}

/** Ids of all that is in a resource, as a decision places them. */
export const placedIds = (cib: XmlElement, id: string, now: number): ReadonlySet<string> =>
  new Set(partsNamed(unpackCluster(cib, now), id).map((part) => part.id));

/** The primitives in what is named, in all its instances; only in what is meant. */
export function partsNamed(
  cluster: Cluster,
  id: string,
  isMeant: (rsc: Resource) => boolean = () => true,
): Resource[] {
  const isNamed = (rsc: Resource) => rsc.id === id || rsc.configId === id || withoutInstance(rsc.id) === id;
  const found = [...cluster.resourceById.values()].filter((rsc) => isNamed(rsc) && isMeant(rsc));
  return [...new Set(found.flatMap(primitivesOf))];
}

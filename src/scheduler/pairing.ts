import { parseBoolean } from "../cib/index.ts";
import { addScores, INFINITY } from "../terms/index.ts";
import { roleOf, soleLocation } from "./availability.ts";
import { colocationValue } from "./colocation.ts";
import { Role } from "./flags.ts";
import type { Cluster, Colocation, Node, Resource } from "./model.ts";
import { bestFirst } from "./table-order.ts";

/** Whether something in it is blocked: then nobody can be placed by it. */
export const blockedInside = (rsc: Resource): boolean => rsc.blocked || rsc.children.some(blockedInside);

/** Whether a clone or bundle has meta attribute `interleave`: what depends on others then does so instance by instance. */
export const isInterleaved = (rsc: Resource): boolean =>
  rsc.isCollective && (rsc.clone?.interleave ?? parseBoolean(rsc.meta.get("interleave")) === true);

/**
 * The instance of a clone (or container of a bundle) on the node of another resource; while that has none, on the
 * best of its nodes that has one.
 */
export function compatibleInstance(
  cluster: Cluster,
  matched: Resource,
  collective: Resource,
  role: Role,
  current: boolean,
): Resource | undefined {
  const instances = collective.isBundle
    ? (collective.bundle?.replicas.map(({ container }) => container) ?? [])
    : collective.children;
  const on = (node: Node) => instances.find((instance) => instanceMatches(instance, node, role, current));
  const node = soleLocation(matched, current);
  if (node) return on(node);
  for (const place of bestFirst(cluster, matched.allowed, undefined)) {
    const found = on(place.node);
    if (found) return found;
  }
  return undefined;
}

/** Whether an instance is (or will be) on a node, in a role if given. */
export function instanceMatches(instance: Resource, node: Node, role: Role, current: boolean): boolean {
  if (blockedInside(instance) || soleLocation(instance, current) !== node) return false;
  return role === Role.Unknown || roleOf(instance, current) === role;
}

/** Excludes the nodes that match none of those of a clone or bundle; the others get its preference when `merge` is set. */
export function intersectPlaces(
  cluster: Cluster,
  dependent: Resource,
  primary: Resource,
  colocation: Colocation,
  nodes: readonly { readonly node: Node; readonly score: number }[],
  merge: boolean,
): void {
  const attribute = cluster.rules.clonesMatchByAttribute ? colocation.attribute : "#uname";
  for (const entry of dependent.allowed.values()) {
    const value = colocationValue(entry.node, attribute, dependent);
    const match = nodes.find(({ node }) => colocationValue(node, attribute, primary) === value);
    if (!match) entry.score = -INFINITY;
    else if (merge) entry.score = addScores(entry.score, match.score);
  }
}

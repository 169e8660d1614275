import type { OptionSpec } from "../../terms/index.ts";
import { clusterProperties } from "./cluster.ts";
import { cloneMeta, groupMeta, resourceMeta } from "./resource.ts";

/** A table by every name that its options go by. */
export function byName(table: readonly OptionSpec[]): ReadonlyMap<string, OptionSpec> {
  return new Map(
    table.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])].map((name) => [name, spec] as const)),
  );
}

const cluster = byName(clusterProperties);
const meta = byName([...resourceMeta, ...cloneMeta, ...groupMeta]);

/** Row of a cluster property by any of its names. */
export const clusterProperty = (name: string): OptionSpec | undefined => cluster.get(name);

/** How new a name of a cluster property is: of several that are set, the one with the lowest number counts. */
export function propertyRank(name: string): number {
  const spec = cluster.get(name);
  return spec === undefined || name === spec.name ? -1 : (spec.aliases?.indexOf(name) ?? -1);
}

/** Whether two names are those of one cluster property (stonith-enabled, fencing-enabled). */
export const isSameProperty = (a: string, b: string): boolean =>
  (cluster.get(a)?.name ?? a) === (cluster.get(b)?.name ?? b);

/** Whether two names are those of one meta attribute (is-managed, is_managed). */
export const isSameMeta = (a: string, b: string): boolean =>
  (meta.get(a)?.name ?? a) === (meta.get(b)?.name ?? b);

/**
 * Cluster properties under their newest names: `stonith-enabled` is found as `fencing-enabled`. When several names of
 * a property are set, the newest wins. Unknown properties keep their names.
 */
export function canonicalProperties(values: ReadonlyMap<string, string>): Map<string, string> {
  const result = new Map<string, string>();
  const rank = new Map<string, number>();
  for (const [name, value] of values) {
    const spec = cluster.get(name);
    const canonical = spec?.name ?? name;
    const place = propertyRank(name);
    if (place > (rank.get(canonical) ?? Number.POSITIVE_INFINITY)) continue;
    rank.set(canonical, place);
    result.set(canonical, value);
  }
  return result;
}

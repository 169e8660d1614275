import type { OptionSpec } from "../../terms/index.ts";
import { clusterProperties } from "./cluster.ts";

/** A table by every name that its options go by. */
export function byName(table: readonly OptionSpec[]): ReadonlyMap<string, OptionSpec> {
  return new Map(
    table.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])].map((name) => [name, spec] as const)),
  );
}

const cluster = byName(clusterProperties);

/** Row of a cluster property by any of its names. */
export const clusterProperty = (name: string): OptionSpec | undefined => cluster.get(name);

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
    const place = name === canonical ? -1 : (spec?.aliases?.indexOf(name) ?? -1);
    if (place > (rank.get(canonical) ?? Number.POSITIVE_INFINITY)) continue;
    rank.set(canonical, place);
    result.set(canonical, value);
  }
  return result;
}

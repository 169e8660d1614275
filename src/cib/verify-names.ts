import { clusterProperty, propertyRank } from "./options/lookup.ts";
import { isPlainSet } from "./pair-edit.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** The pairs of cluster properties that hold always. */
const pairsOf = (configuration: XmlElement): XmlElement[] =>
  childrenOf(child(configuration, "crm_config") ?? configuration, "cluster_property_set")
    .filter(isPlainSet)
    .flatMap((set) => childrenOf(set, "nvpair"));

const nameOf = ({ attributes }: XmlElement): string => attributes.get("name") ?? "";

/** The name by which a cluster property is set: the one that counts, where there are several; else `name`. */
export function propertyNameIn(configuration: XmlElement, name: string): string {
  const names = pairsOf(configuration)
    .map(nameOf)
    .filter((one) => clusterProperty(one) !== undefined && clusterProperty(one) === clusterProperty(name));
  return names.sort((a, b) => propertyRank(a) - propertyRank(b))[0] ?? name;
}

/** One cluster property under several names with different values: whoever sets or reads one of them is deceived. */
export function findDoubleNames(configuration: XmlElement): CibProblem[] {
  const known = pairsOf(configuration).filter((pair) => clusterProperty(nameOf(pair)) !== undefined);
  const byProperty = Map.groupBy(known, (pair) => clusterProperty(nameOf(pair))?.name ?? "");
  return [...byProperty.values()].flatMap((pairs) => {
    const names = [...new Set(pairs.map(nameOf))].sort((a, b) => propertyRank(a) - propertyRank(b));
    const values = new Set(pairs.map(({ attributes }) => attributes.get("value")?.toLowerCase()));
    const [counts, ...others] = names;
    const at = pairs.find((pair) => nameOf(pair) !== counts);
    if (counts === undefined || at === undefined || values.size < 2) return [];
    const given = pairs
      .map((pair) => `${nameOf(pair)}="${pair.attributes.get("value") ?? ""}"`)
      .join(" and ");
    const text = `${given} are one cluster property under several names: ${counts} counts`;
    const cure = `set it once: hactl property ${counts}=VALUE takes the place of ${others.join(", ")}, too`;
    return [problemAt(at, "error", "DOUBLE_NAME", text, cure)];
  });
}

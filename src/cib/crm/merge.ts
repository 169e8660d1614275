import { isSameMeta, isSameProperty } from "../options/lookup.ts";
import type { XmlElement } from "../xml.ts";

/** Properties that the cluster itself writes. */
const system = new Set([
  "dc-version",
  "cluster-infrastructure",
  "cluster-name",
  "have-watchdog",
  "last-lrm-refresh",
]);

/** Sets the pairs of `source` in `target`, one by one. Rules and score of the source replace those that are there. */
export function mergePropertySet(target: XmlElement, source: XmlElement): void {
  const score = source.attributes.get("score");
  if (score !== undefined) target.attributes.set("score", score);
  const rules = source.children.filter(({ name }) => name === "rule");
  if (rules.length > 0)
    target.children = [...rules, ...target.children.filter(({ name }) => name !== "rule")];
  const given = new Set(source.children.map(({ attributes }) => attributes.get("name")));
  for (const pair of source.children) {
    if (pair.name !== "nvpair") continue;
    const name = pair.attributes.get("name");
    if (name !== undefined) dropOtherNames(target, name, given);
    const present = target.children.find(
      (item) => item.name === "nvpair" && item.attributes.get("name") === name,
    );
    const value = pair.attributes.get("value");
    if (present === undefined || name === undefined) target.children.push(pair);
    else if (value === undefined) present.attributes.delete("value");
    else present.attributes.set("value", value);
  }
}

/** An option has one value under all its names: what is set now takes the place of the others, unless they are `given`, too. */
function dropOtherNames(target: XmlElement, name: string, given: ReadonlySet<string | undefined>): void {
  const isSame = target.name === "cluster_property_set" ? isSameProperty : isSameMeta;
  target.children = target.children.filter((pair) => {
    const other = pair.attributes.get("name");
    return pair.name !== "nvpair" || other === undefined || given.has(other) || !isSame(other, name);
  });
}

/** Leaves of `<crm_config>` only what the cluster sets itself, and the names given for a set. */
export function systemProperties(
  section: XmlElement,
  kept: ReadonlyMap<string | undefined, ReadonlySet<string | undefined>> = new Map(),
): void {
  section.children = section.children.filter((set) => {
    const names = kept.get(set.attributes.get("id"));
    set.children = set.children.filter((pair) => {
      const name = pair.attributes.get("name") ?? "";
      return names?.has(name) || system.has(name) || (pair.name === "rule" && names !== undefined);
    });
    return names !== undefined || set.children.length > 0;
  });
}

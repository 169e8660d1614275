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
  for (const pair of source.children) {
    if (pair.name !== "nvpair") continue;
    const name = pair.attributes.get("name");
    const present = target.children.find(
      (item) => item.name === "nvpair" && item.attributes.get("name") === name,
    );
    const value = pair.attributes.get("value");
    if (present === undefined || name === undefined) target.children.push(pair);
    else if (value === undefined) present.attributes.delete("value");
    else present.attributes.set("value", value);
  }
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

import {
  child,
  childrenOf,
  element,
  evaluateDateExpression,
  indexById,
  parseBoolean,
  type XmlElement,
} from "../cib/index.ts";
import type { EpochSeconds } from "../terms/index.ts";

/** Resources of these families, or all. */
export type Families = ReadonlySet<string> | "all";

/** Options that take resources out of the cluster's hands, with the value that does. */
const switches: ReadonlyMap<string, boolean> = new Map([
  ["maintenance-mode", true],
  ["maintenance", true],
  ["is-managed", false],
  ["is-managed-default", false],
]);

/** Whether an attribute of a node, or an option, is one of these. */
export const leavesAlone = (name: string): boolean => switches.has(name);

/**
 * Of which resources it ends with a change of the configuration that the cluster leaves them alone (maintenance, not
 * managed), by anything that says so, or that says the contrary where something wider says so; whatever else may say so still,
 * and by whatever rule. Undefined: of none.
 */
export function managedAgain(
  before: XmlElement | undefined,
  after: XmlElement | undefined,
): Families | undefined {
  if (before === after) return undefined;
  const were = [...switchesIn(before)];
  if (!were.some(({ leaves }) => leaves)) return undefined;
  const are = [...switchesIn(after)];
  const keysOf = (all: readonly Switch[]) => new Set(all.map(({ key }) => key));
  const [had, has] = [keysOf(were), keysOf(are)];
  const ends = [
    ...were.filter(({ key, leaves }) => leaves && !has.has(key)),
    ...are.filter(({ key, leaves }) => !leaves && !had.has(key)),
  ];
  const families = new Set<string>();
  for (const { family } of ends) {
    if (family === undefined) return "all";
    families.add(family);
  }
  return families.size > 0 ? families : undefined;
}

/**
 * Of which resources it may have ended between two times that the cluster leaves them alone, by rules with dates that decide
 * over what says so. Which of them end it and which begin it is not told apart: to look once more does no harm. Undefined: of
 * none.
 */
export function endedByDates(
  configuration: XmlElement | undefined,
  from: EpochSeconds,
  to: EpochSeconds,
): Families | undefined {
  if (from === to) return undefined;
  const families = new Set<string>();
  for (const { family, block } of blocksOf(configuration)) {
    if (!childrenOf(block, "nvpair").some(({ attributes }) => leavesAlone(attributes.get("name") ?? "")))
      continue;
    const rules = childrenOf(block, "rule").map((rule) => ruleMeant(rule, configuration));
    if (!rules.some((rule) => datesChange(rule, from, to))) continue;
    if (family === undefined) return "all";
    families.add(family);
  }
  return families.size > 0 ? families : undefined;
}

/** Sets of options with a rule, and the outermost resource that each is for. */
function* blocksOf(configuration: XmlElement | undefined): Generator<{ family?: string; block: XmlElement }> {
  function* inside(xml: XmlElement): Generator<XmlElement> {
    if (xml.children.some(({ name }) => name === "rule")) yield xml;
    for (const item of xml.children) if (item.children.length > 0) yield* inside(item);
  }
  for (const section of ["crm_config", "rsc_defaults", "nodes"])
    for (const block of inside(child(configuration, section) ?? element(section))) yield { block };
  for (const top of child(configuration, "resources")?.children ?? []) {
    const family = top.name === "template" ? {} : { family: top.attributes.get("id") ?? "" };
    for (const block of inside(top)) yield { ...family, block };
  }
}

/** A rule may stand elsewhere, and only be named. */
function ruleMeant(rule: XmlElement, configuration: XmlElement | undefined): XmlElement {
  const named = rule.attributes.get("id-ref");
  return (named !== undefined && configuration && indexById(configuration).get(named)) || rule;
}

function datesChange(xml: XmlElement, from: EpochSeconds, to: EpochSeconds): boolean {
  if (xml.name !== "date_expression") return xml.children.some((item) => datesChange(item, from, to));
  const stateAt = (time: EpochSeconds) => evaluateDateExpression(xml, time, undefined, false).state;
  return stateAt(from) !== stateAt(to);
}

interface Switch {
  readonly key: string;
  /** Whether its value leaves resources alone; else it says that they are managed. */
  readonly leaves: boolean;
  /** The outermost resource that it is for; undefined: for all. */
  readonly family: string | undefined;
}

function* switchesIn(configuration: XmlElement | undefined): Generator<Switch> {
  for (const section of ["crm_config", "rsc_defaults", "nodes"])
    for (const { key, leaves } of keysIn(child(configuration, section)))
      yield { key: `${section} ${key}`, leaves, family: undefined };
  for (const top of child(configuration, "resources")?.children ?? []) {
    const id = top.attributes.get("id") ?? "";
    const family = top.name === "template" ? undefined : id;
    for (const { key, leaves } of keysIn(top)) yield { key: `${id} ${key}`, leaves, family };
  }
}

/** What takes resources out of the cluster's hands in an element, or says that they are in them, each by a name of its own. */
function keysIn(xml: XmlElement | undefined): { readonly key: string; readonly leaves: boolean }[] {
  if (!xml) return [];
  const own = childrenOf(xml, "nvpair").flatMap(({ attributes }) => {
    const name = attributes.get("name") ?? "";
    const value = parseBoolean(attributes.get("value"));
    const leaving = switches.get(name);
    if (leaving === undefined || value === undefined) return [];
    const leaves = value === leaving;
    return [{ key: `${attributes.get("id") ?? ""} ${name} ${leaves ? "leaves" : "managed"}`, leaves }];
  });
  return [...own, ...xml.children.flatMap(keysIn)];
}

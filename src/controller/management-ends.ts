import { child, childrenOf, parseBoolean, type XmlElement } from "../cib/index.ts";

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
 * managed), by anything that says so; whatever else may say so still, and by whatever rule. Undefined: of none.
 */
export function managedAgain(
  before: XmlElement | undefined,
  after: XmlElement | undefined,
): Families | undefined {
  if (before === after) return undefined;
  const now = new Set([...switchesIn(after)].map(({ key }) => key));
  const families = new Set<string>();
  for (const { key, family } of switchesIn(before)) {
    if (now.has(key)) continue;
    if (family === undefined) return "all";
    families.add(family);
  }
  return families.size > 0 ? families : undefined;
}

interface Switch {
  readonly key: string;
  /** The outermost resource that it is for; undefined: for all. */
  readonly family: string | undefined;
}

function* switchesIn(configuration: XmlElement | undefined): Generator<Switch> {
  for (const section of ["crm_config", "rsc_defaults", "nodes"])
    for (const key of keysIn(child(configuration, section)))
      yield { key: `${section} ${key}`, family: undefined };
  for (const top of child(configuration, "resources")?.children ?? []) {
    const id = top.attributes.get("id") ?? "";
    const family = top.name === "template" ? undefined : id;
    for (const key of keysIn(top)) yield { key: `${id} ${key}`, family };
  }
}

/** What takes resources out of the cluster's hands in an element, each by a name of its own. */
function keysIn(xml: XmlElement | undefined): string[] {
  if (!xml) return [];
  const own = childrenOf(xml, "nvpair").flatMap(({ attributes }) => {
    const name = attributes.get("name") ?? "";
    const leaves = switches.get(name);
    if (leaves === undefined || parseBoolean(attributes.get("value")) !== leaves) return [];
    return [`${attributes.get("id") ?? ""} ${name}`];
  });
  return [...own, ...xml.children.flatMap(keysIn)];
}

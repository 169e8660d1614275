import { sameTree } from "./edit-tree.ts";
import { clusterProperties } from "./options/cluster.ts";
import type { CibProblem } from "./references.ts";
import { parseBoolean } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** What the leader writes of these, whatever else is there. */
const fixed: ReadonlyMap<string, string> = new Map([
  ["have-watchdog", "false"],
  ["cluster-infrastructure", "corosync"],
]);

/** `last-lrm-refresh` is written by tools, in their own name. */
const own = clusterProperties.filter(({ name, generated }) => generated && name !== "last-lrm-refresh");

/**
 * Cluster properties that only the leader writes (dc-version, cluster-infrastructure, have-watchdog) and that a change would
 * set to something else or remove: it would write its own again, and who asked for the change would not hear of it.
 * @param live whether they are a running cluster's; else one that a file does not have may be written into it
 */
export function findChangedOwn(before: XmlElement, after: XmlElement, live: boolean): CibProblem[] {
  return own.flatMap(({ name }): CibProblem[] => {
    const [was, will] = [valuesOf(before, name), valuesOf(after, name)];
    const right = new Set([...was, ...(fixed.has(name) ? [canonical(name, fixed.get(name) ?? "")] : [])]);
    const stranger = will.find((value) => !right.has(value));
    const isGone = was.length > 0 && will.length === 0;
    if (stranger === undefined ? !isGone : was.length === 0 && !live) return [];
    const [present] = was;
    return [
      {
        level: "error",
        code: "OWN_PROPERTY",
        text: `${name} is the cluster's own to write${present === undefined ? "" : `, and is ${present}`}`,
        id: name,
        cure: `leave ${name} out of the change`,
      },
    ];
  });
}

/** Whether anything of a configuration is different beside the properties of the cluster's own. */
export function changesMoreThanOwn(before: XmlElement, after: XmlElement): boolean {
  const [was, is] = [before, after].map((cib) => child(cib, "configuration"));
  return was !== undefined && is !== undefined && !sameTree(withoutOwn(was), withoutOwn(is));
}

const isOwn = ({ name, attributes }: XmlElement): boolean =>
  name === "nvpair" && own.some((property) => property.name === attributes.get("name"));

function withoutOwn(configuration: XmlElement): XmlElement {
  const part = (xml: XmlElement): XmlElement => ({
    ...xml,
    children: xml.children.filter((item) => !isOwn(item)).map(part),
  });
  const children = configuration.children.map((item) => (item.name === "crm_config" ? part(item) : item));
  return { ...configuration, children };
}

function valuesOf(cib: XmlElement, name: string): readonly string[] {
  return childrenOf(child(child(cib, "configuration"), "crm_config"), "cluster_property_set")
    .flatMap((set) => childrenOf(set, "nvpair"))
    .filter(({ attributes }) => attributes.get("name") === name)
    .map(({ attributes }) => canonical(name, attributes.get("value") ?? ""));
}

/** One of the spellings of a truth value. */
const canonical = (name: string, value: string): string =>
  name === "have-watchdog" ? String(parseBoolean(value) ?? value) : value;

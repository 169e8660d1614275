import {
  type CibOperation,
  child,
  childrenOf,
  element,
  formatXml,
  parseBoolean,
  type XmlElement,
} from "../cib/index.ts";

/** What a node can tell of the cluster that it leads. */
export interface ClusterTraits {
  /** Version of the program. */
  readonly version: string;
  /** As the ring's configuration calls it, if it does. */
  readonly clusterName?: string;
}

/** The first set of cluster properties, which every program knows by this id (Pacemaker Explained, "Cluster-Wide Configuration"). */
const SET = "cib-bootstrap-options";

/**
 * The cluster properties that the leader writes, as Pacemaker's controller does when it becomes DC, as one change; undefined
 * where they stand already. Programs look for them, and rules ask for `#cluster-name`. A name that is there already stays.
 * `have-watchdog` says whether a watchdog can do what a fence device does: here no node counts as off because its watchdog
 * must have fired.
 */
export function missingProperties(
  configuration: XmlElement | undefined,
  { version, clusterName }: ClusterTraits,
): CibOperation | undefined {
  const is = (wanted: string) => (value: string) => value === wanted;
  const properties: readonly OwnProperty[] = [
    { name: "have-watchdog", value: "false", holds: (value) => parseBoolean(value) === false },
    { name: "dc-version", value: version, holds: is(version) },
    { name: "cluster-infrastructure", value: "corosync", holds: is("corosync") },
    ...(clusterName === undefined ? [] : [{ name: "cluster-name", value: clusterName, holds: () => true }]),
  ];
  return written(configuration, properties);
}

/** Names the leader's own request for that change. */
export const propertiesRequest = (leader: string): string => `${leader}/properties`;

interface OwnProperty {
  readonly name: string;
  readonly value: string;
  /** Whether a value that is there already may stay. */
  readonly holds: (value: string) => boolean;
}

/** A property is set where it stands, else in the first set. */
function written(
  configuration: XmlElement | undefined,
  properties: readonly OwnProperty[],
): CibOperation | undefined {
  const present = pairs(configuration);
  const sets = new Map<string, XmlElement>();
  for (const { name, value, holds } of properties) {
    const known = present.find(({ pair }) => pair.attributes.get("name") === name);
    if (known && holds(known.pair.attributes.get("value") ?? "")) continue;
    const id = known?.set ?? SET;
    const set = sets.get(id) ?? element("cluster_property_set", { id });
    sets.set(id, set);
    set.children.push(element("nvpair", { id: known?.id ?? `${SET}-${name}`, name, value }));
  }
  if (sets.size === 0) return undefined;
  const xml = formatXml(element("crm_config", {}, [...sets.values()]), -1);
  return { op: "modify", xml, create: true };
}

/** Pairs of cluster properties, with the ids by which they and their sets are found. */
function pairs(configuration: XmlElement | undefined) {
  return childrenOf(child(configuration, "crm_config"), "cluster_property_set").flatMap((set) =>
    childrenOf(set, "nvpair").map((pair) => ({
      pair,
      id: pair.attributes.get("id"),
      set: set.attributes.get("id") ?? SET,
    })),
  );
}

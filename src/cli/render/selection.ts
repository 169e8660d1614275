import { type Cluster, type Resource, topLevel } from "../../scheduler/index.ts";
import { activeNodes, isActive, partsOf, printableId } from "./cluster-view.ts";

/** What a report is limited to: names of nodes and of resources. Without a set there is no limit. */
export interface Selection {
  /** Names of nodes, in small letters: whoever asks need not care about their case. */
  readonly nodes?: ReadonlySet<string>;
  /** Ids; an instance of a clone is named with its number. */
  readonly resources?: ReadonlySet<string>;
}

/** No limit. */
export const everything: Selection = {};

/** What a name of a node or tag and a name of a resource or tag select; `*` and nothing select everything. */
export function selectionOf(
  cluster: Cluster,
  node: string | undefined,
  resource: string | undefined,
): Selection {
  return {
    ...(node === undefined || node === "*" ? {} : { nodes: nodesNamed(cluster, node) }),
    ...(resource === undefined || resource === "*" ? {} : { resources: resourcesNamed(cluster, resource) }),
  };
}

/** The node of that name, or all with that tag (tags name nodes by their ids). */
function nodesNamed(cluster: Cluster, name: string): Set<string> {
  const small = name.toLowerCase();
  if (cluster.nodes.some((node) => node.name.toLowerCase() === small)) return new Set([small]);
  const tagged = cluster.tags.get(name) ?? [];
  return new Set(
    tagged.flatMap(
      (id) => (cluster.nodeById.get(id) ?? cluster.nodeByName.get(id))?.name.toLowerCase() ?? [],
    ),
  );
}

/** The resource of that name, or all with that tag. With a number one instance is meant, without it all. */
function resourcesNamed(cluster: Cluster, name: string): Set<string> {
  const found = findResource(cluster, name);
  if (found) return new Set([name.includes(":") ? found.id : printableId(found)]);
  return new Set(cluster.tags.get(name) ?? []);
}

/** A resource by its id, with or without the number of an instance; the first instance stands for all. */
export function findResource(cluster: Cluster, name: string): Resource | undefined {
  const exact = cluster.resourceById.get(name);
  if (exact) return exact;
  for (const rsc of cluster.resourceById.values()) {
    if (printableId(rsc) === name || rsc.historyId === name || rsc.configId === name) return rsc;
  }
  return undefined;
}

/** Whether a node is among the selected ones. */
export const selectsNode = ({ nodes }: Selection, name: string): boolean =>
  nodes === undefined || nodes.has(name.toLowerCase());

/** Whether a resource is among the selected ones by its own name. */
export const selectsName = ({ resources }: Selection, rsc: Resource): boolean =>
  resources === undefined || resources.has(printableId(rsc));

/** The same; an instance of a clone also by its number, and its group too. */
export const selectsInstance = (selection: Selection, rsc: Resource): boolean =>
  selectsName(selection, rsc) || (rsc.id.includes(":") && (selection.resources?.has(rsc.id) ?? false));

/**
 * Whether a resource is to be shown: it is named itself, something in it is, or, with `around`, what it is in.
 * Bundles count as being around their parts only for those, not for groups.
 */
export function selects(selection: Selection, rsc: Resource, around: boolean): boolean {
  if (selection.resources === undefined) return true;
  const within = (part: Resource) => selects(selection, part, false);
  if (rsc.bundle) return selectsName(selection, rsc) || partsOf(rsc).some(within);
  if (rsc.isClone) {
    const inner = rsc.clone?.childXml.attributes.get("id") ?? "";
    return selectsName(selection, rsc) || selection.resources.has(inner) || rsc.children.some(within);
  }
  if (rsc.isGroup) {
    if (around && selectsName(selection, topLevel(rsc, false))) return true;
    return selectsInstance(selection, rsc) || rsc.children.some(within);
  }
  if (selectsName(selection, rsc) || selection.resources.has(rsc.id)) return true;
  return around && rsc.parent !== undefined && within(topLevel(rsc, true));
}

/** Whether a resource, or something in it, is active on a selected node. */
export const runsOnSelected = (selection: Selection, rsc: Resource): boolean =>
  activeNodes(rsc).some(({ name }) => selectsNode(selection, name));

/** Whether it is active, but only where nobody looks. What is inactive is nowhere, and so not elsewhere. */
export const isElsewhere = (selection: Selection, rsc: Resource): boolean =>
  isActive(rsc, false) && !runsOnSelected(selection, rsc);

import { child, childrenOf, element, type XmlElement } from "../cib/index.ts";
import { INFINITY, OcfExit, withoutInstance } from "../terms/index.ts";
import { isRemoteConnection, linkRemoteNode } from "./connections.ts";
import type { Cluster, Node, Resource } from "./model.ts";
import { topLevel } from "./model.ts";
import { addNode, isMember } from "./nodes.ts";
import { addPlaceScore } from "./places.ts";
import { addInstance, unpackResource } from "./resources.ts";
import type { Unpacker } from "./unpacker.ts";

/**
 * The resource that a history entry of a node is about. Entries of anonymous clones are given to an instance,
 * whatever number they carry. `composite`: the id is that of a group or clone now.
 */
export function findHistoryResource(
  unpacker: Unpacker,
  node: Node,
  id: string,
): Resource | "composite" | undefined {
  const { cluster } = unpacker;
  let rsc = cluster.resourceById.get(id) ?? unpacker.byHistoryId.get(id);
  let parent: Resource | undefined;
  if (!rsc) {
    const first = cluster.resourceById.get(`${withoutInstance(id)}:0`);
    if (first && !first.unique) {
      rsc = first;
      parent = topLevel(first, false);
    }
  } else if (!rsc.isPrimitive) return "composite";
  else parent = topLevel(rsc, false);
  if (rsc && parent?.isClone && !parent.unique) {
    const bundle = parent.parent;
    rsc = bundle?.isBundle
      ? bundle.bundle?.replicas.find((replica) => replica.node === node)?.child
      : anonymousInstance(unpacker, node, parent, withoutInstance(id));
  }
  if (rsc && id !== rsc.id && id !== rsc.historyId) {
    rsc.historyId = id;
    unpacker.byHistoryId.set(id, rsc);
  }
  return rsc;
}

/** The instance that a node's history of an anonymous clone belongs to. */
function anonymousInstance(unpacker: Unpacker, node: Node, clone: Resource, configId: string): Resource {
  const { cluster } = unpacker;
  let found: Resource | undefined;
  let inactive: Resource | undefined;
  let skipInactive = false;
  for (const instance of clone.children) {
    const places = placesOf(instance);
    if (places.length > 0) {
      if (places[0] === node) {
        found = partOf(instance, configId);
        if (found && found.runningOn.length > 0) {
          // A second entry for the same node: left over from when instances were unique.
          skipInactive = true;
          found = undefined;
        }
        if (found) break;
      }
    } else if (!skipInactive && !inactive && !instance.blocked) {
      inactive = partOf(instance, configId);
      if (inactive?.pendingNode && inactive.pendingNode !== node) inactive = undefined;
    }
  }
  if (!found && !skipInactive) found = inactive;
  if (
    found &&
    !found.needsFencing &&
    (!node.online || node.unclean) &&
    !node.isGuest &&
    clone.clone?.cloneMax !== cluster.nodes.length
  )
    found = undefined;
  if (found) return found;
  const extra = addInstance(unpacker, clone);
  return (extra && partOf(extra, configId)) ?? clone.children[0] ?? clone;
}

/** Nodes where an instance is active or has an operation pending. */
function placesOf(instance: Resource): Node[] {
  const result: Node[] = [];
  const visit = (rsc: Resource) => {
    for (const node of rsc.runningOn) if (!result.includes(node)) result.push(node);
    if (rsc.pendingNode && !result.includes(rsc.pendingNode)) result.push(rsc.pendingNode);
    for (const part of rsc.children) visit(part);
  };
  visit(instance);
  return result;
}

function partOf(instance: Resource, configId: string): Resource | undefined {
  if (instance.isPrimitive) return instance.configId === configId ? instance : undefined;
  return instance.children.find((member) => member.configId === configId);
}

const hasState = ({ cib }: Cluster, name: string): boolean =>
  childrenOf(child(cib, "status"), "node_state").some(({ attributes }) => attributes.get("uname") === name);

/** Whether a connection has ever been made, by its history. */
const wasConnected = (entry: XmlElement): boolean =>
  childrenOf(entry, "lrm_rsc_op").some(
    ({ attributes }) =>
      attributes.get("rc-code") === String(OcfExit.OK) && attributes.get("operation") !== "stop",
  );

/** A resource for an entry that no configuration knows any more: it is to be stopped and forgotten. */
export function removedResource(unpacker: Unpacker, node: Node, entry: XmlElement): Resource | undefined {
  const { cluster } = unpacker;
  const value = (name: string) => entry.attributes.get(name);
  const id = value("id") ?? "";
  const xml = element("primitive", {
    id,
    class: value("class"),
    provider: value("provider"),
    type: value("type"),
  });
  const namesake = cluster.resourceById.get(id);
  const rsc = unpackResource(unpacker, xml, undefined, undefined);
  if (!rsc) return undefined;
  if (namesake) cluster.resourceById.set(id, namesake);
  if (isRemoteConnection(xml)) {
    if (!cluster.nodeByName.has(id) && !isMember(cluster, id)) addNode(cluster, id, id, "remote");
    linkRemoteNode(cluster, rsc);
    // Nothing new goes to a node whose connection is about to end, and what it remembers is not cleaned up there.
    if (rsc.remoteNode) {
      rsc.remoteNode.shutdown = true;
      // Removed before anybody was connected to it: nothing of the cluster's can run there.
      if (!hasState(cluster, id) && !wasConnected(entry)) rsc.remoteNode.unclean = false;
    }
  }
  if (value("container") !== undefined) rsc.removedFiller = true;
  rsc.removed = true;
  cluster.resources.push(rsc);

  if (cluster.options.stopRemovedResources) addPlaceScore(cluster, rsc, undefined, -INFINITY);
  else rsc.managed = false;
  cluster.warn(`Resource "${id}" is in the history of node ${node.name} but not in the configuration`, id);
  return rsc;
}

import type { RuleContext, XmlElement } from "../cib/index.ts";
import {
  child,
  childrenOf,
  parseBoolean,
  parseInteger,
  parseScore,
  plainValues,
  unpackNvpairs,
} from "../cib/index.ts";
import type { Cluster } from "./model.ts";
import { Node } from "./model.ts";
import { compareNames } from "./name-order.ts";
import type { Unpacker } from "./unpacker.ts";

/** Makes a node and puts it into the indexes. A second one with the same id replaces nothing. */
export function addNode(cluster: Cluster, id: string, name: string, kind: Node["kind"]): Node {
  const node = new Node(id, name, kind, cluster.nodes.length);
  node.attributes.set("#uname", name);
  node.attributes.set("#kind", kind === "remote" ? "remote" : "cluster");
  // Nodes are kept by name: whatever goes through them (probes, instances) does so in that order.
  const after = cluster.nodes.findIndex((other) => compareNames(name, other.name) < 0);
  cluster.nodes.splice(after < 0 ? cluster.nodes.length : after, 0, node);
  if (!cluster.nodeById.has(id)) cluster.nodeById.set(id, node);
  if (!cluster.nodeByName.has(name)) cluster.nodeByName.set(name, node);
  return node;
}

/** Whether a word is the name, or the id, of a cluster node: small and capital letters are the same there. */
export function isMember({ nodes }: Cluster, word: string): boolean {
  const small = word.toLowerCase();
  return nodes.some(
    ({ id, name, isRemoteOrGuest }) =>
      !isRemoteOrGuest && (id.toLowerCase() === small || name.toLowerCase() === small),
  );
}

/** Reads `<nodes>`. Until its status has been seen a member counts as unclean (startup fencing). */
export function unpackNodes(unpacker: Unpacker, nodes: XmlElement | undefined): void {
  const { cluster } = unpacker;
  for (const xml of childrenOf(nodes, "node")) {
    const id = xml.attributes.get("id");
    if (id === undefined) {
      cluster.error("Ignoring <node> entry without id");
      continue;
    }
    const name = xml.attributes.get("uname") ?? id;
    const type = xml.attributes.get("type")?.toLowerCase();
    if (cluster.nodeById.has(id)) {
      cluster.warn(`More than one node entry has the id "${id}"`, id);
      continue;
    }
    const kind = type === "remote" ? "remote" : type === "ping" ? "ping" : "member";
    const node = addNode(cluster, id, name, kind);
    if (kind !== "remote") node.unclean = cluster.options.startupFencing;
    addNodeAttributes(unpacker, node, xml, "instance_attributes", false);
    addCapacity(unpacker, node, xml);
    const score = parseScore(xml.attributes.get("score"));
    if (score !== undefined) node.baseScore = score;
  }
}

/** Adds what a node can carry; a transient amount wins over the configured one. */
export function addCapacity(unpacker: Unpacker, node: Node, xml: XmlElement | undefined): void {
  if (!xml) return;
  const { values } = unpackNvpairs([xml], "utilization", nodeContext(unpacker, node), unpacker.nvOptions);
  for (const [key, { value }] of values) {
    const amount = parseInteger(value) ?? 0;
    node.capacity.set(key, amount);
    node.utilization.set(key, amount);
  }
}

/** What rules may ask about a node. */
export function nodeContext(unpacker: Unpacker, node: Node): RuleContext {
  const { now, utcOffset } = unpacker.cluster;
  return { now, utcOffset, nodeAttribute: (name) => node.attributes.get(name) };
}

/** Adds the attributes of a block to a node; transient ones (`overwrite`) win over permanent ones. */
export function addNodeAttributes(
  unpacker: Unpacker,
  node: Node,
  xml: XmlElement | undefined,
  block: string,
  overwrite: boolean,
): void {
  const { cluster } = unpacker;
  node.attributes.set("#uname", node.name);
  node.attributes.set("#id", node.id);
  const isDc = node.id === cluster.cib.attributes.get("dc-uuid");
  if (isDc) {
    cluster.dcNode = node;
    node.isDc = true;
  }
  node.attributes.set("#is_dc", String(isDc));
  const clusterName = cluster.properties.get("cluster-name");
  if (clusterName !== undefined) node.attributes.set("#cluster-name", clusterName);
  if (xml) {
    const found = plainValues(unpackNvpairs([xml], block, nodeContext(unpacker, node), unpacker.nvOptions));
    for (const [name, value] of found)
      if (overwrite || !node.attributes.has(name)) node.attributes.set(name, value);
  }
  if (!node.attributes.has("#site-name")) {
    const site = node.attributes.get("site-name") ?? clusterName;
    if (site !== undefined) node.attributes.set("#site-name", site);
  }
}

/** Whether an attribute says yes. */
export const attributeTrue = (node: Node, name: string): boolean =>
  parseBoolean(node.attributes.get(name)) === true;

/** `shutdown` holds the time of the request. */
export function shutdownRequested(node: Node): boolean {
  const value = node.attributes.get("shutdown");
  return value !== undefined && value !== "" && value !== "0";
}

export const transientAttributes = (state: XmlElement): XmlElement | undefined =>
  child(state, "transient_attributes");

import {
  child,
  childrenOf,
  connectionsToMembers,
  type FindById,
  indexById,
  parseBoolean,
  parseTime,
  upgradeCib,
  type XmlElement,
} from "../cib/index.ts";
import type { EpochSeconds } from "../terms/index.ts";
import { isRemoteConnection } from "./connections.ts";
import { rememberHistory } from "./failcount.ts";
import { refuseTooManyNodes } from "./instance-limit.ts";
import { Cluster, Node } from "./model.ts";
import { addNode, unpackNodes } from "./nodes.ts";
import { readOptions, readProperties } from "./options.ts";
import { type ReleaseRules, rulesOf } from "./release.ts";
import { unpackGuestConnections, unpackResources } from "./resources.ts";
import { unpackStatus } from "./status.ts";
import { noteRecheck, registerUnpacker, Unpacker } from "./unpacker.ts";

/**
 * Reads a CIB into a working set: options, nodes, resources, and the state that the operation history tells.
 * Old schemas are upgraded first. `now` is overridden by `execution-date` of `<cib>` only when it is absent.
 * With the rules of an older release it is read as that one reads it.
 */
export function unpackCluster(
  source: XmlElement,
  now?: EpochSeconds,
  rules: ReleaseRules = rulesOf["3.0"],
  utcOffset?: number,
): Cluster {
  const { root: cib, notes } = upgradeCib(source);
  const find = finder(cib);
  const executionDate = cib.attributes.get("execution-date");
  const time =
    now ?? (executionDate === undefined ? 0 : (parseTime(executionDate) ?? (Number(executionDate) || 0)));
  const { properties, nextChange } = readProperties(cib, time, find, utcOffset);
  const cluster = new Cluster(cib, time, readOptions(properties, cib), utcOffset);
  cluster.rules = rules;
  cluster.properties = properties;
  for (const { level, text, id, line } of notes)
    cluster.messages.push({
      level,
      text,
      ...(id === undefined ? {} : { id }),
      ...(line === undefined ? {} : { line }),
    });
  noteRecheck(cluster, nextChange);
  cluster.quorate = parseBoolean(cib.attributes.get("have-quorum")) === true;
  const unpacker = new Unpacker(cluster, cib, find);
  registerUnpacker(unpacker);
  const { configuration } = unpacker;
  unpackTags(cluster, child(configuration, "tags"));
  const nodes = child(configuration, "nodes");
  refuseTooManyNodes(childrenOf(nodes, "node").length);
  unpackNodes(unpacker, nodes);
  const resources = child(configuration, "resources");
  unpackRemoteNodes(unpacker, resources);
  unpackResources(unpacker, resources);
  const status = child(cib, "status");
  if (status) {
    indexHistories(cluster, status);
    unpackStatus(unpacker, status);
  }
  return cluster;
}

/** A migration is judged by the histories of both its nodes, whichever is read first. */
function indexHistories(cluster: Cluster, status: XmlElement): void {
  for (const state of childrenOf(status, "node_state")) {
    const { attributes } = state;
    const name = attributes.get("uname") ?? "";
    let node = cluster.nodeById.get(attributes.get("id") ?? "") ?? cluster.nodeByName.get(name);
    if (!node) {
      node = new Node(attributes.get("id") ?? name, name, "member", cluster.nodes.length);
      cluster.formerNodes.set(name, node);
    }
    const lists = childrenOf(state, "lrm").flatMap((lrm) => childrenOf(lrm, "lrm_resources"));
    const entries = lists.flatMap((list) => childrenOf(list, "lrm_resource"));
    rememberHistory(node, new Map(entries.map((entry) => [entry.attributes.get("id") ?? "", entry])));
  }
}

/** Index by id, made when the first reference is met. */
function finder(cib: XmlElement): FindById {
  let index: ReadonlyMap<string, XmlElement> | undefined;
  return (id) => {
    index ??= indexById(child(cib, "configuration") ?? cib);
    return index.get(id);
  };
}

function unpackTags(cluster: Cluster, tags: XmlElement | undefined): void {
  for (const tag of childrenOf(tags, "tag")) {
    const id = tag.attributes.get("id");
    if (id === undefined) continue;
    const members = childrenOf(tag, "obj_ref").flatMap((ref) => ref.attributes.get("id") ?? []);
    cluster.tags.set(id, [...(cluster.tags.get(id) ?? []), ...members]);
  }
}

/** Every connection resource, configured or implied by `remote-node` of a guest, has a node of its name. */
function unpackRemoteNodes(unpacker: Unpacker, resources: XmlElement | undefined): void {
  const { cluster } = unpacker;
  if (!resources) return;
  const need = (id: string | undefined) => {
    if (id !== undefined && !cluster.nodeByName.has(id)) addNode(cluster, id, id, "remote");
  };
  // What is known of a member is not told by its namesake.
  for (const { source, text, id } of connectionsToMembers(unpacker.configuration)) {
    unpacker.toMembers.add(source);
    cluster.error(`Ignoring a connection: ${text}`, id);
  }
  const implied: XmlElement[] = [];
  for (const xml of resources.children) {
    if (isRemoteConnection(xml)) {
      if (!unpacker.toMembers.has(xml)) need(xml.attributes.get("id"));
      continue;
    }
    const candidates =
      xml.name === "primitive" ? [xml] : xml.name === "group" ? childrenOf(xml, "primitive") : [];
    for (const candidate of candidates) {
      const connection = unpackGuestConnections(unpacker, candidate);
      if (!connection) continue;
      need(connection.attributes.get("id"));
      implied.push(connection);
    }
  }
  resources.children.push(...implied);
}

import { child, childrenOf, parseBoolean, parseInteger, type XmlElement } from "../cib/index.ts";
import { INFINITY } from "../terms/index.ts";
import { fenceNode, stopAction } from "./actions.ts";
import { Role } from "./flags.ts";
import { unpackNodeHistory } from "./history.ts";
import type { Cluster, Node } from "./model.ts";
import {
  addCapacity,
  addNodeAttributes,
  attributeTrue,
  shutdownRequested,
  transientAttributes,
} from "./nodes.ts";
import { noteRecheck, type Unpacker } from "./unpacker.ts";

/** Reads `<status>`: tickets, the state of each node, then what each node's history says of resources. */
export function unpackStatus(unpacker: Unpacker, status: XmlElement): void {
  const { cluster } = unpacker;
  const states = childrenOf(status, "node_state");
  for (const section of childrenOf(status, "tickets")) unpackTickets(cluster, section);
  for (const state of states) {
    const node = nodeOf(unpacker, state);
    if (!node)
      cluster.warn(`Ignoring recorded state of ${nameOf(state)} because it is not in the configuration`);
    // Whether a remote node is there shows only when the history of its connection has been read.
    else if (node.isRemoteOrGuest)
      node.remoteWasFenced = (parseInteger(state.attributes.get("node_fenced")) ?? 0) > 0;
    else unpackNodeState(unpacker, node, state);
  }
  while (unpackHistories(unpacker, states, false)) {
    // Each node whose history has been read may bring up the connection to another.
  }
  unpackHistories(unpacker, states, true);
  for (const { container } of unpacker.stopNeeded) {
    const node = container.runningOn[0];
    if (node) stopAction(cluster, container, node, false);
  }
  unpacker.stopNeeded = [];
  for (const node of cluster.nodes) {
    if (!node.isRemoteOrGuest) continue;
    if (node.shutdown && node.remoteRsc) node.remoteRsc.nextRole = Role.Stopped;
    if (!node.unpacked) remoteOnline(node);
  }
}

const nameOf = ({ attributes }: XmlElement): string =>
  attributes.get("uname") ?? attributes.get("id") ?? "a node";

/**
 * The node of a `<node_state>`; a connection that was removed makes one while histories are read. A state without an id
 * is nobody's, whatever name it has; that of a remote node is not a member's that has the same name.
 */
function nodeOf({ cluster }: Unpacker, xml: XmlElement): Node | undefined {
  const id = xml.attributes.get("id");
  const name = xml.attributes.get("uname");
  if (id === undefined || (name === undefined && !cluster.rules.statesNeedNoName)) return undefined;
  const node = cluster.nodeById.get(id) ?? (name === undefined ? undefined : cluster.nodeByName.get(name));
  const isNamesakes = node?.id !== id && parseBoolean(xml.attributes.get("remote_node")) === true;
  return isNamesakes && node?.kind === "member" ? undefined : node;
}

function unpackTickets(cluster: Cluster, section: XmlElement): void {
  for (const xml of childrenOf(section, "ticket_state")) {
    const id = xml.attributes.get("id");
    if (id === undefined || id === "") continue;
    const state = new Map([...xml.attributes].filter(([name]) => name !== "id"));
    const lastGranted = parseInteger(state.get("last-granted"));
    cluster.tickets.set(id, {
      id,
      granted: parseBoolean(state.get("granted")) === true,
      standby: parseBoolean(state.get("standby")) === true,
      lastGranted,
      state,
    });
  }
}

function unpackNodeState(unpacker: Unpacker, node: Node, xml: XmlElement): void {
  const { cluster } = unpacker;
  node.unclean = false;
  node.unseen = false;
  addNodeAttributes(unpacker, node, transientAttributes(xml), "instance_attributes", true);
  if (cluster.rules.transientCapacity) addCapacity(unpacker, node, transientAttributes(xml));
  if (attributeTrue(node, "standby")) node.standby = true;
  if (attributeTrue(node, "maintenance")) node.maintenance = true;
  node.featureSet = node.attributes.get("#feature-set");
  determineOnline(unpacker, node, xml);
  if (!cluster.quorate && node.online && cluster.options.noQuorumPolicy === "fence")
    fenceNode(cluster, node, "cluster does not have quorum", false);
}

function unpackRemoteState(unpacker: Unpacker, node: Node, xml: XmlElement): void {
  const { cluster } = unpacker;
  const connection = node.remoteRsc;
  node.remoteMaintenance = (parseInteger(xml.attributes.get("node_in_maintenance")) ?? 0) > 0;
  node.remoteWasFenced = (parseInteger(xml.attributes.get("node_fenced")) ?? 0) > 0;
  if (!node.remoteRequiresReset) {
    node.unclean = false;
    node.unseen = false;
  }
  addNodeAttributes(unpacker, node, transientAttributes(xml), "instance_attributes", true);
  if (cluster.rules.transientCapacity) addCapacity(unpacker, node, transientAttributes(xml));
  if (shutdownRequested(node)) node.shutdown = true;
  if (attributeTrue(node, "standby")) node.standby = true;
  if (attributeTrue(node, "maintenance") || (connection && !connection.managed)) node.maintenance = true;
  const discovery = node.attributes.get("resource-discovery-enabled");
  if (discovery !== undefined && parseBoolean(discovery) !== true)
    if (!(node.isRemote && !cluster.options.fencingEnabled)) node.rscDiscoveryEnabled = false;
  node.featureSet = node.attributes.get("#feature-set");
}

/** When something became true: a time, or a boolean in the older form (1 for yes without a time). */
function since({ rules }: Cluster, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = rules.membershipHasTimes ? parseInteger(value) : undefined;
  if (number !== undefined && /^\d+$/.test(value)) return number;
  if (parseBoolean(value) === true || value === "online") return 1;
  return 0;
}

function determineOnline(unpacker: Unpacker, node: Node, xml: XmlElement): void {
  const { cluster } = unpacker;
  node.expectedUp = xml.attributes.get("expected")?.toLowerCase() === "member";
  if (shutdownRequested(node)) {
    node.shutdown = true;
  }
  node.online = cluster.options.fencingEnabled
    ? onlineWithFencing(cluster, node, xml)
    : onlineWithoutFencing(cluster, node, xml);
  // Lists of nodes that are made from here on, as for surplus instances, exclude it.
  if (!node.online || node.shutdown) node.baseScore = -INFINITY;
}

function onlineWithoutFencing(cluster: Cluster, node: Node, xml: XmlElement): boolean {
  const member = since(cluster, xml.attributes.get("in_ccm"));
  const peer = since(cluster, xml.attributes.get("crmd"));
  const join = xml.attributes.get("join");
  if (member === undefined || member <= 0) return false;
  if ((peer ?? 0) > 0) return join === "member";
  if (node.expectedUp) fenceNode(cluster, node, "peer is unexpectedly down", false);
  return false;
}

function terminationRequested(node: Node): boolean {
  const value = node.attributes.get("terminate");
  if (value === undefined || value === "") return false;
  return parseBoolean(value) ?? !!/^[1-9]/.test(value);
}

/** Node states with fencing (Pacemaker Explained, "node_state": in_ccm, crmd, join, expected). */
function onlineWithFencing(cluster: Cluster, node: Node, xml: XmlElement): boolean {
  const member = since(cluster, xml.attributes.get("in_ccm"));
  const online = since(cluster, xml.attributes.get("crmd")) ?? 0;
  const join = xml.attributes.get("join")?.toLowerCase();
  const expected = xml.attributes.get("expected")?.toLowerCase() ?? "down";
  const terminate = terminationRequested(node);
  node.terminate = terminate;
  const gone = (member ?? 0) <= 0 && online <= 0 && join === "down";
  const unremarkable = gone || ((member ?? 0) > 0 && online > 0);
  const notReady = () => {
    node.pending = true;
    node.standby = true;
  };
  if (node.shutdown) return online > 0;
  if (member === undefined) {
    fenceNode(cluster, node, "peer has not been seen by the cluster", false);
  } else if (join === "nack") {
    fenceNode(cluster, node, "peer failed Pacemaker membership criteria", false);
  } else if (terminate && (unremarkable || cluster.rules.terminationFirst)) {
    if (gone) return false;
    fenceNode(cluster, node, "fencing was requested", false);
  } else if (!terminate && expected === "down") {
    if (member > 0 || online > 0) {
      pendingTimeout(cluster, node, member, online);
      notReady();
    }
  } else if (member <= 0) {
    fenceNode(cluster, node, "peer is no longer part of the cluster", true);
  } else if (online <= 0) {
    fenceNode(cluster, node, "peer process is no longer available", false);
  } else if (join === "member") {
    return true;
  } else if (join === undefined || join === "pending" || join === "down") {
    notReady();
  } else {
    fenceNode(cluster, node, "peer was in an unknown state", false);
  }
  return member !== undefined && member > 0;
}

/** A member whose manager does not join in time is fenced (node-pending-timeout). */
function pendingTimeout(cluster: Cluster, node: Node, member: number, online: number): void {
  const timeout = cluster.options.nodePendingTimeoutMs / 1000;
  if (timeout <= 0 || member <= 1 || online > 0) return;
  if (cluster.now - member >= timeout)
    fenceNode(cluster, node, "peer pending timed out on joining the process group", true);
  else noteRecheck(cluster, member + timeout);
}

/** Reads the histories that can be read now. Returns whether any was. */
function unpackHistories(unpacker: Unpacker, states: readonly XmlElement[], everything: boolean): boolean {
  const { cluster } = unpacker;
  const { fencingEnabled, shutdownLock } = cluster.options;
  let any = false;
  for (const xml of states) {
    const node = nodeOf(unpacker, xml);
    if (!node || node.unpacked) continue;
    const connection = node.remoteRsc;
    if (everything && fencingEnabled) {
      // Everything that is left: what may still be active behind nodes that are gone.
    } else if (node.isGuest) {
      if (connection?.role !== Role.Started || connection.container?.role !== Role.Started) continue;
    } else if (node.isRemote) {
      if (!connection || (!shutdownLock && connection.role !== Role.Started)) continue;
    } else if (!fencingEnabled && !shutdownLock && !node.online) continue;
    else if (everything) continue;
    if (node.isRemoteOrGuest) remoteOnline(node);
    if (node.isRemoteOrGuest) unpackRemoteState(unpacker, node, xml);
    const lrm = child(xml, "lrm");
    if (lrm) unpackNodeHistory(unpacker, node, lrm);
    node.unpacked = true;
    any = true;
  }
  return any;
}

/** A remote or guest node is online while its connection is up and nothing that it depends on has failed. */
function remoteOnline(node: Node): void {
  const connection = node.remoteRsc;
  if (!connection) {
    node.online = false;
    return;
  }
  const { container } = connection;
  const host = container && connection.runningOn.length === 1 ? connection.runningOn[0] : undefined;
  if (connection.role === Role.Started) node.online = true;
  if (connection.role === Role.Started && connection.nextRole === Role.Stopped) node.shutdown = true;
  if (container?.failed) {
    node.online = false;
    node.remoteRequiresReset = true;
  } else if (connection.failed) {
    node.online = false;
  } else if (connection.role === Role.Stopped || container?.role === Role.Stopped) {
    node.online = false;
    node.remoteRequiresReset = false;
  } else if (host && !host.online && host.unclean) {
    node.online = false;
    node.remoteRequiresReset = true;
  }
}

import { child, type XmlElement } from "../../cib/index.ts";
import {
  type BundleReplica,
  type Cluster,
  compareNames,
  isUnexecutable,
  type Node,
  parseRole,
  type Resource,
  Role,
  roleName,
  topLevel,
  unpackCluster,
} from "../../scheduler/index.ts";
import { agentName, lookup } from "../../terms/index.ts";
import { idOf, resourcesOf } from "../resources.ts";
import { isStoppedByRestart, restartRole } from "../restart-stop.ts";

/** What displays want to know of the working set: the same answers for text, XML, HTML and the status screen. */

const byName = (a: Node, b: Node) => compareNames(a.name, b.name);
/** Names of nodes, sorted for people. */
export const sortedNames = (nodes: Iterable<Node>): string[] =>
  [...nodes].sort(byName).map(({ name }) => name);

/** All nodes in the order of displays, by name. */
export const sortedNodes = (cluster: Cluster): Node[] => [...cluster.nodes].sort(byName);

/** Id as people know it: with the instance number only for unique instances. */
export const printableId = (rsc: Resource): string =>
  rsc.unique ? rsc.id : (rsc.xml.attributes.get("id") ?? rsc.configId);

/** The outermost resource around it; for what is inside a bundle, the clone in the bundle. */
const outermost = (rsc: Resource): Resource => topLevel(rsc, false);

/** An unpromoted instance of a promotable clone is "Unpromoted" even where the history only says "Started". */
export function displayedRole(rsc: Resource): Role {
  return rsc.role === Role.Started && outermost(rsc).promotable ? Role.Unpromoted : rsc.role;
}

const underWay: Readonly<Record<string, string>> = lookup({
  start: "Starting",
  stop: "Stopping",
  migrate_to: "Migrating",
  migrate_from: "Migrating",
  promote: "Promoting",
  demote: "Demoting",
});

/** What is being done with it, where something is pending and shown. */
export const pendingState = (rsc: Resource): string | undefined => underWay[rsc.pendingTask ?? ""];

/** Where a stop of it is under way, after which it is nowhere. */
export const stoppingNode = (rsc: Resource): Node | undefined =>
  rsc.pendingTask === "stop" && rsc.runningOn.length === 0 ? rsc.pendingNode : undefined;

/**
 * The cluster as it is shown. A remote node whose connection is only being made counts with decisions as there, as if that
 * had gone well; for people it is not there before it answers.
 */
export function shownCluster({ cib, now }: { readonly cib: XmlElement; readonly now: number }): Cluster {
  const cluster = unpackCluster(cib, now);
  for (const node of cluster.nodes) if (connectingFrom(node) !== undefined) node.online = false;
  return cluster;
}

/** The node that tries to connect to a remote node which is not there. */
export function connectingFrom({ isRemoteOrGuest, remoteRsc }: Node): Node | undefined {
  return isRemoteOrGuest && remoteRsc?.pendingTask === "start" ? remoteRsc.pendingNode : undefined;
}

/** What keeps a node that is being stopped. */
export interface Keeping {
  /** Could not be stopped there: somebody has to. */
  readonly stuck: readonly string[];
  /** Are not stopped, since their agents cannot be executed there. */
  readonly withheld: readonly string[];
  /** Are not managed: the node goes without them. */
  readonly left: readonly string[];
  /** Are being stopped. */
  readonly stopping: readonly string[];
}

/** Why a node that is being stopped has not left yet, as far as it is known. */
export function keptBy(cluster: Cluster, node: string): Keeping {
  const parts = cluster.resources.flatMap(primitivesOf);
  const isThere = (rsc: Resource) => rsc.runningOn.some(({ name }) => name === node);
  const isLeft = ({ managed, blocked, isFenceDevice }: Resource) => !managed && !blocked && !isFenceDevice;
  const stuck = parts.filter((rsc) => rsc.blocked && isThere(rsc));
  const withheld = parts.filter((rsc) => !rsc.blocked && isWithheld(rsc, node));
  const stopping = parts.filter((rsc) => rsc.pendingTask === "stop" && rsc.pendingNode?.name === node);
  return {
    stuck: stuck.map(printableId),
    left: parts.filter((rsc) => isLeft(rsc) && isThere(rsc)).map(printableId),
    withheld: withheld.map((rsc) => `${printableId(rsc)} (${agentName(rsc)})`),
    stopping: stopping.map(printableId),
  };
}

/** Whether nothing can be done with a service on a node where it runs, by name or on any: its agent cannot be executed. */
export const isWithheld = (rsc: Resource, name?: string): boolean =>
  rsc.runningOn.some((node) => (name === undefined || node.name === name) && isUnexecutable(rsc, node));

/** "Monitoring" while a recurring monitor's first result is out. Probes are not shown. */
export const pendingMonitor = (rsc: Resource): string | undefined =>
  rsc.pendingTask === "monitor" ? "Monitoring" : undefined;

/** The role, or what is being done to change it. */
export const displayedState = (rsc: Resource, withPending: boolean): string =>
  (withPending ? pendingState(rsc) : undefined) ?? roleName(displayedRole(rsc));

/** The parts of a bundle's replica, in the order of displays. */
export const replicaParts = ({ ip, child, container, remote }: BundleReplica): Resource[] =>
  [ip, child, container, remote].filter((part) => part !== undefined);

/** The parts of all replicas of a bundle. */
export const partsOf = ({ bundle }: Resource): Resource[] => bundle?.replicas.flatMap(replicaParts) ?? [];

/** Everything under a resource that is an agent's: itself, members, instances, parts of a bundle. */
export function primitivesOf(rsc: Resource): Resource[] {
  if (rsc.bundle) return partsOf(rsc).flatMap(primitivesOf);
  return rsc.isPrimitive ? [rsc] : rsc.children.flatMap(primitivesOf);
}

/** Active: for a group or clone all (`all`) or any of its members; a lost node does not count unless it is unclean. */
export function isActive(rsc: Resource, all: boolean): boolean {
  if (rsc.bundle) {
    const parts = partsOf(rsc);
    return all ? parts.every((part) => isActive(part, true)) : parts.some((part) => isActive(part, false));
  }
  if (!rsc.isPrimitive) {
    return all
      ? rsc.children.length > 0 && rsc.children.every((child) => isActive(child, true))
      : rsc.children.some((child) => isActive(child, false));
  }
  return rsc.runningOn.some((node) => node.unclean || node.online || !rsc.managed);
}

/** Nodes on which any part of it is. */
export function activeNodes(rsc: Resource): Node[] {
  if (rsc.isPrimitive) return rsc.runningOn;
  if (rsc.bundle) return [...new Set(partsOf(rsc).flatMap(activeNodes))];
  return [...new Set(rsc.children.flatMap(activeNodes))];
}

/** The one node that it is on, if it is exactly one. */
export function soleNode(rsc: Resource): Node | undefined {
  const nodes = activeNodes(rsc);
  return nodes.length === 1 ? nodes[0] : undefined;
}

/** The node that a display names: source of a partial migration, else the first clean one, else the first. */
export function currentNode(rsc: Resource): Node | undefined {
  const nodes = activeNodes(rsc);
  const source = rsc.partialMigrationSource;
  if (source && nodes.includes(source)) return source;
  if (rsc.needsFencing) return nodes[0];
  return nodes.find(({ online, unclean }) => online && !unclean) ?? nodes[0];
}

/** Highest role among its members. */
export function highestRole(rsc: Resource): Role {
  if (rsc.isPrimitive) return rsc.role;
  const roles = rsc.children.map(highestRole);
  return roles.sort((a, b) => b - a)[0] ?? Role.Unknown;
}

/** Whether a flag holds for it or for anything in it. */
export const anyWithin = (rsc: Resource, holds: (part: Resource) => boolean): boolean =>
  holds(rsc) || rsc.children.some((child) => anyWithin(child, holds));

/** Whether its target-role keeps it from running, or from being promoted where that is its purpose. */
export function isDisabled(rsc: Resource): boolean {
  const target = targetRole(rsc);
  if (target === undefined) return false;
  const role = parseRole(target);
  return role === Role.Stopped || (role === Role.Unpromoted && outermost(rsc).promotable);
}

export const targetRole = (rsc: Resource): string | undefined => rsc.meta.get("target-role");

/** The resource, itself or one that it is in, that a restart has stopped and not let run again as yet. */
export function stoppingRestart(cluster: Cluster, rsc: Resource): string | undefined {
  const configuration = child(cluster.cib, "configuration");
  if (configuration === undefined || targetRole(rsc) !== restartRole) return undefined;
  const found = resourcesOf(configuration).find(({ xml }) => idOf(xml) === rsc.configId);
  const stopped = found && [found.xml, ...found.parents].find(isStoppedByRestart);
  return stopped && idOf(stopped);
}

/** The target-role of a clone, or else of its instances. */
export const innerTargetRole = (rsc: Resource): string | undefined =>
  targetRole(rsc) ?? (rsc.children[0] && targetRole(rsc.children[0]));

/** Resources in the order of displays: by priority, else as configured; removed ones last. */
export const sortedResources = (cluster: Cluster): Resource[] =>
  [...cluster.resources].sort((a, b) => Number(a.removed) - Number(b.removed) || b.priority - a.priority);

/**
 * A probe that could not find out because the agent or its software is not there (exit codes 2 and 5), on a node or
 * anywhere. The history has to tell where it was made.
 */
export function failedProbe(
  cluster: Cluster,
  rsc: Resource,
  node: string | undefined,
): XmlElement | undefined {
  const outer = outermost(rsc);
  const id = outer.isClone ? outer.clone?.childXml.attributes.get("id") : rsc.id;
  return cluster.failedOps.find(({ xml, node: { online } }) => {
    if (!online || !isMaskedProbe(xml)) return false;
    const on = xml.attributes.get("on_node");
    if (on === undefined || (node !== undefined && on.toLowerCase() !== node.toLowerCase())) return false;
    return operationOf(xml)?.rsc === id;
  })?.xml;
}

/** Whether an operation is a probe that found out no more than that the software is not there. */
export function isMaskedProbe(op: XmlElement): boolean {
  const { attributes } = op;
  if (attributes.get("operation") !== "monitor" || Number(attributes.get("interval") ?? 0) !== 0)
    return false;
  return ["2", "5"].includes(attributes.get("rc-code") ?? "") || attributes.get("op-status") === "7";
}

/** Takes an operation key apart: `RSC_TASK_INTERVALMS`. */
export function operationOf(op: XmlElement): { rsc: string; task: string; intervalMs: number } | undefined {
  const key = op.attributes.get("operation_key") ?? op.attributes.get("id") ?? "";
  const match = /^(.*)_(migrate_to|migrate_from)_(\d+)$/.exec(key) ?? /^(.*)_([^_]+)_(\d+)$/.exec(key);
  if (!match) return undefined;
  return { rsc: match[1] ?? "", task: match[2] ?? "", intervalMs: Number(match[3]) };
}

/** State of a node in words: "online", "UNCLEAN (offline)", "standby (with active resources)", … */
export function nodeStateText(node: Node): string {
  if (node.unclean) return `UNCLEAN (${node.online ? "online" : node.pending ? "pending" : "offline"})`;
  if (node.pending) return "pending";
  if (node.standbyOnFail && node.online) return "standby (on-fail)";
  if (node.standby) {
    if (!node.online) return "OFFLINE (standby)";
    return node.running.length > 0 ? "standby (with active resources)" : "standby";
  }
  if (node.maintenance) return node.online ? "maintenance" : "OFFLINE (maintenance)";
  return node.online ? "online" : "OFFLINE";
}

/** Whether a node is meant to be up: one that was told to shut down is not. */
export const isExpectedUp = ({ expectedUp, shutdown }: Node): boolean => expectedUp && !shutdown;

/** Kind of node as displays prefix it. */
export const nodeKindText = (node: Node): string =>
  node.isGuest ? "GuestNode" : node.isRemote ? "RemoteNode" : "Node";

/** Health by the `#health…` attributes: red, yellow, green. Only asked where a health strategy is set. */
export function nodeHealth(cluster: Cluster, node: Node): "red" | "yellow" | "green" {
  const { healthStrategy, healthRed, healthYellow, healthGreen } = cluster.options;
  if (healthStrategy === "none") return "green";
  let health: "yellow" | "green" = "green";
  for (const [name, value] of node.attributes) {
    if (!name.startsWith("#health")) continue;
    const word = value.toLowerCase();
    const score = Number(value);
    if (word === "red" || score <= healthRed) return "red";
    if (word === "yellow" || (score <= healthYellow && healthYellow !== healthGreen)) health = "yellow";
  }
  return health;
}

/** How many instances there are, how many target-role keeps down, and how many are blocked. */
export function instanceCounts(cluster: Cluster): { total: number; disabled: number; blocked: number } {
  const counted = cluster.resources
    .flatMap(primitivesOf)
    .filter((rsc) => !rsc.removed || rsc.role > Role.Stopped);
  return {
    total: counted.length,
    disabled: counted.filter(isDisabled).length,
    blocked: counted.filter((rsc) => rsc.blocked).length,
  };
}

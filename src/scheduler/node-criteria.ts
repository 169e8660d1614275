import { formatScore, INFINITY, nodeName } from "../terms/index.ts";
import { clearHistory, findActions } from "./actions.ts";
import { failCount, thresholdReached } from "./failcount.ts";
import { Role } from "./flags.ts";
import { noteScores } from "./ledger.ts";
import { implyLocation } from "./location.ts";
import { methodsOf } from "./methods.ts";
import { type Cluster, type Location, type Node, type Resource, topLevel } from "./model.ts";
import { opKey } from "./operations.ts";
import { addPlaceScore } from "./places.ts";
import { avoidUnexecutable } from "./unexecutable.ts";
import { noteRecheck, unpackerOf } from "./unpacker.ts";

/** Scores that nodes get before anything is assigned: locks, location constraints, stickiness, failures. */
export function applyNodeCriteria(cluster: Cluster): void {
  if (cluster.options.shutdownLock) for (const rsc of cluster.resources) applyShutdownLock(cluster, rsc);
  avoidUnexecutable(cluster);
  applyLocations(cluster);
  for (const rsc of cluster.resources) applyStickiness(cluster, rsc);
  for (const node of cluster.nodes) {
    for (const rsc of cluster.resources) {
      applyFailures(cluster, rsc, node);
      applyExclusiveDiscovery(cluster, rsc, node);
    }
  }
}

/** Scores by location constraints alone. */
export function applyLocations(cluster: Cluster): void {
  for (const location of cluster.locations) {
    methodsOf(location.rsc).applyLocation(cluster, location.rsc, location);
    if (cluster.ledger) noteScores(cluster, location.rsc, location.cause, (node) => scoreOf(location, node));
  }
}

const scoreOf = ({ nodes, role, rsc }: Location, node: Node): number =>
  role > Role.Unknown && role !== rsc.nextRole ? 0 : (nodes.find((place) => place.node === node)?.score ?? 0);

/** A resource stays where it is active, if that is one node (Pacemaker Explained, resource-stickiness). */
function applyStickiness(cluster: Cluster, rsc: Resource): void {
  if (rsc.children.length > 0) {
    for (const part of rsc.children) applyStickiness(cluster, part);
    return;
  }
  const [node] = rsc.runningOn;
  if (!rsc.managed || rsc.stickiness < 1 || !node || rsc.runningOn.length > 1) return;
  if (!cluster.options.symmetric && !rsc.allowed.has(node)) return;
  addPlaceScore(cluster, rsc, node, rsc.stickiness);
  noteScores(cluster, rsc, {
    source: "stickiness",
    text: `${rsc.id} runs on ${node.name} and prefers to stay there`,
  });
}

/** Too many failures exclude a node; those of an anonymous instance exclude it for the whole clone. */
function applyFailures(cluster: Cluster, rsc: Resource, node: Node): void {
  if (rsc.children.length > 0) {
    for (const part of rsc.children) applyFailures(cluster, part, node);
    return;
  }
  // Failures that are about to be forgotten do not count any more.
  if (findActions(rsc, opKey(rsc.id, "clear_failcount", 0), node).length > 0) return;
  if (!thresholdReached(unpackerOf(cluster), cluster, rsc, node)) return;
  const banned = whatFails(rsc);
  addPlaceScore(cluster, banned, node, -INFINITY);
  noteScores(cluster, banned, { source: "failure", text: failureText(cluster, rsc, node) }, (place) =>
    place === node ? -INFINITY : 0,
  );
}

function failureText(cluster: Cluster, rsc: Resource, node: Node): string {
  const threshold = formatScore(rsc.migrationThreshold);
  const { count, lastFailure } = failCount(unpackerOf(cluster), node, rsc, { fillers: true });
  const ends = lastFailure + rsc.failureTimeoutMs / 1000;
  const end =
    rsc.failureTimeoutMs > 0 && lastFailure > 0
      ? `forgotten at ${new Date(ends * 1000)
          .toISOString()
          .replace("T", " ")
          .replace(/\.\d+Z$/, "Z")}`
      : "not forgotten by itself (no failure-timeout)";
  if (count >= INFINITY) return `a failure of ${rsc.id} there keeps it away for good; ${end}`;
  const times = count === 1 ? "once" : `${count} times`;
  return `${rsc.id} has failed there ${times}, and migration-threshold is ${threshold}; ${end}`;
}

/** Anonymous instances are alike: what fails is their clone. */
function whatFails(rsc: Resource): Resource {
  if (rsc.removed && !rsc.removedInstance) return rsc;
  let outer: Resource | undefined;
  for (let current = rsc.parent; current; current = current.parent) {
    if (current.isClone && !current.unique) outer = current;
    if (current.isBundle) break;
  }
  return outer ?? rsc;
}

/** Where discovery is exclusive to some nodes, it runs on none but those. */
export function applyExclusiveDiscovery(cluster: Cluster, rsc: Resource, node: Node): void {
  if (!rsc.exclusiveDiscovery && !topLevel(rsc, false).exclusiveDiscovery) return;
  for (const part of rsc.children) applyExclusiveDiscovery(cluster, part, node);
  const entry = rsc.allowed.get(node);
  if (!entry || entry.discovery === "exclusive") return;
  entry.score = -INFINITY;
  const exclusive = cluster.locations.find(
    (location) =>
      location.discovery === "exclusive" && topLevel(location.rsc, false) === topLevel(rsc, false),
  );
  noteScores(cluster, rsc, {
    source: "location",
    ...(exclusive?.cause.id === undefined ? {} : { id: exclusive.cause.id }),
    text: "a location constraint with resource-discovery=exclusive keeps it to other nodes",
  });
}

/** A resource whose node was shut down in an orderly way waits for it (shutdown-lock). */
function applyShutdownLock(cluster: Cluster, rsc: Resource): void {
  if (rsc.isGroup) for (const member of rsc.children) applyShutdownLock(cluster, member);
  if (!rsc.isPrimitive && !rsc.isGroup) return;
  // Devices and connections serve the whole cluster; that to a guest goes with its container.
  if (rsc.isFenceDevice || (rsc.isRemoteConnection && !rsc.container)) return;
  const [node] = rsc.runningOn;
  if (rsc.lockNode) {
    // It was started elsewhere although it was locked.
    if (rsc.runningOn.length > 0) {
      clearHistory(cluster, rsc, rsc.lockNode);
      unlock(rsc);
    }
  } else if (node && rsc.runningOn.length === 1 && node.shutdown && !node.unclean) {
    rsc.lockNode = node;
    rsc.lockTime = Number.parseInt(node.attributes.get("shutdown") ?? "0", 10) || cluster.now;
  }
  const { lockNode } = rsc;
  if (!lockNode) return;
  const { shutdownLockLimitMs } = cluster.options;
  if (shutdownLockLimitMs > 0) {
    const ends = rsc.lockTime + shutdownLockLimitMs / 1000;
    if (cluster.now > ends) return unlock(rsc);
    noteRecheck(cluster, ends + 1);
  }
  // Also nodes that came to be known only by their histories are places from here on.
  for (const other of cluster.nodes) {
    if (other !== lockNode)
      implyLocation(cluster, "shutdown-lock", rsc, other, -INFINITY, {
        source: "shutdown-lock",
        text: `it waits for ${lockNode.name}, which was shut down in an orderly way`,
      });
  }
  cluster.reason({
    rsc: rsc.id,
    node: nodeName(lockNode.name),
    source: "shutdown-lock",
    text: `${rsc.id} waits for ${lockNode.name}, which was shut down in an orderly way`,
  });
}

function unlock(rsc: Resource): void {
  rsc.lockNode = undefined;
  rsc.lockTime = 0;
}

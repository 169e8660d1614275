import { INFINITY } from "../terms/index.ts";
import { setPlace, showScores } from "./assign.ts";
import { compareNodes, soleLocation } from "./availability.ts";
import { addThisWith, addWithThis, mergeScores } from "./colocation.ts";
import { addColocation } from "./colocation-unpack.ts";
import type { Cause } from "./face.ts";
import { thresholdReached } from "./failcount.ts";
import { Role } from "./flags.ts";
import { compareInstances } from "./instance-order.ts";
import { assignInstances } from "./instances-assign.ts";
import { noteScores } from "./ledger.ts";
import { applyLocation } from "./location.ts";
import type { AssignmentMethods } from "./methods.ts";
import { methodsOf } from "./methods.ts";
import {
  type BundleReplica,
  type Cluster,
  type Colocation,
  type Node,
  type Resource,
  topLevel,
} from "./model.ts";
import { blockedInside, instanceMatches, intersectPlaces } from "./pairing.ts";
import { unpackerOf } from "./unpacker.ts";

const inside: Cause = { source: "bundle", text: "it runs inside its own replica, and nowhere else" };

/** How bundles are placed: containers like the instances of a clone, then what belongs to each, then what is inside. */
export const bundleAssignment: AssignmentMethods = {
  assign(cluster, rsc, prefer, stopIfFail) {
    const { bundle } = rsc;
    if (!bundle || rsc.assigning) return undefined;
    // One that went before what depends on it shows its scores once more when its own turn comes.
    showScores(cluster, rsc, "bundle");
    if (!rsc.unassigned) return undefined;
    rsc.assigning = true;
    const containers = bundle.replicas
      .map(({ container }) => container)
      .sort((a, b) => compareInstances(cluster, a, b));
    assignInstances(cluster, rsc, containers, bundle.replicas.length, bundle.replicasPerHost);
    for (const replica of bundle.replicas) assignReplica(cluster, replica, prefer, stopIfFail);
    if (bundle.clone) {
      const own = new Set(bundle.replicas.map(({ node }) => node));
      for (const entry of bundle.clone.allowed.values()) entry.score = own.has(entry.node) ? 0 : -INFINITY;
      noteScores(cluster, bundle.clone, inside);
      methodsOf(bundle.clone).assign(cluster, bundle.clone, prefer, stopIfFail);
    }
    rsc.assigning = false;
    rsc.unassigned = false;
    return undefined;
  },

  /** Never called for a bundle as the dependent: its containers take that part. */
  applyColocation(cluster, dependent, primary, colocation, forDependent) {
    if (forDependent || primary.unassigned) return;
    if (colocation.dependent.isCollective) {
      const container = compatibleContainer(cluster, dependent, primary);
      if (container) methodsOf(dependent).applyColocation(cluster, dependent, container, colocation, true);
      else if (colocation.score >= INFINITY) setPlace(cluster, dependent, undefined, true, true);
      return;
    }
    const nodes: { readonly node: Node; readonly score: number }[] = [];
    for (const { container, child } of primary.bundle?.replicas ?? []) {
      if (colocation.score < INFINITY) {
        methodsOf(container).applyColocation(cluster, dependent, container, colocation, false);
        continue;
      }
      const node = soleLocation(container, false);
      if (!node || blockedInside(container)) continue;
      if (colocation.primaryRole >= Role.Promoted && (child?.nextRole ?? Role.Unknown) < Role.Promoted)
        continue;
      nodes.push({ node, score: 0 });
    }
    if (colocation.score >= INFINITY) intersectPlaces(cluster, dependent, primary, colocation, nodes, false);
  },

  thisWithColocations(rsc, original, list) {
    if (honours(rsc, original)) addThisWith(list, rsc.thisWith);
  },

  withThisColocations(rsc, original, list) {
    if (honours(rsc, original)) addWithThis(list, rsc.withThis);
  },

  addColocatedScores: mergeScores,

  applyLocation(cluster, rsc, location) {
    applyLocation(cluster, rsc, location);
    for (const { container, ip } of rsc.bundle?.replicas ?? []) {
      methodsOf(container).applyLocation(cluster, container, location);
      if (ip) methodsOf(ip).applyLocation(cluster, ip, location);
    }
    const inner = rsc.bundle?.clone;
    if (!inner || location.role < Role.Unpromoted) return;
    methodsOf(inner).applyLocation(cluster, inner, location);
    inner.locations.unshift(location);
  },

  addUtilization(rsc, original, all, sum) {
    if (!rsc.unassigned) return;
    const container = rsc.bundle?.replicas[0]?.container;
    if (container) methodsOf(container).addUtilization(container, original, all, sum);
  },
};

/** The container of a bundle on the host of another resource; what is inside a bundle is where its container is. */
function compatibleContainer(cluster: Cluster, dependent: Resource, bundle: Resource): Resource | undefined {
  const containerOn = (node: Node): Resource | undefined => {
    const host = node.remoteRsc?.replica ? node.remoteRsc.container?.assignedTo : node;
    if (!host) return undefined;
    const replicas = bundle.bundle?.replicas ?? [];
    return replicas.find(({ container }) => instanceMatches(container, host, Role.Unknown, false))?.container;
  };
  const node = soleLocation(dependent, false);
  if (node) return containerOn(node);
  const places = [...dependent.allowed.values()].sort((a, b) => compareNodes(cluster, a, b, undefined));
  for (const place of places) {
    const found = containerOn(place.node);
    if (found) return found;
  }
  return undefined;
}

/**
 * Whether a bundle's colocations count for a resource: the bundle and its containers, and what is inside once
 * roles are being chosen.
 */
function honours(bundle: Resource, original: Resource): boolean {
  if (original === bundle || original.replica?.container === original) return true;
  const inner = bundle.bundle?.colocatesByRole ? bundle.bundle.clone : undefined;
  if (!inner?.promotable || topLevel(original, false) !== inner) return false;
  return original === inner ? inner.clone?.promotionConstrained === true : !original.unassigned;
}

function assignReplica(
  cluster: Cluster,
  replica: BundleReplica,
  prefer: Node | undefined,
  stopIfFail: boolean,
): void {
  const { container, ip, remote, child, node } = replica;
  if (ip) methodsOf(ip).assign(cluster, ip, prefer, stopIfFail);
  if (remote) {
    const host = container.assignedTo;
    if (host?.isRemoteOrGuest && host.remoteRsc) nestedConnection(cluster, remote, host.remoteRsc);
    methodsOf(remote).assign(cluster, remote, prefer, stopIfFail);
  }
  if (!child) return;
  for (const entry of child.allowed.values()) {
    if (entry.node !== node) entry.score = -INFINITY;
    else if (!thresholdReached(unpackerOf(cluster), cluster, child, entry.node)) entry.score = INFINITY;
  }
  noteScores(cluster, child, inside);
  const { parent } = child;
  if (parent) parent.assigning = true;
  methodsOf(child).assign(cluster, child, node, stopIfFail);
  if (parent) parent.assigning = false;
}

/** A connection through a remote host has to be where that host's own connection is: it has only one. */
function nestedConnection(cluster: Cluster, remote: Resource, hostConnection: Resource): void {
  const colocation: Omit<
    Colocation,
    "dependentRole" | "primaryRole" | "attribute" | "influence" | "explicit"
  > = {
    id: "#replica-remote-with-host-remote",
    dependent: remote,
    primary: hostConnection,
    score: INFINITY,
  };
  addColocation(cluster, {
    ...colocation,
    explicit: false,
    attribute: undefined,
    dependentRole: undefined,
    primaryRole: undefined,
    influence: "true",
  });
}

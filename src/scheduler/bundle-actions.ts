import { INFINITY, lookup } from "../terms/index.ts";
import { findAction } from "./actions.ts";
import {
  collectiveFlags,
  createInstanceActions,
  doneAction,
  orderPromotableRestart,
  stepAction,
  updateCollective,
} from "./collective-actions.ts";
import { addColocation } from "./colocation-unpack.ts";
import { Link } from "./flags.ts";
import type { ActionMethods } from "./methods.ts";
import { methodsOf } from "./methods.ts";
import type { Action, BundleReplica, Cluster, Node, Resource } from "./model.ts";
import { opKey } from "./operations.ts";
import { addOrdering, orderTasks } from "./orderings.ts";

/**
 * What bundles do to reach the places that were chosen (Pacemaker Explained, "Bundles"): each replica starts its
 * address, its container, the connection into it, and then what is inside.
 */
export const bundleActions: ActionMethods = {
  createActions(cluster, rsc) {
    const replicas = replicasOf(rsc);
    for (const { ip, container, remote } of replicas)
      for (const part of [ip, container, remote]) if (part) methodsOf(part).createActions(cluster, part);
    createInstanceActions(cluster, rsc, containersOf(rsc));
    const inner = rsc.bundle?.clone;
    if (!inner) return;
    methodsOf(inner).createActions(cluster, inner);
    if (!inner.promotable) return;
    for (const [begin, done] of [
      ["promote", "promoted"],
      ["demote", "demoted"],
    ] as const) {
      stepAction(cluster, rsc, begin, true, true);
      doneAction(cluster, rsc, done, true, true);
    }
  },

  createProbe(cluster, rsc, node) {
    let created = false;
    for (const replica of replicasOf(rsc)) if (probeReplica(cluster, rsc, replica, node)) created = true;
    return created;
  },

  internalConstraints(cluster, rsc) {
    for (const replica of replicasOf(rsc)) constrainReplica(cluster, rsc, replica);
    const inner = rsc.bundle?.clone;
    if (!inner) return;
    surround(cluster, rsc, inner, "start", "running");
    surround(cluster, rsc, inner, "stop", "stopped");
    methodsOf(inner).internalConstraints(cluster, inner);
    if (!inner.promotable) return;
    orderPromotableRestart(cluster, rsc);
    surround(cluster, rsc, inner, "demote", "demoted");
    surround(cluster, rsc, inner, "promote", "promoted");
  },

  /** Roles are those of what is inside; anything else is done with the containers. */
  actionFlags(cluster, action, node) {
    const inner = rolesInside.has(action.task) ? action.rsc?.bundle?.clone : undefined;
    const instances = inner ? inner.children : action.rsc ? containersOf(action.rsc) : [];
    return collectiveFlags(cluster, action, instances, node);
  },

  updateOrdered: updateCollective,

  /** A bundle's own actions are pseudo actions; agents see only those of its parts. */
  addGraphMeta() {},
};

const rolesInside: ReadonlySet<string> = new Set([
  "notify",
  "notified",
  "promote",
  "promoted",
  "demote",
  "demoted",
]);

const replicasOf = (bundle: Resource): readonly BundleReplica[] => bundle.bundle?.replicas ?? [];

const containersOf = (bundle: Resource): Resource[] => replicasOf(bundle).map(({ container }) => container);

/** The bundle's step begins before that of the clone inside, and is done after it. */
function surround(cluster: Cluster, bundle: Resource, inner: Resource, begin: string, done: string): void {
  orderTasks(cluster, bundle, begin, inner, begin, Link.ThenImpliesFirstGraphed);
  orderTasks(cluster, inner, done, bundle, done, Link.FirstImpliesThenGraphed);
}

/** Probes the parts of a replica that may be on a node. */
function probeReplica(cluster: Cluster, bundle: Resource, replica: BundleReplica, node: Node): boolean {
  const { ip, child, container, remote } = replica;
  const probe = (rsc: Resource | undefined) =>
    rsc !== undefined && methodsOf(rsc).createProbe(cluster, rsc, node);
  let created = probe(ip);
  if (node === replica.node && probe(child)) created = true;
  if (probe(container)) {
    created = true;
    if (bundle.bundle?.replicasPerHost === 1) keepReplicasApart(cluster, bundle, replica);
  }
  if (remote && probe(remote)) {
    created = true;
    const made = findAction(remote, opKey(remote.id, "monitor", 0), node);
    // The connection can only be looked for where the container is known to be.
    if (made)
      addOrdering(
        cluster,
        { rsc: container, task: "start" },
        { rsc: remote, action: made },
        Link.NestedRemoteProbe,
      );
  }
  return created;
}

/** With one replica a host no other may start before it is known that none is there: ports would clash. */
function keepReplicasApart(cluster: Cluster, bundle: Resource, probed: BundleReplica): void {
  for (const other of replicasOf(bundle)) {
    if (other === probed) continue;
    addOrdering(
      cluster,
      { rsc: probed.container, key: opKey(probed.container.id, "monitor", 0) },
      { rsc: other.container, key: opKey(other.container.id, "start", 0) },
      Link.Ordered | Link.IfOnSameNode,
    );
  }
}

/** Address before container; the bundle's own steps around those of the container. */
function constrainReplica(cluster: Cluster, bundle: Resource, replica: BundleReplica): void {
  const { ip, child, container, remote } = replica;
  methodsOf(container).internalConstraints(cluster, container);
  orderTasks(
    cluster,
    bundle,
    "start",
    container,
    "start",
    Link.UnrunnableFirstBlocks | Link.ThenImpliesFirstGraphed,
  );
  if (child) orderTasks(cluster, bundle, "stop", child, "stop", Link.ThenImpliesFirstGraphed);
  orderTasks(cluster, bundle, "stop", container, "stop", Link.ThenImpliesFirstGraphed);
  orderTasks(cluster, container, "start", bundle, "running", Link.FirstImpliesThenGraphed);
  orderTasks(cluster, container, "stop", bundle, "stopped", Link.FirstImpliesThenGraphed);
  if (ip) {
    methodsOf(ip).internalConstraints(cluster, ip);
    const kind = Link.UnrunnableFirstBlocks | Link.GuestAllowed;
    orderTasks(cluster, ip, "start", container, "start", kind);
    orderTasks(cluster, container, "stop", ip, "stop", Link.ThenImpliesFirst | Link.GuestAllowed);
    addColocation(cluster, {
      id: "#ip-with-container",
      attribute: undefined,
      score: INFINITY,
      dependent: ip,
      primary: container,
      dependentRole: undefined,
      primaryRole: undefined,
      influence: "true",
      explicit: false,
    });
  }
  // Puts connection and container together, too. What is inside follows the connection because it is on its node.
  if (remote) methodsOf(remote).internalConstraints(cluster, remote);
}

const going: Readonly<Record<string, "down" | "up">> = lookup({
  stop: "down",
  stopped: "down",
  demote: "down",
  demoted: "down",
  start: "up",
  running: "up",
  monitor: "up",
  promote: "up",
  promoted: "up",
});

/**
 * Host of the guest or bundle node that an action is on: the present one for what goes down, the next for what
 * comes up. Agents that keep attributes on the host get it as `physical_host`.
 */
export function physicalHost(action: Action): Node | undefined {
  const container = action.node?.isGuest ? action.node.remoteRsc?.container : undefined;
  if (!container) return undefined;
  const notification = action.task === "notify" || action.task === "notified";
  const task = notification ? (action.meta.get("notify_operation") ?? "") : action.task;
  const direction = going[task];
  if (direction === undefined) return undefined;
  return direction === "down" ? container.runningOn[0] : container.assignedTo;
}

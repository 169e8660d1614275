import { child } from "../../cib/index.ts";
import { devicesFromCib, idleDevicesIn, unfenceableIn } from "../../fencer/index.ts";
import {
  type Cluster,
  type Node,
  possibleNodes,
  type Resource,
  Role,
  roleName,
} from "../../scheduler/index.ts";
import { nodeName, OpStatus } from "../../terms/index.ts";
import { judgedBy, missingBasis } from "../hidden.ts";
import {
  activeNodes,
  currentNode,
  displayedRole,
  displayedState,
  instanceCounts,
  isActive,
  isDisabled,
  nodeStateText,
  primitivesOf,
  printableId,
  shownCluster,
  sortedNodes,
  sortedResources,
  stoppingNode,
} from "./cluster-view.ts";
import { outcomeText } from "./exit-texts.ts";
import type { StatusInput } from "./input.ts";
import { bansOf, shownAttributes } from "./mon-sections.ts";
import { failCount, type OperationEntry, readOperation } from "./operations.ts";
import { agentText, isImplied, stateFlags } from "./resource-list.ts";
import {
  type ClusterFacts,
  type FailureFacts,
  type FencingFacts,
  NEVER_SEEN,
  NO_PLACE,
  type NodeFacts,
  type ResourceFacts,
  type StatusModel,
} from "./status-model.ts";
import { verdictOf } from "./verdict.ts";

/**
 * Makes the facts of a status display from what the daemon (or a file) says.
 * @param source what is shown, unless it is the running cluster
 */
export function statusModel(input: StatusInput, source?: string): StatusModel {
  const cluster = shownCluster(input);
  const hidden = judgedBy(input.hidden);
  const withoutState = missingBasis(hidden).length > 0;
  const facts = {
    cluster: {
      ...clusterFacts(input, cluster),
      ...(source === undefined ? {} : { source }),
      ...(hidden.length === 0 ? {} : { hidden }),
    },
    nodes: [
      ...sortedNodes(cluster).map((node) => nodeFacts(input, cluster, node)),
      ...neverSeen(input, cluster),
    ].map((node) => (withoutState ? withoutNodeState(node) : node)),
    resources: sortedResources(cluster)
      .filter((rsc) => !isImplied(rsc) && (!rsc.removed || isActive(rsc, true)))
      .map((rsc) => resourceFacts(cluster, rsc))
      .map((rsc) => (withoutState ? withoutRole(rsc) : rsc)),
    failures: cluster.failedOps.map(({ node, xml, rsc }) =>
      failureFacts(cluster, node, readOperation(xml), rsc),
    ),
    fencing: fencingFacts(input, cluster),
    tickets: [...cluster.tickets.values()].map(({ id, granted, standby }) => ({ id, granted, standby })),
    bans: bansOf(cluster, "cli-").map(({ id, rsc, node }) => ({ id, rsc, node })),
    ...(input.transition === undefined ? {} : { transition: input.transition }),
    throttle: input.throttle,
  };
  return { format: "hactl-status/1", verdict: verdictOf(input, cluster, facts), ...facts };
}

/** Where it is hidden what a node or a resource does, nothing else is to be said of it. */
const NOT_SHOWN = "not shown";
const withoutNodeState = ({ name, id, kind, leader, links }: NodeFacts): NodeFacts => ({
  name,
  id,
  kind,
  state: NOT_SHOWN,
  online: false,
  unclean: false,
  leader,
  leaving: false,
  resources: 0,
  ...(links === undefined ? {} : { links }),
  attributes: {},
});
const withoutRole = ({ id, kind, agent, promotable, children }: ResourceFacts): ResourceFacts => ({
  id,
  kind,
  ...(agent === undefined ? {} : { agent }),
  ...(kind === "primitive" ? { role: NOT_SHOWN } : {}),
  nodes: [],
  failed: false,
  flags: [],
  ...(promotable === undefined ? {} : { promotable }),
  children: children.map(withoutRole),
});

function clusterFacts(input: StatusInput, cluster: Cluster): ClusterFacts {
  const { attributes } = input.cib;
  const { membership } = input;
  const part = (name: string) => attributes.get(name) ?? "0";
  const counts = instanceCounts(cluster);
  const running = cluster.resources.flatMap(primitivesOf).filter((rsc) => isActive(rsc, false)).length;
  const leader = membership ? membership.leader : cluster.nodeById.get(attributes.get("dc-uuid") ?? "")?.name;
  const changed = attributes.get("cib-last-written");
  const name = input.clusterName ?? cluster.properties.get("cluster-name");
  return {
    ...(name ? { name } : {}),
    ...(input.localNode === undefined ? {} : { localNode: input.localNode }),
    ...(leader === undefined ? {} : { leader }),
    now: input.now,
    version: input.version,
    featureSet: input.featureSet,
    configVersion: `${part("admin_epoch")}.${part("epoch")}.${part("num_updates")}`,
    ...(changed ? { configChanged: changed } : {}),
    quorate: membership?.quorate ?? cluster.quorate,
    ...(membership
      ? {
          quorumReason: membership.quorumReason,
          votes: membership.votes,
          expectedVotes: membership.expectedVotes,
        }
      : {}),
    maintenance: cluster.options.maintenance,
    instances: { ...counts, running, surplus: Math.max(0, running - (counts.total - counts.disabled)) },
  };
}

/** It is being stopped, and there still: what it runs moves away or stops first. */
const isLeaving = (node: Node): boolean => node.online && node.shutdown && !node.unclean;

/** Nodes of the node list of which the cluster knows nothing. Whoever is in no ring yet knows nothing of others. */
function neverSeen({ membership }: StatusInput, cluster: Cluster): NodeFacts[] {
  if (!membership || membership.members.length === 0) return [];
  const known = new Set([...cluster.nodeById.values()].map(({ name }) => name));
  return membership.absent
    .filter(({ name }) => !known.has(name))
    .map(({ id, name }) => ({
      name,
      id: String(id),
      kind: "member",
      state: NEVER_SEEN,
      online: false,
      unclean: false,
      leader: false,
      leaving: false,
      resources: 0,
      ...linksTo(membership, name),
      attributes: {},
    }));
}

function linksTo(membership: StatusInput["membership"], node: string): Pick<NodeFacts, "links"> {
  const links = membership?.links.filter(({ peer }) => peer === node) ?? [];
  if (links.length === 0) return {};
  return {
    links: links.map(({ link, up, address }) => ({
      link,
      up,
      ...(address === undefined ? {} : { address }),
    })),
  };
}

function nodeFacts(input: StatusInput, cluster: Cluster, node: Node): NodeFacts {
  const attributes = shownAttributes(cluster, node);
  const leader = input.membership ? input.membership.leader === node.name : node.isDc;
  return {
    name: node.name,
    id: node.id,
    kind: node.isGuest ? "guest" : node.isRemote ? "remote" : "member",
    state: isLeaving(node) ? "draining" : nodeStateText(node),
    online: node.online,
    unclean: node.unclean,
    leader,
    leaving: isLeaving(node),
    resources: node.running.length,
    ...(node.unclean && node.fenceReason !== "" ? { reason: node.fenceReason } : {}),
    ...linksTo(input.membership, node.name),
    attributes: Object.fromEntries(attributes.map(({ name, value }) => [name, value])),
  };
}

/** When a resource came into its state on a node: the last operation there that changed or found it. */
export function activeSince(cluster: Cluster, rsc: Resource, node: Node): number | undefined {
  const changing = operationsOn(cluster, rsc, node).filter(
    ({ task, intervalMs, status }) => status === 0 && intervalMs === 0 && changesState(task),
  );
  return latestChange(changing);
}

/** Since when a stop of it has not ended there. */
const stoppingSince = (cluster: Cluster, rsc: Resource, node: Node): number | undefined =>
  latestChange(
    operationsOn(cluster, rsc, node).filter(
      ({ task, status }) => task === "stop" && status === OpStatus.PENDING,
    ),
  );

function latestChange(operations: readonly ReturnType<typeof readOperation>[]): number | undefined {
  const last = operations.toSorted((a, b) => b.call - a.call)[0];
  return last && last.changed > 0 ? last.changed : undefined;
}

/** What the history of a node has of a resource. */
function operationsOn(cluster: Cluster, rsc: Resource, node: Node): ReturnType<typeof readOperation>[] {
  const state = child(cluster.cib, "status")?.children.find(
    ({ name, attributes }) =>
      name === "node_state" && (attributes.get("uname") === node.name || attributes.get("id") === node.id),
  );
  const histories = child(child(state, "lrm"), "lrm_resources")?.children ?? [];
  const names = new Set([rsc.historyId, rsc.id, printableId(rsc)]);
  return histories
    .filter(({ attributes }) => names.has(attributes.get("id") ?? ""))
    .flatMap(({ children }) => children)
    .map(readOperation);
}

const changesState = (task: string) =>
  ["start", "promote", "demote", "migrate_from", "monitor", "stop"].includes(task);

/** One resource with what is in it. */
export function resourceFacts(cluster: Cluster, rsc: Resource): ResourceFacts {
  if (rsc.isPrimitive) return primitiveFacts(cluster, rsc);
  const parts = rsc.bundle
    ? rsc.bundle.replicas.map(({ container, child: inner, remote }) => ({
        ...primitiveFacts(cluster, inner ?? container),
        id: printableId(remote ?? container),
        nodes: container.runningOn.map((node) => placeOf(cluster, container, node, inner ?? container)),
      }))
    : rsc.children
        .filter((inner) => !inner.removed || isActive(inner, false))
        .map((inner) => resourceFacts(cluster, inner));
  const on = new Set(activeNodes(rsc));
  const idle = [...rsc.allowed.keys()].filter((node) => !on.has(node) && node.online);
  return {
    id: rsc.id,
    kind: rsc.bundle ? "bundle" : rsc.isClone ? "clone" : "group",
    nodes: parts.flatMap(({ nodes }) => nodes),
    failed: parts.some(({ failed }) => failed),
    flags: collectiveFlags(rsc),
    ...(rsc.isClone ? { promotable: rsc.promotable, idle: idle.map(({ name }) => name).sort() } : {}),
    children: parts,
  };
}

const collectiveFlags = (rsc: Resource): string[] => [
  ...(isDisabled(rsc) ? ["disabled"] : []),
  ...(rsc.maintenance ? ["maintenance"] : rsc.managed ? [] : ["unmanaged"]),
];

function placeOf(
  cluster: Cluster,
  rsc: Resource,
  node: Node,
  shown: Resource,
): ResourceFacts["nodes"][number] {
  const since = activeSince(cluster, rsc, node);
  return { node: node.name, role: roleName(displayedRole(shown)), ...(since === undefined ? {} : { since }) };
}

/** Where it is; while it is being stopped it is there still, although its history says that it is not any more. */
function placesOf(cluster: Cluster, rsc: Resource): ResourceFacts["nodes"] {
  const leaving = stoppingNode(rsc);
  if (leaving) {
    const since = stoppingSince(cluster, rsc, leaving);
    return [
      { node: leaving.name, role: displayedState(rsc, true), ...(since === undefined ? {} : { since }) },
    ];
  }
  if (displayedRole(rsc) === Role.Stopped) return [];
  return rsc.runningOn.map((node) => placeOf(cluster, rsc, node, rsc));
}

function primitiveFacts(cluster: Cluster, rsc: Resource): ResourceFacts {
  const failure = rsc.failed ? lastFailure(cluster, rsc) : undefined;
  return {
    id: printableId(rsc),
    kind: "primitive",
    agent: agentText(rsc),
    role: displayedState(rsc, true),
    nodes: placesOf(cluster, rsc),
    failed: rsc.failed,
    flags: [...(rsc.removed ? ["removed"] : []), ...stateFlags(rsc, currentNode(rsc), { pending: true })],
    ...(failure === undefined ? {} : { failure: failureText(failure) }),
    children: [],
  };
}

function lastFailure(cluster: Cluster, rsc: Resource): OperationEntry | undefined {
  const names = new Set([rsc.id, rsc.historyId, printableId(rsc)]);
  return cluster.failedOps
    .map(({ xml }) => readOperation(xml))
    .filter((operation) => names.has(operation.rsc))
    .sort((a, b) => b.changed - a.changed)[0];
}

/** `monitor: Not running – process died` */
export function failureText({ task, rc, status, exitReason }: OperationEntry): string {
  return `${task}: ${outcomeText(rc, status)}${exitReason === "" ? "" : ` – ${exitReason}`}`;
}

function failureFacts(cluster: Cluster, node: Node, operation: OperationEntry, rscId: string): FailureFacts {
  const { count } = failCount(node, operation.rsc);
  const rsc = cluster.resourceById.get(rscId) ?? cluster.resourceById.get(operation.rsc);
  return {
    rsc: operation.rsc,
    task: operation.task,
    intervalMs: operation.intervalMs,
    node: node.name,
    rc: operation.rc,
    status: operation.status,
    outcome: outcomeText(operation.rc, operation.status),
    exitReason: operation.exitReason,
    ...(operation.changed > 0 ? { at: operation.changed } : {}),
    execMs: operation.execMs,
    failCount: count >= 1_000_000 ? "INFINITY" : count,
    threshold: rsc?.migrationThreshold ?? 1_000_000,
  };
}

function fencingFacts(input: StatusInput, cluster: Cluster): FencingFacts {
  const configuration = child(input.cib, "configuration");
  const found = configuration ? devicesFromCib(configuration, input.now) : undefined;
  const known = [...(found?.devices.values() ?? [])].map(({ id, agent, disabled }) => {
    const node = cluster.resourceById.get(id)?.runningOn[0]?.name;
    return { id, agent, node, disabled };
  });
  const nowhere = withoutPlace(
    input,
    known.filter(({ node, disabled }) => node === undefined && disabled === undefined).map(({ id }) => id),
  );
  const devices = known.map(({ id, agent, node, disabled: why }) => {
    const disabled = why ?? (nowhere.has(id) ? NO_PLACE : undefined);
    return {
      id,
      agent,
      ...(node === undefined ? {} : { node }),
      ...(disabled === undefined ? {} : { disabled }),
    };
  });
  const members = sortedNodes(cluster).filter(({ kind }) => kind === "member");
  const topology = members.flatMap(({ name }) => {
    const levels = found?.levelsFor(nodeName(name)) ?? [];
    return levels.length === 0 ? [] : [{ node: name, levels: levels.map((level) => level.devices) }];
  });
  // Guests are fenced with what carries them.
  const targets = sortedNodes(cluster)
    .filter(({ isGuest }) => !isGuest)
    .map(({ name }) => nodeName(name));
  return {
    enabled: cluster.options.fencingEnabled,
    devices,
    unfenceable: configuration ? unfenceableIn(configuration, targets, input.now, nowhere) : [],
    idle: configuration ? idleDevicesIn(configuration, targets, input.now) : [],
    topology,
    warnings: [
      ...(found?.problems ?? []),
      ...topologyWarnings(devices, topology, members),
      ...(input.fencing.remarks ?? []),
    ],
    pending: input.fencing.pending,
    history: input.fencing.history,
  };
}

/** Those of some devices that location constraints keep off every node. */
function withoutPlace({ cib, now }: StatusInput, ids: readonly string[]): ReadonlySet<string> {
  if (ids.length === 0) return new Set();
  const places = possibleNodes({ cib, now });
  return new Set(ids.filter((id) => places.get(id)?.length === 0));
}

/** Levels that name devices which are not there, and nodes that a topology forgot. */
function topologyWarnings(
  devices: FencingFacts["devices"],
  topology: FencingFacts["topology"],
  members: readonly Node[],
): string[] {
  const known = new Set(devices.map(({ id }) => id));
  const dangling = topology.flatMap(({ node, levels }) =>
    levels
      .flat()
      .filter((id) => !known.has(id))
      .map((id) => `the fencing topology of ${node} names ${id}, which is no fence device`),
  );
  const covered = new Set(topology.map(({ node }) => node));
  const forgotten =
    topology.length === 0
      ? []
      : members
          .filter(({ name }) => !covered.has(name))
          .map(({ name }) => `the fencing topology has no level for ${name}`);
  return [...dangling, ...forgotten];
}

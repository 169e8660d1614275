import { nodeName } from "../terms/index.ts";
import { isActive } from "./actions.ts";
import { assignResources } from "./assign-all.ts";
import { unpackConstraints } from "./constraints.ts";
import type { Cause, GraphAction, Placement, SchedulerInput, Transition } from "./face.ts";
import { scheduleFencingAndShutdowns } from "./fencing.ts";
import { Role } from "./flags.ts";
import { createGraph, unrunnableActions } from "./graph.ts";
import { applyNodeHealth } from "./health.ts";
import { Ledger, noteScores } from "./ledger.ts";
import { actionsOf } from "./methods.ts";
import type { Cluster, Node, Resource } from "./model.ts";
import { applyNodeCriteria } from "./node-criteria.ts";
import { applyOrderings } from "./ordering-apply.ts";
import { clearRemovedFailcounts, handleConfigurationChanges, handleLateChecks } from "./parameter-changes.ts";
import { scheduleProbes } from "./probes.ts";
import { orderRemoteActions } from "./remote-order.ts";
import { changeText, summarize } from "./summary.ts";
import { unconnected } from "./unconnected.ts";
import { unpackCluster } from "./unpack.ts";
import { unpackerOf } from "./unpacker.ts";
import "./variants.ts";

/** Decides: places, actions and their order. The working set says afterwards what is wanted. */
export function decide(cluster: Cluster): void {
  for (const rsc of cluster.resources) noteScores(cluster, rsc, beginning(rsc));
  applyNodeHealth(cluster);
  unpackConstraints(unpackerOf(cluster));
  applyNodeCriteria(cluster);
  for (const rsc of cluster.resources) {
    actionsOf(rsc).internalConstraints(cluster, rsc);
    noteScores(cluster, rsc, carried);
  }
  handleConfigurationChanges(cluster);
  assignResources(cluster);
  handleLateChecks(cluster);
  scheduleProbes(cluster);
  clearRemovedFailcounts(cluster);
  for (const rsc of cluster.resources) actionsOf(rsc).createActions(cluster, rsc);
  orderRemoteActions(cluster);
  scheduleFencingAndShutdowns(cluster);
  applyOrderings(cluster);
}

/** What the configuration and the history say before any constraint. */
const beginning =
  (rsc: Resource) =>
  (node: Node): Cause => {
    const score = rsc.allowed.get(node)?.score;
    if (score === node.baseScore && score !== 0)
      return { source: "node", id: node.id, text: `${node.name} has this score itself` };
    return { source: "history", text: historyText(rsc, score ?? 0) };
  };

function historyText(rsc: Resource, score: number): string {
  if (rsc.removed) return "it is not configured any more";
  if (score < 0) return "what its history says of it there keeps it away";
  return rsc.managed
    ? "what it is, or what the histories say of it, binds it to its place"
    : "it is unmanaged: the cluster leaves it where it is";
}

const carried: Cause = {
  source: "container",
  text: "what it is carried by, or what it carries, decides where it may be",
};

/** Schedules a cluster: what has to be done so that it becomes what its configuration says. Changes nothing given. */
export function schedule(input: SchedulerInput): Transition {
  const cluster = unpackCluster(input.cib, input.now, undefined, input.utcOffset);
  cluster.sanitized = input.sanitized === true;
  if (input.effort !== undefined) cluster.effortLeft = input.effort;
  if (input.explain) cluster.ledger = new Ledger();
  const transition = scheduleCluster(cluster);
  return input.unrunnable ? { ...transition, unrunnable: unrunnableActions(cluster) } : transition;
}

/** Schedules a cluster that has been unpacked already. The working set says afterwards what is wanted. */
export function scheduleCluster(cluster: Cluster): Transition {
  decide(cluster);
  const actions = createGraph(cluster);
  const { options } = cluster;
  const changes = summarize(cluster);
  return {
    actions,
    placement: placements(cluster),
    changes,
    summary: changes.map(changeText),
    scores: cluster.scores,
    reasons: cluster.reasons,
    ...(cluster.ledger ? { ledger: cluster.ledger.reasons(), assigned: assigned(cluster) } : {}),
    messages: cluster.messages,
    quorate: cluster.quorate,
    fencing: fencings(cluster, actions),
    unconnected: unconnected(cluster),
    ...(cluster.recheckAt === undefined ? {} : { recheckAt: cluster.recheckAt }),
    batchLimit: options.batchLimit,
    migrationLimit: options.migrationLimit,
    clusterDelayMs: options.clusterDelayMs,
    stonithTimeoutMs: options.fencingTimeoutMs,
    failedStopOffset: cluster.properties.get("failed-stop-offset") ?? "INFINITY",
    failedStartOffset: options.startFailureFatal ? "INFINITY" : "1",
  };
}

function fencings(cluster: Cluster, actions: readonly GraphAction[]): Transition["fencing"] {
  const shown = new Set(actions.map(({ id }) => id));
  return cluster.actions.flatMap((action) =>
    action.task === "stonith" && action.node && shown.has(action.id)
      ? [{ node: nodeName(action.node.name), action: action.fenceOp ?? "", reason: action.reason ?? "" }]
      : [],
  );
}

/** Where each agent's resource will be. */
function assigned(cluster: Cluster): Placement[] {
  return [...new Set(cluster.resourceById.values())].flatMap((rsc) => {
    const node = rsc.assignedTo;
    if (!rsc.isPrimitive || !node || rsc.nextRole <= Role.Stopped) return [];
    return [{ rsc: rsc.id, role: placedRole(rsc), node: nodeName(node.name) }];
  });
}

const placedRole = ({ nextRole }: Resource): Placement["role"] =>
  nextRole === Role.Promoted ? "Promoted" : nextRole === Role.Unpromoted ? "Unpromoted" : "Started";

/** Where everything is when all that can be done has been done. */
function placements(cluster: Cluster): Placement[] {
  const result: Placement[] = [];
  const add = (rsc: Resource, id: string, where: Resource) => {
    const role = rsc.nextRole;
    const node = where.assignedTo;
    if (node && role > Role.Stopped)
      result.push({
        rsc: id,
        role: placedRole(rsc),
        node: nodeName(node.name),
        ...(rsc.id === id || rsc.replica ? {} : { instance: rsc.id }),
      });
  };
  const visit = (rsc: Resource) => {
    if (rsc.bundle)
      for (const { container, remote, child } of rsc.bundle.replicas)
        add(child ?? container, (remote ?? container).id, container);
    else if (rsc.isPrimitive) add(rsc, rsc.unique ? rsc.id : rsc.configId, rsc);
    else for (const part of rsc.children) visit(part);
  };
  for (const rsc of cluster.resources) if (!rsc.removed || isActive(rsc, true)) visit(rsc);
  return result;
}

import {
  type Cluster,
  type Node,
  parseRole,
  type Reason,
  type Resource,
  Role,
  roleName,
  type Transition,
} from "../../scheduler/index.ts";
import { addScores, formatScore, INFINITY } from "../../terms/index.ts";
import {
  activeNodes,
  displayedRole,
  nodeStateText,
  primitivesOf,
  printableId,
  sortedNodes,
  targetRole,
} from "./cluster-view.ts";
import { failCount, formatCount } from "./operations.ts";

/** Why a node is or is not the place of a resource. */
export interface NodeExplanation {
  readonly node: string;
  readonly chosen: boolean;
  /** What the scores of the reasons add up to: what was compared with other nodes. */
  readonly score: number;
  readonly reasons: readonly ExplainedReason[];
  /** What would have to change so that it could run there. */
  readonly changes: readonly string[];
}

export interface ExplainedReason {
  readonly score?: number;
  readonly source: string;
  readonly id?: string;
  readonly text: string;
}

/** Why one agent's resource is where it is. */
export interface ResourceExplanation {
  readonly rsc: string;
  /** One sentence: where it is, and what the cluster wants. */
  readonly summary: string;
  /** Lines of the transition summary about it. */
  readonly planned: readonly string[];
  /** What holds for it everywhere. */
  readonly general: readonly ExplainedReason[];
  readonly generalChanges: readonly string[];
  readonly nodes: readonly NodeExplanation[];
}

/** Everything under an id: a primitive, the members of a group, the instances of a clone. */
export function resourcesNamed(cluster: Cluster, id: string): Resource[] {
  const direct = cluster.resourceById.get(id);
  if (direct) return primitivesOf(direct);
  return [...cluster.resourceById.values()].filter(
    (rsc) => rsc.isPrimitive && (rsc.configId === id || printableId(rsc) === id),
  );
}

/** Explains a decision about one resource, for all nodes or only one. */
export function explainResource(
  cluster: Cluster,
  transition: Transition,
  rsc: Resource,
  only?: string,
): ResourceExplanation {
  const around = new Set([rsc.id, ...parentsOf(rsc).map(({ id }) => id)]);
  const reasons = transition.reasons.filter((reason) => around.has(reason.rsc));
  const placed = placesOf(transition, rsc);
  const nodes = sortedNodes(cluster).filter(({ name }) => only === undefined || name === only);
  const general = [
    ...generalReasons(cluster, rsc),
    ...reasons.filter(({ node }) => node === undefined).map(explained),
  ];
  return {
    rsc: rsc.id,
    summary: summaryOf(rsc, placed),
    planned: transition.summary.filter((line) => mentions(line, rsc)),
    general: withoutRepeats(general),
    generalChanges: generalChanges(cluster, rsc),
    nodes: nodes.map((node) => explainNode(cluster, transition, rsc, node, placed)),
  };
}

function parentsOf(rsc: Resource): Resource[] {
  return rsc.parent ? [rsc.parent, ...parentsOf(rsc.parent)] : [];
}

/** Instances of an anonymous clone have one name; which one is meant is told beside it. */
const placesOf = (transition: Transition, rsc: Resource) =>
  transition.placement.filter((place) =>
    place.instance === undefined
      ? place.rsc === rsc.id || place.rsc === printableId(rsc)
      : place.instance === rsc.id,
  );

const mentions = (line: string, rsc: Resource): boolean => {
  const words = line.split(/\s+/);
  return words[1] === rsc.id || words[1] === printableId(rsc) || line.includes(`(resource: ${rsc.id})`);
};

function summaryOf(rsc: Resource, placed: Transition["placement"]): string {
  const role = displayedRole(rsc);
  const now = activeNodes(rsc).map(({ name }) => name);
  const state = now.length === 0 ? "is stopped" : `is ${roleName(role)} on ${now.join(" and ")}`;
  const failed = rsc.failed ? " and has failed there" : "";
  const wanted = placed.map((place) => `${place.role} on ${place.node}`);
  const same =
    placed.length === now.length &&
    placed.every((place) => now.includes(place.node) && place.role === roleName(role));
  if (wanted.length === 0) {
    return now.length === 0
      ? `${rsc.id} ${state} and stays so: no node may run it`
      : `${rsc.id} ${state}${failed} and will be stopped`;
  }
  return same && !rsc.failed
    ? `${rsc.id} ${state} and stays there`
    : `${rsc.id} ${state}${failed}; the cluster wants it ${wanted.join(" and ")}`;
}

const explained = ({ score, source, id, text }: Reason): ExplainedReason => ({
  ...(score === undefined ? {} : { score }),
  source,
  ...(id === undefined ? {} : { id }),
  text,
});

function withoutRepeats(reasons: readonly ExplainedReason[]): ExplainedReason[] {
  const seen = new Set<string>();
  return reasons.filter(({ score, text }) => {
    const key = `${score ?? ""} ${text}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** What keeps it from running, or from being touched, on any node. */
function generalReasons(cluster: Cluster, rsc: Resource): ExplainedReason[] {
  const reasons: ExplainedReason[] = [];
  const add = (source: string, text: string, id?: string) =>
    reasons.push({ source, text, ...(id === undefined ? {} : { id }) });
  const target = targetRole(rsc);
  if (target !== undefined && parseRole(target) !== Role.Started)
    add("target-role", `its target-role is ${target}`);
  if (cluster.options.stopAll) add("property", "stop-all-resources is set");
  if (cluster.options.maintenance)
    add("property", "the cluster is in maintenance mode: it starts and stops nothing");
  if (!cluster.quorate && cluster.options.noQuorumPolicy !== "ignore") {
    add("quorum", `there is no quorum (no-quorum-policy=${cluster.options.noQuorumPolicy})`);
  }
  if (!rsc.managed && !cluster.options.maintenance)
    add("managed", "it is unmanaged: the cluster leaves it as it is");
  if (rsc.blocked)
    add("blocked", "it is blocked after a failure: nothing is done with it until somebody cleans up");
  return reasons;
}

function generalChanges(cluster: Cluster, rsc: Resource): string[] {
  const changes: string[] = [];
  const target = targetRole(rsc);
  if (target !== undefined && parseRole(target) === Role.Stopped)
    changes.push(`start it: hactl resource start ${rsc.configId}`);
  if (cluster.options.stopAll) changes.push("set stop-all-resources=false");
  if (cluster.options.maintenance) changes.push("end the maintenance: set maintenance-mode=false");
  if (!cluster.quorate && cluster.options.noQuorumPolicy !== "ignore")
    changes.push("bring nodes back until there is quorum");
  if (!rsc.managed && !cluster.options.maintenance)
    changes.push(`manage it again: hactl resource manage ${rsc.configId}`);
  if (rsc.blocked) changes.push(`repair it, then: hactl resource cleanup ${rsc.configId}`);
  return changes;
}

function explainNode(
  cluster: Cluster,
  transition: Transition,
  rsc: Resource,
  node: Node,
  placed: Transition["placement"],
): NodeExplanation {
  const chosen = placed.some((place) => place.node === node.name);
  const booked = (transition.ledger ?? []).filter(
    (reason) => reason.rsc === rsc.id && reason.node === node.name,
  );
  const all = [
    ...booked.map(explained),
    ...excluded(cluster, transition, rsc, node),
    ...nodeReasons(node, rsc),
    ...(chosen ? choice(transition, rsc, node) : []),
  ];
  return {
    node: node.name,
    chosen,
    score: all.reduce((sum, { score = 0 }) => addScores(sum, score), 0),
    reasons: all,
    changes: chosen ? [] : nodeChanges(cluster, node, rsc, all),
  };
}

/** In an opt-in cluster a resource may only be where a constraint names the node. */
function excluded(cluster: Cluster, transition: Transition, rsc: Resource, node: Node): ExplainedReason[] {
  const listed = `primitive: ${rsc.id} allocation score on ${node.name}: `;
  if (transition.scores.some((line) => line.startsWith(listed))) return [];
  const text = cluster.options.symmetric
    ? "it is not among the nodes that it may use"
    : "symmetric-cluster=false, and no location constraint allows it there";
  return [{ source: "opt-in", score: -INFINITY, text }];
}

/** What made this place better than the second best. */
const choice = (transition: Transition, rsc: Resource, node: Node): ExplainedReason[] =>
  transition.reasons
    .filter((reason) => reason.source === "choice" && reason.rsc === rsc.id && reason.node === node.name)
    .slice(-1)
    .map(({ source, text }) => ({ source, text }));

/** What the node itself says against it. */
function nodeReasons(node: Node, rsc: Resource): ExplainedReason[] {
  const reasons: ExplainedReason[] = [];
  const add = (text: string) => reasons.push({ source: "node", score: -INFINITY, text });
  const state = nodeStateText(node);
  if (state !== "online") add(`the node is ${state}`);
  else if (node.shutdown) add("the node is shutting down");
  const { count } = failCount(node, rsc.historyId || rsc.id);
  if (count > 0 && count < rsc.migrationThreshold)
    reasons.push({
      source: "failure",
      text: `it has failed there ${formatCount(count)} times; migration-threshold is ${formatCount(rsc.migrationThreshold)}`,
    });
  return reasons;
}

function nodeChanges(
  cluster: Cluster,
  node: Node,
  rsc: Resource,
  reasons: readonly ExplainedReason[],
): string[] {
  const changes = reasons
    .filter(({ score }) => score !== undefined && score < 0)
    .map((reason) => changeFor(cluster, node, rsc, reason));
  return [...new Set(changes.filter((change) => change !== undefined))];
}

function changeFor(
  cluster: Cluster,
  node: Node,
  rsc: Resource,
  { source, id }: ExplainedReason,
): string | undefined {
  switch (source) {
    case "node":
      if (node.unclean)
        return `fence ${node.name}, or confirm that it is off: hactl fence confirm ${node.name}`;
      if (node.standby || node.standbyOnFail)
        return `take ${node.name} out of standby: hactl node online ${node.name}`;
      if (node.maintenance) return `end the maintenance of ${node.name}: hactl node ready ${node.name}`;
      return node.online ? undefined : `start hactl on ${node.name}`;
    case "failure":
      return `repair it, then: hactl resource cleanup ${rsc.configId} ${node.name}`;
    case "location":
      return id?.startsWith("cli-")
        ? `lift the ban: hactl resource clear ${rsc.configId}`
        : `change the constraint: hactl configure show ${id ?? ""}`.trim();
    case "colocation":
      if (id === "#group-members") return "move the members before it in its group, too";
      return `change the colocation ${id ?? ""}, or what it depends on`.replace("  ", " ");
    case "ticket":
      return `grant the ticket of ${id ?? "the constraint"}`;
    case "utilization":
    case "capacity":
      return `give ${node.name} more capacity, or the resource less need`;
    case "health":
      return `repair what makes ${node.name} unhealthy`;
    case "opt-in":
    case "symmetric":
      return cluster.options.symmetric ? undefined : `allow it: add a location constraint for ${node.name}`;
    default:
      return undefined;
  }
}

/** An explanation as plain sentences. */
export function explanationText(explanation: ResourceExplanation): string {
  const lines = [`${explanation.summary}.`];
  for (const line of explanation.planned) lines.push(`Planned: ${line}`);
  for (const reason of explanation.general) lines.push(`  ${reasonText(reason)}`);
  for (const change of explanation.generalChanges) lines.push(`  → ${change}`);
  for (const { node, chosen, score, reasons, changes } of explanation.nodes) {
    lines.push(`${node}: ${chosen ? "chosen" : "not chosen"}, score ${formatScore(score)}`);
    for (const reason of reasons) lines.push(`  ${reasonText(reason)}`);
    if (reasons.length === 0) lines.push("  nothing speaks for or against it");
    for (const change of changes) lines.push(`  → ${change}`);
  }
  return lines.join("\n");
}

function reasonText({ score, text }: ExplainedReason): string {
  const shown = score === undefined ? "" : score > 0 ? `+${formatScore(score)}` : formatScore(score);
  return `${shown.padStart(10)}  ${text}`;
}

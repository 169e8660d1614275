import type { XmlElement } from "../../cib/index.ts";
import {
  type Cluster,
  type Node,
  type Reason,
  type Resource,
  roleName,
  type Transition,
} from "../../scheduler/index.ts";
import { addScores, formatScore, INFINITY } from "../../terms/index.ts";
import {
  activeNodes,
  displayedRole,
  isDisabled,
  nodeStateText,
  primitivesOf,
  printableId,
  sortedNodes,
  stoppingNode,
} from "./cluster-view.ts";
import { outcomeText } from "./exit-texts.ts";
import { constraintOf, generalNotes } from "./explanation-notes.ts";
import { failCount, formatCount, type OperationEntry, readOperation } from "./operations.ts";
import { formatUtc } from "./simulate-report.ts";
import { sparedText } from "./spared.ts";

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
  const planned = transition.summary.filter((line) => mentions(line, rsc));
  const notes = generalNotes(cluster, transition, rsc, planned);
  const general = [
    ...notes.map(({ source, text }) => ({ source, text })),
    ...reasons.filter(({ node }) => node === undefined).map(explained),
  ];
  return {
    rsc: rsc.id,
    summary: summaryOf(rsc, placed, planned, general.length > 0),
    planned,
    general: withoutRepeats(general),
    generalChanges: notes.flatMap(({ change }) => change ?? []),
    nodes: nodes.map((node) => explainNode(cluster, transition, rsc, node, placed)),
  };
}

function parentsOf(rsc: Resource): Resource[] {
  return rsc.parent ? [rsc.parent, ...parentsOf(rsc.parent)] : [];
}

/** Instances of an anonymous clone have one name; which one is meant is told beside it. */
const placesOf = (transition: Transition, rsc: Resource) =>
  transition.assigned?.filter((place) => place.rsc === rsc.id) ??
  transition.placement.filter((place) =>
    place.instance === undefined
      ? place.rsc === rsc.id || place.rsc === printableId(rsc)
      : place.instance === rsc.id,
  );

const mentions = (line: string, rsc: Resource): boolean => {
  const words = line.split(/\s+/);
  return words[1] === rsc.id || words[1] === printableId(rsc) || line.includes(`(resource: ${rsc.id})`);
};

function summaryOf(
  rsc: Resource,
  placed: Transition["placement"],
  planned: readonly string[],
  explained: boolean,
): string {
  const role = displayedRole(rsc);
  const now = activeNodes(rsc).map(({ name }) => name);
  const leaving = stoppingNode(rsc);
  const still = leaving ? `is being stopped on ${leaving.name}` : "is stopped";
  const state = now.length === 0 ? still : `is ${roleName(role)} on ${now.join(" and ")}`;
  const failed = rsc.failed ? " and has failed there" : "";
  if (rsc.blocked && now.length > 0 && sparedText(rsc) !== undefined)
    return `${rsc.id} ${state}, or may be; it is blocked and left as it is`;
  const wanted = placed.map((place) => `${place.role} on ${place.node}`);
  const same =
    placed.length === now.length &&
    placed.every((place) => now.includes(place.node) && place.role === roleName(role));
  if (now.length > 0 && (wanted.length === 0 || planned.some((line) => line.startsWith("Stop "))))
    return `${rsc.id} ${state}${failed} and will be stopped`;
  if (wanted.length === 0) return `${rsc.id} ${state} and stays so${explained ? "" : ": no node may run it"}`;
  if (rsc.removed) return `${rsc.id} ${state}${failed}; it cannot be stopped now`;
  if (rsc.blocked) return `${rsc.id} ${state}${failed}; it is blocked and left as it is`;
  const blocked = planned.some((line) => /blocked\)?$/.test(line)) ? ", but cannot do that now" : "";
  return same && !rsc.failed
    ? `${rsc.id} ${state} and stays there`
    : `${rsc.id} ${state}${failed}; the cluster wants it ${wanted.join(" and ")}${blocked}`;
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
    ...booked.map(explained).map((reason) => withValues(cluster, node, reason)),
    ...(rsc.removed ? [] : excluded(cluster, transition, rsc, node)),
    ...nodeReasons(cluster, node, rsc, chosen),
    ...goesDown(transition, node),
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

/** A guest or remote node is only as long as what it is reached by runs. */
function goesDown({ assigned }: Transition, { online, remoteRsc }: Node): ExplainedReason[] {
  if (!online || !remoteRsc || !assigned || assigned.some((place) => place.rsc === remoteRsc.id)) return [];
  const by = remoteRsc.container?.id ?? remoteRsc.id;
  return [{ source: "connection", score: -INFINITY, text: `the node goes down, as ${by} will not run` }];
}

/** What the node itself says against it. */
function nodeReasons(cluster: Cluster, node: Node, rsc: Resource, chosen: boolean): ExplainedReason[] {
  const reasons: ExplainedReason[] = [];
  const add = (text: string) => reasons.push({ source: "node", score: -INFINITY, text });
  const state = nodeStateText(node);
  // A guest node may come up with what it is started by; what is not managed stays wherever it is.
  if (state !== "online" && chosen && node.isRemoteOrGuest)
    reasons.push({ source: "node", text: `the node is ${state}, and is to come up` });
  else if (state !== "online") add(`the node is ${state.replace(/^maintenance$/, "in maintenance")}`);
  else if (node.shutdown) add("the node is shutting down");
  const { count } = failCount(node, rsc.historyId || rsc.id);
  if (count > 0 && count < rsc.migrationThreshold)
    reasons.push({
      source: "failure",
      text: `it has failed there ${count === 1 ? "once" : `${formatCount(count)} times`}; migration-threshold is ${formatCount(rsc.migrationThreshold)}`,
    });
  return [...reasons, ...lastFailure(cluster, node, rsc)];
}

/** What went wrong there last, in the agent's words. */
function lastFailure(cluster: Cluster, node: Node, rsc: Resource): ExplainedReason[] {
  const names = new Set([rsc.id, rsc.historyId, printableId(rsc)]);
  const last = cluster.failedOps
    .filter((failed) => failed.node === node)
    .map(({ xml }) => readOperation(xml))
    .filter((operation) => names.has(operation.rsc))
    .sort((a, b) => b.changed - a.changed)[0];
  if (!last) return [];
  return [{ source: "last-failure", text: `what failed there last: ${outcomeOf(last)}` }];
}

function outcomeOf({ task, intervalMs, rc, status, exitReason, changed }: OperationEntry): string {
  const name = task === "monitor" && intervalMs === 0 ? "probe" : task;
  const outcome = outcomeText(rc, status);
  const why = exitReason === "" ? "" : ` – ${exitReason}`;
  return `${name}: ${outcome}${why}${changed > 0 ? ` (${formatUtc(changed)})` : ""}`;
}

/** A rule of a location constraint with what its attributes are on the node. */
function withValues(cluster: Cluster, node: Node, reason: ExplainedReason): ExplainedReason {
  if (reason.source !== "location" || reason.id === undefined) return reason;
  const names = ruleAttributes(constraintOf(cluster, reason.id)).filter((name) => !name.startsWith("#"));
  if (names.length === 0) return reason;
  const values = [...new Set(names)].map((name) => {
    const value = node.attributes.get(name);
    return value === undefined ? `${name} is not defined` : `${name} is ${value}`;
  });
  return { ...reason, text: `${reason.text} (here ${values.join(", ")})` };
}

function ruleAttributes(source: XmlElement | undefined): string[] {
  return (source?.children ?? []).flatMap((part) => [
    ...(part.name === "expression" ? [part.attributes.get("attribute") ?? ""] : []),
    ...ruleAttributes(part),
  ]);
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

/** How a node comes back: a remote host has no daemon of a member, and may be one that nobody shall connect to. */
function startOf({ name, isGuest, isRemote, remoteRsc }: Node): string {
  const connection = isGuest ? remoteRsc?.container : remoteRsc;
  if (connection && isDisabled(connection)) return `let it run: hactl resource start ${connection.configId}`;
  if (isGuest) return `see why it does not run: hactl explain ${connection?.configId ?? name}`;
  return isRemote ? `start hactl-remote.service on ${name}` : `start hactl on ${name}`;
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
      return node.online ? undefined : startOf(node);
    case "history":
      if (lastFailure(cluster, node, rsc).length === 0 || rsc.removed) return undefined;
      return `repair it, then: hactl resource cleanup ${rsc.configId} ${node.name}`;
    case "failure":
      return `repair it, then: hactl resource cleanup ${rsc.configId} ${node.name}`;
    case "location":
      return id?.startsWith("cli-")
        ? `lift the ban: hactl resource clear ${rsc.configId}`
        : `change the constraint: hactl configure show ${id ?? ""}`.trim();
    case "colocation":
      if (id === "#group-members")
        return `see the whole group: hactl explain ${rsc.parent?.configId ?? rsc.id}`;
      return `change the colocation ${id ?? ""}, or what it depends on`.replace("  ", " ");
    case "ticket":
      return grantTicket(cluster, id);
    case "utilization":
    case "capacity":
      return `give ${node.name} more capacity, or the resource less need`;
    case "health":
      return `repair what makes ${node.name} unhealthy`;
    case "agent":
      return `make the agent executable on ${node.name}: chmod 755`;
    case "opt-in":
    case "symmetric":
      return cluster.options.symmetric ? undefined : `allow it: add a location constraint for ${node.name}`;
    default:
      return undefined;
  }
}

function grantTicket(cluster: Cluster, constraint: string | undefined): string {
  const ticket =
    constraint === undefined ? undefined : constraintOf(cluster, constraint)?.attributes.get("ticket");
  if (ticket === undefined) return "grant its ticket";
  const { granted = false, standby = false } = cluster.tickets.get(ticket) ?? {};
  const steps = [
    ...(granted ? [] : [`crm_ticket --ticket ${ticket} --grant --force`]),
    ...(standby ? [`crm_ticket --ticket ${ticket} --activate`] : []),
  ];
  const first = granted ? "" : "make sure that no other site has the ticket, then ";
  return `${first}let this site have it: ${steps.join("; ")}`;
}

/** An explanation as plain sentences. */
export function explanationText(explanation: ResourceExplanation): string {
  const lines = [`${explanation.summary}.`];
  for (const line of explanation.planned) lines.push(`Planned: ${line}`);
  for (const reason of explanation.general) lines.push(`  ${reasonText(reason)}`);
  for (const change of explanation.generalChanges) lines.push(`  → ${change}`);
  const stops = explanation.planned.some((line) => line.startsWith("Stop "));
  for (const { node, chosen, score, reasons, changes } of explanation.nodes) {
    const verdict = !chosen ? "not chosen" : stops ? "would be chosen" : "chosen";
    lines.push(`${node}: ${verdict}, score ${formatScore(score)}`);
    for (const reason of reasons) lines.push(`  ${reasonText(reason)}`);
    if (reasons.length === 0) lines.push("  nothing speaks for or against it");
    for (const change of changes) lines.push(`  → ${change}`);
  }
  return lines.join("\n");
}

function reasonText({ score, text }: ExplainedReason): string {
  const shown = score === undefined ? "" : score > 0 ? `+${formatScore(score)}` : formatScore(score);
  return `${shown.padStart(10)}  ${text.replace(/^#group-members: /, "its group: ")}`;
}

import { formatScore, INFINITY, nodeName } from "../terms/index.ts";
import { compareCapacity, compareNodes, currentNode, nodeUsable, placeUsable } from "./availability.ts";
import { addDependentScores, applyThisWith, countingThisWith, countingWithThis } from "./colocation.ts";
import type { Cause } from "./face.ts";
import { Flag, Role } from "./flags.ts";
import { noteScores } from "./ledger.ts";
import { assignmentOf } from "./methods.ts";
import type { Cluster, Colocation, Node, NodeScore, Resource } from "./model.ts";
import { addPlaceScore } from "./places.ts";
import { bestFirst } from "./table-order.ts";
import { amounts, banInsufficient, consume, release } from "./utilization.ts";

/** Writes the scores of a resource, and of its parts, as the score listing shows them. */
export function showScores(cluster: Cluster, rsc: Resource, stage: string): void {
  if (rsc.removed) return;
  const sorted = [...rsc.allowed.values()].sort((a, b) => compareNames(a.node.name, b.node.name));
  for (const { node, score } of sorted)
    cluster.scores.push(`${stage}: ${rsc.id} allocation score on ${node.name}: ${formatScore(score)}`);
  for (const part of rsc.children) showScores(cluster, part, stage);
}

/** Names with numbers in them in the order in which people count. */
export function compareNames(a: string, b: string): number {
  const chunk = /(\d+|\D+)/g;
  const left = a.match(chunk) ?? [];
  const right = b.match(chunk) ?? [];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const x = left[index];
    const y = right[index];
    if (x === undefined) return -1;
    if (y === undefined) return 1;
    if (/^\d/.test(x) && /^\d/.test(y)) {
      if (Number(x) !== Number(y)) return Number(x) - Number(y);
    } else {
      const p = x.toLowerCase();
      const q = y.toLowerCase();
      if (p !== q) return p < q ? -1 : 1;
    }
  }
  return 0;
}

const isMandatory = ({ score }: Colocation) => score >= INFINITY || score <= -INFINITY;

/** Chooses the node of a primitive. */
export function assignPrimitive(
  cluster: Cluster,
  rsc: Resource,
  prefer: Node | undefined,
  stopIfFail: boolean,
): Node | undefined {
  if (rsc.parent && !rsc.parent.assigning)
    return assignmentOf(rsc.parent).assign(cluster, rsc.parent, prefer, stopIfFail);
  if (!rsc.unassigned) return rsc.assignedTo;
  if (rsc.assigning) return undefined;
  rsc.assigning = true;
  applyColocations(cluster, rsc);
  const { options } = cluster;
  if (rsc.nextRole === Role.Stopped) {
    addPlaceScore(cluster, rsc, undefined, -INFINITY);
    noteScores(cluster, rsc, { source: "target-role", text: "it shall be stopped" }, () => -INFINITY);
  } else if (rsc.nextRole > rsc.role && !cluster.quorate && options.noQuorumPolicy === "freeze")
    rsc.nextRole = rsc.role;
  showScores(cluster, rsc, "primitive");
  if (options.fencingEnabled && !cluster.haveFenceDevice) rsc.managed = false;
  if (!rsc.managed) {
    rsc.nextRole = rsc.role;
    const current = currentNode(rsc);
    setPlace(cluster, rsc, current, true, true, current?.baseScore);
  } else if (options.stopAll) setPlace(cluster, rsc, undefined, true, stopIfFail);
  else chooseBest(cluster, rsc, prefer, stopIfFail);
  rsc.assigning = false;
  if (rsc.isRemoteConnection) connectionAssigned(cluster, rsc);
  return rsc.assignedTo;
}

/** Mandatory colocations come before optional ones, so that as many as possible can be kept. */
function applyColocations(cluster: Cluster, rsc: Resource): void {
  const asDependent = countingThisWith(cluster, rsc);
  const asPrimary = countingWithThis(cluster, rsc);
  const apply = (which: (colocation: Colocation) => boolean) => {
    for (const colocation of asDependent.filter(which)) {
      applyThisWith(cluster, colocation, rsc);
      if (cluster.ledger) noteScores(cluster, rsc, causeAsDependent(colocation));
    }
    for (const colocation of asPrimary.filter(which)) {
      addDependentScores(cluster, colocation, rsc);
      if (cluster.ledger) noteScores(cluster, rsc, causeAsPrimary(colocation));
    }
  };
  if (!cluster.rules.mandatoryColocationsFirst) return apply(() => true);
  apply(isMandatory);
  apply((colocation) => !isMandatory(colocation));
}

const causeAsDependent = ({ id, primary, score, attribute }: Colocation): Cause => {
  const target = primary.assignedTo;
  const by = attribute === "#uname" ? "" : ` (by ${attribute})`;
  return {
    source: "colocation",
    id,
    text: target
      ? `${id}: ${score < 0 ? "away from" : "with"} ${primary.id}, which goes to ${target.name}${by}`
      : `${id}: ${score < 0 ? "away from" : "with"} ${primary.id}${primary.isCollective ? "" : ", which does not run"}${by}`,
  };
};

/** What follows a resource has a say in where it goes. */
const causeAsPrimary = ({ id, dependent }: Colocation): Cause => ({
  source: "colocation",
  id,
  text: `${id}: where ${dependent.id}, which follows it, would like to be`,
});

function chooseBest(cluster: Cluster, rsc: Resource, given: Node | undefined, stopIfFail: boolean): void {
  const mostFree = banInsufficient(cluster, rsc);
  const prefer = given ?? mostFree;
  if (!rsc.unassigned) return;
  const current = currentNode(rsc);
  const best = bestPlace(cluster, rsc, current);
  let chosen: NodeScore | undefined;
  if (prefer && best) {
    const wanted = rsc.allowed.get(prefer);
    if (wanted && wanted.score >= best.score && placeUsable(wanted)) chosen = wanted;
  }
  if (!chosen && best) chosen = preferCurrent(rsc, best, current);
  if (cluster.ledger && chosen && placeUsable(chosen)) tellChoice(cluster, rsc, chosen, current);
  setPlace(cluster, rsc, chosen?.node, false, stopIfFail, chosen?.score);
}

function bestPlace(cluster: Cluster, rsc: Resource, current: Node | undefined): NodeScore | undefined {
  const compare = (a: NodeScore, b: NodeScore) => compareNodes(cluster, a, b, current);
  // Else the order is total: the best is found without sorting.
  if (cluster.options.placementStrategy === "balanced") return bestFirst(cluster, rsc.allowed, current)[0];
  let best: NodeScore | undefined;
  for (const entry of rsc.allowed.values()) if (best === undefined || compare(entry, best) < 0) best = entry;
  return best;
}

/** Writes down what made one place better than the second best. */
function tellChoice(cluster: Cluster, rsc: Resource, chosen: NodeScore, current: Node | undefined): void {
  const others = [...rsc.allowed.values()].filter((entry) => entry !== chosen && placeUsable(entry));
  const second = others.sort((a, b) => compareNodes(cluster, a, b, current))[0];
  cluster.reason({
    rsc: rsc.id,
    node: nodeName(chosen.node.name),
    score: chosen.score,
    source: "choice",
    text: choiceText(cluster, chosen, second, current),
  });
}

function choiceText(
  cluster: Cluster,
  { node, score }: NodeScore,
  second: NodeScore | undefined,
  current: Node | undefined,
): string {
  if (!second) return `${node.name} is the only node that may run it`;
  const { node: other } = second;
  if (score > second.score) return `${node.name} has the highest score`;
  if (score < second.score || node === current)
    return `it is on ${node.name}, which is as good as ${other.name}`;
  const { placementStrategy } = cluster.options;
  const few = `${node.assigned.length} to ${other.assigned.length}`;
  if (placementStrategy === "balanced" && compareCapacity(node, other) < 0)
    return `${node.name} has more free capacity than ${other.name}, with the same score`;
  if (placementStrategy !== "minimal" && node.assigned.length < other.assigned.length)
    return `${node.name} has fewer resources than ${other.name} (${few}), with the same score`;
  return `${node.name} comes before ${other.name} by name, all else being equal`;
}

/** Staying is better than moving when both are equally good. */
function preferCurrent(rsc: Resource, best: NodeScore, current: Node | undefined): NodeScore {
  const { parent } = rsc;
  const uniqueInstance = parent?.isClone === true && parent.unique;
  if (uniqueInstance || best.score <= 0 || !nodeUsable(best.node)) return best;
  if (!current || !nodeUsable(current)) return best;
  const here = rsc.allowed.get(current);
  return here && here.score === best.score ? here : best;
}

/**
 * Gives a resource (all parts of it) a place, or none. Without `force` the place must be usable; a guest's node
 * may still be down because its connection will come up. Returns whether that is a change.
 */
export function setPlace(
  cluster: Cluster,
  rsc: Resource,
  wanted: Node | undefined,
  force: boolean,
  stopIfFail: boolean,
  score = 0,
): boolean {
  if (rsc.children.length > 0) {
    let changed = false;
    for (const part of rsc.children) if (setPlace(cluster, part, wanted, force, stopIfFail)) changed = true;
    return changed;
  }
  let node = wanted;
  if (!force && node && (score < 0 || (!nodeUsable(node) && !node.isGuest))) {
    if (stopIfFail) rsc.nextRole = Role.Stopped;
    node = undefined;
  }
  const changed = rsc.assignedTo ? rsc.assignedTo !== node : node !== undefined;
  unassign(rsc);
  rsc.unassigned = false;
  if (!node) {
    if (stopIfFail) {
      rsc.nextRole = Role.Stopped;
      blockForStop(rsc);
    }
    return changed;
  }
  rsc.assignedTo = node;
  rsc.assignedScore = score;
  node.assigned.push(rsc);
  consume(node, rsc);
  cluster.scores.push(`utilization: ${rsc.id} utilization on ${node.name}:${amounts(rsc.utilization)}`);
  return changed;
}

/** Actions that the history has brought about, when there is no place any more. */
function blockForStop(rsc: Resource): void {
  for (const action of rsc.actions) {
    if (action.task === "stop") action.clear(Flag.Optional);
    else if (action.task === "start") action.clear(Flag.Runnable);
    else if (action.intervalMs !== 0 && action.meta.get("op_target_rc") !== "7") action.clear(Flag.Runnable);
  }
}

/** Takes a resource's place away again. */
export function unassign(rsc: Resource): void {
  const old = rsc.assignedTo;
  rsc.unassigned = true;
  if (rsc.children.length > 0) {
    for (const part of rsc.children) unassign(part);
    return;
  }
  if (!old) return;
  rsc.assignedTo = undefined;
  const index = old.assigned.lastIndexOf(rsc);
  if (index >= 0) old.assigned.splice(index, 1);
  release(old, rsc);
}

/** A connection that has a place brings its node up. */
function connectionAssigned(cluster: Cluster, rsc: Resource): void {
  const node = cluster.nodeByName.get(rsc.id);
  // A member of that name is neither made nor ended by it.
  if (!node?.isRemoteOrGuest) return;
  if (rsc.assignedTo && rsc.nextRole !== Role.Stopped) {
    node.online = true;
    if (node.unseen) node.unclean = false;
  } else node.shutdown = true;
}

import { parseBoolean, parseInteger, parseScore, type XmlElement } from "../cib/index.ts";
import { lookup } from "../terms/index.ts";
import { pseudoAction } from "./actions.ts";
import { constraintResource, ignoredFor, membersOf, setsOf } from "./constraint-sets.ts";
import { Flag, Link } from "./flags.ts";
import type { Cluster, Resource } from "./model.ts";
import { addOrdering, orderTasks } from "./orderings.ts";
import type { Unpacker } from "./unpacker.ts";

type Kind = "mandatory" | "optional" | "serialize";
type Symmetry = "asymmetric" | "symmetric" | "inverse";

const inverses: Readonly<Record<string, string>> = lookup({
  start: "stop",
  stop: "start",
  promote: "demote",
  demote: "promote",
  promoted: "demoted",
  demoted: "promoted",
  started: "stopped",
  running: "stopped",
  stopped: "started",
});

/** Reads `rsc_order`: two resources or sets. */
export function unpackOrdering(unpacker: Unpacker, xml: XmlElement): void {
  const kind = kindOf(unpacker.cluster, xml) ?? "mandatory";
  const symmetry = symmetryOf(unpacker.cluster, xml, kind, undefined);
  const sets = setsOf(unpacker, xml);
  if (sets.length === 0) {
    orderTwo(unpacker, xml, kind, symmetry);
    return;
  }
  const symmetrical = xml.attributes.get("symmetrical");
  let previous: XmlElement | undefined;
  for (const set of sets) {
    if (!membersOf(unpacker, set).complete) return;
    orderWithin(unpacker, set, kind, symmetrical);
    if (previous) {
      orderSets(unpacker, previous, set, kind, symmetry);
      if (symmetry === "symmetric") orderSets(unpacker, set, previous, kind, "inverse");
    }
    previous = set;
  }
}

/** `kind`, or the older score of 0 for an optional one. */
function kindOf(cluster: Cluster, xml: XmlElement): Kind {
  const text = xml.attributes.get("kind");
  switch (text?.toLowerCase()) {
    case "mandatory":
      return "mandatory";
    case "optional":
      return "optional";
    case "serialize":
      return "serialize";
    case undefined: {
      const score = xml.attributes.get("score");
      return score !== undefined && (parseScore(score) ?? 0) === 0 ? "optional" : "mandatory";
    }
    default: {
      const id = xml.attributes.get("id");
      cluster.error(`Resetting kind of constraint "${id}" to Mandatory because "${text}" is not valid`, id);
      return "mandatory";
    }
  }
}

function symmetryOf(cluster: Cluster, xml: XmlElement, outerKind: Kind, outer: string | undefined): Symmetry {
  const own = xml.attributes.has("kind") || xml.attributes.has("score");
  const kind = own ? kindOf(cluster, xml) : outerKind;
  const given = parseBoolean(xml.attributes.get("symmetrical") ?? outer);
  if (kind === "serialize") return "asymmetric";
  return given === false ? "asymmetric" : "symmetric";
}

/** What a kind of ordering means for the edges between the actions; only what starts or is promoted can be held up. */
function linksFor(kind: Kind, task: string, symmetry: Symmetry): number {
  switch (kind) {
    case "optional":
      return Link.Ordered;
    case "serialize":
      return Link.Ordered | Link.Serialize;
    case "mandatory":
      break;
  }
  switch (symmetry) {
    case "asymmetric":
      return Link.Ordered | Link.Asymmetric;
    case "symmetric":
      return task === "start" || task === "promote"
        ? Link.Ordered | Link.FirstImpliesThen | Link.UnrunnableFirstBlocks
        : Link.Ordered | Link.FirstImpliesThen;
    case "inverse":
      return Link.Ordered | Link.ThenImpliesFirst;
  }
}

function orderTwo(unpacker: Unpacker, xml: XmlElement, kind: Kind, symmetry: Symmetry): void {
  const { cluster } = unpacker;
  const id = xml.attributes.get("id") ?? "";
  const first = constraintResource(cluster, xml.attributes.get("first"));
  const then = constraintResource(cluster, xml.attributes.get("then"));
  if (!first || !then) {
    const missing = first ? xml.attributes.get("then") : xml.attributes.get("first");
    cluster.error(ignoredFor(cluster, id, missing), id);
    return;
  }
  const firstTask = xml.attributes.get("first-action") ?? "start";
  const thenTask = xml.attributes.get("then-action") ?? firstTask;
  let links = linksFor(kind, firstTask, symmetry);
  if (then.restartType === "restart" && kind === "optional") links |= Link.FirstImpliesThen;
  const minimum = minimumInstances(first, xml);
  if (minimum > 0) orderAfterSome(cluster, id, first, firstTask, then, thenTask, links, minimum);
  else orderTasks(cluster, first, firstTask, then, thenTask, links);
  if (symmetry !== "symmetric") return;
  const firstInverse = inverses[firstTask];
  const thenInverse = inverses[thenTask];
  if (firstInverse === undefined || thenInverse === undefined) {
    cluster.error(`Cannot invert constraint "${id}"; please specify the inverse ordering`, id);
    return;
  }
  let inverse = linksFor(kind, firstInverse, "inverse");
  if (then.restartType === "restart" && kind === "optional") inverse |= Link.ThenImpliesFirst;
  orderTasks(cluster, then, thenInverse, first, firstInverse, inverse);
}

/** Instances of a clone that are enough for what comes after it; 0: all of them. */
function minimumInstances(first: Resource, xml: XmlElement): number {
  if (!first.isClone) return 0;
  const minimum = parseInteger(first.meta.get("clone-min")) ?? 0;
  if (minimum > 0) return minimum;
  return parseBoolean(xml.attributes.get("require-all")) === false ? 1 : 0;
}

function orderAfterSome(
  cluster: Cluster,
  id: string,
  first: Resource,
  firstTask: string,
  then: Resource,
  thenTask: string,
  links: number,
  minimum: number,
): void {
  const enough = pseudoAction(cluster, `clone-one-or-more:${id}`);
  enough.requiredRunnableBefore = minimum;
  enough.set(Flag.RequiresAny);
  for (const instance of first.children)
    addOrdering(
      cluster,
      { rsc: instance, task: firstTask },
      { action: enough },
      Link.MinRunnable | Link.FirstImpliesThenGraphed,
    );
  addOrdering(cluster, { action: enough }, { rsc: then, task: thenTask }, links | Link.UnrunnableFirstBlocks);
}

const isSequential = (set: XmlElement) => parseBoolean(set.attributes.get("sequential")) ?? true;

function orderWithin(
  unpacker: Unpacker,
  set: XmlElement,
  outerKind: Kind,
  outerSymmetrical: string | undefined,
): void {
  const { cluster } = unpacker;
  const kind = set.attributes.has("kind") ? kindOf(cluster, set) : outerKind;
  const symmetry = symmetryOf(cluster, set, outerKind, outerSymmetrical);
  const task = set.attributes.get("action") ?? "start";
  const members = membersOf(unpacker, set).known;
  if (members.length < 2) return;
  const links = linksFor(kind, task, symmetry);
  const sequential = isSequential(set);
  for (const [index, rsc] of members.entries()) {
    if (kind === "serialize") {
      for (const later of members.slice(index + 1)) orderTasks(cluster, rsc, task, later, task, links);
    } else if (sequential) {
      const next = members[index + 1];
      if (next) orderTasks(cluster, rsc, task, next, task, links);
    }
  }
  const inverse = inverses[task];
  if (symmetry === "asymmetric" || !sequential || inverse === undefined) return;
  const inverseLinks = linksFor(kind, inverse, "inverse");
  for (const [index, rsc] of members.entries()) {
    const next = members[index + 1];
    if (next) orderTasks(cluster, next, inverse, rsc, inverse, inverseLinks);
  }
}

/**
 * Whether the ends of a set stand for all of it. Only a set that says so: of one that is sequential by default every
 * member is ordered, which matters when one in the middle has nothing to do.
 */
const chained = (set: XmlElement) => parseBoolean(set.attributes.get("sequential")) === true;

function orderSets(
  unpacker: Unpacker,
  first: XmlElement,
  second: XmlElement,
  kind: Kind,
  symmetry: Symmetry,
): void {
  const { cluster } = unpacker;
  const taskOf = (set: XmlElement) => {
    const task = set.attributes.get("action") ?? "start";
    return symmetry === "inverse" ? (inverses[task] ?? task) : task;
  };
  const firstTask = taskOf(first);
  const secondTask = taskOf(second);
  // Unlike between two resources, what the second set does says whether it can go without the first.
  const links = linksFor(kind, secondTask, symmetry);
  const firsts = membersOf(unpacker, first).known;
  const seconds = membersOf(unpacker, second).known;
  const all = parseBoolean(first.attributes.get("require-all")) ?? true;
  // On the way down nobody may go before all that need it are gone, so "one is enough" only holds on the way up.
  if (!all && firstTask !== "stop" && firstTask !== "demote") {
    const enough = pseudoAction(cluster, `one-or-more:${first.attributes.get("id")}`);
    enough.set(Flag.RequiresAny);
    for (const rsc of firsts)
      addOrdering(
        cluster,
        { rsc, task: firstTask },
        { action: enough },
        Link.MinRunnable | Link.FirstImpliesThenGraphed,
      );
    for (const rsc of seconds)
      addOrdering(cluster, { action: enough }, { rsc, task: secondTask }, links | Link.UnrunnableFirstBlocks);
    return;
  }
  const inverse = symmetry === "inverse";
  const from = chained(first) ? (inverse ? firsts.slice(0, 1) : firsts.slice(-1)) : firsts;
  const to = chained(second) ? (inverse ? seconds.slice(-1) : seconds.slice(0, 1)) : seconds;
  for (const a of from) for (const b of to) orderTasks(cluster, a, firstTask, b, secondTask, links);
}

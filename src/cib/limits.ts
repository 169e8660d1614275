import { HactlError } from "../terms/index.ts";
import { compilePattern } from "./pattern.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { bundleRuntimes } from "./resource-kinds.ts";
import { parseInteger } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/**
 * Most instances of a clone or bundle, unless there are more nodes. Each is placed, ordered and asked about on every node at
 * every decision, and compared with the others, so that the time grows with the square of their number: at this one a
 * decision takes seconds, at a hundred times as many it never ends.
 */
export const MOST_INSTANCES = 256;
/** Most resources within the instances of a cloned group together, unless there are more nodes. */
export const MOST_CLONED = 512;
/** Most nodes, remote and guest nodes among them: four for each member that a ring can have. */
export const MOST_NODES = 4096;

/** How many instances there may be of a collective that holds so many resources, on so many nodes. */
export const instanceLimit = (nodes: number, members: number): number =>
  Math.max(nodes, Math.min(MOST_INSTANCES, Math.floor(MOST_CLONED / Math.max(1, members))));

/** Why a number of instances is refused. */
export const tooManyInstances = (asked: number, most: number): string =>
  `${asked} instances are asked for; ${most} are possible, since each is planned for on every node at every decision`;

/** What a cluster could not decide about in any sensible time. */
export function findLimitProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const nodes = childrenOf(child(configuration, "nodes"), "node");
  const extra = nodes[MOST_NODES];
  if (extra) {
    const text = `there are ${nodes.length} nodes; ${MOST_NODES} are possible`;
    problems.push(problemAt(extra, "error", "TOO_MANY_NODES", text, "remove those that do not exist"));
  }
  const count = nodesOf(configuration);
  const visit = (source: XmlElement, members: number) => {
    const pattern = patternProblem(source);
    if (pattern) problems.push(pattern);
    const inside = source.name === "clone" || source.name === "master" ? membersOf(source) : members;
    const asked = askedFor(source);
    const most = instanceLimit(count, inside);
    if (asked !== undefined && asked > most) {
      const cure = `write ${most} or less`;
      problems.push(problemAt(source, "error", "TOO_MANY_INSTANCES", tooManyInstances(asked, most), cure));
    }
    for (const item of source.children) visit(item, inside);
  };
  visit(configuration, 1);
  return problems;
}

/** A pattern that is too large. One that is none is ignored where it stands, as by Pacemaker. */
function patternProblem(source: XmlElement): CibProblem | undefined {
  const text = source.attributes.get("rsc-pattern") ?? source.attributes.get("target-pattern");
  if (text === undefined) return undefined;
  try {
    compilePattern(text.startsWith("!") ? text.slice(1) : text);
    return undefined;
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    if (error.code !== "PATTERN_LIMIT") return undefined;
    return problemAt(source, "error", error.code, error.what, error.cure);
  }
}

/** How many instances an attribute or a container asks for. */
function askedFor({ name, attributes }: XmlElement): number | undefined {
  if (name === "nvpair" && attributes.get("name") === "clone-max")
    return parseInteger(attributes.get("value"));
  if (!bundleRuntimes.has(name)) return undefined;
  const counts = ["replicas", "promoted-max", "masters"].map((one) => parseInteger(attributes.get(one)) ?? 0);
  return Math.max(...counts);
}

/** Resources in one instance of a clone. */
export function membersOf(clone: XmlElement): number {
  const [group] = childrenOf(clone, "group");
  return Math.max(1, childrenOf(group, "primitive").length);
}

/** How many nodes there are, with remote and guest nodes. */
export function nodesOf(configuration: XmlElement): number {
  return childrenOf(child(configuration, "nodes"), "node").length + countRemote(configuration);
}

/** Remote and guest nodes that resources bring along. */
function countRemote(source: XmlElement): number {
  const { name, attributes, children } = source;
  const own =
    (name === "primitive" && attributes.get("type") === "remote") ||
    (name === "nvpair" && attributes.get("name") === "remote-node");
  return children.reduce((sum, item) => sum + countRemote(item), own ? 1 : 0);
}

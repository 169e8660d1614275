import {
  childrenOf,
  compilePattern,
  evaluateRule,
  type Pattern,
  parseScore,
  type XmlElement,
} from "../cib/index.ts";
import { addScores, HactlError, INFINITY, lookup } from "../terms/index.ts";
import { constraintResource, ignoredFor, membersOf, setsOf } from "./constraint-sets.ts";
import type { Cause } from "./face.ts";
import type { ProbeMode } from "./flags.ts";
import { parseRole, Role } from "./flags.ts";
import type { Cluster, Location, Node, Resource } from "./model.ts";
import { attributeForRules } from "./node-attributes.ts";
import { parameters } from "./parameters.ts";
import type { Unpacker } from "./unpacker.ts";

/** Reads `rsc_location`: one resource, a pattern of names, or sets. */
export function unpackLocation(unpacker: Unpacker, xml: XmlElement): void {
  const { cluster } = unpacker;
  const id = xml.attributes.get("id") ?? "";
  const sets = setsOf(unpacker, xml);
  if (sets.length > 0) {
    for (const set of sets) {
      const { known, complete } = membersOf(unpacker, set);
      for (const rsc of known)
        addLocation(unpacker, xml, rsc, set.attributes.get("role"), set.attributes.get("score"), undefined);
      if (!complete) return;
    }
    return;
  }
  const name = xml.attributes.get("rsc");
  const pattern = xml.attributes.get("rsc-pattern");
  if (name !== undefined) {
    const rsc = constraintResource(cluster, name);
    if (rsc) addLocation(unpacker, xml, rsc, undefined, undefined, undefined);
    else cluster.error(ignoredFor(cluster, id, name), id);
  }
  if (pattern !== undefined) applyPattern(unpacker, xml, pattern);
}

function applyPattern(unpacker: Unpacker, xml: XmlElement, pattern: string): void {
  const inverted = pattern.startsWith("!");
  let expression: Pattern;
  try {
    expression = compilePattern(inverted ? pattern.slice(1) : pattern);
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    unpacker.cluster.error(
      `Ignoring constraint because "${pattern}" is not a regular expression: ${error.what}`,
    );
    return;
  }
  for (const rsc of unpacker.cluster.resources) {
    const match = expression.match(rsc.id);
    if (inverted ? match === null : match !== null)
      addLocation(unpacker, xml, rsc, undefined, undefined, match ?? undefined);
  }
}

/** Any instance is unpromoted before it is promoted, so those roles mean every role. */
function locationRole(text: string | undefined): Role | undefined {
  if (text === undefined) return Role.Unknown;
  const role = parseRole(text);
  if (role === Role.Unknown) return undefined;
  return role === Role.Started || role === Role.Unpromoted ? Role.Unknown : role;
}

const discoveryModes: readonly ProbeMode[] = ["always", "never", "exclusive"];

function addLocation(
  unpacker: Unpacker,
  xml: XmlElement,
  rsc: Resource,
  setRole: string | undefined,
  setScore: string | undefined,
  matches: (string | undefined)[] | undefined,
): void {
  const { cluster } = unpacker;
  const id = xml.attributes.get("id") ?? "";
  const mode = xml.attributes.get("resource-discovery")?.toLowerCase();
  const discovery = discoveryModes.find((known) => known === mode) ?? "always";
  const nodeText = xml.attributes.get("node");
  const score = setScore ?? xml.attributes.get("score");
  if (nodeText !== undefined && score !== undefined) {
    const node = cluster.nodeByName.get(nodeText);
    if (!node) return;
    const role = locationRole(setRole ?? xml.attributes.get("role"));
    if (role === undefined) {
      cluster.error(`Ignoring role in constraint "${id}" because it is not valid`, id);
    }
    register(cluster, {
      id,
      rsc,
      role: role ?? Role.Unknown,
      discovery,
      nodes: [{ node, score: parseScore(score) ?? 0 }],
      cause: { source: "location", id, text: `location constraint ${id}` },
    });
    return;
  }
  const rules = childrenOf(xml, "rule");
  if (rules.length === 0)
    cluster.error(`Ignoring constraint "${id}" because it has neither node nor rule`, id);
  for (const rule of rules) {
    const source = rule.attributes.has("id-ref") ? unpacker.find(rule.attributes.get("id-ref") ?? "") : rule;
    if (source) addRule(unpacker, source, rsc, discovery, matches, id);
  }
}

function addRule(
  unpacker: Unpacker,
  rule: XmlElement,
  rsc: Resource,
  discovery: ProbeMode,
  matches: (string | undefined)[] | undefined,
  constraint: string,
): void {
  const { cluster } = unpacker;
  const id = rule.attributes.get("id") ?? "";
  const role = locationRole(rule.attributes.get("role"));
  if (role === undefined) {
    cluster.error(`Ignoring rule "${id}" because its role is not valid`, id);
    return;
  }
  const fixed = rule.attributes.get("score");
  const byAttribute = fixed === undefined ? rule.attributes.get("score-attribute") : undefined;
  const attribute = byAttribute?.replace(/%([0-9])/g, (_, digit) => matches?.[Number(digit)] ?? "");
  const fixedScore = fixed === undefined ? 0 : (parseScore(fixed) ?? 0);
  const own =
    !cluster.rules.alternativesAddScores && rule.attributes.get("boolean-op")?.toLowerCase() === "or";
  const nodes: { node: Node; score: number }[] = [];
  for (const node of cluster.nodes) {
    const result = evaluateRule(rule, {
      now: cluster.now,
      utcOffset: cluster.utcOffset,
      nodeAttribute: (name) => node.attributes.get(name),
      parameter: (name) => parameters(unpacker, rsc, node).get(name),
      meta: (name) => rsc.meta.get(name),
      ...(matches ? { matches } : {}),
    });
    unpacker.noteRecheck(result.nextChange);
    if (!result.passed) continue;
    const score = attribute === undefined ? fixedScore : attributeScore(rsc, node, attribute);
    nodes.push({ node, score: own ? addScores(node.baseScore, score) : score });
  }
  const cause = {
    source: "location",
    id: constraint,
    text: `location constraint ${constraint}, rule ${id}: ${ruleText(rule)}`,
  };
  register(cluster, { id, rsc, role, discovery, nodes, cause });
}

/** A rule in words: `#uname eq n1 and not in …`. */
function ruleText(rule: XmlElement): string {
  const parts = rule.children.flatMap((part) => {
    const { attributes } = part;
    if (part.name === "rule") return [`(${ruleText(part)})`];
    if (part.name === "comment") return [];
    const words = ["attribute", "operation", "value", "start", "end"].flatMap(
      (name) => attributes.get(name) ?? [],
    );
    return [part.name === "expression" ? words.join(" ") : `date ${words.join(" ")}`];
  });
  return parts.join(rule.attributes.get("boolean-op") === "or" ? " or " : " and ");
}

/** Score that a node's attribute holds; without one the node is excluded. */
function attributeScore(rsc: Resource, node: Node, name: string): number {
  const value = attributeForRules(rsc, node, name);
  return value === undefined ? -INFINITY : (parseScore(value) ?? 0);
}

function register(cluster: Cluster, location: Location): void {
  if (location.discovery === "exclusive") location.rsc.exclusiveDiscovery = true;
  cluster.locations.push(location);
  location.rsc.locations.push(location);
}

/** A location that no constraint wrote: node health. */
export function implyLocation(
  cluster: Cluster,
  id: string,
  rsc: Resource,
  node: Node,
  score: number,
  cause: Cause,
): void {
  register(cluster, { id, rsc, role: Role.Unknown, discovery: "always", nodes: [{ node, score }], cause });
}

const strictness: Readonly<Record<ProbeMode, number>> = lookup({ always: 0, never: 1, exclusive: 2 });

/** Adds the scores of a location to the places of a resource, and of the parts that take their own. */
export function applyLocation(_cluster: Cluster, rsc: Resource, location: Location): void {
  if (location.role > Role.Unknown && location.role !== rsc.nextRole) return;
  for (const { node, score } of location.nodes) {
    let entry = rsc.allowed.get(node);
    if (entry) entry.score = addScores(entry.score, score);
    else {
      entry = { node, score, discovery: node.closed ? "never" : "always", count: 0 };
      rsc.allowed.set(node, entry);
    }
    if (strictness[entry.discovery] < strictness[location.discovery]) {
      if (location.discovery === "exclusive") rsc.exclusiveDiscovery = true;
      entry.discovery = location.discovery;
    }
  }
}

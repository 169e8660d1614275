import { HactlError, nearest } from "../terms/index.ts";
import { compilePattern } from "./pattern.ts";
import { type CibProblem, problemAt, remoteNames } from "./references.ts";
import { containerKinds } from "./resource-kinds.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/**
 * Levels of the fencing topology that name what is no fence device, or no node: such a level fails, or is never looked
 * at, and that is found out when a node has to be fenced.
 */
export function findTopologyProblems(configuration: XmlElement): CibProblem[] {
  const levels = childrenOf(child(configuration, "fencing-topology"), "fencing-level");
  if (levels.length === 0) return [];
  const classes = new Map<string, string>();
  collectClasses(child(configuration, "resources"), configuration, classes);
  const devices = [...classes].filter(([, one]) => one === "stonith").map(([id]) => id);
  const nodes = childrenOf(child(configuration, "nodes"), "node").flatMap(
    ({ attributes }) => attributes.get("uname") ?? [],
  );
  const known = [...nodes, ...remoteNames(child(configuration, "resources"))];
  return levels.flatMap((level) => [
    ...(level.attributes.get("devices") ?? "")
      .split(",")
      .map((id) => id.trim())
      .filter((id) => id !== "" && classes.get(id) !== "stonith")
      .map((id) => noDevice(level, id, classes.has(id), devices)),
    ...noPattern(level),
    ...noNode(level, nodes.length === 0 ? [] : known),
  ]);
}

function collectClasses(
  parent: XmlElement | undefined,
  configuration: XmlElement,
  classes: Map<string, string>,
): void {
  for (const item of parent?.children ?? []) {
    const id = item.attributes.get("id");
    if (item.name === "primitive" && id !== undefined) {
      const template = childrenOf(child(configuration, "resources"), "template").find(
        ({ attributes }) => attributes.get("id") === item.attributes.get("template"),
      );
      classes.set(id, (template ?? item).attributes.get("class") ?? "");
    } else if (id !== undefined) classes.set(id, "");
    if (containerKinds.has(item.name)) collectClasses(item, configuration, classes);
  }
}

function noDevice(level: XmlElement, id: string, isThere: boolean, devices: readonly string[]): CibProblem {
  const near = nearest(id, devices);
  const what = isThere ? "is no fence device" : "does not exist";
  const text = `the fencing topology (${targetOf(level)}) names "${id}", which ${what}: the level always fails`;
  const cure = near === undefined ? "name a resource of class stonith" : `did you mean "${near}"?`;
  return problemAt(level, "warning", "NO_SUCH_DEVICE", text, cure);
}

function noNode(level: XmlElement, known: readonly string[]): CibProblem[] {
  const target = level.attributes.get("target");
  if (target === undefined || known.length === 0) return [];
  if (known.some((node) => node.toLowerCase() === target.toLowerCase())) return [];
  const near = nearest(target, known);
  const text = `the fencing topology is for node "${target}", which is not configured`;
  const cure = near === undefined ? "correct the name, or let the node join" : `did you mean "${near}"?`;
  return [problemAt(level, "warning", "UNKNOWN_NODE", text, cure)];
}

/** Whom a pattern is for that is none, nobody knows: the level is passed over. */
function noPattern(level: XmlElement): CibProblem[] {
  const pattern = level.attributes.get("target-pattern");
  if (pattern === undefined) return [];
  if (pattern === "") {
    const text = `target-pattern="" of the fencing topology (level ${level.attributes.get("index") ?? "?"}) is empty: it is for every node`;
    return [
      problemAt(level, "warning", "EMPTY_PATTERN", text, 'write target-pattern=".*" where that is meant'),
    ];
  }
  try {
    compilePattern(pattern);
    return [];
  } catch (error) {
    // One that is too large is told with the other limits.
    if (!(error instanceof HactlError) || error.code === "PATTERN_LIMIT") return [];
    const text = `target-pattern="${pattern}" of the fencing topology is for no node: ${error.what}`;
    return [problemAt(level, "warning", "BAD_PATTERN", text, error.cure)];
  }
}

function targetOf({ attributes }: XmlElement): string {
  const words = ["target", "target-pattern", "target-attribute"].map((name) => attributes.get(name));
  return `${words.find((word) => word !== undefined) ?? "?"}, level ${attributes.get("index") ?? "?"}`;
}

import { child, childrenOf, element, type XmlElement } from "../xml.ts";
import { quoteValue } from "./lexer.ts";
import { everyNode } from "./objects.ts";

/** Names of the cluster's own nodes, those that levels without a target are for. */
export function memberNodes(configuration: XmlElement): string[] {
  return childrenOf(child(configuration, "nodes"), "node")
    .filter(({ attributes }) => !["remote", "ping"].includes(attributes.get("type") ?? "member"))
    .map(({ attributes }) => attributes.get("uname") ?? "");
}

/** Writes levels for every node out: first all of one node, then all of the next. */
export function expandLevels(topology: XmlElement, nodes: readonly string[]): XmlElement {
  const general = topology.children.filter(({ attributes }) => attributes.has(everyNode));
  if (general.length === 0) return topology;
  const written = nodes.flatMap((target) =>
    general.map(({ attributes, line }) => {
      const level = element("fencing-level", {
        devices: attributes.get("devices"),
        index: attributes.get("index"),
        target,
      });
      if (line !== undefined) level.line = line;
      return level;
    }),
  );
  return {
    ...topology,
    children: [...written, ...topology.children.filter((item) => !general.includes(item))],
  };
}

/** Lines of the statement: one for each target, or a single one when all nodes have the same levels. */
export function formatTopology(topology: XmlElement, nodes: readonly string[]): string[] {
  const targets = new Map<string, string[]>();
  for (const level of topology.children) {
    const key = targetText(level);
    const devices = level.attributes.get("devices") ?? "";
    targets.set(key, [...(targets.get(key) ?? []), devices]);
  }
  const lines = [...targets].map(([target, levels]) => `${target} ${levels.join(" ")}`);
  const [first] = targets.values();
  const uniform =
    first !== undefined &&
    targets.size === nodes.length &&
    nodes.every((node) => targets.get(`${quoteValue(node)}:`)?.join(" ") === first.join(" "));
  return uniform ? [`fencing_topology ${first.join(" ")}`] : ["fencing_topology", ...lines];
}

function targetText({ attributes }: XmlElement): string {
  const target = attributes.get("target");
  if (target !== undefined) return `${quoteValue(target)}:`;
  const pattern = attributes.get("target-pattern");
  if (pattern !== undefined) return `pattern:${pattern}`;
  return `attr:${attributes.get("target-attribute") ?? ""}=${attributes.get("target-value") ?? ""}`;
}

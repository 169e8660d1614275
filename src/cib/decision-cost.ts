import type { Millis } from "../terms/index.ts";
import { instanceLimit, membersOf, nodesOf } from "./limits.ts";
import { parseInteger } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** What a decision takes for each resource, for each pair of resource and node, and for each pair of instances of a clone. */
const perResourceMs: Millis = 0.2;
const perPlaceMs: Millis = 0.04;
const perInstancePairMs: Millis = 0.008;

/**
 * About how long a decision about such a configuration takes: a guess from the numbers of its nodes, resources and
 * instances, fitted to what was measured on a slow processor (`make bench-scheduler`). Constraints are not looked at.
 */
export function decisionCostMs(configuration: XmlElement | undefined): Millis {
  const nodes = configuration ? nodesOf(configuration) : 0;
  const size = { resources: 0, pairs: 0 };
  for (const source of child(configuration, "resources")?.children ?? []) count(source, nodes, size);
  const places = size.resources * nodes;
  return size.resources * perResourceMs + places * perPlaceMs + size.pairs * perInstancePairMs;
}

function count(source: XmlElement, nodes: number, size: { resources: number; pairs: number }): void {
  switch (source.name) {
    case "primitive":
      size.resources++;
      return;
    case "group":
      size.resources += childrenOf(source, "primitive").length;
      return;
    case "clone":
    case "master": {
      const members = membersOf(source);
      const asked = metaInteger(source, "clone-max") ?? nodes;
      const instances = Math.min(asked, instanceLimit(nodes, members));
      size.resources += instances * members;
      size.pairs += instances ** 2 * members;
      return;
    }
    case "bundle": {
      const replicas = Math.min(replicasOf(source), instanceLimit(nodes, 1));
      // The container, its address, the connection into it, and what runs inside.
      size.resources += replicas * 4;
      size.pairs += replicas ** 2;
      return;
    }
  }
}

function metaInteger(source: XmlElement, name: string): number | undefined {
  for (const set of childrenOf(source, "meta_attributes"))
    for (const { attributes } of childrenOf(set, "nvpair"))
      if (attributes.get("name") === name) return parseInteger(attributes.get("value"));
  return undefined;
}

function replicasOf(bundle: XmlElement): number {
  for (const { attributes } of bundle.children) {
    const replicas = parseInteger(attributes.get("replicas") ?? attributes.get("promoted-max"));
    if (replicas !== undefined) return replicas;
  }
  return 1;
}

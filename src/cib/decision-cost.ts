import type { Millis } from "../terms/index.ts";
import { instanceLimit, membersOf, nodesOf } from "./limits.ts";
import { parseInteger } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** What a decision takes for each resource, for each pair of resource and node, and for each pair of instances of a clone. */
const perResourceMs: Millis = 0.2;
const perPlaceMs: Millis = 0.04;
const perInstancePairMs: Millis = 0.008;
/** What stands in constraints, fencing levels and tags, and each condition of a rule. */
const perElementMs: Millis = 0.02;
/** A pattern, or a condition of a rule of defaults, for each resource that it is tried on. */
const perTrialMs: Millis = 0.05;
/** For each pair of resources of two sets that follow one another. */
const perSetPairMs: Millis = 0.005;

const around: ReadonlySet<string> = new Set(["constraints", "fencing-topology", "tags"]);
const defaults: ReadonlySet<string> = new Set(["rsc_defaults", "op_defaults"]);

/**
 * About how long a decision about such a configuration takes: a guess from the numbers of its nodes, resources and
 * instances, fitted to what was measured on a slow processor (`make bench-scheduler`), and of its constraints and rules.
 */
export function decisionCostMs(configuration: XmlElement | undefined): Millis {
  const nodes = configuration ? nodesOf(configuration) : 0;
  const size = { resources: 0, pairs: 0 };
  for (const source of child(configuration, "resources")?.children ?? []) count(source, nodes, size);
  const places = size.resources * nodes;
  return (
    size.resources * perResourceMs +
    places * perPlaceMs +
    size.pairs * perInstancePairMs +
    aroundMs(configuration?.children ?? [], size.resources)
  );
}

/** What all but the resources themselves takes. */
function aroundMs(sections: readonly XmlElement[], resources: number): Millis {
  let sum = 0;
  for (const section of sections) {
    if (section.name === "resources") sum += conditionsIn(section) * perElementMs;
    else if (defaults.has(section.name)) sum += conditionsIn(section) * perTrialMs * (1 + resources);
    else if (around.has(section.name)) for (const one of section.children) sum += partMs(one, resources);
  }
  return sum;
}

function partMs({ attributes, children }: XmlElement, resources: number): Millis {
  let sum = perElementMs;
  if (attributes.has("rsc-pattern") || attributes.has("target-pattern")) sum += perTrialMs * (1 + resources);
  const sets = children.filter((item) => item.name === "resource_set");
  for (const [at, set] of sets.entries())
    sum += set.children.length * (sets[at + 1]?.children.length ?? 0) * perSetPairMs;
  for (const item of children) sum += partMs(item, resources);
  return sum;
}

/** Conditions of rules. */
function conditionsIn({ name, children }: XmlElement): number {
  const inside = children.reduce((sum, item) => sum + conditionsIn(item), 0);
  return name.endsWith("expression") ? inside + 1 : inside;
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

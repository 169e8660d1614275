import { parseScore } from "../cib/index.ts";
import { addScores, INFINITY } from "../terms/index.ts";
import { implyLocation } from "./location.ts";
import type { Cluster, Node, Options } from "./model.ts";

/** What a colour is worth under a strategy (Pacemaker Explained, "Node Health"). */
function colourScore(options: Options, colour: string): number | undefined {
  const { healthStrategy: strategy } = options;
  const chosen = strategy === "progressive" || strategy === "custom";
  switch (colour) {
    case "green":
      return chosen ? options.healthGreen : 0;
    case "yellow":
      if (strategy === "only-green") return -INFINITY;
      return chosen ? options.healthYellow : 0;
    case "red":
      return chosen ? options.healthRed : -INFINITY;
    default:
      return undefined;
  }
}

/** Sum of a node's health attributes (`#health…`): colours or numbers. */
export function nodeHealth(options: Options, node: Node): number {
  let sum = options.healthStrategy === "progressive" ? options.healthBase : 0;
  for (const [name, value] of node.attributes) {
    if (!name.startsWith("#health")) continue;
    sum = addScores(sum, colourScore(options, value.toLowerCase()) ?? parseScore(value) ?? 0);
  }
  return sum;
}

const healthText = (node: Node): string =>
  [...node.attributes]
    .filter(([name]) => name.startsWith("#health"))
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");

/** Ill nodes keep resources away, except those that do not mind (`allow-unhealthy-nodes`). */
export function applyNodeHealth(cluster: Cluster): void {
  const { options } = cluster;
  if (options.healthStrategy === "none") return;
  for (const node of cluster.nodes) {
    node.health = nodeHealth(options, node);
    if (node.health === 0) continue;
    for (const rsc of cluster.resources) {
      if (node.health < 0 && rsc.allowUnhealthy) continue;
      implyLocation(cluster, options.healthStrategy, rsc, node, node.health, {
        source: "health",
        id: node.id,
        text: `health of ${node.name} (node-health-strategy=${options.healthStrategy}): ${healthText(node)}`,
      });
    }
  }
}

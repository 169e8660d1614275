import { addScores } from "../terms/index.ts";
import type { Cluster, Node, NodeScore, Resource } from "./model.ts";

/**
 * Adds a score for one node, or for all, to the places of a resource and of everything in it. A node not listed
 * yet is added to them. Bundle nodes and resources with exclusive discovery do not get the opt-out default.
 */
export function addPlaceScore(
  cluster: Cluster,
  rsc: Resource,
  node: Node | undefined,
  score: number,
  byDefault = false,
): void {
  if (node) {
    addPlace(rsc, node, score, byDefault);
    return;
  }
  for (const candidate of cluster.nodes) addPlace(rsc, candidate, score, byDefault);
}

function addPlace(rsc: Resource, node: Node, score: number, byDefault: boolean): void {
  if (byDefault && (rsc.exclusiveDiscovery || node.closed)) return;
  for (const part of rsc.children) addPlace(part, node, score, byDefault);
  const entry = rsc.allowed.get(node);
  if (entry) entry.score = addScores(entry.score, score);
  else rsc.allowed.set(node, placeAt(node, addScores(node.baseScore, score)));
}

/** A fresh entry of a node list. */
export const placeAt = (node: Node, score: number): NodeScore => ({
  node,
  score,
  discovery: node.closed ? "never" : "always",
  count: 0,
});

/** Sets the score of every entry. */
export function setAll(places: Map<Node, NodeScore>, score: number): void {
  for (const entry of places.values()) entry.score = score;
}

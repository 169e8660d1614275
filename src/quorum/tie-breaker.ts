import type { NodeId } from "../terms/index.ts";
import type { QuorumOptions } from "./face.ts";

/**
 * Whether half of the votes is enough here, because the node that breaks ties is among `members`
 * (votequorum(5), auto_tie_breaker_node): the lowest or highest id, or the first of the list, that was in the last
 * quorate membership. Before there was one, all configured nodes count.
 */
export function holdsTieBreaker(
  options: QuorumOptions,
  members: readonly NodeId[],
  lastQuorate: readonly NodeId[],
): boolean {
  const before = lastQuorate.length > 0 ? lastQuorate : [...options.votes.keys()];
  const breaker = tieBreaker(options.autoTieBreakerNode, before);
  return breaker !== undefined && members.includes(breaker);
}

function tieBreaker(rule: QuorumOptions["autoTieBreakerNode"], nodes: readonly NodeId[]): NodeId | undefined {
  const sorted = [...nodes].sort((a, b) => a - b);
  if (rule === "lowest") return sorted[0];
  if (rule === "highest") return sorted[sorted.length - 1];
  return rule.find((node) => sorted.includes(node));
}

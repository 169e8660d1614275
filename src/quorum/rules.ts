import { type NodeId, nodeId } from "../terms/index.ts";
import type { QuorumOptions } from "./face.ts";

/**
 * All by which a node decides whether its part of the cluster is quorate, as text: two nodes with the same text come to
 * the same answer.
 */
export function rulesText(options: QuorumOptions): string {
  const { votes, expectedVotes, twoNode, waitForAll, lastManStanding, autoTieBreaker, allowDownscale } =
    options;
  const words = [
    [...votes]
      .sort(([a], [b]) => a - b)
      .map(([node, count]) => `${node}=${count}`)
      .join(","),
    ...(expectedVotes === undefined ? [] : [`expected=${expectedVotes}`]),
    ...(twoNode ? ["two_node"] : []),
    ...(waitForAll ? ["wait_for_all"] : []),
    ...(lastManStanding ? [`last_man_standing=${options.lastManStandingWindowMs}`] : []),
    ...(autoTieBreaker ? [`auto_tie_breaker=${[options.autoTieBreakerNode].flat().join(",")}`] : []),
    ...(allowDownscale ? ["allow_downscale"] : []),
  ];
  return words.join(" ");
}

/** The votes that such rules give, and how many are expected by them. */
export function votesByRules(rules: string): {
  readonly votes: ReadonlyMap<NodeId, number>;
  readonly expected: number;
} {
  const [list = "", ...words] = rules.split(" ");
  const votes = new Map<NodeId, number>();
  for (const [, node, count] of list.matchAll(/(\d+)=(\d+)/g)) votes.set(nodeId(Number(node)), Number(count));
  const given = words.find((word) => word.startsWith("expected="))?.slice("expected=".length);
  const sum = [...votes.values()].reduce((all, count) => all + count, 0);
  return { votes, expected: given === undefined ? sum : Number(given) };
}

/** The rules of a membership whose members had different ones: nobody's. */
export const NOBODYS_RULES = "";

/** The names of the options in hactl.toml by which quorum is decided. */
export const quorumRuleOptions: ReadonlySet<string> = new Set([
  "quorum_votes",
  "expected_votes",
  "two_node",
  "wait_for_all",
  "last_man_standing",
  "last_man_standing_window",
  "auto_tie_breaker",
  "auto_tie_breaker_node",
  "allow_downscale",
]);

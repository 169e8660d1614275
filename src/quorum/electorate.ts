import type { NodeId } from "../terms/index.ts";

/**
 * What a node tells the others about its votes when a configuration begins. From the views of all members every
 * member computes the same state.
 */
export interface QuorumView {
  readonly votes: number;
  /** Its votes by the configuration, where an administrator has set others. */
  readonly listedVotes?: number;
  readonly expectedVotes: number;
  /** Expected votes that the configuration asks for which was in force in its last membership. */
  readonly configuredVotes: number;
  /** Whether this node has been in a partition that once had all expected votes (votequorum(5), wait_for_all). */
  readonly seenAll: boolean;
  /** Ring sequence of the last quorate membership that this node was in; 0: none since it was started. */
  readonly quorateSequence: number;
  /** Whether it is still in it. */
  readonly quorate: boolean;
  /** Members of that membership, with the votes that they had. */
  readonly quorateMembers: readonly Voter[];
  /** Expected votes in it. */
  readonly quorateExpected: number;
  /** Whether an administrator had set votes in it. */
  readonly quorateVotesSet?: true;
  /** The rules of that membership (`Electorate`). */
  readonly quorateRules?: string;
  /** Whether votes that an administrator set, or that one file alone gives, have raised the expected ones. */
  readonly raised?: true;
  /** By which rules it decides (`rulesText`); a node of an earlier version does not say it. */
  readonly rules?: string;
  /** Whether those wait for all nodes. */
  readonly waitsForAll?: true;
  /** Memberships after it of which this node cannot know whether they became quorate. */
  readonly doubts: readonly Electorate[];
  /** Nodes that said goodbye since the last membership that this node was in. */
  readonly orderlyLeft: readonly NodeId[];
}

/** A node and its votes. */
export type Voter = readonly [node: NodeId, votes: number];

/** A quorate membership: ring sequence, members with their votes, expected votes. */
export interface Electorate {
  readonly sequence: number;
  readonly members: readonly Voter[];
  readonly expectedVotes: number;
  /** Whether a vote in it is another than the configured one: then a majority of it is another, too. */
  readonly votesSet?: true;
  /** The rules by which all its members decided; empty where they had different ones. */
  readonly rules?: string;
}

/** The last quorate membership that a node was in, and those after it that may be: what it keeps over a restart. */
export interface LastQuorate extends Electorate {
  /** Whether votes that an administrator set, or that one file alone gives, have raised the expected ones. */
  readonly raised?: true;
  readonly doubts?: readonly Electorate[];
}

/** Its nodes. */
export const nodesOf = ({ members }: Electorate): NodeId[] => members.map(([node]) => node);

/** Each of them once. */
export function distinct(electorates: readonly Electorate[]): Electorate[] {
  return [...new Map(electorates.map((electorate) => [JSON.stringify(electorate), electorate])).values()];
}

/** What any of the members is in doubt about, as far as it is not older than the last quorate membership. */
export const doubtsOf = (views: readonly QuorumView[], sequence: number): Electorate[] =>
  distinct(views.flatMap(({ doubts }) => doubts.filter((doubt) => doubt.sequence >= sequence)));

/** The views that know of the newest quorate membership; empty when nobody has been in one. */
export function lastQuorate(views: readonly QuorumView[]): readonly QuorumView[] {
  const newest = Math.max(0, ...views.map((view) => view.quorateSequence));
  return newest === 0 ? [] : views.filter((view) => view.quorateSequence === newest);
}

/** Votes that a node had in the last quorate membership. */
export const votesBefore = (incumbents: readonly QuorumView[], node: NodeId): number =>
  Math.max(
    0,
    ...incumbents.flatMap((view) =>
      view.quorateMembers.filter(([member]) => member === node).map(([, votes]) => votes),
    ),
  );

/**
 * Members of the last quorate membership that left it with a goodbye. Whoever comes from elsewhere knows nothing of
 * it, so what the incumbents say counts for all.
 */
export function departed(
  incumbents: readonly QuorumView[],
  views: ReadonlyMap<NodeId, QuorumView>,
): NodeId[] {
  const gone = new Set(incumbents.flatMap((view) => view.orderlyLeft));
  const before = new Set(incumbents.flatMap((view) => view.quorateMembers.map(([node]) => node)));
  return [...gone].filter((node) => before.has(node) && !views.has(node));
}

/** Votes and quorum, as votequorum(5) defines them. */
export type { Electorate, LastQuorate, QuorumView, Voter } from "./electorate.ts";
export type { QuorumOptions, QuorumState } from "./face.ts";
export { Quorum, type QuorumEffect, type QuorumEvent } from "./quorum.ts";
export { quorumRuleOptions } from "./rules.ts";

/** Votes and quorum, as votequorum(5) defines them. */
export type { QuorumOptions, QuorumState } from "./face.ts";
export { Quorum, type QuorumEffect, type QuorumEvent, type QuorumView } from "./quorum.ts";

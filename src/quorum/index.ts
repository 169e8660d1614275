/** Votes and quorum, as votequorum(5) defines them. */
export type { QuorumOptions, QuorumState } from "./face.ts";
export {
  type Electorate,
  type LastQuorate,
  Quorum,
  type QuorumEffect,
  type QuorumEvent,
  type QuorumView,
  type Voter,
} from "./quorum.ts";

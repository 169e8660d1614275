import type { NodeId } from "../terms/index.ts";

/** `[quorum]` of hactl.toml (votequorum(5)), with the votes of the node list. */
export interface QuorumOptions {
  readonly votes: ReadonlyMap<NodeId, number>;
  /** Overrides the sum of votes. */
  readonly expectedVotes?: number;
  readonly twoNode: boolean;
  readonly waitForAll: boolean;
  readonly lastManStanding: boolean;
  readonly lastManStandingWindowMs: number;
  readonly autoTieBreaker: boolean;
  /** `lowest`, `highest`, or node ids in order of preference. */
  readonly autoTieBreakerNode: "lowest" | "highest" | readonly NodeId[];
  readonly allowDownscale: boolean;
}

/** What the quorum core says at a point of the message order. */
export interface QuorumState {
  readonly quorate: boolean;
  readonly votes: number;
  readonly expectedVotes: number;
  readonly needed: number;
  /** Words of votequorum: `2Node`, `WaitForAll`, `LastManStanding`, `AutoTieBreaker`, `AllowDownscale`. */
  readonly flags: readonly string[];
  /** Configured votes, where more are expected because votes were raised somewhere. */
  readonly configuredVotes?: number;
  /** Why not quorate, or why quorate without a majority; for people. */
  readonly reason: string;
}

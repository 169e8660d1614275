import type { Millis, NodeId } from "../../terms/index.ts";
import type { RingId } from "../face.ts";
import type { Core } from "./core.ts";
import { digestOf } from "./digest.ts";
import { type Formation, RING_STEP } from "./formation.ts";
import { Gather } from "./gather.ts";
import { type CommitEntry, encodeJoin, type Join, type Merge } from "./wire.ts";

/** Shortest time between two joins when there is news. */
const JOIN_NEWS_MS = 10;
/** The pause between joins that say nothing new doubles up to so many join periods … */
const SLOWEST_JOIN = 4;
/** … but so many are sent in a consensus time. */
const JOINS_PER_CONSENSUS = 6;
/** Copies of the announcement of an orderly exit. */
const LEAVE_COPIES = 3;

/** The Gather state, what leads into it, and the orderly exit: who is to be in the next ring. */
export class Proposal {
  readonly #core: Core;
  readonly #formation: Formation;
  #jitter = 1;

  constructor(core: Core, formation: Formation) {
    this.#core = core;
    this.#formation = formation;
  }

  /** Enters Gather, whatever the state; `prepare` sees the new proposal before the first join goes out. */
  gather(reason: string, prepare?: (gather: Gather) => void): void {
    const context = this.#core.context;
    const gather = new Gather(context.self, this.#core.ring.members);
    // A ring that did not come about leaves its failed set behind: who was missing is not waited for again.
    if (this.#core.state.name === "commit" || this.#core.state.name === "recovery")
      gather.inherit(this.#core.state.gather);
    prepare?.(gather);
    context.counters.gathers++;
    context.log("info", `entering Gather state: ${reason}`);
    this.#core.queue.rewind();
    for (const timer of ["token-loss", "token-retransmit", "token-warning", "hold", "merge"] as const) {
      context.disarm(timer);
    }
    this.#core.state = { name: "gather", gather };
    this.#restart(gather);
    this.#checkConsensus(gather);
  }

  /** The proposal is new: tell everybody and give them the consensus time. */
  #restart(gather: Gather): void {
    gather.joinsSent = 0;
    this.#core.context.arm("consensus", this.#core.context.options.consensusMs);
    this.joinSoon(gather);
  }

  /** There is news for the others: a join at once, or as soon as the last is not too fresh. */
  joinSoon(gather: Gather): void {
    const { now, options } = this.#core.context;
    const wait = Math.max(0, gather.lastJoinSent + JOIN_NEWS_MS - now) + this.#spread(options.sendJoinMs);
    const due = this.#core.context.timers.deadline("join");
    if (due !== undefined && due <= now + wait) return;
    if (wait === 0) this.sendJoin(gather);
    else this.#core.context.arm("join", wait);
  }

  /** Something between 0 and `limit`, so that many nodes do not send in the same moment. */
  #spread(limit: Millis): Millis {
    if (limit <= 0) return 0;
    this.#jitter = (Math.imul(this.#jitter ^ this.#core.context.self, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return this.#jitter % (limit + 1);
  }

  /** Tells everybody my proposal, and again as long as no ring comes of it. */
  sendJoin(gather: Gather): void {
    const { options, now } = this.#core.context;
    gather.lastJoinSent = now;
    if (!this.#formation.waitsForDisk) {
      this.#core.context.transmit("all", encodeJoin(this.#proposalOf(gather)));
      gather.joinsSent++;
    }
    this.#core.context.arm("join", this.#joinPause(gather.joinsSent) + this.#spread(options.sendJoinMs));
  }

  /**
   * How long to wait for an answer after so many joins of the same proposal. Many nodes that repeat themselves at full
   * speed keep each other from their work just when all of them start at once.
   */
  #joinPause(sent: number): Millis {
    const { joinMs, consensusMs } = this.#core.context.options;
    const slowest = Math.min(SLOWEST_JOIN * joinMs, consensusMs / JOINS_PER_CONSENSUS);
    return Math.max(joinMs, Math.min(joinMs * 2 ** (sent - 1), slowest));
  }

  #proposalOf(gather: Gather): Join {
    const { self, options } = this.#core.context;
    return {
      kind: "join",
      leave: false,
      ringSequence: this.#core.highest,
      proc: gather.selfFailed ? new Set([self]) : gather.proc,
      failed: gather.selfFailed ? new Set([self]) : gather.failed,
      heard: this.#core.neighbours.heard(options.consensusMs),
      orderly: gather.orderly,
      stamp: this.#core.context.stamp,
    };
  }

  /** A join, or the announcement of an orderly exit (Totem, section 5; what is stale is ignored). */
  join(from: NodeId, join: Join): void {
    const state = this.#core.state;
    switch (state.name) {
      case "stopped":
        return;
      case "gather":
        return this.#joinInGather(state.gather, from, join);
      case "operational":
        return this.#joinInOperational(from, join);
      case "commit":
      case "recovery": {
        const ring = state.name === "commit" ? state.commit.ring : state.recovery.ring.id;
        const members = state.rotation.ring.memberSet;
        // In Commit, who has not had the token yet may have changed its mind, without knowing the new ring's sequence.
        const changed = state.name === "commit" && state.gather.outgrownBy(join);
        const oldest = join.leave || changed ? this.#core.ring.id.sequence : ring.sequence;
        const believed = members.has(from) && join.ringSequence >= oldest;
        if (!believed || join.failed.has(this.#core.context.self)) return this.#staleJoin();
        return this.#gatherWith(`join of node ${from} in ${state.name} state`, from, join);
      }
    }
  }

  #joinInOperational(from: NodeId, join: Join): void {
    const { memberSet, id } = this.#core.ring;
    if (join.failed.has(this.#core.context.self)) return this.#staleJoin();
    if (memberSet.has(from)) {
      if (join.ringSequence < id.sequence) return this.#staleJoin();
      return this.#gatherWith(join.leave ? `node ${from} leaves` : `join of node ${from}`, from, join);
    }
    if (join.leave) return;
    this.#core.neighbours.learn(from, new Set(), join.heard);
    this.#considerMerge(from, true);
  }

  #staleJoin(): void {
    this.#core.context.counters.staleJoins++;
  }

  #gatherWith(reason: string, from: NodeId, join: Join): void {
    this.gather(reason);
    if (this.#core.state.name === "gather") this.#joinInGather(this.#core.state.gather, from, join);
  }

  #joinInGather(gather: Gather, from: NodeId, join: Join): void {
    this.#core.highest = Math.max(this.#core.highest, join.ringSequence);
    if (this.#meansPredecessor(gather, join)) return this.#staleJoin();
    const outcome = gather.receive(from, join, this.#core.context.now);
    if (outcome === "ignored") return;
    if (outcome === "changed") this.#restart(gather);
    this.#checkConsensus(gather);
  }

  /**
   * Whoever has not been in a ring since it was started has given nobody reason to put it into a failed set: that was the
   * one that ran here before. To accuse the accuser in return would split a ring that is just being formed. If they do
   * mean this one, they are silent, and go when the consensus time is over.
   */
  #meansPredecessor(gather: Gather, join: Join): boolean {
    const isFirst = this.#core.ring.id.sequence === 0 && !gather.expired && !gather.selfFailed;
    return isFirst && !join.leave && join.failed.has(this.#core.context.self);
  }

  /** The consensus time is over: who does not fit has failed, and the rest try again. */
  consensusTimeout(gather: Gather): void {
    const { options, counters, now } = this.#core.context;
    counters.consensusTimeouts++;
    if (gather.selfFailed) {
      for (const id of gather.proc) if (id !== this.#core.context.self) gather.failed.add(id);
      gather.expired = true;
    } else gather.expire(now - options.consensusMs - options.joinMs);
    this.#restart(gather);
    this.#checkConsensus(gather);
  }

  #checkConsensus(gather: Gather): void {
    const { self, peers } = this.#core.context;
    if (gather.selfFailed && !gather.expired) return;
    const target = gather.target();
    if (target[0] !== self) return;
    // Alone without having heard of anybody: others may be there and need a moment to answer.
    if (target.length === 1 && gather.proc.size === 1 && peers.size > 0 && !gather.expired) return;
    if (!gather.consensus()) return;
    const ring: RingId = {
      representative: self,
      sequence: this.#core.highest + RING_STEP,
      memberDigest: digestOf(target),
    };
    const members = target.map((id) => this.#emptyEntry(id));
    this.#formation.enterCommit(
      {
        kind: "commit",
        ring,
        hop: 0,
        members,
        orderly: [...gather.orderly].sort((a, b) => a - b),
      },
      gather,
    );
  }

  #emptyEntry(id: NodeId): CommitEntry {
    return {
      id,
      filled: false,
      oldRing: { representative: id, sequence: 0, memberDigest: digestOf([id]) },
      aru: 0,
      high: 0,
      delivered: 0,
      obligation: [],
    };
  }

  /** Shows this ring to others, and looks whether all its members are still heard. */
  mergeTimer(): void {
    if (this.#core.state.name !== "operational") return;
    const { id, memberSet, representative } = this.#core.ring;
    const deaf = this.#core.neighbours.cutOff(memberSet);
    if (deaf !== undefined) return this.gather(`node ${deaf} is in the ring but is not heard`);
    this.#core.neighbours.show(id, memberSet);
    this.#core.neighbours.schedule(memberSet, representative);
  }

  /** Another ring, or a member of this one, shows itself. */
  merge(from: NodeId, merge: Merge): void {
    if (this.#core.ring.is(merge.ring) && this.#core.ring.memberSet.has(from))
      this.#core.neighbours.learn(from, this.#core.ring.memberSet, merge.heard);
    else this.#core.neighbours.learn(from, merge.members, merge.heard);
    if (this.#core.state.name === "operational") this.#considerMerge(from, false);
  }

  /** Leaves this ring if all that would be in a larger one gain by it. */
  #considerMerge(from: NodeId, asked: boolean): void {
    const members = this.#core.ring.memberSet;
    const found = this.#core.neighbours.betterRing(members, asked);
    if (!found) return;
    this.#core.neighbours.attempt(members.size);
    this.gather(`node ${from} and others make a larger ring: ${found.join(" ")}`, (gather) => {
      for (const id of found) gather.proc.add(id);
    });
  }

  /** Orderly exit: says so, several times since nobody answers, and stops. */
  leave(): void {
    const { self, timers, out } = this.#core.context;
    const none = new Set<NodeId>();
    const me = new Set([self]);
    const sequence = this.#core.highest;
    const data = encodeJoin({
      kind: "join",
      leave: true,
      ringSequence: sequence,
      proc: me,
      failed: me,
      heard: none,
      orderly: me,
      stamp: this.#core.context.stamp,
    });
    for (let copy = 0; copy < LEAVE_COPIES; copy++) this.#core.context.transmit("all", data);
    this.#core.state = { name: "stopped" };
    timers.stop(out);
  }
}

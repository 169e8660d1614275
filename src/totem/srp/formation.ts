import type { NodeId } from "../../terms/index.ts";
import type { Core } from "./core.ts";
import type { Gather } from "./gather.ts";
import { Recovery } from "./recovery.ts";
import { Ring } from "./ring.ts";
import { Rotation } from "./rotation.ts";
import { type Commit, type CommitEntry, encodeCommit, type Token } from "./wire.ts";

/** Ring sequences go up in steps of this (Totem, section 5). */
export const RING_STEP = 4;
/** How far the ring sequence on disk lies ahead when it is written. */
const RING_RESERVE = 256 * RING_STEP;

/** The Commit and Recovery states: from consensus to an installed ring. */
export class Formation {
  readonly #core: Core;
  /** Ring sequence on disk: rings up to it may be formed. */
  #stored = 0;
  /** Ring sequence that a commit token has waited for. */
  #awaited = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * The last ring that was to be formed needs a sequence that is not on disk yet. As long as that lasts, a node that has
   * given that ring up does not ask to be in another one, so that the others need not wait for its disk.
   */
  get waitsForDisk(): boolean {
    return this.#awaited > this.#stored;
  }

  /** What was on disk at the start. */
  start(ringSequence: number): void {
    this.#stored = ringSequence;
  }

  /** First visit of the commit token: says what I have, and waits until the ring sequence cannot be forgotten. */
  enterCommit(received: Commit, gather: Gather): void {
    const { self, options } = this.#core.context;
    const { id, aru, high, delivered } = this.#core.ring;
    const obligation = [...this.#core.ring.obligation].sort((a, b) => a - b);
    const mine: CommitEntry = {
      id: self,
      filled: true,
      oldRing: id,
      aru,
      high,
      delivered,
      obligation,
    };
    const members = received.members.map((entry) => (entry.id === self ? mine : entry));
    const commit: Commit = { ...received, members };
    const ring = new Ring(
      commit.ring,
      members.map((entry) => entry.id),
      self,
    );
    this.#core.highest = Math.max(this.#core.highest, commit.ring.sequence);
    this.#core.context.disarm("join");
    this.#core.context.disarm("consensus");
    this.#core.context.arm("token-loss", options.tokenMs);
    this.#core.state = {
      name: "commit",
      commit,
      rotation: new Rotation(this.#core.context, ring, this.#core.source),
      gather,
    };
    this.#awaited = commit.ring.sequence;
    if (this.waitsForDisk) this.#reserve(commit.ring.sequence);
    else this.#goOn();
  }

  /** Has a sequence written that lies ahead, so that the next rings need not wait for the disk. */
  #reserve(sequence: number): void {
    this.#core.context.out.push({ type: "persist", ringSequence: sequence + RING_RESERVE });
  }

  /** The ring sequence is on disk; a commit token that waited for it goes on. */
  persisted(ringSequence: number): void {
    const waited = this.waitsForDisk;
    this.#stored = Math.max(this.#stored, ringSequence);
    if (this.#core.state.name === "commit" && waited && !this.waitsForDisk) this.#goOn();
  }

  /** The ring sequence cannot be forgotten any more: the commit token may go on. */
  #goOn(): void {
    const state = this.#core.state;
    if (state.name !== "commit") return;
    const { rotation, commit } = state;
    if (rotation.ring.members.length > 1) this.#passCommit(rotation, commit);
    else {
      const recovery = new Recovery(this.#core.context, this.#core.ring, commit);
      this.#install(recovery, new Rotation(this.#core.context, recovery.ring, recovery));
    }
  }

  #passCommit(rotation: Rotation, commit: Commit): void {
    rotation.pass(rotation.ring.successor, encodeCommit({ ...commit, hop: commit.hop + 1 }), -1, 0);
  }

  /** A commit token: first visit in Gather, second in Commit, and the third at the representative in Recovery. */
  commit(commit: Commit): void {
    const state = this.#core.state;
    const { self } = this.#core.context;
    const index = commit.members.findIndex((entry) => entry.id === self);
    const count = commit.members.length;
    if (index < 0) return;
    if (state.name === "gather") {
      const target = state.gather.target();
      const same = target.length === count && target.every((id, at) => id === commit.members[at]?.id);
      if (!same || commit.hop !== index || index === 0 || commit.ring.sequence <= this.#core.highest) return;
      if (commit.ring.representative !== target[0] || state.gather.selfFailed) return;
      this.enterCommit(commit, state.gather);
    } else if (state.name === "commit") {
      if (!state.rotation.ring.is(commit.ring) || commit.hop !== count + index || this.waitsForDisk) return;
      if (commit.members.every((entry) => entry.filled)) this.#enterRecovery(commit, state.gather);
    } else if (state.name === "recovery") {
      if (!state.recovery.ring.is(commit.ring) || index !== 0 || commit.hop !== 2 * count) return;
      if (state.recovery.ring.lastHop < 0) this.#createToken(state.recovery, state.rotation);
    }
  }

  /** Second visit of the commit token: everybody's holdings are known. */
  #enterRecovery(commit: Commit, gather: Gather): void {
    const recovery = new Recovery(this.#core.context, this.#core.ring, commit);
    const rotation = new Rotation(this.#core.context, recovery.ring, recovery);
    this.#core.state = { name: "recovery", recovery, rotation, gather };
    this.#core.context.arm("token-loss", this.#core.context.options.tokenMs);
    this.#passCommit(rotation, commit);
  }

  #createToken(recovery: Recovery, rotation: Rotation): void {
    const token: Token = {
      kind: "token",
      ring: recovery.ring.id,
      hop: 0,
      sequence: 0,
      aru: 0,
      aruBy: 0,
      fcc: 0,
      backlog: 0,
      retransmit: false,
      requests: [],
    };
    if (rotation.arrive(token) === "ready") this.visit(recovery, rotation, token);
  }

  /** All have everything: the end of the old ring, then the new one (extended virtual synchrony). */
  #install(recovery: Recovery, rotation: Rotation): void {
    const { counters, out } = this.#core.context;
    const old = this.#core.ring;
    const ring = recovery.ring;
    const survivors = recovery.survivors;
    const left = old.members.filter((id) => !survivors.has(id));
    const orderly = left.filter((id) => recovery.orderly.has(id));
    if (old.id.sequence > 0) {
      this.#core.delivery.finishRegular(old, recovery.reached);
      const members = old.members.filter((id) => survivors.has(id));
      out.push({
        type: "configuration",
        kind: "transitional",
        ringId: ring.id,
        members,
        joined: [],
        left,
        orderly,
      });
      this.#core.delivery.finishTransitional(old, recovery.creditors);
    }
    const before = old.id.sequence > 0 ? survivors : new Set<NodeId>();
    const joined = ring.members.filter((id) => !before.has(id));
    out.push({
      type: "configuration",
      kind: "regular",
      ringId: ring.id,
      members: ring.members,
      joined,
      left,
      orderly,
    });
    counters.rings++;
    this.#core.context.log(
      "notice",
      `ring ${ring.id.representative}.${ring.id.sequence}: members ${ring.members.join(" ")}`,
    );
    this.#core.ring = ring;
    rotation.source = this.#core.source;
    this.#core.queue.rewind();
    this.#core.state = { name: "operational", rotation };
    if (this.#stored - ring.id.sequence < RING_RESERVE / 2) this.#reserve(ring.id.sequence);
    this.#core.neighbours.installed(ring.memberSet, ring.representative);
    if (ring.members.length === 1) {
      this.#core.context.disarm("token-loss");
      this.#core.delivery.alone(ring, this.#core.queue);
    } else this.#core.delivery.inOrder(ring);
  }

  /** Second half of a token's visit in Recovery. */
  visit(recovery: Recovery, rotation: Rotation, token: Token): void {
    rotation.work(token);
    recovery.mark(token);
    rotation.forward(token);
    if (recovery.complete(token)) return this.#install(recovery, rotation);
    this.#core.delivery.skipCarriers(rotation.ring);
    rotation.ring.free(rotation.ring.safeUpTo);
  }
}

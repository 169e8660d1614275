import type { Millis, NodeId } from "../../terms/index.ts";
import type { TotemEffect, TotemEvent, TotemOptions, TotemStatus, TotemTimer } from "../face.ts";
import { MAX_MESSAGE_BYTES } from "./assembly.ts";
import { Context } from "./context.ts";
import { Delivery } from "./delivery.ts";
import { Gather } from "./gather.ts";
import { Neighbours } from "./neighbours.ts";
import { Recovery } from "./recovery.ts";
import { Ring } from "./ring.ts";
import { Rotation, type Source } from "./rotation.ts";
import { regularLimit, SendQueue } from "./send-queue.ts";
import {
  type Commit,
  type CommitEntry,
  decode,
  encodeCommit,
  encodeHoldCancel,
  encodeJoin,
  encodeTokenAck,
  type HoldCancel,
  type Join,
  type Merge,
  type Pdu,
  type Regular,
  type Token,
  type TokenAck,
} from "./wire.ts";

/** Ring sequences go up in steps of this (Totem, section 5). */
const RING_STEP = 4;
/** How far the ring sequence on disk lies ahead when it is written. */
const RING_RESERVE = 256 * RING_STEP;
/** Shortest time between two joins when there is news. */
const JOIN_NEWS_MS = 10;
/** Copies of the announcement of an orderly exit. */
const LEAVE_COPIES = 3;
/** Part of the token timeout after which this process looks at the clock, and which it may be asleep. */
const PAUSE_TICKS = 5;
const PAUSE_LIMIT = 0.5;

type State =
  | { readonly name: "stopped" }
  | { readonly name: "gather"; readonly gather: Gather }
  | { readonly name: "commit"; readonly commit: Commit; readonly rotation: Rotation; readonly gather: Gather }
  | {
      readonly name: "recovery";
      readonly recovery: Recovery;
      readonly rotation: Rotation;
      readonly gather: Gather;
    }
  | { readonly name: "operational"; readonly rotation: Rotation };

/**
 * One member of the Totem single-ring protocol (Amir, Moser, Melliar-Smith, Agarwal, Ciarfella: The Totem Single-Ring
 * Ordering and Membership Protocol, ACM TOCS 13(4), 1995), without any I/O.
 *
 * What the driver owes: events one at a time with a monotonic `now`; all datagrams that wait in the receive socket
 * before it carries out the effects of a token (so that what looks like a hole is one); effects in their order;
 * `persisted` only after the ring sequence is on disk. It should stop accepting messages from the application while
 * `queueLength()` is high.
 */
export class SingleRing {
  readonly #context: Context;
  readonly #neighbours: Neighbours;
  readonly #delivery: Delivery;
  readonly #queue = new SendQueue();
  readonly #source: Source;
  #limit: number;
  #state: State = { name: "stopped" };
  /** The installed ring, or outside Operational the last one. */
  #ring: Ring;
  /** Highest ring sequence known. */
  #highest = 0;
  /** Ring sequence on disk: rings up to it may be formed. */
  #stored = 0;
  /** The commit token waits for the disk. */
  #waiting = false;
  #lastAlive: Millis = 0;
  #distrustUntil: Millis = Number.NEGATIVE_INFINITY;
  #lastVisit: Millis | undefined;
  #rotation = { now: 0, average: 0, worst: 0 };
  #jitter = 1;

  constructor(init: { self: NodeId; peers: readonly NodeId[]; options: TotemOptions }) {
    const context = new Context(init.self, init.peers, init.options);
    this.#context = context;
    this.#neighbours = new Neighbours(context);
    this.#delivery = new Delivery(context);
    this.#limit = regularLimit(init.options);
    this.#ring = new Ring({ representative: init.self, sequence: 0 }, [init.self], init.self);
    this.#source = {
      backlog: () => this.#queue.backlog(this.#limit),
      next: (sequence) => this.#queue.pack(context.self, this.#ring.id, sequence, this.#limit),
    };
  }

  /** Takes an event at the monotonic time `now` and answers what to do, in order. */
  step(event: TotemEvent, now: Millis): readonly TotemEffect[] {
    const context = this.#context;
    context.now = now;
    context.out = [];
    if (event.type === "start") this.#start(event.ringSequence);
    else if (this.#state.name !== "stopped") {
      this.#guardAgainstPause();
      this.#handle(event);
    }
    return context.out;
  }

  /** Messages that wait for the token. */
  queueLength(): number {
    return this.#queue.length;
  }

  /** Bytes of the messages that wait for the token. */
  queueBytes(): number {
    return this.#queue.bytes;
  }

  /** State, ring and counters for people. Members are those of the last installed ring. */
  status(): TotemStatus {
    return {
      state: this.#state.name,
      ringId: this.#ring.id,
      members: this.#ring.members,
      counters: { ...this.#context.counters, queued: this.#queue.length },
      rotationMs: { ...this.#rotation },
    };
  }

  #start(ringSequence: number): void {
    if (this.#state.name !== "stopped") return;
    this.#lastAlive = this.#context.now;
    this.#highest = this.#stored = ringSequence;
    this.#context.arm("pause", this.#context.options.tokenMs / PAUSE_TICKS);
    this.#gather("start");
  }

  #handle(event: Exclude<TotemEvent, { type: "start" }>): void {
    switch (event.type) {
      case "datagram":
        return this.#datagram(event.from, event.data);
      case "timer":
        if (this.#context.timers.fired(event.timer, this.#context.now, this.#context.out))
          this.#timer(event.timer);
        return;
      case "send":
        return this.#send(event);
      case "persisted":
        return this.#persisted(event.ringSequence);
      case "reconfigure":
        return this.#reconfigure(event.options, event.peers);
      case "leave":
        return this.#leave();
    }
  }

  /**
   * After a pause the queued membership messages tell of a time when the others may have given this node up: none
   * that arrives within the next `join` period is believed; whatever still holds is sent again by then.
   */
  #guardAgainstPause(): void {
    const context = this.#context;
    const slept = context.now - this.#lastAlive;
    this.#lastAlive = context.now;
    if (slept <= context.options.tokenMs * PAUSE_LIMIT) return;
    context.counters.pauses++;
    this.#distrustUntil = context.now + context.options.joinMs;
    context.log("warning", `process was not scheduled for ${Math.round(slept)} ms`);
  }

  #datagram(from: NodeId, data: Uint8Array): void {
    const context = this.#context;
    if (!context.peers.has(from)) {
      context.counters.unlisted++;
      return;
    }
    const pdu = decode(data);
    if (!pdu) {
      context.counters.malformed++;
      return;
    }
    const fresh = this.#neighbours.note(from);
    this.#pdu(from, pdu);
    if (fresh) this.#newNeighbour(from);
  }

  #pdu(from: NodeId, pdu: Pdu): void {
    if (pdu.kind === "regular") return this.#regular(pdu);
    if (pdu.kind === "token") return this.#token(from, pdu);
    if (pdu.kind === "token-ack") return this.#tokenAck(pdu);
    if (pdu.kind === "hold-cancel") return this.#holdCancel(pdu);
    if (this.#context.now < this.#distrustUntil) {
      this.#context.counters.distrusted++;
      return;
    }
    if (
      pdu.kind !== "commit" &&
      !this.#ring.memberSet.has(from) &&
      this.#neighbours.refuses(from, pdu.stamp)
    ) {
      this.#context.counters.strangers++;
      return;
    }
    if (pdu.kind === "join") this.#join(from, pdu);
    else if (pdu.kind === "commit") this.#commit(pdu);
    else this.#merge(from, pdu);
  }

  #newNeighbour(from: NodeId): void {
    const state = this.#state;
    if (state.name === "gather") this.#joinSoon(state.gather);
    else if (state.name === "operational" && !this.#ring.memberSet.has(from)) this.#neighbours.hurry();
  }

  #timer(timer: TotemTimer): void {
    const state = this.#state;
    const { options, counters } = this.#context;
    switch (timer) {
      case "pause":
        return this.#context.arm("pause", options.tokenMs / PAUSE_TICKS);
      case "token-loss":
        if (state.name === "stopped" || state.name === "gather") return;
        counters.tokenLosses++;
        return this.#gather(`token lost in ${state.name} state`);
      case "token-warning":
        if (state.name !== "operational") return;
        counters.tokenWarnings++;
        this.#context.log(
          "warning",
          `token not received for ${options.tokenWarning} % of ${options.tokenMs} ms`,
        );
        return;
      case "token-retransmit":
        if (state.name !== "stopped" && state.name !== "gather") state.rotation.retransmitToken();
        return;
      case "hold":
        return this.#release();
      case "join":
        if (state.name === "gather") this.#sendJoin(state.gather);
        return;
      case "consensus":
        if (state.name === "gather") this.#consensusTimeout(state.gather);
        return;
      case "merge":
        return this.#mergeTimer();
      case "commit":
        return;
    }
  }

  // ---------------------------------------------------------------- Operational: messages and the token

  #send(event: Extract<TotemEvent, { type: "send" }>): void {
    const { counters } = this.#context;
    if (event.payload.length > MAX_MESSAGE_BYTES) {
      counters.refused++;
      this.#context.log(
        "error",
        `message of ${event.payload.length} bytes refused: longer than ${MAX_MESSAGE_BYTES}`,
      );
      return;
    }
    counters.sent++;
    this.#queue.push(event.payload, event.guarantee);
    const state = this.#state;
    if (state.name !== "operational") return;
    if (this.#ring.members.length === 1) this.#delivery.alone(this.#ring, this.#queue);
    else if (state.rotation.holding) this.#wakeAndRelease(state.rotation);
    else if (state.rotation.needsCancel()) {
      const representative = this.#ring.id.representative;
      this.#context.transmit(representative, encodeHoldCancel(this.#ring.id));
    }
  }

  #holdCancel(pdu: HoldCancel): void {
    const state = this.#state;
    if (state.name !== "operational" || !this.#ring.is(pdu.ring)) {
      this.#context.counters.foreign++;
      return;
    }
    this.#context.counters.holdCancels++;
    this.#wakeAndRelease(state.rotation);
  }

  #wakeAndRelease(rotation: Rotation): void {
    rotation.wake();
    this.#release();
  }

  #release(): void {
    const state = this.#state;
    if (state.name !== "operational") return;
    const token = state.rotation.takeHeld();
    if (token) this.#visit(state.rotation, undefined, token);
  }

  #regular(message: Regular): void {
    const state = this.#state;
    const { counters } = this.#context;
    if (state.name === "recovery" && state.recovery.ring.owns(message)) {
      counters.messagesReceived++;
      state.rotation.seen(message);
      if (!state.recovery.ring.insert(message)) counters.duplicates++;
      else if (message.encapsulated) state.recovery.unpack(message);
      return;
    }
    // In Commit and Recovery the others have already been told what I have of the old ring.
    const open = state.name === "operational" || state.name === "gather";
    if (!open || !this.#ring.owns(message)) {
      counters.foreign++;
      return;
    }
    counters.messagesReceived++;
    if (state.name === "operational") state.rotation.seen(message);
    if (this.#ring.insert(message)) this.#delivery.inOrder(this.#ring);
    else counters.duplicates++;
  }

  #tokenAck(ack: TokenAck): void {
    const state = this.#state;
    if (state.name === "stopped" || state.name === "gather") return;
    if (state.rotation.ring.is(ack.ring)) state.rotation.acknowledged(ack.hop);
  }

  #token(from: NodeId, token: Token): void {
    const state = this.#state;
    const rotation = state.name === "operational" || state.name === "recovery" ? state.rotation : undefined;
    if (!rotation?.ring.is(token.ring)) {
      this.#context.counters.foreign++;
      return;
    }
    const arrival = rotation.arrive(token);
    if (rotation.wantsAck(arrival)) this.#context.transmit(from, encodeTokenAck(token));
    switch (arrival) {
      case "duplicate":
        return;
      case "stuck":
        return this.#failedToReceive();
      case "ready":
        this.#measure();
        if (state.name === "operational" && rotation.mayHold()) return rotation.hold(token);
        return this.#visit(rotation, state.name === "recovery" ? state.recovery : undefined, token);
    }
  }

  /** Second half of a token's visit. */
  #visit(rotation: Rotation, recovery: Recovery | undefined, token: Token): void {
    rotation.work(token);
    recovery?.mark(token);
    rotation.forward(token);
    if (recovery?.complete(token)) return this.#install(recovery, rotation);
    if (recovery) this.#delivery.skipCarriers(rotation.ring);
    else this.#delivery.inOrder(rotation.ring);
    rotation.ring.free(rotation.ring.safeUpTo);
  }

  #measure(): void {
    const { now } = this.#context;
    const figures = this.#rotation;
    if (this.#lastVisit !== undefined) {
      figures.now = now - this.#lastVisit;
      figures.average += (figures.now - figures.average) / 16;
      figures.worst = Math.max(figures.worst, figures.now);
    }
    this.#lastVisit = now;
  }

  #failedToReceive(): void {
    this.#context.counters.failedToReceive++;
    this.#gather("failed to receive", (gather) => {
      gather.selfFailed = true;
    });
  }

  // ---------------------------------------------------------------- Gather

  /** Enters Gather, whatever the state; `prepare` sees the new proposal before the first join goes out. */
  #gather(reason: string, prepare?: (gather: Gather) => void): void {
    const context = this.#context;
    const gather = new Gather(context.self, this.#ring.members);
    // A ring that did not come about leaves its failed set behind: who was missing is not waited for again.
    if (this.#state.name === "commit" || this.#state.name === "recovery") gather.inherit(this.#state.gather);
    prepare?.(gather);
    context.counters.gathers++;
    context.log("info", `entering Gather state: ${reason}`);
    this.#waiting = false;
    this.#lastVisit = undefined;
    this.#queue.rewind();
    for (const timer of ["token-loss", "token-retransmit", "token-warning", "hold", "merge"] as const) {
      context.disarm(timer);
    }
    this.#state = { name: "gather", gather };
    this.#restart(gather);
    this.#checkConsensus(gather);
  }

  /** The proposal is new: tell everybody and give them the consensus time. */
  #restart(gather: Gather): void {
    this.#context.arm("consensus", this.#context.options.consensusMs);
    this.#joinSoon(gather);
  }

  #joinSoon(gather: Gather): void {
    const { now, options } = this.#context;
    const wait = Math.max(0, gather.lastJoinSent + JOIN_NEWS_MS - now) + this.#spread(options.sendJoinMs);
    const due = this.#context.timers.deadline("join");
    if (due !== undefined && due <= now + wait) return;
    if (wait === 0) this.#sendJoin(gather);
    else this.#context.arm("join", wait);
  }

  /** Something between 0 and `limit`, so that many nodes do not send in the same moment. */
  #spread(limit: Millis): Millis {
    if (limit <= 0) return 0;
    this.#jitter = (Math.imul(this.#jitter ^ this.#context.self, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return this.#jitter % (limit + 1);
  }

  #sendJoin(gather: Gather): void {
    const { self, options, now } = this.#context;
    gather.lastJoinSent = now;
    const join: Join = {
      kind: "join",
      leave: false,
      ringSequence: this.#highest,
      proc: gather.selfFailed ? new Set([self]) : gather.proc,
      failed: gather.selfFailed ? new Set([self]) : gather.failed,
      heard: this.#neighbours.heard(options.consensusMs),
      orderly: gather.orderly,
      stamp: this.#context.stamp,
    };
    this.#context.transmit("all", encodeJoin(join));
    this.#context.arm("join", options.joinMs + this.#spread(options.sendJoinMs));
  }

  #join(from: NodeId, join: Join): void {
    const state = this.#state;
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
        const oldest = join.leave ? this.#ring.id.sequence : ring.sequence;
        const believed = members.has(from) && join.ringSequence >= oldest;
        if (!believed || join.failed.has(this.#context.self)) return this.#staleJoin();
        return this.#gatherWith(`join of node ${from} in ${state.name} state`, from, join);
      }
    }
  }

  #joinInOperational(from: NodeId, join: Join): void {
    const { memberSet, id } = this.#ring;
    if (join.failed.has(this.#context.self)) return this.#staleJoin();
    if (memberSet.has(from)) {
      if (join.ringSequence < id.sequence) return this.#staleJoin();
      return this.#gatherWith(join.leave ? `node ${from} leaves` : `join of node ${from}`, from, join);
    }
    if (join.leave) return;
    this.#neighbours.learn(from, new Set(), join.heard);
    this.#considerMerge(from, true);
  }

  #staleJoin(): void {
    this.#context.counters.staleJoins++;
  }

  #gatherWith(reason: string, from: NodeId, join: Join): void {
    this.#gather(reason);
    if (this.#state.name === "gather") this.#joinInGather(this.#state.gather, from, join);
  }

  #joinInGather(gather: Gather, from: NodeId, join: Join): void {
    this.#highest = Math.max(this.#highest, join.ringSequence);
    const outcome = gather.receive(from, join, this.#context.now);
    if (outcome === "ignored") return;
    if (outcome === "changed") this.#restart(gather);
    this.#checkConsensus(gather);
  }

  #consensusTimeout(gather: Gather): void {
    const { options, counters, now } = this.#context;
    counters.consensusTimeouts++;
    if (gather.selfFailed) {
      for (const id of gather.proc) if (id !== this.#context.self) gather.failed.add(id);
      gather.expired = true;
    } else gather.expire(now - options.consensusMs - options.joinMs);
    this.#restart(gather);
    this.#checkConsensus(gather);
  }

  #checkConsensus(gather: Gather): void {
    const { self, peers } = this.#context;
    if (gather.selfFailed && !gather.expired) return;
    const target = gather.target();
    if (target[0] !== self) return;
    // Alone without having heard of anybody: others may be there and need a moment to answer.
    if (target.length === 1 && gather.proc.size === 1 && peers.size > 0 && !gather.expired) return;
    if (!gather.consensus()) return;
    const ring = { representative: self, sequence: this.#highest + RING_STEP };
    const members = target.map((id) => this.#emptyEntry(id));
    this.#enterCommit(
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

  // ---------------------------------------------------------------- Commit and Recovery

  #emptyEntry(id: NodeId): CommitEntry {
    return {
      id,
      filled: false,
      oldRing: { representative: id, sequence: 0 },
      aru: 0,
      high: 0,
      delivered: 0,
      obligation: [],
    };
  }

  /** First visit of the commit token: says what I have, and waits until the ring sequence cannot be forgotten. */
  #enterCommit(received: Commit, gather: Gather): void {
    const { self, options } = this.#context;
    const { id, aru, high, delivered } = this.#ring;
    const obligation = [...this.#ring.obligation].sort((a, b) => a - b);
    const mine: CommitEntry = { id: self, filled: true, oldRing: id, aru, high, delivered, obligation };
    const members = received.members.map((entry) => (entry.id === self ? mine : entry));
    const commit: Commit = { ...received, members };
    const ring = new Ring(
      commit.ring,
      members.map((entry) => entry.id),
      self,
    );
    this.#highest = Math.max(this.#highest, commit.ring.sequence);
    this.#context.disarm("join");
    this.#context.disarm("consensus");
    this.#context.arm("token-loss", options.tokenMs);
    this.#state = {
      name: "commit",
      commit,
      rotation: new Rotation(this.#context, ring, this.#source),
      gather,
    };
    if (commit.ring.sequence <= this.#stored) return this.#goOn();
    this.#waiting = true;
    this.#reserve(commit.ring.sequence);
  }

  /** Has a sequence written that lies ahead, so that the next rings need not wait for the disk. */
  #reserve(sequence: number): void {
    this.#context.out.push({ type: "persist", ringSequence: sequence + RING_RESERVE });
  }

  #persisted(ringSequence: number): void {
    this.#stored = Math.max(this.#stored, ringSequence);
    const state = this.#state;
    if (state.name !== "commit" || !this.#waiting || this.#stored < state.commit.ring.sequence) return;
    this.#waiting = false;
    this.#goOn();
  }

  /** The ring sequence cannot be forgotten any more: the commit token may go on. */
  #goOn(): void {
    const state = this.#state;
    if (state.name !== "commit") return;
    const { rotation, commit } = state;
    if (rotation.ring.members.length > 1) this.#passCommit(rotation, commit);
    else {
      const recovery = new Recovery(this.#context, this.#ring, commit);
      this.#install(recovery, new Rotation(this.#context, recovery.ring, recovery));
    }
  }

  #passCommit(rotation: Rotation, commit: Commit): void {
    rotation.pass(rotation.ring.successor, encodeCommit({ ...commit, hop: commit.hop + 1 }), -1, 0);
  }

  #commit(commit: Commit): void {
    const state = this.#state;
    const { self } = this.#context;
    const index = commit.members.findIndex((entry) => entry.id === self);
    const count = commit.members.length;
    if (index < 0) return;
    if (state.name === "gather") {
      const target = state.gather.target();
      const same = target.length === count && target.every((id, at) => id === commit.members[at]?.id);
      if (!same || commit.hop !== index || index === 0 || commit.ring.sequence <= this.#highest) return;
      if (commit.ring.representative !== target[0] || state.gather.selfFailed) return;
      this.#enterCommit(commit, state.gather);
    } else if (state.name === "commit") {
      if (!state.rotation.ring.is(commit.ring) || commit.hop !== count + index || this.#waiting) return;
      if (commit.members.every((entry) => entry.filled)) this.#enterRecovery(commit, state.gather);
    } else if (state.name === "recovery") {
      if (!state.recovery.ring.is(commit.ring) || index !== 0 || commit.hop !== 2 * count) return;
      if (state.recovery.ring.lastHop < 0) this.#createToken(state.recovery, state.rotation);
    }
  }

  /** Second visit of the commit token: everybody's holdings are known. */
  #enterRecovery(commit: Commit, gather: Gather): void {
    const recovery = new Recovery(this.#context, this.#ring, commit);
    const rotation = new Rotation(this.#context, recovery.ring, recovery);
    this.#state = { name: "recovery", recovery, rotation, gather };
    this.#context.arm("token-loss", this.#context.options.tokenMs);
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
    if (rotation.arrive(token) === "ready") this.#visit(rotation, recovery, token);
  }

  /** All have everything: the end of the old ring, then the new one (extended virtual synchrony). */
  #install(recovery: Recovery, rotation: Rotation): void {
    const { counters, out } = this.#context;
    const old = this.#ring;
    const ring = recovery.ring;
    const survivors = recovery.survivors;
    const left = old.members.filter((id) => !survivors.has(id));
    const orderly = left.filter((id) => recovery.orderly.has(id));
    if (old.id.sequence > 0) {
      this.#delivery.finishRegular(old, recovery.reached);
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
      this.#delivery.finishTransitional(old, recovery.creditors);
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
    this.#context.log(
      "notice",
      `ring ${ring.id.representative}.${ring.id.sequence}: members ${ring.members.join(" ")}`,
    );
    this.#ring = ring;
    rotation.source = this.#source;
    this.#queue.rewind();
    this.#state = { name: "operational", rotation };
    if (this.#stored - ring.id.sequence < RING_RESERVE / 2) this.#reserve(ring.id.sequence);
    this.#neighbours.installed(ring.memberSet, ring.representative);
    if (ring.members.length === 1) {
      this.#context.disarm("token-loss");
      this.#delivery.alone(ring, this.#queue);
    } else this.#delivery.inOrder(ring);
  }

  // ---------------------------------------------------------------- other rings

  #mergeTimer(): void {
    if (this.#state.name !== "operational") return;
    const { id, memberSet, representative } = this.#ring;
    const deaf = this.#neighbours.cutOff(memberSet);
    if (deaf !== undefined) return this.#gather(`node ${deaf} is in the ring but is not heard`);
    this.#neighbours.show(id, memberSet);
    this.#neighbours.schedule(memberSet, representative);
  }

  #merge(from: NodeId, merge: Merge): void {
    if (this.#ring.is(merge.ring)) this.#neighbours.learn(from, this.#ring.memberSet, merge.heard);
    else this.#neighbours.learn(from, merge.members, merge.heard);
    if (this.#state.name === "operational") this.#considerMerge(from, false);
  }

  /** Leaves this ring if all that would be in a larger one gain by it. */
  #considerMerge(from: NodeId, asked: boolean): void {
    const members = this.#ring.memberSet;
    const found = this.#neighbours.betterRing(members, asked);
    if (!found) return;
    this.#neighbours.attempt(members.size);
    this.#gather(`node ${from} and others make a larger ring: ${found.join(" ")}`, (gather) => {
      for (const id of found) gather.proc.add(id);
    });
  }

  // ---------------------------------------------------------------- change and exit

  #reconfigure(options: TotemOptions, peers: readonly NodeId[]): void {
    const context = this.#context;
    const { self } = context;
    this.#limit = regularLimit(options);
    const before = context.peers;
    context.configure(options, peers);
    for (const id of before) if (!context.peers.has(id)) this.#neighbours.forget(id);
    const removed = this.#ring.members.filter((id) => id !== self && !context.peers.has(id));
    if (removed.length > 0) {
      this.#gather(`nodes ${removed.join(" ")} removed from the configuration`, (gather) => {
        for (const id of removed) gather.failed.add(id);
      });
    } else if (this.#state.name === "operational") {
      this.#neighbours.schedule(this.#ring.memberSet, this.#ring.representative);
    }
  }

  #leave(): void {
    const { self, timers, out } = this.#context;
    const none = new Set<NodeId>();
    const me = new Set([self]);
    const sequence = this.#highest;
    const data = encodeJoin({
      kind: "join",
      leave: true,
      ringSequence: sequence,
      proc: me,
      failed: me,
      heard: none,
      orderly: me,
      stamp: this.#context.stamp,
    });
    for (let copy = 0; copy < LEAVE_COPIES; copy++) this.#context.transmit("all", data);
    this.#state = { name: "stopped" };
    timers.stop(out);
  }
}

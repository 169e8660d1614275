import type { Millis, NodeId } from "../../terms/index.ts";
import type { TotemEffect, TotemEvent, TotemOptions, TotemStatus, TotemTimer } from "../face.ts";
import { Core, noRing } from "./core.ts";
import { Formation } from "./formation.ts";
import { Fragments } from "./fragments.ts";
import { Operation } from "./operation.ts";
import { Proposal } from "./proposal.ts";
import { regularLimit } from "./size.ts";
import { decode, type Fragment, type Pdu } from "./wire.ts";

/** Part of the token timeout after which this process looks at the clock, and which it may be asleep. */
const PAUSE_TICKS = 3;
const PAUSE_LIMIT = 0.5;
const pausePeriod = ({ tokenMs }: TotemOptions): Millis => Math.round(tokenMs / PAUSE_TICKS);

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
  readonly #core: Core;
  readonly #formation: Formation;
  readonly #proposal: Proposal;
  readonly #operation: Operation;
  readonly #fragments = new Fragments();
  #lastAlive: Millis = 0;
  #distrustUntil: Millis = Number.NEGATIVE_INFINITY;

  constructor(init: { self: NodeId; peers: readonly NodeId[]; options: TotemOptions }) {
    this.#core = new Core(init.self, init.peers, init.options);
    this.#formation = new Formation(this.#core);
    this.#proposal = new Proposal(this.#core, this.#formation);
    this.#operation = new Operation(this.#core, this.#proposal, this.#formation);
  }

  /** Takes an event at the monotonic time `now` and answers what to do, in order. */
  step(event: TotemEvent, now: Millis): readonly TotemEffect[] {
    const { context } = this.#core;
    context.now = now;
    context.out = [];
    if (event.type === "start") this.#start(event.ringSequence);
    else if (this.#core.state.name !== "stopped") {
      this.#guardAgainstPause();
      this.#handle(event);
    }
    return context.out;
  }

  /** Messages that wait for the token. */
  queueLength(): number {
    return this.#core.queue.length;
  }

  /** Bytes of the messages that wait for the token. */
  queueBytes(): number {
    return this.#core.queue.bytes;
  }

  /** State, ring and counters for people. Members are those of the last installed ring. */
  status(): TotemStatus {
    const { state, ring, context, queue } = this.#core;
    return {
      state: state.name,
      ringId: ring.id,
      members: ring.members,
      counters: { ...context.counters, queued: queue.length },
      rotationMs: { ...this.#operation.rotationMs },
      refused: this.#core.neighbours.refused(),
    };
  }

  #start(ringSequence: number): void {
    if (this.#core.state.name !== "stopped") return;
    this.#lastAlive = this.#core.context.now;
    this.#core.ring = noRing(this.#core.context.self);
    this.#core.highest = ringSequence;
    this.#formation.start(ringSequence);
    this.#core.context.arm("pause", pausePeriod(this.#core.context.options));
    this.#proposal.gather("start");
  }

  #handle(event: Exclude<TotemEvent, { type: "start" }>): void {
    switch (event.type) {
      case "datagram":
        return this.#datagram(event.from, event.data);
      case "timer":
        if (this.#core.context.timers.fired(event.timer, this.#core.context.now, this.#core.context.out))
          this.#timer(event.timer);
        return;
      case "lost":
        return this.#core.neighbours.lost(event.node);
      case "send":
        return this.#operation.send(event);
      case "persisted":
        return this.#formation.persisted(event.ringSequence);
      case "reconfigure":
        return this.#reconfigure(event.options, event.peers);
      case "leave":
        return this.#proposal.leave();
    }
  }

  /**
   * After a pause the queued membership messages tell of a time when the others may have given this node up: none
   * that arrives within the next `join` period is believed; whatever still holds is sent again by then.
   */
  #guardAgainstPause(): void {
    const context = this.#core.context;
    const slept = context.now - this.#lastAlive;
    this.#lastAlive = context.now;
    if (slept <= context.options.tokenMs * PAUSE_LIMIT) return;
    context.counters.pauses++;
    this.#distrustUntil = context.now + context.options.joinMs;
    context.log("warning", `process was not scheduled for ${Math.round(slept)} ms`);
  }

  #datagram(from: NodeId, data: Uint8Array): void {
    const context = this.#core.context;
    if (!context.peers.has(from)) {
      context.counters.unlisted++;
      return;
    }
    const pdu = decode(data);
    if (!pdu) {
      context.counters.malformed++;
      return;
    }
    const fresh = this.#core.neighbours.note(from);
    if (pdu.kind === "fragment") this.#fragment(from, pdu);
    else this.#pdu(from, pdu);
    if (fresh) this.#newNeighbour(from);
  }

  #fragment(from: NodeId, piece: Fragment): void {
    const whole = this.#fragments.add(from, piece);
    if (!whole) return;
    const pdu = decode(whole);
    if (!pdu || pdu.kind === "fragment") this.#core.context.counters.malformed++;
    else this.#pdu(from, pdu);
  }

  #pdu(from: NodeId, pdu: Exclude<Pdu, Fragment>): void {
    if (pdu.kind === "regular") return this.#operation.regular(from, pdu);
    if (pdu.kind === "token") return this.#operation.token(from, pdu);
    if (pdu.kind === "token-ack") return this.#operation.tokenAck(from, pdu);
    if (pdu.kind === "hold-cancel") return this.#operation.holdCancel(from, pdu);
    if (this.#core.context.now < this.#distrustUntil) {
      this.#core.context.counters.distrusted++;
      return;
    }
    if (
      pdu.kind !== "commit" &&
      !this.#core.ring.memberSet.has(from) &&
      this.#core.neighbours.refuses(from, pdu.stamp)
    ) {
      this.#core.context.counters.strangers++;
      return;
    }
    if (pdu.kind === "join") this.#proposal.join(from, pdu);
    else if (pdu.kind === "commit") this.#formation.commit(pdu);
    else this.#proposal.merge(from, pdu);
  }

  #newNeighbour(from: NodeId): void {
    const state = this.#core.state;
    if (state.name === "gather") this.#proposal.joinSoon(state.gather);
    else if (state.name === "operational" && !this.#core.ring.memberSet.has(from))
      this.#core.neighbours.hurry();
  }

  #timer(timer: TotemTimer): void {
    const state = this.#core.state;
    const { options, counters } = this.#core.context;
    switch (timer) {
      case "pause":
        return this.#core.context.arm("pause", pausePeriod(options));
      case "token-loss":
        if (state.name === "stopped" || state.name === "gather") return;
        counters.tokenLosses++;
        return this.#proposal.gather(`token lost in ${state.name} state`);
      case "token-warning":
        if (state.name !== "operational") return;
        counters.tokenWarnings++;
        this.#core.context.log(
          "warning",
          `token not received for ${options.tokenWarning} % of ${options.tokenMs} ms`,
        );
        return;
      case "token-retransmit":
        if (state.name !== "stopped" && state.name !== "gather") state.rotation.retransmitToken();
        return;
      case "hold":
        return this.#operation.release();
      case "join":
        if (state.name === "gather") this.#proposal.sendJoin(state.gather);
        return;
      case "consensus":
        if (state.name === "gather") this.#proposal.consensusTimeout(state.gather);
        return;
      case "merge":
        return this.#proposal.mergeTimer();
      case "commit":
        return;
    }
  }

  #reconfigure(options: TotemOptions, peers: readonly NodeId[]): void {
    const context = this.#core.context;
    const { self } = context;
    this.#core.limit = regularLimit(options);
    const before = context.peers;
    context.configure(options, peers);
    for (const id of before) {
      if (context.peers.has(id)) continue;
      this.#core.neighbours.forget(id);
      this.#fragments.forget(id);
    }
    const removed = this.#core.ring.members.filter((id) => id !== self && !context.peers.has(id));
    if (removed.length > 0) {
      this.#proposal.gather(`nodes ${removed.join(" ")} removed from the configuration`, (gather) => {
        for (const id of removed) gather.failed.add(id);
      });
    } else if (this.#core.state.name === "operational") {
      this.#core.neighbours.schedule(this.#core.ring.memberSet, this.#core.ring.representative);
    }
  }
}

import type { Millis, NodeId } from "../../terms/index.ts";
import type { TotemEvent } from "../face.ts";
import { MAX_MESSAGE_BYTES } from "./assembly.ts";
import type { Core } from "./core.ts";
import type { Formation } from "./formation.ts";
import type { Proposal } from "./proposal.ts";
import type { Rotation } from "./rotation.ts";
import {
  encodeHoldCancel,
  encodeTokenAck,
  type HoldCancel,
  type Regular,
  type Token,
  type TokenAck,
} from "./wire.ts";

/** The Operational state: the application's messages, and the messages and tokens of rings. */
export class Operation {
  readonly #core: Core;
  readonly #proposal: Proposal;
  readonly #formation: Formation;
  /** Token rotation: the last, a moving average, the longest. */
  readonly rotationMs = { now: 0, average: 0, worst: 0 };
  #measured: Rotation | undefined;
  #lastVisit: Millis = 0;

  constructor(core: Core, proposal: Proposal, formation: Formation) {
    this.#core = core;
    this.#proposal = proposal;
    this.#formation = formation;
  }

  /** A message of the application; one that is too long is refused with a log line. */
  send(event: Extract<TotemEvent, { type: "send" }>): void {
    const { counters } = this.#core.context;
    if (event.payload.length > MAX_MESSAGE_BYTES) {
      counters.refused++;
      this.#core.context.log(
        "error",
        `message of ${event.payload.length} bytes refused: longer than ${MAX_MESSAGE_BYTES}`,
      );
      return;
    }
    counters.sent++;
    this.#core.queue.push(event.payload, event.guarantee);
    const state = this.#core.state;
    if (state.name !== "operational") return;
    if (this.#core.ring.members.length === 1) this.#core.delivery.alone(this.#core.ring, this.#core.queue);
    else if (state.rotation.holding) this.#wakeAndRelease(state.rotation);
    else if (state.rotation.needsCancel()) {
      const representative = this.#core.ring.id.representative;
      this.#core.context.transmit(representative, encodeHoldCancel(this.#core.ring.id));
    }
  }

  /** Somebody has a message while the token rests here. */
  holdCancel(from: NodeId, pdu: HoldCancel): void {
    const state = this.#core.state;
    if (state.name !== "operational" || !this.#core.ring.hears(from, pdu.ring)) {
      this.#core.context.counters.foreign++;
      return;
    }
    this.#core.context.counters.holdCancels++;
    this.#wakeAndRelease(state.rotation);
  }

  #wakeAndRelease(rotation: Rotation): void {
    rotation.wake();
    this.release();
  }

  /** The hold time is over, or there is a reason not to wait for it. */
  release(): void {
    const state = this.#core.state;
    if (state.name !== "operational") return;
    const token = state.rotation.takeHeld();
    if (token) this.#visit(state.rotation, token);
  }

  /** An ordered message of the present ring, or in Recovery of the new one. */
  regular(from: NodeId, message: Regular): void {
    const state = this.#core.state;
    const { counters } = this.#core.context;
    if (state.name === "recovery" && state.recovery.ring.owns(message, from)) {
      counters.messagesReceived++;
      state.rotation.seen(message);
      if (!state.recovery.ring.insert(message)) counters.duplicates++;
      else if (message.encapsulated) state.recovery.unpack(message);
      return;
    }
    // In Commit and Recovery the others have already been told what I have of the old ring.
    const open = state.name === "operational" || state.name === "gather";
    if (!open || !this.#core.ring.owns(message, from)) {
      counters.foreign++;
      return;
    }
    counters.messagesReceived++;
    if (state.name === "operational") state.rotation.seen(message);
    if (this.#core.ring.insert(message)) this.#core.delivery.inOrder(this.#core.ring);
    else counters.duplicates++;
  }

  /** The token that was sent on has arrived. */
  tokenAck(from: NodeId, ack: TokenAck): void {
    const state = this.#core.state;
    if (state.name === "stopped" || state.name === "gather") return;
    if (state.rotation.ring.hears(from, ack.ring)) state.rotation.acknowledged(ack.hop);
  }

  /** The token (or a copy of one that was here before). */
  token(from: NodeId, token: Token): void {
    const state = this.#core.state;
    const rotation = state.name === "operational" || state.name === "recovery" ? state.rotation : undefined;
    if (!rotation?.ring.hears(from, token.ring)) {
      this.#core.context.counters.foreign++;
      return;
    }
    const arrival = rotation.arrive(token);
    if (rotation.wantsAck(arrival)) this.#core.context.transmit(from, encodeTokenAck(token));
    switch (arrival) {
      case "duplicate":
        return;
      case "stuck":
        return this.#failedToReceive();
      case "ready":
        this.#measure(rotation);
        if (state.name === "recovery") return this.#formation.visit(state.recovery, rotation, token);
        if (rotation.mayHold()) return rotation.hold(token);
        return this.#visit(rotation, token);
    }
  }

  /** Second half of a token's visit. */
  #visit(rotation: Rotation, token: Token): void {
    rotation.work(token);
    rotation.forward(token);
    this.#core.delivery.inOrder(rotation.ring);
    rotation.ring.free(rotation.ring.safeUpTo);
  }

  #measure(rotation: Rotation): void {
    const { now } = this.#core.context;
    const figures = this.rotationMs;
    if (this.#measured === rotation) {
      figures.now = now - this.#lastVisit;
      figures.average += (figures.now - figures.average) / 16;
      figures.worst = Math.max(figures.worst, figures.now);
    }
    this.#measured = rotation;
    this.#lastVisit = now;
  }

  #failedToReceive(): void {
    this.#core.context.counters.failedToReceive++;
    this.#proposal.gather("failed to receive", (gather) => {
      gather.selfFailed = true;
    });
  }
}

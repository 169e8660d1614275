import type { NodeId } from "../../terms/index.ts";
import type { Context } from "./context.ts";
import { type Ring, SLOTS } from "./ring.ts";
import { encodeToken, MAX_REQUESTS, type Regular, type Token } from "./wire.ts";

/** Slots kept free, since another member may be a rotation behind in throwing away. */
const MARGIN = 512;

/**
 * Part of the token retransmit timeout after which a token is sent again. The timeout as configured leaves room for
 * about four attempts in a whole rotation before the token counts as lost, too few when one datagram in five is lost;
 * it is that long only because nothing comes back while the representative rests on an idle token. So here an idle
 * token is acknowledged, as is one that comes twice, and what is not acknowledged is sent again soon.
 */
const URGENT_PART = 8;

/** Where new ordered messages come from: the application's queue, or in Recovery the old ring. */
export interface Source {
  /** How many messages wait, about. */
  backlog(): number;
  next(sequence: number): Regular | undefined;
}

/** What the arrival of a token means. */
export type Arrival = "duplicate" | "stuck" | "ready";

/** The token's visits to one member of one ring (Totem, sections 3 and 4: ordering, reliability, flow control). */
export class Rotation {
  readonly ring: Ring;
  source: Source;
  readonly #context: Context;
  #held: Token | undefined;
  #last:
    | { readonly to: NodeId; readonly data: Uint8Array; readonly hop: number; readonly sequence: number }
    | undefined;
  #cancelSent = false;

  constructor(context: Context, ring: Ring, source: Source) {
    this.#context = context;
    this.ring = ring;
    this.source = source;
  }

  /** Whether the representative sits on the token of an idle ring. */
  get holding(): boolean {
    return this.#held !== undefined;
  }

  /** First half of a visit: is the token new, what do all have by now, does it make progress for me. */
  arrive(token: Token): Arrival {
    const { ring } = this;
    const { counters, options, self } = this.#context;
    if (token.hop <= ring.lastHop) {
      counters.duplicateTokens++;
      return "duplicate";
    }
    counters.tokens++;
    ring.lastHop = token.hop;
    this.#settled();
    this.#cancelSent = false;
    this.#context.arm("token-loss", options.tokenMs);
    if (options.tokenWarning > 0)
      this.#context.arm("token-warning", (options.tokenMs * options.tokenWarning) / 100);
    const quiet = token.sequence === ring.lastSequence;
    const busy = !quiet || (options.cancelTokenHoldOnRetransmit && token.requests.length > 0);
    ring.idle = busy ? 0 : ring.idle + 1;
    // Whoever lowered the aru lowered it for good until it visits that node again: in force for two visits, it holds.
    ring.safeUpTo = Math.max(ring.safeUpTo, Math.min(token.aru, ring.lastAru));
    const down = token.aruBy === self && token.aru === ring.lastReceivedAru;
    ring.stuck = down ? ring.stuck + 1 : 0;
    ring.lastReceivedAru = token.aru;
    return ring.stuck > options.failRecvConst ? "stuck" : "ready";
  }

  /** Whether the sender of a token has to be told that it arrived; else the traffic tells it. */
  wantsAck(arrival: Arrival): boolean {
    return arrival === "duplicate" || this.ring.idle >= this.#context.options.seqnoUnchangedConst;
  }

  /** The token that I sent on has arrived. */
  acknowledged(hop: number): void {
    if (this.#last?.hop !== hop) return;
    this.#last = undefined;
    // The ring is idle: a process that sleeps need not wake for a token that has arrived.
    this.#context.cancel("token-retransmit");
  }

  /** Whether an idle token may rest here. */
  mayHold(): boolean {
    const { ring } = this;
    return (
      ring.representative &&
      ring.idle > this.#context.options.seqnoUnchangedConst &&
      this.source.backlog() === 0
    );
  }

  /** Keeps the token until `release`, at most for the hold time. */
  hold(token: Token): void {
    this.#held = token;
    this.#context.counters.holds++;
    this.#context.arm("hold", this.#context.options.holdMs);
  }

  /** The token that was held, to be sent on now. */
  takeHeld(): Token | undefined {
    const token = this.#held;
    this.#held = undefined;
    this.#context.disarm("hold");
    return token;
  }

  /** Somebody wants to send: the next visits do not count as idle. */
  wake(): void {
    this.ring.idle = 0;
  }

  /** Whether the representative has to be told that I want to send; true once for every visit. */
  needsCancel(): boolean {
    // My count of idle visits may lag behind the representative's by one.
    const awake = this.ring.idle < this.#context.options.seqnoUnchangedConst;
    if (this.ring.representative || this.#cancelSent || awake) return false;
    this.#cancelSent = true;
    return true;
  }

  /** Second half of a visit: retransmits, requests, sends, and accounts for it in the token. */
  work(token: Token): void {
    const { ring } = this;
    const { options } = this.#context;
    const backlog = this.source.backlog();
    let allowance = this.#allowance(token, backlog);
    const retransmitted = this.#retransmit(token, allowance);
    allowance -= retransmitted;
    const requests = token.requests.length;
    ring.request(token.sequence, options.missCountConst, token.requests, MAX_REQUESTS);
    this.#context.counters.requested += token.requests.length - requests;
    const sent = retransmitted + this.#send(token, allowance);
    token.fcc = Math.max(0, token.fcc + sent - ring.sentLast);
    ring.sentLast = sent;
    const left = this.source.backlog();
    token.backlog = Math.max(0, token.backlog + left - ring.backlogLast);
    ring.backlogLast = left;
    this.#acknowledge(token);
  }

  /** Sends the token on and keeps a copy, to send it again until there is a sign that it arrived. */
  forward(token: Token): void {
    const { ring } = this;
    ring.lastSequence = token.sequence;
    ring.lastAru = token.aru;
    token.hop++;
    this.pass(ring.successor, encodeToken(token), token.hop, token.sequence);
  }

  /** Sends a token or commit token and guards it with the retransmit timer. */
  pass(to: NodeId, data: Uint8Array, hop: number, sequence: number): void {
    this.#last = { to, data, hop, sequence };
    this.#context.transmit(to, data);
    this.#context.arm("token-retransmit", this.#context.options.tokenRetransmitMs / URGENT_PART);
  }

  /** No sign of the token that was sent on: once more. */
  retransmitToken(): void {
    if (!this.#last) return;
    this.#context.counters.tokenRetransmits++;
    this.#context.transmit(this.#last.to, this.#last.data);
    this.#context.arm("token-retransmit", this.#context.options.tokenRetransmitMs / URGENT_PART);
  }

  /** A message with a number above the token's: somebody has had the token after me. */
  seen(message: Regular): void {
    if (this.#last !== undefined && message.sequence > this.#last.sequence) this.#settled();
  }

  #settled(): void {
    this.#last = undefined;
    this.#context.disarm("token-retransmit");
  }

  #allowance(token: Token, backlog: number): number {
    const { ring } = this;
    const { maxMessages, windowSize } = this.#context.options;
    let allowance = Math.min(maxMessages, windowSize - token.fcc);
    const whole = token.backlog + backlog - ring.backlogLast;
    if (backlog > 0 && whole > 0) {
      const share = Math.floor((windowSize * ring.backlogLast) / whole);
      if (share > 0) allowance = Math.min(allowance, share);
    }
    const room = ring.freed + SLOTS - MARGIN - token.sequence;
    return Math.max(0, Math.min(allowance, room));
  }

  #retransmit(token: Token, allowance: number): number {
    let sent = 0;
    if (token.requests.length === 0) return sent;
    token.requests = token.requests.filter((sequence) => {
      const message = this.ring.get(sequence);
      if (message === undefined || sent >= allowance) return true;
      this.#context.transmit("all", message.raw);
      sent++;
      return false;
    });
    this.#context.counters.retransmitted += sent;
    return sent;
  }

  #send(token: Token, allowance: number): number {
    let sent = 0;
    while (sent < allowance) {
      const message = this.source.next(token.sequence + 1);
      if (!message) break;
      token.sequence++;
      this.ring.insert(message);
      this.#context.transmit("all", message.raw);
      sent++;
    }
    this.#context.counters.messagesSent += sent;
    return sent;
  }

  #acknowledge(token: Token): void {
    const { ring } = this;
    const { self } = this.#context;
    if (ring.aru < token.aru || token.aruBy === self || token.aruBy === 0) {
      token.aru = ring.aru;
      token.aruBy = ring.aru === token.sequence ? 0 : self;
    }
  }
}

import type { NodeId } from "../../terms/index.ts";
import { sameRing } from "../face.ts";
import type { Context } from "./context.ts";
import { Ring } from "./ring.ts";
import type { Source } from "./rotation.ts";
import { type Commit, decapsulate, encapsulate, type Regular, type Token } from "./wire.ts";

/** Visits with the retransmit flag down after which the install sequence is fixed, and after which it may count. */
const QUIET_VISITS = 2;
const INSTALL_VISITS = 3;
/** Visits in a row in which all must have everything. */
const CONFIRMED_VISITS = 2;

/**
 * The Recovery state: those who come from the same old ring give each other what any of them lacks of it, carried as
 * ordered messages of the new ring, until all have everything (Totem, section 6).
 */
export class Recovery implements Source {
  readonly ring: Ring;
  /** Members of the new ring that come from my old one: the transitional configuration. */
  readonly survivors: ReadonlySet<NodeId>;
  /**
   * The survivors, and those to whom any of them has confirmed before that it has everything: they may have gone on
   * and delivered it, so their messages are delivered even behind a hole (Totem, obligation set).
   */
  readonly creditors: ReadonlySet<NodeId>;
  /** Highest message of the old ring that any of them has delivered. */
  readonly reached: number;
  readonly orderly: ReadonlySet<NodeId>;
  readonly #context: Context;
  readonly #old: Ring;
  readonly #pending: number[] = [];
  #next = 0;
  /** Old messages that have already been carried in this ring. */
  readonly #carried = new Set<number>();
  #flagMine = false;
  #quiet = 0;
  #confirmed = 0;
  #installSequence = 0;

  constructor(context: Context, old: Ring, commit: Commit) {
    this.#context = context;
    this.#old = old;
    const members = commit.members.map((entry) => entry.id);
    this.ring = new Ring(commit.ring, members, context.self);
    const kin = commit.members.filter((entry) => sameRing(entry.oldRing, old.id));
    this.survivors = new Set(kin.map((entry) => entry.id));
    this.creditors = new Set(kin.flatMap((entry) => [entry.id, ...entry.obligation]));
    this.reached = Math.max(...kin.map((entry) => entry.delivered));
    this.orderly = new Set(commit.orderly);
    const high = Math.max(...kin.map((entry) => entry.high));
    const low = Math.min(...kin.map((entry) => entry.aru));
    for (let sequence = low + 1; sequence <= high; sequence++)
      if (old.get(sequence)) this.#pending.push(sequence);
  }

  backlog(): number {
    this.#skipCarried();
    return this.#pending.length - this.#next;
  }

  next(sequence: number): Regular | undefined {
    this.#skipCarried();
    const wanted = this.#pending[this.#next];
    const inner = wanted === undefined ? undefined : this.#old.get(wanted);
    if (!inner) return undefined;
    this.#next++;
    return encapsulate(this.#context.self, this.ring.id, sequence, inner);
  }

  /** A message of the new ring has come: unpacks what it carries of my old ring. */
  unpack(carrier: Regular): void {
    const inner = decapsulate(carrier);
    if (!inner) {
      this.#context.counters.malformed++;
      return;
    }
    if (!this.survivors.has(carrier.sender) || !this.#old.owns(inner, carrier.sender)) return;
    this.#carried.add(inner.sequence);
    if (this.#old.insert(inner)) this.#context.counters.recovered++;
  }

  /** Raises and lowers the token's retransmit flag; before the token is sent on. */
  mark(token: Token): void {
    if (this.backlog() > 0) {
      if (!token.retransmit) this.#flagMine = true;
      token.retransmit = true;
    } else if (token.retransmit && this.#flagMine) {
      token.retransmit = false;
      this.#flagMine = false;
    }
  }

  /** Counts a visit. Whether all have everything, so that the ring can be installed. */
  complete(token: Token): boolean {
    this.#quiet = token.retransmit ? 0 : this.#quiet + 1;
    if (this.#quiet === QUIET_VISITS) this.#installSequence = token.sequence;
    if (this.#quiet >= QUIET_VISITS && this.ring.aru >= this.#installSequence) {
      for (const id of this.creditors) this.#old.obligation.add(id);
    }
    const done = this.#quiet >= INSTALL_VISITS && this.#installSequence <= token.aru;
    this.#confirmed = done ? this.#confirmed + 1 : 0;
    return this.#confirmed >= CONFIRMED_VISITS;
  }

  #skipCarried(): void {
    for (;;) {
      const wanted = this.#pending[this.#next];
      if (wanted === undefined || !this.#carried.has(wanted)) return;
      this.#next++;
    }
  }
}

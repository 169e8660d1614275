import { MAX_NODES, type Millis, type NodeId } from "../../terms/index.ts";
import { bestClique } from "./clique.ts";
import type { Join } from "./wire.ts";

interface Heard {
  readonly at: Millis;
  readonly join: Join;
}

/** What a join did to my proposal. */
export type JoinOutcome = "ignored" | "noted" | "changed";

const subset = (a: ReadonlySet<NodeId>, b: ReadonlySet<NodeId>): boolean => {
  for (const id of a) if (!b.has(id)) return false;
  return true;
};
const equal = (a: ReadonlySet<NodeId>, b: ReadonlySet<NodeId>): boolean => a.size === b.size && subset(a, b);

/**
 * One stay in the Gather state: the proposal (proc and failed sets, Totem section 5) and the joins that others sent.
 *
 * The sets only grow, and all that agree must have the same sets, as in the paper. Two additions make partial
 * connectivity end well. A join says whom its sender hears, and consensus also needs that every two of the proposed
 * members hear each other. And where the paper would believe whichever accusation or timeout comes first, the failed
 * set is computed: what remains is the best set of nodes without a broken pair (most nodes, then lowest ids), so that
 * all who know the same pick the same.
 */
export class Gather {
  readonly self: NodeId;
  readonly proc: Set<NodeId>;
  readonly failed = new Set<NodeId>();
  readonly orderly = new Set<NodeId>();
  /** The consensus timer has run out at least once. */
  expired = false;
  /** I could not receive for too long: I accuse myself and go on alone. */
  selfFailed = false;
  /** When a join was last sent. */
  lastJoinSent: Millis = Number.NEGATIVE_INFINITY;
  /** Joins sent since the proposal was new. */
  joinsSent = 0;
  readonly #joins = new Map<NodeId, Heard>();

  constructor(self: NodeId, proc: Iterable<NodeId>) {
    this.self = self;
    this.proc = new Set([...proc, self]);
  }

  /** Takes over the sets of the stay before, whose ring did not come about. */
  inherit(before: Gather): void {
    for (const id of before.proc) this.proc.add(id);
    for (const id of before.failed) this.failed.add(id);
    for (const id of before.orderly) this.orderly.add(id);
  }

  /** The proposed members, ascending. */
  target(): NodeId[] {
    return [...this.proc].filter((id) => !this.failed.has(id)).sort((a, b) => a - b);
  }

  /** A join of another node. */
  receive(from: NodeId, join: Join, now: Millis): JoinOutcome {
    if (join.leave || join.failed.has(from)) return this.#gone(from, join);
    if (this.failed.has(from) || this.selfFailed) return "ignored";
    this.#joins.set(from, { at: now, join });
    const before = this.#size();
    if (this.proc.size + join.proc.size <= MAX_NODES) for (const id of join.proc) this.proc.add(id);
    for (const id of join.orderly) if (this.proc.has(id)) this.orderly.add(id);
    this.proc.add(from);
    if (join.failed.has(this.self)) this.failed.add(from);
    else if (!subset(join.failed, this.failed)) this.#weighAccusations();
    return this.#size() === before ? "noted" : "changed";
  }

  /**
   * Whether a join of somebody who agreed to my sets was sent afterwards: sets only grow, so one that names more is no
   * late copy of the agreement, and its sender will not take the commit token that came of it.
   */
  outgrownBy(join: Join): boolean {
    return !subset(join.proc, this.proc) || !subset(join.failed, this.failed);
  }

  /** Forgets who agreed; they have to say so again. */
  forgetJoins(): void {
    this.#joins.clear();
  }

  /** Whether all proposed members propose the same and hear each other. */
  consensus(): boolean {
    const target = this.target();
    return target.every((id) => id === this.self || this.#agrees(id)) && this.#hearEachOther(target);
  }

  /**
   * The consensus timer ran out: puts into the failed set who does not fit. Joins from before `since` do not count.
   * Whether the sets changed.
   */
  expire(since: Millis): boolean {
    this.expired = true;
    const before = this.#size();
    const target = this.target();
    const alive = target.filter((id) => {
      const heard = this.#joins.get(id);
      return heard !== undefined && heard.at >= since && heard.join.heard.has(this.self);
    });
    const fit = new Set(bestClique(this.self, alive, (a, b) => !this.#accused(a, b) && this.#mutual(a, b)));
    if (fit.size < target.length) {
      for (const id of target) if (!fit.has(id)) this.failed.add(id);
    } else {
      for (const id of target) if (id !== this.self && !this.#agrees(id)) this.failed.add(id);
      if (this.#size() === before) this.forgetJoins();
    }
    return this.#size() !== before;
  }

  /** Highest ring sequence that a join told. */
  highestRing(): number {
    let highest = 0;
    for (const { join } of this.#joins.values()) highest = Math.max(highest, join.ringSequence);
    return highest;
  }

  #gone(from: NodeId, join: Join): JoinOutcome {
    const before = this.#size();
    if (join.leave) this.orderly.add(from);
    this.proc.add(from);
    this.failed.add(from);
    this.#joins.delete(from);
    return this.#size() === before ? "noted" : "changed";
  }

  #size(): number {
    return this.proc.size + this.failed.size;
  }

  #agrees(id: NodeId): boolean {
    const join = this.#joins.get(id)?.join;
    return join !== undefined && equal(join.proc, this.proc) && equal(join.failed, this.failed);
  }

  #hearEachOther(target: readonly NodeId[]): boolean {
    return target.every((id) => {
      const heard = this.#joins.get(id)?.join.heard;
      return (
        id === this.self || (heard !== undefined && target.every((other) => other === id || heard.has(other)))
      );
    });
  }

  /** Whether one of the two has the other in its failed set. */
  #accused(a: NodeId, b: NodeId): boolean {
    return this.#failedOf(a)?.has(b) === true || this.#failedOf(b)?.has(a) === true;
  }

  #failedOf(id: NodeId): ReadonlySet<NodeId> | undefined {
    return id === this.self ? this.failed : this.#joins.get(id)?.join.failed;
  }

  #mutual(a: NodeId, b: NodeId): boolean {
    const hears = (x: NodeId, y: NodeId) => x === this.self || this.#joins.get(x)?.join.heard.has(y) === true;
    return hears(a, b) && hears(b, a);
  }

  /**
   * Somebody accuses somebody. Whoever is silent here is believed to be gone; of two who are both alive here but do
   * not want each other, the one outside the best remaining set has to go. Pairs that hear each other are preferred,
   * but not hearing is no reason yet: who has only begun to gather has not heard everybody.
   */
  #weighAccusations(): void {
    this.#keepOnly(
      bestClique(this.self, this.#alive(), (a, b) => !this.#accused(a, b) && this.#mutual(a, b)),
    );
    const disputed = this.#alive().some((a) => this.target().some((b) => a !== b && this.#accused(a, b)));
    if (disputed) this.#keepOnly(bestClique(this.self, this.#alive(), (a, b) => !this.#accused(a, b)));
  }

  #alive(): NodeId[] {
    return this.target().filter((id) => id !== this.self && this.#joins.has(id));
  }

  /** Whoever is in dispute with one of `kept` has failed. */
  #keepOnly(kept: readonly NodeId[]): void {
    for (const id of this.target()) {
      if (!kept.includes(id) && kept.some((other) => this.#accused(id, other))) this.failed.add(id);
    }
  }
}

import type { Millis, NodeId } from "../../terms/index.ts";
import type { RingId } from "../face.ts";
import { refusedText } from "../links-strangers.ts";
import { bestClique } from "./clique.ts";
import type { Context } from "./context.ts";
import { encodeMerge, type Merge, type Stamp } from "./wire.ts";

/** Every n-th merge period every member shows itself; the representative of an incomplete ring does it in each. */
const CALM_PERIODS = 5;
/** Merge periods for which a neighbour counts as heard. */
const HEARD_PERIODS = 15;
/** Merge periods of silence after which a member of the own ring counts as cut off: twelve of its messages. */
const DEAF_PERIODS = 60;
/** Merge periods after which a neighbour that was refused counts as gone. */
const FORGOTTEN_PERIODS = 60;
/** The answer to a neighbour that has just been heard for the first time. */
const ANSWER_MS = 5;
/** The longest pause between two attempts, in consensus times: a network that is whole again may not wait for long. */
const LONGEST_BACKOFF = 4;

/** What a neighbour outside Gather last said of itself. */
interface View {
  readonly at: Millis;
  readonly members: ReadonlySet<NodeId>;
  readonly heard: ReadonlySet<NodeId>;
}

/** What keeps nodes with these two configurations apart. */
function difference(mine: Stamp, other: Stamp): string | undefined {
  if (mine.version !== 0 && other.version !== 0 && mine.version !== other.version) {
    return `its configuration has version ${other.version}, this one ${mine.version}; give both the newer one`;
  }
  if (mine.nodes !== other.nodes) return "their configurations list different nodes; give both the same one";
  return undefined;
}

/**
 * Whom this node hears, and what the neighbours say whom they hear. Decides whether leaving a ring that works can end
 * in a better one.
 *
 * The rule, so that one-way and partial connectivity ends in stable rings: a working ring is left for others only when
 * there is a set of nodes, this one among them, in which every pair hears each other both ways, and which is larger
 * than the present ring of *each* of its nodes. Each such step makes the list of ring sizes, largest first, grow in
 * lexicographic order, so the steps come to an end and the rings then stay as they are, however often their merge
 * detect messages reach each other. An attempt that gained nothing (the neighbours knew more, or a link has just
 * died) makes the pause before the next one longer, up to four consensus times; a neighbour that is heard again is
 * news, and ends the pause.
 */
export class Neighbours {
  readonly #context: Context;
  readonly #lastHeard = new Map<NodeId, Millis>();
  readonly #views = new Map<NodeId, View>();
  /** Nodes that the links do not reach, until something comes from them. */
  readonly #lost = new Set<NodeId>();
  /** Neighbours with another configuration, what has been said about it, and when they were heard last. */
  readonly #strangers = new Map<NodeId, { readonly reason: string; readonly at: Millis }>();
  #attempt: { readonly size: number } | undefined;
  #failures = 0;
  #installedAt: Millis = 0;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(context: Context) {
    this.#context = context;
  }

  /** An authenticated datagram of `from` arrived. Whether it is the first for long. */
  note(from: NodeId): boolean {
    const before = this.#lastHeard.get(from);
    this.#lastHeard.set(from, this.#context.now);
    const back = this.#lost.delete(from);
    return back || before === undefined || this.#context.now - before > this.window();
  }

  /** The links do not reach this node: that it was heard a moment ago is no reason any more to form a ring with it. */
  lost(id: NodeId): void {
    this.#lost.add(id);
  }

  /** How long one datagram proves that a neighbour is heard, while rings stand. */
  window(): Millis {
    const { consensusMs, mergeMs } = this.#context.options;
    return Math.max(consensusMs, HEARD_PERIODS * mergeMs);
  }

  /** Nodes heard within `window`, and `always`. */
  heard(window: Millis, always: Iterable<NodeId> = []): Set<NodeId> {
    const nodes = new Set(always);
    nodes.delete(this.#context.self);
    for (const [id, at] of this.#lastHeard)
      if (this.#context.now - at <= window && !this.#lost.has(id)) nodes.add(id);
    return nodes;
  }

  /** A neighbour showed its ring (no members: it is gathering) and whom it hears. */
  learn(from: NodeId, members: ReadonlySet<NodeId>, heard: ReadonlySet<NodeId>): void {
    this.#views.set(from, { at: this.#context.now, members, heard });
  }

  /**
   * Whether a neighbour from outside the ring must stay there because its configuration is another one (as corosync
   * does with config_version); says so once. It hears from us too, and so it says the same on its side.
   */
  refuses(from: NodeId, stamp: Stamp): boolean {
    const mine = this.#context.stamp;
    const reason = difference(mine, stamp);
    const said = this.#strangers.get(from);
    if (reason === undefined) {
      this.#strangers.delete(from);
      return false;
    }
    this.#strangers.set(from, { reason, at: this.#context.now });
    if (said?.reason !== reason) this.#context.log("error", refusedText(`node ${from}`, reason));
    return true;
  }

  /** Those that are refused now, and why. */
  refused(): { readonly node: NodeId; readonly reason: string }[] {
    const since = this.#context.now - FORGOTTEN_PERIODS * this.#context.options.mergeMs;
    return [...this.#strangers]
      .filter(([, { at }]) => at >= since)
      .map(([node, { reason }]) => ({ node, reason }));
  }

  /** Configured no more. */
  forget(id: NodeId): void {
    this.#views.delete(id);
    this.#lastHeard.delete(id);
    this.#lost.delete(id);
  }

  /** The ring is installed: tells the merge timer, and whether an attempt to merge was worth it. */
  installed(members: ReadonlySet<NodeId>, representative: boolean): void {
    this.#installedAt = this.#context.now;
    if (this.#attempt) {
      const gained = members.size > this.#attempt.size;
      this.#failures = gained ? 0 : this.#failures + 1;
      const pause = this.#context.options.consensusMs * Math.min(2 ** this.#failures, LONGEST_BACKOFF);
      this.#notBefore = gained ? Number.NEGATIVE_INFINITY : this.#context.now + pause;
      this.#attempt = undefined;
    }
    this.schedule(members, representative);
  }

  /** Sets the merge timer, if there is anybody else at all. */
  schedule(members: ReadonlySet<NodeId>, representative: boolean): void {
    const { peers, options } = this.#context;
    if (peers.size === 0) return this.#context.disarm("merge");
    const missing = [...peers].some((id) => !members.has(id));
    this.#context.arm("merge", missing && representative ? options.mergeMs : CALM_PERIODS * options.mergeMs);
  }

  /**
   * A member of the ring from which nothing has come for so long that the way from it must be cut. The token need not
   * pass that way and messages arrive by retransmission, so the ring works; but slowly, and it would not form again.
   */
  cutOff(members: ReadonlySet<NodeId>): NodeId | undefined {
    const { self, now, options } = this.#context;
    const since = now - DEAF_PERIODS * options.mergeMs;
    if (this.#installedAt > since) return undefined;
    return [...members].find((id) => id !== self && (this.#lastHeard.get(id) ?? since) <= since);
  }

  /** Somebody new is heard: show ourselves soon, so that both sides can judge anew. */
  hurry(): void {
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
    const due = this.#context.timers.deadline("merge");
    if (due !== undefined && due <= this.#context.now + ANSWER_MS) return;
    this.#context.arm("merge", ANSWER_MS);
  }

  /** Shows this ring to everybody. */
  show(ring: RingId, members: ReadonlySet<NodeId>): void {
    const merge: Merge = {
      kind: "merge",
      ring,
      members,
      heard: this.heard(this.window(), members),
      stamp: this.#context.stamp,
    };
    this.#context.transmit("all", encodeMerge(merge));
  }

  /**
   * The nodes that would make a better ring for all of them than they have, or undefined. Ascending. `asked`: one of
   * them has already left its ring, so its attempt is not let down by my pause.
   */
  betterRing(members: ReadonlySet<NodeId>, asked: boolean): NodeId[] | undefined {
    const { self, now } = this.#context;
    if (!asked && now < this.#notBefore) return undefined;
    const candidates = new Set<NodeId>(members);
    for (const [id, view] of this.#views) {
      if (!members.has(id) && now - view.at <= this.window() && view.heard.has(self)) candidates.add(id);
    }
    const mine = this.heard(this.window(), members);
    const edge = (a: NodeId, b: NodeId): boolean =>
      this.#hears(a, b, members, mine) && this.#hears(b, a, members, mine);
    // Who sits in a ring that is as large already will not come: try again without those.
    while (candidates.size > members.size) {
      const found = bestClique(self, candidates, edge);
      if (found.length <= members.size) return undefined;
      const unwilling = found.filter((id) => !members.has(id) && this.#ringSize(id) >= found.length);
      if (unwilling.length === 0) return found;
      for (const id of unwilling) candidates.delete(id);
    }
    return undefined;
  }

  /** A ring of `size` is left for a better one. */
  attempt(size: number): void {
    this.#attempt = { size };
  }

  #ringSize(id: NodeId): number {
    return this.#views.get(id)?.members.size ?? 0;
  }

  #hears(a: NodeId, b: NodeId, members: ReadonlySet<NodeId>, mine: ReadonlySet<NodeId>): boolean {
    if (members.has(a) && members.has(b)) return true;
    if (a === this.#context.self) return mine.has(b);
    const view = this.#views.get(a);
    return view !== undefined && (view.heard.has(b) || view.members.has(b));
  }
}

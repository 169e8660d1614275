import type { RingMessage } from "../../src/daemon/ring-core-wire.ts";
import { type NodeId, nodeId } from "../../src/terms/index.ts";
import type { RingId } from "../../src/totem/index.ts";
import type { Random } from "../sim/random.ts";
import type { Clock } from "./clock.ts";

/** What a ring process gets from the order, one after the other. */
export type Item =
  | { readonly kind: "message"; readonly from: NodeId; readonly message: RingMessage }
  | { readonly kind: "transitional"; readonly members: readonly NodeId[] }
  | {
      readonly kind: "regular";
      readonly ringId: RingId;
      readonly members: readonly NodeId[];
      readonly orderly: readonly NodeId[];
    };

interface Entry {
  readonly sender: Port;
  readonly item: Item;
  /** Delivered only when all members have received it. */
  readonly safe: boolean;
}

interface Arrival {
  readonly item: Item;
  /** Of a message of the present ring. */
  readonly entry?: Entry;
  /** Infinity: on its way when the ring fell apart; it comes when the next ring has been formed, or never. */
  at: number;
}

interface Ring {
  readonly id: RingId;
  readonly members: readonly Port[];
  /** The token is lost: nothing is ordered any more. */
  stalled: boolean;
}

/** Where a ring process is joined to the order. */
export class Port {
  readonly id: NodeId;
  /** The part of the network that the node is in. */
  part = 0;
  alive = true;
  ring: Ring | undefined;
  /** Waits for the token. */
  readonly queue: { readonly message: RingMessage; readonly safe: boolean }[] = [];
  readonly arrivals: Arrival[] = [];
  due: (() => void) | undefined;
  visiting = false;

  constructor(
    id: NodeId,
    readonly deliver: (item: Item) => void,
  ) {
    this.id = id;
  }
}

/** How quickly the ring acts, milliseconds. */
export interface OrderTimes {
  /** Token and consensus timeouts: who is silent for both is not a member any more. */
  readonly tokenMs: number;
  readonly consensusMs: number;
}

/**
 * A stand-in for totem: every part of the network is one ring, in which all members get the same messages in the same
 * order. When a ring falls apart, those that go on together into the next one are given the same of what was under way:
 * at least what one of them was given already and what they said themselves; with a hole in it, behind the transitional
 * configuration (Moser et al., "Extended Virtual Synchrony"). What waited for the token is said in the next ring.
 */
export class Order {
  private readonly ports = new Set<Port>();
  private readonly forming = new Map<number, () => void>();
  private readonly orderly = new Set<NodeId>();
  private sequence = 0;
  /** Messages that are ordered and not yet delivered everywhere, or wait for that. */
  underWay = 0;
  /** How much longer the token may be on its way, milliseconds: machines that are busy, networks that are long. */
  slowMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly times: OrderTimes,
  ) {}

  /** A ring process has been started: it is heard, and a ring with it is formed as soon as nobody is waited for. */
  join(port: Port): void {
    this.ports.add(port);
    const soon = this.random.between(20, 200);
    this.reform(port.part, this.isMissing(port.part) ? this.times.consensusMs : soon);
  }

  /** Whether somebody who has not said goodbye does not answer: it is given the consensus timeout. */
  private isMissing(part: number): boolean {
    const here = [...this.ports].filter((port) => port.part === part);
    const ids = new Set(here.map(({ id }) => id));
    return here.some(({ ring }) =>
      ring?.members.some(({ id, alive }) => !alive && !ids.has(id) && !this.orderly.has(id)),
    );
  }

  /** A ring process has died, or its host. */
  die(port: Port): void {
    if (!this.remove(port)) return;
    if (port.ring) this.fallApart(port.ring);
    this.reform(port.part, this.detection());
  }

  /** It says goodbye: the others need not wait. */
  leave(port: Port): void {
    if (!this.remove(port)) return;
    this.orderly.add(port.id);
    if (port.ring) port.ring.stalled = true;
    this.reform(port.part, this.random.between(5, 60));
  }

  /** The network is cut, or mended: which node is in which part. */
  divide(partOf: (id: NodeId) => number): void {
    const before = new Map([...this.ports].map((port) => [port, port.part]));
    for (const port of this.ports) port.part = partOf(port.id);
    for (const port of this.ports) {
      const { ring } = port;
      const apart = ring?.members.some((other) => other.alive && other.part !== port.part);
      if (ring && apart) this.fallApart(ring);
      if (apart) this.reform(port.part, this.detection());
      else if (before.get(port) !== port.part) this.reform(port.part, this.random.between(100, 1500));
    }
  }

  /** Whether every part is one ring of all that are there. */
  get settled(): boolean {
    return this.forming.size === 0 && [...this.ports].every((port) => port.ring && !port.ring.stalled);
  }

  send(port: Port, message: RingMessage, safe: boolean): void {
    if (!port.alive) return;
    port.queue.push({ message, safe });
    this.underWay++;
    this.await(port);
  }

  private remove(port: Port): boolean {
    if (!port.alive) return false;
    port.alive = false;
    port.due?.();
    this.ports.delete(port);
    this.underWay -= port.queue.length + port.arrivals.length;
    return true;
  }

  private detection(): number {
    return this.random.between(this.times.tokenMs, this.times.tokenMs + this.times.consensusMs);
  }

  // ── one ring ─────────────────────────────────────────────────────────────────────────────────────────────

  private await(port: Port): void {
    if (port.visiting || !port.ring || port.ring.stalled || port.queue.length === 0) return;
    port.visiting = true;
    const wait = this.random.chance(0.05) ? this.random.between(5, 40) : this.random.unit() * 3;
    const slow = this.slowMs === 0 ? 0 : this.random.unit() * this.slowMs;
    this.clock.after(wait + slow, () => {
      port.visiting = false;
      if (!port.alive || !port.ring || port.ring.stalled) return;
      for (const { message, safe } of port.queue.splice(0)) this.order(port, port.ring, message, safe);
    });
  }

  private order(port: Port, ring: Ring, message: RingMessage, safe: boolean): void {
    const entry: Entry = { sender: port, item: { kind: "message", from: port.id, message }, safe };
    const delay = (member: Port) =>
      member === port ? 0 : this.random.chance(0.03) ? this.random.between(3, 25) : this.random.unit() * 2;
    const delays = ring.members.map(delay);
    const all = safe ? Math.max(...delays) + 1 : 0;
    ring.members.forEach((member, n) => {
      if (!member.alive) return;
      const at = this.clock.now + (safe ? all + this.random.unit() * 2 : (delays[n] ?? 0));
      this.arrive(member, { item: entry.item, entry, at });
    });
    this.underWay--;
  }

  private arrive(port: Port, arrival: Arrival): void {
    const last = port.arrivals.at(-1);
    if (last) arrival.at = Math.max(arrival.at, last.at);
    port.arrivals.push(arrival);
    this.underWay++;
    if (port.arrivals.length === 1) this.expect(port);
  }

  private expect(port: Port): void {
    port.due?.();
    port.due = undefined;
    const next = port.arrivals[0];
    if (!next || next.at === Number.POSITIVE_INFINITY) return;
    port.due = this.clock.after(next.at - this.clock.now, () => {
      port.due = undefined;
      port.arrivals.shift();
      this.underWay--;
      port.deliver(next.item);
      if (port.alive && !port.due) this.expect(port);
    });
  }

  // ── from ring to ring ────────────────────────────────────────────────────────────────────────────────────

  /** The token is lost. What is on its way arrives, or is missed by some. */
  private fallApart(ring: Ring): void {
    if (ring.stalled) return;
    ring.stalled = true;
    for (const member of ring.members) {
      if (!member.alive || this.random.chance(0.5)) continue;
      const missed = member.arrivals.findIndex(({ entry }) => entry !== undefined);
      if (missed < 0) continue;
      const from = this.random.between(missed, member.arrivals.length - 1);
      for (const arrival of member.arrivals.slice(from)) arrival.at = Number.POSITIVE_INFINITY;
      this.expect(member);
    }
  }

  private reform(part: number, afterMs: number): void {
    this.forming.get(part)?.();
    this.forming.set(
      part,
      this.clock.after(afterMs, () => {
        this.forming.delete(part);
        this.form([...this.ports].filter((port) => port.part === part));
      }),
    );
    for (const port of this.ports) if (port.part === part && port.ring) this.fallApart(port.ring);
  }

  private form(members: readonly Port[]): void {
    if (members.length === 0) return;
    this.sequence += 4;
    const ids = members.map(({ id }) => id).sort((a, b) => a - b);
    const ringId: RingId = {
      representative: ids[0] ?? nodeId(1),
      sequence: this.sequence,
      memberDigest: 0,
    };
    const before = Map.groupBy(members, ({ ring }) => ring);
    const ring: Ring = { id: ringId, members, stalled: false };
    const orderly = [...this.orderly].filter((id) => !ids.includes(id));
    for (const [old, kin] of before)
      this.recover(old, kin, { kind: "regular", ringId, members: ids, orderly });
    for (const id of ids) this.orderly.delete(id);
    for (const port of members) {
      port.ring = ring;
      this.await(port);
    }
  }

  /** Those that come from one ring together: the same of what was under way, then both configurations. */
  private recover(old: Ring | undefined, kin: readonly Port[], regular: Item): void {
    const open = (port: Port) => port.arrivals.flatMap(({ entry }) => (entry ? [entry] : []));
    const lists = kin.map(open);
    // Whoever lacks most has the whole order of what some of them lack.
    const longest = lists.reduce((best, list) => (list.length > best.length ? list : best), [] as Entry[]);
    const given = longest.length - Math.min(...lists.map(({ length }) => length));
    const kept: { readonly entry: Entry; readonly late: boolean }[] = [];
    let hole = false;
    longest.forEach((entry, at) => {
      if (at < given) kept.push({ entry, late: false });
      else if (kin.includes(entry.sender) || (!hole && this.random.chance(0.5))) {
        hole ||= entry.safe;
        kept.push({ entry, late: hole });
      } else hole = true;
    });
    const survivors: Item = { kind: "transitional", members: old ? kin.map(({ id }) => id) : [] };
    kin.forEach((port, n) => {
      const lacks = new Set(lists[n]);
      const later = port.arrivals.filter(({ entry }) => entry === undefined);
      this.underWay -= port.arrivals.length - later.length;
      port.arrivals.splice(0, port.arrivals.length, ...later);
      for (const arrival of later)
        if (arrival.at === Number.POSITIVE_INFINITY) arrival.at = this.clock.now + this.random.unit() * 3;
      const add = (item: Item) => this.arrive(port, { item, at: this.clock.now + this.random.unit() * 3 });
      for (const { entry, late } of kept) if (!late && lacks.has(entry)) add(entry.item);
      add(survivors);
      for (const { entry, late } of kept) if (late && lacks.has(entry)) add(entry.item);
      add(regular);
      this.expect(port);
    });
  }
}

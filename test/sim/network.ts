import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

/** How one link carries datagrams from one node to another. */
export interface Quality {
  /** Part of the datagrams that are lost, 0 … 1. */
  loss: number;
  /** Part that arrives twice. */
  duplicate: number;
  delayMs: number;
  /** Added to the delay, 0 up to this: datagrams overtake each other. */
  jitterMs: number;
  cut: boolean;
  /** Nothing arrives before this time; then all that fits at once. */
  cloggedUntil: number;
}

export type Receive = (link: number, address: string, data: Uint8Array) => void;

/** Datagrams that a clogged way holds before it drops more. */
const CLOG_LIMIT = 300;

/** A network of several links between all nodes, one way at a time. */
export class Network {
  readonly base: Quality;
  sent = 0;
  /** Bytes of the longest datagram so far. */
  longest = 0;
  private readonly ways = new Map<number, Quality>();
  private readonly clogged = new Map<number, number>();
  private readonly receivers = new Map<number, Receive>();
  private readonly recorded: { link: number; from: number; to: number; data: Uint8Array }[] = [];
  private readonly schedule: Schedule;
  private readonly random: Random;

  constructor(schedule: Schedule, random: Random, base: Quality) {
    this.schedule = schedule;
    this.random = random;
    this.base = base;
  }

  attach(node: number, receive: Receive): void {
    this.receivers.set(node, receive);
  }

  /** The way from one node to another on a link, to be changed at will. */
  way(link: number, from: number, to: number): Quality {
    const key = wayKey(link, from, to);
    const known = this.ways.get(key);
    if (known) return known;
    const fresh = { ...this.base };
    this.ways.set(key, fresh);
    return fresh;
  }

  /** All faults end. */
  heal(): void {
    for (const quality of this.ways.values()) Object.assign(quality, this.base);
  }

  send(link: number, from: number, to: number, data: Uint8Array): void {
    this.sent += 1;
    this.longest = Math.max(this.longest, data.length);
    const way = this.way(link, from, to);
    if (this.random.chance(0.002)) this.record(link, from, to, data);
    if (way.cut || (way.loss > 0 && this.random.chance(way.loss))) return;
    this.carry(way, link, from, to, data);
    if (way.duplicate > 0 && this.random.chance(way.duplicate)) this.carry(way, link, from, to, data);
  }

  /** Somebody sends a datagram again that he has recorded; returns whether he had one. */
  replay(): boolean {
    if (this.recorded.length === 0) return false;
    const { link, from, to, data } = this.random.pick(this.recorded);
    this.carry(this.way(link, from, to), link, from, to, data);
    return true;
  }

  /** A datagram of nobody. */
  garbage(link: number, from: number, to: number, data: Uint8Array): void {
    this.carry(this.way(link, from, to), link, from, to, data);
  }

  private record(link: number, from: number, to: number, data: Uint8Array): void {
    if (this.recorded.length < 200) this.recorded.push({ link, from, to, data });
    else this.recorded[this.random.between(0, 199)] = { link, from, to, data };
  }

  private carry(way: Quality, link: number, from: number, to: number, data: Uint8Array): void {
    let delay = way.delayMs + this.random.unit() * way.jitterMs;
    const clog = way.cloggedUntil - this.schedule.now;
    if (clog > delay) {
      const key = wayKey(link, from, to);
      const waiting = (this.clogged.get(key) ?? 0) + 1;
      if (waiting > CLOG_LIMIT) return;
      this.clogged.set(key, waiting);
      delay = clog;
    } else if (this.clogged.size > 0) {
      this.clogged.delete(wayKey(link, from, to));
    }
    const receive = this.receivers.get(to);
    if (receive) this.schedule.after(delay, () => receive(link, addressOf(link, from), data));
  }
}

const wayKey = (link: number, from: number, to: number): number => (link * 1000 + from) * 1000 + to;

const addresses = new Map<number, string>();

/** Address of a node on a link. */
export function addressOf(link: number, node: number): string {
  const key = link * 1000 + node;
  const known = addresses.get(key);
  if (known !== undefined) return known;
  const fresh = `10.${link}.0.${node}`;
  addresses.set(key, fresh);
  return fresh;
}

import type { Millis } from "../terms/index.ts";

/** What a server keeps of a connection that has not proved yet that it is one of ours. */
interface Waiting<S> {
  readonly socket: S;
  readonly source: string;
  readonly since: Millis;
}

/** Limits of what strangers may hold open. */
export interface HandshakeLimits {
  /** Connections in their handshake at a time, of all strangers together. */
  readonly most: number;
  /** Of one address. */
  readonly mostOfSource: number;
  /** Time for a handshake while there are few. */
  readonly patienceMs: Millis;
  /** Time for it as soon as `crowd` of them wait: long for any host that means it, short for the silent. */
  readonly crowdedMs: Millis;
  readonly crowd: number;
}

export const handshakeLimits: HandshakeLimits = {
  most: 256,
  mostOfSource: 32,
  patienceMs: 10_000,
  crowdedMs: 2_000,
  crowd: 32,
};
/** Addresses that are remembered as those of peers that have proved themselves. */
const MOST_PROVEN = 256;

/**
 * Who may be in a handshake. Anybody can open connections and say nothing, so a place is never kept for whoever came
 * first: when places run out the oldest stranger goes, first of the address that has too many. An address from which
 * somebody has proved to be one of ours does not compete with strangers.
 */
export class Handshakes<S> {
  readonly #waiting = new Map<S, Waiting<S>>();
  readonly #proven = new Set<string>();

  constructor(private readonly limits: HandshakeLimits = handshakeLimits) {}

  get size(): number {
    return this.#waiting.size;
  }

  /** A connection begins. Answers those that have to go for it; it may be the new one itself, never a proven one. */
  enter(socket: S, source: string, now: Millis): S[] {
    this.#waiting.set(socket, { socket, source, since: now });
    const gone: S[] = [];
    const { most, mostOfSource } = this.limits;
    const same = [...this.#waiting.values()].filter((one) => one.source === source);
    if (same.length > mostOfSource && same[0]) gone.push(same[0].socket);
    else if (this.#waiting.size > most) {
      const stranger = [...this.#waiting.values()].find((one) => !this.#proven.has(one.source));
      if (stranger) gone.push(stranger.socket);
    }
    for (const one of gone) this.#waiting.delete(one);
    return gone;
  }

  /** The handshake is over, or the connection is. Answers whether it was waited for. */
  leave(socket: S): boolean {
    return this.#waiting.delete(socket);
  }

  /** The peer has proved that it is one of ours. */
  proven(source: string): void {
    this.#proven.delete(source);
    this.#proven.add(source);
    const [oldest] = this.#proven;
    if (this.#proven.size > MOST_PROVEN && oldest !== undefined) this.#proven.delete(oldest);
  }

  /** Takes out and answers whose time is over. */
  expired(now: Millis): S[] {
    const { patienceMs, crowdedMs, crowd } = this.limits;
    const patience = this.#waiting.size >= crowd ? crowdedMs : patienceMs;
    const late = [...this.#waiting.values()].filter(({ source, since }) => {
      return now - since >= (this.#proven.has(source) ? patienceMs : patience);
    });
    for (const { socket } of late) this.#waiting.delete(socket);
    return late.map(({ socket }) => socket);
  }
}

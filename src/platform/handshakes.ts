import type { Millis } from "../terms/index.ts";

/** What a server keeps of a connection that has not proved yet that it is one of ours. */
interface Waiting<S> {
  readonly socket: S;
  readonly source: string;
  readonly since: Millis;
  /** It was seen to have sent something. */
  spoke: boolean;
  /** Those that it shares places with. */
  readonly crowds: readonly Crowd<S>[];
}

/** Limits of what strangers may hold open. */
export interface HandshakeLimits {
  /** Connections at a time that have said nothing yet, and as many that have, of all strangers together. */
  readonly most: number;
  /** Of one network (IPv4: 24 bits, IPv6: 64 bits): whoever has one address of it may have all. */
  readonly mostOfNetwork: number;
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
  mostOfNetwork: 128,
  mostOfSource: 32,
  patienceMs: 10_000,
  crowdedMs: 2_000,
  crowd: 32,
};
/** Addresses that are remembered as those of peers that have proved themselves. */
export const MOST_PROVEN = 256;

/** What the places are given by; tests put others in their place. */
export interface HandshakeMeans<S> {
  /** Whether the other side has sent anything yet. */
  readonly spoke: (socket: S) => boolean;
  /** At least 0, less than 1. */
  readonly random: () => number;
}

/** Connections of which one can be drawn by lot; all in the same time however many there are. */
class Urn<S> {
  readonly #all: Waiting<S>[] = [];
  readonly #places = new Map<Waiting<S>, number>();

  get size(): number {
    return this.#all.length;
  }

  add(one: Waiting<S>): void {
    this.#places.set(one, this.#all.length);
    this.#all.push(one);
  }

  remove(one: Waiting<S>): void {
    const place = this.#places.get(one);
    if (place === undefined) return;
    this.#places.delete(one);
    const last = this.#all.pop();
    if (last === undefined || last === one) return;
    this.#all[place] = last;
    this.#places.set(last, place);
  }

  /** `lot`: at least 0, less than 1. */
  draw(lot: number): Waiting<S> | undefined {
    return this.#all[Math.floor(lot * this.#all.length)];
  }
}

/** Connections that share places: as many that have said nothing as that have. */
class Crowd<S> {
  readonly silent = new Urn<S>();
  readonly speaking = new Urn<S>();

  constructor(readonly most: number) {}

  of(one: Waiting<S>): Urn<S> {
    return one.spoke ? this.speaking : this.silent;
  }

  get isEmpty(): boolean {
    return this.silent.size + this.speaking.size === 0;
  }
}

/**
 * Who may be in a handshake. Anybody can open connections and say nothing, so a place is never kept for whoever came
 * first: when places run out one goes that is drawn by lot, first of the address or network that has too many. By lot, for
 * with the oldest going there would be a number of strangers a second at which nobody's handshake is ever fast enough; so
 * whoever tries again gets through. Those who have said something do not compete with those who have not. An address from
 * which somebody has proved to be one of ours does not compete with strangers.
 */
export class Handshakes<S> {
  readonly #waiting = new Map<S, Waiting<S>>();
  readonly #strangers: Crowd<S>;
  readonly #sources = new Map<string, Crowd<S>>();
  readonly #networks = new Map<string, Crowd<S>>();
  readonly #proven = new Set<string>();

  constructor(
    private readonly means: HandshakeMeans<S>,
    private readonly limits: HandshakeLimits = handshakeLimits,
    /** Addresses of peers that have proved themselves before, oldest first. */
    proven: readonly string[] = [],
  ) {
    this.#strangers = new Crowd(limits.most);
    for (const source of proven) this.proven(source);
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Addresses of those that have proved themselves, oldest first. */
  get provenSources(): readonly string[] {
    return [...this.#proven];
  }

  /** A connection begins. Answers those that have to go for it; it may be the new one itself, never a proven one of many addresses. */
  enter(socket: S, source: string, now: Millis): S[] {
    const { mostOfNetwork, mostOfSource } = this.limits;
    const crowds = [crowdOf(this.#sources, source, mostOfSource)];
    if (!this.#proven.has(source))
      crowds.push(crowdOf(this.#networks, networkOf(source), mostOfNetwork), this.#strangers);
    const one: Waiting<S> = { socket, source, since: now, spoke: false, crowds };
    this.#waiting.set(socket, one);
    for (const crowd of crowds) crowd.silent.add(one);
    for (const crowd of crowds) {
      const gone = this.#tooMany(crowd);
      if (gone) return this.#take([gone]);
    }
    return [];
  }

  /** The handshake is over, or the connection is. Answers whether it was waited for. */
  leave(socket: S): boolean {
    const one = this.#waiting.get(socket);
    if (one) this.#take([one]);
    return one !== undefined;
  }

  /** The peer has proved that it is one of ours. Answers whether its address is new. */
  proven(source: string): boolean {
    const known = this.#proven.delete(source);
    this.#proven.add(source);
    const [oldest] = this.#proven;
    if (this.#proven.size > MOST_PROVEN && oldest !== undefined) this.#proven.delete(oldest);
    return !known;
  }

  /** Takes out and answers whose time is over. */
  expired(now: Millis): S[] {
    const { patienceMs, crowdedMs, crowd } = this.limits;
    const patience = this.#waiting.size >= crowd ? crowdedMs : patienceMs;
    const late = [...this.#waiting.values()].filter(({ source, since }) => {
      return now - since >= (this.#proven.has(source) ? patienceMs : patience);
    });
    return this.#take(late);
  }

  /** One of too many; undefined when there are not. One that is drawn as silent and has spoken is noted, and stays. */
  #tooMany({ silent, speaking, most }: Crowd<S>): Waiting<S> | undefined {
    const drawn = silent.size > most ? silent.draw(this.means.random()) : undefined;
    if (drawn && !this.means.spoke(drawn.socket)) return drawn;
    if (drawn) this.#hasSpoken(drawn);
    return speaking.size > most ? speaking.draw(this.means.random()) : undefined;
  }

  #hasSpoken(one: Waiting<S>): void {
    for (const crowd of one.crowds) crowd.silent.remove(one);
    one.spoke = true;
    for (const crowd of one.crowds) crowd.speaking.add(one);
  }

  #take(these: readonly Waiting<S>[]): S[] {
    for (const one of these) {
      this.#waiting.delete(one.socket);
      for (const crowd of one.crowds) crowd.of(one).remove(one);
      forgetEmpty(this.#sources, one.source);
      forgetEmpty(this.#networks, networkOf(one.source));
    }
    return these.map(({ socket }) => socket);
  }
}

function crowdOf<S>(crowds: Map<string, Crowd<S>>, name: string, most: number): Crowd<S> {
  const crowd = crowds.get(name) ?? new Crowd<S>(most);
  crowds.set(name, crowd);
  return crowd;
}

function forgetEmpty<S>(crowds: Map<string, Crowd<S>>, name: string): void {
  if (crowds.get(name)?.isEmpty) crowds.delete(name);
}

/** The network that whoever has this address may have as a whole. */
function networkOf(source: string): string {
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+)\.\d+$/.exec(source);
  if (v4?.[1] !== undefined) return v4[1];
  const [head = "", tail] = source.split("%")[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? 0 : tail.split(":").length;
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after);
  return [...groups, ...Array(zeros).fill("0")].slice(0, 4).join(":");
}

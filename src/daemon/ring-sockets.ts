import { type FilterInstruction, openUdp, type UdpSocket } from "../platform/index.ts";
import { HactlError, type Millis } from "../terms/index.ts";
import type { NodeSetup } from "./setup.ts";

/** How soon it is noticed that an address has come. */
const retryMs: Millis = 500;

/** What a socket of the ring is bound to. */
export interface Place {
  readonly link: number;
  readonly address: string;
  readonly port: number;
}

interface Bound extends Place {
  readonly socket: UdpSocket;
}

const same = (a: Place, b: Place) => a.link === b.link && a.address === b.address && a.port === b.port;

/** Where a node receives: its own address on every link. */
function placesOf({ config, self }: NodeSetup): Place[] {
  return config.links.flatMap(({ number, port }) => {
    const address = self.addresses.get(number);
    return address === undefined ? [] : [{ link: number, address, port }];
  });
}

export interface RingSocketsHost {
  readonly datagram: (link: number, address: string, data: Uint8Array) => void;
  readonly error: (link: number, error: Error) => void;
  /** An address that no interface of this machine had is there now. */
  readonly came: (place: Place) => void;
  /** Datagrams come without a pause: what is due has to be run now. */
  readonly long: () => void;
  /** The kernel does not take a filter. */
  readonly unfiltered: (link: number, why: string) => void;
}

/**
 * The ring's sockets, one a link. While a configuration is being changed those of both are open. A link whose address no
 * interface has is without a socket until it comes: as long as that its peers are not reached by it.
 */
export class RingSockets {
  #bound: Bound[] = [];
  #missing: Place[] = [];
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** By link, the one to send from. */
  readonly #sending = new Map<number, UdpSocket>();
  #filter: readonly FilterInstruction[] | undefined;

  constructor(private readonly host: RingSocketsHost) {}

  /** Addresses that no interface of this machine has yet. */
  get missing(): readonly Place[] {
    return this.#missing;
  }

  /**
   * Opens what a configuration needs beside what is open. If one cannot be opened, none is; at the `start` those of
   * addresses that may still come are left for later.
   * @throws HactlError ADDRESS_NOT_LOCAL, PORT_IN_USE or UDP_BIND
   */
  async prepare(setup: NodeSetup, start = false): Promise<void> {
    const opened: Bound[] = [];
    const missing: Place[] = [];
    try {
      for (const place of placesOf(setup)) {
        if ([...this.#bound, ...this.#missing].some((known) => same(known, place))) continue;
        const socket = await this.#open(place, start);
        if (socket) opened.push({ ...place, socket });
        else missing.push(place);
      }
    } catch (error) {
      for (const { socket } of opened) socket.close();
      throw error;
    }
    this.#bound.push(...opened);
    this.#missing.push(...missing);
    this.#lookAgain();
  }

  /** The configuration is in force: what it does not need is closed. */
  use(setup: NodeSetup): void {
    const wanted = placesOf(setup);
    const kept = this.#bound.filter((bound) => wanted.some((place) => same(bound, place)));
    for (const bound of this.#bound) if (!kept.includes(bound)) bound.socket.close();
    this.#bound = kept;
    this.#missing = this.#missing.filter((place) => wanted.some((one) => same(one, place)));
    this.#sending.clear();
    for (const { link, socket } of kept) this.#sending.set(link, socket);
  }

  send(link: number, data: Uint8Array, port: number, address: string): void {
    this.#sending.get(link)?.send(data, port, address);
  }

  /** Has the kernel drop what the filter does not take, on all sockets, also on those that come. */
  filter(program: readonly FilterInstruction[] | undefined): void {
    this.#filter = program;
    for (const { link, socket } of this.#bound) this.#apply(link, socket);
  }

  #apply(link: number, socket: UdpSocket): void {
    const why = socket.filter(this.#filter);
    if (why !== undefined) this.host.unfiltered(link, why);
  }

  close(): void {
    clearTimeout(this.#retry);
    for (const { socket } of this.#bound) socket.close();
    this.#bound = [];
    this.#missing = [];
    this.#sending.clear();
  }

  #lookAgain(): void {
    clearTimeout(this.#retry);
    if (this.#missing.length > 0) this.#retry = setTimeout(() => void this.#openMissing(), retryMs);
  }

  async #openMissing(): Promise<void> {
    for (const place of this.#missing) {
      let socket: UdpSocket | undefined;
      try {
        socket = await this.#open(place, true);
      } catch (error) {
        this.host.error(place.link, error instanceof Error ? error : new Error(String(error)));
      }
      if (!socket) continue;
      if (!this.#missing.includes(place)) {
        // Another configuration is in force meanwhile, or the end has come.
        socket.close();
        continue;
      }
      this.#missing = this.#missing.filter((other) => other !== place);
      this.#bound.push({ ...place, socket });
      this.#sending.set(place.link, socket);
      this.host.came(place);
    }
    this.#lookAgain();
  }

  /** Undefined: no interface has the address, and that is no error now. */
  async #open({ link, address, port }: Place, mayBeMissing: boolean): Promise<UdpSocket | undefined> {
    try {
      const socket = await openUdp(address, port, {
        datagram: (data, from) => this.host.datagram(link, from, data),
        error: (error) => this.host.error(link, error),
        long: () => this.host.long(),
      });
      if (this.#filter) this.#apply(link, socket);
      return socket;
    } catch (error) {
      if (mayBeMissing && error instanceof HactlError && error.code === "ADDRESS_NOT_LOCAL") return undefined;
      throw error;
    }
  }
}

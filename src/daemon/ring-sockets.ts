import { openUdp, type UdpSocket } from "../platform/index.ts";
import type { NodeSetup } from "./setup.ts";

/** What a socket of the ring is bound to. */
interface Place {
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

/** The ring's sockets, one a link. While a configuration is being changed those of both are open. */
export class RingSockets {
  #bound: Bound[] = [];
  /** By link, the one to send from. */
  readonly #sending = new Map<number, UdpSocket>();

  constructor(
    private readonly datagram: (link: number, address: string, data: Uint8Array) => void,
    private readonly error: (link: number, error: Error) => void,
  ) {}

  /**
   * Opens what a configuration needs beside what is open. If one cannot be opened, none is.
   * @throws HactlError ADDRESS_NOT_LOCAL, PORT_IN_USE or UDP_BIND
   */
  async prepare(setup: NodeSetup): Promise<void> {
    const opened: Bound[] = [];
    try {
      for (const place of placesOf(setup)) {
        if (this.#bound.some((bound) => same(bound, place))) continue;
        opened.push({ ...place, socket: await this.#open(place) });
      }
    } catch (error) {
      for (const { socket } of opened) socket.close();
      throw error;
    }
    this.#bound.push(...opened);
  }

  /** The configuration is in force: what it does not need is closed. */
  use(setup: NodeSetup): void {
    const wanted = placesOf(setup);
    const kept = this.#bound.filter((bound) => wanted.some((place) => same(bound, place)));
    for (const bound of this.#bound) if (!kept.includes(bound)) bound.socket.close();
    this.#bound = kept;
    this.#sending.clear();
    for (const { link, socket } of kept) this.#sending.set(link, socket);
  }

  send(link: number, data: Uint8Array, port: number, address: string): void {
    this.#sending.get(link)?.send(data, port, address);
  }

  close(): void {
    for (const { socket } of this.#bound) socket.close();
    this.#bound = [];
    this.#sending.clear();
  }

  #open({ link, address, port }: Place): Promise<UdpSocket> {
    return openUdp(address, port, {
      datagram: (data, from) => this.datagram(link, from, data),
      error: (error) => this.error(link, error),
    });
  }
}

import { lookup } from "node:dns/promises";
import { DgramAsPromised, type SocketAsPromised } from "dgram-as-promised";
import { plainNotice, signedNotice } from "./notice.ts";
import type { SendOptions } from "./send-options.ts";

/** With what a node proves that a notice is its own. */
export interface NoticeIdentity {
  readonly node: string;
  readonly key: Uint8Array;
}

/** Surroundings of the sender; tests give their own. */
export interface SenderWorld {
  readonly resolve: (name: string, family: 0 | 4 | 6) => Promise<readonly string[]>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly now: () => number;
  readonly log: (text: string) => void;
}

/** In the first rounds without a given interval. */
const eagerRounds = 10;
const eagerMs = 1000;
/** How often a name that was found is looked up again. */
const againMs = 60_000;

/** A destination: one address of one node, with a socket of its own, so that its errors are not others' errors. */
interface Destination {
  readonly address: string;
  socket: SocketAsPromised | undefined;
  sent: number;
}

/**
 * Sends crash notices in rounds: to every address of every node, as often as asked. Made for a crash kernel: names
 * may not be known yet, the network may come later, nothing ends it before its count is reached.
 */
export class NoticeSender {
  private readonly destinations = new Map<string, Destination>();
  private readonly resolved = new Map<
    string,
    { readonly addresses: readonly string[]; readonly at: number }
  >();
  private stopped = false;

  constructor(
    private readonly options: SendOptions,
    private readonly identity: NoticeIdentity | undefined,
    private readonly world: SenderWorld,
  ) {}

  /** Runs until the count is reached or `stop`; answers how many datagrams went out. */
  async run(): Promise<number> {
    const { count, intervalMs, eager } = this.options;
    let sent = 0;
    for (let round = 1; !this.stopped; round++) {
      const results = await Promise.all(this.options.nodes.map((node) => this.toNode(node)));
      sent += results.reduce((sum, one) => sum + one, 0);
      if (count > 0 && round >= count) break;
      await this.world.sleep(
        eager && count === 0 && round < eagerRounds ? Math.min(eagerMs, intervalMs) : intervalMs,
      );
    }
    await Promise.all([...this.destinations.values()].map(({ socket }) => socket?.close().catch(() => {})));
    return sent;
  }

  stop(): void {
    this.stopped = true;
  }

  private async toNode(node: string): Promise<number> {
    const addresses = await this.addressesOf(node);
    const sent = await Promise.all(addresses.map((address) => this.toAddress(node, address)));
    return sent.filter((one) => one).length;
  }

  private async addressesOf(node: string): Promise<readonly string[]> {
    const known = this.resolved.get(node);
    if (known && this.world.now() - known.at < againMs) return known.addresses;
    const { family } = this.options;
    try {
      const addresses = await this.world.resolve(node, family === "ipv4" ? 4 : family === "ipv6" ? 6 : 0);
      if (addresses.length > 0) {
        this.resolved.set(node, { addresses, at: this.world.now() });
        return addresses;
      }
    } catch (error) {
      this.say(`${node}: ${(error as NodeJS.ErrnoException).code ?? error}`);
    }
    return known?.addresses ?? [];
  }

  private async toAddress(node: string, address: string): Promise<boolean> {
    const destination = this.destinations.get(address) ?? { address, socket: undefined, sent: 0 };
    this.destinations.set(address, destination);
    const data = this.identity
      ? signedNotice(this.identity.node, this.identity.key, this.world.now())
      : plainNotice();
    // Bun reports an error of an earlier datagram at the next send: such a send is tried again at once.
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        destination.socket ??= open(address);
        await destination.socket.send(data, 0, data.length, this.options.port, address);
        destination.sent++;
        this.say(`sent to ${node} (${address} port ${this.options.port})`);
        return true;
      } catch (error) {
        this.say(`${node} (${address}): ${(error as NodeJS.ErrnoException).code ?? error}`);
        await destination.socket?.close().catch(() => {});
        destination.socket = undefined;
      }
    }
    return false;
  }

  private say(text: string): void {
    if (this.options.verbose) this.world.log(text);
  }
}

function open(address: string): SocketAsPromised {
  return DgramAsPromised.createSocket(address.includes(":") ? "udp6" : "udp4");
}

/** Addresses of a name: itself if it is one, else from hosts file and name service. */
export async function resolveName(name: string, family: 0 | 4 | 6): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, family });
  return [...new Set(found.map(({ address }) => address))];
}

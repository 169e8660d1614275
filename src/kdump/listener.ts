import { DgramAsPromised, type SocketAsPromised } from "dgram-as-promised";
import { TurnedAway } from "../platform/index.ts";
import { kdumpPort, noticeKey, readNotice, verifyNotice } from "./notice.ts";
import { probeReply } from "./reach.ts";

export interface KdumpListenerOptions {
  /** UDP ports; default 7410. */
  readonly ports?: readonly number[];
  /** Local addresses; default all of both families. */
  readonly addresses?: readonly string[];
  /** Node that an address belongs to. */
  readonly nodeOf: (address: string) => string | undefined;
  /** Whether a signed notice may name this node. */
  readonly knows: (node: string) => boolean;
  /** The cluster's key; without it signed notices count as plain ones. */
  readonly clusterKey?: Uint8Array | undefined;
  /** Whether a notice without signature counts. Default true: fence_kdump_send cannot sign. */
  readonly acceptPlain?: boolean;
  /** Times of the newest signed notices, where something outlives this listener. Default: as long as it. */
  readonly newest?: NewestNotices | undefined;
  readonly now: () => number;
  readonly onNotice: (node: string, signed: boolean, address: string) => void;
  readonly log: (level: "info" | "warning" | "debug", text: string) => void;
}

/** When each node's newest signed notice was made: an older one is a recording. */
export interface NewestNotices {
  get(node: string): number | undefined;
  set(node: string, atMs: number): unknown;
}

/** A datagram as it arrived. */
interface Arrival {
  readonly data: Uint8Array;
  readonly address: string;
}

/** An address as it is compared: no zone, IPv4 inside IPv6 as IPv4, small letters. */
export function plainAddress(address: string): string {
  return address
    .replace(/%.*$/, "")
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, "");
}

/**
 * Waits for crash notices on UDP. A plain notice is identified by its source address alone, as fence_kdump does; a
 * signed one by its proof. Everything else is counted, and told at most once a minute for each source; strangers, and what comes
 * from addresses of nodes, 20 times each.
 */
export class KdumpListener {
  readonly counters = { plain: 0, signed: 0, foreign: 0, invalid: 0 };
  private readonly sockets: SocketAsPromised[] = [];
  private readonly newest: NewestNotices;
  private readonly strangers: TurnedAway;
  private readonly nodes: TurnedAway;

  private constructor(private readonly options: KdumpListenerOptions) {
    this.newest = options.newest ?? new Map<string, number>();
    const tell = (text: string) => options.log("warning", text);
    this.strangers = new TurnedAway(tell, options.now);
    this.nodes = new TurnedAway(tell, options.now);
  }

  /** Opens all sockets that can be opened; what cannot is logged, and `bound` says what is left. */
  static async open(options: KdumpListenerOptions): Promise<KdumpListener> {
    const listener = new KdumpListener(options);
    for (const port of options.ports ?? [kdumpPort]) await listener.bind(port);
    return listener;
  }

  /** Local addresses and ports that are listened on. */
  get bound(): string[] {
    return this.sockets.map((socket) => {
      const { address, port } = socket.address();
      return `${address}:${port}`;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.sockets.splice(0).map((socket) => socket.close().catch(() => {})));
  }

  /** Takes a datagram. Also for tests and for sockets of others. */
  receive({ data, address }: Arrival): void {
    const source = plainAddress(address);
    const notice = readNotice(data);
    if (notice.kind === "invalid") {
      this.counters.invalid++;
      this.tell(source, `not a kdump notice from ${source}: ${notice.why}`);
    } else if (notice.kind === "signed" && this.options.clusterKey) {
      this.signed(data, notice.node, notice.atMs, source, this.options.clusterKey);
    } else this.plain(source);
  }

  /** The answer to a probe from a node's address; strangers get none. */
  private answerTo(data: Uint8Array, address: string): Buffer | undefined {
    return this.options.nodeOf(plainAddress(address)) === undefined ? undefined : probeReply(data);
  }

  private signed(data: Uint8Array, node: string, atMs: number, source: string, clusterKey: Uint8Array): void {
    const last = this.newest.get(node) ?? 0;
    const wrong = this.options.knows(node)
      ? verifyNotice(data, noticeKey(clusterKey, node), this.options.now(), last)
      : "the node is not in the cluster";
    if (wrong !== "") {
      this.counters.invalid++;
      this.tell(source, `signed kdump notice of "${node}" from ${source} refused: ${wrong}`);
      return;
    }
    this.newest.set(node, atMs);
    this.counters.signed++;
    this.options.onNotice(node, true, source);
  }

  private plain(source: string): void {
    const node = this.options.nodeOf(source);
    if (node === undefined) {
      this.counters.foreign++;
      this.tell(source, `kdump notice from ${source}, which is no address of a node; ignored`);
    } else if (this.options.acceptPlain === false) {
      this.counters.foreign++;
      this.tell(source, `kdump notice of ${node} without signature ignored, as configured`);
    } else {
      this.counters.plain++;
      this.options.onNotice(node, false, source);
    }
  }

  private tell(source: string, text: string): void {
    const isNode = this.options.nodeOf(source) !== undefined;
    (isNode ? this.nodes : this.strangers).note(source, text, "");
  }

  private async bind(port: number): Promise<void> {
    const { addresses } = this.options;
    if (addresses) {
      for (const address of addresses)
        await this.bindOne(address.includes(":") ? "udp6" : "udp4", address, port);
      return;
    }
    // One socket of both families where IPv6 exists.
    if (!(await this.bindOne("udp6", "::", port, true))) await this.bindOne("udp4", "0.0.0.0", port);
  }

  private async bindOne(
    type: "udp4" | "udp6",
    address: string,
    port: number,
    mayFail = false,
  ): Promise<boolean> {
    const socket = DgramAsPromised.createSocket({ type, ipv6Only: false }, (data, from) => {
      const reply = this.answerTo(data, from.address);
      if (reply) socket.send(reply, 0, reply.length, from.port, from.address).catch(() => {});
      else this.receive({ data, address: from.address });
    });
    try {
      await socket.bind({ port, address });
      this.sockets.push(socket);
      return true;
    } catch (error) {
      await socket.close().catch(() => {});
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      if (!mayFail || code === "EADDRINUSE")
        this.options.log("warning", `kdump notices cannot be received on ${address} port ${port}: ${code}`);
      return false;
    }
  }
}

import type { XmlElement } from "../cib/index.ts";
import { devicesFromCib, kdumpNames, kdumpPorts } from "../fencer/index.ts";
import { KdumpListener, type NewestNotices, plainAddress } from "../kdump/index.ts";
import { hostsAddresses, wallMs, wallSeconds } from "../platform/index.ts";
import { type NodeName, nodeName } from "../terms/index.ts";

/** A node whose notices count, with its addresses on all links. */
export interface KdumpNode {
  readonly name: NodeName;
  readonly addresses: readonly string[];
}

export interface KdumpWatchOptions {
  readonly nodes: readonly KdumpNode[];
  /** `[kdump] port`. */
  readonly port: number;
  /** Local addresses to listen on; default: all. */
  readonly listenOn?: readonly string[];
  /** The cluster's key, for signed notices. */
  readonly clusterKey?: Uint8Array | undefined;
  /** Whether notices of fence_kdump_send count, which prove nothing but their source address. Default true. */
  readonly acceptPlain?: boolean;
  /** Keeps the times of signed notices longer than this one lives. */
  readonly newest?: NewestNotices;
  readonly onNotice: (node: NodeName, signed: boolean) => void;
  readonly log: (level: "info" | "warning" | "debug", text: string) => void;
}

/** How often the hosts file is looked at again. */
const lookupMs = 300_000;

/**
 * Listens for crash notices and knows whose they are: a node's addresses in the node list, those of its name in the
 * hosts file, and what a fence_kdump device lists for it. Any of them counts, on any link.
 */
export class KdumpWatch {
  private listener: KdumpListener | undefined;
  private nodes: readonly KdumpNode[];
  private readonly found = new Map<string, NodeName>();
  private extra = new Map<NodeName, readonly string[]>();
  private ports: readonly number[];
  /** Outlives a listener on other ports. */
  private readonly heard = new Map<string, number>();
  private opening: Promise<void> = Promise.resolve();
  private timer: ReturnType<typeof setInterval> | undefined;
  private names = "";

  constructor(private readonly options: KdumpWatchOptions) {
    this.nodes = options.nodes;
    this.ports = [options.port];
  }

  /** Opens the sockets. What cannot be opened is logged: the cluster works without. */
  async start(): Promise<void> {
    this.learn();
    this.timer = setInterval(() => this.learn(), lookupMs);
    this.timer.unref();
    await this.open();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.opening;
    await this.listener?.close();
    this.listener = undefined;
  }

  /** Addresses and ports that are listened on. */
  get bound(): readonly string[] {
    return this.listener?.bound ?? [];
  }

  /** What was received, by kind. */
  get counters(): Readonly<Record<string, number>> {
    return this.listener?.counters ?? {};
  }

  /** The node list is now this. */
  setNodes(nodes: readonly KdumpNode[]): void {
    this.nodes = nodes;
    this.learn();
  }

  /** Takes ports and names of fence_kdump devices from the CIB's configuration. */
  configure(configuration: XmlElement): void {
    const fencing = devicesFromCib(configuration, wallSeconds());
    this.extra = new Map(this.nodes.map(({ name }) => [name, kdumpNames(fencing, name)]));
    const ports = [...new Set([this.options.port, ...kdumpPorts(fencing)])];
    const names = JSON.stringify([...this.extra]);
    if (names !== this.names) this.learn();
    this.names = names;
    if (ports.join() === this.ports.join()) return;
    this.ports = ports;
    if (this.timer !== undefined) void this.open();
  }

  /** The node that an address belongs to. */
  nodeOf(address: string): NodeName | undefined {
    const wanted = plainAddress(address);
    const listed = this.nodes.find((node) => node.addresses.some((one) => plainAddress(one) === wanted));
    return listed?.name ?? this.found.get(wanted);
  }

  private open(): Promise<void> {
    this.opening = this.opening.then(async () => {
      await this.listener?.close();
      const { listenOn, clusterKey, acceptPlain, newest } = this.options;
      this.listener = await KdumpListener.open({
        ports: this.ports,
        ...(listenOn ? { addresses: listenOn } : {}),
        nodeOf: (address) => this.nodeOf(address),
        knows: (name) => this.nodes.some((node) => node.name === name),
        clusterKey,
        acceptPlain: acceptPlain ?? true,
        newest: newest ?? this.heard,
        now: wallMs,
        onNotice: (node, signed) => this.options.onNotice(nodeName(node), signed),
        log: this.options.log,
      });
      if (this.listener.bound.length > 0)
        this.options.log("info", `listening for kdump notices on ${this.listener.bound.join(", ")}`);
    });
    return this.opening;
  }

  /** Looks names up. An address that two nodes share identifies neither. */
  private learn(): void {
    const owners = new Map<string, Set<NodeName>>();
    for (const { name } of this.nodes)
      for (const word of [name, ...(this.extra.get(name) ?? [])])
        for (const address of addressesOf(word)) {
          const plain = plainAddress(address);
          owners.set(plain, (owners.get(plain) ?? new Set()).add(name));
        }
    this.found.clear();
    for (const [address, names] of owners) {
      const [only] = names;
      // A distribution's hosts file may give the own name a loopback address; nobody sends a notice from there.
      if (only !== undefined && names.size === 1 && !/^(127\.|::1$)/.test(address))
        this.found.set(address, only);
    }
  }
}

/** A numeric address itself, or what the hosts file says: the cluster asks no name server, which may not answer. */
function addressesOf(word: string): readonly string[] {
  return /^[\d.]+$/.test(word) || word.includes(":") ? [word] : hostsAddresses(word);
}

/**
 * Local addresses to listen on for a node: all, unless it lives on loopback addresses alone, where several nodes
 * of a demonstration share one machine and one port.
 */
export function kdumpListenOn(addresses: readonly string[]): readonly string[] | undefined {
  const loopback = addresses.length > 0 && addresses.every((one) => /^127\.|^::1$/.test(one));
  return loopback ? addresses : undefined;
}

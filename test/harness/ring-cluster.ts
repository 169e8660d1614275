import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RingMembership } from "../../src/daemon/ring-core.ts";
import {
  decodeDelivery,
  FromRing,
  fromJson,
  type RingProcessStatus,
  type RingReply,
  type RingRequest,
  ToRing,
  toJson,
} from "../../src/daemon/ring-link.ts";
import { connectFrames, type FrameConnection } from "../../src/platform/index.ts";
import { LocalCluster, type LocalClusterOptions } from "./local-cluster.ts";
import { WireNetwork } from "./wire-network.ts";

/** The environment that the service unit gives to the ring process (systemd.exec(5), Environment=). */
function unitEnvironment(): Record<string, string> {
  const unit = readFileSync(join(import.meta.dir, "../../conf/hactl.service"), "utf8");
  return Object.fromEntries(
    [...unit.matchAll(/^Environment=(\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
  );
}

/** Stands in for the manager of a node: hears all that the ring says to it, and speaks through the ring. */
export class RingClient {
  readonly memberships: { readonly at: number; readonly membership: RingMembership }[] = [];
  /** Called for every message of the ring's order. */
  onDeliver: (from: number, payload: Uint8Array) => void = () => {};
  readonly #asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #connection: FrameConnection | undefined;
  #requests = 0;
  #room: (() => void) | undefined;

  /** Connects as soon as the ring's socket is there. */
  static async connect(path: string, timeoutMs = 20_000): Promise<RingClient> {
    const client = new RingClient();
    const end = performance.now() + timeoutMs;
    for (;;) {
      try {
        client.#connection = await connectFrames(path, {
          frame: (_connection, type, body) => client.#frame(type, body),
          drain: () => client.#room?.(),
        });
        return client;
      } catch (error) {
        if (performance.now() > end) throw error;
        await Bun.sleep(10);
      }
    }
  }

  /** The members of the ring as said last, as text. */
  get members(): string {
    return this.memberships.at(-1)?.membership.members.join(" ") ?? "";
  }

  /** The nodes whose clients take part, as said last. */
  get participants(): string {
    return (
      this.memberships
        .at(-1)
        ?.membership.participants.map(({ nodeId }) => nodeId)
        .join(" ") ?? ""
    );
  }

  /** Sends a message to all; false when the socket is full: `room` then says when to go on. */
  send(payload: Uint8Array): boolean {
    return this.#connection?.send(ToRing.SEND, payload) ?? true;
  }

  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#room = resolve;
    });
  }

  /** Asks the ring process something. */
  ask<T>(request: RingRequest): Promise<T> {
    const id = ++this.#requests;
    this.#connection?.send(ToRing.REQUEST, toJson({ id, request }));
    return new Promise<T>((resolve, reject) => {
      this.#asked.set(id, { resolve: resolve as (value: unknown) => void, reject });
    });
  }

  status(): Promise<RingProcessStatus> {
    return this.ask<RingProcessStatus>({ type: "status" });
  }

  close(): void {
    this.#connection?.destroy();
  }

  #frame(type: number, body: Uint8Array): void {
    if (type === FromRing.MEMBERSHIP)
      this.memberships.push({ at: performance.now(), membership: fromJson<RingMembership>(body) });
    if (type === FromRing.DELIVER) {
      const { from, payload } = decodeDelivery(body);
      this.onDeliver(from, payload);
    }
    if (type === FromRing.REPLY) {
      const { id, value, error } = fromJson<RingReply>(body);
      const asked = this.#asked.get(id);
      if (error === undefined) asked?.resolve(value);
      else asked?.reject(new Error(error));
    }
  }
}

export interface RingClusterOptions extends Omit<LocalClusterOptions, "addresses" | "enter" | "boot"> {
  /** `wire`: each node in a namespace, on cables whose faults the test decides. Else loopback addresses. */
  readonly wire?: boolean;
  readonly links?: number;
  /** On so many links, the first ones, the nodes use IPv6; only with `wire`. */
  readonly ipv6Links?: number;
}

/** Real ring processes of all nodes, with clients of the test in the place of their managers. */
export class RingCluster {
  readonly #processes = new Map<string, Bun.Subprocess>();
  readonly #clients = new Map<string, RingClient>();

  private constructor(
    readonly nodes: LocalCluster,
    private readonly network: WireNetwork | undefined,
  ) {}

  static async make(options: RingClusterOptions): Promise<RingCluster> {
    const links = options.links ?? 1;
    const { ipv6Links = 0 } = options;
    const network = options.wire ? await WireNetwork.make(options.nodes, links, ipv6Links) : undefined;
    const address = (host: number, link: number) =>
      link < ipv6Links
        ? WireNetwork.address6(host, link)
        : network
          ? WireNetwork.address(host, link)
          : `127.0.${link}.${host}`;
    const nodes = await LocalCluster.make({
      ...options,
      addresses: (host) => Array.from({ length: links }, (_, link) => address(host, link)),
    });
    return new RingCluster(nodes, network);
  }

  get names(): readonly string[] {
    return this.nodes.names;
  }

  /** The cables. */
  get wire(): WireNetwork {
    if (!this.network) throw new Error("this cluster has no wire");
    return this.network;
  }

  /** Starts a node's ring. */
  start(name: string): void {
    const enter = this.network?.enter(this.names.indexOf(name) + 1) ?? [];
    const words = ["--config", this.nodes.configOf(name), "--node", name];
    const child = Bun.spawn([...enter, process.execPath, join(import.meta.dir, "ring-node.ts"), ...words], {
      env: { ...process.env, ...unitEnvironment(), HACTL_CONFIG: this.nodes.configOf(name) },
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#processes.set(name, child);
  }

  /** Starts rings and connects to them. */
  async startAll(names: readonly string[] = this.names): Promise<void> {
    for (const name of names) this.start(name);
    await Promise.all(names.map((name) => this.connect(name)));
  }

  async connect(name: string): Promise<RingClient> {
    const client = await RingClient.connect(join(this.nodes.directory, name, "run", "ring.sock"));
    this.#clients.set(name, client);
    return client;
  }

  client(name: string): RingClient {
    const client = this.#clients.get(name);
    if (!client) throw new Error(`${name} was not started`);
    return client;
  }

  pid(name: string): number {
    return this.#processes.get(name)?.pid ?? 0;
  }

  /** SIGSTOP, SIGCONT, SIGHUP … for a node's ring process. */
  signal(name: string, signal: NodeJS.Signals): void {
    process.kill(this.pid(name), signal);
  }

  /** A node's ring process dies; settles when it is gone. */
  async kill(name: string): Promise<void> {
    this.signal(name, "SIGKILL");
    await this.#processes.get(name)?.exited;
    this.client(name).close();
  }

  /** Waits until these nodes are a ring of exactly these, and all their clients take part. Answers when the last of them said so. */
  async ring(names: readonly string[], timeoutMs: number): Promise<number> {
    const wanted = names.map((name) => this.names.indexOf(name) + 1).join(" ");
    const there = (name: string) => {
      const client = this.#clients.get(name);
      return client?.members === wanted && client.participants === wanted;
    };
    await this.nodes.until(`ring of ${wanted}`, timeoutMs, () => (names.every(there) ? true : undefined));
    return Math.max(...names.map((name) => this.client(name).memberships.at(-1)?.at ?? 0));
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    for (const child of this.#processes.values()) child.kill("SIGKILL");
    await Promise.all([...this.#processes.values()].map((child) => child.exited));
    this.nodes.destroy();
    await this.network?.close();
  }
}

/** CPU seconds that the threads of a process have used, to the nanosecond, and its memory (proc(5)). */
export function usage(pid: number): { readonly cpu: number; readonly rssMb: number } {
  const running = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const [ns] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return Number(ns);
  });
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { cpu: running.reduce((sum, ns) => sum + ns, 0) / 1e9, rssMb: Number(rss) / 1024 };
}

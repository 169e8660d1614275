import { join } from "node:path";
import { run } from "./network.ts";
import type { WireCommand, WireCounts, WirePort } from "./wire.ts";

/**
 * Hosts in network namespaces on cables whose faults a test decides: every frame goes through a process of the test.
 * Needs root. Nothing of it is visible outside.
 */
export class WireNetwork {
  readonly #lines: string[] = [];
  #wanted: (() => void) | undefined;

  private constructor(
    private readonly prefix: string,
    private readonly hosts: number,
    private readonly wire: Bun.Subprocess<"pipe", "pipe", "inherit">,
  ) {}

  /** Makes so many hosts, numbered from 1, each on so many links; they have IPv6 addresses too on the first of them. */
  static async make(hosts: number, links = 1, ipv6Links = 0): Promise<WireNetwork> {
    const prefix = `w${process.pid}`;
    const ports: WirePort[] = [];
    for (let host = 1; host <= hosts; host++) {
      const namespace = `${prefix}-${host}`;
      run("ip", "netns", "add", namespace);
      run("ip", "-n", namespace, "link", "set", "lo", "up");
      for (let link = 0; link < links; link++) {
        const address6 = link < ipv6Links ? { address6: WireNetwork.address6(host, link) } : {};
        ports.push({ host, link, namespace, address: WireNetwork.address(host, link), ...address6 });
      }
    }
    // A cable does not wait for a processor: it goes before the rings, which have 50.
    const priority = ["chrt", "-r", "60"];
    const wire = Bun.spawn(
      [...priority, process.execPath, join(import.meta.dir, "wire.ts"), JSON.stringify(ports)],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    const network = new WireNetwork(prefix, hosts, wire);
    void network.#read();
    await network.#line();
    return network;
  }

  /** Address of a host on a link. */
  static address(host: number, link = 0): string {
    return `10.${78 + link}.0.${host}`;
  }

  /** IPv6 address of a host on a link. */
  static address6(host: number, link = 0): string {
    return `fd4e:${link}::${host.toString(16)}`;
  }

  /** Words before a command that runs on a host. */
  enter(host: number): string[] {
    return ["ip", "netns", "exec", `${this.prefix}-${host}`];
  }

  /** Sets the rule of some directions; settles when it is in force. Answers what the wire has done so far. */
  async set(command: WireCommand): Promise<WireCounts> {
    this.wire.stdin.write(`${JSON.stringify(command)}\n`);
    this.wire.stdin.flush();
    return JSON.parse(await this.#line()) as WireCounts;
  }

  /** All cables work again. */
  async heal(): Promise<WireCounts> {
    return this.set({ rule: {} });
  }

  /** Cuts the hosts into two parts that do not hear each other. */
  async partition(part: readonly number[]): Promise<void> {
    const rest = Array.from({ length: this.hosts }, (_, i) => i + 1).filter((host) => !part.includes(host));
    await this.set({ from: part, to: rest, rule: { cut: true } });
    await this.set({ from: rest, to: part, rule: { cut: true } });
  }

  /** Removes everything. */
  async close(): Promise<void> {
    this.wire.stdin.end();
    await this.wire.exited;
    for (let host = 1; host <= this.hosts; host++) run("ip", "netns", "del", `${this.prefix}-${host}`);
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const piece of this.wire.stdout) {
      text += decoder.decode(piece, { stream: true });
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#wanted?.();
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.wire.exitCode !== null) throw new Error("the wire has ended");
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
  }
}

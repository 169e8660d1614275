import { spawnSync } from "node:child_process";

/** Runs a program and throws with what it said when it fails. */
export function run(...words: readonly string[]): string {
  const [program = "", ...args] = words;
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr || stdout}`);
  return stdout;
}

const tryToRun = (...words: readonly string[]) => void spawnSync(words[0] ?? "", words.slice(1));

/** Where a host is: its number, and in which part of a network that fell apart. */
interface Plugged {
  readonly number: number;
  part: number;
}

/**
 * Hosts in network namespaces, joined by one bridge a link in a namespace of its own. Needs root and iproute2. Nothing
 * of it is visible outside: the addresses are reachable only from one another.
 */
export class TestNetwork {
  readonly #prefix: string;
  readonly #hosts = new Map<string, Plugged>();
  /** Number of parts that have bridges of their own; part 0 is the network when it is whole. */
  #parts = 1;

  /** @param links number of separate cables that every host is on */
  constructor(
    private readonly links: number = 1,
    prefix = `h${process.pid}`,
  ) {
    this.#prefix = prefix;
    run("ip", "netns", "add", this.#switch);
    this.#addBridges(0);
  }

  #addBridges(part: number): void {
    for (let link = 0; link < this.links; link++) {
      run("ip", "-n", this.#switch, "link", "add", this.#bridge(link, part), "type", "bridge");
      run("ip", "-n", this.#switch, "link", "set", this.#bridge(link, part), "up");
    }
  }

  /** Number of cables of each host. */
  get linkCount(): number {
    return this.links;
  }

  get #switch(): string {
    return `${this.#prefix}-switch`;
  }

  /** Name of a host's namespace. */
  namespace(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  /** Address of host number `n` on a link. */
  address(n: number, link = 0): string {
    return `10.77.${link}.${n}`;
  }

  /** Hardware address of host number `n` on a link: a host that comes back has the one that its peers know. */
  hardwareAddress(n: number, link = 0): string {
    const bytes = [0x02, 0x77, 0, link, n >> 8, n & 255];
    return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  }

  /**
   * Plugs a host in, with its addresses. A host that was there before is made anew, as after a reboot, in the part of
   * the network where it was.
   */
  plug(host: string, n: number): void {
    const part = this.#hosts.get(host)?.part ?? 0;
    this.unplug(host);
    this.#hosts.set(host, { number: n, part });
    const namespace = this.namespace(host);
    run("ip", "netns", "add", namespace);
    run("ip", "-n", namespace, "link", "set", "lo", "up");
    for (let link = 0; link < this.links; link++) {
      const port = this.#port(host, link);
      run(
        "ip",
        "-n",
        this.#switch,
        "link",
        "add",
        port,
        "type",
        "veth",
        "peer",
        "name",
        `eth${link}`,
        "address",
        this.hardwareAddress(n, link),
        "netns",
        namespace,
      );
      run("ip", "-n", this.#switch, "link", "set", port, "master", this.#bridge(link, part), "up");
      run("ip", "-n", namespace, "address", "add", `${this.address(n, link)}/24`, "dev", `eth${link}`);
      run("ip", "-n", namespace, "link", "set", `eth${link}`, "up");
    }
  }

  /** Removes a host with its addresses: what a power-off does to its network. */
  unplug(host: string): void {
    if (!this.#hosts.delete(host)) return;
    for (let link = 0; link < this.links; link++) {
      tryToRun("ip", "-n", this.#switch, "link", "del", this.#port(host, link));
    }
    tryToRun("ip", "netns", "del", this.namespace(host));
  }

  /** The network falls apart: the hosts of each part hear only each other. Those in no part stay where they are. */
  partition(...parts: readonly (readonly string[])[]): void {
    while (this.#parts < parts.length) this.#addBridges(this.#parts++);
    for (const [part, hosts] of parts.entries()) for (const host of hosts) this.#moveTo(host, part);
  }

  /** The network is whole again. */
  heal(): void {
    for (const host of this.#hosts.keys()) this.#moveTo(host, 0);
  }

  #moveTo(host: string, part: number): void {
    const plugged = this.#hosts.get(host);
    if (!plugged || plugged.part === part) return;
    plugged.part = part;
    for (let link = 0; link < this.links; link++)
      run(
        "ip",
        "-n",
        this.#switch,
        "link",
        "set",
        this.#port(host, link),
        "master",
        this.#bridge(link, part),
      );
  }

  /**
   * A host hears nothing on a link of what others send (or again all), while they hear it. Everybody's hardware
   * addresses are fixed, since questions for them would stay without an answer. Ends with the power of the host.
   */
  deafen(host: string, from: readonly string[], link = 0): void {
    for (const a of this.#hosts.keys())
      for (const b of this.#hosts.keys()) if (a !== b) this.#know(a, b, link);
    const namespace = this.namespace(host);
    // The table of own addresses is asked first otherwise, and what it finds is delivered.
    run("ip", "-n", namespace, "rule", "add", "pref", "9", "lookup", "local");
    tryToRun("ip", "-n", namespace, "rule", "del", "pref", "0", "lookup", "local");
    for (const other of from) {
      const number = this.#hosts.get(other)?.number ?? 0;
      const rule = ["from", this.address(number, link), "iif", `eth${link}`, "pref", "5", "blackhole"];
      run("ip", "-n", namespace, "rule", "add", ...rule);
    }
  }

  /** A host hears all others again. */
  hear(host: string): void {
    const namespace = this.namespace(host);
    const rules = ["ip", "-n", namespace, "rule", "del", "pref", "5"];
    while (spawnSync(rules[0] ?? "", rules.slice(1)).status === 0);
  }

  /** A host knows the hardware address of another one without asking. */
  #know(host: string, other: string, link: number): void {
    const number = this.#hosts.get(other)?.number ?? 0;
    const place = ["dev", `eth${link}`, "nud", "permanent"];
    const address = this.hardwareAddress(number, link);
    const neighbour = [this.address(number, link), "lladdr", address, ...place];
    run("ip", "-n", this.namespace(host), "neighbour", "replace", ...neighbour);
  }

  /** Pulls a host's cable, or puts it back. */
  cable(host: string, plugged: boolean, link = 0): void {
    run("ip", "-n", this.#switch, "link", "set", this.#port(host, link), plugged ? "up" : "down");
  }

  /** Processes that run on a host. */
  processes(host: string): number[] {
    const { stdout } = spawnSync("ip", ["netns", "pids", this.namespace(host)], { encoding: "utf8" });
    return stdout
      .split("\n")
      .map(Number)
      .filter((pid) => pid > 0);
  }

  /** Words before a command that runs on a host. */
  enter(host: string): string[] {
    return ["ip", "netns", "exec", this.namespace(host)];
  }

  /** Removes everything. */
  close(): void {
    for (const host of [...this.#hosts.keys()]) this.unplug(host);
    tryToRun("ip", "netns", "del", this.#switch);
  }

  #bridge(link: number, part: number): string {
    return part === 0 ? `br${link}` : `br${link}.${part}`;
  }

  /** Name of a port of the switch: an interface's name has at most 15 characters. */
  #port(host: string, link: number): string {
    return `${host.slice(0, 11)}.${link}`;
  }
}

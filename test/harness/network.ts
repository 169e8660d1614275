import { spawnSync } from "node:child_process";

/** Runs a program and throws with what it said when it fails. */
export function run(...words: readonly string[]): string {
  const [program = "", ...args] = words;
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr || stdout}`);
  return stdout;
}

const tryRun = (...words: readonly string[]) => void spawnSync(words[0] ?? "", words.slice(1));

/**
 * Hosts in network namespaces, joined by one bridge a link in a namespace of its own. Needs root and iproute2. Nothing
 * of it is visible outside: the addresses are reachable only from one another.
 */
export class TestNetwork {
  readonly #prefix: string;
  readonly #hosts: string[] = [];

  /** @param links number of separate cables that every host is on */
  constructor(
    private readonly links: number = 1,
    prefix = `h${process.pid}`,
  ) {
    this.#prefix = prefix;
    run("ip", "netns", "add", this.#switch);
    for (let link = 0; link < links; link++) {
      run("ip", "-n", this.#switch, "link", "add", `br${link}`, "type", "bridge");
      run("ip", "-n", this.#switch, "link", "set", `br${link}`, "up");
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

  /** Plugs a host in, with its addresses. A host that was there before is made anew, as after a reboot. */
  plug(host: string, n: number): void {
    this.unplug(host);
    this.#hosts.push(host);
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
        "netns",
        namespace,
      );
      run("ip", "-n", this.#switch, "link", "set", port, "master", `br${link}`, "up");
      run("ip", "-n", namespace, "address", "add", `${this.address(n, link)}/24`, "dev", `eth${link}`);
      run("ip", "-n", namespace, "link", "set", `eth${link}`, "up");
    }
  }

  /** Removes a host with its addresses: what a power-off does to its network. */
  unplug(host: string): void {
    const at = this.#hosts.indexOf(host);
    if (at < 0) return;
    this.#hosts.splice(at, 1);
    for (let link = 0; link < this.links; link++) {
      tryRun("ip", "-n", this.#switch, "link", "del", this.#port(host, link));
    }
    tryRun("ip", "netns", "del", this.namespace(host));
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
    for (const host of [...this.#hosts]) this.unplug(host);
    tryRun("ip", "netns", "del", this.#switch);
  }

  /** Name of a port of the switch: an interface's name has at most 15 characters. */
  #port(host: string, link: number): string {
    return `${host.slice(0, 11)}.${link}`;
  }
}

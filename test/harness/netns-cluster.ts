import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalCluster, type LocalClusterOptions } from "./local-cluster.ts";
import { TestNetwork } from "./network.ts";

export interface NetnsClusterOptions extends Omit<LocalClusterOptions, "addresses" | "enter" | "boot"> {
  readonly links?: number;
}

/** Directory that every node sees as its own: bound to a directory of the node when it boots. */
export const nodeDirectory = "/run/hactl-test-node";

/**
 * A cluster whose nodes are network namespaces on a bridge, as close to machines as one machine allows. Power off is:
 * no process, no address, no cable.
 */
export class NetnsCluster {
  private constructor(
    readonly network: TestNetwork,
    readonly nodes: LocalCluster,
  ) {}

  static async make(options: NetnsClusterOptions): Promise<NetnsCluster> {
    const links = options.links ?? 1;
    const network = new TestNetwork(links);
    for (const directory of [nodeDirectory, "/run/resource-agents"])
      mkdirSync(directory, { recursive: true });
    const made: { cluster?: LocalCluster } = {};
    const nodes = await LocalCluster.make({
      ...options,
      addresses: (n) => Array.from({ length: links }, (_, link) => network.address(n, link)),
      enter: (name) => network.enter(name),
      processes: (name) => network.processes(name),
      boot: (name) => {
        const own = join(made.cluster?.directory ?? "", name, "own");
        return ["unshare", "-m", "sh", "-c", `mount --bind ${own} ${nodeDirectory} && exec "$@"`, "boot"];
      },
    });
    made.cluster = nodes;
    const cluster = new NetnsCluster(network, nodes);
    for (const [i, name] of nodes.names.entries()) {
      mkdirSync(join(nodes.directory, name, "own"), { recursive: true });
      network.plug(name, i + 1);
      cluster.#writePowerScript(name);
    }
    return cluster;
  }

  /** Parameters of the fence agent that switches these nodes off. */
  get fenceParameters(): string {
    return `pid_dir="${join(this.nodes.directory, "pids")}"`;
  }

  /** The machine dies: first its cables are pulled, then all of it is gone at once. */
  crash(name: string): void {
    for (let link = 0; link < this.#links; link++) this.network.cable(name, false, link);
    this.nodes.kill(name);
  }

  /** The machine boots: new, with its addresses and its disk. */
  boot(name: string): void {
    this.nodes.kill(name);
    this.network.plug(name, this.nodes.names.indexOf(name) + 1);
    this.nodes.start(name);
  }

  /** Starts a program on a host of its own with an address on the first network. */
  spawnOn(host: string, number: number, words: readonly string[]): ReturnType<typeof Bun.spawn> {
    this.network.plug(host, number);
    return Bun.spawn([...this.network.enter(host), ...words], { stdio: ["ignore", "pipe", "inherit"] });
  }

  destroy(): void {
    this.nodes.destroy();
    this.network.close();
  }

  get #links(): number {
    return this.network.linkCount;
  }

  /** What the fence agent runs beside killing the processes: the addresses go with the machine. */
  #writePowerScript(name: string): void {
    const path = join(this.nodes.directory, "pids", `${name}.off`);
    const namespace = this.network.namespace(name);
    const links = Array.from({ length: this.#links }, (_, link) => `eth${link}`);
    const kill = `ip netns pids ${namespace} | xargs -r kill -9 2>/dev/null`;
    const lines = links.map((link) => `ip -n ${namespace} link set ${link} down 2>/dev/null`);
    writeFileSync(path, `#!/bin/sh\n${lines.join("\n")}\n${kill}\nexit 0\n`, { mode: 0o755 });
  }
}

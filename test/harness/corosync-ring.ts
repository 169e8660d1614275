import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestNetwork } from "./network.ts";

const port = 5405;

/**
 * A ring of real corosync processes with knet and encryption, to compare ours with: each in a namespace of its own, and one
 * more for somebody who is no member. Needs root, iproute2 and corosync.
 */
export class CorosyncRing {
  readonly #directory = mkdtempSync(join(tmpdir(), "hactl-corosync-"));
  readonly #network = new TestNetwork(1, `c${process.pid}`);
  readonly #processes: Bun.Subprocess[] = [];

  /** @param realtime whether corosync asks for real-time priority, as it does by default */
  constructor(
    private readonly nodes: number,
    realtime: boolean,
  ) {
    writeFileSync(join(this.#directory, "authkey"), crypto.getRandomValues(new Uint8Array(256)));
    for (let node = 1; node <= nodes; node++) {
      mkdirSync(this.#path(node, "state"), { recursive: true });
      writeFileSync(this.#path(node, "corosync.conf"), this.#configuration(node, realtime));
    }
  }

  /** Whether there is a corosync on this machine. */
  static get present(): boolean {
    return Bun.which("corosync") !== null;
  }

  /** Starts all nodes and waits until they are one ring. */
  async start(): Promise<void> {
    this.#network.plug("guest", 100);
    for (let node = 1; node <= this.nodes; node++) {
      const host = `n${node}`;
      this.#network.plug(host, node);
      // The namespace has mounts of its own: what corosync keeps below /run is each node's.
      const script = `mount -t tmpfs none /run && mkdir /run/corosync && exec corosync -f -c "$0"`;
      const words = [...this.#network.enter(host), "sh", "-c", script, this.#path(node, "corosync.conf")];
      this.#processes.push(Bun.spawn(words, { stdio: ["ignore", "ignore", "ignore"] }));
    }
    const whole = new RegExp(`Members\\[${this.nodes}\\]`);
    for (let waited = 0; !whole.test(this.log(1)); waited++) {
      if (waited > 300) throw new Error(`corosync made no ring of ${this.nodes}: ${this.log(1)}`);
      await Bun.sleep(100);
    }
  }

  /** The process of a node. */
  pid(node: number): number {
    return this.#processes[node - 1]?.pid ?? 0;
  }

  /** What a node has logged. */
  log(node: number): string {
    try {
      return readFileSync(this.#path(node, "log"), "utf8");
    } catch {
      return "";
    }
  }

  /** How many memberships all nodes have seen. */
  get memberships(): number {
    let count = 0;
    for (let node = 1; node <= this.nodes; node++)
      count += this.log(node).match(/A new membership/g)?.length ?? 0;
    return count;
  }

  /** How often and how long a node noticed that it could not run or heard no token, in its own words. */
  complaints(node: number): string[] {
    return this.log(node)
      .split("\n")
      .filter((line) =>
        /not scheduled for|Token has not been received|has been lost|link: .* is down/.test(line),
      );
  }

  /** The stranger takes a member's address (nobody finds him by it) and sends from there: words that go before his command. */
  stranger(as: number): string[] {
    const enter = this.#network.enter("guest");
    const take = `sysctl -qw net.ipv4.conf.all.arp_ignore=1; ip address replace ${this.address(as)}/32 dev lo; exec "$@"`;
    return [...enter, "sh", "-c", take, "sh"];
  }

  address(node: number): string {
    return this.#network.address(node);
  }

  get port(): number {
    return port;
  }

  /** Ends all nodes and removes what was made for them. */
  async close(): Promise<void> {
    for (const running of this.#processes) running.kill("SIGKILL");
    await Promise.all(this.#processes.map((running) => running.exited));
    this.#network.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #path(node: number, name: string): string {
    return join(this.#directory, `n${node}`, name);
  }

  #configuration(node: number, realtime: boolean): string {
    const members = Array.from({ length: this.nodes }, (_, n) => n + 1).map(
      (id) => `  node {\n    nodeid: ${id}\n    name: n${id}\n    ring0_addr: ${this.address(id)}\n  }\n`,
    );
    return `totem {
  version: 2
  cluster_name: flood
  transport: knet
  crypto_cipher: aes256
  crypto_hash: sha256
  keyfile: ${join(this.#directory, "authkey")}
}
system {
  state_dir: ${this.#path(node, "state")}
  sched_rr: ${realtime ? "yes" : "no"}
  priority: ${realtime ? "max" : "0"}
}
quorum {
  provider: corosync_votequorum
}
nodelist {
${members.join("")}}
logging {
  to_stderr: no
  to_syslog: no
  to_logfile: yes
  logfile: ${this.#path(node, "log")}
}
`;
  }
}

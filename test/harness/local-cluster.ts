import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const checkout = join(import.meta.dir, "..", "..");
/** The built executable, which is what users run. */
export const executable = join(checkout, "dist", "hactl");

/** Tests that want real-time priority or locked memory say so. */
const withoutPrivileges = ["sched_rr = false", "lock_memory = false"];

let portsGiven = 0;

/** The first of eight ports, one a link, that no other cluster of this machine's test runs uses: two runs must not meet. */
export const freePort = () => 10_000 + ((process.pid * 16 + 8 * portsGiven++) % 20_000);

/** What a command printed and how it ended. */
/** A command that goes on until it is ended. */
export interface Running {
  /** What it has printed until now. */
  output(): string;
  type(text: string): void;
  stop(): void;
  /** Its exit code. */
  readonly ended: Promise<number>;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LocalClusterOptions {
  readonly nodes: number;
  /** Default: node1, node2 … */
  readonly names?: readonly string[];
  /** Address of node i (from 1) on each link. Default: 127.0.0.i on one link. */
  readonly addresses?: (node: number) => readonly string[];
  /** Words before every command of a node: how to get onto its machine. */
  readonly enter?: (name: string) => readonly string[];
  /** Words before the daemon alone. */
  readonly boot?: (name: string) => readonly string[];
  /** Further processes of a node, beside those with its HACTL_CONFIG in their environment. */
  readonly processes?: (name: string) => readonly number[];
  /** Of the first link. Default: a free one. */
  readonly port?: number;
  readonly tokenMs?: number;
  /** Lines to add to a table of hactl.toml. */
  readonly quorum?: readonly string[];
  readonly totem?: readonly string[];
  readonly system?: readonly string[];
  /** Further tables. */
  readonly more?: string;
  /** Directories searched for OCF and fence agents before those of this machine. */
  readonly ocfPath?: readonly string[];
}

/**
 * A cluster of real daemons on this machine without root: one directory and one loopback address a node. Every process
 * of a node, its services too, carries HACTL_CONFIG in its environment: that is how a node is found and killed whole.
 */
export class LocalCluster {
  readonly #pids = new Map<string, number>();

  readonly #port: number;

  private constructor(
    readonly directory: string,
    readonly names: readonly string[],
    private readonly options: LocalClusterOptions,
  ) {
    this.#port = options.port ?? freePort();
  }

  /** Writes the configuration of all nodes. Nothing runs yet. */
  static async make(options: LocalClusterOptions): Promise<LocalCluster> {
    const directory = await mkdtemp(join(tmpdir(), "hactl-"));
    const names = Array.from({ length: options.nodes }, (_, i) => options.names?.[i] ?? `node${i + 1}`);
    const cluster = new LocalCluster(directory, names, options);
    const key = join(directory, "authkey");
    for (const file of [key, cluster.remoteKey]) {
      writeFileSync(file, randomBytes(256));
      chmodSync(file, 0o400);
    }
    mkdirSync(join(directory, "pids"));
    for (const name of names) {
      for (const part of ["state", "run"]) mkdirSync(join(directory, name, part), { recursive: true });
      writeFileSync(cluster.configOf(name), cluster.#config(name, key));
      writeFileSync(
        join(directory, "pids", `${name}.pid`),
        `environ HACTL_CONFIG=${cluster.configOf(name)}\n`,
      );
    }
    return cluster;
  }

  configOf(name: string): string {
    return join(this.directory, name, "hactl.toml");
  }

  logOf(name: string): string {
    try {
      return readFileSync(join(this.directory, name, "log"), "utf8");
    } catch {
      return "";
    }
  }

  /** What a node's daemon said on standard error: why it could not start. */
  stderrOf(name: string): string {
    try {
      return readFileSync(join(this.directory, name, "stderr"), "utf8");
    } catch {
      return "";
    }
  }

  /** Starts a node's daemon; it joins on its own time. Where nothing of the node runs, it boots: its run directory is empty. */
  start(name: string): void {
    if (this.processesOf(name).length === 0)
      rmSync(join(this.directory, name, "run"), { recursive: true, force: true });
    const words = [
      ...this.#enter(name),
      ...(this.options.boot?.(name) ?? []),
      executable,
      "start",
      "--node",
      name,
    ];
    const daemon = Bun.spawn(words, {
      env: { ...process.env, HACTL_CONFIG: this.configOf(name) },
      stdio: ["ignore", "ignore", Bun.file(join(this.directory, name, "stderr"))],
      detached: true,
    });
    this.#pids.set(name, daemon.pid);
  }

  startAll(): void {
    for (const name of this.names) this.start(name);
  }

  /** Pid of a node's ring process. */
  pidOf(name: string): number {
    return this.#pids.get(name) ?? 0;
  }

  /** Runs a hactl command against a node's daemon. */
  /** Starts a command of the executable on a node that does not end by itself. */
  spawn(name: string, ...args: readonly string[]): Running {
    const env = { ...process.env, HACTL_CONFIG: this.configOf(name), NO_COLOR: "1" };
    const command = Bun.spawn([...this.#enter(name), executable, ...args], {
      env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    let printed = "";
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of command.stdout) printed += decoder.decode(chunk, { stream: true });
    })();
    return {
      output: () => printed,
      type: (text) => {
        command.stdin.write(text);
        command.stdin.flush();
      },
      stop: () => command.kill(),
      ended: reading.then(() => command.exited),
    };
  }

  async hactl(name: string, ...args: readonly string[]): Promise<Ran> {
    const env = { ...process.env, HACTL_CONFIG: this.configOf(name), NO_COLOR: "1" };
    const command = Bun.spawn([...this.#enter(name), executable, ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(command.stdout).text(),
      new Response(command.stderr).text(),
      command.exited,
    ]);
    return { code, stdout, stderr };
  }

  /** Processes of a node, its services and agents among them. */
  processesOf(name: string): number[] {
    const wanted = `HACTL_CONFIG=${this.configOf(name)}`;
    const marked = readdirSync("/proc").flatMap((entry) => {
      const pid = Number(entry);
      if (!(pid > 0) || pid === process.pid) return [];
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
        return environment.includes(wanted) ? [pid] : [];
      } catch {
        return [];
      }
    });
    return [...new Set([...marked, ...(this.options.processes?.(name) ?? [])])];
  }

  /** Pid of one of a node's own processes. */
  process(name: string, mode: "manager" | "executor"): number | undefined {
    return this.processesOf(name).find((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return words[0] === executable && words.includes("internal") && words.includes(mode);
      } catch {
        return false;
      }
    });
  }

  /**
   * The processes of ocf:hactl:Service on a node. Each leads a session of its own; what their shells fork looks alike
   * until it runs another program.
   */
  servicesOf(name: string): number[] {
    return this.processesOf(name).filter((pid) => {
      try {
        const session = readFileSync(`/proc/${pid}/stat`, "utf8")
          .replace(/^.*\) /, "")
          .split(" ")[3];
        return (
          Number(session) === pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("/Service\0serve")
        );
      } catch {
        return false;
      }
    });
  }

  /** The node dies: every process of it is killed, again until none is left. */
  kill(name: string): void {
    for (let round = 0; round < 50; round++) {
      const pids = this.processesOf(name);
      if (pids.length === 0) return;
      for (const pid of pids) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has gone meanwhile.
        }
      }
    }
  }

  /** Waits until `look` answers something other than undefined. Throws with `what` after the time. */
  async until<T>(
    what: string,
    timeoutMs: number,
    look: () => Promise<T | undefined> | T | undefined,
  ): Promise<T> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
      await Bun.sleep(20);
    }
  }

  /** Waits until every node has joined: its ring knows all of them, and its manager answers for the cluster. */
  async joined(): Promise<void> {
    for (const name of this.names)
      await this.until(`${name} takes part`, 120_000, async () => {
        const { stdout } = await this.hactl(name, "crm_node", "-p");
        if (stdout.trim().split(" ").length !== this.names.length) return undefined;
        return (await this.hactl(name, "cibadmin", "--query")).code === 0 ? true : undefined;
      });
  }

  /** Starts nodes, also again when they are fenced meanwhile, until `done`. A real machine boots after its reset. */
  async boot(names: readonly string[], done: () => Promise<unknown>): Promise<void> {
    const timer = setInterval(() => {
      for (const name of names) if (this.processesOf(name).length === 0) this.start(name);
    }, 500);
    for (const name of names) this.start(name);
    await done().finally(() => clearInterval(timer));
  }

  /** Kills everything and removes the directory. */
  destroy(): void {
    for (const name of this.names) this.kill(name);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** The key that the nodes share with remote hosts. */
  get remoteKey(): string {
    return join(this.directory, "remote-authkey");
  }

  #enter(name: string): readonly string[] {
    return this.options.enter?.(name) ?? [];
  }

  #config(name: string, key: string): string {
    const { options } = this;
    const addresses = options.addresses ?? ((node: number) => [`127.0.0.${node}`]);
    const links = addresses(1).map(
      (_, link) => `[[totem.interface]]\nlinknumber = ${link}\nmcastport = ${this.#port + link}\n`,
    );
    const nodes = this.names.map((node, i) => {
      const rings = addresses(i + 1).map((address, link) => `ring${link}_addr = "${address}"`);
      return `[[nodelist.node]]\nnodeid = ${i + 1}\nname = "${node}"\n${rings.join("\n")}\n`;
    });
    const ocfPath = [...(options.ocfPath ?? []), join(checkout, "agents", "ocf"), "/usr/lib/ocf/resource.d"];
    const at = (...parts: string[]) => JSON.stringify(join(this.directory, name, ...parts));
    const given = new Set(options.system?.map((line) => line.split(" ")[0] ?? ""));
    return `[totem]
cluster_name = "local"
token = ${options.tokenMs ?? 1000}
keyfile = ${JSON.stringify(key)}
${(options.totem ?? []).join("\n")}

${links.join("\n")}
${nodes.join("\n")}
[quorum]
${(options.quorum ?? []).join("\n")}

[logging]
to_syslog = false
to_stderr = false
to_logfile = true
logfile = ${at("log")}
logfile_priority = "info"

[system]
state_dir = ${at("state")}
run_dir = ${at("run")}
secrets_dir = ${at("secrets")}
${withoutPrivileges.filter((line) => !given.has(line.split(" ")[0] ?? "")).join("\n")}
ocf_path = ${JSON.stringify(ocfPath.join(":"))}
fence_path = ${JSON.stringify(`${join(checkout, "agents", "fence")}:/usr/sbin`)}
${(options.system ?? []).join("\n")}

[remote]
keyfile = ${JSON.stringify(this.remoteKey)}

[kdump]
listen = false
${options.more ?? ""}
`;
  }
}

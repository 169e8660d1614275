import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ran } from "./local-cluster.ts";
import { run, TestNetwork } from "./network.ts";

/** A process of a machine, by its own number for it. */
export interface MachineProcess {
  readonly pid: number;
  readonly words: readonly string[];
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** It is killed after this. */
  readonly timeoutMs?: number;
}

let made = 0;

/**
 * A machine in namespaces of its own: network, mounts, processes, host name. `/run` is empty after each boot,
 * `/run/disk` keeps what is written to it, `/run/shared` is one directory for all machines, which know each other's
 * names. Needs root.
 */
export class Machine {
  #holder: Bun.Subprocess<"pipe", "pipe", number> | undefined;
  #init = 0;
  #booting: Promise<void> | undefined;

  constructor(
    readonly name: string,
    /** From 1; the last byte of its addresses. */
    readonly number: number,
    private readonly network: TestNetwork,
    /** Directory on this machine that is its disk. */
    readonly disk: string,
    private readonly shared: string,
  ) {
    mkdirSync(disk, { recursive: true });
  }

  /** Whether it has power. */
  get on(): boolean {
    return this.#init !== 0;
  }

  /** Path by which this machine sees a file of it. Only while it has power. */
  path(inside: string): string {
    return `/proc/${this.#init}/root${inside}`;
  }

  /** It boots, with nothing running. Who switches it on while it is being switched on waits for that. */
  async powerOn(): Promise<void> {
    if (this.on) return;
    this.#booting ??= this.#boot().finally(() => {
      this.#booting = undefined;
    });
    await this.#booting;
  }

  async #boot(): Promise<void> {
    this.network.plug(this.name, this.number);
    const spaces = ["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const init = [join(import.meta.dir, "machine-init.sh"), this.disk, this.shared, this.name];
    const said = openSync(join(this.disk, "boot.log"), "a");
    const holder = Bun.spawn([...this.network.enter(this.name), "unshare", ...spaces, "sh", ...init], {
      stdio: ["pipe", "pipe", said],
    });
    closeSync(said);
    const reader = holder.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    if (value === undefined)
      throw new Error(`${this.name} does not boot: ${readFileSync(join(this.disk, "boot.log"), "utf8")}`);
    this.#holder = holder;
    this.#init = Number(readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8").trim());
  }

  /**
   * It loses its power: its cables are dead first, as a host without power says no farewell, then everything on it is
   * killed at once. Settles when nothing of it is left.
   */
  async powerOff(): Promise<void> {
    const holder = this.#holder;
    if (!holder) return;
    this.#holder = undefined;
    for (let link = 0; link < this.network.linkCount; link++) this.network.cable(this.name, false, link);
    const init = this.#init;
    this.#init = 0;
    process.kill(init, "SIGKILL");
    await holder.exited;
  }

  /** Words before a command that runs on it. */
  get enter(): string[] {
    return ["nsenter", "-t", String(this.#init), "-m", "-n", "-u", "-i", "-p", "--"];
  }

  /** Runs a command on it. A command that was killed for its time has the code 137. */
  async run(words: readonly string[], { env = {}, timeoutMs = 120_000 }: RunOptions = {}): Promise<Ran> {
    if (!this.on) return { code: 255, stdout: "", stderr: `${this.name} has no power` };
    const limit = ["timeout", "-s", "KILL", String(timeoutMs / 1000)];
    const child = Bun.spawn([...this.enter, ...limit, ...words], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, stdout, stderr };
  }

  /** Starts a program on it that goes on by itself; what it says is appended to a file of its disk. */
  launch(words: readonly string[], log: string, env: Readonly<Record<string, string>> = {}): void {
    const said = openSync(join(this.disk, log), "a");
    Bun.spawn([...this.enter, "setsid", ...words], {
      env: { ...process.env, ...env },
      stdio: ["ignore", said, said],
    }).unref();
    closeSync(said);
  }

  /** Everything that runs on it but its first processes. */
  processes(): MachineProcess[] {
    if (!this.on) return [];
    return readdirSync(this.path("/proc")).flatMap((entry) => {
      const pid = Number(entry);
      if (!(pid > 1)) return [];
      try {
        const words = readFileSync(this.path(`/proc/${pid}/cmdline`), "utf8")
          .split("\0")
          .slice(0, -1);
        // A zombie has no words; the first process's own child reads its standard input.
        const bystander = words.length === 0 || (words.length === 1 && words[0] === "cat");
        return bystander ? [] : [{ pid, words }];
      } catch {
        return [];
      }
    });
  }

  /** Whether a process of it lives, by its own number for it. */
  lives(pid: number): boolean {
    try {
      return this.on && readFileSync(this.path(`/proc/${pid}/cmdline`)).length > 0;
    } catch {
      return false;
    }
  }

  /** Sends a signal to processes of it, by its own numbers for them. */
  kill(pids: readonly number[], signal: NodeJS.Signals = "SIGKILL"): void {
    run(...this.enter, "kill", "-s", signal.replace(/^SIG/, ""), ...pids.map(String));
  }

  /** Whether it has an address of IPv4 on one of its links. */
  hasAddress(address: string): boolean {
    return this.on && readFileSync(`/proc/${this.#init}/net/fib_trie`, "utf8").includes(` ${address}\n`);
  }
}

/** Machines on one network, and a host outside that has no disk: number 254. */
export class Machines {
  private constructor(
    readonly directory: string,
    readonly network: TestNetwork,
    readonly all: ReadonlyMap<string, Machine>,
  ) {}

  /** Makes machines without power. */
  static async make(names: readonly string[], links = 1): Promise<Machines> {
    const directory = await mkdtemp(join(tmpdir(), "hactl-machines-"));
    const shared = join(directory, "shared");
    mkdirSync(shared);
    const network = new TestNetwork(links, `m${process.pid}.${made++}`);
    network.plug("outside", 254);
    const lines = names.map((name, i) => `${network.address(i + 1)} ${name}\n`);
    writeFileSync(join(shared, "hosts"), `127.0.0.1 localhost\n${lines.join("")}`);
    const all = new Map<string, Machine>();
    for (const [i, name] of names.entries())
      all.set(name, new Machine(name, i + 1, network, join(directory, name), shared));
    return new Machines(directory, network, all);
  }

  /** The directory that all machines see as /run/shared. */
  get shared(): string {
    return join(this.directory, "shared");
  }

  of(name: string): Machine {
    const machine = this.all.get(name);
    if (!machine) throw new Error(`there is no machine ${name}`);
    return machine;
  }

  /** Ends all machines and removes what they wrote. */
  async destroy(): Promise<void> {
    await Promise.all([...this.all.values()].map((machine) => machine.powerOff()));
    this.network.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

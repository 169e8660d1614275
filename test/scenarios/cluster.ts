import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StatusReply } from "../../src/controller/index.ts";
import { AdminClient, type AdminRequest } from "../../src/daemon/index.ts";
import { executable, type Ran } from "../harness/local-cluster.ts";
import { type Machine, Machines } from "../harness/machines.ts";
import { Journal } from "./journal.ts";
import { PowerSwitch, type Switched } from "./power-switch.ts";
import { farName, type Mix, mixOf, type Shape } from "./resources.ts";
import { Violation } from "./violation.ts";

const checkout = join(import.meta.dir, "..", "..");
const agents = join(import.meta.dir, "agents");
const configFile = "/run/disk/hactl.toml";
const stateFiles = "/run/scene";

/** Processes of the daemon by their place in its words. */
export type Part = "ring" | "manager" | "executor" | "remote";
const wordsOf: Readonly<Record<Part, readonly string[]>> = {
  ring: ["start"],
  remote: ["remote"],
  manager: ["internal", "manager"],
  executor: ["internal", "executor"],
};

export interface ClusterOptions {
  /** Text of a node's hactl.toml instead of the one that all have. */
  readonly config?: (node: string, common: string) => string;
  /** Secret of the cluster on a node instead of the one that all have. */
  readonly key?: (node: string) => Uint8Array | undefined;
  /** Environment of a node's daemon. */
  readonly env?: (node: string) => Readonly<Record<string, string>>;
}

/** Where each resource runs by what is really there: content of its state file by node, by resource. */
export type Placement = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** A cluster of real daemons on machines of their own, with the resources of the scenarios. */
export class SceneCluster {
  readonly members: readonly string[];
  readonly remotes: readonly string[];
  readonly journal: Journal;
  readonly power: PowerSwitch;
  readonly mix: Mix;
  /** Names of nodes that differ from that of their machine. */
  readonly #renamed = new Map<string, string>();
  /** Members that shall take part now. */
  readonly expected = new Set<string>();
  /**
   * From the power to the start of the daemon, in ms: short for a machine, but longer than token and consensus, so that
   * the others have noticed that it was away.
   */
  bootMs = 4_000;
  /** Machines that have power and do not run anything yet. */
  readonly booting = new Set<string>();
  /** Whether a machine starts its daemon when it boots, as an enabled unit does. */
  readonly enabled = new Set<string>();

  private constructor(
    readonly shape: Shape,
    readonly machines: Machines,
    private readonly options: ClusterOptions,
  ) {
    const names = [...machines.all.keys()];
    this.members = names.slice(0, shape.nodes);
    this.remotes = names.slice(shape.nodes);
    this.mix = mixOf(shape, this.members, this.remotes);
    for (const host of this.remotes) this.#renamed.set(host, farName(host));
    this.journal = new Journal(join(machines.shared, "journal"));
    this.power = new PowerSwitch(machines.shared, (switched) => this.#turn(switched));
  }

  /** Machines with power and configuration, on which no daemon runs yet. */
  static async make(shape: Shape, options: ClusterOptions = {}): Promise<SceneCluster> {
    if (!existsSync(executable)) throw new Error(`${executable} is missing: make build`);
    const names = Array.from({ length: shape.nodes + shape.remotes }, (_, i) => `n${i + 1}`);
    const machines = await Machines.make(names, shape.links);
    const cluster = new SceneCluster(shape, machines, options);
    cluster.writeConfiguration();
    await Promise.all(names.map((name) => machines.of(name).powerOn()));
    return cluster;
  }

  /** The text of hactl.toml that all nodes have. */
  get commonConfig(): string {
    return commonConfig(
      this.members.map((name) => ({
        name: this.nodeName(name),
        id: this.machine(name).number,
        addresses: this.addresses(name),
      })),
    );
  }

  addresses(name: string): string[] {
    const { number } = this.machine(name);
    return Array.from({ length: this.shape.links }, (_, link) => this.machines.network.address(number, link));
  }

  /** Writes the configuration of all machines, anew after it was changed. */
  writeConfiguration(config = this.options.config): void {
    const key = randomBytes(256);
    for (const [name, { disk }] of this.machines.all) {
      mkdirSync(join(disk, "state"), { recursive: true });
      mkdirSync(join(disk, "log"), { recursive: true });
      const common = this.commonConfig;
      writeFileSync(join(disk, "hactl.toml"), config?.(name, common) ?? common);
      // The keys stay when only the configuration is written anew.
      for (const file of ["authkey", "remote-authkey"]) {
        const path = join(disk, file);
        if (existsSync(path)) continue;
        writeFileSync(path, (file === "authkey" && this.options.key?.(name)) || key, { mode: 0o400 });
      }
    }
  }

  machine(name: string): Machine {
    return this.machines.of(name);
  }

  /** Name of a machine as a node of the cluster. */
  nodeName(machine: string): string {
    return this.#renamed.get(machine) ?? machine;
  }

  /** Machine of a node. */
  machineOf(node: string): string {
    for (const [machine, name] of this.#renamed) if (name === node) return machine;
    return node;
  }

  /** From now on a member has another name in the configuration that is written. */
  rename(machine: string, node: string): void {
    this.#renamed.set(machine, node);
  }

  // Doing

  /** Gives machines power and starts their daemons; they join in their own time. */
  async start(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.enabled.add(name);
      await this.machine(name).powerOn();
      this.#launch(name);
    }
  }

  /** Stops nodes in the orderly way, all at once. Anything that is left is a violation. */
  async stop(...names: readonly string[]): Promise<void> {
    await this.stopDaemons(...names);
    await this.until("no process is left after the stop", 30_000, () => this.leftOn(names));
  }

  /** The same where services may stay. */
  async stopDaemons(...names: readonly string[]): Promise<void> {
    const stopped = await Promise.all(
      names.map(async (name) => ({ name, ran: await this.run(name, "hactl stop", { timeoutMs: 300_000 }) })),
    );
    for (const name of names) this.expected.delete(name);
    for (const { name, ran } of stopped)
      if (ran.code !== 0) throw new Violation(`hactl stop on ${name}: ${told(ran)}`);
    const parts = ["ring", "manager", "executor"] as const;
    await this.until("the daemons have ended", 30_000, () => {
      const left = names.flatMap((name) =>
        parts.filter((part) => this.pidOf(name, part)).map((part) => `${part} of ${name}`),
      );
      return left.length === 0 ? undefined : left.join(", ");
    });
  }

  /** What runs on machines beside a supervisor, or undefined when it is nothing. */
  leftOn(names: readonly string[]): string | undefined {
    const left = names.flatMap((name) =>
      this.machine(name)
        .processes()
        .filter(({ words }) => !isSupervisor(words))
        .map(({ words }) => `${name}: ${words.join(" ")}`),
    );
    return left.length === 0 ? undefined : left.join("; ");
  }

  /** A machine loses its power. Fencing, which is due now, gives it back. */
  async crash(name: string): Promise<void> {
    this.expected.delete(name);
    await this.machine(name).powerOff();
    this.journal.notePowerOff(name);
  }

  /** Sends a signal to a process of a daemon. @throws Violation when there is none */
  kill(name: string, part: Part, signal: NodeJS.Signals = "SIGKILL"): void {
    const pid = this.pidOf(name, part);
    if (pid === undefined) throw new Violation(`no ${part} runs on ${name}`);
    this.machine(name).kill([pid], signal);
  }

  pidOf(name: string, part: Part): number | undefined {
    return this.pidsOf(name, part)[0];
  }

  /** All processes that are such a part of a daemon. */
  pidsOf(name: string, part: Part): readonly number[] {
    const wanted = wordsOf[part];
    return this.machine(name)
      .processes()
      .filter(({ words }) => words[0] === executable && wanted.every((word, i) => words[i + 1] === word))
      .map(({ pid }) => pid);
  }

  /** The test ends a resource behind the cluster's back. */
  breakResource(rsc: string, node: string): void {
    const address = this.mix.addresses.get(rsc);
    const { network } = this.machines;
    if (address !== undefined) {
      const words = ["-n", network.namespace(node), "address", "del", `${address}/24`, "dev", "eth0"];
      Bun.spawnSync(["ip", ...words]);
    } else {
      const file = this.machine(node).path(`${stateFiles}/${rsc}`);
      // An init script's file holds a process of the machine.
      const server = rsc === "scene-server" ? this.#server(node) : undefined;
      if (server !== undefined) this.machine(node).kill([server]);
      else rmSync(file);
    }
    this.journal.noteBroken(node, rsc);
  }

  /** What an executor of a machine has written down for the next one is gone. */
  forgetExecutor(name: string): void {
    for (const file of ["json", "journal", "alive"])
      rmSync(this.machine(name).path(`/run/hactl/executor.${file}`), { force: true });
  }

  /** The process behind the init script, where it runs. */
  #server(node: string): number | undefined {
    const machine = this.machine(node);
    const pid = Number(readIfThere(machine.path(`${stateFiles}/scene-server`)));
    return pid > 0 && machine.lives(pid) ? pid : undefined;
  }

  /** Runs a line of shell on a machine, with the tools of hactl in its path. */
  run(name: string, line: string, options: { readonly timeoutMs?: number } = {}): Promise<Ran> {
    return this.machine(name).run(["sh", "-c", line], { ...options, env: this.#env(name) });
  }

  /** The same for what has to work. @throws Violation with what it said */
  async must(name: string, line: string, options: { readonly timeoutMs?: number } = {}): Promise<string> {
    const ran = await this.run(name, line, options);
    if (ran.code !== 0) throw new Violation(`${line} on ${name}: ${told(ran)}`);
    return ran.stdout;
  }

  /** Loads crm text through a member. */
  async load(text: string, through = this.anyone()): Promise<void> {
    const file = `load.${++this.#loads}.crm`;
    writeFileSync(join(this.machines.shared, file), text);
    await this.must(through, `hactl configure load update /run/shared/${file}`);
  }
  #loads = 0;

  /** A member that shall take part, other than some. */
  anyone(but: readonly string[] = []): string {
    const name = [...this.expected].find((member) => !but.includes(member));
    if (name === undefined) throw new Violation("no member is up");
    return name;
  }

  async #turn({ action, node }: Switched): Promise<void> {
    const machine = this.machine(node);
    if (action !== "on" && machine.on) await this.crash(node);
    if (action === "off") return;
    await machine.powerOn();
    this.booting.add(node);
    // The switch does not wait for that.
    setTimeout(() => {
      this.booting.delete(node);
      if (machine.on && this.enabled.has(node)) this.#launch(node);
    }, this.bootMs);
  }

  /** The supervisors forget how often they have started daemons: another scenario begins. */
  forgetStarts(): void {
    for (const name of [...this.members, ...this.remotes])
      if (this.machine(name).on) writeFileSync(this.machine(name).path("/run/supervisor-forgets"), "");
  }

  #launch(name: string): void {
    const mode = this.remotes.includes(name) ? "remote" : "start";
    if (this.pidOf(name, mode === "start" ? "ring" : "remote") !== undefined) return;
    if (mode === "start") this.expected.add(name);
    const named = mode === "remote" ? ["--node", farName(name)] : [];
    const words = ["sh", join(import.meta.dir, "supervise.sh"), executable, mode, ...named];
    this.machine(name).launch(words, "output", this.#env(name));
  }

  #env(name: string): Record<string, string> {
    const path = `/run/hactl/tools:${dirname(executable)}:${process.env.PATH}`;
    return { HACTL_CONFIG: configFile, NO_COLOR: "1", PATH: path, ...this.options.env?.(name) };
  }

  // Looking

  /** Asks a daemon; undefined without an answer. */
  async ask<T>(name: string, request: AdminRequest, timeoutMs = 10_000): Promise<T | undefined> {
    const { value } = await this.request<T>(name, request, timeoutMs);
    return value;
  }

  /** Asks a daemon: its answer, or what it said instead. */
  async request<T>(
    name: string,
    request: AdminRequest,
    timeoutMs = 10_000,
  ): Promise<{ readonly value?: T; readonly error?: string }> {
    const machine = this.machine(name);
    if (!machine.on) return { error: "no power" };
    let client: AdminClient | undefined;
    try {
      client = await AdminClient.connect(machine.path("/run/hactl/admin.sock"));
      return { value: await client.request<T>(request, timeoutMs) };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    } finally {
      client?.close();
    }
  }

  status(name: string): Promise<StatusReply | undefined> {
    return this.ask<StatusReply>(name, { type: "status" });
  }

  /** The leader as the members that shall be up see it; undefined while they do not agree. */
  async leader(): Promise<string | undefined> {
    const seen = new Set<string | undefined>();
    for (const name of this.expected) seen.add((await this.status(name))?.membership?.leader);
    const [leader] = seen.size === 1 ? seen : [];
    return leader === undefined ? undefined : this.machineOf(leader);
  }

  /** Where resources really are, by the files and addresses that their agents leave. */
  placement(): Placement {
    const found = new Map<string, Map<string, string>>();
    const put = (rsc: string, node: string, content: string) => {
      const nodes = found.get(rsc) ?? new Map<string, string>();
      found.set(rsc, nodes.set(node, content));
    };
    for (const [node, machine] of this.machines.all) {
      if (!machine.on) continue;
      for (const [rsc, content] of filesOf(machine)) {
        if (rsc !== "scene-server") put(rsc, node, content);
        else if (this.#server(node) !== undefined) put(rsc, node, "started");
      }
      for (const [rsc, address] of this.mix.addresses)
        if (machine.hasAddress(address)) put(rsc, node, "started");
    }
    return found;
  }

  nodesOf(rsc: string): string[] {
    return [...(this.placement().get(rsc)?.keys() ?? [])].sort();
  }

  /** Nodes where the promotable clone is promoted, by its files. */
  promoted(): string[] {
    const nodes = this.placement().get(this.mix.promotable.rsc) ?? new Map<string, string>();
    return [...nodes].filter(([, role]) => role === "promoted").map(([node]) => node);
  }

  logOf(name: string): string {
    return readIfThere(join(this.machine(name).disk, "log", "hactl.log"));
  }

  /** What the daemon and its supervisor said outside of the log. */
  outputOf(name: string): string {
    return readIfThere(join(this.machine(name).disk, "output"));
  }

  /**
   * Waits until `look` finds nothing to complain about (undefined).
   * @throws Violation with `what` and the last complaint after the time, which is for giving up and measures nothing
   */
  async until(
    what: string,
    timeoutMs: number,
    look: () => Promise<string | undefined> | string | undefined,
  ): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const complaint = await look();
      if (complaint === undefined) return;
      if (performance.now() > end)
        throw new Violation(`not within ${timeoutMs / 1000} s: ${what}: ${complaint}`);
      await Bun.sleep(100);
    }
  }

  async destroy(): Promise<void> {
    await this.power.close();
    await this.machines.destroy();
  }
}

const isSupervisor = (words: readonly string[]): boolean =>
  words.some((word) => word.endsWith("/supervise.sh")) || words.join(" ") === "sleep 0.2";

const told = ({ code, stdout, stderr }: Ran): string =>
  `${code} ${(stderr.trim() || stdout.trim()).slice(-400)}`;

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function filesOf(machine: Machine): [string, string][] {
  try {
    const directory = machine.path(stateFiles);
    return readdirSync(directory).map((rsc) => [rsc, readFileSync(join(directory, rsc), "utf8").trim()]);
  } catch {
    return [];
  }
}

/** A node of a list in hactl.toml. */
export interface ListedNode {
  readonly name: string;
  readonly id: number;
  readonly addresses: readonly string[];
}

/** The text of hactl.toml for a list of nodes; `totem` adds lines to its first table. */
export function commonConfig(
  nodes: readonly ListedNode[],
  name = "scene",
  totem: readonly string[] = [],
): string {
  const tables = nodes.map(({ name: node, id, addresses }) => {
    const rings = addresses.map((address, link) => `ring${link}_addr = "${address}"`);
    return `[[nodelist.node]]\nname = "${node}"\nnodeid = ${id}\n${rings.join("\n")}\n`;
  });
  return `[totem]
cluster_name = "${name}"
token = 1000
token_coefficient = 0
keyfile = "/run/disk/authkey"
${totem.join("\n")}

${tables.join("\n")}
[quorum]
${nodes.length === 2 ? "two_node = true" : ""}

[logging]
to_syslog = false
to_logfile = true
logfile = "/run/disk/log/hactl.log"

[system]
state_dir = "/run/disk/state"
run_dir = "/run/hactl"
ocf_path = "${agents}/ocf:${checkout}/agents/ocf:/usr/lib/ocf/resource.d"
fence_path = "${agents}/fence"
lsb_path = "${agents}/init.d"

[remote]
keyfile = "/run/disk/remote-authkey"
`;
}

import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AdminRequest,
  connectAdmin,
  type NodeReply,
  type RingProcessStatus,
} from "../../src/daemon/index.ts";
import { executable, LocalCluster, type LocalClusterOptions, type Ran } from "./local-cluster.ts";

/** An entry of `hactl history`. */
export interface HistoryEntry {
  readonly event: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Directory with the agents of the tests. */
export const testAgents = join(import.meta.dir, "agents", "ocf");

/**
 * A cluster of real daemons and what a test says about it: what is loaded, where a resource is, what happened. Where a
 * resource is tells its agent's own state file, not the cluster.
 */
export class Story {
  private constructor(readonly nodes: LocalCluster) {}

  /** Writes the configuration of the nodes. A node that is fenced or crashes loses its volatile files too. */
  static async make(options: LocalClusterOptions): Promise<Story> {
    const nodes = await LocalCluster.make({
      tokenMs: 600,
      ...options,
      ocfPath: [testAgents, ...(options.ocfPath ?? [])],
    });
    const story = new Story(nodes);
    for (const name of nodes.names) {
      const script = join(nodes.directory, "pids", `${name}.off`);
      writeFileSync(script, `#!/bin/sh\nrm -rf ${story.#volatile(name)}\n`, { mode: 0o755 });
    }
    return story;
  }

  /** A cluster whose nodes all run and take part. */
  static async running(options: LocalClusterOptions): Promise<Story> {
    const story = await Story.make(options);
    story.nodes.startAll();
    await story.membersAre(story.names.length, story.names[0] ?? "");
    return story;
  }

  get names(): readonly string[] {
    return this.nodes.names;
  }

  get directory(): string {
    return this.nodes.directory;
  }

  /** Crm text of a fencing device that really switches these nodes off. */
  get power(): string {
    return `primitive power stonith:fence_hactl_demo params pid_dir="${join(this.directory, "pids")}"`;
  }

  close(): void {
    this.nodes.destroy();
  }

  /** The node dies at once and loses its volatile files. */
  crash(name: string): void {
    this.nodes.kill(name);
    rmSync(this.#volatile(name), { recursive: true, force: true });
  }

  /** Runs `hactl …` on a node. */
  hactl(name: string, ...words: readonly string[]): Promise<Ran> {
    return this.nodes.hactl(name, ...words);
  }

  /** Runs `hactl …` on a node and throws with what it said when it fails. */
  async must(name: string, ...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.hactl(name, ...words);
    if (code !== 0) throw new Error(`hactl ${words.join(" ")}: ${code} ${stderr || stdout}`);
    return stdout;
  }

  /** Loads crm text through a node. */
  async load(text: string, mode = "update", through = this.#alive): Promise<void> {
    await this.must(through, "configure", "load", mode, this.#file(text));
  }

  /** The same although the agents are not there. */
  async loadAllTheSame(text: string, mode = "update"): Promise<void> {
    await this.must(this.#alive, "configure", "load", "--force", mode, this.#file(text));
  }

  /** The same by the name `crm`, as a link to the executable. */
  async loadAs(name: "crm", text: string, mode = "update"): Promise<void> {
    const link = join(this.directory, name);
    if (!existsSync(link)) symlinkSync(executable, link);
    const env = { ...process.env, HACTL_CONFIG: this.nodes.configOf(this.#alive), NO_COLOR: "1" };
    const { exitCode, stderr } = Bun.spawnSync([link, "configure", "load", mode, this.#file(text)], { env });
    if (exitCode !== 0) throw new Error(`${name}: ${exitCode} ${stderr}`);
  }

  #file(text: string): string {
    const file = join(this.directory, "story.crm");
    writeFileSync(file, text);
    return file;
  }

  /** What loading a file says; for files that must be refused. */
  refused(name: string, text: string | Uint8Array, mode = "update"): Promise<Ran> {
    const file = join(this.directory, name);
    writeFileSync(file, text);
    return this.hactl(this.#alive, "configure", "load", mode, file);
  }

  /** Waits until the cluster has nothing left to do, whatever has failed. */
  async idle(through = this.#alive): Promise<void> {
    await this.must(through, "crm_resource", "--wait", "--timeout", "60s");
  }

  async membersAre(count: number, through = this.#alive): Promise<void> {
    await this.until(`${count} nodes take part`, 30_000, async () => {
      const reply = await this.ask<NodeReply>(through, { type: "node" }).catch(() => undefined);
      if (!reply?.joined) return undefined;
      return reply.members.filter(({ state }) => state === "member").length === count ? true : undefined;
    });
  }

  /** Asks a node's manager. */
  async ask<T>(name: string, request: AdminRequest): Promise<T> {
    const client = await connectAdmin({ config: this.nodes.configOf(name) });
    try {
      return await client.request<T>(request, 10_000);
    } finally {
      client.close();
    }
  }

  /** Packets that a node's links have dropped, by why. */
  async drops(name: string): Promise<Readonly<Record<string, number>>> {
    const { counters } = (await this.ask<RingProcessStatus>(name, { type: "ring-status" })).core.links;
    const drops = Object.entries(counters).filter(([what]) => what.startsWith("drop:"));
    return Object.fromEntries(drops.map(([what, count]) => [what.slice("drop:".length), count]));
  }

  cib(through = this.#alive): Promise<string> {
    return this.ask<string>(through, { type: "cib" });
  }

  /** The configuration as people read it. */
  configuration(through = this.#alive): Promise<string> {
    return this.must(through, "configure", "show");
  }

  /** Nodes on which a Dummy or Stateful resource is. */
  where(rsc: string): string[] {
    return this.names.filter((name) =>
      ["Dummy", "Stateful", "Wild"].some((type) => existsSync(this.#state(name, type, rsc))),
    );
  }

  /** Somebody stops a Dummy by hand where it is, if so, and starts it elsewhere. */
  moveByHand(rsc: string, from: string | undefined, to: string): void {
    writeFileSync(this.#state(to, "Dummy", rsc), "");
    if (from !== undefined) rmSync(this.#state(from, "Dummy", rsc));
  }

  /** Nodes on which an instance of a Stateful resource is promoted. */
  promoted(rsc: string): string[] {
    return this.names.filter((name) => {
      try {
        return /promoted|master/i.test(
          readFileSync(this.#state(name, "Stateful", rsc), "utf8").replace(/unpromoted/g, ""),
        );
      } catch {
        return false;
      }
    });
  }

  /** Waits until a resource is on exactly these nodes. */
  async on(rsc: string, nodes: readonly string[], ms = 20_000): Promise<void> {
    await this.until(
      `${rsc} is on ${nodes.join(" ") || "no node"} (it is on ${this.where(rsc).join(" ")})`,
      ms,
      () => (this.where(rsc).join(" ") === nodes.join(" ") ? true : undefined),
    );
  }

  /** Waits until a resource is on one node. Answers which. */
  somewhere(rsc: string, ms = 20_000): Promise<string> {
    return this.until(`${rsc} is somewhere`, ms, () => {
      const nodes = this.where(rsc);
      return nodes.length === 1 ? nodes[0] : undefined;
    });
  }

  /** What happened since a moment, as `EVENT text`, on all nodes that run or as one of them tells it. */
  async events(since = 0, through?: string): Promise<string[]> {
    const alive =
      through === undefined ? this.names.filter((name) => this.process(name, "manager")) : [through];
    const told = await Promise.all(
      alive.map((name) => this.hactl(name, "history", "--json", "--limit", "2000")),
    );
    return told
      .flatMap(({ code, stdout }) => (code === 0 ? (JSON.parse(stdout) as HistoryEntry[]) : []))
      .filter(({ at }) => at >= since)
      .sort((a, b) => a.at - b.at)
      .map(({ event, text }) => `${event} ${text}`);
  }

  /** Waits until something has happened. */
  event(pattern: RegExp, since = 0, ms = 20_000, through?: string): Promise<string> {
    return this.until(`event ${pattern}`, ms, async () =>
      (await this.events(since, through)).find((event) => pattern.test(event)),
    );
  }

  /** What the leaders have decided to do since a moment. */
  async plans(since: number): Promise<string[]> {
    const events = await this.events(since);
    return events.filter((event) => event.startsWith("PLAN ")).map((event) => event.slice("PLAN ".length));
  }

  /** Pid of one of a node's own processes. */
  process(name: string, mode: "manager" | "executor"): number | undefined {
    return this.nodes.process(name, mode);
  }

  /** As that of the cluster, and says what happened last when it was in vain. */
  async until<T>(what: string, ms: number, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    try {
      return await this.nodes.until(what, ms, look);
    } catch (error) {
      const events = await this.events().catch(() => []);
      throw new Error(`${(error as Error).message}\nlast events:\n${events.slice(-30).join("\n")}`);
    }
  }

  /** A node that runs, to ask. */
  get #alive(): string {
    return this.names.find((name) => this.process(name, "manager") !== undefined) ?? this.names[0] ?? "";
  }

  #volatile(name: string): string {
    return join(this.directory, name, "run", "rsctmp");
  }

  #state(name: string, type: string, rsc: string): string {
    return join(this.#volatile(name), `${type}-${rsc}.state`);
  }
}

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalCluster } from "../harness/local-cluster.ts";

/**
 * The demonstration: a cluster of three real nodes on this machine, without root. The node that serves is killed;
 * the others notice, fence it and serve instead; it comes back. Ends with status 0 when all of that was seen.
 */

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code: number, text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
const say = (text = "") => console.log(text);
const title = (text: string) => say(`\n${paint(1, `▌ ${text}`)}`);

const nodeCount = 3;

const configuration = (directory: string) => `
property stonith-enabled=true no-quorum-policy=stop
rsc_defaults resource-stickiness=200 migration-threshold=3
primitive power stonith:fence_hactl_demo params pid_dir="${join(directory, "pids")}" op monitor interval=60s
primitive disk ocf:pacemaker:Dummy op monitor interval=5s
primitive service ocf:hactl:Service params file="${join(directory, "beat")}" op monitor interval=2s
primitive address ocf:pacemaker:Dummy op monitor interval=5s
group shop disk service address
location prefer-node1 shop 50: node1
`;

/** A beat of the service: who wrote it and when (seconds). */
interface Beat {
  readonly node: string;
  readonly at: number;
}

class Client {
  readonly #file: string;
  readonly seen: Beat[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(directory: string) {
    this.#file = join(directory, "beat");
  }

  /** Asks the service all the time, as a client of it would. */
  begin(): void {
    this.#timer = setInterval(() => {
      const beat = this.look();
      if (beat && beat.at !== this.seen.at(-1)?.at) this.seen.push(beat);
    }, 20);
  }

  look(): Beat | undefined {
    if (!existsSync(this.#file)) return undefined;
    const [node, , seconds] = readFileSync(this.#file, "utf8").trim().split(" ");
    const at = Number(seconds);
    return node && at > 0 ? { node, at } : undefined;
  }

  /** The node that serves now, if any does. */
  server(): string | undefined {
    const beat = this.look();
    return beat && Date.now() / 1000 - beat.at < 1 ? beat.node : undefined;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** Longest time between two beats since a moment, in seconds. */
  longestGap(since: number): number {
    let longest = 0;
    const beats = this.seen.filter(({ at }) => at >= since - 1);
    for (let i = 1; i < beats.length; i++)
      longest = Math.max(longest, (beats[i]?.at ?? 0) - (beats[i - 1]?.at ?? 0));
    return longest;
  }
}

async function status(cluster: LocalCluster, node: string): Promise<void> {
  const { stdout, stderr, code } = await cluster.hactl(node, "status");
  say((code === 0 ? stdout : stdout + stderr).trimEnd().replace(/^/gm, "  "));
}

/** Lines of a node's log between two moments, as seconds after the first. */
interface Row {
  readonly at: number;
  readonly event: string;
  readonly text: string;
}

async function timeline(cluster: LocalCluster, node: string, since: number): Promise<void> {
  const { stdout } = await cluster.hactl(
    node,
    "history",
    "--json",
    "--limit",
    "500",
    "--since",
    new Date(since).toISOString(),
  );
  const told = ["NODE-LOST", "FENCING", "NODE-FENCED", "MEMBERSHIP", "PLAN", "TRANSITION-OVER"];
  for (const { at, event, text } of JSON.parse(stdout) as Row[]) {
    if (!told.includes(event)) continue;
    say(`  ${paint(36, `+${((at - since) / 1000).toFixed(2)} s`.padStart(9))}  ${text}`);
  }
}

async function main(): Promise<number> {
  const cluster = await LocalCluster.make({ nodes: nodeCount });
  const client = new Client(cluster.directory);
  const cleanUp = () => {
    client.end();
    cluster.destroy();
  };
  process.on("SIGINT", () => {
    cleanUp();
    process.exit(130);
  });
  try {
    return await story(cluster, client);
  } catch (error) {
    say(paint(31, `\nThe demonstration failed: ${error instanceof Error ? error.message : String(error)}`));
    for (const name of cluster.names)
      say(
        `\n--- log of ${name} ---\n${cluster.logOf(name).split("\n").slice(-30).join("\n")}\n${cluster.stderrOf(name)}`,
      );
    return 1;
  } finally {
    cleanUp();
  }
}

async function story(cluster: LocalCluster, client: Client): Promise<number> {
  title("Three nodes start on this machine (127.0.0.1 to 127.0.0.3, no root needed)");
  let begun = Date.now();
  cluster.startAll();
  await cluster.until("all nodes take part", 20_000, async () => {
    const { code, stdout } = await cluster.hactl("node1", "node", "show", "--json");
    if (code !== 0) return undefined;
    const { members } = JSON.parse(stdout) as { members: { state: string }[] };
    return members.every(({ state }) => state === "member") ? true : undefined;
  });
  say(`  All three form one ring after ${((Date.now() - begun) / 1000).toFixed(1)} s.`);

  title("A service is configured, in crm shell text");
  const file = join(cluster.directory, "shop.crm");
  writeFileSync(file, configuration(cluster.directory));
  say(configuration("DIR").trim().replace(/^/gm, "  "));
  begun = Date.now();
  const loaded = await cluster.hactl("node1", "configure", "load", "update", file);
  if (loaded.code !== 0) throw new Error(loaded.stderr);
  client.begin();
  const active = await cluster.until("the service runs", 20_000, () => client.server());
  say(`\n  It is served by ${paint(1, active)} ${((Date.now() - begun) / 1000).toFixed(1)} s later.`);
  await Bun.sleep(1500);
  title("hactl status");
  await status(cluster, "node2");

  title(`Every process of ${active} is killed at once`);
  const killed = Date.now();
  cluster.kill(active);
  const other = cluster.names.find((name) => name !== active) ?? "node2";
  const heir = await cluster.until("another node serves", 30_000, () => {
    const now = client.server();
    return now !== undefined && now !== active ? now : undefined;
  });
  await Bun.sleep(1500);
  const outage = client.longestGap(killed / 1000);
  say(`  ${paint(1, heir)} serves. The client waited ${paint(1, `${outage.toFixed(2)} s`)}. What happened:`);
  // The leader's history has the decisions too.
  const shown = await cluster.hactl(heir, "node", "show", "--json");
  await timeline(cluster, (JSON.parse(shown.stdout) as { leader?: string }).leader ?? heir, killed);
  title("hactl status");
  await status(cluster, other);

  title(`${active} comes back`);
  begun = Date.now();
  cluster.start(active);
  await cluster.until("it takes part again", 20_000, async () => {
    const { code, stdout } = await cluster.hactl(active, "node", "show", "--json");
    if (code !== 0) return undefined;
    const { members } = JSON.parse(stdout) as { members: { name: string; state: string }[] };
    return members.every(({ state }) => state === "member") ? true : undefined;
  });
  await cluster.hactl(heir, "node", "show");
  await Bun.sleep(2000);
  const now = client.server();
  say(`  It takes part again after ${((Date.now() - begun - 2000) / 1000).toFixed(1)} s.`);
  say(
    `  The service stays on ${paint(1, now ?? "nobody")}: its stickiness (200 a member) is more than the preference for node1 (50).`,
  );
  const twice = existsSync(join(cluster.directory, "beat.conflict"));
  say(twice ? paint(31, "  It ran twice at some time!") : "  At no time did it run on two nodes.");
  title("Cleaning up");
  return now === heir && !twice ? 0 : 1;
}

process.exit(await main());

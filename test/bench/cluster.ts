import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { connectAdmin } from "../../src/daemon/index.ts";
import { NetnsCluster } from "../harness/netns-cluster.ts";

/**
 * Cluster benchmark: two nodes in network namespaces, Dummy resources with monitors of 10 s. Prints a table of cold start,
 * switchover and failover beside the time that the same agent runs take under `xargs -P` at its best. Needs root
 * and the package resource-agents. Usage: bun test/bench/cluster.ts [COUNT…]
 */

const counts = process.argv
  .slice(2)
  .map(Number)
  .filter((count) => count > 0);
const sizes = counts.length > 0 ? counts : [15, 64, 256];
const ticks = 100;

interface Usage {
  readonly own: number;
  readonly agents: number;
  readonly rssMb: number;
}

/** CPU seconds of a process and of the children it has waited for, and its memory. */
function usage(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const at = (index: number) => (fields[index] ?? 0) / ticks;
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  return { own: at(11) + at(12), agents: at(13) + at(14), rssMb: Number(rss) / 1024 };
}

/** Processes of a node's daemon by what they are. */
function daemonProcesses(cluster: NetnsCluster, name: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const pid of cluster.nodes.processesOf(name)) {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    if (words.includes("start")) found.set("ring", pid);
    const mode = words[words.indexOf("internal") + 1];
    if (words.includes("internal") && mode !== undefined) found.set(mode, pid);
  }
  return found;
}

function allUsage(cluster: NetnsCluster): Map<string, Usage> {
  const sum = new Map<string, Usage>();
  for (const name of cluster.nodes.names) {
    for (const [process, pid] of daemonProcesses(cluster, name)) {
      const { own, agents, rssMb } = usage(pid);
      const before = sum.get(process) ?? { own: 0, agents: 0, rssMb: 0 };
      sum.set(process, {
        own: before.own + own,
        agents: before.agents + agents,
        rssMb: Math.max(before.rssMb, rssMb),
      });
    }
  }
  return sum;
}

const seconds = (ms: number) => (ms / 1000).toFixed(2);

/** Resources that run on a node with their monitor, by the history. */
async function monitored(cluster: NetnsCluster, through: string, on?: string): Promise<number> {
  let client: Awaited<ReturnType<typeof connectAdmin>>;
  try {
    client = await connectAdmin({ config: cluster.nodes.configOf(through) });
  } catch {
    return -1;
  }
  try {
    // Asking for the whole CIB again and again would be measured too: it is asked for when nothing is left to do.
    await client.request({ type: "wait-idle", timeoutMs: 300_000 }, 300_000);
    const cib = await client.request<string>({ type: "cib" });
    return cib
      .split("<node_state ")
      .slice(1)
      .filter((state) => on === undefined || state.includes(`uname="${on}"`))
      .flatMap((state) => [...state.matchAll(/<lrm_rsc_op id="d\d+_monitor_10000"[^>]*rc-code="0"/g)]).length;
  } catch {
    return -1;
  } finally {
    client.close();
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Time of so many agent runs at the best parallelism. */
function limitMs(actions: readonly (readonly [action: string, runs: number])[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (const parallel of [availableParallelism(), availableParallelism() * 2, availableParallelism() * 4]) {
    const begun = performance.now();
    for (const [action, runs] of actions) {
      const script =
        "export OCF_ROOT=/usr/lib/ocf OCF_RESKEY_state=/tmp/hactl-bench-$$-$0.state OCF_RESOURCE_INSTANCE=bench; " +
        `/usr/lib/ocf/resource.d/heartbeat/Dummy ${action} >/dev/null 2>&1; true`;
      const input = Array.from({ length: runs }, (_, i) => String(i)).join("\n");
      spawnSync("xargs", ["-P", String(parallel), "-n", "1", "sh", "-c", script], { input });
    }
    best = Math.min(best, performance.now() - begun);
  }
  for (const file of readdirSync("/tmp"))
    if (/^hactl-bench-.*\.state$/.test(file)) spawnSync("rm", ["-f", join("/tmp", file)]);
  return best;
}

async function measure(count: number): Promise<string[]> {
  const cluster = await NetnsCluster.make({ nodes: 2, quorum: ["two_node = true", "wait_for_all = false"] });
  try {
    cluster.nodes.startAll();
    await cluster.nodes.until("both nodes take part", 30_000, async () => {
      const { code, stdout } = await cluster.nodes.hactl("node1", "node", "show");
      return code === 0 && stdout.split(" online").length === 3 ? true : undefined;
    });
    const resources = Array.from(
      { length: count },
      (_, i) =>
        `primitive d${i} ocf:heartbeat:Dummy op monitor interval=10s timeout=60s op start timeout=60s interval=0 op stop timeout=60s interval=0`,
    );
    const prefer = Array.from({ length: count }, (_, i) => `location l${i} d${i} 100: node1`);
    const file = join(cluster.nodes.directory, "bench.crm");
    const power = `primitive power stonith:fence_hactl_demo params ${cluster.fenceParameters}`;
    writeFileSync(file, [`property stonith-enabled=true`, power, ...resources, ...prefer].join("\n"));
    const loaded = await cluster.nodes.hactl("node1", "configure", "load", "update", file);
    if (loaded.code !== 0) throw new Error(loaded.stderr);
    await until(cluster, count, "node1", "node1");
    await Promise.all(cluster.nodes.names.map((name) => cluster.nodes.hactl(name, "stop")));

    const start = await timed(async () => {
      cluster.nodes.startAll();
      await until(cluster, count, "node1", "node1");
    });
    const used = allUsage(cluster);
    await cluster.nodes.hactl("node1", "wait");
    const idleBefore = allUsage(cluster);
    await Bun.sleep(10_000);
    const idleAfter = allUsage(cluster);
    const switchover = await timed(async () => {
      await cluster.nodes.hactl("node2", "node", "standby", "node1");
      await until(cluster, count, "node2", "node2");
    });
    await cluster.nodes.hactl("node2", "node", "online", "node1");
    await until(cluster, count, "node2", "node1");
    const failover = await timed(async () => {
      cluster.crash("node1");
      await until(cluster, count, "node2", "node2");
    });
    const startLimit = limitMs([
      ["monitor", count * 2],
      ["start", count],
      ["monitor", count],
    ]);
    const moveLimit = limitMs([
      ["stop", count],
      ["start", count],
      ["monitor", count],
    ]);
    const own = [...used.values()].reduce((sum, each) => sum + each.own, 0);
    const agents = [...used.values()].reduce((sum, each) => sum + each.agents, 0);
    const idle = ["ring", "manager", "executor"].map((name) => {
      const spent = (idleAfter.get(name)?.own ?? 0) - (idleBefore.get(name)?.own ?? 0);
      return `${name} ${((spent / 10 / 2) * 100).toFixed(1)} % ${idleAfter.get(name)?.rssMb.toFixed(0)} MB`;
    });
    return [
      String(count),
      seconds(start),
      seconds(startLimit),
      seconds(switchover),
      seconds(moveLimit),
      seconds(failover),
      own.toFixed(1),
      agents.toFixed(1),
      idle.join(", "),
    ];
  } finally {
    cluster.destroy();
  }
}

async function until(cluster: NetnsCluster, count: number, through: string, on: string): Promise<void> {
  await cluster.nodes.until(`${count} resources run on ${on}`, 300_000, async () => {
    const there = await monitored(cluster, through, on);
    if (there === count) return true;
    await Bun.sleep(20);
    return undefined;
  });
}

const header = [
  "resources",
  "cold start s",
  "limit s",
  "switchover s",
  "limit s",
  "failover s",
  "own CPU s at start",
  "agents' CPU s",
  "idle, each process (CPU of one core, RSS)",
];
console.log(`| ${header.join(" | ")} |\n|${header.map(() => "---").join("|")}|`);
for (const count of sizes) console.log(`| ${(await measure(count)).join(" | ")} |`);

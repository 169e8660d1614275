import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { type RingClient, RingCluster, type RingClusterOptions, usage } from "../harness/ring-cluster.ts";

/**
 * Ring benchmark: real ring processes on loopback addresses of this machine, and one process that stands in for all
 * managers. Prints idle cost, ordered messages per second with their latency, and how late timers fire on a busy
 * machine; with `form` the time until nodes that were started together are one ring, with `fail` the time until a dead
 * node is missed. Usage: bun test/bench/ring.ts [idle|load|form|fail|late]…
 * [--nodes 2,4] [--seconds 3]
 */
const words = process.argv.slice(2);
const option = (name: string, otherwise: string) =>
  words[words.indexOf(name) + 1 || words.length] ?? otherwise;
const nodeCounts = option("--nodes", "2,4,8,16").split(",").map(Number);
const seconds = Number(option("--seconds", "3"));
const chosen = ["idle", "load", "form", "fail", "late"].filter((name) => words.includes(name));
const wants = (name: string) =>
  chosen.length === 0 ? name !== "fail" && name !== "form" : chosen.includes(name);

const sizes = [
  { name: "100 B", bytes: 100, window: 512 },
  { name: "1 KB", bytes: 1024, window: 256 },
  { name: "16 KB", bytes: 16 * 1024, window: 32 },
  { name: "64 KB", bytes: 64 * 1024, window: 8 },
] as const;

/** By then the start is over: what runs often has been compiled, what only the start needed has been given back. */
const startedMs = 12_000;

const row = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);
const head = (cells: readonly string[]) => {
  row(cells);
  row(cells.map(() => "---"));
};

async function withCluster(
  nodes: number,
  work: (cluster: RingCluster) => Promise<void>,
  options: Partial<RingClusterOptions> = {},
): Promise<void> {
  const cluster = await RingCluster.make({ nodes, ...options });
  try {
    await cluster.startAll();
    await cluster.ring(cluster.names, 60_000);
    await work(cluster);
  } finally {
    await cluster.close();
  }
}

/** CPU share of one core that each ring process uses in a time, in percent, and the largest memory. */
async function spent(cluster: RingCluster, ms: number): Promise<{ cpu: number; rssMb: number }> {
  const all = () => cluster.names.map((name) => usage(cluster.pid(name)));
  const before = all();
  const begun = performance.now();
  await Bun.sleep(ms);
  const elapsed = (performance.now() - begun) / 1000;
  const after = all();
  const cpu = after.reduce((sum, each, at) => sum + each.cpu - (before[at]?.cpu ?? 0), 0);
  return {
    cpu: (cpu / elapsed / cluster.names.length) * 100,
    rssMb: Math.max(...after.map((each) => each.rssMb)),
  };
}

interface Sample {
  /** Messages in the order at the first node. */
  delivered: number;
  counting: boolean;
  readonly latencies: number[];
}

/** Keeps so many messages of one node on their way. */
function keepSending(
  client: RingClient,
  id: number,
  bytes: number,
  window: number,
  sample: Sample,
): () => void {
  let going = true;
  const send = () => {
    const payload = Buffer.alloc(bytes);
    payload.writeDoubleLE(performance.now());
    client.send(payload);
  };
  client.onDeliver = (from, payload) => {
    if (id === 1 && sample.counting) sample.delivered++;
    if (from !== id) return;
    const view = new DataView(payload.buffer, payload.byteOffset, 8);
    if (sample.counting) sample.latencies.push(performance.now() - view.getFloat64(0, true));
    if (going) send();
  };
  for (let i = 0; i < window; i++) send();
  return () => {
    going = false;
  };
}

async function load(cluster: RingCluster, bytes: number, window: number, senders: number) {
  const sample: Sample = { delivered: 0, counting: false, latencies: [] };
  const each = Math.max(1, Math.floor(window / senders));
  const stops = cluster.names.map((name, at) =>
    keepSending(cluster.client(name), at + 1, bytes, at < senders ? each : 0, sample),
  );
  await Bun.sleep(1000);
  sample.counting = true;
  const begun = performance.now();
  const used = await spent(cluster, seconds * 1000);
  sample.counting = false;
  const elapsed = (performance.now() - begun) / 1000;
  for (const stop of stops) stop();
  await Bun.sleep(300);
  const sorted = sample.latencies.sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return { rate: sample.delivered / elapsed, p50: at(0.5), p99: at(0.99), p999: at(0.999), ...used };
}

async function idleTable(): Promise<void> {
  console.log("\nIdle: no messages for 40 s; each ring process, CPU of one core\n");
  head(["nodes", "CPU %", "RSS MB"]);
  for (const nodes of nodeCounts.filter((count) => count === 2 || count === 16)) {
    await withCluster(nodes, async (cluster) => {
      await Bun.sleep(40_000);
      const { cpu, rssMb } = await spent(cluster, 10_000);
      row([nodes, cpu.toFixed(2), rssMb.toFixed(0)]);
    });
  }
}

async function loadTable(): Promise<void> {
  console.log(`\nLoad: all nodes send and all receive, on ${availableParallelism()} cores; latency in ms\n`);
  head([
    "nodes",
    "message",
    "messages/s",
    "MB/s",
    "p50",
    "p99",
    "p99.9",
    "alone p50",
    "alone p99",
    "CPU %",
    "RSS MB",
  ]);
  for (const nodes of nodeCounts) {
    for (const { name, bytes, window } of sizes) {
      await withCluster(nodes, async (cluster) => {
        await Bun.sleep(startedMs);
        const alone = await load(cluster, bytes, 1, 1);
        const full = await load(cluster, bytes, window * 2, nodes);
        row([
          nodes,
          name,
          Math.round(full.rate),
          ((full.rate * bytes) / 1e6).toFixed(1),
          full.p50,
          full.p99,
          full.p999,
          alone.p50,
          alone.p99,
          full.cpu.toFixed(0),
          full.rssMb.toFixed(0),
        ]);
      });
    }
  }
}

async function lateTable(): Promise<void> {
  console.log("\nTimers of the ring process while every core is kept busy by two other processes; ms late\n");
  head(["real-time priority", "timers", "p99", "p99.9", "worst"]);
  for (const realtime of [true, false]) {
    const system = realtime ? ["sched_rr = true", "lock_memory = true"] : [];
    // A short token makes many timers.
    await withCluster(2, (cluster) => latenessWhileBusy(cluster), { system, tokenMs: 200 });
  }
}

async function latenessWhileBusy(cluster: RingCluster): Promise<void> {
  const busy = Array.from({ length: availableParallelism() * 2 }, () =>
    spawn("sh", ["-c", "while :; do :; done"], { stdio: "ignore" }),
  );
  try {
    await Bun.sleep(seconds * 10_000);
    const { lateness, realtime } = await cluster.client("node1").status();
    const { timers, p99, p999, worst } = lateness;
    row([realtime, timers, p99.toFixed(2), p999.toFixed(2), worst.toFixed(2)]);
  } finally {
    for (const process of busy) process.kill("SIGKILL");
  }
}

/** corosync.conf(5): token 1000 ms, and token_coefficient 650 ms for each node beyond the second. */
const defaultTokenMs = (nodes: number) => 1000 + Math.max(0, nodes - 2) * 650;

/** Nodes are started at once; what the ring takes is the time after the last process was there. */
async function formTable(): Promise<void> {
  console.log("\nFormation: all nodes are started at once; until they are one ring, ms\n");
  head(["nodes", "token", "processes", "then the ring", "lost tokens", "CPU s of all"]);
  for (const nodes of nodeCounts) {
    for (let time = 0; time < 3; time++) {
      const cluster = await RingCluster.make({ nodes, system: ["sched_rr = true"] });
      try {
        const begun = performance.now();
        await cluster.startAll();
        const there = performance.now();
        const formed = await cluster.ring(cluster.names, 60_000);
        const cpu = cluster.names.reduce((sum, name) => sum + usage(cluster.pid(name)).cpu, 0);
        const states = await Promise.all(cluster.names.map((name) => cluster.client(name).status()));
        const lost = states.reduce((sum, { core }) => sum + (core.totem.counters.tokenLosses ?? 0), 0);
        const token = defaultTokenMs(nodes);
        row([
          nodes,
          token,
          (there - begun).toFixed(0),
          Math.max(0, formed - there).toFixed(0),
          lost,
          cpu.toFixed(1),
        ]);
      } finally {
        await cluster.close();
      }
    }
  }
}

/** Time from the death of a node until the others are a ring, as often as wanted. */
async function failTable(): Promise<void> {
  console.log("\nFailure: a node is killed; until the others have a new membership, ms\n");
  head(["nodes", "token", "consensus", "sum", "measured", "of the sum"]);
  for (const [nodes, kills] of [
    [2, 5],
    [3, 5],
    [16, 1],
  ] as const) {
    const token = defaultTokenMs(nodes);
    const consensus = token * 1.2;
    await withCluster(
      nodes,
      async (cluster) => {
        for (let kill = 0; kill < kills; kill++) {
          const victim = cluster.names[(kill * 7 + 1) % nodes] ?? "";
          const rest = cluster.names.filter((name) => name !== victim);
          await Bun.sleep(Math.random() * 500);
          const begun = performance.now();
          await cluster.kill(victim);
          const took = (await cluster.ring(rest, 60_000)) - begun;
          const sum = token + consensus;
          row([nodes, token, consensus, sum, took.toFixed(0), `${((took / sum) * 100).toFixed(0)} %`]);
          await cluster.startAll([victim]);
          await cluster.ring(cluster.names, 60_000);
        }
      },
      { system: ["sched_rr = true"] },
    );
  }
}

if (wants("idle")) await idleTable();
if (wants("load")) await loadTable();
if (wants("form")) await formTable();
if (wants("fail")) await failTable();
if (wants("late")) await lateTable();

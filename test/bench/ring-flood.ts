import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CorosyncRing } from "../harness/corosync-ring.ts";
import { RingCluster, usage } from "../harness/ring-cluster.ts";

/**
 * Flood benchmark: three ring processes on loopback addresses, and somebody without the key who sends to one of them in the
 * name of another as fast as is asked. Prints what a datagram costs that process, how late its timers are, and
 * whether the ring holds. Usage: bun test/bench/ring-flood.ts [random|known|copied]… [--rate 100000] [--seconds 10]
 * [--bytes 46,1446] [--realtime yes,no]. The flood and the ring share the machine: the CPU time is the figure to compare.
 */
const words = process.argv.slice(2);
const option = (name: string, otherwise: string) =>
  words[words.indexOf(name) + 1 || words.length] ?? otherwise;
const rate = option("--rate", "100000");
const seconds = option("--seconds", "10");
const sizes = option("--bytes", "46,1446").split(",");
const priorities = option("--realtime", "yes,no").split(",");
const every = ["noise", "random", "known", "copied", ...(CorosyncRing.present ? ["corosync"] : [])];
const chosen = every.filter((kind) => words.includes(kind));

const sender = join(import.meta.dir, "../harness/flood-sender.ts");

const row = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);

async function flood(kind: string, bytes: string, realtime: string): Promise<void> {
  const ring = await RingCluster.make({ nodes: 4, system: realtime === "yes" ? ["sched_rr = true"] : [] });
  try {
    const names = ring.names.slice(0, 3);
    await ring.startAll(names);
    await ring.ring(names, 30_000);
    await Bun.sleep(3000);
    const [port = ""] =
      /mcastport = (\d+)/.exec(readFileSync(ring.nodes.configOf("node1"), "utf8"))?.slice(1) ?? [];
    const victim = ring.client("node1");
    const memberships = () => names.reduce((sum, name) => sum + ring.client(name).memberships.length, 0);
    const before = { cpu: usage(ring.pid("node1")).cpu, memberships: memberships() };
    const address = (node: number) => `127.0.0.${node}`;
    const run = Bun.spawn(
      [process.execPath, sender, kind, address(2), address(1), address(4), port, rate, seconds, bytes],
      { stdout: "pipe", stderr: "inherit" },
    );
    const { sent, seconds: took } = JSON.parse(await new Response(run.stdout).text());
    const cpu = usage(ring.pid("node1")).cpu - before.cpu;
    await Bun.sleep(1000);
    const { lateness, core } = await victim.status();
    const drops = Object.entries(core.links.counters).filter(([name]) => name.startsWith("drop:"));
    row([
      kind,
      bytes,
      realtime,
      Math.round(sent / took),
      ((cpu / sent) * 1e6).toFixed(2),
      ((cpu / took) * 100).toFixed(0),
      lateness.p99.toFixed(1),
      lateness.p999.toFixed(1),
      lateness.worst.toFixed(1),
      memberships() - before.memberships,
      drops.map(([name, count]) => `${name.slice(5)} ${count}`).join(", "),
    ]);
  } finally {
    await ring.close();
  }
}

async function floodCorosync(bytes: string, realtime: string): Promise<void> {
  const ring = new CorosyncRing(3, realtime === "yes");
  try {
    await ring.start();
    await Bun.sleep(3000);
    const before = { cpu: usage(ring.pid(1)).cpu, memberships: ring.memberships };
    const numbers = [String(ring.port), rate, seconds, bytes];
    const words = [process.execPath, sender, "noise", ring.address(2), ring.address(1), "0", ...numbers];
    const run = Bun.spawn([...ring.stranger(2), ...words], { stdout: "pipe", stderr: "inherit" });
    const { sent, seconds: took } = JSON.parse(await new Response(run.stdout).text());
    const cpu = usage(ring.pid(1)).cpu - before.cpu;
    await Bun.sleep(1000);
    const said = ring.complaints(1);
    row([
      "noise, corosync",
      bytes,
      realtime,
      Math.round(sent / took),
      ((cpu / sent) * 1e6).toFixed(2),
      ((cpu / took) * 100).toFixed(0),
      // Corosync does not measure how late its timers are.
      "–",
      "–",
      "–",
      ring.memberships - before.memberships,
      said.length === 0 ? "nothing said" : `${said.length} complaints, last: ${said.at(-1)}`,
    ]);
  } finally {
    await ring.close();
  }
}

row([
  "kind",
  "bytes",
  "real-time",
  "sent/s",
  "CPU µs each",
  "CPU %",
  "late p99",
  "p99.9",
  "worst ms",
  "memberships",
  "dropped by the ring",
]);
row(Array.from({ length: 11 }, () => "---"));
for (const kind of chosen.length > 0 ? chosen : every)
  for (const bytes of sizes)
    for (const realtime of priorities)
      await (kind === "corosync" ? floodCorosync(bytes, realtime) : flood(kind, bytes, realtime));

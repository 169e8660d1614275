import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseXml } from "../../src/cib/index.ts";
import { schedule } from "../../src/scheduler/index.ts";

/**
 * Scheduler benchmark: big generated clusters, decided in this warm process and by the installed crm_simulate (which
 * schedules in one process, too, with --profile), in one run. CPU seconds of both, without reading the file. Needs
 * python3, pacemaker-cli-utils and the suite that HACTL_SHARED names (a directory with conformance/scheduler).
 * Usage: bun test/bench/scheduler.ts [PRESET]…
 */
const suite = join(
  process.env.HACTL_SHARED ?? resolve(import.meta.dir, "../../../shared"),
  "conformance/scheduler",
);
const states = ["running", "lost", "new"] as const;

/** CPU seconds that release 2.1.5 took on the machine where the suite was made, per state; the graph included. */
const anchors: Readonly<Record<string, readonly (number | undefined)[]>> = {
  p512n2: [0.21, 0.18, 0.13],
  p240n16: [0.36, 0.32, 0.35],
  p1000n32u: [3.5, 3.2, 16.7],
  c200n16: [1.8, 1.8, 1.6],
  g100n16: [undefined, 0.7, 1.2],
  m50n16: [0.22, 0.25, 0.24],
};

const directory = mkdtempSync(join(tmpdir(), "hactl-bench-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

function must(command: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    env: { ...process.env, LC_ALL: "C", PYTHONDONTWRITEBYTECODE: "1" },
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}: ${stderr}`);
  return stdout.toString();
}

function generate(...options: readonly string[]): string {
  return must(["python3", join(suite, "gen_big.py"), ...options]);
}

/** The middle of three warm runs, in CPU seconds, and the number of actions. */
function own(text: string): { cpu: number; actions: number } {
  const cib = parseXml(text);
  const times: number[] = [];
  let actions = 0;
  for (let run = 0; run < 4; run++) {
    Bun.gc(true);
    const before = process.cpuUsage();
    actions = schedule({ cib, now: 1_700_000_000 }).actions.length;
    const { user, system } = process.cpuUsage(before);
    if (run > 0) times.push((user + system) / 1e6);
  }
  return { cpu: times.sort((a, b) => a - b)[1] ?? Number.NaN, actions };
}

/** CPU seconds that crm_simulate says it needs to schedule a file. */
function peer(file: string): number {
  const only = join(directory, "one");
  mkdirSync(only, { recursive: true });
  const moved = join(only, "cib.xml");
  renameSync(file, moved);
  const text = must(["crm_simulate", "--profile", only]);
  rmSync(moved);
  return Number(/([\d.]+) secs/.exec(text)?.[1]);
}

const show = (value: number | undefined) => (value === undefined ? "-" : value.toFixed(2));
const row = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);

const named = process.argv.slice(2);
const slower: string[] = [];
row([
  "cluster",
  "state",
  "actions",
  "hactl, CPU s",
  "crm_simulate, CPU s",
  "times",
  "2.1.5 as recorded, CPU s",
]);
row(Array.from({ length: 7 }, () => "---"));
for (const [preset, recorded] of Object.entries(anchors)) {
  if (named.length > 0 && !named.includes(preset)) continue;
  for (const [at, state] of states.entries()) {
    const text = generate("--preset", preset, "--state", state);
    const file = join(directory, `${preset}-${state}.xml`);
    await Bun.write(file, text);
    const { cpu, actions } = own(text);
    const theirs = peer(file);
    if (cpu > theirs) slower.push(`${preset} ${state}`);
    row([preset, state, actions, show(cpu), show(theirs), (theirs / cpu).toFixed(1), show(recorded[at])]);
  }
}

console.log(
  "\nGrowth: primitives on nodes, new; the time per primitive, node and log2(primitives) should not rise.\n",
);
row(["primitives", "nodes", "CPU s", "ns per primitive × node × log2"]);
row(Array.from({ length: 4 }, () => "---"));
for (const [primitives, nodes] of [
  [125, 8],
  [250, 8],
  [500, 8],
  [1000, 8],
  [2000, 8],
  [500, 16],
  [500, 32],
] as const) {
  const text = generate("--nodes", `${nodes}`, "--primitives", `${primitives}`, "--state", "new");
  const { cpu } = own(text);
  row([
    primitives,
    nodes,
    show(cpu),
    ((cpu * 1e9) / (primitives * nodes * Math.log2(primitives))).toFixed(0),
  ]);
}
if (slower.length > 0) {
  console.log(`\nslower than crm_simulate: ${slower.join(", ")}`);
  process.exitCode = 1;
}

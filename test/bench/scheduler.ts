import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatXml, parseXml, type XmlElement } from "../../src/cib/index.ts";
import { schedule } from "../../src/scheduler/index.ts";
import { bigCluster, bigClusters } from "./big-cluster.ts";

/**
 * Scheduler benchmark: big clusters, decided in this warm process and by the installed crm_simulate (which schedules in
 * one process, too, with --profile), in one run. CPU seconds of both, without reading the file. Needs
 * pacemaker-cli-utils. Usage: bun test/bench/scheduler.ts [PRESET]… or, for clusters in files, [DIRECTORY]…
 */
const states = ["running", "lost", "new"] as const;

const directory = mkdtempSync(join(tmpdir(), "hactl-bench-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

function must(command: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    env: { ...process.env, LC_ALL: "C" },
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}: ${stderr}`);
  return stdout.toString();
}

/** The middle of three warm runs, in CPU seconds, and the number of actions. */
function own(cib: XmlElement): { cpu: number; actions: number } {
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

/** CPU seconds that crm_simulate says it needs to schedule a cluster. */
async function peer(cib: XmlElement): Promise<number> {
  const file = join(directory, "one", "cib.xml");
  mkdirSync(join(directory, "one"), { recursive: true });
  await Bun.write(file, formatXml(cib));
  const text = must(["crm_simulate", "--profile", join(directory, "one")]);
  return Number(/([\d.]+) secs/.exec(text)?.[1]);
}

const show = (value: number) => value.toFixed(2);
const row = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);

/** A manager has been running for a while when it must decide: what it needs has been compiled. */
function warmUp(): void {
  const mixed = { nodes: 8, primitives: 100, groups: 20, clones: 20, promotable: 5 };
  for (let run = 0; run < 5; run++)
    for (const state of states) schedule({ cib: bigCluster(mixed, state), now: 1_700_000_000 });
}

interface Case {
  readonly preset: string;
  readonly state: string;
  readonly cib: XmlElement;
}

/** The clusters that are named, all when none is. */
function* ownCases(named: readonly string[]): Generator<Case> {
  for (const [preset, shape] of Object.entries(bigClusters)) {
    if (named.length > 0 && !named.includes(preset)) continue;
    for (const state of states) yield { preset, state, cib: bigCluster(shape, state) };
  }
}

/** The CIB files of a directory, named PRESET-STATE.xml. */
function* casesIn(directory: string): Generator<Case> {
  for (const file of readdirSync(directory).sort()) {
    const [, preset = file, state = ""] = /^(.*?)(?:-(\w+))?\.xml$/.exec(file) ?? [];
    yield { preset, state, cib: parseXml(readFileSync(join(directory, file), "utf8")) };
  }
}

function* cases(named: readonly string[]): Generator<Case> {
  const directories = named.filter((name) => existsSync(name));
  for (const name of directories) yield* casesIn(name);
  if (directories.length === 0) yield* ownCases(named);
}

warmUp();
const slower: string[] = [];
row(["cluster", "state", "actions", "hactl, CPU s", "crm_simulate, CPU s", "times"]);
row(Array.from({ length: 6 }, () => "---"));
for (const { preset, state, cib } of cases(process.argv.slice(2))) {
  const { cpu, actions } = own(cib);
  const theirs = await peer(cib);
  if (cpu > theirs) slower.push(`${preset} ${state}`);
  row([preset, state, actions, show(cpu), show(theirs), (theirs / cpu).toFixed(1)]);
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
  const { cpu } = own(bigCluster({ nodes, primitives }, "new"));
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

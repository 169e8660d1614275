import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Mutation, mutations } from "./mutation-list.ts";

/*
 * Whether the simulator and the tests of the ring notice mistakes: each mutation is made in a copy of the source, and
 * has to be found there. `mutations.ts [--seeds N] [--from S] [--only PATTERN]`; ends with 1 when one is not found.
 */

const top = join(import.meta.dir, "..", "..");
/** What is asked when the simulator finds nothing. */
const tests = [
  "./test/totem",
  "./test/links",
  "./test/quorum",
  "./test/daemon",
  "./test/sim/found.test.ts",
  "./test/sim/participants.test.ts",
  "./test/sim/administrator.test.ts",
];

interface Found {
  /** Seed or test that found it; undefined: nothing did. */
  readonly by: string | undefined;
  readonly how: string;
}

function main(args: readonly string[]): number {
  const value = (name: string, otherwise: string): string => {
    const at = args.indexOf(name);
    return at < 0 ? otherwise : (args[at + 1] ?? otherwise);
  };
  const seeds = Number(value("--seeds", "400"));
  const from = Number(value("--from", "1"));
  const only = value("--only", "");
  const control = tryOut(undefined, from, seeds);
  if (control.by !== undefined) throw new Error(`without a mistake ${control.by} finds one: ${control.how}`);
  let missed = 0;
  const chosen = mutations.filter(({ name }) => new RegExp(only).test(name));
  for (const mutation of chosen) {
    const { by, how } = tryOut(mutation, from, seeds);
    if (by === undefined) missed += 1;
    console.log(`${mutation.name.padEnd(64)} ${(by ?? "NOT FOUND").padEnd(14)} ${how}`);
  }
  console.log(`${chosen.length - missed} of ${chosen.length} found`);
  return missed === 0 ? 0 : 1;
}

function tryOut(mutation: Mutation | undefined, from: number, seeds: number): Found {
  const copy = mkdtempSync(join(tmpdir(), "hactl-mutation-"));
  try {
    for (const folder of ["src", "test"]) cpSync(join(top, folder), join(copy, folder), { recursive: true });
    for (const file of ["package.json", "tsconfig.json", "bunfig.toml"])
      cpSync(join(top, file), join(copy, file));
    symlinkSync(join(top, "node_modules"), join(copy, "node_modules"));
    if (mutation) mutate(copy, mutation);
    return simulate(copy, from, seeds) ?? runTests(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Makes the mistake; the place has to be there exactly once. */
function mutate(copy: string, { name, file, before, after }: Mutation): void {
  const path = join(copy, "src", file);
  const parts = readFileSync(path, "utf8").split(before);
  if (parts.length !== 2) throw new Error(`${name}: its place is ${parts.length - 1} times in ${file}`);
  writeFileSync(path, parts.join(after));
}

function run(copy: string, args: readonly string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...args], {
    cwd: copy,
    env: { ...process.env, NO_COLOR: "1" },
    // A mistake may also be an endless loop.
    timeout: 240_000,
  });
  return { exitCode, text: `${stdout}${stderr}` };
}

function simulate(copy: string, from: number, seeds: number): Found | undefined {
  const range = ["--from", String(from), "--seeds", String(seeds), "--first"];
  const { exitCode, text } = run(copy, ["test/sim/run.ts", ...range]);
  if (exitCode === 0) return undefined;
  if (exitCode === null) return { by: "the simulator", how: "does not end" };
  const line = /^seed (\d+): (.*)$/m.exec(text);
  if (!line) throw new Error(text);
  return { by: `seed ${line[1]}`, how: (line[2] ?? "").slice(0, 70) };
}

function runTests(copy: string): Found {
  const { exitCode, text } = run(copy, [
    "test",
    "--timeout",
    "200000",
    ...tests.filter((path) => exists(copy, path)),
  ]);
  if (exitCode === 0) return { by: undefined, how: "" };
  const failed = /^\(fail\) (.*?)(?: \[[\d.]+ms\])?$/m.exec(text);
  if (!failed) throw new Error(text);
  return { by: "a test", how: (failed[1] ?? "").slice(0, 90) };
}

function exists(copy: string, path: string): boolean {
  const at = path.lastIndexOf("/");
  return readdirSync(join(copy, path.slice(0, at))).includes(path.slice(at + 1));
}

process.exit(main(process.argv.slice(2)));

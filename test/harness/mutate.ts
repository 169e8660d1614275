import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A mistake that the source invites: a place in a file of it, and what stands there instead. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly before: string;
  readonly after: string;
  /** What is known to find it, and is asked first: the mode of a simulation, or the path of a test. */
  readonly by?: string;
}

/** How mistakes are looked for. */
export interface MutationHunt {
  readonly mutations: readonly Mutation[];
  /** Programs of simulations, one after the other: each prints `seed N: …` and ends with 1 when it finds something. */
  readonly simulations: readonly (readonly string[])[];
  /** Tests that are asked when the simulations find nothing. */
  readonly tests: readonly string[];
  /** Only mistakes whose names match. */
  readonly only: string;
  /** Ask only what is known to find each. */
  readonly knownOnly?: boolean;
}

interface Found {
  /** Seed or test that found it; undefined: nothing did. */
  readonly by: string | undefined;
  readonly how: string;
}

const top = join(import.meta.dir, "..", "..");

/** The value behind an option of the command line. */
export function option(args: readonly string[], name: string, otherwise: string): string {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : (args[at + 1] ?? otherwise);
}

/** Makes each mistake in a copy of the source and says who found it. @returns 1 when one is not found */
export function huntMutations(hunt: MutationHunt): number {
  let missed = 0;
  const chosen = hunt.mutations.filter(({ name }) => new RegExp(hunt.only).test(name));
  const known = chosen.flatMap(({ by }) => by ?? []);
  const tests = [...new Set(known.filter(isTest))];
  const asked = hunt.simulations.filter((words) => known.some((by) => words.includes(by)));
  const control = tryOut(undefined, hunt.knownOnly ? { ...hunt, tests, simulations: asked } : hunt);
  if (control.by !== undefined) throw new Error(`without a mistake ${control.by} finds one: ${control.how}`);
  for (const mutation of chosen) {
    const { by, how } = tryOut(mutation, hunt);
    if (by === undefined) missed += 1;
    console.log(`${mutation.name.padEnd(64)} ${(by ?? "NOT FOUND").padEnd(14)} ${how}`);
  }
  console.log(`${chosen.length - missed} of ${chosen.length} found`);
  return missed === 0 ? 0 : 1;
}

const isTest = (by: string): boolean => by.endsWith(".test.ts");

function tryOut(
  mutation: Mutation | undefined,
  { simulations, tests, knownOnly = false }: MutationHunt,
): Found {
  const copy = mkdtempSync(join(tmpdir(), "hactl-mutation-"));
  try {
    for (const folder of ["src", "test", "docs", "conf"])
      cpSync(join(top, folder), join(copy, folder), { recursive: true });
    for (const file of ["package.json", "tsconfig.json", "bunfig.toml"])
      cpSync(join(top, file), join(copy, file));
    symlinkSync(join(top, "node_modules"), join(copy, "node_modules"));
    if (mutation) mutate(copy, mutation);
    const by = mutation?.by;
    const known = simulations.filter((words) => by !== undefined && words.includes(by));
    const first = by !== undefined && isTest(by) ? runTests(copy, [by]) : undefined;
    if (first?.by !== undefined) return first;
    const others = simulations.filter((words) => !known.includes(words));
    for (const words of mutation && knownOnly ? known : [...known, ...others]) {
      const found = simulate(copy, words);
      if (found) return found;
    }
    return mutation && knownOnly ? nobody : runTests(copy, tests);
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

function simulate(copy: string, words: readonly string[]): Found | undefined {
  const { exitCode, text } = run(copy, words);
  if (exitCode === 0) return undefined;
  if (exitCode === null) return { by: "the simulator", how: "does not end" };
  const line = /^seed (\d+): (.*)$/m.exec(text);
  if (!line) throw new Error(text);
  const mode = words[words.indexOf("--mode") + 1];
  const which = words.includes("--mode") ? `${mode} seed` : "seed";
  return { by: `${which} ${line[1]}`, how: (line[2] ?? "").slice(0, 70) };
}

const nobody: Found = { by: undefined, how: "" };

function runTests(copy: string, tests: readonly string[]): Found {
  const missing = tests.filter((path) => !existsSync(join(copy, path)));
  if (missing.length > 0) throw new Error(`there is no ${missing.join(", ")}`);
  if (tests.length === 0) return nobody;
  const { exitCode, text } = run(copy, ["test", "--timeout", "200000", ...tests]);
  if (exitCode === 0) return nobody;
  const failed = /^\(fail\) (.*?)(?: \[[\d.]+ms\])?$/m.exec(text);
  if (!failed) throw new Error(text);
  const file = /^(\S+\.test\.ts):$/m.exec(text);
  return {
    by: tests.length === 1 ? (tests[0] ?? "") : (file?.[1] ?? "a test"),
    how: (failed[1] ?? "").slice(0, 90),
  };
}

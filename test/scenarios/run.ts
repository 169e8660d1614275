/**
 * Whole clusters of real daemons through the scenarios that suites of others play, and worse ones. Needs root.
 *
 * usage: run.ts list
 *        run.ts run [NAME…] [--seed N] [--reps N] [--jobs N] [--keep DIR] [--json FILE] [--nodes N] [--variant V]
 *
 * A name also means its variants behind a dash; one that no scenario has means all that begin so. The seed of a line plays that repetition again, with
 * `--reps 1`. With `--jobs` so many clusters are played at a time. Exit code 1: something did not hold.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { catalogue, named } from "./catalogue.ts";
import { isVariant, variants } from "./resources.ts";
import { type Outcome, Runner } from "./runner.ts";

function give(message: string): never {
  console.error(message);
  process.exit(64);
}

function wholeNumber(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) give(`--${name} needs a whole number`);
  return number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    reps: { type: "string" },
    jobs: { type: "string" },
    keep: { type: "string" },
    json: { type: "string" },
    nodes: { type: "string" },
    variant: { type: "string" },
  },
});

function list(): void {
  for (const { name, title, cases = 1 } of catalogue)
    console.log(`${name.padEnd(38)} ${title}${cases > 1 ? ` (${cases} cases)` : ""}`);
  console.log("\nwith --variant:");
  for (const [name, title] of Object.entries(variants)) console.log(`${name.padEnd(38)} ${title}`);
}

function tell({ scenario, seed, held, seconds, violations, notes, kept }: Outcome): void {
  const line = `${scenario.padEnd(38)} seed ${seed}  ${held ? "held" : "VIOLATED"}  ${seconds.toFixed(1)} s`;
  console.log(notes.length === 0 ? line : `${line}  (${notes.join("; ")})`);
  for (const violation of violations.slice(0, 8)) console.log(`    ${violation}`);
  if (violations.length > 8) console.log(`    and ${violations.length - 8} more`);
  if (kept !== undefined) console.log(`    logs: ${kept}`);
}

async function run(names: readonly string[]): Promise<number> {
  const scenarios =
    names.length === 0
      ? catalogue
      : [
          ...new Set(
            names.flatMap((name) => {
              const found = named(name);
              return found.length === 0 ? give(`there is no scenario ${name}; see: run.ts list`) : found;
            }),
          ),
        ];
  const { variant } = values;
  if (variant !== undefined && !isVariant(variant))
    return give(`--variant is one of ${Object.keys(variants).join(", ")}`);
  const reps = wholeNumber(values.reps, "reps");
  const nodes = wholeNumber(values.nodes, "nodes");
  const seed = wholeNumber(values.seed, "seed") ?? Date.now() % 1_000_000;
  // The first repetition has the seed, each further one the next number.
  const turns = scenarios.flatMap((scenario) =>
    Array.from({ length: reps ?? scenario.cases ?? 1 }, (_, rep) => ({ scenario, seed: seed + rep })),
  );
  const options = {
    keep: values.keep ?? "/tmp/hactl-scenarios",
    ...(nodes === undefined ? {} : { nodes }),
    ...(variant === undefined ? {} : { variant }),
  };
  const runners = Array.from({ length: wholeNumber(values.jobs, "jobs") || 1 }, () => new Runner(options));
  const close = () => Promise.all(runners.map((runner) => runner.close()));
  const outcomes: Outcome[] = [];
  const begun = performance.now();
  const end = async (code: number) => {
    await close();
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void end(130));
  const work = async (runner: Runner) => {
    for (let turn = turns.shift(); turn; turn = turns.shift()) {
      const outcome = await runner.play(turn.scenario, turn.seed);
      tell(outcome);
      outcomes.push(outcome);
      if (values.json !== undefined)
        writeFileSync(values.json, `${JSON.stringify(outcomes, undefined, 1)}\n`);
    }
  };
  await Promise.all(runners.map(work));
  await close();
  const held = outcomes.filter((outcome) => outcome.held).length;
  console.log(
    `${held} held, ${outcomes.length - held} violated, ${Math.round((performance.now() - begun) / 1_000)} s`,
  );
  return held === outcomes.length && outcomes.length > 0 ? 0 : 1;
}

const [command, ...names] = positionals;
if (command === "list") list();
else if (command === "run") process.exit(await run(names));
else
  give(
    "usage: run.ts list | run [NAME…] [--seed N] [--reps N] [--jobs N] [--keep DIR] [--json FILE] [--nodes N] [--variant V]",
  );

import { runCalm } from "./calm.ts";
import { runDeath, runDeaths, storyOf } from "./deaths.ts";
import { type LivesOptions, type LivesResult, runLives } from "./scenario.ts";

/*
 * Command line: `run.ts [--mode random|calm|deaths] [--in CONFIGURATION] [--fault NAME] --seeds N [--from S] [--stride N]
 * [--first]`, or `run.ts [--mode M] [--fault NAME] --seed N [--effect N] [--trace]`; `--seconds N` ends a sweep early. Ends
 * with 1 at a violation.
 */

type Run = (options: LivesOptions) => readonly LivesResult[];

function main(args: readonly string[]): number {
  const text = (name: string): string | undefined => {
    const at = args.indexOf(name);
    return at < 0 ? undefined : args[at + 1];
  };
  const number = (name: string, otherwise: number): number => Number(text(name) ?? otherwise);
  const mode = text("--mode") ?? "random";
  const effect = text("--effect");
  const named = text("--in");
  const fault = text("--fault");
  const chosen = {
    ...(named === undefined ? {} : { configuration: named }),
    ...(fault === undefined ? {} : { fault }),
  };
  const run: Run = (given) => {
    const options = { ...given, ...chosen };
    if (mode === "calm") return [runCalm(options)];
    if (mode !== "deaths") return [runLives(options)];
    if (effect !== undefined) return [runDeath(options, Number(effect))];
    return runDeaths(options, number("--stride", 1)).results;
  };
  const seed = text("--seed");
  if (seed !== undefined) {
    if (mode === "deaths") console.log(JSON.stringify(storyOf({ seed: Number(seed), ...chosen })));
    return replay(run, Number(seed), args.includes("--trace"));
  }
  return sweep(run, {
    from: number("--from", 1),
    count: number("--seeds", 300),
    seconds: number("--seconds", Number.POSITIVE_INFINITY),
    first: args.includes("--first"),
  });
}

function replay(run: Run, seed: number, trace: boolean): number {
  try {
    const results = run({ seed, ...(trace ? { trace: (text: string) => console.log(text) } : {}) });
    console.log(JSON.stringify(results.at(-1)), results.length);
    return 0;
  } catch (error) {
    console.log(String(error instanceof Error ? error.stack : error));
    return 1;
  }
}

interface Sweep {
  readonly from: number;
  readonly count: number;
  readonly seconds: number;
  readonly first: boolean;
}

function sweep(run: Run, { from, count, seconds, first }: Sweep): number {
  const began = performance.now();
  const took = () => (performance.now() - began) / 1000;
  const failures = new Map<string, number[]>();
  const results: LivesResult[] = [];
  let seeds = 0;
  for (let seed = from; seed < from + count && took() < seconds; seed++) {
    seeds++;
    try {
      results.push(...run({ seed }));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const kind = text.split(":")[0] ?? text;
      const found = failures.get(kind) ?? [];
      found.push(seed);
      failures.set(kind, found);
      if (found.length <= 8) console.log(`seed ${seed}: ${text.slice(0, 300)}`);
      if (first) break;
    }
  }
  const sum = (of: (result: LivesResult) => number) => results.reduce((total, one) => total + of(one), 0);
  const bad = [...failures.values()].reduce((total, found) => total + found.length, 0);
  console.log(
    `${seeds} seeds from ${from} in ${took().toFixed(1)} s: ${results.length} lives, ` +
      `${(sum(({ virtualMs }) => virtualMs) / 3_600_000).toFixed(2)} h of virtual time, ` +
      `${sum(({ memberships }) => memberships)} memberships, ${sum(({ transitions }) => transitions)} decisions, ` +
      `${sum(({ deeds }) => deeds)} actions, ${sum(({ fencings }) => fencings)} fencings, ${bad} violations`,
  );
  for (const [kind, found] of failures)
    console.log(`${kind}: ${found.length} (${found.slice(0, 20).join(", ")})`);
  return bad === 0 ? 0 : 1;
}

process.exit(main(process.argv.slice(2)));

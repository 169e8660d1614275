import { type LivesResult, runLives } from "./scenario.ts";

/**
 * Command line: `run.ts --seeds N [--from S]`, or `run.ts --seed N [--trace]`; `--first` to stop at the first violation.
 */
function main(args: readonly string[]): number {
  const value = (name: string): number | undefined => {
    const at = args.indexOf(name);
    return at < 0 ? undefined : Number(args[at + 1]);
  };
  const seed = value("--seed");
  if (seed !== undefined) return replay(seed, args.includes("--trace"));
  return sweep(value("--from") ?? 1, value("--seeds") ?? 300, args.includes("--first"));
}

function replay(seed: number, trace: boolean): number {
  try {
    const result = runLives({ seed, ...(trace ? { trace: (text: string) => console.log(text) } : {}) });
    console.log(JSON.stringify(result));
    return 0;
  } catch (error) {
    console.log(String(error instanceof Error ? error.stack : error));
    return 1;
  }
}

function sweep(from: number, count: number, first: boolean): number {
  const began = performance.now();
  const failures = new Map<string, number[]>();
  const results: LivesResult[] = [];
  for (let seed = from; seed < from + count; seed++) {
    try {
      results.push(runLives({ seed }));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const kind = text.split(":")[0] ?? text;
      const seeds = failures.get(kind) ?? [];
      seeds.push(seed);
      failures.set(kind, seeds);
      if (seeds.length <= 8) console.log(`seed ${seed}: ${text.slice(0, 300)}`);
      if (first) break;
    }
  }
  const seconds = (performance.now() - began) / 1000;
  const sum = (of: (result: LivesResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const bad = [...failures.values()].reduce((total, seeds) => total + seeds.length, 0);
  console.log(
    `${results.length + bad} seeds from ${from} in ${seconds.toFixed(1)} s: ${(sum(({ virtualMs }) => virtualMs) / 3_600_000).toFixed(2)} h of virtual time, ` +
      `${sum(({ memberships }) => memberships)} memberships, ${sum(({ transitions }) => transitions)} decisions, ` +
      `${sum(({ deeds }) => deeds)} actions, ${sum(({ fencings }) => fencings)} fencings, ${bad} violations`,
  );
  for (const [kind, seeds] of failures)
    console.log(`${kind}: ${seeds.length} (${seeds.slice(0, 20).join(", ")})`);
  return bad === 0 ? 0 : 1;
}

process.exit(main(process.argv.slice(2)));

import { runSeed } from "./scenario.ts";

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
  return sweep(value("--from") ?? 1, value("--seeds") ?? 1000, args.includes("--first"));
}

function replay(seed: number, trace: boolean): number {
  try {
    const result = runSeed({ seed, ...(trace ? { trace: (text: string) => console.log(text) } : {}) });
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
  const total = { virtualMs: 0, datagrams: 0, messages: 0, memberships: 0, rings: 0 };
  let done = 0;
  const limit = Number(process.env.SIM_SECONDS ?? Number.POSITIVE_INFINITY) * 1000;
  for (let seed = from; seed < from + count && performance.now() - began < limit; seed++) {
    done += 1;
    try {
      const result = runSeed({ seed });
      total.virtualMs += result.virtualMs;
      total.datagrams += result.datagrams;
      total.messages += result.messages;
      total.memberships += result.memberships;
      total.rings += result.rings;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const kind = text.split(":")[0] ?? text;
      const seeds = failures.get(kind) ?? [];
      seeds.push(seed);
      failures.set(kind, seeds);
      if (seeds.length <= 3) console.log(`seed ${seed}: ${text.slice(0, 400)}`);
      if (first) break;
    }
  }
  const seconds = (performance.now() - began) / 1000;
  const bad = [...failures.values()].reduce((sum, seeds) => sum + seeds.length, 0);
  console.log(
    `${done} seeds from ${from} in ${seconds.toFixed(1)} s: ${(total.virtualMs / 3_600_000).toFixed(2)} h of virtual time, ` +
      `${total.datagrams} datagrams, ${total.messages} deliveries, ${total.rings} rings, ${total.memberships} memberships, ${bad} violations`,
  );
  for (const [kind, seeds] of failures)
    console.log(`${kind}: ${seeds.length} (${seeds.slice(0, 20).join(", ")})`);
  return bad === 0 ? 0 : 1;
}

process.exit(main(process.argv.slice(2)));

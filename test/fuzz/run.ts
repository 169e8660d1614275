import { edgeTargets, fuzz, targets } from "./fuzz.ts";

/** Command line: `run.ts ring|edge [RUNS] [SEED] [NAME]`: every decoder, or those whose name has it, is given so many. */
const [kind, count, from, name = ""] = process.argv.slice(2);
const runs = Number(count ?? 1_000_000);
const seed = Number(from ?? 1);
for (const target of kind === "edge" ? edgeTargets() : targets()) {
  if (!target.name.includes(name)) continue;
  const { accepted, refused, seconds, grownMb } = fuzz(target, runs, seed);
  console.log(
    `${target.name.padEnd(52)} ${accepted + refused} given, ${accepted} accepted, ${seconds.toFixed(1)} s, ` +
      `${grownMb >= 0 ? "+" : ""}${grownMb.toFixed(1)} MB`,
  );
}

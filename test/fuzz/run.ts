import { fuzz, targets } from "./fuzz.ts";

/** Command line: `run.ts [RUNS] [SEED]`: every decoder is given so many damaged datagrams. */
const runs = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
for (const target of targets()) {
  const { accepted, refused, seconds, grownMb } = fuzz(target, runs, seed);
  console.log(
    `${target.name.padEnd(52)} ${accepted + refused} datagrams, ${accepted} accepted, ${seconds.toFixed(1)} s, ` +
      `${grownMb >= 0 ? "+" : ""}${grownMb.toFixed(1)} MB`,
  );
}

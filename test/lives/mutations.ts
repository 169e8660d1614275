import { huntMutations, option } from "../harness/mutate.ts";
import { faultNames } from "./faults.ts";
import { mutations } from "./mutation-list.ts";

/*
 * Whether the world and the tests of the controller, the fencer and the executor notice mistakes: each mutation is made in a copy of
 * the source, and has to be found there. `mutations.ts [--seeds N] [--from S] [--only PATTERN] [--known]`; ends with 1 when
 * one is not found. With `--known` only those are asked that are known to find it.
 */

const args = process.argv.slice(2);
const seeds = Number(option(args, "--seeds", "300"));
const from = option(args, "--from", "1");
const sweep = (mode: string, count: number, ...more: readonly string[]) => [
  "test/lives/run.ts",
  ...["--mode", mode, "--from", from, "--seeds", String(count), "--first", ...more],
];

process.exit(
  huntMutations({
    mutations,
    simulations: [
      sweep("calm", Math.ceil(seeds / 4)),
      sweep("random", seeds),
      ...faultNames.map((fault) => sweep("random", Math.ceil(seeds / 4), "--fault", fault)),
      sweep("deaths", Math.ceil(seeds / 6), "--stride", "41"),
    ],
    tests: [
      "./test/controller",
      "./test/fencer",
      ...["recall", "queue"].map((name) => `./test/executor/${name}.test.ts`),
      ...["children", "silence", "connection-gap"].map((name) => `./test/daemon/${name}.test.ts`),
    ],
    only: option(args, "--only", ""),
    knownOnly: args.includes("--known"),
  }),
);

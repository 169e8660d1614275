import { huntMutations, option } from "../harness/mutate.ts";
import { mutations } from "./mutation-list.ts";

/*
 * Whether power failures find mistakes in what is kept: each mutation is made in a copy of the source, and has to be found there.
 * `mutations.ts [--runs N] [--only PATTERN]`, as root; ends with 1 when one is not found.
 */

const args = process.argv.slice(2);
process.exit(
  huntMutations({
    mutations,
    // Most are found within a few cuts; what shows only in the middle of a write needs another series, too.
    simulations: [
      ["test/power/run.ts", "--runs", option(args, "--runs", "150")],
      ["test/power/run.ts", "--seed", "2", "--runs", option(args, "--runs", "400")],
      ["test/power/run.ts", "--seed", "3", "--only", "key", "--runs", option(args, "--runs", "400")],
    ],
    tests: [],
    only: option(args, "--only", ""),
  }),
);

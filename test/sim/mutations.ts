import { huntMutations, option } from "../harness/mutate.ts";
import { mutations } from "./mutation-list.ts";

/*
 * Whether the simulator and the tests of the ring notice mistakes: each mutation is made in a copy of the source, and
 * has to be found there. `mutations.ts [--seeds N] [--from S] [--only PATTERN]`; ends with 1 when one is not found.
 */

const args = process.argv.slice(2);
const range = ["--from", option(args, "--from", "1"), "--seeds", option(args, "--seeds", "400")];

process.exit(
  huntMutations({
    mutations,
    simulations: [["test/sim/run.ts", ...range, "--first"]],
    tests: [
      "./test/totem",
      "./test/links",
      "./test/quorum",
      "./test/daemon",
      "./test/sim/found.test.ts",
      "./test/sim/participants.test.ts",
      "./test/sim/administrator.test.ts",
    ],
    only: option(args, "--only", ""),
  }),
);

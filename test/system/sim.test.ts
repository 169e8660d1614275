import { expect, test } from "bun:test";
import { runSeed } from "../sim/scenario.ts";

const first = Number(process.env.SIM_FROM ?? 10_000);

// Some hundred whole clusters with random faults; `make sim SEEDS=N` runs any number.
for (const [small, count] of [
  [true, 500],
  [false, 80],
] as const) {
  test(`${count} ${small ? "small" : "mixed"} clusters from seed ${first} break no promise`, () => {
    const broken: string[] = [];
    for (let seed = first; seed < first + count; seed++) {
      try {
        runSeed({ seed, small });
      } catch (error) {
        broken.push(`seed ${seed}: ${error instanceof Error ? error.message : error}`);
      }
    }
    expect(broken).toEqual([]);
  });
}

import { expect, test } from "bun:test";
import { runSeed } from "../sim/scenario.ts";

/** Other clusters every day; SIM_FROM=n runs those of another day again. */
const first = Number(process.env.SIM_FROM ?? Math.floor(Date.now() / 86_400_000) * 10_000);
const count = Number(process.env.SIM_SEEDS ?? 2500);

test(`${count} clusters with random faults from seed ${first} break no promise`, () => {
  console.log(`simulating seeds ${first} to ${first + count - 1}`);
  const broken: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    try {
      runSeed({ seed });
    } catch (error) {
      broken.push(`make sim SEED=${seed}: ${error instanceof Error ? error.message : error}`);
    }
  }
  expect(broken).toEqual([]);
});

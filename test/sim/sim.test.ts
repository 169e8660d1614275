import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { runSeed } from "./scenario.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

// `make sim SEEDS=N` runs many more; here a few show that nothing is broken.
describe("random faults break no promise", () => {
  for (let seed = 1; seed <= 30; seed++) {
    test(`seed ${seed}`, () => {
      expect(runSeed({ seed }).memberships).toBeGreaterThan(0);
    });
  }
});

test("the same seed gives the same run", () => {
  const record = (): string[] => {
    const lines: string[] = [];
    runSeed({ seed: 7, trace: (text) => lines.push(text) });
    return lines;
  };
  const first = record();
  expect(first.length).toBeGreaterThan(20);
  expect(record()).toEqual(first);
});

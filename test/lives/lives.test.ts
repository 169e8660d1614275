import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { runCalm } from "./calm.ts";
import { runDeaths } from "./deaths.ts";
import { faultNames } from "./faults.ts";
import { runLives } from "./scenario.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

// `make lives SEEDS=N` runs many more; here a few show that nothing is broken.
describe("processes that die at any moment give nothing a second owner", () => {
  for (let seed = 1; seed <= 22; seed++) {
    test(`seed ${seed}`, () => {
      expect(runLives({ seed }).memberships).toBeGreaterThan(0);
    });
  }
});

describe.each(faultNames)("what happens beside that (%s) gives nothing a second owner", (fault) => {
  for (let seed = 1; seed <= 3; seed++) {
    test(`seed ${seed}`, () => {
      expect(runLives({ seed, fault }).memberships).toBeGreaterThan(0);
    });
  }
});

describe("processes that die at rest and are back at once change nothing", () => {
  for (let seed = 1; seed <= 16; seed++) {
    test(`seed ${seed}`, () => {
      expect(runCalm({ seed }).memberships).toBeGreaterThan(0);
    });
  }
});

// Not every story has much to do for every process.
test("a death after one effect or another breaks nothing", () => {
  const seeds = [1, 2, 3, 4, 5, 6];
  const runs = seeds.map((seed) => runDeaths({ seed }, 97).runs);
  expect(runs.reduce((sum, count) => sum + count)).toBeGreaterThan(2 * seeds.length);
});

test("the same seed gives the same run", () => {
  const record = (): string[] => {
    const lines: string[] = [];
    runLives({ seed: 7, trace: (text) => lines.push(text) });
    return lines;
  };
  const first = record();
  expect(first.length).toBeGreaterThan(20);
  expect(record()).toEqual(first);
});

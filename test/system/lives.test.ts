import { expect, test } from "bun:test";
import { runCalm } from "../lives/calm.ts";
import { runDeaths } from "../lives/deaths.ts";
import { runLives } from "../lives/scenario.ts";

/** Other lives every day; LIVES_FROM=n runs those of another day again. */
const first = Number(process.env.LIVES_FROM ?? Math.floor(Date.now() / 86_400_000) * 10_000);
const count = Number(process.env.LIVES_SEEDS ?? 150);

function broken(mode: string, seeds: number, run: (seed: number) => unknown): string[] {
  const found: string[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    try {
      run(seed);
    } catch (error) {
      found.push(`make lives MODE=${mode} SEED=${seed}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return found;
}

test(`${count} clusters whose processes die, from seed ${first}`, () => {
  console.log(`lives of seeds ${first} to ${first + count - 1}`);
  expect(broken("random", count, (seed) => runLives({ seed }))).toEqual([]);
});

test("deaths at rest change nothing", () => {
  expect(broken("calm", count / 3, (seed) => runCalm({ seed }))).toEqual([]);
});

test("a death after one effect or another of a story breaks nothing", () => {
  expect(broken("deaths", Math.ceil(count / 100), (seed) => runDeaths({ seed }, 31))).toEqual([]);
});

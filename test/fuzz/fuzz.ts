import { Random } from "../sim/random.ts";
import { clusterTargets } from "./cluster-targets.ts";
import { executorTargets } from "./executor-targets.ts";
import { fencerTargets } from "./fencer-targets.ts";
import { linkTargets } from "./link-targets.ts";
import { mutate } from "./mutate.ts";
import { ringTargets } from "./ring-targets.ts";
import { streamTargets } from "./stream-targets.ts";
import type { Target } from "./targets.ts";

/** Every decoder of bytes that come from outside the process. */
export const targets = (): Target[] => [...linkTargets(), ...ringTargets(), ...streamTargets()];

/** Everything that takes values from outside, with what is done with those that it takes. */
export const edgeTargets = (): Target[] => [...clusterTargets(), ...executorTargets(), ...fencerTargets()];

export interface FuzzResult {
  readonly accepted: number;
  readonly refused: number;
  readonly seconds: number;
  /** How much the process has grown between the first tenth and the end. */
  readonly grownMb: number;
}

const rssMb = (): number => {
  Bun.gc(true);
  return process.memoryUsage.rss() / 2 ** 20;
};

/** Feeds a decoder with so many damaged datagrams. Throws, with the datagram, when a promise is broken. */
export function fuzz(target: Target, runs: number, seed: number): FuzzResult {
  const random = new Random(seed);
  const count = { accepted: 0, refused: 0 };
  const began = performance.now();
  let warm = 0;
  for (let run = 0; run < runs; run++) {
    if (run === Math.floor(runs / 10)) warm = rssMb();
    const data = target.make?.(random) ?? mutate(random, target.samples);
    try {
      count[target.feed(data, random)]++;
    } catch (error) {
      const hex = Buffer.from(data).toString("hex");
      throw new Error(`${target.name}, seed ${seed}, run ${run}, ${hex}: ${error}`, { cause: error });
    }
  }
  target.end?.();
  return { ...count, seconds: (performance.now() - began) / 1000, grownMb: rssMb() - warm };
}

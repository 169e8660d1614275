import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { edgeTargets, fuzz } from "./fuzz.ts";

setDefaultTimeout(600_000);

/** `make fuzz-edge` does a million of each. */
const runs = 30_000;

describe("values from outside that are wrong somewhere", () => {
  for (const target of edgeTargets()) {
    test(`${target.name}: nothing throws, all that has to be alike is, memory stays flat`, () => {
      const { accepted, refused, grownMb } = fuzz(target, runs, 1);
      expect(accepted + refused).toBe(runs);
      expect(refused).toBeGreaterThan(runs / 10);
      expect(accepted).toBeGreaterThan(runs / 10);
      expect(grownMb).toBeLessThan(256);
    });
  }
});

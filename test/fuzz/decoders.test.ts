import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { fuzz, targets } from "./fuzz.ts";

setDefaultTimeout(60_000);

/** `make fuzz-ring` does a million of each. */
const runs = 30_000;

describe("damaged datagrams", () => {
  for (const target of targets()) {
    test(`${target.name}: no exception, nothing forged accepted, memory stays flat`, () => {
      const { accepted, refused, grownMb } = fuzz(target, runs, 1);
      expect(accepted + refused).toBe(runs);
      expect(refused).toBeGreaterThan(runs / 10);
      if (target.name.includes("without the key")) expect(accepted).toBe(0);
      else expect(accepted).toBeGreaterThan(runs / 100);
      expect(grownMb).toBeLessThan(64);
    });
  }
});

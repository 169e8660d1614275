import { describe, expect, test } from "bun:test";
import { chaos } from "./chaos.ts";

describe("extended virtual synchrony under loss, duplication, delay, cuts, pauses and crashes", () => {
  for (let seed = 1; seed <= 25; seed++) {
    test(`seed ${seed}`, () => {
      expect(chaos(seed).deliveries).toBeGreaterThan(0);
    });
  }
});

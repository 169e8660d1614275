import { describe, expect, test } from "bun:test";
import { partial } from "./partial.ts";

describe("one-way and partial connectivity ends in rings that stay, whose members all hear each other", () => {
  for (let seed = 1; seed <= 6; seed++) {
    test(`seed ${seed}`, () => expect(partial(seed)).toEqual([]));
  }

  for (const seed of [39, 79, 206]) {
    test(`seed ${seed}, found earlier`, () => expect(partial(seed)).toEqual([]));
  }
});

import { describe, expect, test } from "bun:test";
import { nearest } from "../../src/terms/index.ts";

const names = ["token", "consensus", "join", "migration-threshold", "target-role", "is-managed", "params"];

describe("nearest", () => {
  test.each([
    ["tokem", "token"],
    ["tkoen", "token"],
    ["migration_threshold", "migration-threshold"],
    ["Target-Role", "target-role"],
    ["migration-treshhold", "migration-threshold"],
    ["parms", "params"],
  ])("%s is near to %s", (word, meant) => {
    expect(nearest(word, names)).toBe(meant);
  });

  test.each(["", "x", "zebra", "resource-stickiness"])("nothing is near to %p", (word) => {
    expect(nearest(word, names)).toBeUndefined();
  });

  test("the nearest wins, and of equals the first", () => {
    expect(nearest("abcd", ["abxy", "abcx", "abcy"])).toBe("abcx");
  });
});

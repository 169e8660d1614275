import { describe, expect, test } from "bun:test";
import type { JournalEntry } from "./journal.ts";
import { type OwnershipRules, ownershipViolations } from "./ownership.ts";

/** The audit that judges the scenarios finds what it is there for, and blames nothing that is right. */

const rules: OwnershipRules = {
  clones: new Set(["db"]),
  promotedMax: new Map([["db", 1]]),
  orders: [
    { first: "db", role: "promoted", second: "address" },
    { first: "address", role: "started", second: "web" },
  ],
};

/** Entries from lines "NODE RESOURCE ACTION WHAT"; an action without a WHAT begins and ends well. */
const journal = (...lines: readonly string[]): JournalEntry[] =>
  lines.flatMap((line, i) => {
    const [node = "", rsc = "", action = "", what] = line.split(" ");
    return (what === undefined ? ["begin", "0"] : [what]).map((one) => ({
      at: i,
      node,
      rsc,
      action,
      what: one,
    }));
  });

const found = (...lines: readonly string[]) => ownershipViolations(journal(...lines), rules);

describe("owners", () => {
  test("one after the other are right", () => {
    expect(found("n1 own start", "n1 own stop", "n2 own start", "n2 own stop")).toEqual([]);
  });

  test("two at one time are found, also when the first is only about to stop", () => {
    expect(found("n1 own start", "n2 own start")).toEqual([expect.stringContaining("two owners")]);
    expect(found("n1 own start", "n1 own stop begin", "n2 own start")).toHaveLength(1);
  });

  test("a failed stop releases nothing", () => {
    expect(found("n1 own start", "n1 own stop begin", "n1 own stop 1", "n2 own start")).toHaveLength(1);
  });

  test("the loss of power ends what ran", () => {
    expect(found("n1 own start", "n1 - power 0", "n2 own start")).toEqual([]);
  });

  test("a migration hands over, and may not overlap", () => {
    expect(found("n1 own start", "n1 own migrate_to", "n2 own migrate_from", "n1 own stop")).toEqual([]);
    expect(found("n1 own start", "n2 own migrate_from")).toHaveLength(1);
  });

  test("clones have many, promoted is one", () => {
    const both = ["n1 db start", "n2 db start"];
    expect(found(...both, "n1 db promote", "n1 db demote", "n2 db promote")).toEqual([]);
    expect(found(...both, "n1 db promote", "n2 db promote")).toEqual([
      expect.stringContaining("too many promoted"),
    ]);
  });

  test("what was before the place is not blamed", () => {
    const entries = journal("n1 own start", "n2 own start");
    expect(ownershipViolations(entries, rules, entries.length)).toEqual([]);
  });
});

describe("orders", () => {
  const served = ["n1 db start", "n1 db promote", "n1 address start", "n1 web start"];

  test("kept both ways are right", () => {
    expect(found(...served, "n1 web stop", "n1 address stop", "n1 db demote", "n1 db stop")).toEqual([]);
  });

  test("a start before the end of what it needs is found", () => {
    expect(found("n1 db start", "n1 db promote begin", "n1 address start")).toEqual([
      expect.stringContaining("address starts on n1, where db is not promoted"),
    ]);
    expect(found("n1 db start", "n1 db promote", "n1 address start begin", "n1 web start")).toHaveLength(1);
  });

  test("a stop under what needs it is found", () => {
    expect(found(...served, "n1 address stop")).toEqual([expect.stringContaining("while web runs there")]);
    expect(found(...served, "n1 db demote")).toEqual([expect.stringContaining("while address runs there")]);
  });

  test("what the test has broken still has to be stopped in order", () => {
    expect(found(...served, "n1 web broken 0", "n1 address stop")).toHaveLength(1);
    expect(found(...served, "n1 web broken 0", "n1 web stop", "n1 address stop")).toEqual([]);
  });
});

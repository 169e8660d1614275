import { expect, setDefaultTimeout, test } from "bun:test";
import { runLives } from "./scenario.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

/** Lives in which something was found that is mended. */

test("seed 56: what an executor said before its history was heard did not count, and a promotion was waited for for ever", () => {
  expect(runLives({ seed: 56 }).memberships).toBeGreaterThan(0);
});

test("seed 5088: by the leader's clock, far ahead, a failure was over as soon as it was told", () => {
  expect(runLives({ seed: 5088, configuration: "onFail" }).memberships).toBeGreaterThan(0);
});

test("seeds 326 and 493: what was stopped, and what ended with its host, is known not to run", () => {
  for (const seed of [326, 493]) expect(runLives({ seed }).memberships).toBeGreaterThan(0);
});

test("seed 12110: a failure that was forgotten before the stop was found once more, and nothing was done for ever", () => {
  expect(runLives({ seed: 12_110 }).memberships).toBeGreaterThan(0);
});

test("seed 50018: a restart that ended after the demote was forgotten, and the old service promoted with what was new", () => {
  expect(runLives({ seed: 50_018 }).memberships).toBeGreaterThan(0);
});

test("seed 40107: all were to leave while a connection moved, and what ran behind it was never stopped", () => {
  expect(runLives({ seed: 40_107 }).memberships).toBeGreaterThan(0);
});

test("seed 207880011: what a guest was to stop when its daemon died was started elsewhere, though it had never been stopped", () => {
  expect(runLives({ seed: 207_880_011 }).memberships).toBeGreaterThan(0);
});

test("seed 320000039: what ran with other parameters on a host that nobody remembered was not found with the new ones, and started anew", () => {
  expect(runLives({ seed: 320_000_039 }).memberships).toBeGreaterThan(0);
});

test("seed 207870042: of a fencing that another part of the cluster had ended a node waited for an answer for ever", () => {
  expect(runLives({ seed: 207_870_042 }).memberships).toBeGreaterThan(0);
});

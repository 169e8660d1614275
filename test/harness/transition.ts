import type { Transition } from "../../src/scheduler/index.ts";

/** A decision in which nothing is to be done, but for what a test gives. */
export const transitionWith = (more: Partial<Transition>): Transition => ({
  actions: [],
  placement: [],
  changes: [],
  summary: [],
  scores: [],
  reasons: [],
  messages: [],
  quorate: true,
  fencing: [],
  batchLimit: 0,
  migrationLimit: -1,
  clusterDelayMs: 60_000,
  stonithTimeoutMs: 60_000,
  failedStopOffset: "INFINITY",
  failedStartOffset: "INFINITY",
  ...more,
});

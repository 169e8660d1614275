import { expect, test } from "bun:test";
import { ConnectionGap } from "../../src/daemon/connection-gap.ts";
import type { Operation, OperationResult } from "../../src/executor/index.ts";
import { resourceId } from "../../src/terms/index.ts";

const operation = (rsc: string, action: string, intervalMs: number, callId: number): Operation => ({
  callId,
  rsc: { id: resourceId(rsc), class: "ocf", provider: "test", type: "T" },
  action,
  intervalMs,
  timeoutMs: 1000,
  startDelayMs: 0,
  params: {},
  transitionKey: `${callId}:1:0:x`,
});

const result = (rsc: string, action: string, intervalMs: number, callId: number): OperationResult => ({
  ...operation(rsc, action, intervalMs, callId),
  rc: 0,
  status: 0,
  exitReason: "",
  stdout: "",
  execMs: 1,
  queueMs: 0,
  lastRun: 0,
  lastChange: 0,
});

test("what was to be ended or forgotten while the host did not answer is not told as if it went on", () => {
  const gap = new ConnectionGap("reset");
  gap.tell({ type: "cancel", rsc: resourceId("a"), action: "monitor", intervalMs: 5000 });
  gap.tell({ type: "forget", rsc: resourceId("b") });
  const told = gap.corrected({
    results: [
      result("a", "start", 0, 1),
      result("a", "monitor", 5000, 2),
      result("a", "monitor", 6000, 3),
      result("b", "start", 0, 4),
    ],
    running: [operation("b", "monitor", 0, 5), operation("c", "start", 0, 6)],
    remembered: [],
    interrupted: [],
    bootId: "boot",
    complete: true,
  });
  expect(told.results.map(({ callId }) => callId)).toEqual([1, 3]);
  expect(told.running.map(({ callId }) => callId)).toEqual([6]);
  expect(gap.requests).toHaveLength(2);
});

test("who waits is told once how it ended", () => {
  const gap = new ConnectionGap("reset");
  const said: boolean[] = [];
  gap.whenOver((up) => said.push(up));
  gap.over(true);
  gap.over(false);
  expect(said).toEqual([true]);
});

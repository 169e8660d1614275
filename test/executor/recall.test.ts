import { describe, expect, test } from "bun:test";
import { type ExecutorSnapshot, type OperationResult, recall } from "../../src/executor/index.ts";
import { OcfExit, OpStatus, resourceId } from "../../src/terms/index.ts";

const result = (rsc: string, action: string, callId: number, rc: number): OperationResult => ({
  callId,
  rsc: { id: resourceId(rsc), class: "ocf", provider: "test", type: "T" },
  action,
  intervalMs: 0,
  transitionKey: "1:1:0:key",
  rc,
  status: OpStatus.DONE,
  exitReason: "",
  stdout: "",
  execMs: 1,
  queueMs: 0,
  lastRun: 1,
  lastChange: 1,
  params: {},
});

const after = (left: boolean, ...results: OperationResult[]) => {
  const snapshot: ExecutorSnapshot = {
    results,
    recurring: [],
    unfinished: [],
    interrupted: [],
    remembered: [],
    nodeActionLimit: 0,
    loadThreshold: 0,
    complete: true,
  };
  const state = { instance: "before", bootId: "b", snapshot };
  return recall({ state, journal: [], ageMs: 1000, rebooted: false, left }, { bootId: "b", instance: "now" });
};

describe("what the executor of a daemon before has left", () => {
  const started = result("a", "start", 1, OcfExit.OK);
  const probed = result("b", "monitor", 2, OcfExit.NOT_RUNNING);

  test("holds when that daemon has just died", () => {
    expect(after(false, started, probed)).toMatchObject({ complete: true, stale: false });
  });

  test("is looked at anew when its node had left and services run on", () => {
    expect(after(true, started, probed)).toEqual({ snapshot: undefined, complete: false, stale: true });
    const failed = result("a", "stop", 3, OcfExit.GENERIC);
    expect(after(true, started, probed, failed).stale).toBe(true);
  });

  test("holds when its node had left and nothing runs", () => {
    const stopped = result("a", "stop", 3, OcfExit.OK);
    expect(after(true, started, probed, stopped)).toMatchObject({ complete: true, stale: false });
  });
});

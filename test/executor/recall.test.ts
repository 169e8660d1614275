import { describe, expect, test } from "bun:test";
import {
  type ExecutorSnapshot,
  type Operation,
  type OperationResult,
  recall,
} from "../../src/executor/index.ts";
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

const after = (left: boolean, ...results: OperationResult[]) => recalled(left, 1000, results);

const recalled = (left: boolean, ageMs: number, results: OperationResult[], unfinished: Operation[] = []) => {
  const snapshot: ExecutorSnapshot = {
    results,
    recurring: [],
    unfinished,
    interrupted: [],
    remembered: [],
    nodeActionLimit: 0,
    loadThreshold: 0,
    complete: true,
  };
  const state = { instance: "before", bootId: "b", snapshot };
  return recall({ state, journal: [], ageMs, rebooted: false, left }, { bootId: "b", instance: "now" });
};

describe("what the executor of a daemon before has left", () => {
  const started = result("a", "start", 1, OcfExit.OK);
  const probed = result("b", "monitor", 2, OcfExit.NOT_RUNNING);

  test("holds when that daemon has just died", () => {
    expect(after(false, started, probed)).toMatchObject({ complete: true, stale: false });
  });

  test("is a memory of all that nothing was under way of", () => {
    const stop: Operation = {
      ...started,
      callId: 7,
      action: "stop",
      timeoutMs: 1,
      startDelayMs: 0,
      params: {},
    };
    const { snapshot } = recalled(false, 1000, [{ ...started, params: { ip: "a" } }, probed], [stop]);
    expect(snapshot).toMatchObject({
      results: [probed],
      remembered: [resourceId("b")],
      interrupted: [{ action: "stop", callId: 7, params: { ip: "a" } }],
      unfinished: [],
      complete: false,
    });
  });

  test("is not believed after a long time, but for what may run, and how", () => {
    const stopped = result("c", "stop", 3, OcfExit.OK);
    const moved = { ...result("d", "migrate_from", 4, OcfExit.OK), params: { ip: "d" } };
    const promoted = [result("e", "start", 5, OcfExit.OK), result("e", "promote", 6, OcfExit.OK)];
    const missing = result("f", "monitor", 7, OcfExit.INSTALLED);
    const all = [started, probed, stopped, moved, ...promoted, missing];
    const { snapshot, complete, stale } = recalled(false, 60_000, all);
    expect({ complete, stale }).toEqual({ complete: false, stale: true });
    expect(snapshot).toMatchObject({
      results: [],
      recurring: [],
      unfinished: [],
      remembered: [],
      complete: false,
    });
    expect(snapshot?.interrupted.map(({ rsc, action }) => `${rsc.id} ${action}`)).toEqual([
      "a start",
      "d start",
      "e promote",
    ]);
    expect(snapshot?.interrupted[1]?.params).toEqual({ ip: "d" });
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

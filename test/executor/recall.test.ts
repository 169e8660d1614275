import { describe, expect, test } from "bun:test";
import {
  type ExecutorSnapshot,
  type JournalRecord,
  type Operation,
  type OperationResult,
  recall,
} from "../../src/executor/index.ts";
import { OcfExit, resourceId } from "../../src/terms/index.ts";
import { wentWell } from "../harness/results.ts";

const result = (rsc: string, action: string, callId: number, rc: number): OperationResult => ({
  callId,
  rsc: { id: resourceId(rsc), class: "ocf", provider: "test", type: "T" },
  action,
  intervalMs: 0,
  transitionKey: "1:1:0:key",
  ...wentWell,
  rc,
  params: {},
});

const begun = (rsc: string, action: string, callId: number): Operation => {
  const { transitionKey, params, intervalMs, rsc: agent } = result(rsc, action, callId, OcfExit.OK);
  return { callId, rsc: agent, action, intervalMs, timeoutMs: 1, startDelayMs: 0, params, transitionKey };
};

const now = { bootId: "b", instance: "now" };

const snapshotOf = (results: OperationResult[], unfinished: Operation[] = []): ExecutorSnapshot => ({
  results,
  recurring: [],
  unfinished,
  interrupted: [],
  remembered: [],
  nodeActionLimit: 0,
  loadThreshold: 0,
  complete: true,
});

const after = (left: boolean, ...results: OperationResult[]) => recalled(left, 1000, results);

const recalled = (left: boolean, ageMs: number, results: OperationResult[], unfinished: Operation[] = []) => {
  const state = { instance: "before", bootId: "b", snapshot: snapshotOf(results, unfinished) };
  return recall({ state, journal: [], ageMs, rebooted: false, left }, now);
};

describe("what the executor of a daemon before has left", () => {
  const started = result("a", "start", 1, OcfExit.OK);
  const probed = result("b", "monitor", 2, OcfExit.NOT_RUNNING);

  test("holds when that daemon has just died", () => {
    expect(after(false, started, probed)).toMatchObject({ complete: true, stale: false });
  });

  test("is a memory of all that nothing was under way of", () => {
    const stop = begun("a", "stop", 7);
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
    const { snapshot, complete, stale } = after(true, started, probed);
    expect({ complete, stale }).toEqual({ complete: false, stale: true });
    // What is not configured any more would otherwise run on, and nobody would know.
    expect(snapshot).toMatchObject({
      results: [],
      recurring: [],
      remembered: [],
      interrupted: [{ action: "start" }],
    });
    const failed = result("a", "stop", 3, OcfExit.GENERIC);
    expect(after(true, started, probed, failed).stale).toBe(true);
  });

  test("holds when its node had left and nothing runs", () => {
    const stopped = result("a", "stop", 3, OcfExit.OK);
    expect(after(true, started, probed, stopped)).toMatchObject({ complete: true, stale: false });
  });
});

describe("what an executor of the same daemon has left", () => {
  const state = (results: OperationResult[], unfinished: Operation[]) => ({
    instance: now.instance,
    bootId: "b",
    snapshot: snapshotOf(results, unfinished),
  });

  test("is gone on with, what was under way as well: somebody waits for it", () => {
    const left = { state: state([], [begun("a", "start", 1)]), ageMs: 1000, rebooted: false, left: false };
    const { snapshot, complete } = recall({ ...left, journal: [] }, now);
    expect(snapshot?.unfinished.map(({ callId }) => callId)).toEqual([1]);
    expect(snapshot?.remembered).toEqual([]);
    expect(complete).toBe(true);
  });

  test("is all that it has noted since it wrote its state", () => {
    const journal: JournalRecord[] = [
      { type: "result", result: result("a", "start", 1, OcfExit.OK) },
      { type: "execute", operation: begun("b", "start", 2) },
    ];
    const left = { state: state([], [begun("a", "start", 1)]), ageMs: 1000, rebooted: false, left: false };
    const { snapshot } = recall({ ...left, journal }, now);
    expect(snapshot?.unfinished.map(({ callId }) => callId)).toEqual([2]);
    expect(snapshot?.results.map(({ callId }) => callId)).toEqual([1]);
  });
});

describe("what an executor has noted and written into its state as well", () => {
  test("is under way once", () => {
    const start = begun("a", "start", 1);
    const state = { instance: now.instance, bootId: "b", snapshot: snapshotOf([], [start]) };
    const journal: JournalRecord[] = [{ type: "execute", operation: start }];
    const { snapshot } = recall({ state, journal, ageMs: 1000, rebooted: false, left: false }, now);
    expect(snapshot?.unfinished).toEqual([start]);
  });
});

describe("the end of a migration that was found out by a look", () => {
  test("holds, also if the executor dies before it has written its state", () => {
    const arriving = begun("a", "migrate_from", 1);
    const state = {
      instance: now.instance,
      bootId: "b",
      snapshot: { ...snapshotOf([], [begun("a", "monitor", 2)]), interrupted: [arriving] },
    };
    const journal: JournalRecord[] = [
      { type: "result", result: result("a", "migrate_from", 1, OcfExit.OK) },
      { type: "result", result: result("a", "monitor", 2, OcfExit.OK) },
    ];
    const { snapshot } = recall({ state, journal, ageMs: 1000, rebooted: false, left: false }, now);
    expect(snapshot?.results.map(({ action }) => action)).toEqual(["migrate_from", "monitor"]);
    expect(snapshot?.interrupted).toEqual([]);
  });
});

describe("of an executor that has left nothing", () => {
  const nothing = { journal: [], ageMs: 1000, left: false };

  test("it is not known what runs", () => {
    const told = recall({ ...nothing, state: undefined, rebooted: false }, now);
    expect(told).toEqual({ snapshot: undefined, complete: false, stale: false });
  });

  test("nothing runs when the host was booted since", () => {
    expect(recall({ ...nothing, state: undefined, rebooted: true }, now).complete).toBe(true);
    const state = { instance: "before", bootId: "a", snapshot: snapshotOf([result("a", "start", 1, 0)]) };
    const told = recall({ ...nothing, state, rebooted: true }, now);
    expect(told).toEqual({ snapshot: undefined, complete: true, stale: false });
  });

  test("what cannot be read may have been written in this boot", () => {
    expect(recall({ ...nothing, state: "damaged", rebooted: true }, now).complete).toBe(false);
  });
});

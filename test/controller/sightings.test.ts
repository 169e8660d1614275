import { describe, expect, test } from "bun:test";
import { Sightings } from "../../src/controller/sightings.ts";
import { Unseen } from "../../src/controller/unseen.ts";
import type { OperationResult } from "../../src/executor/index.ts";
import { nodeName, OpStatus, resourceId } from "../../src/terms/index.ts";

const n1 = nodeName("n1");
const nobody = () => ({ inactive: 1, unknown: 0 });

const result = (action: string, rc: number, lastRun: number): OperationResult => ({
  callId: lastRun,
  rsc: { id: resourceId("q"), class: "ocf", provider: "test", type: "Q" },
  action,
  intervalMs: 0,
  transitionKey: "1:1:0:key",
  rc,
  status: rc === 0 ? OpStatus.DONE : OpStatus.ERROR,
  exitReason: "",
  stdout: "",
  execMs: 0,
  queueMs: 0,
  lastRun,
  lastChange: lastRun,
  params: {},
});

/** q has run on n1, its stop has failed there, and the node is said to have been reset for it. */
function fenced(): Sightings {
  const sightings = new Sightings();
  sightings.runs(n1, "first", false);
  sightings.told(n1, result("start", 0, 1), undefined);
  sightings.told(n1, result("stop", 1, 5), undefined);
  sightings.reset(n1, [{ rsc: "q", spared: false }], 10);
  return new Sightings(sightings.copy().seen());
}

describe("a node that is said to have been reset for a service", () => {
  test("was off when it tells of another boot, or knows of nothing", () => {
    for (const [boot, knows] of [
      ["second", false],
      ["second", true],
      ["first", false],
    ] as const) {
      const sightings = fenced();
      sightings.runs(n1, boot, knows);
      expect(sightings.spared(n1, "q", 20, undefined, nobody)).toBe("reset-before");
      // It is asked once: a manager that starts anew later tells of the same boot, with what has happened in it.
      sightings.runs(n1, boot, true);
      expect(sightings.wasResetFor(n1, "q")).toBe(true);
    }
  });

  test("was not when its executor knows more, in the same boot: it is fenced again", () => {
    const sightings = fenced();
    sightings.runs(n1, "first", true);
    expect(sightings.wasResetFor(n1, "q")).toBe(false);
    expect(sightings.spared(n1, "q", 20, undefined, nobody)).toBeUndefined();
  });
});

test("what was only looked for in vain, and forgotten, is not taken for what may run", () => {
  const { callId, rsc, params, transitionKey } = result("start", 0, 1);
  const left = { callId, rsc, params, transitionKey, intervalMs: 0, timeoutMs: 0, startDelayMs: 0 };
  const told = (action: string) => {
    const unseen = new Unseen();
    const interrupted = [{ ...left, action }];
    unseen.told(n1, { results: [], running: [], interrupted, remembered: [], bootId: "b", complete: true });
    return unseen.mayRunOn(n1).length;
  };
  expect([told("start"), told("monitor")]).toEqual([1, 0]);
});

import { describe, expect, test } from "bun:test";
import type { Operation } from "../../src/executor/index.ts";
import { nodeName, OcfExit, OpStatus } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const n1 = nodeName("n1");

/** A service that prefers n1, where operations of the given kind are never answered. */
function silent(action: string, op = "", intervalMs = 0): ControllerBus {
  const bus = new ControllerBus(3);
  bus.agent = (node, { rsc, action: asked, intervalMs: every }) =>
    node === n1 && rsc.id === "a" && asked === action && every === intervalMs ? "silent" : OcfExit.OK;
  bus.boot("n1", "n2", "n3");
  bus.run(100);
  bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive a ocf:test:A op monitor interval=10s ${op}
location prefer a 50: n1
`);
  return bus;
}

/** Entries of the service on n1, as all CIBs have them. */
const entries = (bus: ControllerBus): string[] => {
  const cibs = bus.cibs();
  expect(cibs).toHaveLength(1);
  return [...(cibs[0] ?? "").matchAll(/<lrm_rsc_op id="(a_\w+)" [^>]*on_node="n1"[^>]*>/g)].map(
    ([text, id]) => `${id} ${/operation="(\w+)"/.exec(text)?.[1]} ${/op-status="(-?\d+)"/.exec(text)?.[1]}`,
  );
};
const lost = (bus: ControllerBus) => bus.log.filter((line) => line.includes(" ACTION-LOST "));
const lastOf = (bus: ControllerBus, action: string): Operation => {
  const found = bus.executed.findLast(
    ({ node, operation }) => node === n1 && operation.rsc.id === "a" && operation.action === action,
  );
  if (!found) throw new Error(`no ${action}`);
  return found.operation;
};
const answer = (bus: ControllerBus, operation: Operation, rc: number) => {
  const said = { rc, status: OpStatus.DONE, exitReason: "", stdout: "", execMs: 5, queueMs: 0 };
  bus.step("n1", { type: "result", node: n1, result: { ...operation, ...said, lastRun: 0, lastChange: 0 } });
};
const failCount = (bus: ControllerBus, key: string) =>
  [...bus.node("n2").controller.attributeValues(`fail-count-a#${key}`)].map(
    ([node, value]) => `${node} ${value}`,
  );

describe("an operation that is not answered in time", () => {
  test("a start: it counts as failed, and the service runs elsewhere", () => {
    const bus = silent("start");
    bus.run(60_000);
    expect(entries(bus)).toEqual(["a_last_0 start -1"]);
    bus.run(30_000);
    expect(lost(bus)).toHaveLength(1);
    expect(failCount(bus, "start_0")).toEqual(["n1 INFINITY"]);
    expect(entries(bus)).toContain("a_last_failure_0 start 2");
    expect(lastOf(bus, "stop").callId).toBeGreaterThan(lastOf(bus, "start").callId);
    expect(bus.where("a").join()).toMatch(/^n[23]$/);
    expect(bus.fenced).toEqual([]);
    // What comes after the stop changes nothing any more.
    const before = bus.cibs();
    answer(bus, lastOf(bus, "start"), OcfExit.OK);
    expect(bus.cibs()).toEqual(before);
  });

  test("a stop: the node is fenced", () => {
    const bus = silent("stop");
    bus.run(1000);
    bus.configure("location away a -inf: n1");
    bus.run(90_000);
    expect(lost(bus)).toHaveLength(1);
    expect(bus.fenced.map(({ target }) => target)).toEqual([n1]);
    expect(bus.where("a").join()).toMatch(/^n[23]$/);
    expect(bus.cibs()).toHaveLength(1);
  });

  test("a probe: the service is stopped there before it is started anywhere, and not asked for ever", () => {
    const bus = silent("monitor");
    bus.run(180_000);
    expect(lost(bus)).toHaveLength(1);
    expect(lastOf(bus, "stop")).toBeDefined();
    expect(bus.where("a")).toHaveLength(1);
    expect(failCount(bus, "monitor_0")).toEqual([]);
    expect(bus.cibs()).toHaveLength(1);
  });

  test("a recurring monitor: the service is recovered", () => {
    const bus = silent("monitor", "", 10_000);
    bus.run(90_000);
    expect(lost(bus)).toHaveLength(1);
    expect(failCount(bus, "monitor_10000")).toEqual(["n1 1"]);
    expect(lastOf(bus, "stop").callId).toBeGreaterThan(1);
  });

  for (const [rc, entry, status] of [
    [OcfExit.OK, "a_last_0", 0],
    [OcfExit.GENERIC, "a_last_failure_0", 0],
  ] as const)
    test(`is answered late with ${rc}: that takes the place of what was supposed, and counts once`, () => {
      const bus = silent("start", "op start on-fail=block");
      bus.run(90_000);
      expect(entries(bus)).toContain("a_last_failure_0 start 2");
      const count = failCount(bus, "start_0");
      answer(bus, lastOf(bus, "start"), rc);
      expect(entries(bus)).toContain(`${entry} start ${status}`);
      expect(entries(bus).filter((text) => text.endsWith(" start 2"))).toEqual([]);
      expect(entries(bus).some((text) => text.startsWith("a_last_failure_0"))).toBe(rc !== OcfExit.OK);
      expect(failCount(bus, "start_0")).toEqual(count);
    });

  test("is not supposed to have failed when its node was lost", () => {
    const bus = silent("start");
    bus.run(1000);
    bus.crash("n1");
    bus.run(180_000);
    expect(lost(bus)).toEqual([]);
    expect(bus.fenced.map(({ target }) => target)).toEqual([n1]);
    expect(failCount(bus, "start_0")).toEqual([]);
    expect(bus.where("a").join()).toMatch(/^n[23]$/);
  });

  test("is not supposed to have failed when its result comes at the last moment", () => {
    const bus = silent("start");
    bus.run(60_000);
    bus.node("n1").running.set("a", "started");
    answer(bus, lastOf(bus, "start"), OcfExit.OK);
    bus.run(60_000);
    expect(lost(bus)).toEqual([]);
    expect(failCount(bus, "start_0")).toEqual([]);
    expect(entries(bus).some((text) => text.includes("last_failure"))).toBe(false);
  });
});

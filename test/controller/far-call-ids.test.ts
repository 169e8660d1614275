import { expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { ClusterState } from "../../src/controller/cluster-state.ts";
import type { OperationResult } from "../../src/executor/index.ts";
import { nodeId, nodeName, resourceId } from "../../src/terms/index.ts";

/** Numbers that others tell must leave room for the next ones, which are refused by nobody. */

const node1 = nodeName("node1");
const fresh = (version = "") =>
  new ClusterState(
    parseXml(
      `<cib admin_epoch="0" epoch="1" num_updates="${version || 0}"><configuration><nodes><node id="1" uname="node1"/></nodes><resources><primitive id="x" class="ocf" provider="test" type="X"/></resources></configuration><status/></cib>`,
    ),
    [{ id: nodeId(1), name: node1 }],
  );
const result = (callId: number, rc = 0): OperationResult => ({
  ...{ callId, rc, status: 0, exitReason: "", stdout: "", execMs: 1, queueMs: 0, lastRun: 1, lastChange: 1 },
  rsc: { id: resourceId("x"), class: "ocf", provider: "test", type: "X" },
  ...{ action: "monitor", intervalMs: 0, params: {}, transitionKey: "1:1:0:x" },
});

test("a call id that no executor can have got is not believed: the node goes on being given operations", () => {
  const state = fresh();
  state.result(node1, result(5));
  for (const far of [Number.MAX_SAFE_INTEGER, 2 ** 52, 2 ** 48]) state.result(node1, result(far, 7));
  expect(state.nextCallId(node1)).toBe(6);
  const calls = state.status.ops("1", "x").map(({ attributes }) => Number(attributes.get("call-id")));
  expect(Math.max(0, ...calls)).toBeLessThanOrEqual(5);
});

test("the highest that is believed leaves room", () => {
  const state = fresh();
  state.result(node1, result(2 ** 47));
  const next = state.nextCallId(node1);
  expect(next).toBe(2 ** 47 + 1);
  state.result(node1, result(next));
  expect(state.nextCallId(node1)).toBe(next + 1);
});

test("what comes from an executor's history, or is given out, is held to the same", () => {
  const state = fresh();
  const far = { ...result(2 ** 50), timeoutMs: 1, startDelayMs: 0 };
  state.dispatched({ node: node1, executor: node1, operation: far }, 1);
  expect(state.nextCallId(node1)).toBe(1);
  expect(state.status.ops("1", "x")).toEqual([]);
});

test("the count of changes of the status ends at a number that can be read", () => {
  const state = fresh(String(Number.MAX_SAFE_INTEGER));
  state.touch();
  expect(state.version()[2]).toBe(Number.MAX_SAFE_INTEGER);
});

import { expect, test } from "bun:test";
import { ClusterState } from "../../src/controller/cluster-state.ts";
import { emptyCib } from "../../src/controller/index.ts";
import type { AgentResource, Operation, OperationResult } from "../../src/executor/index.ts";
import { nodeId, nodeName, resourceId } from "../../src/terms/index.ts";
import { wentWell } from "../harness/results.ts";

const n1 = nodeName("n1");
const rsc: AgentResource = { id: resourceId("a"), class: "ocf", provider: "test", type: "A" };
const transitionKey = "1:1:0:x";

const answer = (callId: number, action: string, intervalMs: number): OperationResult => ({
  rsc,
  transitionKey,
  callId,
  action,
  intervalMs,
  params: {},
  ...wentWell,
});

/** The recurring operations that the history of the node tells of, after a cancel with call id 3. */
function after(restore: boolean, ...callIds: readonly number[]): readonly string[] {
  const state = new ClusterState(emptyCib(), [{ id: nodeId(1), name: n1 }]);
  state.nodeJoined(nodeId(1), n1);
  state.result(n1, answer(1, "start", 0));
  const params = { CRM_meta_operation: "monitor", CRM_meta_interval: "10000" };
  const times = { intervalMs: 10_000, timeoutMs: 20_000, startDelayMs: 0 };
  const cancel: Operation = { rsc, transitionKey, callId: 3, action: "cancel", ...times, params };
  state.dispatched({ node: n1, executor: n1, operation: cancel }, 1);
  if (restore) state.restore(state.snapshot());
  for (const callId of callIds) state.result(n1, answer(callId, "monitor", 10_000));
  return state.status
    .ops("1", "a")
    .map((op) => op.attributes.get("id") ?? "")
    .filter((id) => id.includes("10000"));
}

for (const joined of [false, true])
  test(`an answer that crosses the end of its recurring operation brings it not back${joined ? ", also where the state was received" : ""}`, () => {
    expect(after(joined, 2)).toEqual([]);
    expect(after(joined, 2, 4)).toEqual(["a_monitor_10000"]);
  });

import type { AlertEvent } from "../alerts/index.ts";
import type { OperationResult } from "../executor/index.ts";
import type { FenceResult } from "../fencer/index.ts";
import type { NodeId, NodeName } from "../terms/index.ts";
import type { Membership } from "./face.ts";

/** An operation has ended on this node, or on a remote node that it is connected to. */
export function resourceAlert(node: NodeName, result: OperationResult): AlertEvent {
  const { rsc, action, intervalMs, rc, status, execMs, transitionKey } = result;
  // action number, transition, expected exit code, name of the transitions
  const expectedRc = Number.parseInt(transitionKey.split(":")[2] ?? "", 10) || 0;
  return { kind: "resource", node, rsc: rsc.id, action, intervalMs, rc, expectedRc, status, execMs };
}

/** Fencing has ended, as every member hears. */
export function fencingAlert(result: FenceResult): AlertEvent {
  const { target, action, ok, executor, origin, client, reason, id } = result;
  return { kind: "fencing", node: target, action, ok, executor, origin, client, reason, id };
}

/** Nodes whose ring has come or gone since an earlier membership. */
export function memberAlerts(
  before: readonly NodeId[],
  after: Membership,
  nameOf: (id: NodeId) => NodeName,
): AlertEvent[] {
  const now = new Set(after.members);
  const then = new Set(before);
  const alert = (nodeId: NodeId, state: "member" | "lost"): AlertEvent => ({
    kind: "node",
    node: nameOf(nodeId),
    nodeId,
    state,
  });
  return [
    ...before.filter((id) => !now.has(id)).map((id) => alert(id, "lost")),
    ...after.members.filter((id) => !then.has(id)).map((id) => alert(id, "member")),
  ];
}

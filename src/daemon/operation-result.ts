import type { Operation, OperationResult } from "../executor/index.ts";
import type { Millis, OcfExit, OpStatus } from "../terms/index.ts";

/** Result of an operation that the manager itself has carried out. `atMs` is the wall clock at its begin. */
export function resultOf(
  { callId, rsc, action, intervalMs, transitionKey, params }: Operation,
  rc: OcfExit,
  status: OpStatus,
  exitReason: string,
  atMs: number,
  execMs: Millis,
): OperationResult {
  const at = atMs / 1000;
  const outcome = { rc, status, exitReason, stdout: "", execMs, queueMs: 0, lastRun: at, lastChange: at };
  return { callId, rsc, action, intervalMs, transitionKey, params, ...outcome };
}

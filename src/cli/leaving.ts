import type { NodeReply } from "../daemon/index.ts";
import { monotonicMs, processStart } from "../platform/index.ts";
import { HactlError, type Millis } from "../terms/index.ts";
import { ask } from "./daemon.ts";
import { requireLive } from "./target.ts";

/** How long a manager that is started again is waited for. */
const patienceMs: Millis = 60_000;
const retryMs: Millis = 100;

/** Whether a process runs no more. One that its parent has not taken notice of yet has ended all the same. */
export const hasEnded = (pid: number): boolean => processStart(pid) === undefined;

/**
 * Asks the daemon of this node to leave the cluster, and tells which node that is. When its manager dies before it has answered
 * nobody knows whether it has passed that on; the next one is asked again, since to be asked twice is to leave once.
 *
 * @throws HactlError REHEARSAL where a file is meant; as `ask`
 */
export async function askToLeave(): Promise<NodeReply> {
  requireLive("leaving the cluster");
  const until = monotonicMs() + patienceMs;
  let node: NodeReply | undefined;
  for (let passing = ["DISCONNECTED"]; ; passing = ["DISCONNECTED", "UNREACHABLE"]) {
    try {
      node ??= await ask<NodeReply>({ type: "node" });
      await ask({ type: "shutdown" });
      return node;
    } catch (error) {
      if (node && hasEnded(node.pid)) return node;
      if (!(error instanceof HactlError) || !passing.includes(error.code) || monotonicMs() > until)
        throw error;
      await Bun.sleep(retryMs);
    }
  }
}

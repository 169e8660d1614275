import type { ExecutorEvent, OperationResult } from "../executor/index.ts";
import type { AllowanceLimits } from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";
import { accessRules } from "./access-rules.ts";
import type { AdminRequest } from "./admin-protocol.ts";

/** What a host may cost the node that it is connected to: one that has a thousand resources looked for at once does not feel it. */
export const hostLimits: AllowanceLimits = { share: 0.2, burstMs: 10_000 };
/** The same for all that one user of a node asks, root and the daemon's own user excepted. */
export const userLimits: AllowanceLimits = { share: 0.2, burstMs: 2_000 };

/** Reading a message and forgetting it. */
export const MESSAGE_MS: Millis = 0.25;
/** Looking at the whole configuration and writing an answer. */
const LOOK_MS: Millis = 10;
/** What goes round the ring, is kept by all, is logged, and has the leader decide anew. */
const CHANGE_MS: Millis = 25;

/**
 * What a request of a user of a remote host costs him there. Twice a change: the host has one share for all, and a user of it
 * may not use that up.
 */
export const TOOL_MS: Millis = 2 * CHANGE_MS;

/** What answering costs, beside its bytes. Estimates of what counts: whether it is for this node alone or for all. */
export function workOfRequest({ type }: AdminRequest): Millis {
  if (type === "node" || type === "watch") return MESSAGE_MS;
  const { rule } = accessRules[type];
  return rule === "see" || rule === "see-all" || rule === "nothing" ? LOOK_MS : CHANGE_MS;
}

/** What an event of a remote host costs where it is believed. `asked`: the cluster waits for it. */
export function workOfEvent(event: ExecutorEvent, asked: (result: OperationResult) => boolean): Millis {
  switch (event.type) {
    case "result":
      // What comes unasked tells of a change.
      return asked(event.result) ? 2 : CHANGE_MS;
    case "load":
    case "shutdown-request":
      return CHANGE_MS;
    default:
      return MESSAGE_MS;
  }
}

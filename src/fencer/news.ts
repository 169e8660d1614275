import { HactlError, type NodeName } from "../terms/index.ts";
import type { FenceResult, FencerMessage } from "./face.ts";
import { readFencerMessage } from "./messages.ts";

/** What a message of the fencers means for the state that all managers have alike. */
export type FencingNews =
  /** From here on its end, whatever makes it, is that of what the target is now. */
  | { readonly type: "asked"; readonly op: string; readonly target: NodeName }
  /** From here on the target may be switched off at any moment. */
  | { readonly type: "ordered"; readonly op: string; readonly target: NodeName; readonly attempt: number }
  /** A fencing, or its confirmation by a person, has come to its end. */
  | { readonly type: "ended"; readonly result: FenceResult; readonly goneAgain?: string };

/**
 * Reads a fencers' message for those who only have to know what came of it: whoever receives it can tell, also without
 * having heard of the request. Undefined for all other messages, and for what is none.
 */
export function fencingNews(from: NodeName, value: unknown): FencingNews | undefined {
  let message: FencerMessage;
  try {
    message = readFencerMessage(value, "");
  } catch (error) {
    if (error instanceof HactlError) return undefined;
    throw error;
  }
  if (message.type === "request")
    return { type: "asked", op: message.request.id, target: message.request.target };
  if (message.type === "execute" && message.order.phase === "main") {
    const { op, target, attempt } = message.order;
    return { type: "ordered", op, target, attempt };
  }
  if (message.type === "done") {
    const { result, goneAgain } = message;
    return { type: "ended", result, ...(goneAgain !== undefined && { goneAgain }) };
  }
  if (message.type === "confirm") return { type: "ended", result: confirmation(from, message) };
  return undefined;
}

/** The result that a person's word for it stands for. */
export function confirmation(
  from: NodeName,
  { id, target, client, at }: Extract<FencerMessage, { readonly type: "confirm" }>,
): FenceResult {
  return {
    id,
    target,
    action: "off",
    ok: true,
    executor: from,
    devices: [],
    reason: `confirmed by ${client} on ${from}`,
    client,
    origin: from,
    completedAt: at,
    deed: "confirmed",
    failures: 0,
    exhausted: false,
  };
}

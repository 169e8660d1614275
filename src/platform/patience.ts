import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "../terms/index.ts";

/**
 * Settles as a promise does, or with undefined after a time. Nothing is left behind that keeps the process alive: one that waits
 * with `Bun.sleep` beside it ends only when that is over.
 */
export async function atMost<T>(promise: Promise<T>, ms: Millis): Promise<T | undefined> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
  return Promise.race([promise, late]).finally(() => over.abort());
}

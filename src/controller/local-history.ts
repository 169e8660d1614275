import type { Operation, OperationResult } from "../executor/index.ts";
import type { Millis } from "../terms/index.ts";
import { endsRecurring, historyIds, isFailure, isRecorded, operationKey } from "./history.ts";
import type { ExecutorHistory } from "./messages.ts";

/**
 * What this node's executor has done, as far as this manager knows it: what the node brings along when it meets
 * others, also after its own copy of the state has lost against theirs.
 */
export class LocalHistory {
  readonly #results = new Map<string, OperationResult>();
  readonly #running = new Map<number, Operation>();

  replace(history: ExecutorHistory): void {
    this.#results.clear();
    this.#running.clear();
    for (const result of [...history.results].sort((a, b) => a.callId - b.callId)) this.finished(result);
    for (const operation of history.running) this.#running.set(operation.callId, operation);
  }

  started(operation: Operation): void {
    if (!isRecorded(operation.action)) return;
    this.#running.set(operation.callId, operation);
    if (!endsRecurring(operation.action)) return;
    for (const [id, { rsc, intervalMs }] of this.#results) {
      if (rsc.id === operation.rsc.id && intervalMs > 0 && !id.endsWith("_last_failure_0"))
        this.#results.delete(id);
    }
  }

  /** It was not begun after all. */
  dropped({ callId }: Operation): void {
    this.#running.delete(callId);
  }

  finished(result: OperationResult): void {
    this.#running.delete(result.callId);
    if (!isRecorded(result.action)) return;
    const ids = historyIds(result.rsc.id, result.action, result.intervalMs, isFailure(result));
    // The order is that of time, also where a result takes the place of an earlier one.
    for (const id of ids) this.#results.delete(id);
    for (const id of ids) this.#results.set(id, result);
  }

  cancelled(rsc: string, action: string, intervalMs: Millis): void {
    this.#results.delete(operationKey(rsc, action, intervalMs));
    for (const [callId, operation] of this.#running) {
      if (operation.rsc.id === rsc && operation.action === action && operation.intervalMs === intervalMs) {
        this.#running.delete(callId);
      }
    }
  }

  forgotten(rsc: string): void {
    for (const [id, result] of this.#results) if (result.rsc.id === rsc) this.#results.delete(id);
  }

  history(): ExecutorHistory {
    return {
      results: [...new Set(this.#results.values())],
      running: [...this.#running.values()].filter(({ intervalMs }) => intervalMs === 0),
    };
  }
}

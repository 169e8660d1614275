import type { NodeName } from "../terms/index.ts";
import { historyIds, isRecorded } from "./history.ts";
import type { Dispatch } from "./messages.ts";

/**
 * Operations that were given out and are not answered, all members alike. A leader that comes after another finds here
 * what it has to wait for: a history says of a promotion that is under way only that it is pending, and what is ordered
 * after it must not begin.
 */
export class UnderWay {
  readonly #operations: Map<string, Dispatch>;

  constructor(dispatches: readonly Dispatch[] = []) {
    this.#operations = new Map(dispatches.map((dispatch) => [keyOf(dispatch), dispatch]));
  }

  /** Recurring operations are never over, and what is not recorded is nothing to wait for. */
  add(dispatch: Dispatch): void {
    const { action, intervalMs } = dispatch.operation;
    if (isRecorded(action) && intervalMs === 0) this.#operations.set(keyOf(dispatch), dispatch);
  }

  /** The operation of that call has been answered, or is taken for failed. */
  over(node: NodeName, callId: number): void {
    for (const [key, dispatch] of this.#operations)
      if (dispatch.node === node && dispatch.operation.callId === callId) this.#operations.delete(key);
  }

  /** What a node did is told anew, but for what was given out to it after the call `seen`. */
  restart(node: NodeName, seen: number): void {
    for (const [key, dispatch] of this.#operations)
      if (dispatch.node === node && dispatch.operation.callId <= seen) this.#operations.delete(key);
  }

  all(): readonly Dispatch[] {
    return [...this.#operations.values()];
  }

  copy(): UnderWay {
    return new UnderWay(this.all());
  }
}

/** A history keeps one entry for each: what is given out later takes its place. */
const keyOf = ({ node, operation: { rsc, action, intervalMs } }: Dispatch): string =>
  `${node} ${historyIds(rsc.id, action, intervalMs, false)[0]}`;

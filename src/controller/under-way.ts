import type { Operation, OperationResult } from "../executor/index.ts";
import type { Millis, NodeName } from "../terms/index.ts";
import { historyIds, isRecorded } from "./history.ts";
import type { Dispatch } from "./messages.ts";

/**
 * Operations that were given out and are not answered, all members alike. A leader that comes after another finds here
 * what it has to wait for: a history says of a promotion that is under way only that it is pending, and what is ordered
 * after it must not begin.
 */
export class UnderWay {
  readonly #operations = new Map<string, Dispatch>();
  /** What each attempt has changed, as it was before, the innermost last. */
  readonly #before: Map<string, Dispatch | undefined>[] = [];

  constructor(dispatches: readonly Dispatch[] = []) {
    for (const dispatch of dispatches)
      this.#operations.set(keyOf(dispatch.node, dispatch.operation), dispatch);
  }

  /** Recurring operations are never over, and what is not recorded is nothing to wait for. */
  add(dispatch: Dispatch): void {
    const { node, operation } = dispatch;
    if (isRecorded(operation.action) && operation.intervalMs === 0)
      this.#put(keyOf(node, operation), dispatch);
  }

  /** What was given out and is answered by this; undefined when nothing is known of it. */
  of(node: NodeName, result: OperationResult): Dispatch | undefined {
    const dispatch = this.#operations.get(keyOf(node, result));
    return dispatch?.operation.callId === result.callId ? dispatch : undefined;
  }

  /** An operation has been answered, or is taken for failed. */
  over(node: NodeName, result: OperationResult): void {
    if (this.of(node, result)) this.#put(keyOf(node, result), undefined);
  }

  /** What a node did is told anew, but for what was given out to it after the call `seen`. */
  restart(node: NodeName, seen: number): void {
    for (const [key, dispatch] of this.#operations)
      if (dispatch.node === node && dispatch.operation.callId <= seen) this.#put(key, undefined);
  }

  all(): readonly Dispatch[] {
    return [...this.#operations.values()];
  }

  /** What is changed from now on may be taken back. Attempts may lie within others. */
  begin(): void {
    this.#before.push(new Map());
  }

  commit(): void {
    const inner = this.#before.pop() ?? new Map<string, Dispatch | undefined>();
    const outer = this.#before.at(-1);
    if (!outer) return;
    for (const [key, dispatch] of inner) if (!outer.has(key)) outer.set(key, dispatch);
  }

  rollback(): void {
    for (const [key, dispatch] of this.#before.pop() ?? []) this.#set(key, dispatch);
  }

  #put(key: string, dispatch: Dispatch | undefined): void {
    const before = this.#before.at(-1);
    if (before && !before.has(key)) before.set(key, this.#operations.get(key));
    this.#set(key, dispatch);
  }

  #set(key: string, dispatch: Dispatch | undefined): void {
    if (dispatch) this.#operations.set(key, dispatch);
    else this.#operations.delete(key);
  }
}

/** A history keeps one entry for each: what is given out later takes its place. */
const keyOf = (node: NodeName, { rsc, action, intervalMs }: Operation | OperationResult): string =>
  `${node} ${historyIds(rsc.id, action, intervalMs, false)[0]}`;

/** What a leader waits for that another one has given out, each with the time until which it may be answered. */
export class Inherited {
  #deadlines = new Map<string, Millis>();

  get size(): number {
    return this.#deadlines.size;
  }

  has(transitionKey: string): boolean {
    return this.#deadlines.has(transitionKey);
  }

  clear(): void {
    this.#deadlines.clear();
  }

  /** Takes what is under way now; each has its own timeout and `delayMs` from when it was first seen. Returns the new. */
  take(underWay: readonly Dispatch[], now: Millis, delayMs: Millis): readonly Dispatch[] {
    const before = this.#deadlines;
    this.#deadlines = new Map(
      underWay.map(({ operation: { transitionKey, timeoutMs, startDelayMs } }) => [
        transitionKey,
        before.get(transitionKey) ?? now + timeoutMs + startDelayMs + delayMs,
      ]),
    );
    return underWay.filter(({ operation }) => !before.has(operation.transitionKey));
  }

  /** Those that should have been answered; they are given `againMs` more. */
  overdue(underWay: readonly Dispatch[], now: Millis, againMs: Millis): readonly Dispatch[] {
    const late = underWay.filter(({ operation }) => {
      const deadline = this.#deadlines.get(operation.transitionKey);
      return deadline !== undefined && deadline <= now;
    });
    for (const { operation } of late) this.#deadlines.set(operation.transitionKey, now + againMs);
    return late;
  }

  /** When the next is overdue. */
  get next(): Millis | undefined {
    return this.size === 0 ? undefined : Math.min(...this.#deadlines.values());
  }
}

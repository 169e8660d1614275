import type { Operation, OperationResult } from "../executor/index.ts";

/** What tells one operation from another in what its executor says of it. */
type Named = Pick<Operation, "callId" | "rsc" | "action" | "intervalMs">;

/**
 * What a remote host was given to do. It may be in the hands of somebody else: a result of anything that it was not given,
 * as of a resource that runs elsewhere, is none. What it says at connecting that it does, for the manager before this one,
 * counts as given: that manager knew.
 */
export class GivenOperations {
  /** Those that are done once, until their result. */
  readonly #once = new Set<string>();
  readonly #recurring = new Set<string>();

  /** Sent, and not answered yet. */
  readonly #awaited = new Set<string>();

  /** An operation is sent: its result is waited for, of a recurring one the first. */
  sent(operation: Named): void {
    this.add(operation);
    this.#awaited.add(keyOf(operation));
  }

  /** Whether a result was waited for until now. */
  answers(result: Named): boolean {
    return this.#awaited.delete(keyOf(result));
  }

  add(operation: Named): void {
    this.#of(operation).add(keyOf(operation));
  }

  /** Takes a result: true when it is of something that was given. */
  take(result: Pick<OperationResult, "callId" | "rsc" | "action" | "intervalMs">): boolean {
    // A recurring one tells again and again, also once more when it has just been ended.
    return result.intervalMs > 0 ? this.#recurring.has(keyOf(result)) : this.#once.delete(keyOf(result));
  }

  #of({ intervalMs }: Named): Set<string> {
    return intervalMs > 0 ? this.#recurring : this.#once;
  }
}

const keyOf = ({ callId, rsc, action, intervalMs }: Named): string =>
  JSON.stringify([rsc.id, action, intervalMs > 0 ? intervalMs : callId]);

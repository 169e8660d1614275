import type { ExecutorHistory } from "../controller/index.ts";
import type { ExecutorRequest, Operation } from "../executor/index.ts";
import type { Millis, ResourceId } from "../terms/index.ts";

/**
 * A connection to a remote host that broke is tried again for so long before the host counts as lost: longer than a daemon
 * takes that its supervisor starts again, and short beside the time in which a silent host is noticed.
 */
export const RECONNECT_MS: Millis = 5000;

/**
 * The time in which the connection to a remote host is broken and tried again. For the cluster the host is still there:
 * what is asked of it meanwhile is kept until it answers, or is given up.
 */
export class ConnectionGap {
  readonly #operations: Operation[] = [];
  readonly #requests: ExecutorRequest[] = [];
  readonly #waiting: ((up: boolean) => void)[] = [];

  /** Why it broke. */
  constructor(readonly reason: string) {}

  /** An operation that could not be sent. */
  ask(operation: Operation): void {
    this.#operations.push(operation);
  }

  /** Something else that the executor has to be told. */
  tell(request: ExecutorRequest): void {
    this.#requests.push(request);
  }

  /** Calls back when it is over: with true when the host answers again. */
  whenOver(call: (up: boolean) => void): void {
    this.#waiting.push(call);
  }

  over(up: boolean): void {
    for (const call of this.#waiting.splice(0)) call(up);
  }

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  get requests(): readonly ExecutorRequest[] {
    return this.#requests;
  }

  /** What an executor tells that does not know yet of what it has to end or to forget. */
  corrected(history: ExecutorHistory): ExecutorHistory {
    const forgotten = new Set<ResourceId>();
    const ended = new Set<string>();
    for (const request of this.#requests) {
      if (request.type === "forget") forgotten.add(request.rsc);
      if (request.type === "cancel") ended.add(`${request.rsc} ${request.action} ${request.intervalMs}`);
    }
    const stays = ({ rsc, action, intervalMs }: Pick<Operation, "rsc" | "action" | "intervalMs">) =>
      !forgotten.has(rsc.id) && !(intervalMs > 0 && ended.has(`${rsc.id} ${action} ${intervalMs}`));
    return { ...history, results: history.results.filter(stays), running: history.running.filter(stays) };
  }
}

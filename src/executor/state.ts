import type { Millis, OpStatus, ResourceId } from "../terms/index.ts";
import type { Procedure } from "./command.ts";
import type { AgentResource, Operation, OperationResult } from "./face.ts";

/** The name under which a recurring operation is known: one for each action and interval of a resource. */
export const operationKey = (action: string, intervalMs: Millis) => `${action}_${intervalMs}`;

/** Actions after which earlier monitors say nothing any more: all but a probe, a notification and a check. */
export function changesState(action: string): boolean {
  return !["monitor", "notify", "meta-data", "validate-all", "status"].includes(action);
}

/** An operation that waits for its turn. */
export interface Waiting {
  readonly operation: Operation;
  /** When it came, or, for a run of a recurring operation, when it was due. */
  readonly since: Millis;
  /** Not before: since + start-delay. */
  readonly notBefore: Millis;
}

/** A recurring operation of a resource. */
export interface Recurring {
  operation: Operation;
  /** Due and waiting for the resource and a free job. */
  due: boolean;
  dueAt: Millis;
  /** The next result is told even if it is like the last one: somebody waits for it. */
  tellNext: boolean;
  /** A new definition came during a run: run again at once. */
  again: boolean;
  lastRc: number | undefined;
  lastStatus: OpStatus | undefined;
  /** Phase within the interval, 0 … 1, so that hundreds do not fire at once. */
  readonly phase: number;
  settled: boolean;
  /** Monotonic time from which its runs are counted, where they are (`interval-origin`); else from the last one's end. */
  gridFrom: Millis | undefined;
}

/** Why a running job is being ended. */
export type Ending = "timeout" | "cancel" | "abandoned";

/** One operation, or a question for meta-data, that is being carried out. */
export interface Job {
  readonly id: number;
  readonly work:
    | { readonly kind: "operation"; readonly operation: Operation; readonly asked: Operation }
    | {
        readonly kind: "metadata";
        readonly requestId: number;
        readonly rsc: Omit<AgentResource, "id">;
      };
  readonly procedure: Procedure;
  readonly startedAt: Millis;
  readonly startedEpoch: number;
  readonly queuedMs: Millis;
  readonly timeoutMs: Millis;
  readonly recurring: boolean;
  /** A process of it is there. */
  running: boolean;
  ending: Ending | undefined;
  retries: number;
}

/** What is known of one resource on this host. */
export interface ResourceState {
  readonly id: ResourceId;
  readonly once: Waiting[];
  readonly recurring: Map<string, Recurring>;
  readonly history: Map<string, OperationResult>;
  job: Job | undefined;
  /** Agents of an executor before this one that still run: nothing is started beside them. */
  leftovers: number;
}

/** An empty state for a resource that was not heard of before. */
export function newResource(id: ResourceId): ResourceState {
  return {
    id,
    once: [],
    recurring: new Map(),
    history: new Map(),
    job: undefined,
    leftovers: 0,
  };
}

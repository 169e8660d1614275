import type { EpochSeconds, Millis, ResourceId } from "../terms/index.ts";
import type { Command, ProcessOutcome } from "./command.ts";
import type { ExecutorEvent, ExecutorRequest, Operation, OperationResult } from "./face.ts";
import type { LoadSample } from "./throttle.ts";

/** Both clocks at one moment. */
export interface Now {
  /** Monotonic, milliseconds. */
  readonly mono: Millis;
  /** Wall clock, seconds, for people. */
  readonly epoch: EpochSeconds;
}

/** What happens to an executor. */
export type ExecutorInput =
  | { readonly type: "request"; readonly request: CoreRequest }
  | { readonly type: "timer"; readonly timer: string }
  | { readonly type: "process"; readonly job: number; readonly outcome: ProcessOutcome }
  | { readonly type: "load"; readonly sample: LoadSample }
  /** What agents that begin from now on find in their environment. */
  | { readonly type: "environment"; readonly environment: Readonly<Record<string, string>> }
  /** Agents of an executor before this one were found running; the resource waits until they are gone. */
  | { readonly type: "leftovers"; readonly rsc: ResourceId; readonly count: number };

/** The requests that concern the core; the others are the driver's. */
export type CoreRequest = Extract<
  ExecutorRequest,
  {
    type:
      | "register"
      | "execute"
      | "cancel"
      | "probed"
      | "forget"
      | "look-again"
      | "metadata"
      | "ping"
      | "configure";
  }
>;

/** What an executor wants done, in order. */
export type ExecutorEffect =
  | { readonly type: "run"; readonly job: number; readonly command: Command; readonly label: string }
  | { readonly type: "kill"; readonly job: number; readonly signal: "TERM" | "KILL" }
  /** Give up on a process that does not die even of SIGKILL; no outcome is expected any more. */
  | { readonly type: "abandon"; readonly job: number }
  | { readonly type: "timer"; readonly timer: string; readonly at: Millis }
  | { readonly type: "no-timer"; readonly timer: string }
  | { readonly type: "emit"; readonly event: ExecutorEvent }
  | {
      readonly type: "log";
      readonly priority: LogPriority;
      readonly id: string;
      readonly text: string;
    };

type LogPriority = "err" | "warning" | "notice" | "info" | "debug";

/** What survives the death of an executor process, as plain data. */
export interface ExecutorSnapshot {
  readonly unfinished: readonly Operation[];
  readonly recurring: readonly Operation[];
  readonly results: readonly OperationResult[];
  /** As in `registered`. */
  readonly interrupted: readonly Operation[];
  /** As in `registered`. */
  readonly remembered: readonly ResourceId[];
  /** As in `registered`. */
  readonly complete: boolean;
  readonly nodeActionLimit: number;
  readonly loadThreshold: number;
}

/** Effects of the step that is being taken, in order. */
export class Outbox {
  #effects: ExecutorEffect[] = [];

  /** The effects since the last call. */
  drain(): ExecutorEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  push(effect: ExecutorEffect): void {
    this.#effects.push(effect);
  }

  emit(event: ExecutorEvent): void {
    this.push({ type: "emit", event });
  }

  /** Sets a timer; one with the same name is replaced. */
  setTimer(timer: string, at: Millis): void {
    this.push({ type: "timer", timer, at });
  }

  clearTimer(timer: string): void {
    this.push({ type: "no-timer", timer });
  }

  log(priority: LogPriority, id: string, text: string): void {
    this.push({ type: "log", priority, id, text });
  }
}

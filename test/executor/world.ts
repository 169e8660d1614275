import {
  type AgentResource,
  Executor,
  type ExecutorConfig,
  type ExecutorEffect,
  type ExecutorEvent,
  type ExecutorInput,
  type Operation,
  type OperationResult,
  type ProcessOutcome,
} from "../../src/executor/index.ts";
import { resourceId } from "../../src/terms/index.ts";

export const config: ExecutorConfig = {
  hostname: "n1",
  bootId: "boot",
  ocfRoot: "/usr/lib/ocf",
  ocfPath: ["/opt/ocf", "/usr/lib/ocf/resource.d"],
  lsbPath: ["/etc/init.d"],
  environment: { PATH: "/tools:/bin", LC_ALL: "C" },
  featureSet: "3.19.0",
  cores: 2,
  nodeActionLimit: 0,
  killGraceMs: 5000,
};

export const dummy = (id: string): AgentResource => ({
  id: resourceId(id),
  class: "ocf",
  provider: "heartbeat",
  type: "Dummy",
});

let calls = 0;

/** An operation on `ocf:heartbeat:Dummy` with the id `rsc`, with what a test wants to be different. */
export function operation(rsc: string, action: string, more: Partial<Operation> = {}): Operation {
  return {
    callId: ++calls,
    rsc: dummy(rsc),
    action,
    intervalMs: 0,
    timeoutMs: 20_000,
    startDelayMs: 0,
    params: {},
    transitionKey: `key-${calls}`,
    ...more,
  };
}

export const exited = (code: number, stderr = "", stdout = ""): ProcessOutcome => ({
  kind: "exited",
  code,
  stdout,
  stderr,
});

/** An executor core on virtual time; processes end when the test says so. */
export class World {
  readonly executor: Executor;
  readonly timers = new Map<string, number>();
  readonly runs: (ExecutorEffect & { readonly type: "run" })[] = [];
  readonly kills: string[] = [];
  readonly logs: string[] = [];
  readonly #abandoned = new Set<number>();
  #events: ExecutorEvent[] = [];
  time = 1_000_000;

  constructor(more: Partial<ExecutorConfig> = {}) {
    this.executor = new Executor({ ...config, ...more });
  }

  get now() {
    return { mono: this.time, epoch: 1_700_000_000 + Math.floor(this.time / 1000) };
  }

  step(input: ExecutorInput): void {
    this.take(this.executor.step(input, this.now));
  }

  execute(...operations: readonly Operation[]): void {
    for (const one of operations)
      this.step({ type: "request", request: { type: "execute", operation: one } });
  }

  cancel(rsc: string, action: string, intervalMs: number): void {
    this.step({ type: "request", request: { type: "cancel", rsc: resourceId(rsc), action, intervalMs } });
  }

  /** Ends the process of the run whose label is given. */
  end(label: string, outcome: ProcessOutcome): void {
    const run = this.runs.findLast((one) => one.label === label);
    if (!run) throw new Error(`nothing runs as "${label}", but ${this.labels()}`);
    this.runs.splice(this.runs.indexOf(run), 1);
    this.step({ type: "process", job: run.job, outcome });
  }

  /** What runs, without what the executor has given up. */
  labels(): string[] {
    return this.runs.filter(({ job }) => !this.#abandoned.has(job)).map(({ label }) => label);
  }

  /** Lets time pass and the timers fire in their order. */
  advance(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      const next = [...this.timers].filter(([, at]) => at <= until).sort((a, b) => a[1] - b[1])[0];
      if (!next) break;
      this.timers.delete(next[0]);
      this.time = Math.max(this.time, next[1]);
      this.step({ type: "timer", timer: next[0] });
    }
    this.time = until;
  }

  /** Events since the last call. */
  events(): ExecutorEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Results since the last call, and nothing else. */
  results(): OperationResult[] {
    return this.events().flatMap((event) => (event.type === "result" ? [event.result] : []));
  }

  take(effects: readonly ExecutorEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "run":
          this.runs.push(effect);
          break;
        case "kill":
          this.kills.push(`${effect.signal} ${this.runs.find(({ job }) => job === effect.job)?.label}`);
          break;
        case "abandon":
          this.#abandoned.add(effect.job);
          this.kills.push(`abandon ${this.runs.find(({ job }) => job === effect.job)?.label}`);
          break;
        case "timer":
          this.timers.set(effect.timer, effect.at);
          break;
        case "no-timer":
          this.timers.delete(effect.timer);
          break;
        case "emit":
          this.#events.push(effect.event);
          break;
        case "log":
          this.logs.push(effect.text);
          break;
      }
    }
  }
}

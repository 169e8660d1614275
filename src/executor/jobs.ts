import type { Millis } from "../terms/index.ts";
import { agentName } from "../terms/index.ts";
import type { Procedure, ProcessOutcome, Verdict } from "./command.ts";
import type { ExecutorConfig } from "./config.ts";
import type { Now, Outbox } from "./effects.ts";
import { cancelledVerdict, endedVerdict } from "./results.ts";
import { type Job, operationKey } from "./state.ts";

/** Time that a monitor gets to end by itself when it is cancelled during a run. */
const CANCEL_GRACE_MS = 500;
/** Between two attempts to start a process when the machine has no room for one. */
const NO_ROOM_WAIT_MS = 500;
const NO_ROOM_RETRIES = 3;
const JOB_TIMERS = ["limit", "term", "kill", "lost", "wait"] as const;
type JobTimer = (typeof JOB_TIMERS)[number];

/** What a job is begun with. */
export interface NewJob {
  readonly work: Job["work"];
  readonly procedure: Procedure;
  readonly queuedMs: Millis;
  readonly timeoutMs: Millis;
  readonly recurring: boolean;
}

/**
 * Running jobs: each goes through its procedure, with a time limit. At the limit its process group gets SIGTERM, after
 * a grace SIGKILL, and a process that does not even die of that is given up.
 */
export class Jobs {
  readonly #jobs = new Map<number, Job>();
  readonly #config: ExecutorConfig;
  readonly #out: Outbox;
  readonly #finished: (job: Job, verdict: Verdict, now: Now) => void;
  #last = 0;

  constructor(config: ExecutorConfig, out: Outbox, finished: (job: Job, verdict: Verdict, now: Now) => void) {
    this.#config = config;
    this.#out = out;
    this.#finished = finished;
  }

  get size(): number {
    return this.#jobs.size;
  }

  /** Jobs of one kind of work. */
  of(kind: Job["work"]["kind"]): Job[] {
    return [...this.#jobs.values()].filter(({ work }) => work.kind === kind);
  }

  /** Makes a job; `begin` sets it going. */
  create(init: NewJob, now: Now): Job {
    return {
      ...init,
      id: ++this.#last,
      startedAt: now.mono,
      startedEpoch: now.epoch,
      running: false,
      ending: undefined,
      retries: 0,
    };
  }

  begin(job: Job, now: Now): void {
    this.#jobs.set(job.id, job);
    this.#setTimer("limit", job, now.mono + job.timeoutMs);
    this.#advance(job, undefined, now);
  }

  /** The process of a job has ended, or could not be started. */
  processEnded(id: number, outcome: ProcessOutcome, now: Now): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    job.running = false;
    if (job.ending) {
      this.#finish(job, endedVerdict(job, outcome), now);
    } else if (outcome.kind === "no-room" && job.retries < NO_ROOM_RETRIES) {
      job.retries++;
      this.#out.log("warning", "NO_ROOM", `${jobLabel(job)}: ${outcome.message}; trying again`);
      // The procedure has not seen an outcome, so it gives the same command again.
      this.#setTimer("wait", job, now.mono + NO_ROOM_WAIT_MS);
    } else {
      this.#advance(job, outcome, now);
    }
  }

  /** Lets a run end soon by itself, then ends it. */
  cancel(job: Job, now: Now): void {
    if (job.ending) return;
    job.ending = "cancel";
    this.#setTimer("term", job, now.mono + CANCEL_GRACE_MS);
  }

  /** A timer of a job; of another one's name nothing happens. */
  timer(kind: string, id: number, now: Now): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    switch (kind) {
      case "limit":
        // A cancelled run keeps its limit: whichever comes first ends it.
        job.ending ??= "timeout";
        return this.#end(job, now);
      case "term":
        return this.#end(job, now);
      case "kill":
        this.#out.push({ type: "kill", job: job.id, signal: "KILL" });
        return this.#setTimer("lost", job, now.mono + this.#config.killGraceMs);
      case "lost":
        this.#out.log(
          "err",
          "AGENT_UNKILLABLE",
          `${jobLabel(job)} does not die of SIGKILL, going on without it`,
        );
        this.#out.push({ type: "abandon", job: job.id });
        return this.#finish(job, endedVerdict(job, undefined), now);
      case "wait":
        return this.#advance(job, undefined, now);
    }
  }

  /** SIGTERM to the whole process group now, SIGKILL after the grace. */
  #end(job: Job, now: Now): void {
    for (const kind of ["limit", "term"] as const) this.#clearTimer(kind, job);
    if (!job.running) return this.#finish(job, endedVerdict(job, undefined), now);
    this.#out.push({ type: "kill", job: job.id, signal: "TERM" });
    this.#setTimer("kill", job, now.mono + this.#config.killGraceMs);
  }

  #advance(job: Job, outcome: ProcessOutcome | undefined, now: Now): void {
    const step = job.procedure.next(outcome);
    switch (step.do) {
      case "run":
        job.running = true;
        return this.#out.push({ type: "run", job: job.id, command: step.command, label: jobLabel(job) });
      case "wait":
        return this.#setTimer("wait", job, now.mono + step.ms);
      case "finish":
        return this.#finish(job, job.ending === "cancel" ? cancelledVerdict : step.verdict, now);
    }
  }

  #finish(job: Job, verdict: Verdict, now: Now): void {
    this.#jobs.delete(job.id);
    for (const kind of JOB_TIMERS) this.#clearTimer(kind, job);
    this.#finished(job, verdict, now);
  }

  #setTimer(kind: JobTimer, job: Job, at: Millis): void {
    this.#out.setTimer(`${kind}:${job.id}`, at);
  }

  #clearTimer(kind: JobTimer, job: Job): void {
    this.#out.clearTimer(`${kind}:${job.id}`);
  }
}

/** What a job does, for the log. */
export function jobLabel({ work }: Job): string {
  return work.kind === "metadata"
    ? `${agentName(work.rsc)} meta-data`
    : `${work.operation.rsc.id} ${operationKey(work.operation.action, work.operation.intervalMs)}`;
}

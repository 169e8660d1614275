import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import type { PlanAnswer } from "../controller/index.ts";
import type { Log } from "../platform/index.ts";
import type { Transition } from "../scheduler/index.ts";
import type { EpochSeconds, Millis } from "../terms/index.ts";
import { ownCommand, ownEnvironment } from "./children.ts";

/** What is asked, one line of JSON each on its standard input. */
export interface PlanQuestion {
  readonly id: number;
  /** A whole `<cib>`. */
  readonly cib: string;
  readonly now: EpochSeconds;
}

/** Longest that a decision may take. */
const patienceMs: Millis = 60_000;
/** A planner that was not asked anything for so long is not kept. */
const idleMs: Millis = 300_000;
const lookEveryMs: Millis = 250;
/** What takes longer people are told of when they look. */
const notableMs: Millis = 3_000;
const pageBytes = 4096;
/**
 * A process that dies has not said that there is no answer: somebody killed it, or the kernel for want of memory. The next one
 * is asked, so often.
 */
const livesOfQuestion = 3;
/** What has been stopped for so long does not go on. */
const stoppedMs: Millis = 3_000;

/** What a planner may take. */
export interface PlannerLimits {
  readonly patienceMs: Millis;
  readonly idleMs: Millis;
  readonly memoryBytes: number;
}

const usualLimits: PlannerLimits = {
  patienceMs,
  idleMs,
  memoryBytes: Math.min(4 * 2 ** 30, totalmem() / 2),
};

/**
 * Decisions that take long are computed by a process beside the manager, which goes on listening meanwhile. It is started
 * when it is needed and stays for a while, since a warm one is faster. Whatever becomes of it, there is an answer.
 */
export class Planner {
  #process: PlannerProcess | undefined;
  #open:
    | {
        readonly question: PlanQuestion;
        readonly since: number;
        readonly timer: ReturnType<typeof setTimeout>;
        /** Processes that have died of it, or beside it. */
        died: number;
        stoppedLooks: number;
      }
    | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly answered: (answer: PlanAnswer) => void,
    private readonly log: Log,
    private readonly command: readonly string[] = [...ownCommand(), "internal", "planner"],
    private readonly limits: PlannerLimits = usualLimits,
  ) {}

  /** What people have to know. */
  warnings(): string[] {
    const forMs = this.#open ? performance.now() - this.#open.since : 0;
    if (forMs < notableMs) return [];
    return [
      `a decision has been computed for ${Math.round(forMs / 1000)} s; ` +
        `after ${this.limits.patienceMs / 1000} s it is given up, as too large a configuration`,
    ];
  }

  /** The one that was asked before is not waited for any more. */
  ask(question: PlanQuestion): void {
    this.drop();
    clearTimeout(this.#idle);
    const { patienceMs } = this.limits;
    const timer = setTimeout(() => this.#fail(`it takes longer than ${patienceMs / 1000} s`), patienceMs);
    this.#open = { question, since: performance.now(), timer, died: 0, stoppedLooks: 0 };
    this.#put(question);
    this.#watch ??= setInterval(() => this.#look(), lookEveryMs);
  }

  #put(question: PlanQuestion): void {
    try {
      this.#process ??= this.#start();
      this.#process.ask(question);
    } catch (error) {
      // Whoever asks is in the middle of a step.
      setTimeout(() => this.#fail(`no process can be started for it: ${messageOf(error)}`), 0);
    }
  }

  /** The process has died over a question: the next one is asked, within the same patience. */
  #died(how: string): void {
    const open = this.#open;
    if (!open) return;
    if (++open.died >= livesOfQuestion) return this.#fail(`the process that computed it ended ${how}`);
    this.log.warning(
      "PLANNER",
      `the process that computes what takes long ended ${how}: another one is asked`,
    );
    open.stoppedLooks = 0;
    this.#put(open.question);
  }

  /** Nobody waits for an answer. */
  drop(): void {
    // It cannot be told to leave off.
    if (this.#open) this.#kill();
    this.#closeOpen();
  }

  close(): void {
    this.#closeOpen();
    this.#kill();
  }

  #start(): PlannerProcess {
    const started: PlannerProcess = new PlannerProcess(
      this.command,
      (line) => {
        if (this.#process === started) this.#heard(line);
      },
      (how) => {
        if (this.#process !== started) return;
        this.#process = undefined;
        this.#died(how);
      },
    );
    this.log.info("PLANNER", `process ${started.pid} computes what takes long`);
    return started;
  }

  #heard(line: string): void {
    let answer: PlanAnswer;
    try {
      answer = JSON.parse(line) as PlanAnswer;
    } catch {
      return this.#fail("what the process answers that computes it is not understood");
    }
    const { id, decision, error } = answer;
    if (this.#open?.question.id !== id) return;
    this.#closeOpen();
    this.#idle = setTimeout(() => this.#kill(), this.limits.idleMs);
    this.answered({ id, decision, error });
  }

  /** Memory that it takes is memory that services lose. */
  #look(): void {
    const bytes = this.#process?.residentBytes ?? 0;
    if (bytes > this.limits.memoryBytes)
      return this.#fail(`it needs more than ${Math.floor(this.limits.memoryBytes / 2 ** 20)} MiB of memory`);
    const open = this.#open;
    if (!open) return;
    open.stoppedLooks = this.#process?.isStopped ? open.stoppedLooks + 1 : 0;
    if (open.stoppedLooks * lookEveryMs < stoppedMs) return;
    this.#kill();
    this.#died("since it had been stopped");
  }

  #fail(error: string): void {
    const open = this.#open;
    this.#kill();
    this.#closeOpen();
    if (open) this.answered({ id: open.question.id, error });
  }

  #closeOpen(): void {
    clearTimeout(this.#open?.timer);
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#open = undefined;
  }

  #kill(): void {
    clearTimeout(this.#idle);
    const running = this.#process;
    this.#process = undefined;
    running?.kill();
  }
}

/** One such process. */
class PlannerProcess {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;

  constructor(command: readonly string[], line: (text: string) => void, ended: (how: string) => void) {
    this.#process = Bun.spawn([...command], {
      env: ownEnvironment(),
      stdio: ["pipe", "pipe", "inherit"],
    });
    void this.#read(line).finally(async () => {
      const code = await this.#process.exited;
      const { signalCode } = this.#process;
      ended(signalCode === null ? `with status ${code}` : `by signal ${signalCode}`);
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** What it holds in memory (proc(5), statm); nothing when it has ended. */
  get residentBytes(): number {
    try {
      return Number(readFileSync(`/proc/${this.pid}/statm`, "latin1").split(" ")[1]) * pageBytes;
    } catch {
      return 0;
    }
  }

  /** Whether a signal has stopped it (proc(5), stat). */
  get isStopped(): boolean {
    try {
      // The name before it may hold anything, also brackets.
      const stat = readFileSync(`/proc/${this.pid}/stat`, "latin1");
      return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
    } catch {
      return false;
    }
  }

  ask(question: PlanQuestion): void {
    void this.#write(`${JSON.stringify(question)}\n`);
  }

  async #write(line: string): Promise<void> {
    const { stdin } = this.#process;
    try {
      await stdin.write(line);
      await stdin.flush();
    } catch {
      // It has ended, which is told where it is read from.
    }
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async #read(line: (text: string) => void): Promise<void> {
    for await (const text of lines(this.#process.stdout)) line(text);
  }
}

/** The lines of a stream, without their ends; what comes behind the last end is none. */
export async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield new TextDecoder().decode(Buffer.concat([...parts, chunk.subarray(from, at)]));
      parts = [];
      from = at + 1;
    }
    if (from < chunk.length) parts.push(chunk.slice(from));
  }
}

/** The decision that a planner writes down, and a leader takes: as `schedule` returns it. */
export function planLine(id: number, decide: () => Transition): string {
  let answer: PlanAnswer;
  try {
    answer = { id, decision: decide() };
  } catch (error) {
    answer = { id, error: messageOf(error) };
  }
  return `${JSON.stringify(answer)}\n`;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

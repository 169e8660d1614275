import type { Subprocess } from "bun";
import {
  atMost,
  type LifeLine,
  type Log,
  monotonicMs,
  openLifeLine,
  threadTimes,
} from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";
import { Silence } from "./silence.ts";

/** A process that lived so long is started again at once when it dies. */
const steadyMs: Millis = 2_000;
const longestPauseMs: Millis = 2_000;
/** A process that does not end when asked is ended. */
const killAfterMs: Millis = 2_000;
/** How often a process proves that its event loop turns, and how often that is looked at. */
export const signEveryMs: Millis = 1_000;
/**
 * A process that has been silent for so long, although it could have spoken, hangs. What is expected to take a manager longer
 * than half a second is computed by a process beside it; Pacemaker gives its daemons 5 s.
 */
export const hungAfterMs: Millis = 10_000;
/** A silence that people are told of when they look. */
const notableMs: Millis = 4_000;
/** A process that was killed and is there for so long still waits for the kernel. */
const stuckAfterMs: Millis = 5_000;

/**
 * Words that run this program again: the executable alone when it is compiled, else the engine with the source file.
 */
export function ownCommand(): string[] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main];
}

/** The environment for our own processes: nothing that changes how the engine itself behaves. */
export function ownEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(?:BUN_|NODE_|NOTIFY_SOCKET$|WATCHDOG_)/.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

/** What whoever keeps a process alive does about its end, and its beginning. */
export interface ChildEnds {
  /** It hangs, and is about to be killed: nothing that it says counts any more. */
  readonly hung?: () => void;
  /** It is gone, and will be started again. */
  readonly gone?: () => void;
  /** What it finds in its environment when it is started now. */
  readonly environment?: () => Readonly<Record<string, string>>;
}

/** How often a process is listened to, and how long it may be silent. */
export interface SilenceLimits {
  readonly everyMs: Millis;
  readonly hungMs: Millis;
}

const nextPause = (pauseMs: Millis): Millis => Math.min(longestPauseMs, Math.max(100, pauseMs * 2));

/** One process that the ring keeps alive: started again whenever it ends, and ended when it hangs. */
export class Child {
  #process: Subprocess | undefined;
  #line: LifeLine | undefined;
  #pauseMs: Millis = 0;
  #startedAt = 0;
  #stopping = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  readonly #silence: Silence;
  #silentMs: Millis = 0;
  #killedAt: Millis | undefined;
  #stuck = false;
  /** Why it could not be started at the last try. */
  #refused: string | undefined;
  restarts = 0;

  constructor(
    readonly name: string,
    private readonly command: readonly string[],
    private readonly log: Log,
    private readonly ends: ChildEnds = {},
    private readonly limits: SilenceLimits = { everyMs: signEveryMs, hungMs: hungAfterMs },
  ) {
    this.#silence = new Silence(limits.everyMs);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What is wrong with it, for people. */
  get warning(): string | undefined {
    if (this.#refused !== undefined) return `${this.name} cannot be started: ${this.#refused}`;
    if (this.#stuck)
      return `${this.name} was killed because it hangs, but the kernel cannot end it: look at the disks of this machine`;
    if (this.#silentMs < notableMs) return undefined;
    return `${this.name} has given no sign of life for ${Math.round(this.#silentMs / 1000)} s; after ${this.limits.hungMs / 1000} s it is started anew`;
  }

  start(): void {
    if (this.#stopping) return;
    this.#startedAt = performance.now();
    let line: LifeLine | undefined;
    try {
      line = openLifeLine();
      this.#process = Bun.spawn([...this.command], {
        env: ownEnvironment({ ...line.environment, ...this.ends.environment?.() }),
        stdio: ["ignore", "inherit", "inherit", line.childEnd],
        onExit: (_process, code, signal) => this.#ended(code, signal),
      });
    } catch (error) {
      line?.close();
      return this.#notStarted(error);
    }
    line.given();
    this.#line = line;
    this.#refused = undefined;
    this.#killedAt = undefined;
    this.#stuck = false;
    this.#silence.heard(monotonicMs());
    this.#watch ??= setInterval(() => this.#look(), this.limits.everyMs);
    this.log.info("PROCESS-STARTED", `${this.name} runs as process ${this.#process.pid}`);
  }

  /**
   * The system has no process, no memory or no file for it just now, or the program is being replaced: who keeps others alive
   * lives on, and tries again.
   */
  #notStarted(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (this.#refused !== why) {
      this.#refused = why;
      this.log.error(
        "PROCESS-REFUSED",
        `${this.name} cannot be started, it is tried again and again: ${why}`,
      );
    }
    this.#pauseMs = nextPause(this.#pauseMs);
    this.#retry = setTimeout(() => this.start(), this.#pauseMs);
  }

  /** Asks it to end, and ends it if it does not. Settles when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
    const running = this.#process;
    if (!running) return;
    running.kill("SIGTERM");
    const timer = setTimeout(() => running.kill("SIGKILL"), killAfterMs);
    // What the kernel cannot end is not waited for.
    await atMost(running.exited, killAfterMs + stuckAfterMs);
    clearTimeout(timer);
  }

  #look(): void {
    const running = this.#process;
    if (!running) return;
    const now = monotonicMs();
    if (this.#killedAt !== undefined) return this.#lookAtKilled(running.pid, now - this.#killedAt);
    if (this.#line?.heard()) {
      this.#silence.heard(now);
      this.#silentMs = 0;
      return;
    }
    this.#silentMs = this.#silence.look(now, threadTimes(running.pid));
    if (this.#silentMs < this.limits.hungMs) return;
    this.log.error(
      "PROCESS-HUNG",
      `${this.name} (process ${running.pid}) hangs: it has given no sign of life for ${Math.round(this.#silentMs / 1000)} s. ` +
        "It is killed and started again; should that happen again, look at the disks and the load of this machine",
    );
    this.#killedAt = now;
    this.ends.hung?.();
    running.kill("SIGKILL");
  }

  #lookAtKilled(pid: number, forMs: Millis): void {
    if (this.#stuck || forMs < stuckAfterMs) return;
    this.#stuck = true;
    this.log.critical(
      "PROCESS-STUCK",
      `${this.name} (process ${pid}) was killed, but the kernel cannot end it: it waits for a disk or a file system that does not ` +
        "answer. Repair that or restart the machine",
    );
  }

  #ended(code: number | null, signal: NodeJS.Signals | number | null): void {
    this.#process = undefined;
    this.#line?.close();
    this.#line = undefined;
    this.#silentMs = 0;
    if (this.#stopping) return;
    const lived = performance.now() - this.#startedAt;
    this.#pauseMs = lived >= steadyMs ? 0 : nextPause(this.#pauseMs);
    this.restarts++;
    const how = signal === null ? `with status ${code}` : `by signal ${signal}`;
    this.log.error("PROCESS-DIED", `${this.name} ended ${how}; it is started again`, {
      pause_ms: this.#pauseMs,
    });
    this.ends.gone?.();
    this.#retry = setTimeout(() => this.start(), this.#pauseMs);
  }
}

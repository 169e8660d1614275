import type { Subprocess } from "bun";
import type { Log } from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";

/** A process that lived so long is started again at once when it dies. */
const steadyMs: Millis = 2_000;
const longestPauseMs: Millis = 2_000;
/** A process that does not end when asked is ended. */
const killAfterMs: Millis = 2_000;

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

/** One process that the ring keeps alive: started again whenever it ends. */
export class Child {
  #process: Subprocess | undefined;
  #pauseMs: Millis = 0;
  #startedAt = 0;
  #stopping = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  restarts = 0;

  constructor(
    readonly name: string,
    private readonly command: readonly string[],
    private readonly log: Log,
  ) {}

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  start(): void {
    if (this.#stopping) return;
    this.#startedAt = performance.now();
    this.#process = Bun.spawn([...this.command], {
      env: ownEnvironment(),
      stdio: ["ignore", "inherit", "inherit"],
      onExit: (_process, code, signal) => this.#ended(code, signal),
    });
    this.log.info("PROCESS-STARTED", `${this.name} runs as process ${this.#process.pid}`);
  }

  /** Asks it to end, and ends it if it does not. Settles when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#retry);
    const running = this.#process;
    if (!running) return;
    running.kill("SIGTERM");
    const timer = setTimeout(() => running.kill("SIGKILL"), killAfterMs);
    await running.exited;
    clearTimeout(timer);
  }

  #ended(code: number | null, signal: NodeJS.Signals | number | null): void {
    this.#process = undefined;
    if (this.#stopping) return;
    const lived = performance.now() - this.#startedAt;
    this.#pauseMs = lived >= steadyMs ? 0 : Math.min(longestPauseMs, Math.max(100, this.#pauseMs * 2));
    this.restarts++;
    const how = signal === null ? `with status ${code}` : `by signal ${signal}`;
    this.log.error("PROCESS-DIED", `${this.name} ended ${how}; it is started again`, {
      pause_ms: this.#pauseMs,
    });
    this.#retry = setTimeout(() => this.start(), this.#pauseMs);
  }
}

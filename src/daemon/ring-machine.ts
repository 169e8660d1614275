import type { HactlConfig } from "../config/index.ts";
import {
  enterRealtime,
  HelperWatch,
  type Log,
  lockMemory,
  monotonicMs,
  openWatchdog,
  releaseStartupCode,
  type ServiceManager,
  unlockMemory,
  type Watchdog,
} from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";

/** When the start is over, and the memory that only it needed can be given back. */
const startedMs: Millis = 10_000;
/** How often it is seen to that no helper thread runs away with its priority. */
const helpersMs: Millis = 2_000;
/** Time for the allocator to return what a collection has freed: it can't while memory is locked. */
const trimMs: Millis = 500;

type System = HactlConfig["system"];

/** What the ring process asks of its machine: to run in time, to stay in memory, and to be noticed when it hangs. */
export class RingMachine {
  /** What was granted, for `hactl ring status`. */
  realtime = "off";
  memory = "off";
  readonly warnings: string[] = [];
  #watchdog: Watchdog | undefined;
  readonly #proofs: { readonly run: () => void; readonly everyMs: Millis; at: Millis }[] = [];
  readonly #proving: ReturnType<typeof setInterval>[] = [];

  constructor(private readonly log: Log) {}

  /** Asks for priority and locked memory; what is refused is a warning. */
  askForPriority(system: System): void {
    if (system.realtime) {
      const granted = enterRealtime(system.realtimePriority);
      this.realtime = granted.ok ? `SCHED_RR ${system.realtimePriority}` : `refused: ${granted.reason}`;
      if (!granted.ok)
        this.#warn(`no real-time priority: ${granted.reason}; on a busy machine the token may come late`);
      else this.#watchHelpers();
    }
    if (system.lockMemory) {
      const granted = lockMemory();
      this.memory = granted.ok ? "locked" : `refused: ${granted.reason}`;
      if (!granted.ok) this.#warn(`memory is not locked: ${granted.reason}; swapping may delay the token`);
    }
    setTimeout(() => this.#trimMemory(), startedMs).unref();
  }

  /** What one of the engine's helpers does must not cost the node its processors. */
  #watchHelpers(): void {
    const watch = new HelperWatch();
    setInterval(() => {
      for (const name of watch.check())
        this.log.warning(
          "HELPER",
          `thread ${name} runs without pause: it has no real-time priority any more`,
        );
    }, helpersMs).unref();
  }

  /** From now on service manager and watchdog are told that the ring is alive. */
  arm({ watchdogDevice, watchdogTimeoutMs }: System, service: ServiceManager): void {
    const aliveMs = service.aliveEveryMs;
    if (aliveMs !== undefined) this.#prove(() => service.alive(), aliveMs);
    if (watchdogDevice === undefined) return;
    this.#watchdog = openWatchdog(watchdogDevice, Math.max(1, Math.round(watchdogTimeoutMs / 1000)));
    this.#prove(() => this.#watchdog?.pet(), Math.min(1000, watchdogTimeoutMs / 4));
  }

  #prove(run: () => void, everyMs: Millis): void {
    const proof = { run, everyMs, at: monotonicMs() };
    this.#proofs.push(proof);
    this.#proving.push(
      setInterval(() => {
        proof.at = monotonicMs();
        run();
      }, everyMs),
    );
  }

  /**
   * Gives the signs of life that are due. For where the ring is at work but the event loop does not come to its timers,
   * as in a flood of datagrams.
   */
  beat(): void {
    const now = monotonicMs();
    for (const proof of this.#proofs) {
      if (now - proof.at < proof.everyMs) continue;
      proof.at = now;
      proof.run();
    }
  }

  /**
   * The ring has ended: no sign of life is given any more, as that would keep the process alive, and the watchdog lets the node live
   * only when that was in order.
   */
  end(inOrder: boolean): void {
    for (const timer of this.#proving) clearInterval(timer);
    this.#proofs.length = 0;
    if (inOrder) this.#watchdog?.disarm();
    else this.#watchdog?.abandon();
  }

  /** Gives back what only the start needed, before it stays locked for as long as the ring runs. */
  #trimMemory(): void {
    unlockMemory();
    Bun.gc(true);
    setTimeout(() => {
      releaseStartupCode();
      if (this.memory === "locked") lockMemory();
    }, trimMs).unref();
  }

  #warn(text: string): void {
    this.warnings.push(text);
    this.log.warning("MACHINE", text);
  }
}

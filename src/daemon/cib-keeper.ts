import { type Log, monotonicMs } from "../platform/index.ts";
import { CrmExit, HactlError, type Millis } from "../terms/index.ts";
import type { Origin } from "./cib-store.ts";

/** Between two attempts to write while the disk refuses. */
const retryMs: Millis = 5_000;

/** What is written: the configuration as XML, and what it was built on where something was lost. */
export interface KeptCib {
  readonly text: string;
  readonly origin: Origin;
}

/**
 * Writes the configuration after each change, and tells when it is on the disk: nobody is told of a change before that.
 * All changes of one turn, and those that come while the disk is busy, are written at once.
 */
export class CibKeeper {
  /** Begins when the one before it has ended; takes with it whatever has changed until then. */
  #next: Promise<void> | undefined;
  #current: Promise<void> = Promise.resolve();
  #problem: string | undefined;
  /** Since when it has been writing. */
  #since: Millis | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly save: (text: string, origin: Origin) => Promise<void>,
    private readonly present: () => KeptCib,
    private readonly log: Log,
  ) {}

  /** Why the configuration could not be written the last time, as long as that lasts. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** For how long the disk has not said whether it took what is being written. */
  get waitedMs(): Millis {
    return this.#since === undefined ? 0 : monotonicMs() - this.#since;
  }

  /** The configuration is another one now. */
  changed(): void {
    if (this.#next) return;
    clearTimeout(this.#retry);
    const next = this.#write(this.#current);
    // Whoever waits for it hears of the failure; it must not end the process when nobody does.
    next.catch(() => {});
    this.#next = next;
  }

  /**
   * Settles when all changes up to now are on the disk.
   * @throws HactlError NOT_STORED when the disk does not take them
   */
  stored(): Promise<void> {
    return this.#next ?? this.#current;
  }

  /** Stops trying. */
  close(): void {
    clearTimeout(this.#retry);
  }

  async #write(before: Promise<void>): Promise<void> {
    await before.catch(() => {});
    // The rest of this turn may change it again.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#current = this.#next ?? Promise.resolve();
    this.#next = undefined;
    try {
      const { text, origin } = this.present();
      this.#since = monotonicMs();
      await this.save(text, origin);
      if (this.#problem !== undefined) this.log.notice("CIB-WRITE", "the configuration can be written again");
      this.#problem = undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (this.#problem !== why)
        this.log.critical("CIB-WRITE", `the configuration could not be written: ${why}`);
      this.#problem = why;
      if (!this.#next) {
        this.#current = Promise.resolve();
        this.#retry = setTimeout(() => this.changed(), retryMs);
      }
      throw notStored(why);
    } finally {
      this.#since = undefined;
    }
  }
}

const notStored = (why: string): HactlError =>
  new HactlError({
    code: "NOT_STORED",
    what: `the change is in force, but it could not be written to this node's disk: ${why}`,
    cure: "make room or repair the disk; it is tried again until then",
    exit: CrmExit.IOERR,
  });

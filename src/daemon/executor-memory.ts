import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type ExecutorSnapshot, type JournalRecord, replayJournal, settledPart } from "../executor/index.ts";
import { type Log, uptimeMs } from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";

/** Where an executor keeps what a following one has to know. */
export interface ExecutorMemoryOptions {
  /** A directory that a reboot empties. */
  readonly runDir: string;
  /** File that outlives a reboot and holds the id of the boot in which an executor ran here last. */
  readonly bootFile: string;
  readonly bootId: string;
  /** Names the run of the daemon that this executor belongs to. */
  readonly instance: string;
  readonly log: Log;
  /** Whether that daemon still lives: what outlives it must not write over what the next one has written. */
  readonly mayWrite: () => boolean;
}

/** What an executor begins with. */
export interface Recalled {
  /** Absent when nothing is known. */
  readonly snapshot: ExecutorSnapshot | undefined;
  /** Nothing of the cluster runs on this host but what the snapshot names. */
  readonly complete: boolean;
}

interface SavedState {
  readonly instance: string;
  readonly bootId: string;
  readonly snapshot: ExecutorSnapshot;
}

/**
 * The state that an executor of an earlier daemon left counts if that daemon died no longer ago than this: long enough
 * for every restart by a supervisor. After a longer time people may have stopped or started services by hand, so that
 * looking is better than believing.
 */
const FRESH_MS: Millis = 60_000;

/**
 * What survives the death of an executor, in three files: the state as it was at some moment, a journal of what has
 * happened since (written before it is carried out or told), and a sign of life. None of them has to survive the
 * machine, so nothing is synchronised.
 */
export class ExecutorMemory {
  readonly #state: string;
  readonly #journal: string;
  readonly #alive: string;

  constructor(private readonly options: ExecutorMemoryOptions) {
    this.#state = `${options.runDir}/executor.json`;
    this.#journal = `${options.runDir}/executor.journal`;
    this.#alive = `${options.runDir}/executor.alive`;
  }

  /** What is known at the start. Remembers the boot. */
  recall(): Recalled {
    const rebooted = this.#rebooted();
    const saved = this.#read();
    if (saved === "damaged") return { snapshot: undefined, complete: false };
    if (!saved || saved.bootId !== this.options.bootId) return { snapshot: undefined, complete: rebooted };
    const whole = replayJournal(saved.snapshot, this.#records());
    if (saved.instance === this.options.instance) return { snapshot: whole, complete: whole.complete };
    const age = this.#ageMs();
    if (age === undefined || age > FRESH_MS) {
      this.options.log.notice("EXECUTOR-STALE", "what ran here is looked up again: the daemon was away", {
        seconds: age === undefined ? undefined : Math.round(age / 1000),
      });
      return { snapshot: undefined, complete: false };
    }
    const { snapshot, unknown } = settledPart(whole);
    if (unknown.length > 0)
      this.options.log.notice(
        "EXECUTOR-GAPS",
        "the daemon died while these were changed; they are looked at",
        {
          resources: unknown.join(" "),
        },
      );
    const complete = whole.complete && unknown.length === 0;
    return { snapshot: { ...snapshot, complete }, complete };
  }

  /** Writes down what is about to be carried out or told. */
  note(record: JournalRecord): void {
    if (!this.options.mayWrite()) return;
    this.#try(() => appendFileSync(this.#journal, `${JSON.stringify(record)}\n`, { mode: 0o600 }));
  }

  /** Writes the whole state, in which the journal goes up. */
  save(snapshot: ExecutorSnapshot): void {
    if (!this.options.mayWrite()) return;
    const { instance, bootId } = this.options;
    const state: SavedState = { instance, bootId, snapshot };
    this.#try(() => {
      // Parameters may be passwords.
      writeFileSync(`${this.#state}.new`, JSON.stringify(state), { mode: 0o600 });
      renameSync(`${this.#state}.new`, this.#state);
      // What is in the journal still may be taken twice: it says the same again.
      writeFileSync(this.#journal, "", { mode: 0o600 });
    });
    this.alive();
  }

  /** A sign of life, from which the next executor knows how long nobody has looked. */
  alive(): void {
    if (!this.options.mayWrite()) return;
    this.#try(() => writeFileSync(this.#alive, String(uptimeMs()), { mode: 0o600 }));
  }

  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.options.log.warning(
        "STATE-NOT-SAVED",
        `the executor's state could not be saved: ${String(error)}`,
      );
    }
  }

  #read(): SavedState | "damaged" | undefined {
    const text = readIfThere(this.#state);
    if (text === undefined) return undefined;
    try {
      const state = JSON.parse(text) as SavedState;
      if (typeof state.instance === "string" && Array.isArray(state.snapshot.results)) return state;
    } catch {
      // Told below.
    }
    this.options.log.warning("STATE-UNREADABLE", `${this.#state} is damaged and is not used`);
    rmSync(this.#state, { force: true });
    return "damaged";
  }

  /** The last line may be torn: it had not been carried out yet. */
  #records(): JournalRecord[] {
    const lines = (readIfThere(this.#journal) ?? "").split("\n");
    return lines.flatMap((line) => {
      try {
        return line === "" ? [] : [JSON.parse(line) as JournalRecord];
      } catch {
        return [];
      }
    });
  }

  #ageMs(): Millis | undefined {
    const at = Number.parseFloat(readIfThere(this.#alive) ?? "");
    const age = uptimeMs() - at;
    return age >= 0 ? age : undefined;
  }

  #rebooted(): boolean {
    const { bootFile, bootId } = this.options;
    const before = readIfThere(bootFile)?.trim();
    if (before !== bootId) this.#try(() => writeFileSync(bootFile, `${bootId}\n`, { mode: 0o600 }));
    return before !== undefined && before !== bootId && bootId !== "unknown";
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

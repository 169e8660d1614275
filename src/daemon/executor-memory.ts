import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import {
  type ExecutorSnapshot,
  type JournalRecord,
  type LeftBehind,
  type Recalled,
  readJournalRecord,
  readSavedState,
  recall,
  type SavedState,
} from "../executor/index.ts";
import { type Log, uptimeMs } from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";

const leftFile = (runDir: string): string => `${runDir}/left`;

/** Notes for the next executor that the node has left the cluster in order. */
export function noteLeft(runDir: string): void {
  writeFileSync(leftFile(runDir), "", { mode: 0o600 });
}

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

/**
 * What survives the death of an executor, in three files: the state as it was at some moment, a journal of what has
 * happened since (written before it is carried out or told), and a sign of life. None of them has to survive the
 * machine, so nothing is synchronised.
 */
export class ExecutorMemory {
  readonly #state: string;
  readonly #journal: string;
  readonly #alive: string;
  readonly #left: string;
  /** Something could not be written: what is written down is not the whole truth, and is not left for others to believe. */
  #gaps = false;
  /** Whether the file that outlives a reboot tells of this boot. */
  #bootNoted: boolean | undefined;

  constructor(private readonly options: ExecutorMemoryOptions) {
    this.#state = `${options.runDir}/executor.json`;
    this.#journal = `${options.runDir}/executor.journal`;
    this.#alive = `${options.runDir}/executor.alive`;
    this.#left = leftFile(options.runDir);
  }

  /** What is known at the start. Remembers the boot. */
  recall(): Recalled {
    const rebooted = this.#rebooted();
    const ageMs = this.#ageMs();
    const left = existsSync(this.#left);
    const recalled = this.#recalled({ state: this.#read(), ageMs, rebooted, left });
    // Whoever comes after this executor must not believe what this one does not.
    if (recalled.stale) for (const path of [this.#state, this.#journal]) rmSync(path, { force: true });
    rmSync(this.#left, { force: true });
    const { log } = this.options;
    if (recalled.stale) {
      const seconds = ageMs === undefined ? undefined : Math.round(ageMs / 1000);
      const why = left ? "the node had left the cluster" : "the daemon was away";
      log.notice("EXECUTOR-STALE", `what ran here is looked up again: ${why}`, { seconds });
    }
    const interrupted = recalled.snapshot?.interrupted ?? [];
    if (interrupted.length > 0 && !recalled.stale) {
      const resources = interrupted.map(({ rsc }) => rsc.id).join(" ");
      log.notice("EXECUTOR-GAPS", "the daemon died while these were changed; they are looked at", {
        resources,
      });
    }
    return recalled;
  }

  #recalled(behind: Omit<LeftBehind, "journal">): Recalled {
    try {
      return recall({ ...behind, journal: this.#records() }, this.options);
    } catch (error) {
      const text = `what executors before have left is damaged and is not used: ${String(error)}`;
      this.options.log.warning("STATE-UNREADABLE", text);
      return { snapshot: undefined, complete: false, stale: true };
    }
  }

  /** Whether the whole state has to be written again before anything of it can be believed. */
  get hasGaps(): boolean {
    return this.#gaps;
  }

  /** Whether what was written has been removed. */
  get isGone(): boolean {
    return !existsSync(this.#state) || !existsSync(this.#alive);
  }

  /** Writes down what is about to be carried out or told. */
  note(record: JournalRecord): void {
    if (this.#gaps || !this.options.mayWrite()) return;
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
      this.#gaps = false;
    });
    this.alive();
  }

  /** A sign of life, from which the next executor knows how long nobody has looked. */
  alive(): void {
    if (!this.options.mayWrite()) return;
    if (this.#bootNoted === false) this.#noteBoot();
    if (this.#gaps) return;
    this.#try(() => writeFileSync(this.#alive, String(uptimeMs()), { mode: 0o600 }));
  }

  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!this.#gaps)
        this.options.log.warning(
          "STATE-NOT-SAVED",
          `the executor's state could not be saved: ${String(error)}; should this executor die, all that runs here is looked up again`,
        );
      this.#gaps = true;
      this.#disown();
    }
  }

  /** A full file system still lets files be removed; one that does not lets no sign of life be given, either. */
  #disown(): void {
    for (const path of [this.#alive, this.#journal, this.#state]) {
      try {
        rmSync(path, { force: true });
      } catch {
        // Its age tells.
      }
    }
  }

  #read(): SavedState | "damaged" | undefined {
    const text = readIfThere(this.#state);
    if (text === undefined) return undefined;
    try {
      return readSavedState(JSON.parse(text), "");
    } catch {
      // Told below.
    }
    this.options.log.warning("STATE-UNREADABLE", `${this.#state} is damaged and is not used`);
    rmSync(this.#state, { force: true });
    return "damaged";
  }

  /** The last line may be torn: it had not been carried out yet. @throws Error when another one is no record */
  #records(): JournalRecord[] {
    const lines = (readIfThere(this.#journal) ?? "").split("\n");
    const torn = lines.pop();
    const records = lines.map((line) => readJournalRecord(JSON.parse(line), ""));
    try {
      return torn ? [...records, readJournalRecord(JSON.parse(torn), "")] : records;
    } catch {
      return records;
    }
  }

  #ageMs(): Millis | undefined {
    const at = Number.parseFloat(readIfThere(this.#alive) ?? "");
    const age = uptimeMs() - at;
    return age >= 0 ? age : undefined;
  }

  /**
   * Whether no executor has run in this boot. Only who can note that one has may say so: the next one would believe the
   * same, of a host where services run by then.
   */
  #rebooted(): boolean {
    const { bootFile, bootId } = this.options;
    const before = readIfThere(bootFile)?.trim();
    if (before === bootId) this.#bootNoted = true;
    else this.#noteBoot();
    return this.#bootNoted === true && before !== undefined && before !== bootId && bootId !== "unknown";
  }

  #noteBoot(): void {
    const { bootFile, bootId, log } = this.options;
    try {
      // A file that is full of nothing would be that of another boot.
      writeFileSync(`${bootFile}.new`, `${bootId}\n`, { mode: 0o600 });
      renameSync(`${bootFile}.new`, bootFile);
      this.#bootNoted = true;
    } catch (error) {
      if (this.#bootNoted === undefined)
        log.warning(
          "BOOT-NOT-NOTED",
          `${bootFile} cannot be written: what runs here is looked up, since a reboot cannot be told: ${String(error)}`,
        );
      this.#bootNoted = false;
    }
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readAttributeSnapshot } from "../attributes/index.ts";
import type { Locks, Remembered } from "../controller/index.ts";
import { type Operation, readAnyOperation, readAnyResource, readAnyResult } from "../executor/index.ts";
import { bootId, type Log, parentPid, processStart } from "../platform/index.ts";
import { read } from "../terms/index.ts";
import { noteLeft } from "./executor-memory.ts";

interface Saved {
  readonly bootId: string;
  readonly instance: string;
  readonly memory: Remembered;
  readonly operations: readonly Operation[];
}

const readSaved = read.shape<Saved>({
  bootId: read.text(200),
  instance: read.text(200),
  memory: read.shape<Remembered>({
    attributes: readAttributeSnapshot,
    boots: read.list(read.pair(read.nodeName, read.text(200))),
    tickets: read.list(read.list(read.pair(read.name, read.text(10_000)))),
    away: read.list(read.pair(read.nodeName, read.time)),
    locks: read.maybe(
      read.list(read.shape<Locks[number]>({ node: read.nodeName, rsc: readAnyResource, since: read.time })),
    ),
    results: read.list(readAnyResult),
  }),
  operations: read.list(readAnyOperation),
});

/**
 * What a manager leaves to the one that is started after its death, in a file of the run directory: transient attributes,
 * tickets, who is away and what waits for these (all managers may die at once), and what it carries out itself and no executor remembers. It belongs to the boot.
 */
export class ManagerMemory {
  readonly #path: string;
  readonly #instance: string;
  readonly #saved: Saved | undefined;
  #latest: Saved | undefined;
  #problem: string | undefined;

  constructor(
    private readonly runDir: string,
    private readonly log: Log,
  ) {
    this.#path = `${runDir}/manager.json`;
    const parent = parentPid();
    this.#instance = `${parent}.${processStart(parent) ?? 0}`;
    const saved = this.#read();
    this.#saved = saved?.bootId === bootId() ? saved : undefined;
  }

  /** What the manager before this one left. */
  get remembered(): Remembered | undefined {
    return this.#saved?.memory;
  }

  /** Recurring operations of fence devices, and the starts and monitors of connections to remote hosts. */
  get operations(): readonly Operation[] {
    return this.#saved?.operations ?? [];
  }

  /** Not only the manager was started anew. */
  get daemonIsNew(): boolean {
    return this.#saved?.instance !== this.#instance;
  }

  save(memory: Remembered, operations: readonly Operation[]): void {
    this.#latest = { bootId: bootId(), instance: this.#instance, memory, operations };
    this.#write(this.#latest);
  }

  /** Why what the next manager has to know cannot be written, as long as that lasts. */
  get problem(): string | undefined {
    return this.#problem === undefined ? undefined : `${this.#path}: ${this.#problem}`;
  }

  /** Writes again what somebody has removed, or what could not be written. */
  keep(): void {
    if (this.#latest && !existsSync(this.#path)) this.#write(this.#latest);
  }

  #write(saved: Saved): void {
    try {
      // Parameters may be passwords.
      writeFileSync(`${this.#path}.new`, JSON.stringify(saved), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      this.#problem = undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#problem)
        this.log.warning("STATE-NOT-SAVED", `the manager's state could not be saved: ${why}`);
      this.#problem = why;
      this.#disown();
    }
  }

  /**
   * What is written down is not true any more: the manager after this one must not believe it, and take up a connection to
   * a remote host that another node has by now. A full file system still lets files be removed.
   */
  #disown(): void {
    for (const path of [`${this.#path}.new`, this.#path]) {
      try {
        rmSync(path, { force: true });
      } catch {
        // It was told that it could not be written.
      }
    }
  }

  /** The node has left in order: nothing of it is of use, and what runs on is looked at by the next daemon. */
  forget(): void {
    this.#latest = undefined;
    rmSync(this.#path, { force: true });
    try {
      noteLeft(this.runDir);
    } catch (error) {
      this.log.warning("STATE-NOT-SAVED", `that this node has left could not be noted: ${String(error)}`);
    }
  }

  #read(): Saved | undefined {
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch {
      return undefined;
    }
    try {
      return readSaved(JSON.parse(text), "");
    } catch {
      // Told below.
    }
    this.log.warning("STATE-UNREADABLE", `${this.#path} is damaged and is not used`);
    return undefined;
  }
}

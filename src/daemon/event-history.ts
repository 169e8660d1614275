import { Database, SQLiteError } from "bun:sqlite";
import { chmodSync, closeSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { atMost, type Log, syncContent } from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";
import { DiskAnswer } from "./disk-answer.ts";

/** One fact of the past, as `hactl history` shows it. */
export interface HistoryRow {
  readonly id: number;
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly level: string;
  readonly event: string;
  readonly node: string | null;
  readonly rsc: string | null;
  readonly text: string;
}

/** The file with the event history, in the directory of what outlives a restart. */
export const eventHistoryFile = (stateDir: string): string => join(stateDir, "history.sqlite");

const lastRows = "SELECT * FROM (SELECT * FROM event WHERE at >= ? ORDER BY id DESC LIMIT ?) ORDER BY id";

/**
 * Facts since a time (ms), the last `limit` of them, oldest first, read beside a daemon or without one.
 * @throws the error of SQLite when there is no such file
 */
export function readEventHistory(stateDir: string, since: number, limit: number): HistoryRow[] {
  const database = new Database(eventHistoryFile(stateDir), { readonly: true });
  try {
    return database.query(lastRows).all(since, limit) as HistoryRow[];
  } finally {
    database.close();
  }
}

/** Facts that are kept. */
const keptRows = 100_000;
/** Facts that wait while the disk takes none; older ones are given up. */
const waitingRows = 10_000;
/** Facts are written soon, many at a time. */
const gatherMs: Millis = 200;
/** Who asks for the history waits no longer for a disk that says nothing. */
const patienceMs: Millis = 1_000;
/** Between two attempts while the disk takes none. */
const retryMs: Millis = 5_000;

/**
 * The event history: membership, transitions, actions, fencing, failures, configuration changes. It is never needed
 * for a decision: a broken file is a warning, and is set aside for a new one. SQLite has the process wait for the disk, so
 * nothing is written before that has answered.
 */
export class EventHistory {
  #database: Database | undefined;
  #waiting: Omit<HistoryRow, "id">[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #refused = false;
  /** Files whose content is not on the disk yet; the names of SQLite's other files are new. */
  #unsynced: string[];
  #syncing: Promise<void> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly log: Log,
    private readonly disk: DiskAnswer = new DiskAnswer(`${path}-asks`),
  ) {
    this.#unsynced = [path, dirname(path)];
    try {
      this.#database = opened(path);
    } catch (error) {
      const begins = isDamage(error) ? begunAnew(path) : undefined;
      this.#database = begins?.database;
      if (begins)
        log.warning("HISTORY", `the event history was damaged; a new one begins: ${error}`, {
          file: begins.aside,
        });
      else
        log.warning("HISTORY", `the event history cannot be opened and is not kept: ${error}`, {
          file: path,
        });
    }
  }

  /** Notes a fact; written soon, many at a time. */
  add(row: Omit<HistoryRow, "id">): void {
    if (!this.#database) return;
    this.#waiting.push(row);
    if (this.#waiting.length > waitingRows) this.#waiting.shift();
    this.#timer ??= setTimeout(() => void this.#flushWhenAnswered(), gatherMs);
  }

  async #flushWhenAnswered(): Promise<void> {
    await this.disk.answered();
    this.flush();
  }

  /** Writes what waits; what the disk does not take waits on, and all while it does not answer. */
  flush(): void {
    if (this.disk.waits) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rows = this.#waiting;
    this.#waiting = [];
    const database = this.#database;
    if (!database || rows.length === 0) return;
    try {
      const insert = database.prepare(
        "INSERT INTO event (at, level, event, node, rsc, text) VALUES (?, ?, ?, ?, ?, ?)",
      );
      database.transaction(() => {
        for (const { at, level, event, node, rsc, text } of rows)
          insert.run(at, level, event, node, rsc, text);
      })();
      if (this.#refused) this.log.notice("HISTORY", "the event history can be written again");
      this.#refused = false;
      this.#sync();
    } catch (error) {
      if (!this.#refused) this.log.warning("HISTORY", `the event history cannot be written: ${error}`);
      this.#refused = true;
      this.#waiting = rows;
      this.#timer = setTimeout(() => void this.#flushWhenAnswered(), retryMs);
    }
  }

  /** Has the disk take what was written, without waiting for it: SQLite itself waits for that only at its checkpoints. */
  #sync(): void {
    const paths = [`${this.path}-wal`, ...this.#unsynced];
    this.#unsynced = [];
    this.#syncing = this.#syncing
      .then(async () => {
        for (const path of paths) await syncContent(path);
      })
      // A disk that refuses is told by the next write.
      .catch(() => {});
  }

  /** Settles when all that has been written survives a loss of power, if the disk takes it. */
  synced(): Promise<void> {
    return this.#syncing;
  }

  /** The same with all that has happened until now, if the disk lets it be. */
  async recent(since: number, limit: number): Promise<HistoryRow[]> {
    await atMost(this.disk.answered(), patienceMs);
    return this.query(since, limit);
  }

  /** Facts since a time (ms), the last `limit` of them, oldest first; also those that the disk has not taken yet. */
  query(since: number, limit: number): HistoryRow[] {
    this.flush();
    const database = this.#database;
    if (!database) return [];
    const written = database.query(lastRows).all(since, limit) as HistoryRow[];
    if (this.#waiting.length === 0) return written;
    const { last } = database.query("SELECT max(id) AS last FROM event").get() as { last: number | null };
    const waiting = this.#waiting.map((row, i) => ({ id: (last ?? 0) + 1 + i, ...row }));
    const all = [...written, ...waiting.filter(({ at }) => at >= since)];
    return all.slice(Math.max(0, all.length - limit));
  }

  close(): void {
    this.flush();
    clearTimeout(this.#timer);
    // A disk that does not answer would keep the process.
    if (!this.disk.waits) this.#database?.close();
    this.#database = undefined;
  }
}

/** Opens the file, and makes it where there is none. @throws what SQLite or the file system says */
function opened(path: string): Database {
  // SQLite gives its other files the mode of this one. Texts of agents in it are not for everybody.
  closeSync(openSync(path, "a", 0o640));
  chmodSync(path, 0o640);
  const database = new Database(path);
  try {
    database.run("PRAGMA journal_mode = WAL");
    database.run("PRAGMA synchronous = NORMAL");
    database.run(
      "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, level TEXT NOT NULL, event TEXT NOT NULL, node TEXT, rsc TEXT, text TEXT NOT NULL)",
    );
    database.run("DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?", [keptRows]);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const isDamage = (error: unknown): boolean =>
  error instanceof SQLiteError && (error.code === "SQLITE_NOTADB" || error.code === "SQLITE_CORRUPT");

/** Sets a damaged file aside with all that belongs to it, and opens a new one; undefined when that fails, too. */
function begunAnew(path: string): { readonly database: Database; readonly aside: string } | undefined {
  const aside = `${path}.corrupt-${Date.now()}`;
  try {
    for (const part of ["-wal", "-shm"]) rmSync(`${path}${part}`, { force: true });
    renameSync(path, aside);
    return { database: opened(path), aside };
  } catch {
    return undefined;
  }
}

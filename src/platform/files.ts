import { randomBytes } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CrmExit, HactlError } from "../terms/index.ts";

/** How a durable file is written. */
export interface DurableOptions {
  /** Permissions of the new file. Default 0600. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Puts `content` in the place of `path` so that after a crash at any moment the old or the new content is there,
 * whole: temporary file beside it, fsync, rename, fsync of the directory.
 * @throws HactlError FILE_KIND when something that is no file has that name (a device must never be replaced), and the
 * system's error (ENOSPC, EACCES, …), which names `path`; the old file is then untouched and nothing is left behind.
 */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  options: DurableOptions = {},
): Promise<void> {
  if (pathFacts(path)?.kind === "other")
    throw refusal("FILE_KIND", path, "It is not a regular file, and is not replaced", "Name a file");
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    // Nobody else can have this name; "wx" still refuses to follow a link that somebody planted.
    const file = await open(temporary, "wx", options.mode ?? 0o600);
    try {
      await file.writeFile(content);
      if (options.mode !== undefined) await file.chmod(options.mode);
      // By the file itself: its name is another's matter where others may write into the directory.
      if (options.uid !== undefined || options.gid !== undefined) {
        const { uid, gid } = await file.stat();
        await file.chown(options.uid ?? uid, options.gid ?? gid);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw errorAt(path, temporary, error);
  }
  // A disk that does not answer must not stop the process: only this waits.
  await syncContent(dirname(path));
}

/** The error of a file that nobody has named, as one of the file that was meant. */
function errorAt(path: string, temporary: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errno, syscall } = error as NodeJS.ErrnoException;
  const told = new Error(error.message.replace(` -> '${path}'`, "").replaceAll(temporary, path), {
    cause: error,
  });
  return Object.assign(told, { code, errno, syscall, path });
}

/** What keeps something durably needs of a disk; tests put another one in its place. */
export interface DurableFiles {
  /** Names in a directory. */
  list(directory: string): string[];
  /** Whole content of a file; undefined when there is none. Throws above the limit. */
  read(path: string, limitBytes: number): Uint8Array | undefined;
  /** Writes a new file; its content is on the disk when this settles, its name perhaps not. */
  write(path: string, content: string, mode: number): Promise<void>;
  /** Puts it in place of another name; on the disk after the next `sync` of the directory, and before or after others. */
  rename(from: string, to: string): void;
  /** Removes a file; that there is none is fine. */
  remove(path: string): void;
  /** All names in the directory are on the disk when this settles. */
  sync(directory: string): Promise<void>;
}

/** The disk of this machine. */
export const machineFiles: DurableFiles = {
  list: (directory) => readdirSync(directory),
  read: (path, limitBytes) => readLimited(path, limitBytes),
  write: async (path, content, mode) => {
    const file = await open(path, "wx", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename: (from, to) => renameSync(from, to),
  remove: (path) => rmSync(path, { force: true }),
  sync: syncContent,
};

/** What a file holds, or the names in a directory, are on the disk when this settles; the process does not stand still. */
export async function syncContent(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes names in a directory durable (fsync(2): a new file's entry is not on disk by the file's own fsync). */
export function syncDirectory(path: string): void {
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/**
 * Whole content of a regular file; `undefined` when there is none.
 * @throws HactlError FILE_TOO_LARGE above the limit, FILE_KIND for a directory, device or FIFO (which could
 * block for ever), and the system's error when it cannot be read.
 */
export function readLimited(path: string, limitBytes: number): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) throw refusal("FILE_KIND", path, "It is not a regular file", "Name a regular file");
    if (facts.size > limitBytes) {
      const what = `The file has ${facts.size} bytes, more than the ${limitBytes} allowed`;
      throw refusal("FILE_TOO_LARGE", path, what, "Check that it is the right file");
    }
    return readUpTo(file, path, limitBytes);
  } finally {
    closeSync(file);
  }
}

/** Reads to the end, for files in /proc say size 0; one byte beyond the limit is one too many. */
function readUpTo(file: number, path: string, limitBytes: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const piece = new Uint8Array(Math.min(64 * 1024, limitBytes + 1 - total));
    const count = readSync(file, piece);
    if (count === 0) return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    total += count;
    if (total > limitBytes) {
      throw refusal(
        "FILE_TOO_LARGE",
        path,
        `The file has more than ${limitBytes} bytes`,
        "Check that it is the right file",
      );
    }
    pieces.push(piece.subarray(0, count));
  }
}

const refusal = (code: string, file: string, what: string, cure: string) =>
  new HactlError({ code, what, where: { file }, cure, exit: CrmExit.NOINPUT });

/** What is known of a path without reading it; `undefined` when nothing is there. */
export interface PathFacts {
  readonly kind: "file" | "directory" | "other";
  readonly size: number;
  /** Permission bits, 0 … 07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Kind, size, permissions and owner of what a path names (links are followed). */
export function pathFacts(path: string): PathFacts | undefined {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (!facts) return undefined;
  const kind = facts.isFile() ? "file" : facts.isDirectory() ? "directory" : "other";
  return { kind, size: facts.size, mode: facts.mode & 0o7777, uid: facts.uid, gid: facts.gid };
}

/** Whether this process may write a file, or into a directory. */
export function mayWritePath(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether a file is there and was written after another one, or that one is not there. */
export function isNewer(path: string, than: string): boolean {
  const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (written === undefined) return false;
  return written >= (statSync(than, { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

/** Removes a file, durably; that there is none is fine. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
  syncDirectory(dirname(path));
}

/**
 * Writes a new secret that only its owner can read (0400), durably.
 * @throws HactlError EXISTS when there is anything of that name: a key in use is never overwritten.
 */
export function createSecret(path: string, secret: Uint8Array): void {
  let file: number;
  try {
    file = openSync(
      path,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o400,
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new HactlError({
      code: "EXISTS",
      what: "There is a file of that name already, and a key in use is not overwritten",
      where: { file: path },
      cure: "Choose another name, or move the old one away when no node uses it",
      exit: CrmExit.EXISTS,
    });
  }
  try {
    writeSync(file, secret);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncDirectory(dirname(path));
}

/** Whether a text can be the name of a file in a directory, and of none outside it. */
export const isPlainFileName = (name: string): boolean =>
  /^[^/\0]+$/.test(name) && name !== "." && name !== "..";

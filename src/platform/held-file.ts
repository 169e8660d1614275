import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { CrmExit, HactlError, type Millis } from "../terms/index.ts";
import { errno, libc } from "./libc.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;
const EAGAIN = 11;
const EINTR = 4;

/** How long another one may hold the file. */
const patienceMs: Millis = 30_000;
const lookMs: Millis = 5;

/**
 * A file that one changes in place: it stays the same file, with its inode, owner, permissions and links, so that
 * whoever has it open sees the new content. One process at a time holds it, as far as all ask (flock(2)).
 */
export interface HeldFile {
  readonly path: string;
  /** Its whole content. */
  readonly read: () => Uint8Array;
  /**
   * Puts new content in place of the old, on the disk when it returns. A copy of the old one lies beside it meanwhile.
   * @throws the system's error (ENOSPC, EFBIG, …); the old content is then back, or the error names the copy.
   */
  readonly overwrite: (content: string) => void;
  readonly release: () => void;
}

/**
 * Opens a file for a change and holds it.
 * @throws HactlError FILE_KIND when it is no regular file, LOCKED when another one holds it for too long; the system's
 * error (ENOENT, EACCES, EROFS, …) when it cannot be opened.
 */
export async function holdFile(path: string): Promise<HeldFile> {
  const file = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) throw refusal("FILE_KIND", path, "It is not a regular file");
    await lock(file, path);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  let held = true;
  return {
    path,
    read: () => readWhole(file),
    overwrite: (content) => overwrite(file, path, Buffer.from(content, "utf8")),
    release: () => {
      if (held) closeSync(file);
      held = false;
    },
  };
}

/** Copies of a file that an overwriting which was cut off has left behind, newest last. */
export function leftCopies(path: string): string[] {
  const prefix = copyPrefix(path);
  return [dirname(path), tmpdir()].flatMap((directory) => {
    try {
      return readdirSync(directory)
        .filter((name) => name.startsWith(prefix))
        .map((name) => join(directory, name));
    } catch {
      return [];
    }
  });
}

const copyPrefix = (path: string) => `.${basename(path)}.before-`;

async function lock(file: number, path: string): Promise<void> {
  for (let waited = 0; ; waited += lookMs) {
    if (libc().flock(file, LOCK_EX | LOCK_NB) === 0) return;
    const reason = errno();
    // A file system without locks has nobody to wait for.
    if (reason !== EAGAIN && reason !== EINTR) return;
    if (waited >= patienceMs) break;
    await Bun.sleep(lookMs);
  }
  throw refusal("LOCKED", path, `Another process has held it for ${patienceMs / 1000} s`);
}

const refusal = (code: string, file: string, what: string) =>
  new HactlError({
    code,
    what,
    where: { file },
    cure: code === "LOCKED" ? "Try again when it is done" : "Name a regular file",
    exit: code === "LOCKED" ? CrmExit.TEMPFAIL : CrmExit.NOINPUT,
  });

function readWhole(file: number): Buffer {
  const content = Buffer.alloc(fstatSync(file).size);
  let done = 0;
  while (done < content.length) {
    const count = readSync(file, content, done, content.length - done, done);
    if (count === 0) break;
    done += count;
  }
  return content.subarray(0, done);
}

function overwrite(file: number, path: string, content: Buffer): void {
  const old = readWhole(file);
  const copy = keepCopy(path, old);
  try {
    writeOver(file, content, old.length);
  } catch (error) {
    restore(file, old, path, copy, error);
    throw error;
  }
  rmSync(copy, { force: true });
}

/** What needs room comes first: when there is none, the old content is still all there. */
function writeOver(file: number, content: Buffer, oldLength: number): void {
  if (content.length > oldLength) writeAt(file, content.subarray(oldLength), oldLength);
  writeAt(file, content.subarray(0, oldLength), 0);
  if (content.length < oldLength) ftruncateSync(file, content.length);
  fsyncSync(file);
}

function writeAt(file: number, content: Buffer, at: number): void {
  for (let done = 0; done < content.length; )
    done += writeSync(file, content, done, content.length - done, at + done);
}

function restore(file: number, old: Buffer, path: string, copy: string, cause: unknown): void {
  try {
    ftruncateSync(file, Math.min(old.length, fstatSync(file).size));
    writeAt(file, old, 0);
    fsyncSync(file);
  } catch {
    throw new HactlError({
      code: "WRITE_FAILED",
      what: `The file could be written only in part (${(cause as NodeJS.ErrnoException).code ?? cause})`,
      where: { file: path },
      cure: `its content from before is in ${copy}`,
      exit: CrmExit.IOERR,
      cause,
    });
  }
  rmSync(copy, { force: true });
}

/** Beside the file, else where temporary files are. @throws the system's error when there is room nowhere */
function keepCopy(path: string, content: Buffer): string {
  const name = `${copyPrefix(path)}${randomBytes(6).toString("hex")}`;
  try {
    return writeNew(join(dirname(path), name), content);
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return writeNew(join(tmpdir(), name), content);
  }
}

function writeNew(path: string, content: Buffer): string {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = openSync(path, flags, 0o600);
  try {
    writeAt(file, content, 0);
    fsyncSync(file);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  return path;
}

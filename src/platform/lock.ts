import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  writeSync,
} from "node:fs";
import { CrmExit, HactlError } from "../terms/index.ts";
import { errno, errorName, libc } from "./libc.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;
const EAGAIN = 11;

/** A lock that is held until `release`, or until the process ends in whatever way. */
export interface FileLock {
  readonly path: string;
  release(): void;
}

/**
 * Takes the one lock of a file and writes the pid of this process into it; children do not inherit it.
 * @throws HactlError LOCKED with the other's pid when another process holds it; NOT_WRITABLE when the file cannot be
 * made.
 */
export function lockFile(path: string): FileLock {
  const file = writing(path, () => openSync(path, "a+", 0o640));
  if (libc().flock(file, LOCK_EX | LOCK_NB) !== 0) {
    const reason = errno();
    closeSync(file);
    throw reason === EAGAIN ? heldByOther(path) : new Error(`flock ${path}: ${errorName(reason)}`);
  }
  writing(path, () => {
    ftruncateSync(file, 0);
    writeSync(file, `${process.pid}\n`);
  });
  let held = true;
  return {
    path,
    release: () => {
      if (held) closeSync(file);
      held = false;
    },
  };
}

/** Does something to a file or directory. @throws HactlError NOT_WRITABLE, with what the system says */
export function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new HactlError({
      code: "NOT_WRITABLE",
      what: `it cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
      where: { file: path },
      cure: "repair the disk, make room on it, or mount it for writing",
      exit: CrmExit.IOERR,
      cause,
    });
  }
}

/** Pid in a lock file or pid file; `undefined` when there is none. */
export function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, "utf8"), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Process that holds the lock of a file; `undefined` when none does, and when this user may not know. It is found without
 * trying to lock, which could be in the way of one that begins.
 */
export function lockHolder(path: string): number | undefined {
  const pid = readPid(path);
  if (pid === undefined) return undefined;
  try {
    const files = readdirSync(`/proc/${pid}/fd`).map((file) => linkOf(`/proc/${pid}/fd/${file}`));
    return files.includes(realpathSync(path)) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // It was closed meanwhile.
    return undefined;
  }
}

function heldByOther(path: string): HactlError {
  const pid = readPid(path);
  return new HactlError({
    code: "LOCKED",
    what: `Another hactl${pid === undefined ? "" : ` (process ${pid})`} uses this directory`,
    where: { file: path },
    cure: "Stop the other one first, or give this one a state_dir and run_dir of its own",
    exit: CrmExit.EXISTS,
  });
}

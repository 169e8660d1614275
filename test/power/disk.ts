import { dlopen, FFIType } from "bun:ffi";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { run } from "../harness/network.ts";

/** Nothing reaches the disk by itself, or because the file system means well: only what was asked for with fsync. */
const unkind = "loop,noatime,data=writeback,noauto_da_alloc,commit=900";

const libc = dlopen("libc.so.6", {
  mount: {
    args: [FFIType.cstring, FFIType.cstring, FFIType.cstring, FFIType.u64, FFIType.cstring],
    returns: FFIType.i32,
  },
  umount2: { args: [FFIType.cstring, FFIType.i32], returns: FFIType.i32 },
});
const text = (words: string): Buffer => Buffer.from(`${words}\0`);

/**
 * A disk that can lose its power: a file system in a file. What programs have written but not synced is in the kernel's page cache
 * only; a copy of the file is what the disk holds at that moment, so a power failure is to take the copy and to forget all else.
 * Needs root, and a mount namespace that ends with the process.
 */
export class CuttableDisk {
  readonly #image: string;
  #cuts = 0;
  #looking: Window | undefined;

  /** Makes an empty one and mounts it at `path`. `directory`: where it lies, best in memory. */
  constructor(
    private readonly directory: string,
    readonly path: string,
    megabytes = 24,
  ) {
    mkdirSync(directory, { recursive: true });
    mkdirSync(path, { recursive: true });
    this.#image = join(directory, "disk");
    run("truncate", "-s", `${megabytes}M`, this.#image);
    run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", this.#image);
    this.#mount(this.#image, path);
    run("sync", "-f", path);
  }

  /** Copies what it holds at this moment: who writes must be dead or stopped. */
  cut(): string {
    const copy = join(this.directory, `cut-${++this.#cuts}`);
    copyFileSync(this.#image, copy);
    return copy;
  }

  /** Looks into a copy as the machine would after the failure, then forgets it. */
  look<T>(copy: string, look: (path: string) => T): T {
    const { device, image, path } = this.#window();
    copyFileSync(copy, image);
    rmSync(copy);
    // Without a program to run: it is done a thousand times.
    if (libc.symbols.mount(text(device), text(path), text("ext4"), 0, null) !== 0)
      throw new Error(`the file system of ${copy} is broken`);
    const found = look(path);
    if (libc.symbols.umount2(text(path), 0) !== 0) throw new Error(`${path} is busy`);
    return found;
  }

  /** A second disk, into which copies are put to look into them. */
  #window(): Window {
    if (this.#looking) return this.#looking;
    const image = join(this.directory, "look");
    const path = join(this.directory, "looking");
    copyFileSync(this.#image, image);
    mkdirSync(path);
    const device = run("losetup", "--find", "--show", image).trim();
    this.#looking = { device, image, path };
    return this.#looking;
  }

  /** It is not used any more. */
  close(): void {
    if (this.#looking) run("losetup", "--detach", this.#looking.device);
    run("umount", "--lazy", this.path);
  }

  /** A copy that nobody wants to look into. */
  forget(copy: string): void {
    rmSync(copy);
  }

  /** The machine has lost its power and starts again with what the copy holds. Nobody uses the disk any more. */
  restart(copy: string): void {
    unmount(this.path);
    copyFileSync(copy, this.#image);
    rmSync(copy);
    this.#mount(this.#image, this.path);
  }

  #mount(image: string, path: string): void {
    run("mount", "-o", unkind, image, path);
  }
}

/** A killed process is gone from /proc before the kernel has closed its last file: until then the disk is busy. */
function unmount(path: string): void {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (libc.symbols.umount2(text(path), 0) === 0) return;
    Bun.sleepSync(50);
  }
  throw new Error(`${path} is busy`);
}

interface Window {
  readonly device: string;
  readonly image: string;
  readonly path: string;
}

/** Stops a process with all of its threads, so that none of them writes any more. */
export function freeze(pid: number): void {
  try {
    process.kill(pid, "SIGSTOP");
  } catch {
    // It has ended.
    return;
  }
  // A thread stops when its call to the kernel is over.
  while (runs(pid)) Bun.sleepSync(0.2);
}

/** Whether a thread of a process has not stopped or ended. */
function runs(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  try {
    return readdirSync(tasks).some(
      (thread) => !/^State:\s+[TtZX]/m.test(readFileSync(`${tasks}/${thread}/status`, "utf8")),
    );
  } catch {
    // It, or one of its threads, has ended meanwhile.
    return existsSync(tasks);
  }
}

/** Words that run a program in a mount namespace of its own, in which it may mount what it likes. */
export const withOwnMounts = ["unshare", "--mount", "--propagation", "private"];

/** Runs this program again in a mount namespace of its own, unless it is in one: what it mounts ends with it. */
export function ensureOwnMounts(): void {
  if (readlinkSync("/proc/self/ns/mnt") !== readlinkSync(`/proc/${process.ppid}/ns/mnt`)) return;
  const again = Bun.spawnSync([...withOwnMounts, process.execPath, ...process.argv.slice(1)], {
    stdio: ["inherit", "inherit", "inherit"],
  });
  process.exit(again.exitCode ?? 1);
}

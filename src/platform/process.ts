import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { Millis } from "../terms/index.ts";
import { address, errno, errorName, libc } from "./libc.ts";
import { killLeftBehind } from "./process-tree.ts";

/** A program to start in a session of its own. */
export interface ProcessSpec {
  /** Absolute paths in the order to try, or a bare name that is looked up in `env.PATH`. */
  readonly candidates: readonly string[];
  readonly args: readonly string[];
  /** A program with its own words that runs the one that was found, which is given to it behind them. */
  readonly before?: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Bytes kept of each stream: the head of stdout, the tail of stderr. The rest is read and dropped. */
  readonly keepBytes: number;
  /** Value of the variable HACTL_JOB in its environment, by which processes that left its session are found. */
  readonly marker?: string;
}

/** How it ended, or why it could not be started. */
export type EndedProcess =
  | { readonly kind: "exited"; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "signalled"; readonly signal: string; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "missing"; readonly searched: readonly string[] }
  | { readonly kind: "refused"; readonly path: string; readonly why: Refusal }
  | { readonly kind: "no-room"; readonly message: string };

/** Why a file cannot be run: `no-program` is empty, or the program of another kind of machine. */
export type Refusal = "not-executable" | "no-interpreter" | "no-program";

/** A started process. */
export interface RunningProcess {
  readonly pid: number;
  /**
   * Settles when the process itself has ended and its output was read: processes that it leaves behind with its
   * output open are waited for no longer than a moment.
   */
  readonly ended: Promise<EndedProcess>;
  /** Sends a signal to the whole process group. Does nothing after the end. */
  signal(signal: "TERM" | "KILL"): void;
  /**
   * After a forced end: kills what is left of its group and session, and with `escaped` also what carries its marker
   * from another session. Answers the number of processes.
   */
  killRest(escaped: boolean): number;
}

/** How long output is still read after the process has ended. */
const DRAIN_MS: Millis = 100;
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const F_SETFL = 4;
const PR_SET_PDEATHSIG = 1;
const PR_SET_DUMPABLE = 4;
const SIGTERM = 15;

/**
 * Starts a program with its own session, real pipes (agents write to /dev/stderr, which sockets refuse), no inherited
 * environment and the out-of-memory score of an ordinary process. What cannot be started is answered, not thrown.
 */
export function startProcess(spec: ProcessSpec): RunningProcess | EndedProcess {
  const found = findProgram(spec);
  if (typeof found !== "string") return found;
  try {
    return launch(found, spec);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EACCES" || code === "EPERM") return { kind: "refused", path: found, why: "not-executable" };
    if (code === "ENOEXEC") return { kind: "refused", path: found, why: "no-program" };
    if (code === "ENOENT") return { kind: "refused", path: found, why: "no-interpreter" };
    return { kind: "no-room", message: `${found}: ${code === "" ? String(error) : code}` };
  }
}

function findProgram(spec: ProcessSpec): string | EndedProcess {
  for (const candidate of spec.candidates) {
    const path = candidate.startsWith("/")
      ? candidate
      : Bun.which(candidate, { PATH: spec.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin" });
    if (path === null || !isFile(path)) continue;
    try {
      accessSync(path, constants.X_OK);
    } catch {
      return { kind: "refused", path, why: "not-executable" };
    }
    // An update that went wrong leaves such files. A shell would run it, and all would have gone well.
    if (statSync(path).size === 0) return { kind: "refused", path, why: "no-program" };
    return path;
  }
  return { kind: "missing", searched: spec.candidates };
}

/** A name that no file can have (too long, below something that is no directory) is one that is not there. */
function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}

function launch(path: string, spec: ProcessSpec): RunningProcess {
  const out = openPipe();
  const err = openPipe();
  let child: Bun.Subprocess;
  try {
    child = spawn(path, spec, out.write, err.write);
  } catch (error) {
    closeSync(out.read);
    closeSync(err.read);
    throw error;
  } finally {
    closeSync(out.write);
    closeSync(err.write);
  }
  ordinaryOomScore(child.pid);
  const marker = spec.marker;
  let over = false;
  const ended = watch(
    child,
    new Capture(out.read, spec.keepBytes, "head"),
    new Capture(err.read, spec.keepBytes, "tail"),
  );
  void child.exited.then(() => {
    over = true;
  });
  return {
    pid: child.pid,
    ended,
    signal: (signal) => {
      if (!over) signalGroup(child.pid, `SIG${signal}`);
    },
    killRest: (escaped) => {
      signalGroup(child.pid, "SIGKILL");
      return killLeftBehind(child.pid, escaped ? marker : undefined);
    },
  };
}

function spawn(path: string, spec: ProcessSpec, stdout: number, stderr: number): Bun.Subprocess {
  const options = {
    env: spec.marker === undefined ? spec.env : { ...spec.env, HACTL_JOB: spec.marker },
    cwd: "/",
    detached: true,
    stdin: spec.stdin === undefined ? ("ignore" as const) : Buffer.from(spec.stdin),
    stdout,
    stderr,
  };
  try {
    return Bun.spawn({ ...options, cmd: [...(spec.before ?? []), path, ...spec.args] });
  } catch (error) {
    // A script without a first line that names its interpreter is the shell's (execvp(3)).
    if ((error as NodeJS.ErrnoException).code !== "ENOEXEC" || !isText(path)) throw error;
    return Bun.spawn({ ...options, cmd: ["/bin/sh", path, ...spec.args] });
  }
}

/** Whether a file looks like a script: programs have bytes of zero at their beginning (POSIX sh, "Command Search and Execution"). */
function isText(path: string): boolean {
  const head = Buffer.alloc(512);
  const file = openSync(path, "r");
  try {
    return !head.subarray(0, readSync(file, head)).includes(0);
  } finally {
    closeSync(file);
  }
}

async function watch(child: Bun.Subprocess, stdout: Capture, stderr: Capture): Promise<EndedProcess> {
  const read = Promise.all([stdout.finished, stderr.finished]);
  await child.exited;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const drained = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_MS);
  });
  await Promise.race([read, drained]);
  clearTimeout(timer);
  const output = { stdout: await stdout.close(), stderr: await stderr.close() };
  return child.exitCode === null
    ? { kind: "signalled", signal: String(child.signalCode ?? "unknown"), ...output }
    : { kind: "exited", code: child.exitCode, ...output };
}

/** The bounded contents of a pipe. */
class Capture {
  readonly finished: Promise<void>;
  readonly #reader: {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
  #kept: Uint8Array[] = [];
  #size = 0;

  constructor(
    private readonly file: number,
    private readonly limit: number,
    private readonly side: "head" | "tail",
  ) {
    this.#reader = Bun.file(file).stream().getReader();
    this.finished = this.#read();
  }

  /** Stops reading, frees the pipe and answers the text. */
  async close(): Promise<string> {
    await this.#reader.cancel().catch(() => {});
    closeSync(this.file);
    const bytes = Buffer.concat(this.#kept);
    const kept = this.side === "head" ? bytes.subarray(0, this.limit) : bytes.subarray(-this.limit);
    return new TextDecoder().decode(kept);
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) return;
        if (value) this.#keep(value);
      }
    } catch {
      // A pipe that cannot be read has no more to say.
    }
  }

  #keep(piece: Uint8Array): void {
    if (this.side === "head") {
      if (this.#size >= this.limit) return;
      this.#kept.push(piece.slice(0, this.limit - this.#size));
      this.#size += Math.min(piece.length, this.limit - this.#size);
      return;
    }
    this.#kept.push(piece.slice());
    this.#size += piece.length;
    if (this.#size <= 2 * this.limit) return;
    this.#kept = [Buffer.concat(this.#kept).subarray(-this.limit)];
    this.#size = this.#kept[0]?.length ?? 0;
  }
}

/** A pipe that no child inherits by itself. Its reader never waits; with `both` its writer does not, either. */
export function openPipe(unwaiting: "reader" | "both" = "reader"): {
  readonly read: number;
  readonly write: number;
} {
  const ends = new Int32Array(2);
  if (libc().pipe2(address(ends), O_CLOEXEC) !== 0) {
    throw Object.assign(new Error("no pipe"), { code: errorName(errno()) });
  }
  const [read, write] = ends as unknown as [number, number];
  libc().fcntl(read, F_SETFL, O_NONBLOCK);
  if (unwaiting === "both") libc().fcntl(write, F_SETFL, O_NONBLOCK);
  return { read, write };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

let ownOomScore: string | undefined;

/** The daemon may be protected from the out-of-memory killer; the services that it starts are not. */
function ordinaryOomScore(pid: number): void {
  ownOomScore ??= readOomScore();
  if (ownOomScore === "0") return;
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, "0");
  } catch {
    // It has ended already.
  }
}

function readOomScore(): string {
  try {
    return readFileSync("/proc/self/oom_score_adj", "utf8").trim();
  } catch {
    return "0";
  }
}

/** Pid of the process that this one belongs to now; 1, or that of a subreaper, when its parent has died. */
export const parentPid = (): number => libc().getppid();

/**
 * Keeps what this process knows out of core dumps and from other processes of its user (prctl(2), PR_SET_DUMPABLE): it holds
 * keys and secrets. Agents and what they start are programs of their own, for which the limits of the service unit hold. Without
 * root nothing is done: the process would lose its own files below /proc.
 */
export function withoutCoreDump(): void {
  if (process.getuid?.() === 0) libc().prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/** Has the kernel send SIGTERM to this process when its parent dies (prctl(2), PR_SET_PDEATHSIG). */
export function dieWithParent(): void {
  libc().prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
}

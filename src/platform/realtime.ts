import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { address, errno, errorName, libc } from "./libc.ts";

const SCHED_OTHER = 0;
const SCHED_RR = 2;
const MCL_CURRENT = 1;
const MCL_FUTURE = 2;
const MCL_ONFAULT = 4;
const MADV_DONTNEED = 4;
const RLIMIT_MEMLOCK = 8;
const CAP_IPC_LOCK = 14n;

/** How a request for priority or memory went: done, or why not, as a clause for people. */
export type Granted = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const granted: Granted = { ok: true };
const refused = (reason: string): Granted => ({ ok: false, reason });

const ownThreads = () => readdirSync("/proc/self/task").map(Number);

/** Where control groups of version 1 give out real-time time (sched(7), "Real-time group scheduling"). */
const rootCpuGroup = "/sys/fs/cgroup/cpu/cgroup.procs";

const oomScore = "/proc/self/oom_score_adj";
const neverKill = "-1000";

/**
 * Puts every thread of this process under SCHED_RR at `priority` (1 … 99). All of them, since one helper of the
 * JavaScript engine left behind would make the others wait for it; a thread that starts later has the policy of the
 * one that starts it. Where a control group of version 1 has no real-time time, the process moves to the root group.
 * The kernel's out-of-memory killer is told to spare it (proc(5), oom_score_adj), since it would take the node's
 * services with it. Children inherit all this: they call `leaveRealtime` first thing.
 */
export function enterRealtime(priority = 50): Granted {
  let answer = schedule(SCHED_RR, priority);
  if (!answer.ok && existsSync(rootCpuGroup) && attempt(rootCpuGroup, String(process.pid))) {
    answer = schedule(SCHED_RR, priority);
  }
  if (answer.ok) attempt(oomScore, neverKill);
  else schedule(SCHED_OTHER, 0);
  return answer;
}

/** Gives every thread of this process the ordinary policy again, and the process its place before the OOM killer. */
export function leaveRealtime(): Granted {
  if (readFileSync(oomScore, "utf8").trim() === neverKill) attempt(oomScore, "0");
  return schedule(SCHED_OTHER, 0);
}

/** Writes to a file of the kernel; a refusal only means that the machine does not offer it. */
function attempt(file: string, text: string): boolean {
  try {
    writeFileSync(file, text);
    return true;
  } catch {
    return false;
  }
}

/** CPU time of a thread in ticks (proc(5), stat: utime and stime), and its name; nothing when it has ended. */
function cpuOf(thread: number): { readonly ticks: number; readonly name: string } | undefined {
  try {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
    const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
    const fields = rest.split(" ");
    return { ticks: Number(fields[11]) + Number(fields[12]), name };
  } catch {
    return undefined;
  }
}

/** Clock ticks of proc(5) in a second, on every architecture that hactl is built for. */
const ticksPerSecond = 100;

/**
 * Watches the engine's helper threads. One that runs without pause under SCHED_RR would take its processor from all
 * that is not under it, and from the ring itself: it gets the ordinary policy.
 */
export class HelperWatch {
  #before = new Map<number, number>();
  #at = performance.now();

  /** To be called every few seconds; returns the names of the threads that were taken out of SCHED_RR. */
  check(): readonly string[] {
    const now = performance.now();
    const most = ((now - this.#at) / 1000) * ticksPerSecond * 0.5;
    const before = this.#before;
    this.#before = new Map();
    this.#at = now;
    const calmed: string[] = [];
    for (const thread of ownThreads()) {
      const cpu = thread === process.pid ? undefined : cpuOf(thread);
      if (!cpu) continue;
      this.#before.set(thread, cpu.ticks);
      const used = cpu.ticks - (before.get(thread) ?? cpu.ticks);
      if (used <= most || (libc().sched_getscheduler(thread) & 0xff) !== SCHED_RR) continue;
      if (libc().sched_setscheduler(thread, SCHED_OTHER, address(new Int32Array([0]))) === 0)
        calmed.push(cpu.name);
    }
    return calmed;
  }
}

/** Whether every thread of this process is under SCHED_RR. */
export const isRealtime = (): boolean =>
  ownThreads().every((thread) => (libc().sched_getscheduler(thread) & 0xff) === SCHED_RR);

function schedule(policy: number, priority: number): Granted {
  const parameter = new Int32Array([priority]);
  const done = new Set<number>();
  // A thread may start while others are changed: again until a whole pass finds nothing new.
  for (let pass = 0; pass < 10; pass++) {
    const threads = ownThreads().filter((thread) => !done.has(thread));
    if (threads.length === 0) return granted;
    for (const thread of threads) {
      done.add(thread);
      if (libc().sched_setscheduler(thread, policy, address(parameter)) === 0) continue;
      const reason = errno();
      const ended = reason === 3;
      if (!ended) return refused(`sched_setscheduler: ${errorName(reason)}`);
    }
  }
  return granted;
}

/**
 * Keeps the memory of this process out of swap, page by page as it is used (MCL_ONFAULT, Linux 4.4): locking all that
 * the engine reserves would take gigabytes. The limit is checked first, since a process that runs into it does not
 * get an error but stalls.
 */
export function lockMemory(): Granted {
  const limit = lockedMemoryLimit();
  if (limit !== "unlimited" && !hasCapability(CAP_IPC_LOCK)) {
    return refused(`the limit on locked memory is ${limit} bytes (LimitMEMLOCK=infinity lifts it)`);
  }
  if (libc().mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) === 0) return granted;
  return refused(`mlockall: ${errorName(errno())}`);
}

/**
 * Gives back what only the start needed of the executable's code: a third of it has been mapped by then, and most of
 * that is never run again. What is needed comes back from the page cache on its next use. Code is mapped privately
 * and never written, so nothing can be lost. Memory must not be locked (madvise(2), MADV_DONTNEED).
 */
export function releaseStartupCode(): void {
  const executable = readlinkSync("/proc/self/exe");
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    const [, start, end, path] = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ [1-9]\d* +(.*)$/.exec(line) ?? [];
    if (start === undefined || end === undefined || path !== executable) continue;
    const from = Number.parseInt(start, 16);
    libc().madvise(from, Number.parseInt(end, 16) - from, MADV_DONTNEED);
  }
}

/** Lets the memory of this process be swapped again. */
export function unlockMemory(): void {
  libc().munlockall();
}

/** Soft limit of RLIMIT_MEMLOCK. */
export function lockedMemoryLimit(): number | "unlimited" {
  const limits = new BigUint64Array(2);
  if (libc().getrlimit(RLIMIT_MEMLOCK, address(limits)) !== 0) return 0;
  const soft = limits[0] ?? 0n;
  return soft === 0xffff_ffff_ffff_ffffn ? "unlimited" : Number(soft);
}

function hasCapability(bit: bigint): boolean {
  const line = readFileSync("/proc/self/status", "utf8").match(/^CapEff:\s*([0-9a-f]+)$/m);
  return line?.[1] !== undefined && ((BigInt(`0x${line[1]}`) >> bit) & 1n) === 1n;
}

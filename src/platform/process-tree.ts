import { readdirSync, readFileSync } from "node:fs";

/** A running process that carries a HACTL_JOB marker in its environment. */
export interface MarkedProcess {
  readonly pid: number;
  /** Leader of its session: the agent itself, as it was started. */
  readonly leader: boolean;
  readonly marker: string;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
}

const VARIABLE = "HACTL_JOB=";

/** Identifies the boot of this machine (random(4), boot_id). */
export function bootId(): string {
  return read("/proc/sys/kernel/random/boot_id")?.trim() ?? "unknown";
}

/**
 * When a process started, in clock ticks since the boot: with its pid it names one process. Nothing for one that has ended,
 * also where whoever has to has not taken note of it yet (a zombie: in containers that may take for ever).
 */
export function processStart(pid: number): number | undefined {
  const fields = statFields(pid);
  return fields === undefined || fields[0] === "Z" ? undefined : Number(fields[19]);
}

/** What the kernel has let the first thread of a process do. */
export interface ThreadTimes {
  /** It would go on if it had a processor. */
  readonly runnable: boolean;
  /** How long it has run. */
  readonly ranMs: number;
  /** How long it could have run, but others did. */
  readonly waitedMs: number;
}

/** Times of the first thread of a process (proc(5): stat, schedstat); undefined when it has ended or the kernel does not tell. */
export function threadTimes(pid: number): ThreadTimes | undefined {
  const stat = read(`/proc/${pid}/task/${pid}/stat`);
  const [ran, waited] = read(`/proc/${pid}/task/${pid}/schedstat`)?.trim().split(" ").map(Number) ?? [];
  if (stat === undefined || ran === undefined || waited === undefined) return undefined;
  const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  return { runnable: state === "R", ranMs: ran / 1e6, waitedMs: waited / 1e6 };
}

/** All processes whose marker begins with `prefix`. */
export function markedProcesses(prefix: string): MarkedProcess[] {
  return pids().flatMap((pid) => {
    const environ = read(`/proc/${pid}/environ`);
    if (environ === undefined || !environ.includes(VARIABLE + prefix)) return [];
    const env = new Map(
      environ.split("\0").map((entry): [string, string] => {
        const at = entry.indexOf("=");
        return [entry.slice(0, at), entry.slice(at + 1)];
      }),
    );
    const marker = env.get("HACTL_JOB");
    if (!marker?.startsWith(prefix) || isZombie(pid)) return [];
    const args = (read(`/proc/${pid}/cmdline`) ?? "").split("\0").filter((arg) => arg !== "");
    return [{ pid, leader: sessionOf(pid) === pid, marker, args, env }];
  });
}

/**
 * Kills what is left of a session, and, where a marker is given, every process that carries it. Looks again until a
 * pass finds nothing, since a process may fork between the look and the signal.
 */
export function killLeftBehind(session: number, marker: string | undefined): number {
  const killed = new Set<number>();
  for (let pass = 0; pass < 5; pass++) {
    const found = pids().filter((pid) => !killed.has(pid) && belongs(pid, session, marker) && !isZombie(pid));
    if (found.length === 0) break;
    for (const pid of found) {
      killed.add(pid);
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
  }
  return killed.size;
}

function belongs(pid: number, session: number, marker: string | undefined): boolean {
  if (pid === process.pid) return false;
  if (sessionOf(pid) === session) return true;
  if (marker === undefined) return false;
  return (
    read(`/proc/${pid}/environ`)
      ?.split("\0")
      .includes(VARIABLE + marker) ?? false
  );
}

const pids = () =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Fields of /proc/PID/stat from the third on; the second, the name, may contain anything (proc(5)). */
function statFields(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

const sessionOf = (pid: number) => Number(statFields(pid)?.[3] ?? -1);
const isZombie = (pid: number) => statFields(pid)?.[0] === "Z";

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

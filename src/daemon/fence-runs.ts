import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentOutcome, type KeptRun, type LeftRun, readKeptRun } from "../fencer/index.ts";
import { bootId, type Log, markedProcesses, uptimeMs } from "../platform/index.ts";
import { type Millis, read } from "../terms/index.ts";

/** What of an agent's words is used: the head of its output, the tail of its complaints. */
const keepBytes = 64 * 1024;
/** Between two looks whether an agent of another manager has ended. */
const lookMs: Millis = 50;
/** After an agent has ended, what it said may take so long to be written. */
const drainMs: Millis = 100;
/** What nobody has asked for so long after its time is not asked for any more. */
const staleMs: Millis = 10 * 60_000;

interface Record {
  readonly bootId: string;
  readonly run: KeptRun;
  /** By the clock of the uptime: the agent is ended then. */
  readonly deadline: Millis;
}

const readRecord = read.shape<Record>({
  bootId: read.text(200),
  run: readKeptRun,
  deadline: read.number(0, Number.MAX_SAFE_INTEGER),
});

/**
 * Runs an agent so that its end can be learnt by whoever comes after the manager that started it: the shell writes its
 * exit status, what it says goes to files at once, up to some megabytes. All is read, so that it never waits.
 */
const script = `d=$1; shift
keep() { dd bs=4096 count=1000 2>/dev/null; cat >/dev/null; }
{ { "$@" 2>&1 >&3 3>&-; echo $? >"$d/code"; mv "$d/code" "$d/exit"; } | keep >"$d/err"; } 3>&1 | keep >"$d/out"`;

/** An agent of fencing that may outlive its manager. */
export interface KeptPlace {
  /** Words before the agent's own. */
  readonly before: readonly string[];
  /** By which its processes are found. */
  readonly marker: string;
  /** How it has ended; undefined while it has not. */
  outcome(): Promise<AgentOutcome | undefined>;
  /** What it has complained of up to now. */
  complaint(): string;
  /** Whether its time is over: whoever waits for it ends it then. */
  isOver(): boolean;
}

/**
 * What of the agents of fencing outlives a manager, in the run directory: an agent that was told to act goes on although
 * the manager dies that ran it, and to run it again would fence the target twice.
 */
export class FenceRuns {
  readonly #directory: string;
  readonly #left = new Map<string, Record>();
  #counter = 0;

  constructor(
    runDir: string,
    private readonly log: Pick<Log, "warning">,
  ) {
    this.#directory = join(runDir, "fencing");
    for (const name of list(this.#directory).sort(byBegin)) {
      const record = this.#read(name);
      if (record && uptimeMs() < record.deadline + staleMs) this.#left.set(name, record);
      else this.#remove(name);
    }
  }

  /** What the managers before this one have begun, in the order in which they did. */
  left(): LeftRun[] {
    return [...this.#left].map(([name, { run }]) => ({ ...run, run: leftName(name) }));
  }

  /** A place for a run that is about to begin; undefined when nothing can be kept, and it has to do without. */
  begin(run: KeptRun, timeoutMs: Millis): KeptPlace | undefined {
    const name = `${process.pid}.${uptimeMs().toFixed(0)}.${++this.#counter}`;
    const place = join(this.#directory, name);
    const record: Record = { bootId: bootId(), run, deadline: uptimeMs() + timeoutMs };
    try {
      mkdirSync(place, { recursive: true, mode: 0o700 });
      writeFileSync(join(place, "new"), JSON.stringify(record), { mode: 0o600 });
      renameSync(join(place, "new"), join(place, "run"));
    } catch (error) {
      this.log.warning("STATE-NOT-SAVED", `the run of a fence agent is not kept: ${String(error)}`);
      return undefined;
    }
    return {
      before: ["/bin/sh", "-c", script, "fencing", place],
      marker: markerOf(name),
      outcome: () => outcomeIn(place),
      complaint: () => complaintIn(place),
      isOver: () => uptimeMs() >= record.deadline,
    };
  }

  /** Waits for the end of a run that was left; one of which nothing is known any more has failed. */
  async resume(run: string): Promise<AgentOutcome> {
    const name = [...this.#left.keys()].find((one) => leftName(one) === run);
    const record = name === undefined ? undefined : this.#left.get(name);
    if (name === undefined || !record) return unknown;
    const place = join(this.#directory, name);
    for (;;) {
      // An agent that ends between the two looks has said so by then.
      const runs = markedProcesses(markerOf(name));
      const outcome = await outcomeIn(place);
      if (outcome) return outcome;
      if (runs.length === 0) return unknown;
      if (uptimeMs() >= record.deadline) {
        for (const { pid } of runs) kill(pid);
        return { exit: null, timedOut: true, stdout: "", stderr: complaintIn(place) };
      }
      await Bun.sleep(lookMs);
    }
  }

  /** A request has ended: what was kept of it goes. */
  forget(op: string): void {
    for (const name of list(this.#directory))
      if (this.#read(name)?.run.order.op === op) {
        this.#left.delete(name);
        this.#remove(name);
      }
  }

  #read(name: string): Record | undefined {
    const text = textOf(join(this.#directory, name, "run"));
    if (text === undefined) return undefined;
    try {
      const record = readRecord(JSON.parse(text), "");
      return record.bootId === bootId() ? record : undefined;
    } catch {
      return undefined;
    }
  }

  #remove(name: string): void {
    rmSync(join(this.#directory, name), { recursive: true, force: true });
  }
}

/** Places tell in their names when they were made. */
const byBegin = (one: string, other: string): number => {
  const [a = [], b = []] = [one, other].map((name) => name.split(".").slice(1).map(Number));
  return (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0);
};

const leftName = (name: string): string => `left/${name}`;
const markerOf = (name: string): string => `fencing/${name}`;

const unknown: AgentOutcome = {
  exit: null,
  timedOut: false,
  stdout: "",
  stderr: "",
  error: "the agent was ended together with the manager that ran it",
};

async function outcomeIn(place: string): Promise<AgentOutcome | undefined> {
  const code = Number.parseInt(textOf(join(place, "exit")) ?? "", 10);
  if (Number.isNaN(code)) return undefined;
  await Bun.sleep(drainMs);
  const stdout = (textOf(join(place, "out")) ?? "").slice(0, keepBytes);
  return { exit: code, timedOut: false, stdout, stderr: complaintIn(place) };
}

const complaintIn = (place: string): string => (textOf(join(place, "err")) ?? "").slice(-keepBytes);

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

import { access, constants, statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { ControllerEvent, StatusDisk } from "../controller/index.ts";
import type { Millis, NodeName } from "../terms/index.ts";

/** Private attribute in which each node tells the cluster why its state cannot be written; none while it can. */
export const DISK_ATTRIBUTE = "#disk";

/** How soon a disk that is full, or has room again, is noticed. */
const lookMs: Millis = 2_000;
/** With less than this a configuration of usual size cannot be written. */
const leastBytes = 256 * 1024;
/** So many files at once are written anew beside those that they replace. */
const leastFiles = 8;
/** A disk that says nothing for so long does not answer. */
const answerMs: Millis = 5_000;
/** Most characters of a reason. */
const longestReason = 300;

export interface FreeSpace {
  readonly bytes: number;
  /** How many more files there may be; undefined where the file system sets no limit. */
  readonly files: number | undefined;
}

/** What a node's disk is asked. */
export interface DiskFacts {
  /** @throws when the directory cannot be written: a read-only file system, an error of the disk */
  writable(directory: string): Promise<void>;
  /** What is left for the daemon. */
  free(directory: string): Promise<FreeSpace>;
}

const machineDisk: DiskFacts = {
  writable: (directory) => access(directory, constants.W_OK),
  free: async (directory) => {
    const { bfree, bsize, files, ffree } = await statfs(directory);
    return { bytes: bfree * bsize, files: files > 0 ? ffree : undefined };
  },
};

export interface StateDiskHost {
  /** Why what was to be written could not be, as long as that lasts. */
  readonly failed: () => string | undefined;
  /** For how long it has been waited for the disk of the state. */
  readonly waitedMs: () => Millis;
  /** Whether the cluster can be told anything. */
  readonly joined: () => boolean;
  /** What the cluster knows of this node's disk. */
  readonly known: () => string | undefined;
  readonly tell: (problem: string | undefined) => void;
}

/**
 * Watches whether this node can keep its state, and tells the cluster while it can't: a node whose disk is full serves on,
 * but loses what it does not write when all nodes lose their power. It is looked at without writing. The same holds for the
 * run directory, in which what survives the death of a process is kept.
 */
export class StateDisk {
  #problem: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** Directories that have not answered yet. */
  readonly #asked = new Set<string>();

  /** `stateDir` and the other directories that have to be writable. */
  constructor(
    private readonly stateDir: string,
    private readonly host: StateDiskHost,
    private readonly facts: DiskFacts = machineDisk,
    private readonly others: readonly string[] = [],
  ) {}

  /** Why the state of this node cannot be written. */
  get problem(): string | undefined {
    const silent = this.host.waitedMs() > answerMs ? silence(this.stateDir) : undefined;
    return (silent ?? this.host.failed() ?? this.#problem)?.slice(0, longestReason);
  }

  /** Looks again and again. */
  start(): void {
    void this.look().finally(() => {
      if (!this.#closed) this.#timer = setTimeout(() => this.start(), lookMs);
    });
  }

  async look(): Promise<void> {
    this.#problem = await this.#look();
    const { host, problem } = this;
    if (host.joined() && host.known() !== problem) host.tell(problem);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<string | undefined> {
    for (const directory of [this.stateDir, ...this.others]) {
      const problem = await this.#lookAt(directory);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  async #lookAt(directory: string): Promise<string | undefined> {
    if (this.#asked.has(directory)) return silence(directory);
    this.#asked.add(directory);
    const answer = this.#ask(directory).finally(() => this.#asked.delete(directory));
    const late = new AbortController();
    const silent = sleep(answerMs, silence(directory), { signal: late.signal }).catch(() => undefined);
    return Promise.race([answer, silent]).finally(() => late.abort());
  }

  async #ask(directory: string): Promise<string | undefined> {
    try {
      await this.facts.writable(directory);
      const { bytes, files } = await this.facts.free(directory);
      if (bytes < leastBytes) return `no space left on the disk of ${directory}`;
      return files !== undefined && files < leastFiles
        ? `no more files fit on the disk of ${directory} (no free inodes)`
        : undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

const silence = (directory: string): string => `the disk of ${directory} does not answer`;

/** Tells the cluster of this node's disk. */
export function diskRequest(node: NodeName, problem: string | undefined): ControllerEvent {
  const update = { node, name: DISK_ATTRIBUTE, value: problem, private: true };
  return { type: "attribute-request", request: "", updates: [update] };
}

/** The nodes that cannot write their state: what they have told, and what this one knows of itself. Sorted by name. */
export function unwritable(
  told: ReadonlyMap<NodeName, string>,
  self: NodeName,
  own: string | undefined,
): StatusDisk[] {
  const all = new Map(told);
  all.delete(self);
  if (own !== undefined) all.set(self, own);
  return [...all].map(([node, problem]) => ({ node, problem })).sort((a, b) => (a.node < b.node ? -1 : 1));
}

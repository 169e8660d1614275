import { access, constants, statfs } from "node:fs/promises";
import type { ControllerEvent, StatusDisk } from "../controller/index.ts";
import type { Millis, NodeName } from "../terms/index.ts";

/** Private attribute in which each node tells the cluster why its state cannot be written; none while it can. */
export const DISK_ATTRIBUTE = "#disk";

/** How soon a disk that is full, or has room again, is noticed. */
const lookMs: Millis = 2_000;
/** With less than this a configuration of usual size cannot be written. */
const leastBytes = 256 * 1024;
/** Most characters of a reason. */
const longestReason = 300;

/** What a node's disk is asked. */
export interface DiskFacts {
  /** @throws when the directory cannot be written: a read-only file system, an error of the disk */
  writable(directory: string): Promise<void>;
  /** Bytes that are left for the daemon. */
  freeBytes(directory: string): Promise<number>;
}

const machineDisk: DiskFacts = {
  writable: (directory) => access(directory, constants.W_OK),
  freeBytes: async (directory) => {
    const { bfree, bsize } = await statfs(directory);
    return bfree * bsize;
  },
};

export interface StateDiskHost {
  /** Why what was to be written could not be, as long as that lasts. */
  readonly failed: () => string | undefined;
  /** Whether the cluster can be told anything. */
  readonly joined: () => boolean;
  /** What the cluster knows of this node's disk. */
  readonly known: () => string | undefined;
  readonly tell: (problem: string | undefined) => void;
}

/**
 * Watches whether this node can keep its state, and tells the cluster while it can't: a node whose disk is full serves on,
 * but loses what it does not write when all nodes lose their power. It is looked at without writing.
 */
export class StateDisk {
  #problem: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    private readonly directory: string,
    private readonly host: StateDiskHost,
    private readonly facts: DiskFacts = machineDisk,
  ) {}

  /** Why the state of this node cannot be written. */
  get problem(): string | undefined {
    return (this.host.failed() ?? this.#problem)?.slice(0, longestReason);
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
    try {
      await this.facts.writable(this.directory);
      const free = await this.facts.freeBytes(this.directory);
      return free < leastBytes ? `no space left on the disk of ${this.directory}` : undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

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

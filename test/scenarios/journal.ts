import { appendFileSync, readFileSync, writeFileSync } from "node:fs";

/** One line of the journal: what an agent did, or what the test did behind the cluster's back. */
export interface JournalEntry {
  /** Seconds since the boot of the real machine, the same clock for all nodes. */
  readonly at: number;
  readonly node: string;
  /** Resource without the number of its instance; "-" for what happened to the node. */
  readonly rsc: string;
  /** An agent's action; "broken" when the test ended the resource, "power" when the node lost its power. */
  readonly action: string;
  /** "begin", or the exit code. */
  readonly what: string;
}

/** Seconds since the boot of the real machine. */
export const uptime = (): number => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);

/**
 * The file in which the agents of all nodes write every action but monitors. Lines are appended whole, so their order is
 * the order in which things happened, whatever the resolution of the clock.
 */
export class Journal {
  constructor(readonly path: string) {
    writeFileSync(path, "", { flag: "a" });
  }

  /** Everything from the beginning. */
  entries(): JournalEntry[] {
    return readFileSync(this.path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [at = "", node = "", rsc = "", action = "", what = ""] = line.split(" ");
        return { at: Number(at), node, rsc, action, what };
      });
  }

  /** Number of lines so far: a place to look from. */
  get length(): number {
    return this.entries().length;
  }

  /** What the agents were asked to do since a place; an action counts once, by its begin. */
  actionsSince(place: number): JournalEntry[] {
    return this.entries()
      .slice(place)
      .filter(({ what, rsc }) => what === "begin" && rsc !== "-");
  }

  /** The test ended a resource on a node. */
  noteBroken(node: string, rsc: string): void {
    this.#write(node, rsc, "broken");
  }

  /** The power of a node has gone, and all that ran on it. */
  notePowerOff(node: string): void {
    this.#write(node, "-", "power");
  }

  #write(node: string, rsc: string, action: string): void {
    appendFileSync(this.path, `${uptime()} ${node} ${rsc} ${action} 0\n`);
  }
}

export const describeEntry = ({ at, node, rsc, action }: JournalEntry): string =>
  `${action} ${rsc} on ${node} at ${at.toFixed(2)}`;

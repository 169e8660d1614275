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

  /**
   * Where the time went while a resource was away since a place, from the begin of its stop to the end of its start: in
   * agents, and between them (deciding, messages, processes), in ms. Undefined when it was not away.
   */
  whileAway(
    rsc: string,
    place: number,
  ): { readonly agentsMs: number; readonly betweenMs: number } | undefined {
    const entries = this.entries().slice(place);
    const from = entries.find((entry) => entry.rsc === rsc && entry.action === "stop");
    const to = entries.findLast((entry) => entry.rsc === rsc && entry.action === "start");
    if (!from || !to || to.at < from.at) return undefined;
    let agents = 0;
    let open = 0;
    let since = from.at;
    for (const { at, what } of entries.filter((entry) => entry.at >= from.at && entry.at <= to.at)) {
      if (open > 0) agents += at - since;
      since = at;
      open = Math.max(0, open + (what === "begin" ? 1 : -1));
    }
    const ms = (seconds: number) => Math.round(seconds * 1000);
    return { agentsMs: ms(agents), betweenMs: ms(to.at - from.at - agents) };
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

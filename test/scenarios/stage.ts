import { parseXml, type XmlElement } from "../../src/cib/index.ts";
import { type Allowances, restReport } from "./at-rest.ts";
import { valuesOf } from "./cib-look.ts";
import type { SceneCluster } from "./cluster.ts";
import { describeEntry, type JournalEntry } from "./journal.ts";
import { ownershipViolations } from "./ownership.ts";
import type { Switched } from "./power-switch.ts";
import type { Random } from "./random.ts";
import { Violation } from "./violation.ts";

/** How long nothing may change before the cluster counts as at rest. */
const restMs = 1_000;
/** After this it is given up; no measure of anything, since the machine may be slow. */
const giveUpMs = 120_000;

/** Lines that tell of trouble, in a log; the daemon's own words for levels. */
const troubleLine = /\]: (?:error|crit|alert|emerg): /;
/** What a runtime says that has crashed. */
const crashLine = /.*(?:panic|Segmentation fault|Unhandled|TypeError|RangeError|ReferenceError).*/;

/**
 * What a scenario plays on: a cluster, chance that a seed replays, and the audits. It begins with a cluster at rest;
 * everything is judged from that moment on.
 */
export class Stage {
  readonly allowed: Allowances = {
    fencing: new Set(),
    errors: [],
    failures: new Set(),
    verdicts: [],
    resources: new Set(),
    unmanaged: false,
  };
  /** Facts that belong to the report of a repetition. */
  readonly notes: string[] = [];
  readonly #journalFrom: number;
  readonly #powerFrom: number;
  readonly #logFrom: ReadonlyMap<string, number>;
  readonly #outputFrom: ReadonlyMap<string, number>;

  constructor(
    readonly cluster: SceneCluster,
    readonly random: Random,
    /** Which of its cases a scenario plays: repetitions take them in turn. */
    readonly turn: number,
  ) {
    const names = [...cluster.machines.all.keys()];
    this.#journalFrom = cluster.journal.length;
    this.#powerFrom = cluster.power.switched.length;
    this.#logFrom = new Map(names.map((name) => [name, cluster.logOf(name).length]));
    this.#outputFrom = new Map(names.map((name) => [name, cluster.outputOf(name).length]));
  }

  /** One of the cases of a scenario: repetitions take them in turn. */
  oneOf<T>(cases: readonly T[]): T {
    return cases[this.turn % cases.length] as T;
  }

  note(text: string): void {
    this.notes.push(text);
  }

  /** @throws Violation */
  check(holds: boolean, text: string): void {
    if (!holds) throw new Violation(text);
  }

  /**
   * Waits until the cluster is at rest and everything is as it has to be then.
   * @throws Violation with what is not, after a time that is for giving up
   */
  async atRest(timeoutMs = giveUpMs): Promise<void> {
    const end = performance.now() + timeoutMs;
    let since = performance.now();
    let mark: string | undefined;
    for (;;) {
      const report = await restReport(this.cluster, this.allowed);
      const now = performance.now();
      if (report.complaints.length > 0 || report.mark !== mark) {
        since = now;
        mark = report.complaints.length > 0 ? undefined : report.mark;
      } else if (now - since >= restMs) return;
      if (now > end)
        throw new Violation(`not at rest: ${report.complaints.join("; ") || "it goes on changing"}`);
      await Bun.sleep(150);
    }
  }

  /** Waits until something is true. @throws Violation after a time that is for giving up */
  async until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    await this.cluster.until(what, giveUpMs, async () => ((await holds()) ? undefined : "it is not"));
  }

  /** The configuration and status of a member. @throws Violation */
  async cib(name = this.cluster.anyone()): Promise<XmlElement> {
    const { value, error } = await this.cluster.request<string>(name, { type: "cib" });
    if (value === undefined) throw new Violation(`${name} does not tell its CIB: ${error}`);
    return parseXml(value);
  }

  /** Failures that are counted against a resource on a node. */
  failCount(rsc: string, node: string): Promise<number> {
    return this.#counted(`fail-count-${rsc}#`, node);
  }

  /** Starts of a resource that have failed on a node. */
  startFailures(rsc: string, node: string): Promise<number> {
    return this.#counted(`fail-count-${rsc}#start_0`, node);
  }

  async #counted(prefix: string, node: string): Promise<number> {
    const uname = this.cluster.nodeName(node);
    const counted = valuesOf(await this.cib(), `//node_state[@uname='${uname}']/transient_attributes`);
    return [...counted]
      .filter(([name]) => name.startsWith(prefix))
      .reduce((sum, [, value]) => sum + (value === "INFINITY" ? Number.POSITIVE_INFINITY : Number(value)), 0);
  }

  async leader(): Promise<string> {
    const leader = await this.cluster.leader();
    if (leader === undefined) throw new Violation("there is no leader");
    return leader;
  }

  /** The node with the promoted instance, the first when there are more. @throws Violation */
  promoted(): string {
    const [node] = this.cluster.promoted();
    if (node === undefined) throw new Violation("nothing is promoted");
    return node;
  }

  /** A place in the journal, for `actionsSince`. */
  here(): number {
    return this.cluster.journal.length;
  }

  /** What agents were asked to do since a place, monitors aside. */
  actionsSince(place: number): JournalEntry[] {
    return this.cluster.journal.actionsSince(place);
  }

  /** @throws Violation when agents were asked to do anything but monitors since a place */
  noActionsSince(place: number, why: string): void {
    const actions = this.actionsSince(place);
    this.check(
      actions.length === 0,
      `${actions.length} actions ${why}: ${actions.slice(0, 6).map(describeEntry).join(", ")}`,
    );
  }

  /** Switches of the power since the scenario began, by fencing. */
  fenced(): Switched[] {
    return this.cluster.power.switched.slice(this.#powerFrom);
  }

  /** How often fencing has switched a machine off since the scenario began. */
  offs(machine: string): number {
    return this.fenced().filter(({ action, node }) => node === machine && action !== "on").length;
  }

  /** Lines of the logs since the scenario began. */
  logLines(pattern: RegExp, names: Iterable<string> = this.cluster.machines.all.keys()): string[] {
    return [...names].flatMap((name) =>
      this.cluster
        .logOf(name)
        .slice(this.#logFrom.get(name) ?? 0)
        .split("\n")
        .filter((line) => pattern.test(line)),
    );
  }

  /** What was wrong on the way, judged at the end. */
  violations(): string[] {
    const { cluster, allowed } = this;
    const found = ownershipViolations(cluster.journal.entries(), cluster.mix.rules, this.#journalFrom);
    for (const { action, node } of this.fenced())
      if (!allowed.fencing.has(node)) found.push(`fenced without cause: ${action} ${node}`);
    for (const line of this.logLines(troubleLine))
      if (!allowed.errors.some((pattern) => pattern.test(line)) && !tellsOfLoss(line, allowed.fencing))
        found.push(`log: ${line.slice(0, 300)}`);
    for (const name of cluster.machines.all.keys()) {
      const crash = crashLine.exec(cluster.outputOf(name).slice(this.#outputFrom.get(name) ?? 0));
      if (crash) found.push(`${name} says ${crash[0].slice(0, 300)}`);
    }
    return [...new Set(found)];
  }
}

/** A node that the scenario takes away is lost to the others, and that is an error to them. */
function tellsOfLoss(line: string, lost: ReadonlySet<string>): boolean {
  const node = /node (\S+) is lost/.exec(line)?.[1];
  return node !== undefined && lost.has(node);
}

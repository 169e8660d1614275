import type { HactlError, Millis, NodeName } from "../terms/index.ts";
import { FOR_ALL, FOR_CLUSTER, type Limits, tooMuch } from "./limits.ts";

/** A change of one transient node attribute, as it travels in the cluster's message order. */
export interface AttributeUpdate {
  readonly node: NodeName;
  readonly name: string;
  /** `undefined` deletes it. `value++` and `value+=N` add to a number, as attrd_updater(8) allows. */
  readonly value: string | undefined;
  /** Wait so long for further changes before the CIB sees any (`attrd_updater -d`). */
  readonly dampenMs?: Millis;
  /** The delay counts only if the attribute is new; one that exists keeps its own (`-d` without `-B` or `-Y`). */
  readonly dampenIfNew?: boolean;
  /** Set the delay and nothing else (`-Y`). */
  readonly delayOnly?: boolean;
  /** Never written to the CIB (`attrd_updater -p`). */
  readonly private?: boolean;
  /** Nobody knows the node: the value is kept for it, and the CIB sees it when the node is known (`meet`). */
  readonly held?: boolean;
  /** Which set of the node's transient attributes holds it; default `status-NODEID`. */
  readonly set?: "attributes" | "utilization";
}

/** What the table wants done after a change. */
export type AttributeEffect =
  /** Write this value into the status section now. */
  | {
      readonly type: "write";
      readonly node: NodeName;
      readonly name: string;
      readonly value: string | undefined;
      readonly set: "attributes" | "utilization";
    }
  /** Start the dampening of this name, unless one runs. */
  | { readonly type: "dampen"; readonly name: string; readonly afterMs: Millis };

interface Entry {
  dampenMs: Millis;
  private: boolean;
  set: "attributes" | "utilization";
  readonly values: Map<NodeName, string>;
  /** What the CIB has. */
  readonly written: Map<NodeName, string>;
  /** Nodes that nobody knows yet: nothing is written for them. */
  readonly held: Set<NodeName>;
  /** Among these nodes are all, but for held ones, of which the CIB may have something else. */
  readonly differing: Set<NodeName>;
}

/** A copy of the whole table, for a node that joins. */
export type AttributeSnapshot = readonly {
  readonly name: string;
  readonly dampenMs: Millis;
  readonly private: boolean;
  readonly set: "attributes" | "utilization";
  readonly values: readonly (readonly [NodeName, string])[];
  readonly written: readonly (readonly [NodeName, string])[];
  readonly held?: readonly NodeName[];
}[];

/**
 * The transient attributes of every node, the same on every member because updates are applied in the message
 * order. Dampening (attrd_updater(8) `--delay`): the first change of a name starts its delay; what the values
 * are when it ends is written at once for all nodes, so the scheduler runs once.
 */
export class AttributeTable {
  #entries = new Map<string, Entry>();
  #revision = 0;
  /** Values of each node, and how many are held. */
  #perNode = new Map<NodeName, number>();
  #values = 0;
  #characters = 0;
  #heldValues = 0;

  /** Entries as they were at each `begin`, the innermost last; undefined for those that were not there. */
  readonly #saved: Map<string, Entry | undefined>[] = [];

  /** Grows whenever the table may have changed. */
  get revision(): number {
    return this.#revision;
  }

  /** What is done from now on can be taken back. */
  begin(): void {
    this.#saved.push(new Map());
  }

  /** What was done since `begin` stays, unless what was begun before it is taken back. */
  commit(): void {
    const inner = this.#saved.pop();
    const outer = this.#saved.at(-1);
    if (!outer) return;
    for (const [name, entry] of inner ?? []) if (!outer.has(name)) outer.set(name, entry);
  }

  /** Everything is as it was at `begin`. */
  rollback(): void {
    this.#revision++;
    for (const [name, entry] of this.#saved.pop() ?? []) {
      if (entry) this.#entries.set(name, entry);
      else this.#entries.delete(name);
    }
    this.#count();
  }

  /**
   * Why so many changes at once are not possible, on every member alike. What makes nothing more is never refused.
   * @param byCluster the cluster itself wants them: it may go further, so that nobody keeps it from counting failures
   */
  refusal(updates: readonly AttributeUpdate[], byCluster = false): HactlError | undefined {
    const limits: Limits = byCluster ? FOR_CLUSTER : FOR_ALL;
    const added = new Map<NodeName, number>();
    const seen = new Map<string, Set<NodeName>>();
    let [values, characters, held] = [0, 0, 0];
    for (const { node, name, value, delayOnly, held: isHeld } of updates) {
      if (value === undefined || delayOnly) continue;
      const entry = this.#entries.get(name);
      const old = entry?.values.get(node);
      characters += Math.max(0, value.length - (old?.length ?? 0));
      const nodes = seen.get(name) ?? new Set();
      if (nodes.has(node)) continue;
      seen.set(name, nodes.add(node));
      if (isHeld && !entry?.held.has(node)) held++;
      if (old !== undefined) continue;
      values++;
      characters += name.length;
      added.set(node, (added.get(node) ?? 0) + 1);
    }
    const strangers = [...added.keys()].filter((node) => !this.#perNode.has(node)).length;
    if (strangers > 0 && this.#perNode.size + strangers > limits.nodes)
      return tooMuch(`attributes of ${limits.nodes} nodes`);
    for (const [node, more] of added)
      if ((this.#perNode.get(node) ?? 0) + more > limits.perNode)
        return tooMuch(`${limits.perNode} attributes of node ${node}`);
    if (values > 0 && this.#values + values > limits.values)
      return tooMuch(`${limits.values} values of attributes`);
    if (held > 0 && this.#heldValues + held > limits.held)
      return tooMuch(`${limits.held} values of attributes of nodes that nobody knows`);
    if (characters > 0 && this.#characters + characters > limits.characters)
      return tooMuch(`${limits.characters} characters in attributes`);
    return undefined;
  }

  /** Applies one change and says what follows from it. */
  apply(update: AttributeUpdate): AttributeEffect[] {
    this.#revision++;
    const isNew = !this.#entries.has(update.name);
    if (isNew && isNothing(update)) return [];
    if (isNew && this.#entries.size >= MOST_NAMES) this.#dropEmpty();
    this.#touch(update.name);
    const entry = this.#entry(update.name);
    if (update.dampenMs !== undefined && (isNew || !update.dampenIfNew)) entry.dampenMs = update.dampenMs;
    if (update.private !== undefined) entry.private = update.private;
    if (update.set !== undefined) entry.set = update.set;
    if (update.delayOnly) return [];
    const old = entry.values.get(update.node);
    const value = update.value === undefined ? undefined : evaluate(update.value, old);
    this.#put(update.name, entry, update.node, value, update.held);
    if (entry.private || entry.held.has(update.node) || value === entry.written.get(update.node)) return [];
    if (entry.dampenMs > 0) return [{ type: "dampen", name: update.name, afterMs: entry.dampenMs }];
    return this.#write(update.name, entry);
  }

  /** Ends the dampening of a name: its values go into the CIB. */
  flush(name: string): AttributeEffect[] {
    this.#revision++;
    this.#touch(name);
    const entry = this.#entries.get(name);
    return entry && !entry.private ? this.#write(name, entry) : [];
  }

  /** Whether something is kept for nodes that nobody knew. */
  get holds(): boolean {
    return [...this.#entries.values()].some(({ held }) => held.size > 0);
  }

  /** Nodes are known now: what was kept for them is written. */
  meet(known: ReadonlySet<string>): AttributeEffect[] {
    return [...this.#entries].flatMap(([name, { held }]) => {
      const met = [...held].filter((node) => known.has(node));
      if (met.length === 0) return [];
      this.#revision++;
      this.#touch(name);
      const entry = this.#entry(name);
      for (const node of met) {
        entry.held.delete(node);
        this.#heldValues--;
        entry.differing.add(node);
      }
      return entry.private ? [] : this.#write(name, entry);
    });
  }

  /** Forgets everything about a node that has left; its section of the status is removed elsewhere. */
  removeNode(node: NodeName): void {
    this.#revision++;
    for (const [name, entry] of this.#entries) {
      if (!entry.values.has(node) && !entry.written.has(node)) continue;
      this.#touch(name);
      this.#put(name, entry, node, undefined);
      entry.written.delete(node);
      entry.differing.delete(node);
    }
  }

  /** Current value, dampened or not. */
  get(node: NodeName, name: string): string | undefined {
    return this.#entries.get(name)?.values.get(node);
  }

  /** Names that have a value for some node, private ones too. */
  names(): string[] {
    return [...this.#entries].filter(([, entry]) => entry.values.size > 0).map(([name]) => name);
  }

  /** All values of a name. */
  values(name: string): ReadonlyMap<NodeName, string> {
    return this.#entries.get(name)?.values ?? new Map();
  }

  /** What is known of one node alone. */
  ofNode(node: NodeName): AttributeSnapshot {
    const only = (values: readonly (readonly [NodeName, string])[]) => values.filter(([at]) => at === node);
    return this.snapshot()
      .map((entry) => ({ ...entry, values: only(entry.values), written: only(entry.written) }))
      .filter(({ values, written }) => values.length + written.length > 0);
  }

  /**
   * Another table's knowledge of a node takes the place of what was known of it here. What the CIB had is there again at
   * once, and what was being dampened goes on being dampened.
   */
  takeNode(node: NodeName, told: AttributeSnapshot): AttributeEffect[] {
    this.removeNode(node);
    return told.flatMap(({ name, dampenMs, private: hidden, set, values, written }): AttributeEffect[] => {
      const value = new Map(values).get(node);
      const known = new Map(written).get(node);
      if (value !== undefined && this.refusal([{ node, name, value }], true)) return [];
      this.#touch(name);
      const entry = this.#entry(name);
      Object.assign(entry, { dampenMs, private: hidden, set });
      if (value !== undefined) this.#put(name, entry, node, value);
      if (known !== undefined) entry.written.set(node, known);
      entry.differing.add(node);
      return [
        ...(known === undefined ? [] : [{ type: "write" as const, node, name, value: known, set }]),
        ...(hidden || value === known ? [] : [{ type: "dampen" as const, name, afterMs: dampenMs }]),
      ];
    });
  }

  /** Values that the CIB does not have yet: for a copy of the table, whose timers nobody has started. */
  dampened(): AttributeEffect[] {
    return [...this.#entries].flatMap(([name, { private: hidden, dampenMs, values, written, held }]) => {
      const nodes = [...new Set([...values.keys(), ...written.keys()])].filter((node) => !held.has(node));
      if (hidden || nodes.every((node) => values.get(node) === written.get(node))) return [];
      return [{ type: "dampen", name, afterMs: dampenMs }];
    });
  }

  /** All that the CIB was given, to be written once more: somebody may have changed it there. */
  rewrite(): Extract<AttributeEffect, { type: "write" }>[] {
    return [...this.#entries].flatMap(([name, { set, written }]) =>
      [...written].map(([node, value]) => ({ type: "write" as const, node, name, value, set })),
    );
  }

  snapshot(): AttributeSnapshot {
    return [...this.#entries].map(([name, { dampenMs, private: hidden, set, values, written, held }]) => ({
      name,
      dampenMs,
      private: hidden,
      set,
      values: [...values],
      written: [...written],
      ...(held.size === 0 ? {} : { held: [...held] }),
    }));
  }

  restore(snapshot: AttributeSnapshot): void {
    this.#revision++;
    this.#entries = new Map(
      snapshot.map(({ name, dampenMs, private: hidden, set, values, written, held }) => [
        name,
        {
          ...{ dampenMs, private: hidden, set },
          ...{ values: new Map(values), written: new Map(written), held: new Set(held) },
          differing: new Set([...values, ...written].map(([node]) => node)),
        },
      ]),
    );
    this.#count();
  }

  /** The entry is about to be changed. */
  #touch(name: string): void {
    const saved = this.#saved.at(-1);
    if (!saved || saved.has(name)) return;
    const entry = this.#entries.get(name);
    saved.set(
      name,
      entry && {
        ...entry,
        ...{ values: new Map(entry.values), written: new Map(entry.written), held: new Set(entry.held) },
        differing: new Set(entry.differing),
      },
    );
  }

  /** A node has this value, or none. */
  #put(name: string, entry: Entry, node: NodeName, value: string | undefined, held = false): void {
    const old = entry.values.get(node);
    if (old !== undefined) this.#tally(name, node, old, -1);
    if (entry.held.delete(node)) this.#heldValues--;
    entry.differing.add(node);
    if (value === undefined) {
      entry.values.delete(node);
      return;
    }
    entry.values.set(node, value);
    this.#tally(name, node, value, 1);
    if (!held) return;
    entry.held.add(node);
    this.#heldValues++;
  }

  #tally(name: string, node: NodeName, value: string, sign: 1 | -1): void {
    const left = (this.#perNode.get(node) ?? 0) + sign;
    if (left === 0) this.#perNode.delete(node);
    else this.#perNode.set(node, left);
    this.#values += sign;
    this.#characters += sign * (name.length + value.length);
  }

  #count(): void {
    this.#perNode = new Map();
    this.#values = 0;
    this.#characters = 0;
    this.#heldValues = 0;
    for (const [name, { values, held }] of this.#entries) {
      for (const [node, value] of values) this.#tally(name, node, value, 1);
      this.#heldValues += held.size;
    }
  }

  /** Names of which nothing but a delay is known go all at once when there are too many: the same on every member. */
  #dropEmpty(): void {
    for (const [name, { values, written }] of this.#entries) {
      if (values.size + written.size > 0) continue;
      this.#touch(name);
      this.#entries.delete(name);
    }
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (!entry) {
      entry = {
        ...{ dampenMs: 0, private: false, set: "attributes" },
        ...{ values: new Map(), written: new Map(), held: new Set(), differing: new Set() },
      };
      this.#entries.set(name, entry);
    }
    return entry;
  }

  #write(name: string, entry: Entry): AttributeEffect[] {
    const effects: AttributeEffect[] = [];
    const nodes = [...entry.differing].sort();
    entry.differing.clear();
    for (const node of nodes) {
      const value = entry.values.get(node);
      if (entry.held.has(node) || value === entry.written.get(node)) continue;
      if (value === undefined) entry.written.delete(node);
      else entry.written.set(node, value);
      effects.push({ type: "write", node, name, value, set: entry.set });
    }
    return effects;
  }
}

/** Names that are remembered before those without a value are forgotten. */
const MOST_NAMES = 2 * FOR_CLUSTER.values;

/** Deletes what is not there, and sets nothing else. */
const isNothing = ({ value, delayOnly, dampenMs, private: hidden, set }: AttributeUpdate): boolean =>
  value === undefined && !delayOnly && dampenMs === undefined && hidden === undefined && set === undefined;

const limit = 1_000_000;

/** `value++` adds 1, `value+=N` adds N to the old number (INFINITY stays); anything else is taken as it is. */
function evaluate(value: string, old: string | undefined): string {
  const match = /^value(?:\+\+|\+=(-?\d+|-?INFINITY))$/.exec(value);
  if (!match) return value;
  const sum = toNumber(old) + (match[1] === undefined ? 1 : toNumber(match[1]));
  if (sum >= limit) return "INFINITY";
  return sum <= -limit ? "-INFINITY" : String(sum);
}

function toNumber(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (/^\+?INFINITY$/i.test(text)) return limit;
  if (/^-INFINITY$/i.test(text)) return -limit;
  const number = Number.parseInt(text, 10);
  return Number.isFinite(number) ? number : 0;
}

import type { TotemEffect } from "../../src/totem/index.ts";
import type { Machine, Network, Seen } from "./network.ts";

type Configuration = Extract<TotemEffect, { type: "configuration" }>;

/** What one node delivered between one configuration and the next. */
interface Segment {
  readonly kind: "regular" | "transitional";
  readonly ring: string;
  readonly members: readonly number[];
  readonly delivered: string[];
  next: string | undefined;
}

interface Life {
  readonly node: number;
  readonly segments: Segment[];
  readonly delivered: Set<string>;
  readonly lastFrom: Map<string, number>;
  crashed: boolean;
}

const ringName = (ring: { representative: number; sequence: number }) =>
  `${ring.representative}.${ring.sequence}`;

/**
 * Watches what the applications see and checks extended virtual synchrony: one total order for each ring, no gap and
 * no repetition, the same messages for all who go from one configuration to the next together, self-delivery, and
 * that a safe message delivered in a configuration reaches every member of it that lives.
 */
export class History {
  readonly #network: Network;
  readonly #lives = new Map<string, Life>();
  /** Per ring and sequence number the messages in it. */
  readonly #order = new Map<string, string[]>();
  readonly #members = new Map<string, string>();
  readonly #highestRing = new Map<number, number>();
  readonly #sent: { readonly life: Life; readonly text: string }[] = [];
  readonly #safe = new Set<string>();
  /** Safe messages and the members of the configuration in which somebody has delivered them. */
  readonly #promises = new Map<string, readonly Life[]>();
  readonly #cursor = new Map<string, { key: string; at: number }>();
  #count = 0;

  constructor(network: Network) {
    this.#network = network;
    network.onSeen = (machine, seen) => this.#see(machine, seen);
  }

  /** Sends a message that names its sender and number, padded to `size` bytes. */
  send(id: number, guarantee: "agreed" | "safe", size = 0): void {
    const machine = this.#network.machine(id);
    if (!machine.up) return;
    const text = `${id}/${machine.life}/${this.#count++}/`;
    if (guarantee === "safe") this.#safe.add(text);
    this.#sent.push({ life: this.#life(machine), text });
    this.#network.send(id, text.padEnd(size, "x"), guarantee);
  }

  crash(id: number): void {
    this.#life(this.#network.machine(id)).crashed = true;
    this.#network.crash(id);
  }

  /** An orderly exit; what has not been delivered yet may be lost with it. */
  leave(id: number): void {
    const machine = this.#network.machine(id);
    if (!machine.up) return;
    this.#life(machine).crashed = true;
    machine.pausedUntil = 0;
    machine.waiting = [];
    this.#network.feed(machine, { type: "leave" });
    this.#network.crash(id);
  }

  /** To be called when the network has been whole and quiet for a while. */
  finish(): void {
    const lost = this.#sent.filter(({ life, text }) => !life.crashed && !life.delivered.has(text));
    if (lost.length > 0)
      throw new Error(`not delivered to their sender: ${lost.map(({ text }) => text).join(" ")}`);
    for (const [text, lives] of this.#promises) {
      const without = lives.filter((life) => !life.crashed && !life.delivered.has(text));
      if (without.length > 0)
        throw new Error(`safe message ${text} not at ${without.map(({ node }) => node)}`);
    }
    this.#compareSegments();
  }

  get deliveries(): number {
    return [...this.#lives.values()].reduce((sum, life) => sum + life.delivered.size, 0);
  }

  #life(machine: Machine): Life {
    const key = `${machine.id}/${machine.life}`;
    const known = this.#lives.get(key);
    if (known) return known;
    const life = {
      node: machine.id,
      segments: [],
      delivered: new Set<string>(),
      lastFrom: new Map(),
      crashed: false,
    };
    this.#lives.set(key, life);
    return life;
  }

  #see(machine: Machine, seen: Seen): void {
    const life = this.#life(machine);
    if (seen.type === "configuration") this.#configuration(machine, life, seen);
    else this.#delivery(machine, life, seen);
  }

  #configuration(machine: Machine, life: Life, seen: Configuration): void {
    const ring = ringName(seen.ringId);
    const last = life.segments.at(-1);
    const name = `${seen.kind} ${ring} of ${seen.members.join(" ")}`;
    if (last) last.next = name;
    if (!seen.members.includes(machine.id)) throw new Error(`${machine.id} is not in its own ${name}`);
    if (seen.kind === "regular") {
      const members = seen.members.join(" ");
      const known = this.#members.get(ring) ?? members;
      if (known !== members) throw new Error(`ring ${ring} has members ${known} and ${members}`);
      this.#members.set(ring, members);
      if (seen.ringId.sequence <= (this.#highestRing.get(machine.id) ?? 0))
        throw new Error(`${name} goes back`);
      this.#highestRing.set(machine.id, seen.ringId.sequence);
    } else if (last?.kind !== "regular" || !seen.members.every((id) => last.members.includes(id))) {
      throw new Error(`${name} does not follow from ${last?.kind} ${last?.members.join(" ")}`);
    }
    life.segments.push({ kind: seen.kind, ring, members: seen.members, delivered: [], next: undefined });
  }

  #delivery(machine: Machine, life: Life, seen: Extract<Seen, { type: "deliver" }>): void {
    const text = new TextDecoder().decode(seen.payload).replace(/x+$/, "");
    const segment = life.segments.at(-1);
    if (!segment) throw new Error(`${machine.id} delivers ${text} outside of a configuration`);
    if (life.delivered.has(text)) throw new Error(`${machine.id} delivers ${text} twice`);
    life.delivered.add(text);
    segment.delivered.push(text);
    const [sender, senderLife, number] = text.split("/");
    const source = `${sender}/${senderLife}`;
    if (Number(sender) !== seen.from) throw new Error(`${text} is said to be from ${seen.from}`);
    if (Number(number) <= (life.lastFrom.get(source) ?? -1))
      throw new Error(`${machine.id}: ${text} out of order`);
    life.lastFrom.set(source, Number(number));
    this.#checkOrder(machine, life, ringName(seen.ringId), seen.sequence, text);
    if (this.#safe.has(text) && segment.kind === "regular") {
      const lives = [...this.#lives.values()].filter(({ segments }) =>
        segments.some(({ kind, ring }) => kind === "regular" && ring === segment.ring),
      );
      this.#promises.set(text, lives);
    }
  }

  #checkOrder(machine: Machine, life: Life, ring: string, sequence: number, text: string): void {
    const who = `${life.node}/${machine.life}/${ring}`;
    const key = `${ring}/${sequence}`;
    const before = this.#cursor.get(who);
    if (before && Number(before.key.split("/")[1]) > sequence)
      throw new Error(`${who}: ${sequence} after ${before.key}`);
    const at = before?.key === key ? before.at + 1 : 0;
    this.#cursor.set(who, { key, at });
    const there = this.#order.get(key) ?? [];
    this.#order.set(key, there);
    if (there[at] === undefined) there[at] = text;
    else if (there[at] !== text) throw new Error(`${who}: ${key}[${at}] is ${text}, elsewhere ${there[at]}`);
  }

  #compareSegments(): void {
    const together = new Map<string, Segment & { readonly node: number }>();
    const regular = new Map<string, string[]>();
    for (const { node, segments } of this.#lives.values()) {
      for (const segment of segments) {
        const delivered = segment.delivered.join(" ");
        if (segment.kind === "regular") {
          const longest = regular.get(segment.ring) ?? [];
          const [short, long] = [longest, segment.delivered].sort((a, b) => a.length - b.length);
          if (short?.some((text, index) => long?.[index] !== text))
            throw new Error(`order in ring ${segment.ring}`);
          regular.set(segment.ring, long ?? []);
        }
        if (segment.next === undefined) continue;
        const key = `${segment.kind} ${segment.ring} of ${segment.members.join(" ")} then ${segment.next}`;
        const other = together.get(key);
        if (other && other.delivered.join(" ") !== delivered) {
          throw new Error(
            `${key}: ${node} delivered ${delivered}, ${other.node} ${other.delivered.join(" ")}`,
          );
        }
        together.set(key, { ...segment, node });
      }
    }
  }
}

import type { NodeId } from "../../src/terms/index.ts";
import { nodeId } from "../../src/terms/index.ts";
import { SingleRing, type TotemEffect, type TotemEvent, type TotemOptions } from "../../src/totem/index.ts";

/** A small generator of pseudo-random numbers in [0, 1) (mulberry32), so that a run can be repeated. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export const options: TotemOptions = {
  tokenMs: 1000,
  tokenWarning: 75,
  tokenRetransmitMs: 238,
  holdMs: 180,
  joinMs: 50,
  sendJoinMs: 0,
  consensusMs: 1200,
  mergeMs: 200,
  failRecvConst: 2500,
  seqnoUnchangedConst: 30,
  missCountConst: 5,
  windowSize: 50,
  maxMessages: 17,
  netmtu: 1500,
  cancelTokenHoldOnRetransmit: false,
};

export interface Faults {
  loss: number;
  duplicate: number;
  /** Delay of a datagram, from and to. */
  delay: readonly [number, number];
  persistMs: number;
}

/** What the application of a node has seen, in order. */
export type Seen = Extract<TotemEffect, { type: "deliver" | "configuration" }>;

export interface Machine {
  readonly id: NodeId;
  ring: SingleRing;
  /** Counts starts; what belongs to an earlier one is dead. */
  life: number;
  up: boolean;
  pausedUntil: number;
  /** Events that came during a pause. */
  waiting: TotemEvent[];
  stored: number;
  seen: Seen[];
  logs: string[];
  readonly timers: Map<string, number>;
}

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** A heap by time, then by order of insertion. */
class Tasks {
  readonly #heap: Task[] = [];
  get size(): number {
    return this.#heap.length;
  }
  push(task: Task): void {
    const heap = this.#heap;
    let index = heap.push(task) - 1;
    while (index > 0) {
      const up = (index - 1) >> 1;
      if (!this.#before(index, up)) break;
      this.#swap(index, up);
      index = up;
    }
  }
  peek(): Task | undefined {
    return this.#heap[0];
  }
  pop(): Task | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!last || heap.length === 0) return top;
    heap[0] = last;
    let index = 0;
    for (;;) {
      let least = index;
      for (const down of [2 * index + 1, 2 * index + 2]) {
        if (down < heap.length && this.#before(down, least)) least = down;
      }
      if (least === index) return top;
      this.#swap(index, least);
      index = least;
    }
  }
  #before(a: number, b: number): boolean {
    const x = this.#heap[a];
    const y = this.#heap[b];
    if (!x || !y) return false;
    return x.at < y.at || (x.at === y.at && x.order < y.order);
  }
  #swap(a: number, b: number): void {
    const x = this.#heap[a];
    const y = this.#heap[b];
    if (!x || !y) return;
    this.#heap[a] = y;
    this.#heap[b] = x;
  }
}

/** Several single rings on virtual time with a network that may lose, delay, duplicate and cut one way. */
export class Network {
  now = 0;
  readonly machines = new Map<NodeId, Machine>();
  readonly faults: Faults = { loss: 0, duplicate: 0, delay: [0.1, 0.3], persistMs: 1 };
  /** Called for every application effect. */
  onSeen: (machine: Machine, seen: Seen) => void = () => {};
  /** Called for every datagram that a node sends. */
  onTransmit: (data: Uint8Array) => void = () => {};
  datagrams = 0;
  /** Bytes of the longest datagram. */
  longest = 0;
  readonly #cut = new Set<string>();
  readonly #tasks = new Tasks();
  readonly #random: () => number;
  readonly #options: TotemOptions;
  #order = 0;

  constructor(count: number, seed = 1, changes: Partial<TotemOptions> = {}) {
    this.#random = random(seed);
    this.#options = { ...options, ...changes };
    const ids = Array.from({ length: count }, (_, index) => nodeId(index + 1));
    for (const id of ids) {
      this.machines.set(id, {
        id,
        ring: new SingleRing({ self: id, peers: ids, options: this.#options }),
        life: 0,
        up: false,
        pausedUntil: 0,
        waiting: [],
        stored: 0,
        seen: [],
        logs: [],
        timers: new Map(),
      });
    }
  }

  machine(id: number): Machine {
    const machine = this.machines.get(nodeId(id));
    if (!machine) throw new Error(`no machine ${id}`);
    return machine;
  }

  start(id: number): void {
    const machine = this.machine(id);
    const peers = [...this.machines.keys()];
    machine.ring = new SingleRing({ self: machine.id, peers, options: this.#options });
    machine.life++;
    machine.pausedUntil = 0;
    machine.up = true;
    machine.seen = [];
    machine.timers.clear();
    machine.waiting = [];
    this.feed(machine, { type: "start", ringSequence: machine.stored });
  }

  startAll(): void {
    for (const id of this.machines.keys()) this.start(id);
  }

  crash(id: number): void {
    const machine = this.machine(id);
    machine.up = false;
    machine.life++;
    machine.waiting = [];
    machine.timers.clear();
  }

  pause(id: number, ms: number): void {
    const machine = this.machine(id);
    machine.pausedUntil = Math.max(machine.pausedUntil, this.now + ms);
  }

  send(id: number, text: string | Uint8Array, guarantee: "agreed" | "safe" = "agreed"): void {
    const machine = this.machine(id);
    const payload = typeof text === "string" ? new TextEncoder().encode(text) : text;
    if (machine.up) this.feed(machine, { type: "send", payload, guarantee });
  }

  /** From now on nothing of `from` reaches `to`. */
  cut(from: number, to: number): void {
    this.#cut.add(`${from}>${to}`);
  }

  split(left: readonly number[], right: readonly number[]): void {
    for (const a of left) {
      for (const b of right) {
        this.cut(a, b);
        this.cut(b, a);
      }
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  after(ms: number, run: () => void): void {
    this.#tasks.push({ at: this.now + ms, order: this.#order++, run });
  }

  run(ms: number): void {
    const end = this.now + ms;
    for (let task = this.#tasks.peek(); task && task.at <= end; task = this.#tasks.peek()) {
      this.#tasks.pop();
      this.now = task.at;
      task.run();
    }
    this.now = end;
  }

  /** Runs until `done`, at most `ms`; whether it was done. */
  until(done: () => boolean, ms: number): boolean {
    const end = this.now + ms;
    while (!done()) {
      const task = this.#tasks.peek();
      if (!task || task.at > end) return false;
      this.#tasks.pop();
      this.now = task.at;
      task.run();
    }
    return true;
  }

  feed(machine: Machine, event: TotemEvent): void {
    if (!machine.up) return;
    if (machine.pausedUntil > this.now || machine.waiting.length > 0) {
      if (machine.waiting.push(event) === 1) this.#wake(machine);
      return;
    }
    this.#step(machine, event);
  }

  /** What came during a pause is handled in its order when the pause is over. */
  #wake(machine: Machine): void {
    const run = () => {
      if (machine.pausedUntil > this.now) return this.#wake(machine);
      for (const event of machine.waiting.splice(0)) if (machine.up) this.#step(machine, event);
    };
    this.#tasks.push({ at: machine.pausedUntil, order: this.#order++, run });
  }

  #step(machine: Machine, event: TotemEvent): void {
    for (const effect of machine.ring.step(event, this.now)) this.#carryOut(machine, effect);
  }

  #carryOut(machine: Machine, effect: TotemEffect): void {
    const { life } = machine;
    switch (effect.type) {
      case "transmit": {
        const targets = effect.to === "all" ? [...this.machines.keys()] : [effect.to];
        for (const to of targets) if (to !== machine.id) this.#transmit(machine.id, to, effect.data);
        return;
      }
      case "set-timer": {
        const mark = this.#order++;
        machine.timers.set(effect.timer, mark);
        this.after(effect.afterMs, () => {
          if (machine.life !== life || machine.timers.get(effect.timer) !== mark) return;
          machine.timers.delete(effect.timer);
          this.feed(machine, { type: "timer", timer: effect.timer });
        });
        return;
      }
      case "cancel-timer":
        machine.timers.delete(effect.timer);
        return;
      case "persist":
        this.after(this.faults.persistMs, () => {
          if (machine.life !== life) return;
          machine.stored = Math.max(machine.stored, effect.ringSequence);
          this.feed(machine, { type: "persisted", ringSequence: effect.ringSequence });
        });
        return;
      case "deliver":
      case "configuration":
        machine.seen.push(effect);
        this.onSeen(machine, effect);
        return;
      case "log":
        machine.logs.push(effect.text);
        return;
    }
  }

  #transmit(from: NodeId, to: NodeId, data: Uint8Array): void {
    this.datagrams++;
    this.onTransmit(data);
    this.longest = Math.max(this.longest, data.length);
    if (this.#cut.has(`${from}>${to}`) || this.#random() < this.faults.loss) return;
    const copies = this.#random() < this.faults.duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const [least, most] = this.faults.delay;
      this.after(least + this.#random() * (most - least), () => {
        this.feed(this.machine(to), { type: "datagram", from, data: data.slice() });
      });
    }
  }

  /** The members of the ring of every running node, if it is operational. */
  rings(): string[] {
    return [...this.machines.values()]
      .filter(({ up }) => up)
      .map(({ id, ring }) => {
        const status = ring.status();
        return `${id}: ${status.state === "operational" ? status.members.join(" ") : status.state}`;
      });
  }

  /** Whether all running nodes are operational in the same ring of just them. */
  whole(): boolean {
    const running = [...this.machines.values()].filter(({ up }) => up);
    const wanted = running.map(({ id }) => id).join(" ");
    return running.every(({ ring }) => {
      const status = ring.status();
      return status.state === "operational" && status.members.join(" ") === wanted;
    });
  }

  /** Texts that a node has delivered. */
  texts(id: number): string[] {
    return this.machine(id).seen.flatMap((seen) =>
      seen.type === "deliver" ? [new TextDecoder().decode(seen.payload)] : [],
    );
  }
}

import {
  RingCore,
  type RingCoreOptions,
  type RingEffect,
  type RingEvent,
  type RingMembership,
  type RingTimer,
} from "../../src/daemon/ring-core.ts";
import { RingStateKeeper } from "../../src/daemon/ring-state.ts";
import type { NodeId } from "../../src/terms/index.ts";
import type { SealCipher } from "../../src/totem/index.ts";
import { SimDisk } from "./disk.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

/** What a node's manager can do. */
export interface ManagerHost {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly now: () => number;
  send(payload: Uint8Array): void;
  /** Runs something later, unless this manager has died by then. */
  after(delayMs: number, run: () => void): void;
}

/** What runs on top of a node's ring; further cores plug in here. */
export interface Manager {
  onMembership(membership: RingMembership): void;
  onDeliver(from: NodeId, payload: Uint8Array): void;
  onChanging?(): void;
}

/** Looks on from outside; throws when a promise is broken. */
export interface NodeObserver {
  onEffect(node: SimNode, effect: RingEffect): void;
  onManagerUp(node: SimNode, incarnation: number): void;
  onManagerDown(node: SimNode, incarnation: number): void;
  onCrash(node: SimNode): void;
}

export interface SimNodeInit {
  readonly options: RingCoreOptions;
  readonly schedule: Schedule;
  readonly network: Network;
  readonly random: Random;
  readonly observer: NodeObserver;
  /** A key has become the key of this node. */
  readonly onAdopt: (key: Uint8Array) => void;
  readonly makeManager: (host: ManagerHost) => Manager;
  readonly cipher: SealCipher;
  readonly trace: ((text: string) => void) | undefined;
}

/** How a machine keeps time. */
export interface SimClock {
  /** Monotonic milliseconds that pass in one of virtual time. */
  rate: number;
  /** Longest delay of a timer. */
  latestMs: number;
}

/** How long the driver waits before it tries again to write. */
const RETRY_MS = 1000;
/** How much too early a timer may fire, since a driver counts whole milliseconds, and how often it does. */
const EARLY = { ms: 0.9, chance: 0.05 };

/** Datagrams that a socket keeps for a process that does not read. */
const SOCKET_LIMIT = 2000;

/** A whole node on virtual time: ring, manager, disk. It can pause, crash and start again. */
export class SimNode {
  readonly id: NodeId;
  core: RingCore | undefined;
  pausedUntil = 0;
  /** When it ran again after its last pause. */
  resumedAt = Number.NEGATIVE_INFINITY;
  startedAt = 0;
  manager: Manager | undefined;
  managerIncarnation = 0;
  leaving = false;
  /** Incarnations of managers begin anywhere after each start, as the driver has it; else they are 1, 2, 3 … */
  scattered = false;
  readonly disk: SimDisk;
  readonly clock: SimClock = { rate: 1, latestMs: 0 };
  private monotonicBase = 0;
  private keeper: RingStateKeeper | undefined;
  private readonly init: SimNodeInit;
  private readonly timers = new Map<RingTimer, () => void>();
  private life = 0;
  /** Datagrams and timers that wait for a paused process, and what came over its local sockets, in order. */
  private waiting: (() => void)[] = [];
  private local: (() => void)[] = [];
  private readonly events: RingEvent[] = [];
  options: RingCoreOptions;

  constructor(init: SimNodeInit) {
    this.init = init;
    this.options = init.options;
    this.id = init.options.self;
    this.disk = new SimDisk(init.schedule, init.random, init.options.key);
    init.network.attach(this.id, (link, address, data) => this.arrive(link, address, data));
  }

  get isUp(): boolean {
    return this.core !== undefined;
  }

  get isPaused(): boolean {
    return this.pausedUntil > 0;
  }

  /** Switches the node on. Without a readable state the ring says so and ends. */
  start(withManager: boolean): void {
    if (this.core || this.disk.damaged) return;
    const { schedule, random, cipher, trace } = this.init;
    this.life += 1;
    this.leaving = false;
    this.startedAt = schedule.now;
    // Monotonic clocks begin anywhere.
    this.monotonicBase = random.between(0, 1_000_000);
    if (this.scattered) this.managerIncarnation = random.between(0, 2 ** 31);
    const { state, keys } = this.disk;
    trace?.(`node ${this.id} starts, ring sequence ${state.ringSequence}`);
    this.keeper = this.makeKeeper();
    const options = { ...this.options, key: keys.key, ...(keys.next && { nextKey: keys.next }) };
    this.core = new RingCore(options, random.bytes(8), this.now(), cipher);
    this.step({ type: "start", ...state });
    if (withManager) this.startManager();
  }

  /** The machine's monotonic clock. */
  now(): number {
    return this.monotonicBase + (this.init.schedule.now - this.startedAt) * this.clock.rate;
  }

  /** Power off: everything but the disk is gone, also writes that were not confirmed. */
  crash(): void {
    if (!this.core) return;
    this.init.trace?.(`node ${this.id} crashes`);
    this.stopManager(false);
    this.core = undefined;
    this.life += 1;
    this.disk.crash();
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
    this.waiting = [];
    this.local = [];
    this.pausedUntil = 0;
    this.init.observer.onCrash(this);
  }

  /** Says goodbye and ends. */
  leave(): void {
    if (!this.core || this.leaving) return;
    this.init.trace?.(`node ${this.id} leaves`);
    this.leaving = true;
    this.stopManager(true);
    this.step({ type: "leave" });
    this.endWhenWritten(this.life);
  }

  /** The driver ends when the goodbye has left the machine and what it was writing is on disk. */
  private endWhenWritten(life: number): void {
    this.init.schedule.after(20, () => {
      if (this.life !== life) return;
      if (this.disk.idle) this.crash();
      else this.endWhenWritten(life);
    });
  }

  /** The process is not scheduled for a while; datagrams and timers wait. */
  pause(forMs: number): void {
    if (!this.core) return;
    this.init.trace?.(`node ${this.id} pauses for ${forMs} ms`);
    this.pausedUntil = Math.max(this.pausedUntil, this.init.schedule.now + forMs);
    const life = this.life;
    this.init.schedule.after(forMs, () => {
      if (this.life === life && this.init.schedule.now >= this.pausedUntil) this.resume();
    });
  }

  /** The process runs again: what waited for it comes at once, first what came over its local sockets. */
  resume(): void {
    if (!this.core || this.pausedUntil === 0) return;
    const { life } = this;
    this.pausedUntil = 0;
    this.resumedAt = this.init.schedule.now;
    this.init.trace?.(`node ${this.id} runs again`);
    const waiting = this.init.random.chance(0.5) ? this.waiting : this.init.random.shuffle(this.waiting);
    this.waiting = [];
    while (this.life === life) {
      const next = this.local.shift();
      if (!next) break;
      next();
    }
    for (const run of waiting) if (this.life === life) run();
  }

  startManager(): void {
    if (!this.core || this.manager || this.leaving) return;
    this.managerIncarnation += 1;
    const incarnation = this.managerIncarnation;
    this.init.trace?.(`node ${this.id}: manager ${incarnation} comes up`);
    this.manager = this.init.makeManager({
      node: this.id,
      incarnation,
      now: () => this.init.schedule.now,
      send: (payload) => {
        if (this.managerIncarnation === incarnation && this.manager) {
          this.whenRunning(this.local, () => {
            if (this.managerIncarnation === incarnation && this.manager)
              this.step({ type: "manager-send", payload });
          });
        }
      },
      after: (delayMs, run) => {
        const whileAlive = () => {
          if (this.managerIncarnation === incarnation && this.manager) run();
        };
        this.init.schedule.after(delayMs, () => {
          if (this.isPaused) this.local.push(whileAlive);
          else whileAlive();
        });
      },
    });
    this.init.observer.onManagerUp(this, incarnation);
    this.whenRunning(this.local, () => this.step({ type: "manager-up", incarnation }));
  }

  stopManager(tellRing: boolean): void {
    if (!this.manager) return;
    this.init.trace?.(`node ${this.id}: manager ${this.managerIncarnation} dies`);
    this.manager = undefined;
    this.init.observer.onManagerDown(this, this.managerIncarnation);
    if (tellRing) this.whenRunning(this.local, () => this.step({ type: "manager-down" }));
  }

  /** Something that comes over a local socket: waits when the process is paused. */
  receive(event: RingEvent): void {
    if (this.core) this.whenRunning(this.local, () => this.step(event));
  }

  step(event: RingEvent): void {
    this.events.push(event);
    // An event that an effect causes is taken when all effects of the event before have been carried out.
    if (this.events.length > 1) return;
    for (let at = 0; at < this.events.length; at++) {
      const next = this.events[at];
      if (!next || !this.core) break;
      for (const effect of this.core.step(next, this.now())) {
        this.init.observer.onEffect(this, effect);
        this.carryOut(effect);
      }
    }
    this.events.length = 0;
  }

  private arrive(link: number, address: string, data: Uint8Array): void {
    if (!this.core) return;
    if (!this.isPaused) this.step({ type: "datagram", link, address, data });
    else if (this.waiting.length < SOCKET_LIMIT)
      this.waiting.push(() => this.step({ type: "datagram", link, address, data }));
  }

  private whenRunning(queue: (() => void)[], run: () => void): void {
    // What comes over a local socket does not overtake what waits there.
    if (this.isPaused || (queue === this.local && queue.length > 0)) queue.push(run);
    else run();
  }

  private carryOut(effect: RingEffect): void {
    const { network, trace } = this.init;
    switch (effect.type) {
      case "send":
        network.send(effect.link, this.id, effect.to, effect.data);
        return;
      case "set-timer":
        this.setTimer(effect.timer, effect.afterMs);
        return;
      case "cancel-timer":
        this.timers.get(effect.timer)?.();
        this.timers.delete(effect.timer);
        return;
      case "persist":
        this.keeper?.change({ ringSequence: effect.ringSequence }, () =>
          this.step({ type: "persisted", ringSequence: effect.ringSequence }),
        );
        return;
      case "persist-expected-votes":
        this.keeper?.change({ expectedVotes: effect.expectedVotes, lastQuorate: effect.lastQuorate });
        return;
      case "store-key": {
        const { key, digest } = effect;
        this.keepKey(
          () => ({ key: this.disk.keys.key, next: key }),
          () => this.step({ type: "key-stored", digest }),
        );
        return;
      }
      case "adopt-key": {
        const { key, digest } = effect;
        this.keepKey(
          () => {
            this.init.onAdopt(key);
            return { key, next: undefined };
          },
          () => this.step({ type: "key-adopted", digest }),
        );
        return;
      }
      case "manager-membership":
        if (effect.incarnation === this.managerIncarnation) this.manager?.onMembership(effect.membership);
        return;
      case "manager-deliver":
        if (effect.incarnation === this.managerIncarnation)
          this.manager?.onDeliver(effect.from, effect.payload);
        return;
      case "manager-changing":
        if (effect.incarnation === this.managerIncarnation) this.manager?.onChanging?.();
        return;
      case "configuration": {
        const { ringId, members } = effect;
        trace?.(`node ${this.id}: ring ${ringId.representative}.${ringId.sequence} of ${members.join(",")}`);
        return;
      }
      case "log":
        trace?.(`node ${this.id}: ${effect.level} [${effect.subsystem}] ${effect.text}`);
        return;
      case "reconfigured":
      case "key-changed":
        trace?.(`node ${this.id}: ${effect.type}`);
        return;
      case "quorum":
        return;
    }
  }

  private makeKeeper(): RingStateKeeper {
    const { life } = this;
    const whileAlive = (run: () => void) => () => {
      if (this.life === life) this.whenRunning(this.local, run);
    };
    return new RingStateKeeper(this.disk.state, {
      write: (state, done) =>
        this.disk.write(
          () => {
            this.disk.state = state;
          },
          (written) => whileAlive(() => done(written))(),
        ),
      later: (run) => this.init.schedule.after(RETRY_MS, whileAlive(run)),
    });
  }

  /** Writes a key file, as often as it takes. */
  private keepKey(files: () => SimDisk["keys"], done: () => void): void {
    const { life } = this;
    this.disk.write(
      () => {
        this.disk.keys = files();
      },
      (written) => {
        if (this.life !== life) return;
        if (written) this.whenRunning(this.local, done);
        else
          this.init.schedule.after(RETRY_MS, () => {
            if (this.life === life) this.keepKey(files, done);
          });
      },
    );
  }

  private setTimer(timer: RingTimer, afterMs: number): void {
    const { random, schedule } = this.init;
    const { life, clock } = this;
    let delay = afterMs / clock.rate;
    if (clock.latestMs > 0) {
      if (random.chance(EARLY.chance)) delay -= random.unit() * EARLY.ms;
      else delay += random.unit() * clock.latestMs;
    }
    this.timers.get(timer)?.();
    this.timers.set(
      timer,
      schedule.after(delay, () => this.expire(timer, life)),
    );
  }

  private expire(timer: RingTimer, life: number): void {
    if (this.life !== life) return;
    if (!this.isPaused) {
      this.timers.delete(timer);
      this.step({ type: "timer", timer });
      return;
    }
    // Fires when the process runs again, unless it is set anew or cancelled by then.
    let cancelled = false;
    this.timers.set(timer, () => {
      cancelled = true;
    });
    this.waiting.push(() => {
      if (cancelled) return;
      this.timers.delete(timer);
      this.step({ type: "timer", timer });
    });
  }
}

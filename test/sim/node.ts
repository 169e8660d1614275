import {
  RingCore,
  type RingCoreOptions,
  type RingEffect,
  type RingEvent,
  type RingMembership,
  type RingTimer,
} from "../../src/daemon/ring-core.ts";
import type { LastQuorate } from "../../src/quorum/index.ts";
import type { NodeId } from "../../src/terms/index.ts";
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
  readonly makeManager: (host: ManagerHost) => Manager;
  readonly trace: (text: string) => void;
}

/** What survives a crash. */
interface Disk {
  ringSequence: number;
  votes: { readonly expectedVotes: number; readonly lastQuorate: LastQuorate } | undefined;
}

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
  private readonly disk: Disk = { ringSequence: 0, votes: undefined };
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
    init.network.attach(this.id, (link, address, data) => this.arrive(link, address, data));
  }

  get isUp(): boolean {
    return this.core !== undefined;
  }

  get isPaused(): boolean {
    return this.init.schedule.now < this.pausedUntil;
  }

  start(withManager: boolean): void {
    if (this.core) return;
    const { schedule, random } = this.init;
    this.life += 1;
    this.leaving = false;
    this.startedAt = schedule.now;
    this.init.trace(`node ${this.id} starts, ring sequence ${this.disk.ringSequence}`);
    this.core = new RingCore(this.options, random.bytes(8), schedule.now);
    const { ringSequence, votes } = this.disk;
    this.step({ type: "start", ringSequence, ...votes });
    if (withManager) this.startManager();
  }

  /** Power off: everything but the disk is gone, also writes that were not confirmed. */
  crash(): void {
    if (!this.core) return;
    this.init.trace(`node ${this.id} crashes`);
    this.stopManager(false);
    this.core = undefined;
    this.life += 1;
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
    this.init.trace(`node ${this.id} leaves`);
    this.leaving = true;
    this.stopManager(true);
    this.step({ type: "leave" });
    const life = this.life;
    this.init.schedule.after(20, () => {
      if (this.life === life) this.crash();
    });
  }

  /** The process is not scheduled for a while; datagrams and timers wait. */
  pause(forMs: number): void {
    if (!this.core) return;
    this.init.trace(`node ${this.id} pauses for ${forMs} ms`);
    this.pausedUntil = Math.max(this.pausedUntil, this.init.schedule.now + forMs);
    const life = this.life;
    this.init.schedule.after(forMs, () => {
      if (this.life !== life || this.isPaused) return;
      this.resumedAt = this.init.schedule.now;
      this.init.trace(`node ${this.id} runs again`);
      const waiting = this.init.random.chance(0.5) ? this.waiting : this.init.random.shuffle(this.waiting);
      this.waiting = [];
      while (this.life === life) {
        const next = this.local.shift();
        if (!next) break;
        next();
      }
      for (const run of waiting) if (this.life === life) run();
    });
  }

  startManager(): void {
    if (!this.core || this.manager || this.leaving) return;
    this.managerIncarnation += 1;
    const incarnation = this.managerIncarnation;
    this.init.trace(`node ${this.id}: manager ${incarnation} comes up`);
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
        this.init.schedule.after(delayMs, () => {
          if (this.managerIncarnation === incarnation && this.manager && !this.isPaused) run();
          else if (this.managerIncarnation === incarnation && this.manager) this.local.push(run);
        });
      },
    });
    this.init.observer.onManagerUp(this, incarnation);
    this.whenRunning(this.local, () => this.step({ type: "manager-up", incarnation }));
  }

  stopManager(tellRing: boolean): void {
    if (!this.manager) return;
    this.init.trace(`node ${this.id}: manager ${this.managerIncarnation} dies`);
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
      for (const effect of this.core.step(next, this.init.schedule.now)) {
        this.init.observer.onEffect(this, effect);
        this.carryOut(effect);
      }
    }
    this.events.length = 0;
  }

  /** The disk lost everything (a replaced machine). */
  forgetDisk(): void {
    this.disk.ringSequence = 0;
    this.disk.votes = undefined;
  }

  private arrive(link: number, address: string, data: Uint8Array): void {
    if (!this.core || (this.isPaused && this.waiting.length >= SOCKET_LIMIT)) return;
    // A copy: what a receiver does with its bytes must not be seen by another.
    const own = Buffer.from(data);
    this.whenRunning(this.waiting, () => this.step({ type: "datagram", link, address, data: own }));
  }

  private whenRunning(queue: (() => void)[], run: () => void): void {
    // What comes over a local socket does not overtake what waits there.
    if (this.isPaused || (queue === this.local && queue.length > 0)) queue.push(run);
    else run();
  }

  private carryOut(effect: RingEffect): void {
    const { schedule, network, trace } = this.init;
    const life = this.life;
    switch (effect.type) {
      case "send":
        network.send(effect.link, this.id, effect.to, effect.data);
        return;
      case "set-timer":
        this.timers.get(effect.timer)?.();
        this.timers.set(
          effect.timer,
          schedule.after(effect.afterMs, () => this.expire(effect.timer, life)),
        );
        return;
      case "cancel-timer":
        this.timers.get(effect.timer)?.();
        this.timers.delete(effect.timer);
        return;
      case "persist":
        schedule.after(this.init.random.between(1, 5), () => {
          if (this.life !== life) return;
          this.disk.ringSequence = effect.ringSequence;
          this.whenRunning(this.local, () =>
            this.step({ type: "persisted", ringSequence: effect.ringSequence }),
          );
        });
        return;
      case "persist-expected-votes":
        this.disk.votes = { expectedVotes: effect.expectedVotes, lastQuorate: effect.lastQuorate };
        return;
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
        trace(`node ${this.id}: ring ${ringId.representative}.${ringId.sequence} of ${members.join(",")}`);
        return;
      }
      case "log":
        trace(`node ${this.id}: ${effect.level} [${effect.subsystem}] ${effect.text}`);
        return;
      case "quorum":
        return;
    }
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

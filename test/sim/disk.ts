import type { RingState } from "../../src/daemon/ring-state.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

/** Key files of a node: the present key, and one that a change of the key has stored. */
export interface KeyFiles {
  readonly key: Uint8Array;
  readonly next: Uint8Array | undefined;
}

/** What survives a crash. Files are replaced as a whole: a write happens entirely or not at all. */
export class SimDisk {
  state: RingState = { ringSequence: 0 };
  keys: KeyFiles;
  /** Longest time that a write takes. */
  slowestMs = 5;
  /** Every write fails. */
  full = false;
  /** The state file cannot be read any more: the ring does not start with it. */
  damaged = false;
  private readonly schedule: Schedule;
  private readonly random: Random;
  private readonly queue: { readonly apply: () => void; readonly done: (written: boolean) => void }[] = [];
  private boot = 0;

  constructor(schedule: Schedule, random: Random, key: Uint8Array) {
    this.schedule = schedule;
    this.random = random;
    this.keys = { key, next: undefined };
  }

  /** Nothing is being written. */
  get idle(): boolean {
    return this.queue.length === 0;
  }

  /** Writes what `apply` changes, after what was asked for before. */
  write(apply: () => void, done: (written: boolean) => void): void {
    this.queue.push({ apply, done });
    if (this.queue.length === 1) this.work();
  }

  /** Power off: what is not written yet is lost; the write that is under way has happened, or not. */
  crash(): void {
    this.boot += 1;
    const under = this.queue[0];
    if (under && !this.full && this.random.chance(0.5)) under.apply();
    this.queue.length = 0;
  }

  /** A new disk with a copy of the key. */
  replace(): void {
    this.state = { ringSequence: 0 };
    this.damaged = false;
  }

  private work(): void {
    const { boot } = this;
    this.schedule.after(1 + this.random.unit() * this.slowestMs, () => {
      if (boot !== this.boot) return;
      const write = this.queue.shift();
      if (!write) return;
      const written = !this.full;
      if (written) write.apply();
      if (this.queue.length > 0) this.work();
      write.done(written);
    });
  }
}

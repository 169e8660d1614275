import { Schedule } from "../sim/schedule.ts";

/** Wall clock, seconds, at virtual time 0. */
const EPOCH = Date.UTC(2026, 0, 1) / 1000;

/** Virtual time, with both clocks that the cores are given. */
export class Clock {
  readonly schedule = new Schedule();

  get now(): number {
    return this.schedule.now;
  }

  get wall(): number {
    return EPOCH + this.schedule.now / 1000;
  }

  /** Runs something later; returns how to cancel it. */
  after(ms: number, run: () => void): () => void {
    return this.schedule.after(ms, run);
  }

  /** Lets time pass. */
  run(ms: number): void {
    this.schedule.runUntil(this.schedule.now + ms);
  }
}

/** Timers of a process by name; all end with it. */
export class Timers {
  private readonly cancels = new Map<string, () => void>();

  constructor(private readonly clock: Clock) {}

  set(name: string, ms: number, run: () => void): void {
    this.cancels.get(name)?.();
    const cancel = this.clock.after(ms, () => {
      this.cancels.delete(name);
      run();
    });
    this.cancels.set(name, cancel);
  }

  has(name: string): boolean {
    return this.cancels.has(name);
  }

  cancel(name: string): void {
    this.cancels.get(name)?.();
    this.cancels.delete(name);
  }

  clear(): void {
    for (const cancel of this.cancels.values()) cancel();
    this.cancels.clear();
  }
}

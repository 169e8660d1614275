import type { Millis } from "../terms/index.ts";

/** How busy this host is, from idle to past its limits. */
export type LoadMode = "none" | "low" | "medium" | "high" | "extreme";

/** What the host says about its load (proc_loadavg(5), Documentation/accounting/psi). */
export interface LoadSample {
  /** Load average of the last minute. */
  readonly loadavg1: number;
  /** Share of the last 10 s in which all tasks waited for memory, percent; absent without PSI. */
  readonly memoryFull?: number;
  /** The same for storage. */
  readonly ioFull?: number;
}

/** Mode, the number of jobs that go with it, and the reading that decided it. */
export interface Throttle {
  readonly mode: LoadMode;
  readonly jobs: number;
  readonly reason: string;
}

const MODES: readonly LoadMode[] = ["none", "low", "medium", "high", "extreme"];
/** Factors of the load threshold from which a mode begins (Pacemaker Explained, "load-threshold"). */
const LOAD_FACTORS: readonly (readonly [number, LoadMode])[] = [
  [2.0, "high"],
  [1.6, "medium"],
  [1.2, "low"],
];
/** Stalls of all tasks, percent of time, from which a mode begins. */
const STALLS: readonly (readonly [number, LoadMode])[] = [
  [60, "extreme"],
  [40, "high"],
  [20, "medium"],
  [10, "low"],
];
/** One core has no other one to fall back to: its thresholds are lower. */
const SINGLE_CORE = 0.6;
/** Time constant of the kernel's one-minute load average. */
const MINUTE_MS = 60_000;

/**
 * The mode for a sample. The load that our own agents cause is taken off first: counting it makes a cluster
 * that starts hundreds of resources slow itself down until nothing moves.
 *
 * @param ownLoad running agents, averaged over a minute as the kernel does
 * @param threshold load-threshold, percent
 * @param limit jobs when nothing throttles
 */
export function throttle(
  sample: LoadSample,
  ownLoad: number,
  cores: number,
  threshold: number,
  limit: number,
): Throttle {
  const target = (threshold / 100) * (cores === 1 ? SINGLE_CORE : 1);
  const load = Math.max(0, sample.loadavg1 - ownLoad) / Math.max(1, cores);
  const readings: { readonly mode: LoadMode; readonly reason: string }[] = [
    { mode: modeOf(load / target, LOAD_FACTORS), reason: `load ${load.toFixed(2)} per core` },
    {
      mode: modeOf(sample.memoryFull ?? 0, STALLS),
      reason: `memory stalls ${(sample.memoryFull ?? 0).toFixed(0)}%`,
    },
    {
      mode: modeOf(sample.ioFull ?? 0, STALLS),
      reason: `storage stalls ${(sample.ioFull ?? 0).toFixed(0)}%`,
    },
  ];
  const worst = readings.reduce((a, b) => (MODES.indexOf(b.mode) > MODES.indexOf(a.mode) ? b : a));
  return {
    mode: worst.mode,
    jobs: jobsFor(worst.mode, limit),
    reason: worst.mode === "none" ? "" : worst.reason,
  };
}

function modeOf(value: number, table: readonly (readonly [number, LoadMode])[]): LoadMode {
  return table.find(([from]) => value > from)?.[1] ?? "none";
}

/** Jobs at a time in a mode: half, a quarter, one; never none. */
export function jobsFor(mode: LoadMode, limit: number): number {
  switch (mode) {
    case "none":
      return limit;
    case "low":
      return Math.max(1, Math.floor(limit / 2));
    case "medium":
      return Math.max(1, Math.floor(limit / 4));
    case "high":
    case "extreme":
      return 1;
  }
}

/** Carries the minute's average of our own running agents on to a later moment. */
export function decayOwnLoad(average: number, running: number, elapsedMs: Millis): number {
  return running + (average - running) * Math.exp(-elapsedMs / MINUTE_MS);
}

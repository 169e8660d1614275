import { readFileSync } from "node:fs";
import type { EpochSeconds, Millis } from "../terms/index.ts";

/** Time on the monotonic clock of this process; only differences mean something. */
export const monotonicMs = (): Millis => performance.now();

/** Milliseconds since this machine booted: the same clock for all its processes (proc(5), /proc/uptime). */
export const uptimeMs = (): Millis =>
  Number(readFileSync("/proc/uptime", "utf8").trim().split(" ")[0]) * 1000;

/** Wall-clock time in whole seconds; only for people and for rules. */
export const wallSeconds = (): EpochSeconds => Math.floor(Date.now() / 1000);

/** Wall-clock time in milliseconds; only for people. */
export const wallMs = (): Millis => Date.now();

/** Longest time that a timer of the engine can wait; a longer one would fire at once. */
export const LONGEST_TIMER_MS: Millis = 2 ** 31 - 1;

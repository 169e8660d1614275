import { describe, expect, test } from "bun:test";
import { Silence } from "../../src/daemon/silence.ts";
import type { ThreadTimes } from "../../src/platform/index.ts";

const every = 1_000;
const asleep: ThreadTimes = { runnable: false, ranMs: 100, waitedMs: 0 };

/** Looks once a second for some seconds; `times` of the process at each second. @returns the last silence */
function watch(seconds: number, times: (second: number) => ThreadTimes | undefined): number {
  const silence = new Silence(every);
  silence.heard(0);
  let silent = 0;
  for (let second = 1; second <= seconds; second++) silent = silence.look(second * every, times(second));
  return silent;
}

describe("the silence of a process", () => {
  test("is all the time of one that was stopped, or waits for ever", () => {
    expect(watch(10, () => asleep)).toBe(10_000);
  });

  test("is what one has run that runs without end", () => {
    expect(watch(10, (second) => ({ runnable: true, ranMs: second * 1_000, waitedMs: 0 }))).toBe(10_000);
    // It shares its processor with three others.
    const shared = watch(10, (second) => ({ runnable: true, ranMs: second * 250, waitedMs: second * 750 }));
    expect(shared).toBe(1_000 + 9 * 250);
  });

  test("is nothing of the time in which it was given no processor", () => {
    expect(watch(60, () => ({ runnable: true, ranMs: 5, waitedMs: 0 }))).toBe(1_000);
    // The kernel tells of the time only when it has run again.
    const before = { runnable: true, ranMs: 5, waitedMs: 0 };
    const after = { runnable: false, ranMs: 6, waitedMs: 8_000 };
    expect(watch(10, (second) => (second < 10 ? before : after))).toBe(1_000);
  });

  test("ends with a sign of life", () => {
    const silence = new Silence(every);
    silence.heard(0);
    for (let second = 1; second <= 9; second++) silence.look(second * every, asleep);
    silence.heard(10_000);
    expect(silence.look(11_000, asleep)).toBe(1_000);
  });

  test("does not grow by time in which its listener stood still, too", () => {
    const silence = new Silence(every);
    silence.heard(0);
    silence.look(1_000, asleep);
    // The machine was paused for an hour.
    expect(silence.look(3_601_000, asleep)).toBe(3_000);
    expect(silence.look(3_602_000, asleep)).toBe(4_000);
  });

  test("is the time of the clock where the kernel does not tell", () => {
    expect(watch(10, () => undefined)).toBe(10_000);
  });
});

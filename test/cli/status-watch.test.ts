import { expect, test } from "bun:test";
import { DaemonLink } from "../../src/cli/commands/live.ts";
import { repeat } from "../../src/cli/commands/watch.ts";

/** Draws until `last` drawings were made, then stops as a person does, with Ctrl-C. */
function drawing(last: number, after: (count: number) => void = () => {}) {
  let count = 0;
  const show = async () => {
    count++;
    if (count === last) process.emit("SIGINT");
    else after(count);
  };
  return { show, drawn: () => count };
}

test("draws again after each interval until it is interrupted", async () => {
  const { show, drawn } = drawing(3);
  expect(await repeat({ show, everyMs: 1 })).toBe(0);
  expect(drawn()).toBe(3);
});

test("a change draws at once, however long the interval", async () => {
  const link = new DaemonLink();
  const { show, drawn } = drawing(2, () => queueMicrotask(() => link.onChange()));
  expect(await repeat({ show, everyMs: 3_600_000, link })).toBe(0);
  expect(drawn()).toBe(2);
});

test("an error of the drawing ends it and is passed on", async () => {
  const attempt = repeat({ show: () => Promise.reject(new Error("broken")), everyMs: 1 });
  expect(attempt).rejects.toThrow("broken");
  await attempt.catch(() => undefined);
  expect(process.listenerCount("SIGINT")).toBe(0);
});

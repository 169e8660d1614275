import { expect, test } from "bun:test";
import { TurnedAway } from "../../src/platform/turned-away.ts";

test("whoever is turned away is told once a minute, and strangers together fill no log", () => {
  let now = 0;
  const lines: string[] = [];
  const away = new TurnedAway(
    (reason, address) => lines.push(`${address}: ${reason}`),
    () => now,
  );
  for (let i = 0; i < 100; i++) away.note(`10.0.0.1:${4000 + i}`, "wrong key");
  expect(lines).toEqual(["10.0.0.1: wrong key"]);
  away.note("[fe80::1]:4000", "wrong key");
  expect(lines[1]).toBe("[fe80::1]: wrong key (99 others were turned away since the last such line)");
  for (let i = 0; i < 1000; i++) away.note(`10.1.${i >> 8}.${i & 255}:1`, "wrong key");
  expect(lines.length).toBe(20);
  now = 60_000;
  away.note("10.0.0.1:4100", "wrong key");
  expect(lines[20]).toBe("10.0.0.1: wrong key (982 others were turned away since the last such line)");
});

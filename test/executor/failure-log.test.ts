import { expect, test } from "bun:test";
import { exited, operation, World } from "./world.ts";

/** What the log says of a recurring monitor that answers with these exit codes, one after the other. */
function logged(expected: number, ...codes: readonly number[]): string[] {
  const world = new World();
  const transitionKey = `7:3:${expected}:leader`;
  world.execute(operation("db", "monitor", { intervalMs: 6000, transitionKey }));
  for (const code of codes) {
    world.end("db monitor_6000", exited(code));
    world.advance(12_000);
  }
  return world.logs.filter((line) => line.includes("gave"));
}

test("a monitor's answer is a failure when it is not the one that was expected", () => {
  expect(logged(8, 8)).toEqual([]);
  expect(logged(8, 8, 191)).toEqual([]);
  expect(logged(0, 0, 190)).toEqual([]);
  for (const [wanted, ...codes] of [
    [8, 8, 9],
    [8, 8, 0],
    [8, 8, 190],
    [0, 0, 8],
    [0, 0, 191],
    [0, 7],
  ] as const) {
    const lines = logged(wanted, ...codes);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`db monitor_6000 gave ${codes.at(-1)}`);
  }
});

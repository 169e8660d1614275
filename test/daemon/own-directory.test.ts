import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownDirectory } from "../../src/daemon/own-directory.ts";
import { HactlError } from "../../src/terms/index.ts";

const base = mkdtempSync(join(tmpdir(), "hactl-own-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const modeOf = (path: string) => statSync(path).mode & 0o7777;

test("a directory that is not there is made, for this user alone to write in", () => {
  const path = join(base, "new", "state");
  expect(ownDirectory(path, 0o750)).toEqual([]);
  expect(modeOf(path) & 0o022).toBe(0);
});

test("one in which others may write is taken back, and keeps its other rights", () => {
  const path = join(base, "open");
  mkdirSync(path);
  for (const [mode, left] of [
    [0o775, 0o755],
    [0o2770, 0o2750],
    [0o707, 0o705],
  ] as const) {
    chmodSync(path, mode);
    expect(ownDirectory(path, 0o750)).toEqual([`others could write in ${path}`]);
    expect(modeOf(path)).toBe(left);
    expect(ownDirectory(path, 0o750)).toEqual([]);
  }
});

test("one that all share is refused, and left as it is", () => {
  const path = join(base, "shared");
  mkdirSync(path);
  chmodSync(path, 0o1777);
  const refused = () => ownDirectory(path, 0o750);
  expect(refused).toThrow(HactlError);
  expect(refused).toThrow("others share");
  expect(modeOf(path)).toBe(0o1777);
});

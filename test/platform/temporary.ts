import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of its own for the tests of a file; removed afterwards. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "hactl-test-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

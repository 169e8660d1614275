import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { element } from "../../src/cib/index.ts";
import { TransitionArchive } from "../../src/daemon/transition-archive.ts";
import { openLog } from "../../src/platform/index.ts";

const root = mkdtempSync(join(tmpdir(), "hactl-archive-"));
afterAll(() => rmSync(root, { recursive: true }));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(10);
}

test("inputs of decisions that cannot be kept are told of, and are kept again when they can", async () => {
  const directory = join(root, "transitions");
  // What stands in its place, a disk that is read-only: nothing of that may end the manager.
  writeFileSync(directory, "");
  const lines: string[] = [];
  const writeStderr = (line: string) => void lines.push(line);
  const log = openLog({ tag: "test", thresholds: { stderr: "info" }, writeStderr });
  const archive = new TransitionArchive(directory, log);
  await until(() => lines.length === 1);
  archive.add(1, { cib: element("cib"), now: 1 }, []);
  await until(() => lines.length === 2);
  for (const line of lines) expect(line).toContain("TRANSITION-ARCHIVE");
  rmSync(directory);
  archive.add(2, { cib: element("cib"), now: 2 }, []);
  archive.add(3, { cib: element("cib"), now: 3 }, []);
  const kept = ["transition-1.xml.zst", "transition-2.xml.zst"];
  await until(() => readdirSync(root).length === 1 && names(directory).length === kept.length);
  expect(names(directory)).toEqual(kept);
  expect(
    new TextDecoder().decode(
      await Bun.zstdDecompress(await Bun.file(join(directory, kept[1] ?? "")).bytes()),
    ),
  ).toContain('execution-date="3"');
  expect(lines).toHaveLength(2);
});

function names(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

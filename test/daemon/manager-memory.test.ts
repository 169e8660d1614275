import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Remembered } from "../../src/controller/index.ts";
import { ManagerMemory } from "../../src/daemon/manager-memory.ts";
import { openLog } from "../../src/platform/index.ts";
import { nodeName } from "../../src/terms/index.ts";

const memoryOf = (boot: string): Remembered => ({
  attributes: [],
  boots: [[nodeName("n1"), boot]],
  results: [],
  tickets: [],
  away: [],
});

describe("what a manager leaves", () => {
  test("is known to the next one", () => {
    const { memory, end } = host();
    memory().save(memoryOf("a"), []);
    const next = memory();
    expect([next.remembered, next.daemonIsNew]).toEqual([memoryOf("a"), false]);
    end();
  });

  test("is not left when it is older than what could not be written; that is told until it can", () => {
    const { memory, runDir, lines, end } = host();
    const manager = memory();
    manager.save(memoryOf("a"), []);
    // As where there is no room: a file cannot be made there.
    const inTheWay = join(runDir, "manager.json.new");
    mkdirSync(inTheWay);
    manager.save(memoryOf("b"), []);
    manager.keep();
    expect(manager.problem).toContain("EISDIR");
    expect(lines.filter((line) => line.includes("STATE-NOT-SAVED"))).toHaveLength(1);
    expect(existsSync(join(runDir, "manager.json"))).toBe(false);
    expect(memory().remembered).toBeUndefined();
    rmdirSync(inTheWay);
    manager.keep();
    expect(manager.problem).toBeUndefined();
    expect(memory().remembered).toEqual(memoryOf("b"));
    end();
  });
});

function host() {
  const runDir = mkdtempSync(join(tmpdir(), "hactl-memory-"));
  const lines: string[] = [];
  const log = openLog({
    tag: "hactl-manager",
    thresholds: { stderr: "info" },
    writeStderr: (line) => void lines.push(line),
  });
  const memory = () => new ManagerMemory(runDir, log);
  return { runDir, lines, memory, end: () => rmSync(runDir, { recursive: true }) };
}

import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExecutorMemory, noteLeft } from "../../src/daemon/executor-memory.ts";
import type { ExecutorSnapshot, OperationResult } from "../../src/executor/index.ts";
import { openLog } from "../../src/platform/index.ts";
import { resourceId } from "../../src/terms/index.ts";
import { wentWell } from "../harness/results.ts";

const started: OperationResult = {
  callId: 1,
  rsc: { id: resourceId("a"), class: "ocf", provider: "test", type: "T" },
  action: "start",
  intervalMs: 0,
  transitionKey: "1:1:0:key",
  ...wentWell,
  params: {},
};
const snapshot: ExecutorSnapshot = {
  results: [started],
  recurring: [],
  unfinished: [],
  interrupted: [],
  remembered: [],
  complete: true,
  nodeActionLimit: 0,
  loadThreshold: 0,
};

function host() {
  const directory = mkdtempSync(join(tmpdir(), "hactl-memory-"));
  const runDir = join(directory, "run");
  mkdirSync(runDir);
  const lines: string[] = [];
  const log = openLog({
    tag: "hactl-executor",
    thresholds: { stderr: "info" },
    writeStderr: (line) => void lines.push(line),
  });
  const options = { bootFile: join(directory, "boot"), bootId: "b", log, mayWrite: () => true };
  const memory = (instance = "this") => new ExecutorMemory({ ...options, runDir, instance });
  const { bootFile } = options;
  return { runDir, bootFile, lines, memory, end: () => rmSync(directory, { recursive: true }) };
}

describe("what an executor leaves", () => {
  test("is known to the next one", () => {
    const { memory, end } = host();
    memory().save(snapshot);
    expect(memory().recall()).toMatchObject({ snapshot: { results: [started] }, complete: true });
    expect(memory("next").recall().complete).toBe(true);
    end();
  });

  test("is not believed after something could not be written, until the whole is written again", () => {
    const { runDir, lines, memory, end } = host();
    const writing = memory();
    writing.save(snapshot);
    // A directory in the place of the journal: nothing can be written down any more.
    rmSync(join(runDir, "executor.journal"));
    mkdirSync(join(runDir, "executor.journal"));
    writing.note({ type: "result", result: started });
    expect(writing.hasGaps).toBe(true);
    writing.alive();
    expect(existsSync(join(runDir, "executor.alive"))).toBe(false);
    expect(lines.join("\n")).toContain("STATE-NOT-SAVED");
    expect(memory().recall()).toMatchObject({ snapshot: undefined, complete: false });
    rmSync(join(runDir, "executor.journal"), { recursive: true });
    writing.save(snapshot);
    expect(writing.hasGaps).toBe(false);
    expect(memory().recall().complete).toBe(true);
    end();
  });

  test("is not believed when it is damaged, and does not stop the next one", () => {
    const lists = { ...snapshot, results: [null] };
    const damages = {
      "executor.journal": ["null\n", '{"type":"result"}\n', '{"type":"execute"}\n'],
      "executor.json": ["{", "null", JSON.stringify({ instance: "this", bootId: "b", snapshot: lists })],
    };
    for (const [name, contents] of Object.entries(damages))
      for (const content of contents) {
        const { runDir, memory, end } = host();
        memory().save(snapshot);
        writeFileSync(join(runDir, name), content);
        const recalled = memory().recall();
        expect([content, recalled.complete, recalled.snapshot]).toEqual([content, false, undefined]);
        end();
      }
  });

  test("may end in a line that is torn: that had not been carried out", () => {
    const { runDir, memory, end } = host();
    memory().save(snapshot);
    const line = JSON.stringify({ type: "result", result: started });
    writeFileSync(join(runDir, "executor.journal"), line.slice(0, 40));
    expect(memory().recall()).toMatchObject({ snapshot: { results: [started] }, complete: true });
    end();
  });

  test("is looked at anew after its node has left in order, once", () => {
    const { runDir, memory, end } = host();
    memory().save(snapshot);
    noteLeft(runDir);
    expect(memory("next").recall()).toMatchObject({ complete: false, stale: true });
    memory("next").save(snapshot);
    expect(memory("next").recall().complete).toBe(true);
    end();
  });

  test("is nothing after a reboot, which is told once", () => {
    const { bootFile, memory, end } = host();
    writeFileSync(bootFile, "a\n");
    expect(memory().recall()).toMatchObject({ snapshot: undefined, complete: true });
    expect(memory().recall()).toMatchObject({ snapshot: undefined, complete: false });
    end();
  });

  test("is kept, and no reboot is told, while the file that tells of the boot cannot be written", () => {
    const { bootFile, runDir, lines, memory, end } = host();
    writeFileSync(bootFile, "a\n");
    // As of a state directory that is read-only since the machine came up.
    mkdirSync(`${bootFile}.new`);
    const first = memory();
    expect(first.recall().complete).toBe(false);
    expect(lines.join("\n")).toContain("BOOT-NOT-NOTED");
    first.save(snapshot);
    expect(memory().recall()).toMatchObject({ snapshot: { results: [started] }, complete: true });
    rmSync(join(runDir, "executor.json"));
    expect(memory().recall()).toMatchObject({ snapshot: undefined, complete: false });
    // It is noted as soon as that can be done: who comes then knows of this boot.
    rmSync(`${bootFile}.new`, { recursive: true });
    first.alive();
    expect(memory().recall()).toMatchObject({ snapshot: undefined, complete: false });
    end();
  });
});

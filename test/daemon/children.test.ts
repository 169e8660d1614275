import { afterAll, afterEach, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "../../src/daemon/children.ts";
import { openLog } from "../../src/platform/index.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-child-"));
/** Those that a test began. */
const children: Child[] = [];
afterEach(() => Promise.all(children.splice(0).map((child) => child.stop())));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A program that gives signs of life, until it gets stuck in a loop if it is to. */
function program(name: string, then: string): string[] {
  const path = join(directory, `${name}.ts`);
  const platform = join(import.meta.dir, "../../src/platform/index.ts");
  writeFileSync(
    path,
    `import { proveLife } from ${JSON.stringify(platform)};
proveLife(50);
setInterval(() => {}, 1000);
setTimeout(() => { ${then} }, 200);
`,
  );
  return [process.execPath, path];
}

function stage(name: string, then: string) {
  const lines: string[] = [];
  const happened: string[] = [];
  const log = openLog({
    tag: "test",
    thresholds: { stderr: "info" },
    writeStderr: (line) => void lines.push(line),
  });
  const ends = { hung: () => happened.push("hung"), gone: () => happened.push("gone") };
  const child = new Child("worker", program(name, then), log, ends, { everyMs: 100, hungMs: 1_000 });
  children.push(child);
  child.start();
  return { child, lines, happened };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(50);
}

test("a process that is stuck in a loop is ended, told of, and started again; one that is stopped, too", async () => {
  const looping = stage("looping", "for (;;) {}");
  const stopped = stage("stopped", "");
  const before = stopped.child.pid ?? 0;
  process.kill(before, "SIGSTOP");
  await until(() => looping.child.restarts > 0 && stopped.child.restarts > 0);
  for (const { happened, lines } of [looping, stopped]) {
    expect(happened.slice(0, 2)).toEqual(["hung", "gone"]);
    expect(lines.find((line) => line.includes("PROCESS-HUNG"))).toContain("worker");
  }
  await until(() => stopped.child.pid !== undefined);
  expect(stopped.child.pid).not.toBe(before);
});

test("a process that gives its signs stays", async () => {
  const { child, happened } = stage("well", "");
  const { pid } = child;
  await Bun.sleep(4_000);
  expect(child.pid).toBe(pid ?? 0);
  expect(child.warning).toBeUndefined();
  expect(happened).toEqual([]);
});

test("a process that cannot be started is tried until it can, and whoever keeps it lives on", async () => {
  const executable = join(directory, "worker");
  const lines: string[] = [];
  const writeStderr = (line: string) => void lines.push(line);
  const log = openLog({ tag: "test", thresholds: { stderr: "info" }, writeStderr });
  const child = new Child("worker", [executable, "1000"], log, {}, { everyMs: 100, hungMs: 60_000 });
  children.push(child);
  child.start();
  expect(child.warning).toContain("worker cannot be started: ENOENT");
  copyFileSync("/bin/sleep", executable);
  await until(() => child.pid !== undefined);
  expect(child.warning).toBeUndefined();
  // The program is away for a moment, as while a package is installed, and the process dies just then.
  renameSync(executable, `${executable}.away`);
  process.kill(child.pid ?? 0, "SIGKILL");
  await until(() => child.warning !== undefined);
  await Bun.sleep(500);
  expect(lines.filter((line) => line.includes("PROCESS-REFUSED"))).toHaveLength(2);
  renameSync(`${executable}.away`, executable);
  await until(() => child.pid !== undefined);
  // Who is stopped does not try any more.
  renameSync(executable, `${executable}.away`);
  process.kill(child.pid ?? 0, "SIGKILL");
  await until(() => child.warning !== undefined);
  await child.stop();
  renameSync(`${executable}.away`, executable);
  await Bun.sleep(2_500);
  expect(child.pid).toBeUndefined();
});

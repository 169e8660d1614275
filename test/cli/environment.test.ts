import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const executable = join(import.meta.dir, "../../dist/hactl");
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-environment-"));
  writeFileSync(join(directory, "foreign.js"), 'console.log("FOREIGN CODE");\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

const foreign = () => join(directory, "foreign.js");
test.each([
  ["BUN_OPTIONS", () => `--preload ${foreign()}`],
  ["BUN_INSPECT_PRELOAD", foreign],
  ["BUN_PRELOAD", foreign],
  ["NODE_OPTIONS", () => `--require ${foreign()}`],
])("no code that %s names is run", async (name, value) => {
  const run = Bun.spawn([executable, "--version"], {
    env: { ...process.env, [name]: value() },
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = (await new Response(run.stdout).text()) + (await new Response(run.stderr).text());
  expect(said).toMatch(/^hactl \S+\n$/);
  expect(await run.exited).toBe(0);
});

test("BUN_BE_BUN makes no interpreter of it", async () => {
  const run = Bun.spawn([executable, "-e", 'console.log("FOREIGN CODE")'], {
    env: { ...process.env, BUN_BE_BUN: "1" },
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(await new Response(run.stdout).text()).toBe("");
  expect(await new Response(run.stderr).text()).toContain("has no option -e");
  expect(await run.exited).toBe(64);
});

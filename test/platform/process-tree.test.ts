import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { processStart } from "../../src/platform/process-tree.ts";

test("a process that has ended and that nobody has taken note of has no start any more", async () => {
  // What the shell becomes never asks for its child.
  const parent = Bun.spawn(["sh", "-c", "sleep 0.2 & echo $!; exec sleep 60"], { stdout: "pipe" });
  try {
    const reader = parent.stdout.getReader();
    const pid = Number(new TextDecoder().decode((await reader.read()).value).trim());
    expect(processStart(pid)).toBeGreaterThan(0);
    const state = () => readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /, "")[0];
    while (state() !== "Z") await Bun.sleep(10);
    expect(processStart(pid)).toBeUndefined();
    expect(processStart(parent.pid)).toBeGreaterThan(0);
  } finally {
    parent.kill("SIGKILL");
  }
});

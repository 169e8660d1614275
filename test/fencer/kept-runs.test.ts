import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runFenceAgent } from "../../src/daemon/fence-agents.ts";
import { FenceRuns } from "../../src/daemon/fence-runs.ts";
import type { AgentRun, KeptRun } from "../../src/fencer/index.ts";
import { bootId, markedProcesses, uptimeMs } from "../../src/platform/index.ts";
import { nodeName } from "../../src/terms/index.ts";

/** What managers leave of the agents that they have run: one `FenceRuns` stands for each manager. */

const root = mkdtempSync(join(tmpdir(), "hactl-runs-"));
const directories = { agents: [root], plugins: [], glue: [], secrets: join(root, "secrets") };
const log = { warning: () => {} };

beforeAll(() => {
  const program = (name: string, text: string) => {
    writeFileSync(join(root, name), `#!/bin/sh\n${text}`);
    chmodSync(join(root, name), 0o755);
  };
  program(
    "fence_waits",
    `cat >${root}/asked; until [ -e ${root}/go ]; do sleep 0.02; done; echo done; echo tried >&2; exit 4\n`,
  );
  program("fence_leaves", "setsid sleep 5 &\necho gone\n");
  program("fence_noisy", "head -c 300000 /dev/zero; exit 0\n");
});
afterAll(() => rmSync(root, { recursive: true }));

const kept = (op: string): KeptRun => ({
  order: {
    op,
    attempt: 1,
    level: 0,
    device: "d",
    target: nodeName("n3"),
    action: "off",
    phase: "main",
    executor: nodeName("n1"),
    timeoutMs: 20_000,
    delayMs: 0,
  },
  deed: "off",
  triesLeft: 2,
  ring: "1.4",
});

const run = (agent: string, op: string, timeoutMs = 20_000): AgentRun => ({
  run: "n1/1",
  device: "d",
  kind: "fence-agent",
  agent,
  action: "off",
  params: { action: "off", nodename: "n3" },
  timeoutMs,
  kept: kept(op),
});

const runDir = (name: string): string => {
  const path = join(root, name);
  mkdirSync(path);
  return path;
};

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(10);
}

describe("an agent that acts", () => {
  test("is waited for by the manager that comes after the one that ran it, and is asked once", async () => {
    const dir = runDir("after");
    rmSync(join(root, "go"), { force: true });
    const own = runFenceAgent(run("fence_waits", "r1"), directories, new FenceRuns(dir, log));
    await until(() => existsSync(join(root, "asked")));
    const next = new FenceRuns(dir, log);
    const [left] = next.left();
    expect(left).toMatchObject(kept("r1"));
    const end = next.resume(left?.run ?? "");
    writeFileSync(join(root, "go"), "");
    const outcome = { exit: 4, timedOut: false, stdout: "done\n", stderr: "tried\n" };
    expect(await end).toEqual(outcome);
    expect(await own).toEqual(outcome);
    expect(readFileSync(join(root, "asked"), "utf8")).toBe("action=off\nnodename=n3\n");
    // Who comes still later learns the same, until the request has ended.
    const third = new FenceRuns(dir, log);
    expect(await third.resume(third.left()[0]?.run ?? "")).toEqual(outcome);
    third.forget("other");
    expect(third.left()).toHaveLength(1);
    third.forget("r1");
    expect(third.left()).toEqual([]);
    expect(readdirSync(join(dir, "fencing"))).toEqual([]);
  });

  test("that was killed with its manager has failed, and says nothing of the target", async () => {
    const dir = runDir("killed");
    rmSync(join(root, "go"), { force: true });
    rmSync(join(root, "asked"), { force: true });
    const own = runFenceAgent(run("fence_waits", "r2"), directories, new FenceRuns(dir, log));
    await until(() => existsSync(join(root, "asked")));
    const next = new FenceRuns(dir, log);
    const [name = ""] = readdirSync(join(dir, "fencing"));
    for (const { pid } of markedProcesses(`fencing/${name}`))
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // The agent's short sleeps come and go.
      }
    const outcome = await next.resume(next.left()[0]?.run ?? "");
    expect(outcome).toMatchObject({ exit: null, timedOut: false });
    expect(outcome.error).toContain("was ended");
    expect((await own).exit).not.toBe(0);
  });

  test("is ended when its time is over, whoever waits", async () => {
    const dir = runDir("late");
    rmSync(join(root, "go"), { force: true });
    rmSync(join(root, "asked"), { force: true });
    const own = runFenceAgent(run("fence_waits", "r3", 400), directories, new FenceRuns(dir, log));
    await until(() => existsSync(join(root, "asked")));
    const next = new FenceRuns(dir, log);
    const [name = ""] = readdirSync(join(dir, "fencing"));
    expect((await next.resume(next.left()[0]?.run ?? "")).exit).toBeNull();
    expect(await own).toMatchObject({ exit: null, timedOut: true });
    await until(() => markedProcesses(`fencing/${name}`).length === 0);
  });

  test("does not delay its end by what it leaves behind, and its output is bounded", async () => {
    const runs = new FenceRuns(runDir("more"), log);
    const leaves = await runFenceAgent(run("fence_leaves", "r4"), directories, runs);
    expect(leaves).toEqual({ exit: 0, timedOut: false, stdout: "gone\n", stderr: "" });
    const noisy = await runFenceAgent(run("fence_noisy", "r5"), directories, runs);
    expect(noisy.exit).toBe(0);
    expect(noisy.stdout).toHaveLength(64 * 1024);
  });

  test("of several managers come in the order in which they were begun, whatever their directories are called", () => {
    const dir = runDir("order");
    const begun = ["900.5000.2", "900.20000.10", "1000.20000.2", "77.300000.1"];
    for (const name of [3, 0, 2, 1].map((at) => begun[at] ?? "")) {
      mkdirSync(join(dir, "fencing", name), { recursive: true });
      const record = { bootId: bootId(), run: kept(name), deadline: uptimeMs() + 60_000 };
      writeFileSync(join(dir, "fencing", name, "run"), JSON.stringify(record));
    }
    const ops = new FenceRuns(dir, log).left().map(({ order }) => order.op);
    expect(ops).toEqual(["900.5000.2", "1000.20000.2", "900.20000.10", "77.300000.1"]);
  });

  test("of another boot, or what is no record, is not believed", () => {
    const dir = runDir("foreign");
    for (const [name, text] of [
      ["boot", JSON.stringify({ bootId: "another", run: kept("r6"), deadline: 1e12 })],
      ["damaged", "{"],
    ] as const) {
      mkdirSync(join(dir, "fencing", name), { recursive: true });
      writeFileSync(join(dir, "fencing", name, "run"), text);
    }
    expect(new FenceRuns(dir, log).left()).toEqual([]);
    expect(readdirSync(join(dir, "fencing"))).toEqual([]);
  });
});

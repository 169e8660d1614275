import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executorConfig, prepareAgent } from "../../src/daemon/executor.ts";
import { openLog } from "../../src/platform/index.ts";

const base = mkdtempSync(join(tmpdir(), "hactl-agent-directories-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

test("an agent that is about to run finds its directories, whichever of them was removed", () => {
  const runDir = join(base, "run");
  const log = openLog({ tag: "test", thresholds: {}, writeStderr: () => {} });
  const options = { runDir, nodeName: "n1", log, command: ["/bin/true"], rscTmp: join(base, "notes") };
  executorConfig(options);
  for (const lost of [join(base, "notes"), join(runDir, "tools"), runDir]) {
    rmSync(lost, { recursive: true });
    prepareAgent(options);
    for (const made of [join(base, "notes"), join(runDir, "tools")])
      expect(statSync(made).isDirectory()).toBe(true);
  }
});

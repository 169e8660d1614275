/** The executor as a process of its own, for tests that kill it: `serve.ts RUN_DIR [OCF_PATH]`. */
import { join } from "node:path";
import { runExecutor } from "../../src/daemon/executor.ts";
import { openLog } from "../../src/platform/index.ts";

const runDir = process.argv[2] ?? "";
const log = openLog({ tag: "executor", thresholds: { stderr: "info" } });
process.exit(
  await runExecutor({
    runDir,
    log,
    command: [process.execPath, join(import.meta.dir, "../../src/main.ts")],
    socketPath: `${runDir}/executor`,
    ocfPath: process.argv[3]?.split(":") ?? [`${runDir}/ra`],
    rscTmp: `${runDir}/tmp`,
    killGraceMs: 200,
  }),
);

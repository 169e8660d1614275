import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Operation, OperationResult } from "../executor/index.ts";
import { executorConfig } from "./executor.ts";
import { ExecutorHost } from "./executor-host.ts";
import { agentHostOptions } from "./executor-mode.ts";
import { type DaemonArguments, loadNode, nodeLog } from "./setup.ts";

/**
 * Runs an operation of an agent on this node past the cluster, with the same paths, environment and time limit that the
 * executor would give it. The cluster is not told.
 * @throws HactlError when the configuration is wrong, or does not name this node
 */
export async function runAgentByHand(args: DaemonArguments, operation: Operation): Promise<OperationResult> {
  const { config, self } = loadNode(args);
  const log = nodeLog(config, "hactl-by-hand");
  const { rsc, action } = operation;
  log.notice("BY-HAND", `${action} of ${rsc.id} is run by hand on ${self.name}, past the cluster`);
  // Its own directory: the executor of the daemon keeps what it does elsewhere.
  const runDir = mkdtempSync(join(tmpdir(), "hactl-by-hand-"));
  try {
    const options = { ...agentHostOptions(config, args.configPath), nodeName: self.name, log };
    return await new Promise<OperationResult>((resolve) => {
      const host = new ExecutorHost({
        config: executorConfig(options),
        log,
        runDir,
        secretsDir: config.system.secretsDir,
        bootFile: `${runDir}/boot-id`,
        parentLives: () => true,
        instance: String(process.pid),
        emit: (event) => {
          if (event.type !== "result") return;
          host.stop(true);
          resolve(event.result);
        },
      });
      host.request({ type: "execute", operation });
    });
  } finally {
    rmSync(runDir, { recursive: true, force: true });
    await log.close();
  }
}

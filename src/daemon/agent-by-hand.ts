import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, thisMachine } from "../config/index.ts";
import { cleanText, type Operation, type OperationResult } from "../executor/index.ts";
import { HactlError } from "../terms/index.ts";
import { executorConfig } from "./executor.ts";
import { ExecutorHost } from "./executor-host.ts";
import { agentHostOptions } from "./executor-mode.ts";
import { type DaemonArguments, loadNode, type NodeSetup, nodeLog } from "./setup.ts";

/** What an agent by hand says beside what it always says: more, and each step that it makes. */
export interface Talk {
  readonly debug: boolean;
  readonly trace: boolean;
}

/** How an operation by hand has ended, with all that its agent has said. */
export interface ByHandResult extends OperationResult {
  readonly stderr: string;
}

/**
 * Runs an operation of an agent on this node past the cluster, with the same paths and time limit that the executor would
 * give it. The cluster is not told. What an agent logs it says to who has called it.
 * `anywhere`: on a machine that has no configuration, too, with everything as it is by default.
 * @throws HactlError when the configuration is wrong, or does not name this node
 */
export async function runAgentByHand(
  args: DaemonArguments & { readonly anywhere?: boolean },
  operation: Operation,
  talk: Talk = { debug: false, trace: false },
): Promise<ByHandResult> {
  const { config, self } = nodeOf(args);
  const log = nodeLog(config, "hactl-by-hand");
  const { rsc, action } = operation;
  log.notice("BY-HAND", `${action} of ${rsc.id} is run by hand on ${self.name}, past the cluster`);
  // Its own directory: the executor of the daemon keeps what it does elsewhere.
  const runDir = mkdtempSync(join(tmpdir(), "hactl-by-hand-"));
  try {
    const options = { ...agentHostOptions(config, args.configPath), nodeName: self.name, log };
    const { environment, ...inPlace } = executorConfig(options);
    let stderr = "";
    return await new Promise<ByHandResult>((resolve) => {
      const host = new ExecutorHost({
        config: { ...inPlace, environment: { ...environment, ...environmentByHand(talk) } },
        log,
        runDir,
        secretsDir: config.system.secretsDir,
        bootFile: `${runDir}/boot-id`,
        parentLives: () => true,
        said: (outcome) => {
          if ("stderr" in outcome) stderr += outcome.stderr;
        },
        instance: String(process.pid),
        emit: (event) => {
          if (event.type !== "result") return;
          host.stop(true);
          resolve({ ...event.result, stderr: cleanText(stderr) });
        },
      });
      host.request({ type: "execute", operation });
    });
  } finally {
    rmSync(runDir, { recursive: true, force: true });
    await log.close();
  }
}

/** Without a facility and a file for logs the functions of resource-agents log to standard error. */
const environmentByHand = ({ debug, trace }: Talk): Readonly<Record<string, string>> => ({
  HA_LOGFACILITY: "",
  HA_logfacility: "",
  HA_LOGFILE: "",
  HA_logfile: "",
  HA_debug: debug ? "1" : "0",
  OCF_TRACE_FILE: "/dev/stderr",
  ...(trace ? { OCF_TRACE_RA: "1" } : {}),
});

/** A configuration that sets nothing but what has to be there. */
const nothingSet = '[[nodelist.node]]\nname = "localhost"\nnodeid = 1\nring0_addr = "127.0.0.1"\n';

function nodeOf(
  args: Parameters<typeof runAgentByHand>[0],
): Pick<NodeSetup, "config"> & { self: { name: string } } {
  try {
    return loadNode(args);
  } catch (error) {
    const missing = error instanceof HactlError && error.code === "CONFIG_MISSING";
    if (!args.anywhere || !missing) throw error;
    const context = { purpose: "text", machine: thisMachine(), node: undefined, keyFile: undefined } as const;
    return {
      config: loadConfig(nothingSet, args.configPath, context),
      self: { name: args.node ?? hostname() },
    };
  }
}

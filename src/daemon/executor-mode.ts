import { parseArgs } from "node:util";
import { defaultConfigFile, type HactlConfig } from "../config/index.ts";
import { CrmExit, type HactlError } from "../terms/index.ts";
import { executorSocketPath } from "./admin-protocol.ts";
import { type AgentHostOptions, runExecutor } from "./executor.ts";
import { type DaemonArguments, loadNode, nodeLog } from "./setup.ts";

/**
 * `hactl internal executor --config FILE [--node NAME]`: the executor process of a cluster node, as the ring starts
 * it. Does not return: agents that still run must not hold the process.
 */
export async function run(args: readonly string[]): Promise<never> {
  const { values } = parseArgs({
    args: [...args],
    options: { config: { type: "string" }, node: { type: "string" } },
    strict: true,
  });
  process.exit(await runNodeExecutor({ configPath: values.config ?? defaultConfigFile, node: values.node }));
}

/** Serves until the node's ring ends. @returns the exit code */
export async function runNodeExecutor(args: DaemonArguments): Promise<number> {
  const { config, self } = loadNode(args);
  const log = nodeLog(config, "hactl-executor");
  try {
    return await runExecutor({
      ...agentHostOptions(config, args.configPath),
      log,
      nodeName: self.name,
      socketPath: executorSocketPath(config.system.runDir),
    });
  } catch (error) {
    const known = error as Partial<HactlError>;
    log.critical("EXECUTOR-FAILED", known.message ?? String(error));
    return known.exit ?? CrmExit.ERROR;
  } finally {
    await log.close();
  }
}

/** Where agents are and what they are given, by the configuration file. */
export function agentHostOptions(config: HactlConfig, configPath: string): Omit<AgentHostOptions, "log"> {
  const { system, sysconfig, logging } = config;
  return {
    runDir: system.runDir,
    configPath,
    ocfPath: system.ocfPath,
    lsbPath: system.lsbPath,
    sysconfig: {
      HA_LOGFACILITY: logging.agentFacility,
      HA_logfacility: logging.agentFacility,
      ...sysconfig.environment,
      ...(sysconfig.nodeActionLimit === undefined
        ? {}
        : { PCMK_node_action_limit: String(sysconfig.nodeActionLimit) }),
    },
  };
}

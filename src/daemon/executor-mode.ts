import type { HactlConfig } from "../config/index.ts";
import { endByDefect, type Log } from "../platform/index.ts";
import { HactlError } from "../terms/index.ts";
import { executorSocketPath } from "./admin-protocol.ts";
import { type AgentHostOptions, runExecutor } from "./executor.ts";
import { loadInForce, setupInForce } from "./in-force.ts";
import { type DaemonArguments, logSettings, processLog } from "./setup.ts";

/**
 * The executor process of a cluster node, as the ring starts it. Serves until the ring ends, then ends this process:
 * agents that still run must not hold it.
 */
export async function runNodeExecutor(args: DaemonArguments): Promise<never> {
  process.exit(await serve(args));
}

async function serve(args: DaemonArguments): Promise<number> {
  const { config, self } = loadInForce(args);
  const log = processLog(config, "hactl-executor");
  try {
    return await runExecutor({
      ...agentHostOptions(config, args.configPath),
      log: log.part("EXECUTOR", false),
      nodeName: self.name,
      inForce: (described) => adoptInForce(args, described, log),
      socketPath: executorSocketPath(config.system.runDir),
    });
  } catch (error) {
    if (!(error instanceof HactlError)) return await endByDefect(error);
    log.critical("EXECUTOR-FAILED", error.message);
    return error.exit;
  } finally {
    await log.close();
  }
}

/** Logs as the configuration says by now. @returns what agents are told, by the same */
function adoptInForce(
  args: DaemonArguments,
  described: string,
  log: Log,
): Readonly<Record<string, string>> | undefined {
  try {
    const { config } = setupInForce(args, described);
    log.adopt(logSettings(config));
    log.debug("RELOADED", "goes by the configuration that is in force");
    return agentHostOptions(config, args.configPath).sysconfig;
  } catch (error) {
    log.warning("RELOAD", `the configuration could not be read again: ${error}`);
    return undefined;
  }
}

/** Where agents are and what they are given, by the configuration file. */
export function agentHostOptions(config: HactlConfig, configPath: string): Omit<AgentHostOptions, "log"> {
  const { system, sysconfig, logging } = config;
  return {
    runDir: system.runDir,
    stateDir: system.stateDir,
    configPath,
    ocfPath: system.ocfPath,
    lsbPath: system.lsbPath,
    secretsDir: system.secretsDir,
    sysconfig: {
      HA_LOGFACILITY: logging.agentFacility,
      HA_logfacility: logging.agentFacility,
      // An agent's own lines are added to that file, too (ocf-shellfuncs).
      ...(logging.thresholds.file === undefined || logging.file === undefined
        ? {}
        : { HA_logfile: logging.file, HA_LOGFILE: logging.file }),
      ...sysconfig.environment,
      ...(sysconfig.nodeActionLimit === undefined
        ? {}
        : { PCMK_node_action_limit: String(sysconfig.nodeActionLimit) }),
    },
  };
}

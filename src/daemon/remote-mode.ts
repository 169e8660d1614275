import { configChanges, type HactlConfig, loadConfigFile } from "../config/index.ts";
import { endByDefect, type Log } from "../platform/index.ts";
import type { RemoteKey } from "../remote/index.ts";
import { HactlError, type NodeName, nodeName } from "../terms/index.ts";
import { agentHostOptions } from "./executor-mode.ts";
import { sinceStart } from "./in-force.ts";
import { runRemote } from "./remote.ts";
import { mendedText } from "./run-directory.ts";
import { logSettings, makeDirectories, processLog, readRemoteKey, toldWarnings } from "./setup.ts";

/** What `hactl remote` was called with; what is absent comes from the configuration file. */
export interface RemoteArguments {
  readonly configPath: string;
  /** Which remote node this host is. */
  readonly node?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly keyFile?: string | undefined;
  readonly runDir?: string | undefined;
}

/**
 * `hactl remote`: executes agents for the cluster on a host without membership. Ends this process: agents that still
 * run must not hold it.
 * @throws HactlError when the configuration is wrong.
 */
export async function runRemoteHost(args: RemoteArguments): Promise<never> {
  process.exit(await serve(args));
}

async function serve(args: RemoteArguments): Promise<number> {
  const config = loadConfigFile(args.configPath, "remote", undefined, args.keyFile);
  const options = agentHostOptions(config, args.configPath);
  const runDir = args.runDir ?? options.runDir;
  const wrong = makeDirectories({ stateDir: options.stateDir, runDir });
  const log = processLog(config, "hactl-remote");
  if (wrong.length > 0) log.warning("OWN-DIRECTORY", mendedText(wrong));
  for (const text of toldWarnings(config)) log.warning("CONFIG", text);
  try {
    const key = readRemoteKey(args.keyFile ?? config.remote.keyFile);
    return await runRemote({
      ...options,
      log,
      runDir,
      node: nodeNameOf(args.node ?? config.remote.name, key),
      key,
      address: args.address ?? config.remote.listen,
      port: args.port ?? config.remote.port,
      group: config.system.group,
      inForce: () => reload(config, args, log),
    });
  } catch (error) {
    if (!(error instanceof HactlError)) return await endByDefect(error);
    log.critical("REMOTE-FAILED", error.message);
    return error.exit;
  } finally {
    await log.close();
  }
}

/** Reads the file again, as a cluster node does at 'hactl reload': where it logs changes, and all else is named that does not. */
function reload(
  started: HactlConfig,
  { configPath, keyFile }: RemoteArguments,
  log: Log,
): Readonly<Record<string, string>> | undefined {
  try {
    const config = loadConfigFile(configPath, "remote", undefined, keyFile);
    const next = sinceStart({ config }, { config: started }).config;
    log.adopt(logSettings(next));
    const restart = configChanges(started, config)
      .filter(({ table }) => !table.startsWith("logging"))
      .map(({ table, option }) => (option === "" ? table : `${table}.${option}`));
    log.notice("RELOADED", "the configuration was read again: it logs by that", {
      restart: restart.join(" ") || undefined,
    });
    return agentHostOptions(next, configPath).sysconfig;
  } catch (error) {
    log.error("RELOAD", `the configuration is wrong, nothing was changed: ${error}`);
    return undefined;
  }
}

/** Which remote node this host is: as it was told, else the one that its key is for, else whichever is looked for first. */
function nodeNameOf(told: string | undefined, key: RemoteKey): NodeName | undefined {
  if (told !== undefined) return nodeName(told);
  return key.kind === "node" ? key.node : undefined;
}

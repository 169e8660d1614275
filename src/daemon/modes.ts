import { endByDefect } from "../platform/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import type { RemoteArguments } from "./remote-mode.ts";
import { type DaemonArguments, loadNode, makeDirectories, processLog } from "./setup.ts";

/** Reads `--config FILE` and `--node NAME`, as the ring gives them to its processes. */
export function parseDaemonArguments(words: readonly string[]): DaemonArguments {
  const value = (name: string) => {
    const at = words.indexOf(name);
    return at < 0 ? undefined : words[at + 1];
  };
  const configPath = value("--config");
  if (configPath === undefined) {
    throw new HactlError({
      code: "USAGE",
      what: "--config is missing",
      cure: "these processes are started by 'hactl start'",
      exit: CrmExit.USAGE,
    });
  }
  return { configPath, node: value("--node") };
}

/** The ring process: the daemon's parent. @returns the exit code */
export async function runRing(args: DaemonArguments): Promise<number> {
  const setup = loadNode(args);
  makeDirectories(setup.config);
  const log = processLog(setup.config, "hactl");
  // Each process loads only what it is: the ring's heap stays small.
  const { RingProcess } = await import("./ring.ts");
  try {
    for (const { what } of setup.config.warnings) log.warning("CONFIG", what);
    return await new RingProcess(setup, log).run();
  } catch (error) {
    if (!(error instanceof HactlError)) return await endByDefect(error);
    log.critical(error.code, error.message);
    throw error;
  } finally {
    await log.close();
  }
}

/** The manager process. @returns the exit code */
export async function runNodeManager(args: DaemonArguments, version: string): Promise<number> {
  const setup = loadNode(args);
  const log = processLog(setup.config, "hactl-manager");
  const { runManager } = await import("./manager.ts");
  try {
    return await runManager(setup, version, log);
  } catch (error) {
    if (!(error instanceof HactlError)) return await endByDefect(error);
    log.critical(error.code, error.message);
    throw error;
  } finally {
    await log.close();
  }
}

/** The executor process. @returns the exit code */
export async function runNodeExecutor(args: DaemonArguments): Promise<number> {
  const mode = await import("./executor-mode.ts");
  return mode.runNodeExecutor(args);
}

/** The process of a remote host, `hactl remote`. @returns the exit code */
export async function runRemoteHost(args: RemoteArguments): Promise<number> {
  const mode = await import("./remote-mode.ts");
  return mode.runRemoteHost(args);
}

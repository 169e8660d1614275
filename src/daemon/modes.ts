import {
  dieWithParent,
  endByDefect,
  localAddresses,
  parentPid,
  proveLife,
  withoutCoreDump,
} from "../platform/index.ts";
import { CrmExit, HactlError, type Millis } from "../terms/index.ts";
import { signEveryMs } from "./children.ts";
import { loadInForce } from "./in-force.ts";
import type { RemoteArguments } from "./remote-mode.ts";
import { mendedText } from "./run-directory.ts";
import {
  type DaemonArguments,
  loadNode,
  makeDirectories,
  type NodeSetup,
  processLog,
  toldWarnings,
} from "./setup.ts";

/** How soon it is noticed that the network is there. */
const networkRetryMs: Millis = 500;

/** Reads `--config FILE`, `--node NAME` and `--parent PID`, as the ring gives them to its processes. */
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
  const parent = Number(value("--parent") ?? "");
  return { configPath, node: value("--node"), ...(parent > 0 ? { parent } : {}) };
}

/**
 * Reads the configuration. Which node this machine is may follow from its addresses alone: as long as it has none it
 * waits for them, since nothing of that is a mistake. @throws HactlError as `loadNode`
 */
export async function setupWithNetwork(
  args: DaemonArguments,
  load: (args: DaemonArguments) => NodeSetup = loadNode,
  addresses: () => readonly { readonly address: string }[] = localAddresses,
  say: (text: string) => void = (text) => void process.stderr.write(`hactl: ${text}\n`),
): Promise<NodeSetup> {
  for (let said = false; ; said = true) {
    try {
      return load(args);
    } catch (error) {
      const unknown = error instanceof HactlError && error.code === "NOT_A_NODE" && args.node === undefined;
      if (!unknown || addresses().some(({ address }) => !/^(?:127\.|::1$|fe80:)/.test(address))) throw error;
      // There is no log before the configuration is read.
      if (!said)
        say("no node of the list has the name of this machine, which has no address yet: it waits for one");
      await Bun.sleep(networkRetryMs);
    }
  }
}

/** The ring process: the daemon's parent. @returns the exit code */
export async function runRing(args: DaemonArguments): Promise<number> {
  withoutCoreDump();
  const setup = await setupWithNetwork(args);
  const wrong = makeDirectories(setup.config.system);
  const log = processLog(setup.config, "hactl");
  // Each process loads only what it is: the ring's heap stays small.
  const { RingProcess } = await import("./ring.ts");
  try {
    for (const text of toldWarnings(setup.config)) log.warning("CONFIG", text);
    if (wrong.length > 0) log.warning("OWN-DIRECTORY", mendedText(wrong));
    return await new RingProcess(setup, log).run();
  } catch (error) {
    if (!(error instanceof HactlError)) return await endByDefect(error);
    log.critical(error.code, error.message);
    throw error;
  } finally {
    await log.close();
  }
}

/**
 * From now on this process ends with the one that started it. @returns whether that is there still: who was started by a ring
 * that has died meanwhile would stay for ever, beside the process of the next ring
 */
export function belongsToParent({ parent }: DaemonArguments): boolean {
  dieWithParent();
  withoutCoreDump();
  return parent === undefined || parentPid() === parent;
}

/**
 * The manager process: exits, whatever was just being opened when its end came. It would stay beside the manager of the next
 * ring. @returns the exit code where it has not begun
 */
export async function runNodeManager(args: DaemonArguments, version: string): Promise<number> {
  if (!belongsToParent(args)) return CrmExit.OK;
  process.exit(await serveAsManager(args, version));
}

async function serveAsManager(args: DaemonArguments, version: string): Promise<number> {
  proveLife(signEveryMs);
  const setup = loadInForce(args);
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
  if (!belongsToParent(args)) return CrmExit.OK;
  proveLife(signEveryMs);
  const mode = await import("./executor-mode.ts");
  return mode.runNodeExecutor(args);
}

/** The process that computes large decisions for a manager. @returns the exit code */
export async function runPlanner(): Promise<number> {
  withoutCoreDump();
  const mode = await import("./planner-mode.ts");
  return mode.runPlanner();
}

/** The process of a remote host, `hactl remote`. @returns the exit code */
export async function runRemoteHost(args: RemoteArguments): Promise<number> {
  withoutCoreDump();
  const mode = await import("./remote-mode.ts");
  return mode.runRemoteHost(args);
}

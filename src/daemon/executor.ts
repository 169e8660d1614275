import { existsSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { availableParallelism, hostname } from "node:os";
import { DEFAULT_OCF_ROOT, type ExecutorConfig } from "../executor/index.ts";
import {
  bootId,
  KeptSocket,
  type Listening,
  type Log,
  leaveRealtime,
  parentPid,
  processStart,
} from "../platform/index.ts";
import { ManagerPort } from "../remote/index.ts";
import { CrmExit, HactlError, type Millis } from "../terms/index.ts";
import { adminSocketPath } from "./admin-protocol.ts";
import { ownCommand } from "./children.ts";
import { agentEnvironment } from "./executor-environment.ts";
import { ExecutorHost } from "./executor-host.ts";
import { makeToolsDirectory, toolsAreMissing } from "./executor-tools.ts";
import { mendDirectory, mendedText, RunDirectory } from "./run-directory.ts";

/** Where agents are and what they are given: the same for a node's own executor and for a remote host's. */
export interface AgentHostOptions {
  /** Directory of this daemon's run-time files; it exists, and a reboot empties it. */
  readonly runDir: string;
  /** Directory of what outlives a reboot. Default: `runDir`, then no reboot is noticed. */
  readonly stateDir?: string;
  readonly log: Log;
  /** How this program is called, for the tools that agents call. Default: as this process was. */
  readonly command?: readonly string[];
  /** Configuration file, for the tools that agents call. */
  readonly configPath?: string;
  /** Name of this node. Default: the host's. */
  readonly nodeName?: string;
  /** OCF_ROOT. Default /usr/lib/ocf. */
  readonly ocfRoot?: string;
  /** Directories with PROVIDER/TYPE, in the order of search. Default: OCF_ROOT/resource.d. */
  readonly ocfPath?: readonly string[];
  /** Directories of init scripts. Default /etc/init.d. */
  readonly lsbPath?: readonly string[];
  /** Directory of the values that `lrm://` stands for in parameters. Default: where cibsecret puts them. */
  readonly secretsDir?: string;
  /** HA_RSCTMP. Default: /run/resource-agents for root when `runDir` is below /run, else a directory in `runDir`. */
  readonly rscTmp?: string;
  /** PCMK_* and HA_* values for agents. PCMK_node_action_limit among them counts. */
  readonly sysconfig?: Readonly<Record<string, string>>;
  /** Value of OCF_RESKEY_crm_feature_set. */
  readonly featureSet?: string;
  readonly killGraceMs?: Millis;
  /** Goes by what the node's configuration says by now; the `sysconfig` of agents from then on. */
  readonly inForce?: (described: string) => Readonly<Record<string, string>> | undefined;
}

export interface RunExecutorOptions extends AgentHostOptions {
  /** Unix stream socket to serve the manager on. */
  readonly socketPath: string;
  /** Pid of the process that this one belongs to. Default: its parent. */
  readonly parent?: number;
}

/** Between two looks whether the parent still lives, beside the kernel's own message. */
const PARENT_EVERY_MS = 500;
const KILL_GRACE_MS = 5000;

/** A node's executor, serving. */
export interface RunningExecutor {
  /** Ends; the services go on. With `forget`, their monitors and history are not taken up again. */
  close(forget: boolean): void;
}

/**
 * Opens the executor of a node: agents' tools, state of an executor that died before, socket.
 * @throws HactlError SOCKET when the socket cannot be made.
 */
export async function openExecutor(options: RunExecutorOptions): Promise<RunningExecutor> {
  const parent = options.parent ?? parentPid();
  const port = new ManagerPort({ request: (request) => host.request(request) }, options.log);
  const host = new ExecutorHost({
    config: executorConfig(options),
    log: options.log,
    runDir: options.runDir,
    secretsDir: secretsDir(options),
    bootFile: bootFile(options),
    parentLives: () => parentPid() === parent,
    instance: `${parent}.${processStart(parent) ?? 0}`,
    emit: (event) => port.send(event),
    prepare: () => prepareAgent(options),
    inForce: (described) => {
      const sysconfig = options.inForce?.(described);
      return sysconfig && environmentOfAgents({ ...options, sysconfig });
    },
  });
  const begin = () => listen((socket) => port.accept(socket, "local"), options.socketPath);
  removeSocket(options.socketPath);
  const socket = new KeptSocket(options.socketPath, begin);
  socket.serves(await begin());
  host.start();
  const runDirectory = new RunDirectory(options.runDir, {
    log: options.log,
    cares: () => parentPid() === parent,
    sockets: () => [socket],
    files: () => keepFiles(options, host),
  });
  runDirectory.start();
  return {
    close: (forget) => {
      runDirectory.close();
      socket.close();
      port.close();
      host.stop(forget);
    },
  };
}

/** What agents and a following executor find in the run directory is made again where somebody has removed it. */
export function keepFiles(options: AgentHostOptions, host: ExecutorHost): void {
  makeDirectories(options);
  host.keep();
}

/**
 * The executor process of a cluster node: serves until SIGTERM or until its parent dies. Services and agents that run
 * are left alone then.
 * @returns the exit code
 */
export async function runExecutor(options: RunExecutorOptions): Promise<number> {
  // Agents must not run with the ring's priority.
  const ordinary = leaveRealtime();
  if (!ordinary.ok)
    options.log.warning("PRIORITY", `real-time priority could not be given back: ${ordinary.reason}`);
  const parent = options.parent ?? parentPid();
  const running = await openExecutor({ ...options, parent });
  options.log.info("EXECUTOR-READY", "the executor is ready", { socket: options.socketPath });
  let watch: ReturnType<typeof setInterval> | undefined;
  const why = await new Promise<string>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
    watch = setInterval(() => {
      if (parentPid() !== parent) resolve("the death of its parent");
    }, PARENT_EVERY_MS);
  });
  clearInterval(watch);
  options.log.notice("EXECUTOR-ENDS", `the executor ends because of ${why}; services go on`);
  running.close(false);
  return CrmExit.OK;
}

/** Where the id of the last boot with an executor stands. */
export const bootFile = ({ stateDir, runDir }: AgentHostOptions): string => `${stateDir ?? runDir}/boot-id`;

/** Where secrets are. */
export const secretsDir = (options: Pick<AgentHostOptions, "secretsDir">): string =>
  options.secretsDir ?? "/var/lib/pacemaker/lrm/secrets";

/** What agents find in their environment. */
export const environmentOfAgents = (options: AgentHostOptions): Record<string, string> =>
  agentEnvironment({
    toolsDir: toolsOf(options),
    rscTmp: notesOf(options),
    configPath: options.configPath,
    socket: adminSocketPath(options.runDir),
    sysconfig: options.sysconfig ?? {},
    lang: process.env.LANG,
  });

/** The core's configuration; makes the directories and the tools that agents need. */
export function executorConfig(options: AgentHostOptions): ExecutorConfig {
  makeDirectories(options, true);
  const ocfRoot = options.ocfRoot ?? DEFAULT_OCF_ROOT;
  const { sysconfig } = options;
  return {
    hostname: options.nodeName ?? hostname(),
    bootId: bootId(),
    ocfRoot,
    ocfPath: options.ocfPath ?? [`${ocfRoot}/resource.d`],
    lsbPath: options.lsbPath ?? ["/etc/init.d"],
    environment: environmentOfAgents(options),
    featureSet: options.featureSet ?? "3.19.0",
    cores: availableParallelism(),
    nodeActionLimit: Math.max(0, Number(sysconfig?.PCMK_node_action_limit ?? 0) || 0),
    killGraceMs: options.killGraceMs ?? KILL_GRACE_MS,
  };
}

/** An agent that is about to run must find its tools and where it notes down what it did, whoever removed them a moment ago. */
export function prepareAgent(options: AgentHostOptions): void {
  if (existsSync(toolsOf(options)) && existsSync(notesOf(options))) return;
  try {
    const wrong = mendDirectory(options.runDir, []);
    makeDirectories(options);
    if (wrong.length > 0) options.log.warning("RUN-DIRECTORY", mendedText(wrong));
  } catch {
    // Whoever looks after the directory tells why.
  }
}

const toolsOf = ({ runDir }: AgentHostOptions): string => `${runDir}/tools`;

/** HA_RSCTMP. Several daemons on one machine must not share what their agents note down. */
function notesOf({ runDir, rscTmp }: AgentHostOptions): string {
  const shared = process.getuid?.() === 0 && runDir.startsWith("/run/");
  return rscTmp ?? (shared ? "/run/resource-agents" : `${runDir}/rsctmp`);
}

/** The directories that agents are given; `anew`: the tools may be those of another version. */
function makeDirectories(options: AgentHostOptions, anew = false): void {
  const toolsDir = toolsOf(options);
  if (anew || toolsAreMissing(toolsDir)) makeToolsDirectory(toolsDir, options.command ?? ownCommand());
  mkdirSync(notesOf(options), { recursive: true, mode: 0o755 });
}

/** A socket that a dead process left is removed: the caller holds the lock. */
function removeSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path);
}

/** Serves a Unix socket for this user only. */
async function listen(accept: (socket: Socket) => void, path: string): Promise<Listening> {
  const server = createServer(accept);
  const mask = process.umask(0o177);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new HactlError({
          code: "SOCKET",
          what: `The executor's socket cannot be made: ${error.message}`,
          where: { file: path },
          cure: "Check run_dir: it must exist and its path must be short",
          exit: CrmExit.CANTCREAT,
        }),
      ),
    );
    server.listen(path, resolve);
  }).finally(() => process.umask(mask));
  return { stop: () => server.close(), leave: () => server.unref() };
}

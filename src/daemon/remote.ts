import {
  type Log,
  lockFile,
  processStart,
  type ServiceManager,
  serviceManager,
  type TlsServer,
} from "../platform/index.ts";
import { ManagerPort, type RemoteKey, serveRemote } from "../remote/index.ts";
import { CrmExit, type NodeName } from "../terms/index.ts";
import { socketNames } from "./admin-protocol.ts";
import {
  type AgentHostOptions,
  bootFile,
  environmentOfAgents,
  executorConfig,
  keepFiles,
  prepareAgent,
  secretsDir,
} from "./executor.ts";
import { ExecutorHost } from "./executor-host.ts";
import { ManagerAddresses } from "./manager-addresses.ts";
import { RemoteTools } from "./remote-tools.ts";
import { RunDirectory } from "./run-directory.ts";

export interface RunRemoteOptions extends AgentHostOptions {
  /** Which remote node this host is; undefined when the cluster shall say it. */
  readonly node: NodeName | undefined;
  readonly key: RemoteKey;
  /** Address to listen on. Default: all. */
  readonly address?: string;
  /** Default 3121; 0 takes a free one. */
  readonly port?: number;
  /** Group that may use the tools' socket. */
  readonly group?: string;
}

/** A remote host that serves the cluster. */
export interface RunningRemote {
  readonly port: number;
  /** Name of the manager that is connected. */
  readonly manager: string | undefined;
  /**
   * Asks the cluster to stop what runs here. Settles when it has; at once, with `false`, when no manager is connected.
   */
  drain(): Promise<boolean>;
  /** Takes over what may change while it runs, by `inForce`: agents that begin from then on are told by that. */
  reload(): void;
  /** Ends. With `forget`, what ran is not taken up by a following process. */
  close(forget: boolean): void;
}

/**
 * Opens a remote host: executor, TLS port for managers, local socket for tools. It has no membership and no vote.
 * @throws HactlError NOT_WHOLE, PORT, SOCKET
 */
export async function openRemote(options: RunRemoteOptions): Promise<RunningRemote> {
  const { log, runDir } = options;
  let draining = false;
  let drained: (asked: boolean) => void = () => {};
  const port: ManagerPort = new ManagerPort(
    {
      request: (request) => {
        if (request.type === "tool-reply") return tools.reply(request);
        if (request.type === "shutdown-ack") return drained(true);
        host.request(request);
        if (request.type !== "register") return;
        tools.managerUp();
        // A manager that takes over from another does not know of it.
        if (draining) port.send({ type: "shutdown-request" });
      },
      gone: () => tools.managerGone(),
    },
    log,
  );
  const host = new ExecutorHost({
    config: executorConfig(options),
    log: log.part("EXECUTOR", false),
    runDir,
    secretsDir: secretsDir(options),
    bootFile: bootFile(options),
    // What was under way in another process was answered for by the manager that lost its connection.
    instance: `${process.pid}.${processStart(process.pid) ?? 0}`,
    parentLives: () => true,
    emit: (event) => port.send(event),
    prepare: () => prepareAgent(options),
  });
  const tools = new RemoteTools({
    runDir,
    log: log.part("IPC", false),
    send: (event) => port.send(event),
    ...(options.group === undefined ? {} : { group: options.group }),
  });
  const server: TlsServer = await serveRemote({
    node: options.node,
    key: options.key,
    address: options.address,
    port: options.port,
    manager: port,
    log: log.part("REMOTE", false),
    proven: options.stateDir === undefined ? undefined : managerAddresses(options.stateDir, log),
  });
  tools.open();
  host.start();
  const runDirectory = new RunDirectory(runDir, {
    log,
    cares: () => true,
    sockets: () => tools.sockets,
    names: socketNames,
    files: () => keepFiles(options, host),
  });
  runDirectory.start();
  return {
    port: server.port,
    get manager() {
      return port.manager;
    },
    drain: () => {
      if (draining || port.manager === undefined) return Promise.resolve(false);
      draining = true;
      return new Promise<boolean>((resolve) => {
        drained = resolve;
        port.send({ type: "shutdown-request" });
      });
    },
    reload: () => {
      const sysconfig = options.inForce?.("");
      host.takeEnvironment(sysconfig && environmentOfAgents({ ...options, sysconfig }));
    },
    close: (forget) => {
      runDirectory.close();
      tools.close();
      server.close();
      port.close();
      host.stop(forget);
    },
  };
}

const managerAddresses = (stateDir: string, log: Log) =>
  new ManagerAddresses(`${stateDir}/manager-addresses`, log);

/**
 * The process of a remote host: serves until SIGTERM. Then it asks the cluster to stop what runs here and ends when
 * that is done, or at the second signal.
 * @returns the exit code
 */
export async function runRemote(
  options: RunRemoteOptions,
  service: ServiceManager = serviceManager(),
): Promise<number> {
  const { log, runDir } = options;
  const lock = lockFile(`${runDir}/remote.lock`);
  const remote = await openRemote(options);
  process.on("SIGHUP", () => remote.reload());
  const aliveMs = service.aliveEveryMs;
  if (aliveMs !== undefined) setInterval(() => service.alive(), aliveMs).unref();
  service.ready(`serving on port ${remote.port}`);
  log.notice(
    "REMOTE-READY",
    options.node === undefined
      ? "waiting for the cluster, as the remote node that it looks for here"
      : `waiting for the cluster as remote node ${options.node}`,
    { port: remote.port },
  );
  await signal();
  service.stopping();
  log.notice("REMOTE-ENDS", "asking the cluster to stop what runs here");
  const stopped = await Promise.race([remote.drain(), signal().then(() => false)]);
  if (!stopped) {
    log.warning("REMOTE-LEAVES", "ends without the cluster: services of it may still run here");
  }
  remote.close(stopped);
  lock.release();
  return CrmExit.OK;
}

function signal(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve());
  });
}

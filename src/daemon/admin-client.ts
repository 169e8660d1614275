import { configFile, loadConfigFile } from "../config/index.ts";
import { connectFrames, type FrameConnection, monotonicMs } from "../platform/index.ts";
import { CrmExit, HactlError, type Millis } from "../terms/index.ts";
import { AdminFrame, type AdminRequest, adminSocketPath, type WireError } from "./admin-protocol.ts";
import { hungAfterMs } from "./children.ts";
import { fromJson, toJson } from "./ring-link.ts";
import { unreachable } from "./unreachable.ts";

/** How long a request may take unless said otherwise. */
const defaultTimeoutMs: Millis = 30_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * Agents run on while a process of the daemon is started again, also one that has hung until then: what their tools ask
 * waits so long for it, where an administrator would rather be told.
 */
const patienceMs: Millis = 2 * hungAfterMs;
/** How long an administrator's command waits for a daemon that is being started, joins, or makes its socket again. */
const startPatienceMs: Millis = 5_000;
const retryMs: Millis = 100;
/** The daemon, or the cluster behind it, is not there yet, or went away before it answered. */
const passing: ReadonlySet<string> = new Set([
  "NOT_RUNNING",
  "NOT_JOINED",
  "DISCONNECTED",
  "NOT_CONNECTED",
  "CONNECTION_LOST",
]);

/** The daemon is there, and has done nothing yet. */
const joining: ReadonlySet<string> = new Set(["NOT_JOINED"]);

/** Tries again what fails with one of these codes, until a time on this process's monotonic clock. */
async function tryAgain<T>(work: () => Promise<T>, codes: ReadonlySet<string>, until: Millis): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const passes = error instanceof HactlError && codes.has(error.code);
      if (!passes || monotonicMs() > until) throw error;
      await Bun.sleep(retryMs);
    }
  }
}

/** A connection of a command to the daemon of this node. */
export class AdminClient {
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #connection: FrameConnection | undefined;
  /** Called when something in the cluster changed, after a `watch` request. */
  onChange: () => void = () => {};
  /** Called when the daemon has gone. */
  onClose: () => void = () => {};

  private constructor(
    private readonly path: string,
    /** Until when a daemon that is away is waited for, on this process's monotonic clock. */
    private readonly patientUntil: Millis,
  ) {}

  /** Connects to an admin socket. @throws HactlError NOT_RUNNING, PERMISSION */
  static async connect(path: string): Promise<AdminClient> {
    const client = new AdminClient(path, 0);
    await client.#connect();
    return client;
  }

  /** The same for a tool: with patience when an agent has called it, as the executor's mark in the environment tells. */
  static async connectForAgent(path: string): Promise<AdminClient> {
    const client = new AdminClient(
      path,
      process.env.HACTL_JOB === undefined ? 0 : monotonicMs() + patienceMs,
    );
    await client.#patiently(() => client.#connect());
    return client;
  }

  /**
   * Asks and waits for the answer. A node that is joining is asked again for some seconds: it has done nothing yet.
   *
   * @throws the HactlError that the daemon answers with, or TIMEOUT.
   */
  async request<T>(request: AdminRequest, timeoutMs: Millis = defaultTimeoutMs): Promise<T> {
    return tryAgain(() => this.#request<T>(request, timeoutMs), joining, monotonicMs() + startPatienceMs);
  }

  async #request<T>(request: AdminRequest, timeoutMs: Millis): Promise<T> {
    if (!isRepeatable(request)) return this.#ask<T>(request, timeoutMs);
    return this.#patiently(async () => {
      if (!this.#connection?.open && this.patientUntil > 0) await this.#connect();
      return this.#ask<T>(request, timeoutMs);
    });
  }

  /** Tries again what fails because the daemon is away, as long as there is patience. */
  #patiently<T>(work: () => Promise<T>): Promise<T> {
    return tryAgain(work, passing, this.patientUntil);
  }

  async #connect(): Promise<void> {
    this.#connection = await connectFrames(this.path, {
      frame: (_connection, type, body) => this.#frame(type, body),
      close: () => this.#closed(),
    });
  }

  async #ask<T>(request: AdminRequest, timeoutMs: Millis): Promise<T> {
    const connection = this.#connection;
    if (!connection?.open) throw gone();
    const id = this.#next++;
    const answer = new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(tooLate(request.type, timeoutMs));
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
    });
    connection.send(AdminFrame.REQUEST, toJson({ id, request, ...inNameOf() }));
    return (await answer) as T;
  }

  close(): void {
    this.#connection?.destroy();
  }

  #frame(type: number, body: Uint8Array): void {
    if (type === AdminFrame.CHANGED) return this.onChange();
    const { id, value, error } = fromJson<{ id: number; value?: unknown; error?: WireError }>(body);
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error) waiting.reject(new HactlError({ ...error, exit: error.exit as CrmExit }));
    else waiting.resolve(value);
  }

  #closed(): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(gone());
    }
    this.#waiting.clear();
    this.onClose();
  }
}

/**
 * Connects a command to the daemon of this node, found by the configuration file (`--config`, HACTL_CONFIG, or the
 * usual place). HACTL_SOCKET names the socket itself: what agents' tools are given. A daemon that runs and is not to be
 * reached yet is waited for, for some seconds.
 *
 * @throws HactlError NOT_RUNNING, UNREACHABLE (it runs, and what is wrong), PERMISSION
 */
export async function connectAdmin(
  options: { readonly config?: string | undefined } = {},
): Promise<AdminClient> {
  const socket = process.env.HACTL_SOCKET;
  if (socket && options.config === undefined) return AdminClient.connectForAgent(socket);
  const { system } = loadConfigFile(configFile(options.config), "text");
  const patientUntil = monotonicMs() + startPatienceMs;
  for (;;) {
    try {
      return await AdminClient.connect(adminSocketPath(system.runDir));
    } catch (error) {
      if (!(error instanceof HactlError && error.code === "NOT_RUNNING")) throw error;
      const why = unreachable(system);
      if (!why || monotonicMs() > patientUntil) throw why ?? error;
      await Bun.sleep(retryMs);
    }
  }
}

/** Whether asking twice does no more than asking once, when nobody knows what became of the first time. */
function isRepeatable(request: AdminRequest): boolean {
  if (request.type === "attributes-update")
    return request.updates.every(({ value }) => !/^value(?:\+\+|\+=)/.test(value ?? ""));
  return [
    "status",
    "cib",
    "attributes-query",
    "attributes-names",
    "node",
    "ring-status",
    "metadata",
    "history",
  ].includes(request.type);
}

/** Root may ask in the name of another user, as with Pacemaker's tools; the daemon does not take it from others. */
const inNameOf = (): { readonly user?: string } =>
  process.env.CIB_user ? { user: process.env.CIB_user } : {};

const gone = () =>
  new HactlError({
    code: "DISCONNECTED",
    what: "the daemon closed the connection",
    cure: "it may have been restarted; try again",
    exit: CrmExit.DISCONNECT,
  });

const tooLate = (what: string, timeoutMs: Millis) =>
  new HactlError({
    code: "TIMEOUT",
    what: `the daemon did not answer "${what}" within ${timeoutMs / 1000} s`,
    cure: "the cluster may be settling its membership; look at 'hactl status'",
    exit: CrmExit.TIMEOUT,
  });

import type { ExecutorEvent, ExecutorRequest, ToolUser } from "../executor/index.ts";
import {
  Accounts,
  type FrameConnection,
  type FrameServer,
  type Log,
  monotonicMs,
  serveFrames,
} from "../platform/index.ts";
import { CrmExit, HactlError, type Millis, read } from "../terms/index.ts";
import { AdminFrame, adminSocketPath, type WireError, wireError } from "./admin-protocol.ts";
import { toolUser } from "./caller.ts";
import { UserAllowances, userFrames } from "./user-allowances.ts";
import { TOOL_MS } from "./work.ts";

/** How long a request waits for a manager to connect, and then for its answer. */
const CONNECT_MS: Millis = 5000;
const ANSWER_MS: Millis = 60_000;

interface Pending {
  readonly connection: FrameConnection;
  /** The client's own number. */
  readonly id: number;
  readonly request: unknown;
  readonly user: ToolUser;
  sent: boolean;
  timer: ReturnType<typeof setTimeout>;
}

export interface RemoteToolsOptions {
  readonly runDir: string;
  readonly group?: string;
  readonly log: Log;
  /** Hands an event to the manager; `false` when none is connected. */
  readonly send: (event: ExecutorEvent) => boolean;
}

/**
 * The admin socket of a remote host: what tools ask here is carried to the cluster as `tool` events and answered by
 * `tool-reply`. A request that comes between two managers waits a little for the next one.
 */
export class RemoteTools {
  readonly #options: RemoteToolsOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #accounts = new Accounts();
  /** The manager gives this host one share, for all its users and the results of its resources. */
  readonly #users: UserAllowances;
  #server: FrameServer | undefined;
  #last = 0;

  constructor(options: RemoteToolsOptions) {
    this.#options = options;
    this.#users = new UserAllowances((text) => options.log.warning("ADMIN-FLOOD", text), monotonicMs);
  }

  /** Begins to serve. @throws HactlError SOCKET */
  open(): void {
    const { runDir, group } = this.#options;
    this.#server = serveFrames(
      adminSocketPath(runDir),
      {
        open: (connection) => this.#users.enter(connection),
        frame: (connection, type, body) =>
          this.#users.take(connection, body.length, () => this.#take(connection, type, body)),
        close: (connection) => {
          this.#users.leave(connection);
          this.#clientGone(connection);
        },
      },
      {
        mode: 0o660,
        maxBody: 8 * 1024 * 1024,
        ofPeer: userFrames,
        ...(group === undefined ? {} : { group }),
      },
    );
  }

  /** The socket that has to be there. */
  get sockets(): readonly FrameServer[] {
    return this.#server ? [this.#server] : [];
  }

  close(): void {
    this.#server?.close();
    this.#users.close();
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
    this.#pending.clear();
  }

  /** A manager is there: sends what waits. */
  managerUp(): void {
    for (const [number, pending] of this.#pending) if (!pending.sent) this.#send(number, pending);
  }

  /** The manager is gone: whether it did what it was asked is not known. */
  managerGone(): void {
    for (const [number, pending] of this.#pending) {
      if (pending.sent) this.#answer(number, { error: lost });
    }
  }

  /** The cluster's answer: `{ value }` or `{ error }`. */
  reply(reply: ExecutorRequest & { readonly type: "tool-reply" }): void {
    const answer = reply.reply;
    this.#answer(reply.requestId, typeof answer === "object" && answer !== null ? answer : { value: answer });
  }

  async #take(connection: FrameConnection, type: number, body: Uint8Array): Promise<void> {
    const message = type === AdminFrame.REQUEST ? parse(body) : undefined;
    if (!message) {
      this.#options.log.warning("GARBAGE", "closed a connection of a tool: it sent no request");
      connection.destroy();
      return;
    }
    const { id, request, inNameOf } = message;
    this.#users.charge(connection, TOOL_MS);
    const user = await toolUser(this.#accounts, connection.peer, inNameOf);
    if (!connection.open) return;
    const number = ++this.#last;
    const timer = setTimeout(() => this.#answer(number, { error: notConnected }), CONNECT_MS);
    const pending: Pending = { connection, id, request, user, sent: false, timer };
    this.#pending.set(number, pending);
    this.#send(number, pending);
  }

  #send(number: number, pending: Pending): void {
    const { request, user } = pending;
    try {
      pending.sent = this.#options.send({ type: "tool", requestId: number, request, user });
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      return this.#answer(number, { error: wireError(error) });
    }
    if (!pending.sent) return;
    clearTimeout(pending.timer);
    pending.timer = setTimeout(() => this.#answer(number, { error: late }), ANSWER_MS);
  }

  #answer(number: number, answer: object): void {
    const pending = this.#pending.get(number);
    if (!pending) return;
    clearTimeout(pending.timer);
    this.#pending.delete(number);
    const body = new TextEncoder().encode(JSON.stringify({ ...answer, id: pending.id }));
    pending.connection.send(AdminFrame.REPLY, body);
  }

  #clientGone(connection: FrameConnection): void {
    for (const [number, pending] of this.#pending) {
      if (pending.connection !== connection) continue;
      clearTimeout(pending.timer);
      this.#pending.delete(number);
    }
  }
}

const notConnected: WireError = {
  code: "NOT_CONNECTED",
  what: "No cluster node is connected to this remote host",
  cure: "See on a cluster node whether the remote node's connection runs: hactl status",
  exit: CrmExit.DISCONNECT,
};
const lost: WireError = {
  code: "CONNECTION_LOST",
  what: "The connection to the cluster was lost before the answer came",
  cure: "Ask again",
  exit: CrmExit.DISCONNECT,
};
const late: WireError = {
  code: "NO_ANSWER",
  what: `The cluster did not answer within ${ANSWER_MS / 1000} s`,
  cure: "See hactl status on a cluster node",
  exit: CrmExit.TIMEOUT,
};

function parse(
  body: Uint8Array,
): { readonly id: number; readonly request: unknown; readonly inNameOf?: string } | undefined {
  try {
    const message = read.json(body, "request") as {
      id?: unknown;
      request?: unknown;
      user?: unknown;
    } | null;
    if (typeof message?.id === "number" && message.request !== undefined) {
      const { id, request, user } = message;
      return { id, request, ...(typeof user === "string" && user !== "" ? { inNameOf: user } : {}) };
    }
  } catch {
    // Answered below.
  }
  return undefined;
}

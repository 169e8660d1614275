import {
  type Accounts,
  type FrameConnection,
  type FrameServer,
  frameServer,
  type Log,
  monotonicMs,
} from "../platform/index.ts";
import { HactlError, read } from "../terms/index.ts";
import { readAdminFrame, readAdminRequest, readInNameOf } from "./admin-parse.ts";
import { AdminFrame, type AdminRequest, wireError } from "./admin-protocol.ts";
import { type Caller, localCaller, toolUser } from "./caller.ts";
import { toJson } from "./ring-link.ts";
import { UserAllowances, userFrames } from "./user-allowances.ts";
import { MESSAGE_MS, workOfRequest } from "./work.ts";

/** Largest request: a whole configuration. */
const maxRequestBytes = 64 * 1024 * 1024;
/** Changes within this time are told to watchers once. */
const watchMs = 100;

/** Answers one request; what it throws goes to the client. */
export type AdminHandler = (request: AdminRequest, caller: Caller) => Promise<unknown>;

/** The admin socket: requests of the CLI and of agents' tools. */
export class AdminServer {
  readonly #server: ReturnType<typeof frameServer>;
  readonly #watchers = new Set<FrameConnection>();
  readonly #users: UserAllowances;
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(
    path: string,
    group: string,
    private readonly handler: AdminHandler,
    private readonly log: Log,
    private readonly accounts: Accounts,
  ) {
    this.#users = new UserAllowances((text) => log.warning("ADMIN-FLOOD", text), monotonicMs);
    this.#server = frameServer(
      path,
      {
        open: (connection) => this.#users.enter(connection),
        frame: (connection, type, body) => {
          // Whoever speaks another language gets no second word.
          if (type !== AdminFrame.REQUEST) connection.destroy();
          else this.#users.take(connection, body.length, () => this.#request(connection, body));
        },
        close: (connection) => {
          this.#watchers.delete(connection);
          this.#users.leave(connection);
        },
      },
      { maxBody: maxRequestBytes, group, mode: 0o660, ofPeer: userFrames },
    );
  }

  /** Begins to serve. @throws HactlError SOCKET */
  open(): void {
    this.#server.open();
  }

  /** The socket that has to be there. */
  get socket(): FrameServer {
    return this.#server;
  }

  /** Something changed. */
  changed(): void {
    if (this.#watchers.size === 0) return;
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      for (const watcher of this.#watchers) watcher.send(AdminFrame.CHANGED, new Uint8Array());
    }, watchMs);
  }

  /** What people have to know. */
  warnings(): string[] {
    return this.#users.warnings();
  }

  close(): void {
    clearTimeout(this.#telling);
    this.#users.close();
    this.#server.close();
  }

  async #request(connection: FrameConnection, body: Uint8Array): Promise<void> {
    let id: number | null = null;
    const reply = (content: object) => {
      const bytes = toJson({ id, ...content });
      this.#users.charge(connection, MESSAGE_MS, bytes.length);
      connection.send(AdminFrame.REPLY, bytes);
    };
    // Who has gone while his request waited wants no answer.
    if (!connection.open) return;
    try {
      const frame = readAdminFrame(read.json(body, "request"));
      id = frame.id;
      const request = readAdminRequest(frame.request, "request");
      this.#users.charge(connection, workOfRequest(request));
      const inNameOf = readInNameOf(frame.user, "user");
      const caller = localCaller(await toolUser(this.accounts, connection.peer, inNameOf));
      const begun = monotonicMs();
      const answer = this.handler(request, caller);
      // What is done at once is looking and trying out: how much that is no estimate can know.
      this.#users.charge(connection, monotonicMs() - begun);
      const value = await answer;
      if (request.type === "watch" && connection.open) this.#watchers.add(connection);
      reply({ value });
    } catch (error) {
      if (!(error instanceof HactlError))
        this.log.error("ADMIN-REQUEST", `a request could not be answered: ${error}`);
      reply({ error: wireError(error) });
    }
  }
}

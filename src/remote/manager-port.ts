import type { Duplex } from "node:stream";
import type { ExecutorEvent, ExecutorRequest } from "../executor/index.ts";
import type { Log } from "../platform/index.ts";
import { Channel } from "./channel.ts";
import { decodeRequest } from "./decode.ts";
import { protocolError } from "./framing.ts";

/** How long a new connection may take until it says who it is. */
const REGISTER_MS = 10_000;

/** What an executor does with its manager. */
export interface ManagerPortHandlers {
  /** A request, `register` among them; answers go to `send`. */
  readonly request: (request: ExecutorRequest) => void;
  /** The manager is gone, or another takes its place: what it was asked, and has not answered, nobody will. */
  readonly gone?: () => void;
}

/**
 * The executor's side of the line: one manager at a time. A connection counts from its `register` on; then it takes
 * the place of the one before. What is no message of ours ends the connection and is counted.
 */
export class ManagerPort {
  #current: Channel | undefined;
  #client = "";
  #garbage = 0;
  readonly #waiting = new Set<Channel>();

  constructor(
    private readonly handlers: ManagerPortHandlers,
    private readonly log: Log,
  ) {}

  /** Name of the manager that is connected. */
  get manager(): string | undefined {
    return this.#current ? this.#client : undefined;
  }

  /** Connections that were closed because of what they sent. */
  get garbage(): number {
    return this.#garbage;
  }

  /** Takes a connection; `from` names it for the log. */
  accept(stream: Duplex, from: string): void {
    const timer = setTimeout(() => channel.fail(protocolError("It did not register")), REGISTER_MS);
    const channel = new Channel(stream, {
      message: (message) => {
        const request = decodeRequest(message);
        if (request.type === "register") {
          clearTimeout(timer);
          this.#takeOver(channel, request.client, from);
        } else if (channel !== this.#current) {
          throw protocolError(`"${request.type}" before "register"`);
        }
        this.handlers.request(request);
      },
      closed: (error) => {
        clearTimeout(timer);
        this.#closed(channel, from, error);
      },
    });
    this.#waiting.add(channel);
  }

  /** Tells the manager; nothing when there is none. Results are kept by the executor until the next one registers. */
  send(event: ExecutorEvent): boolean {
    return this.#current?.send(event) ?? false;
  }

  /** Ends all connections. */
  close(): void {
    for (const channel of this.#waiting) channel.destroy();
    this.#current?.end();
  }

  #takeOver(channel: Channel, client: string, from: string): void {
    this.#waiting.delete(channel);
    const before = this.#current;
    this.#current = channel;
    if (before && before !== channel) {
      this.log.info("MANAGER-REPLACED", `manager ${client} takes the place of ${this.#client}`, { from });
      before.destroy();
      this.handlers.gone?.();
    } else if (!before) {
      this.log.info("MANAGER-CONNECTED", `manager ${client} is connected`, { from });
    }
    this.#client = client;
  }

  #closed(channel: Channel, from: string, error: Error | undefined): void {
    this.#waiting.delete(channel);
    if ((error as { code?: string } | undefined)?.code === "PROTOCOL") {
      this.#garbage++;
      this.log.warning("GARBAGE", `closed a connection: ${error?.message}`, { from, total: this.#garbage });
    }
    if (channel !== this.#current) return;
    this.#current = undefined;
    this.log.notice("MANAGER-GONE", `manager ${this.#client} is gone${error ? `: ${error.message}` : ""}`, {
      from,
    });
    this.handlers.gone?.();
  }
}

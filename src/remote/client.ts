import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { type ExecutorEvent, type ExecutorRequest, PROTOCOL_VERSION } from "../executor/index.ts";
import { connectTls } from "../platform/index.ts";
import type { Millis, NodeName } from "../terms/index.ts";
import { Channel } from "./channel.ts";
import { decodeEvent } from "./decode.ts";
import { managerEnds, type RemoteKey } from "./node-key.ts";
import { REMOTE_PORT } from "./server.ts";

/** Whether the executor is there: from its `registered` on, until the connection is lost. */
export type ExecutorState = { readonly up: true } | { readonly up: false; readonly reason: string };

export interface ExecutorClientOptions {
  /** Makes a connected stream: `localExecutor(path)` or `remoteExecutor(…)`. It may reject. */
  readonly connect: () => Promise<Duplex>;
  /** Name of this manager for the executor's log. */
  readonly client: string;
  /** Called with every event; the first of a connection is `registered`. */
  readonly onEvent: (event: ExecutorEvent) => void;
  /** Called with the number of bytes that have come, before the events in them. */
  readonly onBytes?: (count: number) => void;
  readonly onState?: (state: ExecutorState) => void;
  /** Whether a lost or refused connection is tried again, after 50 to 500 ms. Default: yes. */
  readonly reconnect?: boolean;
  /** Between two signs of life that are asked for. Default 2 s. */
  readonly pingEveryMs?: Millis;
  /** A peer that says nothing for so long is taken for frozen, and the connection is closed. Default 10 s. */
  readonly silenceMs?: Millis;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 500;

/** A manager's connection to one executor. */
export class ExecutorClient {
  readonly #options: ExecutorClientOptions;
  #channel: Channel | undefined;
  #registered = false;
  #closed = false;
  #wait = FIRST_WAIT_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pings: ReturnType<typeof setInterval> | undefined;
  #heardAt = 0;
  #lastRequest = 0;
  readonly #pongs = new Map<number, (alive: boolean) => void>();

  constructor(options: ExecutorClientOptions) {
    this.#options = options;
  }

  /** Whether the executor has registered us. */
  get up(): boolean {
    return this.#registered;
  }

  /** Begins to connect. */
  start(): void {
    if (!this.#channel && !this.#closed && this.#retry === undefined) void this.#connect();
  }

  /**
   * Sends a request; `false` when there is no connection: the caller asks again after `registered`, which tells what
   * the executor knows.
   */
  send(request: ExecutorRequest): boolean {
    return this.#registered && (this.#channel?.send(request) ?? false);
  }

  /** Asks for a sign of life. `false` when none comes in time or the connection is lost. */
  ping(timeoutMs: Millis): Promise<boolean> {
    const requestId = this.#nextRequest();
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer(false), timeoutMs);
      const answer = (alive: boolean) => {
        clearTimeout(timer);
        this.#pongs.delete(requestId);
        resolve(alive);
      };
      this.#pongs.set(requestId, answer);
      if (!this.send({ type: "ping", requestId })) answer(false);
    });
  }

  /** Reads nothing of the executor for a time. It counts as heard meanwhile: it is not silent, it is not listened to. */
  hold(forMs: Millis): void {
    this.#channel?.hold(forMs);
    this.#heardAt = performance.now() + forMs;
  }

  /** Closes for good. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#channel?.end();
    this.#lost("closed");
  }

  async #connect(): Promise<void> {
    this.#retry = undefined;
    let stream: Duplex;
    try {
      stream = await this.#options.connect();
    } catch (error) {
      this.#down(error instanceof Error ? error.message : String(error));
      return;
    }
    if (this.#closed) {
      stream.destroy();
      return;
    }
    const channel = new Channel(stream, {
      message: (message) => {
        if (channel === this.#channel) this.#message(decodeEvent(message));
      },
      bytes: (count) => this.#options.onBytes?.(count),
      closed: (error) => {
        if (channel === this.#channel) this.#lost(error?.message ?? "the executor closed the connection");
      },
    });
    this.#channel = channel;
    this.#heardAt = performance.now();
    this.#watch();
    channel.send({ type: "register", client: this.#options.client, version: PROTOCOL_VERSION });
  }

  #message(event: ExecutorEvent): void {
    this.#heardAt = Math.max(this.#heardAt, performance.now());
    if (event.type === "pong") this.#pongs.get(event.requestId)?.(true);
    if (event.type === "registered" && !this.#registered) {
      this.#registered = true;
      this.#wait = FIRST_WAIT_MS;
      this.#options.onState?.({ up: true });
    }
    this.#options.onEvent(event);
  }

  /** Asks again and again; a frozen executor keeps its connection open and answers nothing. */
  #watch(): void {
    const silence = this.#options.silenceMs ?? 10_000;
    const every = this.#options.pingEveryMs ?? 2000;
    clearInterval(this.#pings);
    let due = performance.now() + every;
    this.#pings = setInterval(() => {
      const now = performance.now();
      // While this process stood still it could not hear: what was said meanwhile is read after this.
      if (now - due > every) this.#heardAt = now;
      due = now + every;
      const quiet = now - this.#heardAt;
      if (quiet > silence) {
        this.#channel?.fail(new Error(`the executor has not answered for ${Math.round(quiet / 1000)} s`));
        return;
      }
      this.send({ type: "ping", requestId: this.#nextRequest() });
    }, every);
  }

  #lost(reason: string): void {
    clearInterval(this.#pings);
    const was = this.#registered;
    this.#channel = undefined;
    this.#registered = false;
    for (const answer of [...this.#pongs.values()]) answer(false);
    if (!this.#closed) this.#down(reason);
    else if (was) this.#options.onState?.({ up: false, reason });
  }

  #down(reason: string): void {
    this.#options.onState?.({ up: false, reason });
    if (this.#closed || this.#options.reconnect === false) return;
    this.#retry = setTimeout(() => void this.#connect(), this.#wait);
    this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 2);
  }

  #nextRequest(): number {
    return ++this.#lastRequest;
  }
}

/** Connects to the executor of this host by its Unix socket. */
export function localExecutor(path: string): () => Promise<Duplex> {
  return () =>
    new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(socket);
      });
      socket.once("error", reject);
    });
}

/** Where a remote executor is. */
export interface RemoteAddress {
  readonly host: string;
  /** Default 3121. */
  readonly port?: number;
  /** Which remote node has to be there. */
  readonly node: NodeName;
  readonly key: RemoteKey;
  /** For the connection and its handshake (`remote-connect-timeout`). */
  readonly timeoutMs: Millis;
}

/**
 * Connects to the executor of one remote node by TLS. The stream's making rejects with UNREACHABLE, or with WRONG_PEER where
 * another host answers.
 * @throws HactlError NOT_WHOLE
 */
export function remoteExecutor(remote: RemoteAddress): () => Promise<Duplex> {
  const ends = managerEnds(remote.key, remote.node);
  const { host, port = REMOTE_PORT, timeoutMs } = remote;
  return () => connectTls({ ...ends, host, port, timeoutMs });
}

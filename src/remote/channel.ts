import type { Duplex } from "node:stream";
import { LONGEST_TIMER_MS } from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";
import { encodeMessage, MessageReader, protocolError } from "./framing.ts";

/** What happens on a channel. */
export interface ChannelHandlers {
  readonly message: (message: unknown) => void;
  /** Bytes have come; their messages follow. */
  readonly bytes?: (count: number) => void;
  /** Called once; with the error when the end was not an orderly one. */
  readonly closed: (error: Error | undefined) => void;
}

/** Bytes that may wait for a peer that does not read. */
const MAX_PENDING = 64 * 1024 * 1024;

/** Messages both ways over a connected stream, a Unix socket or TLS. */
export class Channel {
  readonly #stream: Duplex;
  readonly #reader = new MessageReader();
  #open = true;
  #held: ReturnType<typeof setTimeout> | undefined;
  #failure: Error | undefined;

  constructor(stream: Duplex, handlers: ChannelHandlers) {
    this.#stream = stream;
    stream.on("data", (piece: Uint8Array) => this.#take(piece, handlers));
    stream.on("error", (error) => {
      this.#failure ??= error;
    });
    // The other side is done: nothing more can be asked of it.
    stream.on("end", () => stream.destroy());
    stream.on("close", () => {
      if (!this.#open) return;
      this.#open = false;
      clearTimeout(this.#held);
      handlers.closed(this.#failure);
    });
  }

  get open(): boolean {
    return this.#open;
  }

  /** Sends a message; `false` when the channel is closed. */
  send(message: unknown): boolean {
    if (!this.#open || this.#stream.destroyed) return false;
    this.#stream.write(encodeMessage(message));
    if (this.#stream.writableLength > MAX_PENDING) {
      this.fail(new Error(`the other side does not read: ${this.#stream.writableLength} bytes wait`));
    }
    return true;
  }

  /** Reads nothing for a time, so that the other side has to wait; what was read is dealt with. */
  hold(forMs: Millis): void {
    if (!this.#open) return;
    clearTimeout(this.#held);
    this.#stream.pause();
    this.#held = setTimeout(() => this.#stream.resume(), Math.min(forMs, LONGEST_TIMER_MS));
  }

  /** Closes because of an error, which `closed` is told. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#stream.destroy();
  }

  /** Closes after what was sent is written. */
  end(): void {
    this.#stream.end();
  }

  /** Closes at once. */
  destroy(): void {
    this.#stream.destroy();
  }

  #take(piece: Uint8Array, handlers: ChannelHandlers): void {
    handlers.bytes?.(piece.length);
    try {
      for (const message of this.#reader.take(piece)) {
        if (this.#open && !this.#stream.destroyed) handlers.message(message);
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : protocolError(String(error)));
    }
  }
}

import type { NodeId } from "../../terms/index.ts";
import { CHUNK_FIRST, CHUNK_HEADER, CHUNK_LAST, REGULAR_HEADER, type Regular } from "./wire.ts";

/** Longest message that is put together again; a longer one is not sent in the first place. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

interface Partial {
  readonly pieces: Uint8Array[];
  bytes: number;
}

/** Puts the pieces of large messages together, per sender, and takes packed ones apart. Fed in the ring's order. */
export class Assembly {
  readonly #partials = new Map<NodeId, Partial>();

  /** Calls `deliver` for every message that ends in `message`. Pieces without a beginning are passed over. */
  feed(message: Regular, deliver: (payload: Uint8Array) => void): void {
    const raw = message.raw;
    let at = REGULAR_HEADER;
    while (at + CHUNK_HEADER <= raw.length) {
      const flags = raw[at] ?? 0;
      const length = ((raw[at + 1] ?? 0) << 8) | (raw[at + 2] ?? 0);
      const piece = raw.subarray(at + CHUNK_HEADER, at + CHUNK_HEADER + length);
      at += CHUNK_HEADER + length;
      if (flags === (CHUNK_FIRST | CHUNK_LAST)) deliver(piece);
      else {
        const whole = this.#add(message.sender, piece, flags);
        if (whole) deliver(whole);
      }
    }
  }

  #add(sender: NodeId, piece: Uint8Array, flags: number): Uint8Array | undefined {
    if (flags & CHUNK_FIRST) this.#partials.set(sender, { pieces: [], bytes: 0 });
    const partial = this.#partials.get(sender);
    if (!partial) return undefined;
    partial.pieces.push(piece);
    partial.bytes += piece.length;
    if (partial.bytes > MAX_MESSAGE_BYTES) this.#partials.delete(sender);
    if (!(flags & CHUNK_LAST) || partial.bytes > MAX_MESSAGE_BYTES) return undefined;
    this.#partials.delete(sender);
    const whole = new Uint8Array(partial.bytes);
    let at = 0;
    for (const part of partial.pieces) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  /** A ring ended: what is incomplete now will come again from the beginning, or its sender is gone. */
  clear(): void {
    this.#partials.clear();
  }
}

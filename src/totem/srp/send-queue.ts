import type { NodeId } from "../../terms/index.ts";
import type { Guarantee, RingId } from "../face.ts";
import {
  CHUNK_FIRST,
  CHUNK_HEADER,
  CHUNK_LAST,
  putRegularHeader,
  REGULAR_HEADER,
  type Regular,
} from "./wire.ts";

interface Item {
  readonly payload: Uint8Array;
  readonly safe: boolean;
  /** Bytes that have gone out in the present ring. */
  offset: number;
}

/**
 * The application's messages that wait for the token. Packs several small ones into one ordered message and cuts
 * large ones; one ordered message carries only one guarantee.
 */
export class SendQueue {
  /** What has gone out is not held any longer: 1,024 large messages are a lot of memory. */
  #items: (Item | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  #scratch = new Uint8Array(0);
  #view = new DataView(this.#scratch.buffer);

  /** Messages that have not gone out entirely. */
  get length(): number {
    return this.#items.length - this.#first;
  }

  /** Bytes of them. */
  get bytes(): number {
    return this.#bytes;
  }

  push(payload: Uint8Array, guarantee: Guarantee): void {
    this.#items.push({ payload, safe: guarantee === "safe", offset: 0 });
    this.#bytes += payload.length;
  }

  /** About how many ordered messages they make. */
  backlog(limit: number): number {
    const count = this.length;
    return count === 0 ? 0 : Math.ceil((this.#bytes + count * CHUNK_HEADER) / (limit - REGULAR_HEADER));
  }

  /** A message whose beginning went out in a ring that ended goes out again as a whole: the new members lack it. */
  rewind(): void {
    const head = this.#items[this.#first];
    if (!head) return;
    this.#bytes += head.offset;
    head.offset = 0;
  }

  /** Takes the first message out whole, for a ring of one node. */
  shift(): { readonly payload: Uint8Array } | undefined {
    const head = this.#items[this.#first];
    if (!head) return undefined;
    this.#bytes -= head.payload.length - head.offset;
    this.#drop();
    return head;
  }

  /** The next ordered message of at most `limit` bytes, with `sequence`; undefined when nothing waits. */
  pack(sender: NodeId, ring: RingId, sequence: number, limit: number): Regular | undefined {
    const safe = this.#items[this.#first]?.safe;
    if (safe === undefined) return undefined;
    if (this.#scratch.length < limit) {
      this.#scratch = new Uint8Array(limit);
      this.#view = new DataView(this.#scratch.buffer);
    }
    let at = REGULAR_HEADER;
    for (let item = this.#items[this.#first]; item?.safe === safe; item = this.#items[this.#first]) {
      const room = limit - at - CHUNK_HEADER;
      const rest = item.payload.length - item.offset;
      // A message that would fit the next datagram whole is not cut for the sake of a few bytes.
      if (room < rest && (room < 1 || (at > REGULAR_HEADER && rest <= limit - REGULAR_HEADER - CHUNK_HEADER)))
        break;
      at = this.#chunk(item, Math.min(room, rest), at);
      if (item.offset < item.payload.length) break;
      this.#drop();
    }
    putRegularHeader(this.#view, sender, ring, sequence, safe, false);
    const raw = this.#scratch.slice(0, at);
    return {
      kind: "regular",
      raw,
      sender,
      ring,
      sequence,
      safe,
      encapsulated: false,
    };
  }

  #chunk(item: Item, length: number, at: number): number {
    const { payload, offset } = item;
    const first = offset === 0 ? CHUNK_FIRST : 0;
    const last = offset + length === payload.length ? CHUNK_LAST : 0;
    this.#view.setUint8(at, first | last);
    this.#view.setUint16(at + 1, length);
    const piece = length === payload.length ? payload : payload.subarray(offset, offset + length);
    this.#scratch.set(piece, at + CHUNK_HEADER);
    item.offset += length;
    this.#bytes -= length;
    return at + CHUNK_HEADER + length;
  }

  #drop(): void {
    this.#items[this.#first++] = undefined;
    if (this.#first < 1024 && this.#first < this.#items.length) return;
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }
}

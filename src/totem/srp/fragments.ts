import type { NodeId } from "../../terms/index.ts";
import { KIND_REGULAR } from "./layout.ts";
import { encodeFragment, FRAGMENT_HEADER, type Fragment } from "./wire.ts";

/** Longest unit that is put together again; the commit token of a thousand nodes has 44 KB. */
const MAX_BYTES = 1024 * 1024;
/** Units of one sender that are put together at a time: pieces of a few may come mixed up. */
const UNITS = 4;

/** FNV-1a: names a unit by its content, so that a copy sent later fills the gaps of the first. */
function nameOf(data: Uint8Array): number {
  let name = 0x811c9dc5;
  for (const byte of data) name = Math.imul(name ^ byte, 0x01000193);
  return name >>> 0;
}

/**
 * The datagrams for a protocol data unit: itself where it has at most `limit` bytes, else fragments of so many. That
 * is for the membership messages of large rings. Ordered messages fit already; one that does not, because netmtu was
 * made smaller since, goes as it is and is left to IP.
 */
export function fragment(data: Uint8Array, limit: number): readonly Uint8Array[] {
  if (data.length <= limit || data[3] === KIND_REGULAR) return [data];
  const room = limit - FRAGMENT_HEADER;
  const count = Math.ceil(data.length / room);
  const unit = nameOf(data);
  return Array.from({ length: count }, (_, index) =>
    encodeFragment({ unit, index, count, data: data.subarray(index * room, (index + 1) * room) }),
  );
}

interface Partial {
  readonly pieces: (Uint8Array | undefined)[];
  missing: number;
  bytes: number;
}

/** Puts fragments together again: of each sender the few units of which a piece came last. */
export class Fragments {
  /** By sender and unit, the one that was begun first at the front. */
  readonly #partials = new Map<NodeId, Map<number, Partial>>();

  /** Takes a fragment; answers the whole unit when this was the last piece of it. */
  add(from: NodeId, { unit, index, count, data }: Fragment): Uint8Array | undefined {
    const units = this.#partials.get(from) ?? new Map<number, Partial>();
    this.#partials.set(from, units);
    let partial = units.get(unit);
    if (partial?.pieces.length !== count) {
      partial = { pieces: new Array<undefined>(count).fill(undefined), missing: count, bytes: 0 };
      units.set(unit, partial);
      const [oldest] = units.keys();
      if (units.size > UNITS && oldest !== undefined) units.delete(oldest);
    }
    if (partial.pieces[index] !== undefined) return undefined;
    partial.pieces[index] = data;
    partial.missing--;
    partial.bytes += data.length;
    if (partial.missing > 0 && partial.bytes <= MAX_BYTES) return undefined;
    units.delete(unit);
    if (partial.missing > 0) return undefined;
    const whole = new Uint8Array(partial.bytes);
    let at = 0;
    for (const piece of partial.pieces) {
      whole.set(piece ?? [], at);
      at += piece?.length ?? 0;
    }
    return nameOf(whole) === unit ? whole : undefined;
  }

  /** Configured no more. */
  forget(id: NodeId): void {
    this.#partials.delete(id);
  }
}

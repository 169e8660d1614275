/** What makes and checks the stamps of one cluster key; known to those who have that. */
export interface StampKey {
  /** Id of the cluster key, as datagrams say it. */
  readonly id: number;
  readonly k0: number;
  readonly k1: number;
}

/** Bytes of a datagram that its stamp is made of: the header up to the stamp, six words. */
export const STAMPED = 24;

const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) |
  ((bytes[at + 1] ?? 0) << 16) |
  ((bytes[at + 2] ?? 0) << 8) |
  (bytes[at + 3] ?? 0);

/**
 * The stamp of a header: HalfSipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", in the variant of the
 * Linux kernel's hash tables) over its words as they stand on the wire. It keeps out whoever has no key at a cost that a
 * filter in the kernel can pay for every datagram; what it lets through is still to be authenticated. One forged
 * stamp in 2^32 is right.
 */
export function stampOf({ k0, k1 }: StampKey, header: Uint8Array): number {
  let v0 = k0;
  let v1 = k1;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  // Six words, one that says how many bytes they are, and three rounds to finish.
  for (let round = 0; round < 10; round++) {
    const word = round < 6 ? u32(header, round * 4) : round === 6 ? STAMPED << 24 : 0;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
    if (round === 6) v2 ^= 0xff;
  }
  return (v1 ^ v3) >>> 0;
}

const BITS = 4096;
const WORDS = BITS / 32;

/**
 * Sliding window over a sender's datagram counters (RFC 4303, section 3.4.3, with a wider window): every counter
 * is accepted once, in any order, as long as it is at most 4095 behind the highest one.
 */
export class ReplayWindow {
  private readonly seen = new Uint32Array(WORDS);
  private highest: number;
  private lowest: number;

  /** Begins above `floor`: that counter and all below it count as seen. */
  constructor(floor: number) {
    this.highest = floor;
    this.lowest = floor;
  }

  /** Whether a datagram with this counter would be new. Marks nothing. */
  isFresh(counter: number): boolean {
    if (counter > this.highest) return true;
    if (counter <= this.lowest || counter <= this.highest - BITS) return false;
    const slot = counter % BITS;
    return ((this.seen[slot >>> 5] ?? 0) & (1 << (slot & 31))) === 0;
  }

  /** Marks a counter as seen. Only after its datagram was authenticated. */
  mark(counter: number): void {
    if (counter > this.highest) this.advance(counter);
    const slot = counter % BITS;
    this.seen[slot >>> 5] = (this.seen[slot >>> 5] ?? 0) | (1 << (slot & 31));
  }

  private advance(counter: number): void {
    if (counter - this.highest >= BITS) {
      this.seen.fill(0);
    } else {
      for (let next = this.highest + 1; next <= counter; next++) {
        const slot = next % BITS;
        this.seen[slot >>> 5] = (this.seen[slot >>> 5] ?? 0) & ~(1 << (slot & 31));
      }
    }
    this.highest = counter;
  }
}

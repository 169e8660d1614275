/** Seeded pseudo-random numbers (sfc32): the same seed gives the same run on every machine. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d = 1;

  constructor(seed: number, stream = 0) {
    this.a = seed >>> 0;
    this.b = Math.floor(seed / 2 ** 32) >>> 0;
    this.c = stream >>> 0;
    for (let warm = 0; warm < 15; warm++) this.word();
  }

  /** 32 random bits. */
  word(): number {
    const sum = (this.a + this.b + this.d) >>> 0;
    this.d = (this.d + 1) >>> 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) >>> 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) >>> 0;
    this.c = (this.c + sum) >>> 0;
    return sum;
  }

  /** From 0 up to but not including 1. */
  unit(): number {
    return this.word() / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.between(0, list.length - 1)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  /** Some of a list, at least one and not all where there are two or more. */
  some<T>(list: readonly T[]): T[] {
    const count = this.between(1, Math.max(1, list.length - 1));
    return this.shuffle(list).slice(0, count);
  }

  shuffle<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let at = result.length - 1; at > 0; at--) {
      const other = this.between(0, at);
      const item = result[at] as T;
      result[at] = result[other] as T;
      result[other] = item;
    }
    return result;
  }

  /** Each with its weight; a heavier one comes more often. */
  weighted<T>(list: readonly (readonly [weight: number, item: T])[]): T {
    let at = this.unit() * list.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of list) {
      at -= weight;
      if (at < 0) return item;
    }
    throw new Error("nothing to pick from");
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.word() & 255);
  }
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Virtual time: what is due first happens first; what is due at the same time, in the order of its asking. */
export class Schedule {
  now = 0;
  private readonly heap: Entry[] = [];
  private asked = 0;

  /** Runs something later; returns how to cancel it. */
  after(delayMs: number, run: () => void): () => void {
    const entry: Entry = { at: this.now + Math.max(0, delayMs), order: this.asked++, run, cancelled: false };
    this.push(entry);
    return () => {
      entry.cancelled = true;
    };
  }

  /** Lets time go on until then. */
  runUntil(end: number): void {
    for (let next = this.heap[0]; next !== undefined && next.at <= end; next = this.heap[0]) {
      this.pop();
      if (next.cancelled) continue;
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  private push(entry: Entry): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!before(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      let lower = left;
      if (right !== undefined && before(right, left)) {
        lower = right;
        child += 1;
      }
      if (!before(lower, last)) break;
      heap[at] = lower;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

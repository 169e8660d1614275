import type { NodeName } from "../terms/index.ts";
import type { FenceResult } from "./face.ts";
import { Rewind } from "./rewind.ts";

/** What was fenced, newest last; the same on all nodes after each join. */
export class FenceHistory {
  private readonly byId = new Map<string, FenceResult>();
  private readonly failures = new Map<NodeName, number>();
  private readonly rewind = new Rewind(() => {
    const [byId, failures] = [[...this.byId], [...this.failures]];
    return () => {
      this.byId.clear();
      for (const [id, entry] of byId) this.byId.set(id, entry);
      this.failures.clear();
      for (const [target, count] of failures) this.failures.set(target, count);
    };
  });

  constructor(private readonly limit: number) {}

  /** Takes a result; false when it is known already. */
  add(entry: FenceResult): boolean {
    if (this.byId.has(entry.id)) return false;
    this.rewind.touch();
    this.byId.set(entry.id, entry);
    this.failures.set(entry.target, entry.failures);
    if (this.byId.size > this.limit) {
      const [oldest] = this.entries();
      if (oldest) this.byId.delete(oldest.id);
    }
    return true;
  }

  /** Takes another node's history; the entries that were new, oldest first. */
  merge(entries: readonly FenceResult[], failures: Readonly<Record<string, number>>): FenceResult[] {
    this.rewind.touch();
    const fresh = [...entries]
      .sort(byTime)
      .slice(-this.limit)
      .filter((entry) => {
        if (this.byId.has(entry.id)) return false;
        this.byId.set(entry.id, entry);
        return true;
      });
    for (const oldest of this.entries().slice(0, Math.max(0, this.byId.size - this.limit)))
      this.byId.delete(oldest.id);
    for (const [target, count] of Object.entries(failures)) {
      const name = target as NodeName;
      this.failures.set(name, Math.max(this.failures.get(name) ?? 0, count));
    }
    return fresh.filter((entry) => this.byId.has(entry.id));
  }

  /** Takes back what is done from now on. */
  savepoint(): () => void {
    return this.rewind.savepoint();
  }

  has(id: string): boolean {
    return this.byId.has(id);
  }

  /** Oldest first. */
  entries(): FenceResult[] {
    return [...this.byId.values()].sort(byTime);
  }

  /** Failures in a row. */
  failuresOf(target: NodeName): number {
    return this.failures.get(target) ?? 0;
  }

  /** The target came back or is known to be down: count anew. */
  forgive(target: NodeName): void {
    this.rewind.touch();
    this.failures.delete(target);
  }

  allFailures(): Record<string, number> {
    return Object.fromEntries([...this.failures].filter(([, count]) => count > 0));
  }
}

const byTime = (a: FenceResult, b: FenceResult) =>
  a.completedAt - b.completedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

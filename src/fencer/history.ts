import type { NodeName } from "../terms/index.ts";
import type { FenceResult } from "./face.ts";
import { Rewind } from "./rewind.ts";

/**
 * What was fenced, newest last; the same on all nodes after each join. What is forgotten is only not shown any more: a
 * request that comes again is still known by it, and a node that was away takes it over as forgotten.
 */
export class FenceHistory {
  private readonly byId = new Map<string, FenceResult>();
  private readonly failures = new Map<NodeName, number>();
  private readonly hidden = new Set<string>();
  private readonly rewind = new Rewind(() => {
    const [byId, failures, hidden] = [[...this.byId], [...this.failures], [...this.hidden]];
    return () => {
      this.byId.clear();
      for (const [id, entry] of byId) this.byId.set(id, entry);
      this.failures.clear();
      for (const [target, count] of failures) this.failures.set(target, count);
      this.hidden.clear();
      for (const id of hidden) this.hidden.add(id);
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
      // Not by sorting all: a member may ask for the fencing of many at once.
      let oldest = entry;
      for (const one of this.byId.values()) if (byTime(one, oldest) < 0) oldest = one;
      this.drop(oldest.id);
    }
    return true;
  }

  /** Takes another node's history; the entries that were new, oldest first. */
  merge(
    entries: readonly FenceResult[],
    failures: Readonly<Record<string, number>>,
    forgotten: readonly string[] = [],
  ): FenceResult[] {
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
      this.drop(oldest.id);
    for (const id of forgotten) if (this.byId.has(id)) this.hidden.add(id);
    for (const [target, count] of Object.entries(failures)) {
      const name = target as NodeName;
      this.failures.set(name, Math.max(this.failures.get(name) ?? 0, count));
    }
    return fresh.filter((entry) => this.byId.has(entry.id));
  }

  /** Does not show any more what is there, of one target or of all. */
  forget(target?: NodeName): void {
    this.rewind.touch();
    for (const [id, entry] of this.byId)
      if (target === undefined || entry.target === target) this.hidden.add(id);
  }

  /** Ids of the entries that are not shown. */
  forgotten(): string[] {
    return [...this.hidden];
  }

  private drop(id: string): void {
    this.byId.delete(id);
    this.hidden.delete(id);
  }

  /** Takes back what is done from now on. */
  savepoint(): () => void {
    return this.rewind.savepoint();
  }

  has(id: string): boolean {
    return this.byId.has(id);
  }

  /** Those that people see, oldest first. */
  shown(): FenceResult[] {
    return this.entries().filter(({ id }) => !this.hidden.has(id));
  }

  /** All of them, oldest first. */
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

import { createHash } from "node:crypto";
import type { NodeId } from "../terms/index.ts";
import type { RingCoreChange } from "./ring-core-face.ts";

/** What two nodes have to have read alike before either applies it. */
export function changeDigest(change: RingCoreChange): string {
  const text = JSON.stringify([change.configVersion, change.agreement]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * A change of the configuration while the ring runs, on all members or on none: every node says in the message order
 * what it has read; when all have said the same, all apply it at that point of the order.
 */
export class PendingChange {
  private change: RingCoreChange | undefined;
  private readonly prepared = new Map<NodeId, string>();

  /** This node has read a new configuration. */
  propose(change: RingCoreChange): void {
    this.change = change;
  }

  /** What this node has to announce, if anything. */
  digest(): string | undefined {
    return this.change && changeDigest(this.change);
  }

  /** The ring has a new configuration: everybody announces himself again. */
  restart(): void {
    this.prepared.clear();
  }

  /** A node has read a configuration. Returns the change if all are ready for it now. */
  onPrepared(from: NodeId, digest: string, members: readonly NodeId[]): RingCoreChange | undefined {
    this.prepared.set(from, digest);
    const { change } = this;
    if (!change || this.missing(members).length > 0) return undefined;
    this.change = undefined;
    this.prepared.clear();
    return change;
  }

  /** Members that have not read what this node has read; those that it removes are not asked. */
  missing(members: readonly NodeId[]): NodeId[] {
    const { change } = this;
    if (!change) return [];
    const digest = changeDigest(change);
    const stay = new Set(change.links.nodes.map(({ node }) => node));
    return members.filter((node) => stay.has(node) && this.prepared.get(node) !== digest);
  }
}

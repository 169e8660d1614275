import { createHash } from "node:crypto";
import type { NodeId } from "../terms/index.ts";
import type { RingCoreChange } from "./ring-core-face.ts";

/** What two nodes have to have read alike before either applies it. */
export function changeDigest(change: RingCoreChange): string {
  const { configVersion, agreement, totem, quorum, links } = change;
  const text = JSON.stringify([configVersion, agreement, totem, quorum, links.mode, links.nodes]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * A change of the configuration while the ring runs, on all members or on none: every node says in the message order
 * what it has read; when all have said the same, all apply it at that point of the order. What a node reads after
 * that it has said does not matter for that decision: it would not be the same on all.
 */
export class PendingChange {
  /** What this node has read and said, oldest first. */
  private readonly read = new Map<string, RingCoreChange>();
  private readonly prepared = new Map<NodeId, string>();

  /** This node has read a new configuration. */
  propose(change: RingCoreChange): void {
    const digest = changeDigest(change);
    this.read.delete(digest);
    this.read.set(digest, change);
  }

  /** What this node has to announce, if anything: what it has read last. */
  digest(): string | undefined {
    return [...this.read.keys()].at(-1);
  }

  /** The ring has a new configuration: everybody announces himself again. */
  restart(): void {
    this.prepared.clear();
  }

  /** A node has read a configuration. Returns the change if all are ready for it now. */
  onPrepared(from: NodeId, digest: string, members: readonly NodeId[]): RingCoreChange | undefined {
    this.prepared.set(from, digest);
    const change = this.read.get(digest);
    if (!change || this.unprepared(digest, change, members).length > 0) return undefined;
    for (const older of [...this.read.keys()]) {
      this.read.delete(older);
      if (older === digest) break;
    }
    return change;
  }

  /** Members that have not read what this node has read last; those that it removes are not asked. */
  missing(members: readonly NodeId[]): NodeId[] {
    const digest = this.digest();
    const change = digest === undefined ? undefined : this.read.get(digest);
    return digest === undefined || !change ? [] : this.unprepared(digest, change, members);
  }

  private unprepared(digest: string, change: RingCoreChange, members: readonly NodeId[]): NodeId[] {
    const stay = new Set(change.links.nodes.map(({ node }) => node));
    return members.filter((node) => stay.has(node) && this.prepared.get(node) !== digest);
  }
}

import { createHash } from "node:crypto";
import type { NodeId } from "../terms/index.ts";
import type { RingCoreChange } from "./ring-core-face.ts";

/** What two nodes have to have read alike before either applies it. */
export function changeDigest(change: Pick<RingCoreChange, "configVersion" | "agreement">): string {
  const text = JSON.stringify([change.configVersion, change.agreement]);
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
  /** What is in force on each node, as it has said when the membership began. */
  private readonly inForce = new Map<NodeId, string>();
  /** What all have agreed on last, as far as the order of messages of this membership tells. */
  private agreed: string | undefined;

  /** This node has read a configuration; it wants what it has read last. */
  propose(change: RingCoreChange): void {
    const digest = changeDigest(change);
    this.read.delete(digest);
    this.read.set(digest, change);
  }

  /** What this node has to announce, if anything: what it has read last. */
  digest(): string | undefined {
    return [...this.read.keys()].at(-1);
  }

  /** A membership begins: every node has said what is in force there, and will say again what it has read. */
  restart(announced: ReadonlyMap<NodeId, { readonly inForce: string }>): void {
    this.prepared.clear();
    this.inForce.clear();
    for (const [node, { inForce }] of announced) {
      this.prepared.set(node, inForce);
      this.inForce.set(node, inForce);
    }
    const all = new Set(this.prepared.values());
    this.agreed = all.size === 1 ? [...all][0] : undefined;
  }

  /**
   * A node has read a configuration. Returns something when all have agreed on another one by that, at the same point
   * on all nodes; `change` is what to apply, absent where it is in force already. Where it is not `certain` that all
   * get to that point, it is asked for again in the next membership.
   */
  onPrepared(
    from: NodeId,
    digest: string,
    members: readonly NodeId[],
    inForce: string,
    certain: boolean,
  ): { readonly change?: RingCoreChange } | undefined {
    this.prepared.set(from, digest);
    const change = this.read.get(digest);
    if (digest === this.agreed || this.unprepared(digest, change, members).length > 0) return undefined;
    const outcome = change && digest !== inForce ? { change } : {};
    if (!certain) return outcome;
    this.agreed = digest;
    for (const member of members) this.inForce.set(member, digest);
    for (const older of change ? [...this.read.keys()] : []) {
      this.read.delete(older);
      if (older === digest) break;
    }
    return outcome;
  }

  /** Members that have read what is not in force there, for others have not read it. */
  waiting(members: readonly NodeId[]): NodeId[] {
    return members.filter((node) => this.prepared.get(node) !== this.inForce.get(node));
  }

  /** Members that have not read what this node has read last; those that it removes are not asked. */
  missing(members: readonly NodeId[]): NodeId[] {
    const digest = this.digest();
    return digest === undefined ? [] : this.unprepared(digest, this.read.get(digest), members);
  }

  private unprepared(
    digest: string,
    change: RingCoreChange | undefined,
    members: readonly NodeId[],
  ): NodeId[] {
    const stay = change && new Set(change.links.nodes.map(({ node }) => node));
    return members.filter((node) => (stay?.has(node) ?? true) && this.prepared.get(node) !== digest);
  }
}

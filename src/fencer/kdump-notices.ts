import type { Millis, NodeName } from "../terms/index.ts";
import { Rewind } from "./rewind.ts";

interface Loss {
  /** When the node ceased to be a member; undefined while it is one or was never seen. */
  lostAt?: Millis;
  member: boolean;
  noticeAt?: Millis;
}

/**
 * When a crash notice is evidence that a node is down.
 *
 * The crash kernel runs instead of the node's own, so a notice proves that the incarnation which was a member is
 * gone, provided that it was sent after that incarnation's last sign of life. Hence a notice counts when
 * - the node is not a member now, and has not been one since the notice came, except that
 * - a notice may have come up to `detectionMs` (token + consensus) before the loss: for that long the ring has
 *   not yet noticed that the node is silent. A sign of life after the notice makes it void.
 * - it is at most `maxAgeMs` old: a dumping node repeats it (fence_kdump_send(8): every 10 s), so an old one may
 *   be from a dump that has ended and a node that has started again.
 * A node that joins again starts anew.
 */
export class KdumpNotices {
  private readonly nodes = new Map<NodeName, Loss>();
  private readonly rewind = new Rewind(() => {
    const nodes = [...this.nodes].map(([node, loss]) => [node, { ...loss }] as const);
    return () => {
      this.nodes.clear();
      for (const [node, loss] of nodes) this.nodes.set(node, loss);
    };
  });

  constructor(
    private readonly detectionMs: Millis,
    private readonly maxAgeMs: Millis,
  ) {}

  membership(members: ReadonlySet<NodeName>, now: Millis): void {
    for (const node of members) if (!this.of(node).member) this.nodes.set(node, { member: true });
    for (const [node, loss] of this.nodes)
      if (loss.member && !members.has(node)) {
        loss.member = false;
        loss.lostAt = now;
      }
  }

  /** A sign of life: the node's own kernel runs, so a notice before it was none. */
  alive(node: NodeName): void {
    const loss = this.nodes.get(node);
    if (!loss?.member || loss.noticeAt === undefined) return;
    this.rewind.touch();
    delete loss.noticeAt;
  }

  notice(node: NodeName, now: Millis): void {
    this.rewind.touch();
    this.of(node).noticeAt = now;
  }

  /** Takes back what is done from now on. */
  savepoint(): () => void {
    return this.rewind.savepoint();
  }

  /** Whether the node is known to run its crash kernel. */
  valid(node: NodeName, now: Millis): boolean {
    const loss = this.nodes.get(node);
    if (!loss || loss.member || loss.noticeAt === undefined) return false;
    const early = loss.lostAt === undefined ? 0 : loss.lostAt - loss.noticeAt;
    return early <= this.detectionMs && now - loss.noticeAt <= this.maxAgeMs;
  }

  private of(node: NodeName): Loss {
    const known = this.nodes.get(node);
    if (known) return known;
    const fresh: Loss = { member: false };
    this.nodes.set(node, fresh);
    return fresh;
  }
}

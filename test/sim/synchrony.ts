import type { RingMembership } from "../../src/daemon/ring-core.ts";
import type { NodeId } from "../../src/terms/index.ts";
import { format, type MessageId } from "./traffic.ts";
import { Violation } from "./violation.ts";

/** What one manager saw since its last membership. */
export interface View {
  readonly node: number;
  readonly incarnation: number;
  /** Membership that it is in; undefined before its first. */
  epoch: Epoch | undefined;
  membership: RingMembership | undefined;
  /** Everything delivered in that membership. */
  seen: string[];
  /** Rings that its node has installed since that membership began. */
  path: string;
  /** The configuration has changed; no membership has begun in the new one. */
  changing: boolean;
  readonly lastFrom: Map<string, number>;
  sent: number;
  selfDelivered: number;
}

/** How a manager came into a membership. */
interface Arrival {
  readonly node: number;
  /** The membership before, and the rings between. */
  readonly from: string;
  readonly path: string;
  readonly seen: string;
  readonly left: string;
  readonly came: readonly NodeId[];
}

/** One membership and what was delivered in it. */
export interface Epoch {
  readonly key: string;
  readonly content: string;
  /** How often the ring's representative had lost its disk when it began. */
  readonly disk: number;
  /**
   * Only a node has seen it that is being removed. It has not read the file that removes it, so it does not know the
   * point of the order from which the others have that in force, a moment before they leave its ring.
   */
  removedOnly: boolean;
  /** What each manager that is through with it delivered, and where in its order. */
  readonly orders: { readonly node: number; readonly position: ReadonlyMap<string, number> }[];
  readonly arrivals: Arrival[];
}

/** What a manager that has just come up has seen. */
export function newView(node: number, incarnation: number): View {
  return {
    node,
    incarnation,
    epoch: undefined,
    membership: undefined,
    seen: [],
    path: "",
    changing: false,
    lastFrom: new Map(),
    sent: 0,
    selfDelivered: 0,
  };
}

/** Extended virtual synchrony, first half: who comes along with whom, and that they have seen the same. */
export function checkArrival(view: View, epoch: Epoch, membership: RingMembership): void {
  const came = membership.cameWithMe;
  if (view.epoch && !came.includes(view.node as NodeId)) {
    throw new Violation("companions", `node ${view.node} did not come along with itself: ${epoch.key}`);
  }
  if (!view.epoch && came.length > 0) {
    throw new Violation("companions", `new manager of node ${view.node} came with ${came}`);
  }
  const arrival: Arrival = {
    node: view.node,
    from: view.epoch?.key ?? "",
    path: view.path,
    seen: view.seen.join(" "),
    left: `${membership.left} / ${membership.orderlyLeft}`,
    came,
  };
  for (const other of epoch.arrivals) checkPair(epoch.key, arrival, other);
  epoch.arrivals.push(arrival);
}

function checkPair(key: string, one: Arrival, other: Arrival): void {
  const mine = one.came.includes(other.node as NodeId);
  const theirs = other.came.includes(one.node as NodeId);
  const nodes = `nodes ${one.node} and ${other.node}`;
  // One-sided: the other goes on from a later point, where this one was lost already. Not possible when both have
  // gone from one ring to another together: then both are in the same transitional configuration.
  const together = one.from !== "" && one.from === other.from && one.path === other.path && one.path !== "";
  if (together && !(mine && theirs)) {
    throw new Violation(
      "transitional configuration",
      `${nodes} went from ${one.from} by ${one.path} to ${key}`,
    );
  }
  if (!mine || !theirs) return;
  if (other.from !== one.from) {
    throw new Violation("virtual synchrony", `${nodes} came from ${one.from} and ${other.from}`);
  }
  if (other.left !== one.left) {
    const text = `${nodes} in ${key} saw [${one.left}] and [${other.left}] leave`;
    throw new Violation("same memberships", text);
  }
  if (other.seen !== one.seen) {
    const text = `${nodes} go to ${key} together, after [${one.seen}] and [${other.seen}]`;
    throw new Violation("virtual synchrony", text);
  }
}

/** Second half: whoever did not come along may have sent messages that this manager has missed. */
export function forgetStrangers(view: View, membership: RingMembership): void {
  for (const sender of [...view.lastFrom.keys()]) {
    const [node = 0, incarnation = 0] = sender.split(":").map(Number);
    const came = membership.cameWithMe.includes(node as NodeId);
    const here = membership.participants.some((p) => p.nodeId === node && p.incarnation === incarnation);
    if (!came && here) view.lastFrom.set(sender, -1);
    else if (!here) view.lastFrom.delete(sender);
  }
}

/** No gap and no repetition among the messages of one manager. */
export function checkFifo(view: View, id: MessageId): void {
  const sender = `${id.node}:${id.incarnation}`;
  const last = view.lastFrom.get(sender);
  const gapless = last === undefined || last < 0 || id.number === last + 1;
  if (!gapless) throw new Violation("no gap", `node ${view.node} got ${format(id)} after number ${last}`);
  view.lastFrom.set(sender, id.number);
}

/** Total order: all who deliver two messages in a membership deliver them in the same order. */
export function checkOrder({ node, epoch, seen }: View): void {
  if (!epoch || seen.length === 0) return;
  for (const other of epoch.orders) {
    let last = -1;
    for (const name of seen) {
      const at = other.position.get(name);
      if (at === undefined) continue;
      if (at < last) {
        const text = `nodes ${node} and ${other.node} differ in ${epoch.key} about when ${name} came`;
        throw new Violation("total order", text);
      }
      last = at;
    }
  }
  epoch.orders.push({ node, position: new Map(seen.map((name, at) => [name, at])) });
}

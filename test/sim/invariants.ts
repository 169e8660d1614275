import type { RingEffect, RingMembership } from "../../src/daemon/ring-core.ts";
import type { NodeId } from "../../src/terms/index.ts";
import type { ManagerHost, NodeObserver, SimNode } from "./node.ts";
import { format, type MessageId, type TrafficObserver } from "./traffic.ts";

/** A promise that was broken: what, and when. */
export class Violation extends Error {
  readonly invariant: string;
  constructor(invariant: string, text: string) {
    super(`${invariant}: ${text}`);
    this.invariant = invariant;
  }
}

/** What one manager saw since its last membership. */
interface View {
  readonly node: number;
  readonly incarnation: number;
  /** Membership that it is in; undefined before its first. */
  epoch: Epoch | undefined;
  /** Everything delivered in that membership, as one text. */
  seen: string[];
  readonly lastFrom: Map<string, number>;
  alive: boolean;
  membership: RingMembership | undefined;
  changing: boolean;
  sent: number;
  selfDelivered: number;
}

/** One membership and what was delivered in it. */
interface Epoch {
  readonly key: string;
  readonly content: string;
  /** Everything that one manager delivered in it, and where in its order; of each that is through with it. */
  readonly orders: { readonly node: number; readonly position: ReadonlyMap<string, number> }[];
  /** What those who began this epoch had seen in the one before. */
  readonly arrivals: { node: number; from: string; seen: string; left: string; came: readonly NodeId[] }[];
}

/** What is the same for everybody; the rest is relative to a manager's membership before. */
const membershipContent = ({ ringId, members, participants, quorate, quorum }: RingMembership) =>
  JSON.stringify({ ringId, members, participants, quorate, quorum });

const membershipKey = ({ ringId, serial }: RingMembership) =>
  `${ringId.representative}.${ringId.sequence}/${serial}`;

export interface InvariantsInit {
  readonly now: () => number;
  readonly nodes: () => readonly SimNode[];
  /** Both halves of a two-node cluster may be quorate: fencing decides. */
  readonly splitAllowed: boolean;
  readonly tokenMs: number;
}

/** Checks from outside, on every effect, that the ring keeps its promises. */
export class Invariants implements NodeObserver, TrafficObserver {
  readonly delivered = { messages: 0, memberships: 0, rings: 0 };
  private readonly views = new Map<number, View>();
  private readonly epochs = new Map<string, Epoch>();
  private readonly rings = new Map<string, string>();
  private readonly lastSequence = new Map<number, number>();
  private readonly nonces = new Map<string, { counter: number; data: Uint8Array }>();
  private readonly init: InvariantsInit;

  constructor(init: InvariantsInit) {
    this.init = init;
  }

  onEffect(node: SimNode, effect: RingEffect): void {
    switch (effect.type) {
      case "send":
        this.checkNonce(node, effect.data);
        return;
      case "configuration":
        this.checkConfiguration(node, effect);
        return;
      case "manager-changing": {
        const view = this.views.get(node.id);
        if (view) view.changing = true;
        return;
      }
      default:
        return;
    }
  }

  onManagerUp(node: SimNode, incarnation: number): void {
    this.views.set(node.id, {
      node: node.id,
      incarnation,
      epoch: undefined,
      seen: [],
      lastFrom: new Map(),
      alive: true,
      membership: undefined,
      changing: false,
      sent: 0,
      selfDelivered: 0,
    });
  }

  onManagerDown(node: SimNode): void {
    const view = this.views.get(node.id);
    if (view) this.checkOrder(view);
    this.views.delete(node.id);
  }

  onCrash(node: SimNode): void {
    this.onManagerDown(node);
  }

  onSend(host: ManagerHost, id: MessageId): void {
    const view = this.views.get(host.node);
    if (view) view.sent = id.number;
  }

  onMembership(host: ManagerHost, membership: RingMembership): void {
    const view = this.viewOf(host);
    const key = membershipKey(membership);
    const content = membershipContent(membership);
    let epoch = this.epochs.get(key);
    if (!epoch) {
      epoch = { key, content, orders: [], arrivals: [] };
      this.epochs.set(key, epoch);
      this.delivered.memberships += 1;
    }
    if (epoch.content !== content) {
      throw new Violation("same memberships", `node ${host.node} got ${content}, another ${epoch.content}`);
    }
    const self = membership.participants.find(({ nodeId }) => nodeId === host.node);
    if (self?.incarnation !== host.incarnation) {
      throw new Violation("self in membership", `node ${host.node} got ${content}`);
    }
    this.checkOrder(view);
    this.checkCompanions(host, view, epoch, membership);
    for (const sender of [...view.lastFrom.keys()]) {
      const [node = 0, incarnation = 0] = sender.split(":").map(Number);
      const came = membership.cameWithMe.includes(node as NodeId);
      const here = membership.participants.some((p) => p.nodeId === node && p.incarnation === incarnation);
      // Whoever did not come along may have sent messages that this node has missed.
      if (!came && here) view.lastFrom.set(sender, -1);
      else if (!here) view.lastFrom.delete(sender);
    }
    view.epoch = epoch;
    view.seen = [];
    view.membership = membership;
    view.changing = false;
    if (!this.init.splitAllowed) this.checkQuorum(host);
  }

  onDeliver(host: ManagerHost, from: NodeId, id: MessageId): void {
    const view = this.viewOf(host);
    const { epoch, membership } = view;
    const name = format(id);
    this.delivered.messages += 1;
    if (!epoch || !membership) {
      throw new Violation("membership first", `node ${host.node} got ${name} before any membership`);
    }
    if (id.node !== from) throw new Violation("sender", `${name} was delivered as from node ${from}`);
    if (!membership.participants.some((p) => p.nodeId === id.node && p.incarnation === id.incarnation)) {
      throw new Violation("sender takes part", `node ${host.node} got ${name} in ${epoch.content}`);
    }
    this.checkFifo(host, view, id);
    view.seen.push(name);
    if (id.node === host.node) view.selfDelivered = id.number;
  }

  /** When all faults have ended and time has passed: everybody agrees and nothing is missing. */
  checkLiveness(): void {
    const up = this.init.nodes().filter((node) => node.isUp);
    const ids = up.map((node) => node.id);
    const contents = new Set<string>();
    const histories = new Set<string>();
    for (const node of up) {
      const status = node.core?.status();
      if (!status) continue;
      if (status.totem.state !== "operational" || !status.settled) {
        throw new Violation(
          "liveness",
          `node ${node.id} is in ${status.totem.state}, settled: ${status.settled}`,
        );
      }
      if (status.totem.members.join() !== ids.join()) {
        throw new Violation("liveness", `node ${node.id} has members ${status.totem.members}, up are ${ids}`);
      }
      const view = this.views.get(node.id);
      if (!view) continue;
      if (!view.epoch) throw new Violation("liveness", `manager of node ${node.id} is in no membership`);
      contents.add(view.epoch.content);
      histories.add(view.seen.join(" "));
      if (view.selfDelivered !== view.sent) {
        const text = `node ${node.id} sent ${view.sent} messages, the last it got back is ${view.selfDelivered}`;
        throw new Violation("self-delivery", text);
      }
      if (status.backlogBytes !== 0) {
        throw new Violation(
          "backlog",
          `node ${node.id} counts ${status.backlogBytes} bytes, all are delivered`,
        );
      }
    }
    for (const view of this.views.values()) this.checkOrder(view);
    if (histories.size > 1) {
      throw new Violation("all get all", `managers differ: ${[...histories].join(" / ")}`);
    }
    if (contents.size > 1)
      throw new Violation("liveness", `memberships differ: ${[...contents].join(" / ")}`);
  }

  private viewOf(host: ManagerHost): View {
    const view = this.views.get(host.node);
    if (!view || view.incarnation !== host.incarnation) {
      throw new Violation("dead manager", `manager ${host.incarnation} of node ${host.node} is spoken to`);
    }
    return view;
  }

  /** Virtual synchrony: those who come along with each other have seen the same. */
  private checkCompanions(host: ManagerHost, view: View, epoch: Epoch, membership: RingMembership): void {
    const came = membership.cameWithMe;
    if (view.epoch && !came.includes(host.node)) {
      throw new Violation("companions", `node ${host.node} did not come along with itself: ${epoch.key}`);
    }
    if (!view.epoch && came.length > 0) {
      throw new Violation("companions", `new manager of node ${host.node} came with ${came}`);
    }
    const seen = view.seen.join(" ");
    const left = `${membership.left} / ${membership.orderlyLeft}`;
    const arrival = { node: host.node, from: view.epoch?.key ?? "", seen, left, came };
    for (const other of epoch.arrivals) {
      const mine = came.includes(other.node as NodeId);
      const theirs = other.came.includes(host.node);
      // One-sided: the other goes on from a later point, where this one was lost already.
      if (!mine || !theirs) continue;
      if (other.from !== arrival.from) {
        const text = `nodes ${host.node} and ${other.node} came from ${arrival.from} and ${other.from}`;
        throw new Violation("virtual synchrony", text);
      }
      if (other.left !== left) {
        const text = `nodes ${host.node} and ${other.node} in ${epoch.key} saw [${left}] and [${other.left}] leave`;
        throw new Violation("same memberships", text);
      }
      if (other.seen !== seen) {
        const text = `nodes ${host.node} and ${other.node} go to ${epoch.key} together, after [${seen}] and [${other.seen}]`;
        throw new Violation("virtual synchrony", text);
      }
    }
    epoch.arrivals.push(arrival);
  }

  private checkFifo(host: ManagerHost, view: View, id: MessageId): void {
    const sender = `${id.node}:${id.incarnation}`;
    const last = view.lastFrom.get(sender);
    const gapless = last === undefined || last < 0 || id.number === last + 1;
    if (!gapless) {
      throw new Violation("no gap", `node ${host.node} got ${format(id)} after number ${last}`);
    }
    view.lastFrom.set(sender, id.number);
  }

  /** Total order: all who deliver two messages in a membership deliver them in the same order. */
  private checkOrder({ node, epoch, seen }: View): void {
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

  private checkConfiguration(node: SimNode, effect: Extract<RingEffect, { type: "configuration" }>): void {
    const key = `${effect.ringId.representative}.${effect.ringId.sequence}`;
    const members = effect.members.join();
    const known = this.rings.get(key);
    if (known === undefined) {
      this.rings.set(key, members);
      this.delivered.rings += 1;
    } else if (known !== members) {
      throw new Violation(
        "same configurations",
        `ring ${key}: node ${node.id} has ${members}, another ${known}`,
      );
    }
    if (!effect.members.includes(node.id)) {
      throw new Violation("same configurations", `node ${node.id} installs ring ${key} of ${members}`);
    }
    const last = this.lastSequence.get(node.id) ?? -1;
    if (effect.ringId.sequence <= last) {
      throw new Violation("ring sequence", `node ${node.id} goes from ${last} to ${effect.ringId.sequence}`);
    }
    this.lastSequence.set(node.id, effect.ringId.sequence);
  }

  /** Two groups of nodes that have no node in common are never quorate at the same time. */
  private checkQuorum(host: ManagerHost): void {
    const own = this.views.get(host.node);
    if (!own || !this.actsQuorate(own)) return;
    for (const other of this.views.values()) {
      if (other === own || !this.actsQuorate(other)) continue;
      const mine = own.membership?.members ?? [];
      const theirs = other.membership?.members ?? [];
      if (mine.some((node) => theirs.includes(node))) continue;
      throw new Violation("one quorum", `nodes ${mine} and nodes ${theirs} are quorate at the same time`);
    }
  }

  private actsQuorate(view: View): boolean {
    const node = this.init.nodes().find(({ id }) => id === view.node);
    if (!node?.isUp || node.isPaused || !view.membership?.quorate || view.changing) return false;
    // After a pause a node needs a token timeout to notice that it was left behind.
    return this.init.now() - node.resumedAt > this.init.tokenMs * 3;
  }

  private checkNonce(node: SimNode, data: Uint8Array): void {
    const header = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const key = header.toString("latin1", 4, 18);
    const counter = header.readUIntBE(18, 6);
    const last = this.nonces.get(key);
    if (last && (counter < last.counter || (counter === last.counter && !header.equals(last.data)))) {
      throw new Violation("nonce", `node ${node.id} used counter ${counter} again`);
    }
    this.nonces.set(key, { counter, data });
  }
}

import type { RingEffect, RingMembership } from "../../src/daemon/ring-core.ts";
import type { NodeId } from "../../src/terms/index.ts";
import { again, Configurations, nameOf } from "./configurations.ts";
import type { ManagerHost, NodeObserver, SimNode } from "./node.ts";
import {
  checkArrival,
  checkFifo,
  checkOrder,
  type Epoch,
  forgetStrangers,
  newView,
  type View,
} from "./synchrony.ts";
import { format, type MessageId, type TrafficObserver } from "./traffic.ts";
import { Violation } from "./violation.ts";

/** What is the same for everybody; the rest is relative to a manager's membership before. */
const membershipContent = ({ ringId, members, participants, quorate, quorum }: RingMembership) =>
  JSON.stringify({ ringId, members, participants, quorate, quorum });

export interface InvariantsInit {
  readonly now: () => number;
  readonly nodes: () => readonly SimNode[];
  /** Nodes that the configuration file lists. */
  readonly configured: () => readonly number[];
  /** Both halves of a two-node cluster may be quorate: fencing decides. */
  readonly splitAllowed: boolean;
  readonly tokenMs: number;
}

/** Checks from outside, on every effect, that the ring keeps its promises. */
export class Invariants implements NodeObserver, TrafficObserver {
  readonly delivered = { messages: 0, memberships: 0, rings: 0 };
  /** Somebody has taken it upon himself that no other part of the cluster is quorate. */
  splitAllowed: boolean;
  /** The same until all nodes have been together once. */
  splitUntilWhole = false;
  /** Expected votes were raised, or a vote was lost for good: all nodes together need not be quorate. */
  quorumOptional = false;
  /** An administrator has changed the expected votes or the nodes. */
  votesChanged = false;
  /** Nodes with a configuration of another cluster. */
  readonly foreign = new Set<number>();
  private readonly views = new Map<number, View>();
  private readonly epochs = new Map<string, Epoch[]>();
  private readonly configurations = new Configurations();
  private readonly init: InvariantsInit;

  constructor(init: InvariantsInit) {
    this.init = init;
    this.splitAllowed = init.splitAllowed;
  }

  onEffect(node: SimNode, effect: RingEffect): void {
    if (effect.type === "configuration") this.onConfiguration(node, effect);
    else if (effect.type === "manager-changing") {
      const view = this.views.get(node.id);
      if (view) view.changing = true;
    }
  }

  onManagerUp(node: SimNode, incarnation: number): void {
    this.views.set(node.id, newView(node.id, incarnation));
  }

  onManagerDown(node: SimNode): void {
    const view = this.views.get(node.id);
    if (view) checkOrder(view);
    this.views.delete(node.id);
  }

  onCrash(node: SimNode): void {
    this.onManagerDown(node);
  }

  onNewDisk(node: SimNode): void {
    this.configurations.newDisk(node);
  }

  onSend(host: ManagerHost, id: MessageId): void {
    this.viewOf(host).sent = id.number;
  }

  onMembership(host: ManagerHost, membership: RingMembership): void {
    const view = this.viewOf(host);
    const epoch = this.epochOf(host, membership);
    checkOrder(view);
    checkArrival(view, epoch, membership);
    forgetStrangers(view, membership);
    view.epoch = epoch;
    view.membership = membership;
    view.seen = [];
    view.path = "";
    view.changing = false;
    if (this.splitUntilWhole && membership.members.length === this.init.configured().length)
      this.splitUntilWhole = false;
    if (!this.splitAllowed && !this.splitUntilWhole) this.checkQuorum(view);
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
    checkFifo(view, id);
    view.seen.push(name);
    if (id.node === host.node) view.selfDelivered = id.number;
  }

  /** When all faults have ended and time has passed: everybody agrees and nothing is missing. */
  checkLiveness(): void {
    const problem = this.unfinished();
    if (problem) throw problem;
    for (const view of this.views.values()) checkOrder(view);
  }

  /** What is not yet as it has to be when all faults have ended and everything was said. */
  unfinished(): Violation | undefined {
    const configured = this.init.configured();
    const up = this.init.nodes().filter((node) => node.isUp && configured.includes(node.id));
    const ids = up.map((node) => node.id).join();
    const contents = new Set<string>();
    const histories = new Set<string>();
    for (const node of up) {
      const problem = this.unfinishedNode(node, ids);
      if (problem) return problem;
      const view = this.views.get(node.id);
      if (view?.epoch) contents.add(view.epoch.content);
      if (view) histories.add(view.seen.join(" "));
    }
    if (histories.size > 1) {
      return new Violation("all get all", `managers differ: ${[...histories].join(" / ")}`);
    }
    if (contents.size > 1) {
      return new Violation("liveness", `memberships differ: ${[...contents].join(" / ")}`);
    }
    return undefined;
  }

  /** Bytes that the nodes have still to send. */
  waitingBytes(): number {
    return this.init.nodes().reduce((sum, node) => sum + (node.core?.status().backlogBytes ?? 0), 0);
  }

  private unfinishedNode(node: SimNode, members: string): Violation | undefined {
    const status = node.core?.status();
    const view = this.views.get(node.id);
    if (!status) return undefined;
    const { totem, settled, quorum, backlogBytes, changeWaitsFor, keyChange } = status;
    if (totem.state !== "operational" || !settled) {
      return new Violation("liveness", `node ${node.id} is in ${totem.state}, settled: ${settled}`);
    }
    if (totem.members.join() !== members) {
      return new Violation("liveness", `node ${node.id} has members ${totem.members}, up are ${members}`);
    }
    if (!view) return undefined;
    if (!view.epoch) return new Violation("liveness", `manager of node ${node.id} is in no membership`);
    if (view.selfDelivered !== view.sent) {
      const text = `node ${node.id} sent ${view.sent} messages, the last it got back is ${view.selfDelivered}`;
      return new Violation("self-delivery", text);
    }
    if (backlogBytes !== 0) {
      return new Violation("backlog", `node ${node.id} counts ${backlogBytes} bytes, all are delivered`);
    }
    if (changeWaitsFor.length > 0) {
      return new Violation("reload ends", `node ${node.id} waits for ${changeWaitsFor} to read the same`);
    }
    if (keyChange) {
      return new Violation("key change ends", `node ${node.id} waits for ${keyChange.waitsFor}`);
    }
    const whole = this.init.configured().join() === members;
    if (whole && !quorum.quorate && !this.quorumOptional) {
      return new Violation("quorum returns", `node ${node.id}, all nodes are there: ${quorum.reason}`);
    }
    return undefined;
  }

  private viewOf(host: ManagerHost): View {
    const view = this.views.get(host.node);
    if (!view || view.incarnation !== host.incarnation) {
      throw new Violation("dead manager", `manager ${host.incarnation} of node ${host.node} is spoken to`);
    }
    return view;
  }

  /** Memberships are the same for everybody who stays, and contain who gets them. */
  private epochOf(host: ManagerHost, membership: RingMembership): Epoch {
    const { ringId, serial } = membership;
    const key = `${nameOf(ringId)}/${ringId.memberDigest}/${serial}`;
    const content = membershipContent(membership);
    const disk = this.configurations.diskOf(ringId.representative);
    const known = this.epochs.get(key) ?? [];
    this.epochs.set(key, known);
    const removed = !this.init.configured().includes(host.node);
    let epoch = known.find((other) => other.content === content);
    if (epoch && !removed) epoch.removedOnly = false;
    if (!epoch) {
      const last = known.findLast((other) => !other.removedOnly);
      if (last && last.disk === disk && !removed) {
        throw new Violation("same memberships", `node ${host.node} got ${content}, another ${last.content}`);
      }
      epoch = {
        key: `${key}${again(known.length)}`,
        content,
        disk,
        removedOnly: removed,
        orders: [],
        arrivals: [],
      };
      known.push(epoch);
      this.delivered.memberships += 1;
    }
    const self = membership.participants.find(({ nodeId }) => nodeId === host.node);
    if (self?.incarnation !== host.incarnation) {
      throw new Violation("self in membership", `node ${host.node} got ${content}`);
    }
    return epoch;
  }

  private onConfiguration(node: SimNode, effect: Extract<RingEffect, { type: "configuration" }>): void {
    const name = this.configurations.install(node, effect);
    this.delivered.rings = this.configurations.count;
    const view = this.views.get(node.id);
    if (view) view.path += ` ${name}`;
    if (this.foreign.has(node.id) && effect.members.length > 1) {
      throw new Violation(
        "strangers",
        `node ${node.id} has another configuration and is in ${effect.members}`,
      );
    }
  }

  /** Two groups of nodes that have no node in common are never quorate at the same time. */
  private checkQuorum(own: View): void {
    if (!this.actsQuorate(own)) return;
    for (const other of this.views.values()) {
      if (other === own || !this.actsQuorate(other)) continue;
      const mine = own.membership?.members ?? [];
      const theirs = other.membership?.members ?? [];
      if (mine.some((node) => theirs.includes(node))) continue;
      throw new Violation("one quorum", `nodes ${mine} and nodes ${theirs} are quorate at the same time`);
    }
  }

  private actsQuorate(view: View): boolean {
    if (!view.membership?.quorate || view.changing) return false;
    const node = this.init.nodes().find(({ id }) => id === view.node);
    if (!node?.isUp || node.isPaused) return false;
    // After a pause a node needs a token timeout to notice that it was left behind.
    return this.init.now() - node.resumedAt > this.init.tokenMs * 3;
  }
}

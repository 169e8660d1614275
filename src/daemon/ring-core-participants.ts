import type { NodeId } from "../terms/index.ts";
import { type RingId, sameRing } from "../totem/index.ts";
import type { Participant } from "./ring-core-face.ts";
import type { Announcement } from "./ring-core-wire.ts";

/** What the participants layer says when a membership begins. */
export interface MembershipChange {
  readonly ringId: RingId;
  readonly serial: number;
  readonly members: readonly NodeId[];
  readonly participants: readonly Participant[];
  readonly left: readonly NodeId[];
  readonly orderlyLeft: readonly NodeId[];
  /** Participants with the same history of messages as this node. */
  readonly cameWithMe: readonly NodeId[];
}

/**
 * Which managers take part (a process group on top of the ring). All nodes see the same announcements in the same
 * order, hence the same memberships:
 *
 * - After a regular configuration every member announces itself. When all announcements of that configuration are
 *   there (the barrier), the membership begins. If the configuration changes before, it starts again.
 * - Later comings and goings of managers are announced in the order of the messages; each begins a membership.
 * - No membership begins while the ring falls apart: only a part of its members may have heard what it follows from.
 * - A message belongs to the membership in which it was sent. What was sent before a configuration change and is
 *   delivered after it, but before the barrier, goes to those that came from the sender's membership with it.
 */
export class Participants {
  private ringId: RingId | undefined;
  private members: readonly NodeId[] = [];
  private announcements = new Map<NodeId, Announcement>();
  /** Survivors of the ring that is ending; undefined while it lasts. */
  private transitional: ReadonlySet<NodeId> | undefined;
  /** Of the last membership that began. */
  private memberRing: RingId | undefined;
  private memberNodes: readonly NodeId[] = [];
  private managers = new Map<NodeId, number>();
  /** Nodes that went through every configuration since then together with this one. */
  private companions: ReadonlySet<NodeId> = new Set();
  private orderly = new Set<NodeId>();
  /** Memberships that began in this configuration. */
  private serial = 0;
  private settled = false;

  /** Whether all members have announced themselves. */
  isSettled(): boolean {
    return this.settled;
  }

  /** The ring of the last membership that began. */
  currentRing(): RingId | undefined {
    return this.memberRing;
  }

  /** The nodes of the last membership. */
  currentMembers(): readonly NodeId[] {
    return this.memberNodes;
  }

  /** The managers of the last membership, ascending by node. */
  current(): Participant[] {
    return [...this.managers]
      .sort(([a], [b]) => a - b)
      .map(([node, incarnation]) => ({ nodeId: node, incarnation }));
  }

  /** Announcements of the current configuration. */
  announced(): ReadonlyMap<NodeId, Announcement> {
    return this.announcements;
  }

  /** Nodes that said goodbye since the last membership began, ascending. */
  orderlyLeft(): NodeId[] {
    return [...this.orderly].sort((a, b) => a - b);
  }

  /** Whether the ring falls apart: what is delivered now may not be delivered to all of its members. */
  inTransition(): boolean {
    return this.transitional !== undefined;
  }

  /** The survivors of the old ring. Messages up to the regular configuration still belong to that. */
  onTransitional(members: readonly NodeId[]): void {
    this.transitional = new Set(members);
  }

  onRegular(ringId: RingId, members: readonly NodeId[], orderly: readonly NodeId[]): void {
    this.companions = this.survivors(this.companions);
    for (const node of orderly) this.orderly.add(node);
    for (const node of members) this.orderly.delete(node);
    this.ringId = ringId;
    this.members = members;
    this.announcements = new Map();
    this.settled = false;
    this.serial = 0;
    this.transitional = undefined;
  }

  /** A node announces itself. Returns the membership that begins by it, if it is the last one waited for. */
  onAnnouncement(from: NodeId, announcement: Announcement): MembershipChange | undefined {
    if (this.settled || !sameRing(announcement.ringId, this.ringId)) return undefined;
    if (!this.members.includes(from)) return undefined;
    this.announcements.set(from, announcement);
    if (!this.allAnnounced() || this.transitional) return undefined;
    this.settled = true;
    const managers = new Map<NodeId, number>();
    for (const [node, { manager }] of this.announcements) if (manager > 0) managers.set(node, manager);
    return this.begin(managers, this.companions);
  }

  /** Whether every member of the configuration has announced itself. */
  allAnnounced(): boolean {
    return this.members.every((node) => this.announcements.has(node));
  }

  /** A manager came or went (incarnation 0). Before the barrier its node's announcement will say it too. */
  onParticipant(from: NodeId, ringId: RingId, incarnation: number): MembershipChange | undefined {
    if (!this.settled || this.transitional || !sameRing(ringId, this.ringId)) return undefined;
    if ((this.managers.get(from) ?? 0) === incarnation) return undefined;
    const managers = new Map(this.managers);
    if (incarnation > 0) managers.set(from, incarnation);
    else managers.delete(from);
    return this.begin(managers, new Set(this.memberNodes));
  }

  /** Nobody came or went, but something else about the membership changed for all. */
  onOtherChange(): MembershipChange | undefined {
    return this.settled && !this.transitional
      ? this.begin(this.managers, new Set(this.memberNodes))
      : undefined;
  }

  /** Whether a manager's message is for this node, by the membership that it was sent in. */
  accepts(from: NodeId, ringId: RingId, incarnation: number): boolean {
    if (this.managers.get(from) !== incarnation || !sameRing(ringId, this.memberRing)) return false;
    return this.settled || this.companions.has(from);
  }

  private survivors(nodes: ReadonlySet<NodeId>): ReadonlySet<NodeId> {
    const { transitional } = this;
    return new Set([...nodes].filter((node) => transitional?.has(node)));
  }

  private begin(
    managers: Map<NodeId, number>,
    companions: ReadonlySet<NodeId>,
  ): MembershipChange | undefined {
    const ringId = this.ringId;
    if (!ringId) return undefined;
    const before = this.managers;
    const left = this.memberNodes.filter((node) => !this.members.includes(node));
    this.serial += 1;
    const change: MembershipChange = {
      ringId,
      serial: this.serial,
      members: this.members,
      participants: [...managers]
        .sort(([a], [b]) => a - b)
        .map(([node, incarnation]) => ({ nodeId: node, incarnation })),
      left,
      orderlyLeft: left.filter((node) => this.orderly.has(node)),
      cameWithMe: [...managers.keys()]
        .filter((node) => companions.has(node) && before.get(node) === managers.get(node))
        .sort((a, b) => a - b),
    };
    this.memberRing = ringId;
    this.memberNodes = this.members;
    this.managers = managers;
    this.companions = new Set(this.members);
    this.orderly.clear();
    return change;
  }
}

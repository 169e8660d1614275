import type { Membership } from "../../src/controller/index.ts";
import { Participants } from "../../src/daemon/ring-core-participants.ts";
import type { RingMessage } from "../../src/daemon/ring-core-wire.ts";
import type { NodeId } from "../../src/terms/index.ts";
import { type RingId, sameRing } from "../../src/totem/index.ts";
import { type Item, type Order, Port } from "./order.ts";

/** What a ring process tells its manager, in order. */
export type ToManager =
  | { readonly type: "membership"; readonly membership: Membership }
  | { readonly type: "message"; readonly from: NodeId; readonly payload: Uint8Array };

export interface RingProcessOptions {
  readonly id: NodeId;
  readonly order: Order;
  readonly part: number;
  /** Whether these members have quorum; `seenAll`: this node has been in a ring of all since it was started. */
  readonly quorate: (members: readonly NodeId[], seenAll: boolean) => boolean;
  readonly isAll: (members: readonly NodeId[]) => boolean;
  /** Of the manager that is connected. */
  readonly tell: (event: ToManager) => void;
}

/** No rule of the participants asks what else an announcement says. */
const unasked = {
  quorum: {
    votes: 1,
    expectedVotes: 0,
    configuredVotes: 0,
    seenAll: false,
    quorate: false,
    quorateSequence: 0,
    quorateMembers: [],
    quorateExpected: 0,
    doubts: [],
    orderlyLeft: [],
  },
  configVersion: 1,
  agreement: [],
  inForce: "",
};

/**
 * The ring process of one node above the order: which managers take part, and which of their messages are for whom.
 * The rules are the real ones (`Participants`); what the ring core does beside them for its manager is done here.
 */
export class RingProcess {
  readonly port: Port;
  private readonly participants = new Participants();
  private configuration: RingId | undefined;
  private incarnation = 0;
  private active = false;
  private held: Uint8Array[] = [];
  private seenAll = false;

  constructor(private readonly options: RingProcessOptions) {
    this.port = new Port(options.id, (item) => this.take(item));
    this.port.part = options.part;
    options.order.join(this.port);
  }

  /** A manager has connected, or is gone (0). */
  manager(incarnation: number): void {
    if (incarnation === this.incarnation) return;
    this.incarnation = incarnation;
    this.active = false;
    this.held = [];
    if (this.participants.isSettled()) this.announceManager();
  }

  /** The manager wants to say something to all. */
  say(payload: Uint8Array): void {
    if (this.incarnation === 0) return;
    if (this.maySend()) this.sendForManager(payload);
    else this.held.push(payload);
  }

  private take(item: Item): void {
    switch (item.kind) {
      case "transitional":
        return this.participants.onTransitional(item.members);
      case "regular":
        this.configuration = item.ringId;
        this.participants.onRegular(item.ringId, item.members, item.orderly);
        if (this.options.isAll(item.members)) this.seenAll = true;
        return this.send({
          kind: "announcement",
          announcement: { ...unasked, ringId: item.ringId, manager: this.incarnation },
        });
      case "message":
        return this.heard(item.from, item.message);
    }
  }

  private heard(from: NodeId, message: RingMessage): void {
    const { participants } = this;
    switch (message.kind) {
      case "announcement": {
        const change = participants.onAnnouncement(from, message.announcement);
        if (!change) return;
        this.announceMembership(change);
        const said = participants.announced().get(this.options.id)?.manager ?? 0;
        if (said !== this.incarnation) this.announceManager();
        return;
      }
      case "participant":
        return this.announceMembership(participants.onParticipant(from, message.ringId, message.incarnation));
      case "manager": {
        const { ringId, incarnation, payload } = message;
        if (this.active && participants.accepts(from, ringId, incarnation))
          this.options.tell({ type: "message", from, payload });
        return;
      }
      default:
        throw new Error(`${message.kind} is not of this world`);
    }
  }

  private announceMembership(change: ReturnType<Participants["onParticipant"]>): void {
    if (!change) return;
    const own = change.participants.find(({ nodeId }) => nodeId === this.options.id);
    const first = !this.active;
    this.active = this.incarnation > 0 && own?.incarnation === this.incarnation;
    if (!this.active) return;
    const { ringId, serial, members, participants } = change;
    const cameWithMe = first ? [] : change.cameWithMe;
    const quorate = this.options.quorate(members, this.seenAll);
    const membership = { ringId, serial, members, participants, cameWithMe, quorate };
    this.options.tell({ type: "membership", membership });
    for (const payload of this.held.splice(0)) this.sendForManager(payload);
  }

  private announceManager(): void {
    if (this.configuration)
      this.send({ kind: "participant", ringId: this.configuration, incarnation: this.incarnation });
  }

  private maySend(): boolean {
    const { participants } = this;
    return (
      this.active && participants.isSettled() && sameRing(participants.currentRing(), this.configuration)
    );
  }

  private sendForManager(payload: Uint8Array): void {
    const ringId = this.configuration;
    if (ringId) this.send({ kind: "manager", ringId, incarnation: this.incarnation, payload });
  }

  private send(message: RingMessage): void {
    this.options.order.send(this.port, message, message.kind === "announcement");
  }
}

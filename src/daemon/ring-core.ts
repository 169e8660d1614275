import { Quorum, type QuorumOptions } from "../quorum/index.ts";
import type { Millis, NodeId } from "../terms/index.ts";
import {
  Links,
  type RingId,
  type SealCipher,
  SingleRing,
  sameRing,
  type TotemEffect,
  type TotemEvent,
  type TotemTimer,
} from "../totem/index.ts";
import type { BroughtEffect } from "./ring-core-brought.ts";
import { changeDigest, PendingChange } from "./ring-core-change.ts";
import { type Destinations, routeKeys, routeLinks, routeQuorum } from "./ring-core-effects.ts";
import type {
  Disagreement,
  RingCoreChange,
  RingCoreOptions,
  RingCoreStatus,
  RingEffect,
  RingEvent,
  RingMembership,
} from "./ring-core-face.ts";
import { KeyRing } from "./ring-core-key-ring.ts";
import type { KeyEffect } from "./ring-core-keys.ts";
import { differences, peersOf, quorumStart, totemOptions } from "./ring-core-options.ts";
import { type MembershipChange, Participants } from "./ring-core-participants.ts";
import {
  type Announcement,
  decodeRingMessage,
  encodeRingMessage,
  type RingMessage,
} from "./ring-core-wire.ts";

export type {
  Participant,
  RingCoreChange,
  RingCoreOptions,
  RingCoreStatus,
  RingEffect,
  RingEvent,
  RingMembership,
  RingTimer,
} from "./ring-core-face.ts";

/** What quorum follows from: nobody acts on it before all members of the ring have it. */
const decidesVotes: ReadonlySet<RingMessage["kind"]> = new Set([
  "announcement",
  "window-over",
  "set-expected",
  "set-votes",
  "prepared",
]);

type VotesMessage = Extract<RingMessage, { kind: "set-expected" | "set-votes" }>;

/**
 * The whole ring of one node: links, encryption, ordering and membership, participants, quorum. Pure: events with
 * the time go in, effects come out in order, so that the ring process and the simulator run the same thing.
 */
export class RingCore {
  private options: RingCoreOptions;
  private readonly self: NodeId;
  private readonly links: Links;
  private readonly ring: SingleRing;
  private readonly quorum: Quorum;
  private readonly participants: Participants;
  /** Incarnation of the local manager that is connected; 0: none. */
  private manager = 0;
  /** Whether that manager has received its first membership. */
  private active = false;
  private configuration: RingId | undefined;
  /** Messages of the local manager that wait for its membership. */
  private held: Uint8Array[] = [];
  private backlogBytes = 0;
  /** Votes that an administrator asked for here and that were not delivered yet. */
  private wantedVotes: { readonly message: VotesMessage; readonly whileQuorate: boolean } | undefined;
  private requests = 0;
  private disagreements: readonly Disagreement[] = [];
  private readonly change = new PendingChange();
  private readonly keys: KeyRing;
  private left = false;
  private readonly pending: TotemEvent[] = [];
  private out: RingEffect[] = [];
  /** Where the parts' effects go. */
  private readonly to: Destinations = {
    out: (effect) => this.out.push(effect),
    totem: (event) => this.pending.push(event),
    say: (message) => this.send(message),
  };

  /**
   * `salt`: eight random bytes, new at each start; the seal's nonces depend on them. `cipher`: AES-256-GCM unless
   * said otherwise.
   */
  constructor(options: RingCoreOptions, salt: Uint8Array, now: Millis, cipher?: SealCipher) {
    this.options = options;
    this.self = options.self;
    this.keys = new KeyRing(options, salt, cipher);
    this.links = new Links(options.self, this.keys.seal, options.links, now);
    this.ring = new SingleRing({
      self: options.self,
      peers: peersOf(options),
      options: totemOptions(options),
    });
    this.quorum = new Quorum(options.self, options.quorum);
    this.participants = new Participants();
  }

  /** Takes one event; returns what has to be done, in order. */
  step(event: RingEvent, now: Millis): RingEffect[] {
    this.out = [];
    this.dispatch(event, now);
    this.runTotem(now);
    return this.out;
  }

  /** State for people and for the exporter. */
  status(): RingCoreStatus {
    return {
      self: this.self,
      totem: this.ring.status(),
      links: this.links.status(),
      quorum: this.quorum.current(),
      votes: Object.fromEntries(this.quorum.memberVotes()),
      configuredVotes: Object.fromEntries(this.quorum.configuredVotes()),
      settled: this.participants.isSettled(),
      participants: this.participants.current(),
      backlogBytes: this.backlogBytes,
      disagreements: this.disagreements,
      changeWaitsFor: this.change.missing(this.participants.currentMembers()),
      changeReadBy: this.change.waiting(this.participants.currentMembers()),
      keyChange: this.keys.status(this.participants.currentMembers()),
    };
  }

  /** Why there would be no quorum any more once a change is in force; undefined where it makes no such difference. */
  quorumLostBy(change: RingCoreChange): string | undefined {
    if (!this.quorum.current().quorate || changeDigest(change) === changeDigest(this.options))
      return undefined;
    const { quorate, reason } = this.quorum.stateWith(change.quorum);
    return quorate ? undefined : reason;
  }

  private dispatch(event: RingEvent, now: Millis): void {
    switch (event.type) {
      case "start":
        routeQuorum(this.quorum.step(quorumStart(event), now), this.to);
        routeLinks(this.links.start(now), this.to);
        this.pending.push({ type: "start", ringSequence: event.ringSequence });
        return;
      case "datagram":
        if (this.left) return;
        routeLinks(this.links.datagram(event.link, event.address, event.data, now), this.to);
        this.routeKeys(this.keys.heard());
        return;
      case "timer":
        this.onTimer(event.timer, now);
        return;
      case "persisted":
        this.pending.push({ type: "persisted", ringSequence: event.ringSequence });
        return;
      case "manager-up":
        this.onManager(event.incarnation);
        return;
      case "manager-down":
        this.onManager(0);
        return;
      case "manager-send":
        if (this.manager === 0) return;
        this.backlogBytes += event.payload.length;
        if (this.maySend()) this.sendForManager(event.payload);
        else this.held.push(event.payload);
        return;
      case "set-expected-votes":
        this.wantVotes({ kind: "set-expected", id: this.requests + 1, votes: event.votes });
        return;
      case "set-votes":
        this.wantVotes({ kind: "set-votes", id: this.requests + 1, node: event.node, votes: event.votes });
        return;
      case "set-keys":
        this.keys.replace(event.key, event.alsoAccept);
        routeLinks(this.links.keysChanged(), this.to);
        return;
      case "rekey":
        this.send({ kind: "key-new", key: event.key });
        return;
      case "rekey-brought":
        this.send({ kind: "key-asked", nonce: event.nonce });
        return;
      case "brought-found":
        this.routeKeys(this.keys.found(event.nonce, event.key));
        return;
      case "drop-brought":
        this.send({ kind: "key-dropped", nonce: event.nonce });
        return;
      case "key-stored":
        this.routeKeys(this.keys.stored(event.digest));
        return;
      case "key-adopted":
        this.routeKeys(this.keys.adopted(event.digest));
        return;
      case "reconfigure":
        if (changeDigest(event.change) === changeDigest(this.options)) {
          this.applyOwn(event.change, now);
          if (this.change.digest() === undefined) return;
        }
        this.change.propose(event.change);
        this.proposeChange();
        return;
      case "leave":
        routeQuorum(this.quorum.step({ type: "leave" }, now), this.to);
        this.pending.push({ type: "leave" });
        return;
    }
  }

  private routeKeys(effects: readonly (KeyEffect | BroughtEffect)[]): void {
    routeKeys(effects, this.to);
    if (effects.some(({ type }) => type === "use")) routeLinks(this.links.keysChanged(), this.to);
  }

  private onTimer(timer: string, now: Millis): void {
    if (timer === "links:tick") {
      if (!this.left) routeLinks(this.links.timer(now), this.to);
    } else if (timer === "quorum:last-man-standing") {
      routeQuorum(this.quorum.step({ type: "timer" }, now), this.to);
    } else if (timer.startsWith("totem:")) {
      this.pending.push({ type: "timer", timer: timer.slice("totem:".length) as TotemTimer });
    }
  }

  /** Runs the protocol until it has nothing more to say: its effects may cause new events for it. */
  private runTotem(now: Millis): void {
    for (let event = this.pending.shift(); event !== undefined; event = this.pending.shift()) {
      for (const effect of this.ring.step(event, now)) this.onTotem(effect, now);
      if (event.type === "leave") this.left = true;
    }
  }

  private onTotem(effect: TotemEffect, now: Millis): void {
    switch (effect.type) {
      case "transmit":
        routeLinks(this.links.transmit(effect.to, effect.data, now), this.to);
        return;
      case "set-timer":
        this.out.push({ type: "set-timer", timer: `totem:${effect.timer}`, afterMs: effect.afterMs });
        return;
      case "cancel-timer":
        this.out.push({ type: "cancel-timer", timer: `totem:${effect.timer}` });
        return;
      case "persist":
        this.out.push(effect);
        return;
      case "log":
        this.out.push({ type: "log", level: effect.level, subsystem: "TOTEM", text: effect.text });
        return;
      case "deliver":
        this.onDeliver(effect.from, effect.payload, now);
        return;
      case "configuration":
        routeQuorum(this.quorum.step({ type: "configuration", kind: effect.kind }, now), this.to);
        if (effect.kind === "transitional") this.participants.onTransitional(effect.members);
        else this.onRegular(effect);
        return;
    }
  }

  private onRegular(effect: Extract<TotemEffect, { type: "configuration" }>): void {
    const { ringId, members, joined, left, orderly } = effect;
    this.configuration = ringId;
    this.participants.onRegular(ringId, members, orderly);
    this.out.push({ type: "configuration", ringId, members, joined, left, orderly });
    if (this.active) this.out.push({ type: "manager-changing", incarnation: this.manager });
    this.send({ kind: "announcement", announcement: this.announcement(ringId) });
  }

  private announcement(ringId: RingId): Announcement {
    return {
      ringId,
      manager: this.manager,
      quorum: this.quorum.view(this.participants.orderlyLeft()),
      configVersion: this.options.configVersion,
      agreement: this.options.agreement,
      inForce: changeDigest(this.options),
    };
  }

  private onDeliver(from: NodeId, payload: Uint8Array, now: Millis): void {
    const message = decodeRingMessage(payload);
    if (!message) {
      const text = `a message of node ${from} is of a kind that this version does not know`;
      this.out.push({ type: "log", level: "warning", subsystem: "TOTEM", text });
      return;
    }
    switch (message.kind) {
      case "manager":
        this.onManagerMessage(from, message);
        return;
      case "announcement": {
        const change = this.participants.onAnnouncement(from, message.announcement);
        if (change) this.onBarrier(change, now);
        else if (this.participants.inTransition() && this.participants.allAnnounced()) this.tellVotes(now);
        return;
      }
      case "participant": {
        const change = this.participants.onParticipant(from, message.ringId, message.incarnation);
        if (change) this.announceMembership(change);
        return;
      }
      case "window-over":
        if (!this.participants.isSettled()) return;
        routeQuorum(this.quorum.step({ type: "window-over", ringSequence: message.sequence }, now), this.to);
        return;
      case "set-expected":
      case "set-votes": {
        // Before the barrier it would be lost in the announcements: whoever asked asks again after it.
        if (!this.participants.isSettled()) return;
        const wanted = this.wantedVotes?.message.id;
        if (from === this.self && wanted === message.id && !this.participants.inTransition())
          this.wantedVotes = undefined;
        const { votes } = message;
        const event =
          message.kind === "set-expected"
            ? ({ type: "set-expected", expectedVotes: votes } as const)
            : ({ type: "set-votes", node: message.node, votes } as const);
        routeQuorum(this.quorum.step(event, now), this.to);
        this.announceMembership(this.participants.onOtherChange());
        return;
      }
      case "key-new":
      case "key-ready":
      case "key-switched":
      case "key-behind":
      case "key-asked":
      case "key-proof":
      case "key-dropped":
        // Said again after the barrier, by all.
        if (!this.participants.isSettled()) return;
        this.routeKeys(this.keys.deliver(from, message, this.participants.currentMembers()));
        return;
      case "prepared": {
        if (!this.participants.isSettled()) return;
        const members = this.participants.currentMembers();
        const inForce = changeDigest(this.options);
        const certain = !this.participants.inTransition();
        const agreed = this.change.onPrepared(from, message.digest, members, inForce, certain);
        if (!agreed) return;
        // All have read the same, be it what was in force here before.
        if (certain) this.disagreements = [];
        if (agreed.change && certain) this.applyChange(agreed.change, now);
        else this.reconfigureQuorum(agreed.change?.quorum ?? this.options.quorum, now);
        this.announceMembership(this.participants.onOtherChange());
        return;
      }
    }
  }

  private onManagerMessage(from: NodeId, message: Extract<RingMessage, { kind: "manager" }>): void {
    const { ringId, incarnation, payload } = message;
    if (from === this.self && incarnation === this.manager) {
      this.backlogBytes = Math.max(0, this.backlogBytes - payload.length);
    }
    if (!this.active || !this.participants.accepts(from, ringId, incarnation)) return;
    this.out.push({ type: "manager-deliver", incarnation: this.manager, from, payload });
  }

  /** All members have announced themselves: quorum is computed, the membership begins. */
  private onBarrier(change: MembershipChange, now: Millis): void {
    const announced = this.participants.announced();
    this.tellVotes(now);
    this.compare(announced);
    this.announceMembership(change);
    this.askForVotes();
    this.change.restart(announced);
    this.proposeChange();
    this.routeKeys(this.keys.restart());
    // A manager that came or went between this node's announcement and now.
    if ((announced.get(this.self)?.manager ?? 0) !== this.manager) this.announceManager();
  }

  /** Tells quorum what the members of the configuration have announced. */
  private tellVotes(now: Millis): void {
    const announced = this.participants.announced();
    const views = new Map([...announced].map(([node, { quorum }]) => [node, quorum]));
    const ringSequence = this.configuration?.sequence ?? 0;
    routeQuorum(this.quorum.step({ type: "membership", ringSequence, views }, now), this.to);
  }

  private announceMembership(change: MembershipChange | undefined): void {
    if (!change) return;
    const own = change.participants.find(({ nodeId }) => nodeId === this.self);
    const first = !this.active;
    this.active = this.manager > 0 && own?.incarnation === this.manager;
    if (!this.active) return;
    this.tellManager({ ...change, cameWithMe: first ? [] : change.cameWithMe });
    const held = this.held;
    this.held = [];
    for (const payload of held) this.sendForManager(payload);
  }

  private tellManager(change: MembershipChange): void {
    const quorum = this.quorum.current();
    const membership: RingMembership = { ...change, quorate: quorum.quorate, quorum };
    this.out.push({ type: "manager-membership", incarnation: this.manager, membership });
  }

  private onManager(incarnation: number): void {
    if (incarnation === this.manager) return;
    this.manager = incarnation;
    this.active = false;
    this.held = [];
    this.backlogBytes = 0;
    if (this.participants.isSettled()) this.announceManager();
  }

  private announceManager(): void {
    if (!this.configuration) return;
    this.send({ kind: "participant", ringId: this.configuration, incarnation: this.manager });
  }

  private wantVotes(message: VotesMessage): void {
    this.requests = message.id;
    this.wantedVotes = { message, whileQuorate: this.quorum.current().quorate };
    this.askForVotes();
  }

  private askForVotes(): void {
    const wanted = this.wantedVotes;
    if (!wanted || !this.participants.isSettled()) return;
    // Who lowers them without a quorum vouches for those that are not here; this administrator saw a quorum.
    if (wanted.whileQuorate && !this.quorum.current().quorate) {
      this.wantedVotes = undefined;
      const { message } = wanted;
      const whose = message.kind === "set-expected" ? "expected votes" : `votes of node ${message.node}`;
      const text = `${whose} are not set to ${message.votes}: the quorum was lost meanwhile; set them again if the missing nodes are off`;
      this.out.push({ type: "log", level: "warning", subsystem: "QUORUM", text });
      return;
    }
    this.send(wanted.message);
  }

  /** Says that this node is ready for a change; in every new configuration anew, until all are. */
  private proposeChange(): void {
    if (!this.participants.isSettled()) return;
    const digest = this.change.digest();
    if (digest !== undefined) this.send({ kind: "prepared", digest });
  }

  private applyChange(change: RingCoreChange, now: Millis): void {
    this.options = { ...this.options, ...change };
    const text = "all nodes have read the new configuration: it is in force";
    this.out.push({ type: "log", level: "notice", subsystem: "TOTEM", text });
    this.disagreements = [];
    routeLinks(this.links.reconfigure(this.options.links, now), this.to);
    this.reconfigureQuorum(this.options.quorum, now);
    this.pending.push({
      type: "reconfigure",
      options: totemOptions(this.options),
      peers: peersOf(this.options),
    });
    this.out.push({ type: "reconfigured", change });
  }

  /** These rules are in force on all nodes from now on; quorum knows when that is in doubt. */
  private reconfigureQuorum(options: QuorumOptions, now: Millis): void {
    routeQuorum(this.quorum.step({ type: "reconfigure", options }, now), this.to);
  }

  /** What a node may decide for itself, such as how often it pings. */
  private applyOwn(change: RingCoreChange, now: Millis): void {
    this.options = { ...this.options, ...change };
    routeLinks(this.links.reconfigure(this.options.links, now), this.to);
    this.out.push({ type: "reconfigured", change });
  }

  private maySend(): boolean {
    return (
      this.active &&
      this.participants.isSettled() &&
      sameRing(this.participants.currentRing(), this.configuration)
    );
  }

  private sendForManager(payload: Uint8Array): void {
    const ringId = this.configuration;
    if (!ringId) return;
    this.send({ kind: "manager", ringId, incarnation: this.manager, payload });
  }

  private send(message: RingMessage): void {
    const guarantee = decidesVotes.has(message.kind) ? "safe" : "agreed";
    this.pending.push({ type: "send", payload: encodeRingMessage(message), guarantee });
  }

  /** Looks for options that differ between nodes; a difference is said once. */
  private compare(announced: ReadonlyMap<NodeId, Announcement>): void {
    const found = differences(this.options, announced);
    for (const { node, text } of found) {
      if (this.disagreements.some((known) => known.node === node && known.text === text)) continue;
      this.out.push({ type: "log", level: "warning", subsystem: "TOTEM", text: `node ${node} ${text}` });
    }
    this.disagreements = found;
  }
}

import { Quorum, type QuorumEffect, type QuorumEvent } from "../quorum/index.ts";
import type { Millis, NodeId } from "../terms/index.ts";
import {
  type ClusterKey,
  clusterKey,
  Links,
  type LinksEffect,
  type RingId,
  SEAL_BODY_OVERHEAD,
  Seal,
  type SealCipher,
  SingleRing,
  type TotemEffect,
  type TotemEvent,
  type TotemOptions,
  type TotemTimer,
} from "../totem/index.ts";
import { changeDigest, PendingChange } from "./ring-core-change.ts";
import type {
  RingCoreChange,
  RingCoreOptions,
  RingCoreStatus,
  RingEffect,
  RingEvent,
  RingMembership,
} from "./ring-core-face.ts";
import { KeyChange, type KeyEffect } from "./ring-core-keys.ts";
import { type MembershipChange, Participants, sameRing } from "./ring-core-participants.ts";
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

/**
 * The whole ring of one node: links, encryption, ordering and membership, participants, quorum. Pure: events with
 * the time go in, effects come out in order, so that the ring process and the simulator run the same thing.
 */
export class RingCore {
  private options: RingCoreOptions;
  private readonly self: NodeId;
  private readonly seal: Seal;
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
  /** Expected votes that an administrator asked for here and that were not delivered yet. */
  private wantedVotes:
    | { readonly id: number; readonly votes: number; readonly whileQuorate: boolean }
    | undefined;
  private requests = 0;
  private disagreements: readonly string[] = [];
  private readonly change = new PendingChange();
  private readonly keys: KeyChange;
  /** The key that a change leads to. */
  private nextKey: ClusterKey | undefined;
  private left = false;
  private readonly pending: TotemEvent[] = [];
  private out: RingEffect[] = [];

  /**
   * `salt`: eight random bytes, new at each start; the seal's nonces depend on them. `cipher`: AES-256-GCM unless
   * said otherwise.
   */
  constructor(options: RingCoreOptions, salt: Uint8Array, now: Millis, cipher?: SealCipher) {
    this.options = options;
    this.self = options.self;
    this.keys = new KeyChange(options.key, options.nextKey);
    this.nextKey = this.keys.alsoAccept.map(clusterKey)[0];
    this.seal = new Seal({
      self: options.self,
      peers: options.links.nodes.map(({ node }) => node),
      salt,
      key: clusterKey(options.key),
      alsoAccept: [
        ...(this.nextKey ? [this.nextKey] : []),
        ...(options.alsoAcceptKeys ?? []).map(clusterKey),
      ],
      ...(cipher && { cipher }),
    });
    this.links = new Links(options.self, this.seal, options.links, now);
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
      settled: this.participants.isSettled(),
      participants: this.participants.current(),
      backlogBytes: this.backlogBytes,
      disagreements: this.disagreements,
      changeWaitsFor: this.change.missing(this.participants.currentMembers()),
      keyChange: this.keyChangeStatus(),
    };
  }

  private dispatch(event: RingEvent, now: Millis): void {
    switch (event.type) {
      case "start":
        this.onQuorum(this.quorum.step(quorumStart(event), now), now);
        this.onLinks(this.links.start(now), now);
        this.pending.push({ type: "start", ringSequence: event.ringSequence });
        return;
      case "datagram":
        if (this.left) return;
        this.onLinks(this.links.datagram(event.link, event.address, event.data, now), now);
        if (this.keys.waits && this.nextKey && this.seal.openedWith === this.nextKey)
          this.onKeys(this.keys.heardNew());
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
        this.requests += 1;
        this.wantedVotes = {
          id: this.requests,
          votes: event.votes,
          whileQuorate: this.quorum.current().quorate,
        };
        this.askForVotes();
        return;
      case "set-keys":
        this.keys.replace(event.key);
        this.useKeys(event.key, event.alsoAccept);
        return;
      case "rekey":
        this.send({ kind: "key-new", key: event.key });
        return;
      case "key-stored":
        this.onKeys(this.keys.stored(event.digest));
        return;
      case "key-adopted":
        this.onKeys(this.keys.adopted(event.digest));
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
        this.onQuorum(this.quorum.step({ type: "leave" }, now), now);
        this.pending.push({ type: "leave" });
        return;
    }
  }

  private onTimer(timer: string, now: Millis): void {
    if (timer === "links:tick") {
      if (!this.left) this.onLinks(this.links.timer(now), now);
    } else if (timer === "quorum:last-man-standing") {
      this.onQuorum(this.quorum.step({ type: "timer" }, now), now);
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
        this.onLinks(this.links.transmit(effect.to, effect.data, now), now);
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
      this.out.push({ type: "log", level: "warning", subsystem: "CPG", text });
      return;
    }
    switch (message.kind) {
      case "manager":
        this.onManagerMessage(from, message);
        return;
      case "announcement": {
        const change = this.participants.onAnnouncement(from, message.announcement);
        if (change) this.onBarrier(change, now);
        return;
      }
      case "participant": {
        const change = this.participants.onParticipant(from, message.ringId, message.incarnation);
        if (change) this.announceMembership(change);
        return;
      }
      case "window-over":
        if (!this.participants.isSettled()) return;
        this.onQuorum(this.quorum.step({ type: "window-over", ringSequence: message.sequence }, now), now);
        return;
      case "set-expected":
        // Before the barrier it would be lost in the announcements: whoever asked asks again after it.
        if (!this.participants.isSettled()) return;
        if (from === this.self && this.wantedVotes?.id === message.id) this.wantedVotes = undefined;
        this.onQuorum(this.quorum.step({ type: "set-expected", expectedVotes: message.votes }, now), now);
        this.announceMembership(this.participants.onOtherChange());
        return;
      case "key-new":
      case "key-ready":
      case "key-switched":
        // Said again after the barrier, by all.
        if (!this.participants.isSettled()) return;
        this.onKeys(this.keys.deliver(from, message, this.participants.currentMembers()));
        return;
      case "prepared": {
        if (!this.participants.isSettled()) return;
        const members = this.participants.currentMembers();
        const inForce = changeDigest(this.options);
        const agreed = this.change.onPrepared(from, message.digest, members, inForce);
        if (agreed?.change) this.applyChange(agreed.change, now);
        if (agreed) this.announceMembership(this.participants.onOtherChange());
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
    const views = new Map([...announced].map(([node, { quorum }]) => [node, quorum]));
    const ringSequence = change.ringId.sequence;
    this.onQuorum(this.quorum.step({ type: "membership", ringSequence, views }, now), now);
    this.compare(announced);
    this.announceMembership(change);
    this.askForVotes();
    this.change.restart(announced);
    this.proposeChange();
    this.onKeys(this.keys.restart());
    // A manager that came or went between this node's announcement and now.
    if ((announced.get(this.self)?.manager ?? 0) !== this.manager) this.announceManager();
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

  private askForVotes(): void {
    const wanted = this.wantedVotes;
    if (!wanted || !this.participants.isSettled()) return;
    // Who lowers them without a quorum vouches for those that are not here; this administrator saw a quorum.
    if (wanted.whileQuorate && !this.quorum.current().quorate) {
      this.wantedVotes = undefined;
      const text = `expected votes are not set to ${wanted.votes}: the quorum was lost meanwhile; set them again if the missing nodes are off`;
      this.out.push({ type: "log", level: "warning", subsystem: "VOTEQ", text });
      return;
    }
    this.send({ kind: "set-expected", id: wanted.id, votes: wanted.votes });
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
    this.onLinks(this.links.reconfigure(this.options.links, now), now);
    this.onQuorum(this.quorum.step({ type: "reconfigure", options: this.options.quorum }, now), now);
    this.pending.push({
      type: "reconfigure",
      options: totemOptions(this.options),
      peers: peersOf(this.options),
    });
    this.out.push({ type: "reconfigured", change });
  }

  /** What a node may decide for itself, such as how often it pings. */
  private applyOwn(change: RingCoreChange, now: Millis): void {
    this.options = { ...this.options, ...change };
    this.onLinks(this.links.reconfigure(this.options.links, now), now);
    this.out.push({ type: "reconfigured", change });
  }

  private onKeys(effects: readonly KeyEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          this.send(effect.message);
          break;
        case "use":
          this.useKeys(effect.key, effect.alsoAccept);
          break;
        case "store":
          this.out.push({ type: "store-key", key: effect.key, digest: effect.digest });
          break;
        case "adopt":
          this.out.push({ type: "adopt-key", key: effect.key, digest: effect.digest });
          break;
        case "changed":
          this.out.push({ type: "key-changed", digest: effect.digest, nodes: effect.nodes });
          break;
      }
    }
  }

  private useKeys(key: Uint8Array, alsoAccept: readonly Uint8Array[]): void {
    const others = alsoAccept.map(clusterKey);
    this.nextKey = others[0];
    this.seal.setKeys(clusterKey(key), others);
  }

  private keyChangeStatus(): RingCoreStatus["keyChange"] {
    const digest = this.keys.changingTo;
    if (digest === undefined) return undefined;
    return { digest, waitsFor: this.keys.missing(this.participants.currentMembers()) };
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
    this.pending.push({ type: "send", payload: encodeRingMessage(message), guarantee: "agreed" });
  }

  private onLinks(effects: readonly LinksEffect[], _now: Millis): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          this.out.push(effect);
          break;
        case "set-timer":
          this.out.push({ type: "set-timer", timer: "links:tick", afterMs: effect.afterMs });
          break;
        case "receive":
          this.pending.push({ type: "datagram", from: effect.from, data: effect.data });
          break;
        case "lost":
          this.pending.push(effect);
          break;
        case "log":
          this.out.push({ type: "log", level: effect.level, subsystem: "KNET", text: effect.text });
          break;
      }
    }
  }

  private onQuorum(effects: readonly QuorumEffect[], _now: Millis): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "set-timer":
          this.out.push({ type: "set-timer", timer: "quorum:last-man-standing", afterMs: effect.afterMs });
          break;
        case "cancel-timer":
          this.out.push({ type: "cancel-timer", timer: "quorum:last-man-standing" });
          break;
        case "propose-window-over":
          this.send({ kind: "window-over", sequence: effect.ringSequence });
          break;
        case "persist": {
          const { expectedVotes, lastQuorate } = effect;
          this.out.push({ type: "persist-expected-votes", expectedVotes, lastQuorate });
          break;
        }
        case "state":
          this.out.push({ type: "quorum", state: effect.state });
          break;
        case "log":
          this.out.push({ type: "log", level: effect.level, subsystem: "VOTEQ", text: effect.text });
          break;
      }
    }
  }

  /** Looks for options that differ between nodes; a difference is said once. */
  private compare(announced: ReadonlyMap<NodeId, Announcement>): void {
    const own = new Map(this.options.agreement);
    const found: string[] = [];
    for (const [node, { agreement, configVersion }] of announced) {
      if (node === this.self) continue;
      const theirs = new Map(agreement);
      for (const name of new Set([...own.keys(), ...theirs.keys()])) {
        const here = own.get(name) ?? "not set";
        const there = theirs.get(name) ?? "not set";
        if (here !== there) found.push(`node ${node} has another ${name}: ${there} there, ${here} here`);
      }
      if (configVersion !== this.options.configVersion) {
        const here = this.options.configVersion;
        found.push(`node ${node} has another config_version: ${configVersion} there, ${here} here`);
      }
    }
    for (const text of found) {
      if (this.disagreements.includes(text)) continue;
      this.out.push({ type: "log", level: "warning", subsystem: "TOTEM", text });
    }
    this.disagreements = found;
  }
}

function quorumStart(event: Extract<RingEvent, { type: "start" }>): QuorumEvent {
  const { expectedVotes, lastQuorate } = event;
  return {
    type: "start",
    ...(expectedVotes === undefined ? {} : { expectedVotes }),
    ...(lastQuorate === undefined ? {} : { lastQuorate }),
  };
}

function peersOf(options: RingCoreOptions): NodeId[] {
  return options.links.nodes.map(({ node }) => node).filter((node) => node !== options.self);
}

/** The protocol's datagrams have to leave room for the seal. */
function totemOptions(options: RingCoreOptions): TotemOptions {
  const { totem, configVersion } = options;
  return { ...totem, configVersion, netmtu: totem.netmtu - SEAL_BODY_OVERHEAD };
}

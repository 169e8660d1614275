import { lookup, type Millis, type NodeId } from "../terms/index.ts";
import { canonicalAddress } from "./links-address.ts";
import type {
  LinkAddress,
  LinkDrop,
  LinkStatus,
  LinksEffect,
  LinksOptions,
  LinksStatus,
  Stranger,
  StrangerCause,
} from "./links-face.ts";
import { Flood } from "./links-flood.ts";
import { Liveness } from "./links-liveness.ts";
import { Strangers } from "./links-strangers.ts";
import {
  BODY_HEAD,
  BodyKind,
  bodyTarget,
  decodePing,
  decodePong,
  encodeHead,
  encodePing,
  encodePong,
} from "./links-wire.ts";
import { type Opened, type Seal, sameIncarnation } from "./seal.ts";

interface Path extends LinkAddress {
  readonly canonical: string;
  readonly priority: number;
  readonly liveness: Liveness;
}

interface Peer {
  readonly node: NodeId;
  /** By priority, best first. */
  paths: Path[];
  /** Whom it says it hears. */
  hears: readonly NodeId[];
  /** When the last link that was up went down. */
  lostAt: Millis;
  everUp: boolean;
  rotation: number;
  /** Answers of an unproven incarnation are asked for at most this often. */
  probedAt: Millis;
}

/** A timer this late means that the process did not run. */
const PAUSE_MS = 100;
/** Least time between two extra pings to the same unproven peer. */
const PROBE_MS = 5;

/**
 * What a datagram that was dropped may show: something about the node that is listed at its address, or, when it is
 * sealed with the cluster's key, a host where none is expected.
 */
const shown: Readonly<Partial<Record<LinkDrop, StrangerCause | "sealed">>> = lookup({
  "unlisted-address": "sealed",
  "wrong-address": "sealed",
  "unknown-sender": "sealed",
  misdirected: "sealed",
  own: "sealed",
  "unknown-key": "another-key",
  forged: "damaged",
  "bad-tag": "damaged",
  version: "another-version",
  foreign: "another-program",
});

/** Whether any way to a node is known to work. */
function isUp(peer: Peer): boolean {
  for (const path of peer.paths) if (path.liveness.up) return true;
  return false;
}

/**
 * The links between this node and its peers: chooses the way of each datagram, watches every link with pings, and
 * admits only authenticated datagrams of nodes that are heard both ways: a link that carries one way only is down on
 * both sides, so that the protocol above never has to do with somebody who cannot answer.
 */
export class Links {
  private readonly self: NodeId;
  private readonly seal: Seal;
  private options: LinksOptions;
  private readonly peers = new Map<NodeId, Peer>();
  /** Listed addresses of each link. */
  private readonly listed = new Map<number, Set<string>>();
  /** Whom this node hears both ways, ascending. */
  private heard: readonly NodeId[] = [];
  private heardSet: ReadonlySet<NodeId> = new Set();
  private readonly strangers = new Strangers();
  private readonly flood = new Flood();
  private tickedAt: Millis = 0;
  private tickAt = Number.POSITIVE_INFINITY;
  private readonly counters: Record<string, number> = { sent: 0, received: 0, pings: 0, pongs: 0 };
  private effects: LinksEffect[] = [];

  constructor(self: NodeId, seal: Seal, options: LinksOptions, now: Millis) {
    this.self = self;
    this.seal = seal;
    this.options = options;
    this.adopt(options, now);
  }

  /** Begins to ping. */
  start(now: Millis): LinksEffect[] {
    this.tick(now);
    return this.take();
  }

  /** Applies changed links, nodes or times; what stays the same keeps its state. */
  reconfigure(options: LinksOptions, now: Millis): LinksEffect[] {
    this.adopt(options, now);
    this.refresh(now);
    this.arm(now, now);
    return this.take();
  }

  /** The `tick` timer ran out. */
  timer(now: Millis): LinksEffect[] {
    const late = now - this.tickAt > PAUSE_MS;
    if (late)
      for (const peer of this.peers.values())
        for (const path of peer.paths) path.liveness.forgiveSilence(now);
    this.tick(now);
    return this.take();
  }

  /** Sends a protocol message to one node, or to every node that is heard. */
  transmit(to: NodeId | "all", data: Uint8Array, now: Millis): LinksEffect[] {
    const target = to === "all" ? 0 : to;
    if (to === "all" ? this.heard.length === 0 : !this.heardSet.has(to)) return [];
    const sealed = this.seal.seal(encodeHead(BodyKind.DATA, 255, target), data);
    if (to !== "all") this.sendTo(to, sealed, now);
    else for (const node of this.heard) this.sendTo(node, sealed, now);
    return this.take();
  }

  /** A datagram arrived on a link. `address` is the sender's IP address as text. */
  datagram(link: number, address: string, data: Uint8Array, now: Millis): LinksEffect[] {
    const from = canonicalAddress(address);
    const drop = this.receive(link, from, data, now);
    if (drop !== undefined) {
      this.count(drop);
      this.lookAt(drop, link, from, data, now);
      this.watchFlood(address, data, now);
    }
    return this.take();
  }

  /** Other keys are accepted now: what the kernel refuses is refused by them. */
  keysChanged(): LinksEffect[] {
    if (this.flood.refusing) this.refuseUnstamped();
    return this.take();
  }

  /** State and counters. Drop reasons are named `drop:<reason>`. */
  status(): LinksStatus {
    const links: LinkStatus[] = [];
    for (const peer of this.peers.values()) {
      for (const { link, address, liveness } of [...peer.paths].sort((a, b) => a.link - b.link)) {
        const { up, since, latencyMs, downs } = liveness;
        links.push({ node: peer.node, link, address, up, since, latencyMs, downs });
      }
    }
    const hears = new Map<NodeId, readonly NodeId[]>([[this.self, this.heard]]);
    for (const node of this.heard) hears.set(node, this.peers.get(node)?.hears ?? []);
    return { links, hears, strangers: this.strangers.current(this.tickedAt), counters: { ...this.counters } };
  }

  private take(): LinksEffect[] {
    const effects = this.effects;
    this.effects = [];
    return effects;
  }

  private count(drop: LinkDrop): void {
    const name = `drop:${drop}`;
    this.counters[name] = (this.counters[name] ?? 0) + 1;
  }

  private adopt(options: LinksOptions, now: Millis): void {
    const old = this.options;
    this.options = options;
    this.listed.clear();
    const byNumber = new Map(options.links.map((link) => [link.number, link]));
    const sameTimes = (number: number) => {
      const before = old.links.find((link) => link.number === number);
      const after = byNumber.get(number);
      return (
        before?.pingIntervalMs === after?.pingIntervalMs &&
        before?.pingTimeoutMs === after?.pingTimeoutMs &&
        before?.pongCount === after?.pongCount
      );
    };
    const wanted = new Set<NodeId>();
    for (const { node, addresses } of options.nodes) {
      if (node === this.self) continue;
      wanted.add(node);
      const known = this.peers.get(node);
      const paths: Path[] = [];
      for (const place of addresses) {
        const link = byNumber.get(place.link);
        if (!link) continue;
        const canonical = canonicalAddress(place.address);
        const listed = this.listed.get(place.link) ?? new Set();
        this.listed.set(place.link, listed.add(canonical));
        const same = known?.paths.find(
          (path) => path.link === place.link && path.canonical === canonical && path.port === place.port,
        );
        const liveness = same && sameTimes(place.link) ? same.liveness : new Liveness(link, now);
        paths.push({ ...place, canonical, priority: link.priority, liveness });
      }
      paths.sort((a, b) => b.priority - a.priority || a.link - b.link);
      if (known) known.paths = paths;
      else {
        this.peers.set(node, {
          node,
          paths,
          hears: [],
          lostAt: Number.NEGATIVE_INFINITY,
          everUp: false,
          rotation: 0,
          probedAt: Number.NEGATIVE_INFINITY,
        });
      }
    }
    for (const node of this.peers.keys()) if (!wanted.has(node)) this.peers.delete(node);
    this.seal.setPeers([...wanted]);
    this.strangers.clear();
    this.refresh(now);
  }

  private receive(link: number, address: string, data: Uint8Array, now: Millis): LinkDrop | undefined {
    if (this.options.blockUnlistedIps && !this.listed.get(link)?.has(address)) return "unlisted-address";
    const opened = this.seal.open(data, now);
    if (typeof opened === "string") return opened;
    const peer = this.peers.get(opened.from);
    if (!peer) return "unknown-sender";
    const path = peer.paths.find((candidate) => candidate.link === link);
    if (!path) return "unknown-link";
    if (path.canonical !== address) {
      if (this.options.blockUnlistedIps) return "wrong-address";
      // Its answers go to the listed address: if that is not its own, it never proves to be alive.
      if (!opened.proven) this.lookAt("wrong-address", link, address, data, now);
    }
    this.counters.received = (this.counters.received ?? 0) + 1;
    const { body } = opened;
    if (body.length < BODY_HEAD) return "malformed";
    const target = bodyTarget(body);
    if (target !== 0 && target !== this.self) return "misdirected";
    const rest = body.subarray(BODY_HEAD);
    switch (body[0]) {
      case BodyKind.DATA:
        return this.onData(peer, opened, rest, now);
      case BodyKind.PING:
        return this.onPing(peer, path, opened, rest, now);
      case BodyKind.PONG:
        return this.onPong(peer, path, opened, rest, now);
      default:
        return "malformed";
    }
  }

  /** A datagram was dropped: those of somebody without the key may be a flood. */
  private watchFlood(address: string, data: Uint8Array, now: Millis): void {
    if (this.seal.isStamped(data)) return;
    const change = this.flood.note(now);
    if (!change) return;
    this.refuseUnstamped();
    this.counters.floods = (this.counters.floods ?? 0) + 1;
    if (change === "begins")
      this.log(
        "warning",
        `a flood of datagrams without the cluster's key, the last one from ${address}: the kernel refuses such as long as it lasts`,
      );
  }

  private refuseUnstamped(): void {
    const keys = this.flood.refusing ? this.seal.stampKeys() : undefined;
    this.effects.push({ type: "refuse-unstamped", keys });
  }

  /** Who is ignored, and may belong to the cluster, is named: nothing else tells why a node does not get in. */
  private lookAt(drop: LinkDrop, link: number, address: string, data: Uint8Array, now: Millis): void {
    const known = shown[drop];
    if (known === undefined) return;
    if (known !== "sealed") {
      const node = this.unheardAt(link, address);
      if (node === undefined || !this.strangers.looks(drop, link, address, false, now)) return;
      this.noteStranger({ node, link, address, cause: known }, undefined, now);
      return;
    }
    if (!this.strangers.looks(drop, link, address, true, now)) return;
    const sender = this.seal.identify(data);
    if (!sender) return;
    const { from, counter } = sender;
    // What is for others and comes from a node that is heard was sent here by somebody in between.
    if (drop === "misdirected" && this.peers.get(from)?.paths.some(({ liveness }) => liveness.up)) return;
    const cause = this.causeOf(drop, from);
    this.noteStranger({ node: from, link, address, cause }, counter, now);
  }

  /** What is wrong with a sender that has the key. */
  private causeOf(drop: LinkDrop, from: NodeId): StrangerCause {
    if (from === this.self) return "claims-self";
    if (!this.peers.has(from)) return "unlisted-node";
    return drop === "misdirected" ? "calls-another" : "claims-node";
  }

  /** The node that is listed at an address and not heard there: anybody can send in the name of one that is. */
  private unheardAt(link: number, address: string): NodeId | undefined {
    for (const { node, paths } of this.peers.values())
      for (const path of paths)
        if (path.link === link && path.canonical === address) return path.liveness.up ? undefined : node;
    return undefined;
  }

  private noteStranger(stranger: Stranger, counter: number | undefined, now: Millis): void {
    const text = this.strangers.see(stranger, counter, now);
    if (text !== undefined) this.log("warning", text);
  }

  private onData(peer: Peer, opened: Opened, payload: Uint8Array, now: Millis): LinkDrop | undefined {
    if (!opened.proven) {
      this.probe(peer, now);
      return "unproven";
    }
    if (!this.heardSet.has(peer.node)) return "unreachable";
    this.effects.push({ type: "receive", from: peer.node, data: payload });
    return undefined;
  }

  private onPing(
    peer: Peer,
    path: Path,
    opened: Opened,
    rest: Uint8Array,
    now: Millis,
  ): LinkDrop | undefined {
    const hears = decodePing(rest);
    if (!hears) return "malformed";
    const { incarnation, counter } = opened;
    const sealed = this.seal.seal(
      encodeHead(BodyKind.PONG, path.link, peer.node),
      encodePong({ incarnation, counter }),
    );
    this.push(path, peer.node, sealed);
    if (!opened.proven) {
      this.probe(peer, now);
      return undefined;
    }
    // A peer that is there but not up yet is met halfway: it need not wait for the next interval.
    if (!path.liveness.up && now - peer.probedAt >= PROBE_MS && path.liveness.nextPingAt > now + PROBE_MS) {
      peer.probedAt = now;
      this.ping(peer, path, now);
      this.arm(now, path.liveness.nextPingAt);
    } else if (path.liveness.goesAlong(now)) {
      this.ping(peer, path, now);
      this.arm(now, path.liveness.nextPingAt);
    }
    peer.hears = hears;
    return undefined;
  }

  private onPong(
    peer: Peer,
    path: Path,
    opened: Opened,
    rest: Uint8Array,
    now: Millis,
  ): LinkDrop | undefined {
    const pong = decodePong(rest);
    if (!pong) return "malformed";
    if (!sameIncarnation(pong.incarnation, this.seal.incarnation)) return "stale-pong";
    if (!path.liveness.answered(pong.counter, now)) return opened.proven ? undefined : "stale-pong";
    this.counters.pongs = (this.counters.pongs ?? 0) + 1;
    if (!opened.proven) this.believe(peer, opened, now);
    if (path.liveness.comesUp(now)) {
      peer.everUp = true;
      this.log("info", `link ${path.link} to node ${peer.node} (${path.address}) is up`);
      this.refresh(now);
    }
    // Nothing is to be done when the answer would have been late: the process may sleep on.
    this.tickAt = Number.POSITIVE_INFINITY;
    this.arm(now, this.nextDeadline());
    return undefined;
  }

  private believe(peer: Peer, opened: Opened, now: Millis): void {
    const before = this.seal.provenIncarnation(peer.node);
    this.seal.prove(peer.node, opened.incarnation, opened.counter);
    this.counters.incarnations = (this.counters.incarnations ?? 0) + 1;
    if (before) this.log("notice", `node ${peer.node} has been started again`);
    for (const path of peer.paths) path.liveness.restarted(now);
  }

  /** Asks an incarnation that has not proved to be alive to do so. */
  private probe(peer: Peer, now: Millis): void {
    if (now - peer.probedAt < PROBE_MS) return;
    peer.probedAt = now;
    for (const path of peer.paths) this.ping(peer, path, now);
    this.tick(now);
  }

  private ping(peer: Peer, path: Path, now: Millis): void {
    const head = encodeHead(BodyKind.PING, path.link, peer.node);
    const sealed = this.seal.seal(head, encodePing(this.heard));
    path.liveness.pinged(this.seal.counter, now);
    this.counters.pings = (this.counters.pings ?? 0) + 1;
    this.push(path, peer.node, sealed);
  }

  private tick(now: Millis): void {
    this.tickedAt = now;
    let changed = false;
    for (const peer of this.peers.values()) {
      for (const path of peer.paths) {
        if (path.liveness.goesDown(now)) {
          changed = true;
          this.log("warning", `link ${path.link} to node ${peer.node} (${path.address}) is down`);
          if (!isUp(peer)) peer.lostAt = now;
        }
        if (path.liveness.isDue(now)) this.ping(peer, path, now);
      }
      if (this.lagEnd(peer) <= now) changed = true;
    }
    if (changed) this.refresh(now);
    const flood = this.flood.pass(now);
    if (flood === "pause") this.refuseUnstamped();
    if (flood === "ends") this.log("notice", "the flood of datagrams without the cluster's key is over");
    this.tickAt = Number.POSITIVE_INFINITY;
    this.arm(now, this.nextDeadline());
  }

  /** When the next ping is due, a link has to be given up, or a node that was lost counts as heard no more. */
  private nextDeadline(): Millis {
    let next = Number.POSITIVE_INFINITY;
    for (const peer of this.peers.values()) {
      for (const { liveness } of peer.paths)
        next = Math.min(next, liveness.nextPingAt, liveness.downAt() ?? next);
      next = Math.min(next, this.lagEnd(peer));
    }
    return next;
  }

  private arm(now: Millis, at: Millis): void {
    if (at >= this.tickAt || at === Number.POSITIVE_INFINITY) return;
    this.tickAt = Math.max(at, now + 1);
    this.effects.push({ type: "set-timer", timer: "tick", afterMs: this.tickAt - now });
  }

  /** When a node whose links are all down counts as heard no more; infinite for any other. */
  private lagEnd(peer: Peer): Millis {
    if (!peer.everUp || isUp(peer)) return Number.POSITIVE_INFINITY;
    return peer.lostAt + this.options.reachLagMs;
  }

  /** Recomputes whom this node hears. */
  private refresh(now: Millis): void {
    const heard: NodeId[] = [];
    for (const peer of this.peers.values()) {
      if (isUp(peer) || (peer.everUp && now < this.lagEnd(peer))) heard.push(peer.node);
      else peer.everUp = false;
    }
    const before = this.heard;
    this.heard = heard.sort((a, b) => a - b);
    this.heardSet = new Set(heard);
    for (const node of before) if (!this.heardSet.has(node)) this.effects.push({ type: "lost", node });
  }

  private sendTo(node: NodeId, sealed: Uint8Array, now: Millis): void {
    const peer = this.peers.get(node);
    if (!peer) return;
    for (const path of this.choose(peer, now)) this.push(path, node, sealed);
  }

  private choose(peer: Peer, now: Millis): readonly Path[] {
    const only = peer.paths[0];
    if (peer.paths.length < 2) return only ? [only] : [];
    const up = peer.paths.filter(({ liveness }) => liveness.up);
    // Nothing is known to work: the one that works again first is found by trying all.
    if (up.length === 0) return peer.paths;
    if (this.options.mode === "active") return up;
    const sure = up.filter(({ liveness }) => !liveness.isSuspect(now));
    const usable = sure.length > 0 ? sure : up;
    peer.rotation = (peer.rotation + 1) % usable.length;
    const chosen = usable[this.options.mode === "rr" ? peer.rotation : 0];
    return chosen ? [chosen] : [];
  }

  private push(path: Path, to: NodeId, data: Uint8Array): void {
    this.counters.sent = (this.counters.sent ?? 0) + 1;
    this.effects.push({ type: "send", link: path.link, to, address: path.address, port: path.port, data });
  }

  private log(level: "debug" | "info" | "notice" | "warning", text: string): void {
    this.effects.push({ type: "log", level, text });
  }
}

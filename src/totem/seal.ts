import type { KeyObject } from "node:crypto";
import type { Millis, NodeId } from "../terms/index.ts";
import { AES_256_GCM, type SealCipher, TAG } from "./seal-cipher.ts";
import { type ClusterKey, sendingKey } from "./seal-key.ts";
import { STAMPED, type StampKey, stampOf } from "./seal-stamp.ts";
import { Failures, UnprovenBudget } from "./seal-tries.ts";
import { ReplayWindow } from "./seal-window.ts";

/*
 * A sealed datagram:
 *
 *   0  u16  magic           authenticated, in clear
 *   2  u8   version
 *   3  u8   reserved, 0
 *   4  u16  key id
 *   6  u32  sender
 *  10  u64  incarnation: random, new at each start of the sender
 *  18  u48  counter: 1, 2, 3 … within the incarnation
 *  24  u32  stamp of what is before it: refuses what comes from somebody without the key before that costs anything
 *  28       body, encrypted
 *   …  16   tag of AES-256-GCM
 *
 * The nonce is the counter; the key belongs to cluster key, sender and incarnation alone. A receiver believes an
 * incarnation only after it has proved to be alive now: by answering a ping that names the receiver's own
 * incarnation and a counter that it has just used. A recording of an earlier incarnation can't do that, and
 * nothing has to survive a restart for it, not even on a node whose disk was replaced.
 */
const MAGIC = 0xc17e;
const VERSION = 2;
const HEADER = STAMPED + 4;
/** The first word of every datagram. */
export const SEAL_FIRST_WORD = MAGIC * 0x1_0000 + (VERSION << 8);
/** Bytes that sealing adds to a body. */
export const SEAL_OVERHEAD = HEADER + TAG;

/**
 * Why a datagram was not accepted by the seal. `forged`: its stamp was not made with the key; `too-many`: more of what has
 * not proved to be alive, or of copies with one counter, than is looked at.
 */
export type SealDrop =
  | "short"
  | "foreign"
  | "version"
  | "own"
  | "unknown-sender"
  | "unknown-key"
  | "forged"
  | "too-many"
  | "bad-tag"
  | "replay";

/** An authenticated datagram. */
export interface Opened {
  readonly from: NodeId;
  readonly incarnation: Incarnation;
  readonly counter: number;
  /** Whether the incarnation has proved to be alive. Until then only pings and pongs may be looked at. */
  readonly proven: boolean;
  readonly body: Uint8Array;
}

/** 64 random bits that name one start of a node's ring. */
export interface Incarnation {
  readonly high: number;
  readonly low: number;
}

/** What is known of one incarnation of a peer. */
interface Known {
  readonly incarnation: Incarnation;
  readonly window: ReplayWindow;
  /** Its keys, by position in `accepted`. */
  keys: (KeyObject | undefined)[];
  failures: Failures | undefined;
}

interface Peer {
  current: Known | undefined;
  /** One that has the key and has not proved to be alive. */
  candidate: Known | undefined;
  readonly budget: UnprovenBudget;
}

export interface SealInit {
  readonly self: NodeId;
  readonly peers: readonly NodeId[];
  /** Eight random bytes, new at each start. */
  readonly salt: Uint8Array;
  /** Key to seal with. */
  readonly key: ClusterKey;
  /** Further keys to accept, during a change of keys. */
  readonly alsoAccept?: readonly ClusterKey[];
  /** AES-256-GCM unless said otherwise; a simulation of thousands of clusters takes a cheaper one. */
  readonly cipher?: SealCipher;
}

/** Reads an incarnation from eight bytes. */
export function readIncarnation(bytes: Uint8Array, offset = 0): Incarnation {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { high: view.getUint32(offset), low: view.getUint32(offset + 4) };
}

/** Whether two incarnations are the same. */
export function sameIncarnation(a: Incarnation, b: Incarnation): boolean {
  return a.high === b.high && a.low === b.low;
}

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2);

/** Encrypts and authenticates this node's datagrams and opens those of its peers. */
export class Seal {
  readonly self: NodeId;
  readonly incarnation: Incarnation;
  /** Counter of the datagram sealed last. */
  counter = 0;
  /** The cluster key that the last datagram was opened with. */
  openedWith: ClusterKey | undefined;
  private key: ClusterKey;
  private ownKey: KeyObject;
  private accepted: readonly ClusterKey[];
  private readonly peers = new Map<NodeId, Peer>();
  private readonly cipher: SealCipher;
  private readonly nonce = Buffer.alloc(12);
  private readonly openNonce = Buffer.alloc(12);

  constructor(init: SealInit) {
    this.self = init.self;
    this.incarnation = readIncarnation(init.salt);
    this.cipher = init.cipher ?? AES_256_GCM;
    this.key = init.key;
    this.ownKey = sendingKey(init.key, init.self, this.incarnation.high, this.incarnation.low);
    this.accepted = [init.key, ...(init.alsoAccept ?? [])];
    this.setPeers(init.peers);
  }

  /** Adds and forgets peers; those that stay keep their state. */
  setPeers(peers: readonly NodeId[]): void {
    const wanted = new Set(peers.filter((peer) => peer !== this.self));
    for (const known of this.peers.keys()) if (!wanted.has(known)) this.peers.delete(known);
    for (const peer of wanted) {
      if (this.peers.has(peer)) continue;
      this.peers.set(peer, { current: undefined, candidate: undefined, budget: new UnprovenBudget() });
    }
  }

  /** Changes the key that is sealed with and the keys that are accepted beside it. Incarnations stay proven. */
  setKeys(key: ClusterKey, alsoAccept: readonly ClusterKey[]): void {
    this.key = key;
    this.ownKey = sendingKey(key, this.self, this.incarnation.high, this.incarnation.low);
    this.accepted = [key, ...alsoAccept];
    this.openedWith = undefined;
    for (const peer of this.peers.values()) {
      if (peer.current) peer.current.keys = [];
      peer.candidate = undefined;
    }
  }

  /** Encrypts a body given in two parts; a new datagram with the next counter. */
  seal(head: Uint8Array, rest: Uint8Array): Uint8Array {
    this.counter += 1;
    const out = Buffer.allocUnsafe(HEADER + head.length + rest.length + TAG);
    out.writeUInt16BE(MAGIC, 0);
    out.writeUInt16BE(VERSION << 8, 2);
    out.writeUInt16BE(this.key.id, 4);
    out.writeUInt32BE(this.self, 6);
    out.writeUInt32BE(this.incarnation.high, 10);
    out.writeUInt32BE(this.incarnation.low, 14);
    out.writeUIntBE(this.counter, 18, 6);
    out.writeUInt32BE(stampOf(this.key.stamp, out), STAMPED);
    this.nonce.writeUIntBE(this.counter, 6, 6);
    // One call into the cipher is cheaper than one more copy.
    out.set(head, HEADER);
    out.set(rest, HEADER + head.length);
    this.cipher.seal(this.ownKey, this.nonce, out, HEADER);
    return out;
  }

  /** Opens a datagram, or says why not; the cheapest refusal first. A sender's counter is used up by this. */
  open(data: Uint8Array, now: Millis): Opened | SealDrop {
    const refused = this.refuse(data);
    if (refused !== undefined) return refused;
    const from = u32(data, 6) as NodeId;
    if (from === this.self) return "own";
    const peer = this.peers.get(from);
    if (!peer) return "unknown-sender";
    const counter = u16(data, 18) * 0x1_0000_0000 + u32(data, 20);
    const high = u32(data, 10);
    const low = u32(data, 14);
    const is = (known: Known | undefined) =>
      known !== undefined && known.incarnation.high === high && known.incarnation.low === low;
    const proven = is(peer.current);
    const known = proven ? peer.current : is(peer.candidate) ? peer.candidate : undefined;
    if (known && !known.window.isFresh(counter)) return "replay";
    if (known?.failures?.mayTry(counter) === false) return "too-many";
    if (!proven && !peer.budget.take(low, known === undefined, now)) return "too-many";
    const sender = known ?? fresh({ high, low }, 0);
    const body = this.decrypt(data, from, sender);
    if (!body) {
      sender.failures ??= known && new Failures();
      sender.failures?.note(counter);
      return "bad-tag";
    }
    sender.window.mark(counter);
    // Only what was authenticated is remembered: forged headers can't push out a real candidate.
    if (!known) peer.candidate = sender;
    return { from, incarnation: sender.incarnation, counter, proven, body };
  }

  /** Whether a datagram was begun by somebody who has the key, at least: its header is no forgery. */
  isStamped(data: Uint8Array): boolean {
    return this.refuse(data) === undefined;
  }

  /** What tells headers of those who have the key from others. */
  stampKeys(): readonly StampKey[] {
    return this.accepted.map(({ stamp }) => stamp);
  }

  private refuse(data: Uint8Array): SealDrop | undefined {
    if (data.length < HEADER + TAG) return "short";
    if (u16(data, 0) !== MAGIC) return "foreign";
    if (u16(data, 2) !== VERSION << 8) return "version";
    const id = u16(data, 4);
    const stamp = u32(data, STAMPED);
    let why: SealDrop = "unknown-key";
    for (const cluster of this.accepted) {
      if (cluster.id !== id) continue;
      if (stampOf(cluster.stamp, data) === stamp) return undefined;
      why = "forged";
    }
    return why;
  }

  /**
   * Who sealed a datagram that was not accepted, if it was one with the cluster's key: also one that is not a peer, or has
   * this node's number. Changes nothing. Costs more than `open`: ask for it seldom.
   */
  identify(data: Uint8Array): { readonly from: NodeId; readonly counter: number } | undefined {
    if (this.refuse(data) !== undefined) return undefined;
    const from = u32(data, 6) as NodeId;
    if (
      from === this.self &&
      u32(data, 10) === this.incarnation.high &&
      u32(data, 14) === this.incarnation.low
    )
      return undefined;
    for (const cluster of this.accepted) {
      if (cluster.id !== u16(data, 4)) continue;
      const key = sendingKey(cluster, from, u32(data, 10), u32(data, 14));
      for (let byte = 0; byte < 6; byte++) this.openNonce[6 + byte] = data[18 + byte] ?? 0;
      if (!this.cipher.open(key, this.openNonce, data, HEADER)) continue;
      return { from, counter: u16(data, 18) * 0x1_0000_0000 + u32(data, 20) };
    }
    return undefined;
  }

  /**
   * Believes an incarnation from now on. The caller has seen it answer a challenge in the datagram `counter`;
   * that and everything sealed before it is not accepted any more.
   */
  prove(from: NodeId, incarnation: Incarnation, counter: number): void {
    const peer = this.peers.get(from);
    if (!peer) return;
    const { candidate } = peer;
    const known = candidate && sameIncarnation(candidate.incarnation, incarnation) ? candidate : undefined;
    peer.current = { ...fresh(incarnation, counter), ...(known && { keys: known.keys }) };
    peer.candidate = undefined;
  }

  /** The incarnation of a peer that has been proven, if any. */
  provenIncarnation(node: NodeId): Incarnation | undefined {
    return this.peers.get(node)?.current?.incarnation;
  }

  private decrypt(data: Uint8Array, from: NodeId, { incarnation, keys }: Known): Uint8Array | undefined {
    const id = u16(data, 4);
    for (let at = 0; at < this.accepted.length; at++) {
      const cluster = this.accepted[at];
      if (cluster === undefined || cluster.id !== id) continue;
      const key = keys[at] ?? sendingKey(cluster, from, incarnation.high, incarnation.low);
      for (let byte = 0; byte < 6; byte++) this.openNonce[6 + byte] = data[18 + byte] ?? 0;
      const body = this.cipher.open(key, this.openNonce, data, HEADER);
      if (!body) continue;
      keys[at] = key;
      this.openedWith = cluster;
      return body;
    }
    return undefined;
  }
}

const fresh = (incarnation: Incarnation, floor: number): Known => {
  return { incarnation, window: new ReplayWindow(floor), keys: [], failures: undefined };
};

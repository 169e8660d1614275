import type { NodeId } from "../../terms/index.ts";
import { type RingId, sameRing } from "../face.ts";
import type { Regular } from "./wire.ts";

/** Messages of one ring that a node can hold; a power of two. The window of the ring is far smaller. */
export const SLOTS = 4096;
const MASK = SLOTS - 1;

/**
 * One ring as one member sees it: who is in it, the messages that may still be asked for, and what the last token
 * visit left. Sequence numbers begin at 1 and are exact up to 2^53 (at a million messages a second: 285 years).
 */
export class Ring {
  readonly id: RingId;
  /** Ascending; the token goes this way. */
  readonly members: readonly NodeId[];
  readonly memberSet: ReadonlySet<NodeId>;
  readonly representative: boolean;
  readonly successor: NodeId;

  /** Everything up to here has been received. */
  aru = 0;
  /** Highest sequence number held. */
  high = 0;
  /** Everything up to here has been given to the application (or skipped, being a carrier of Recovery). */
  delivered = 0;
  /** Everything up to here has been thrown away; all members have it. */
  freed = 0;
  /** All members are known to have everything up to here. */
  safeUpTo = 0;

  /** Of the token's last visit: its hop, sequence, aru when forwarded, and aru when received. */
  lastHop = -1;
  lastSequence = -1;
  lastAru = 0;
  lastReceivedAru = -1;
  /** Visits in a row without a new message. */
  idle = 0;
  /** Visits in a row with the same aru that I hold down. */
  stuck = 0;
  sentLast = 0;
  backlogLast = 0;
  /**
   * Members to whom I have confirmed, in a Recovery that may then have failed, that I have everything of this ring:
   * they may have gone on, so I owe it to them to deliver the same (Totem, obligation set).
   */
  readonly obligation = new Set<NodeId>();

  /** Grow as the ring is used: most rings that are begun end without a message. */
  readonly #slots: (Regular | undefined)[] = [];
  /** Visits for which a hole has been seen. */
  readonly #misses: number[] = [];

  constructor(id: RingId, members: readonly NodeId[], self: NodeId) {
    this.id = id;
    this.members = members;
    this.memberSet = new Set(members);
    this.representative = members[0] === self;
    this.successor = members[(members.indexOf(self) + 1) % members.length] ?? self;
  }

  /** Whether this message belongs to this ring; `from`: the member from which it came, which need not be its sender. */
  owns(message: Regular, from: NodeId): boolean {
    return this.hears(from, message.ring);
  }

  /** Whether what came from this node names this ring, and the node is a member of it. */
  hears(from: NodeId, id: RingId): boolean {
    return sameRing(this.id, id) && this.memberSet.has(from);
  }

  is(id: RingId): boolean {
    return sameRing(this.id, id);
  }

  get(sequence: number): Regular | undefined {
    const message = this.#slots[sequence & MASK];
    return message?.sequence === sequence ? message : undefined;
  }

  /** Takes a message in. False when it is here already, was here, or lies beyond what can be held. */
  insert(message: Regular): boolean {
    const sequence = message.sequence;
    if (sequence <= this.freed || sequence > this.freed + SLOTS) return false;
    const index = sequence & MASK;
    if (this.#slots[index] !== undefined) return false;
    this.#slots[index] = message;
    this.#misses[index] = 0;
    if (sequence > this.high) this.high = sequence;
    while (this.#slots[(this.aru + 1) & MASK]?.sequence === this.aru + 1) this.aru++;
    return true;
  }

  /** Throws away what all have and what has been delivered here. */
  free(upTo: number): void {
    const end = Math.min(upTo, this.delivered);
    while (this.freed < end) {
      this.freed++;
      this.#slots[this.freed & MASK] = undefined;
    }
  }

  /**
   * Counts a visit for every hole up to `upTo` and appends to `requests` those that have been holes for more than
   * `patience` visits, until the list has `limit` entries (Totem, rtr list).
   */
  request(upTo: number, patience: number, requests: number[], limit: number): void {
    const end = Math.min(upTo, this.freed + SLOTS);
    for (let sequence = this.aru + 1; sequence <= end; sequence++) {
      const index = sequence & MASK;
      if (this.#slots[index] !== undefined) continue;
      const misses = (this.#misses[index] ?? 0) + 1;
      this.#misses[index] = Math.min(misses, 255);
      if (misses > patience && requests.length < limit && !requests.includes(sequence))
        requests.push(sequence);
    }
  }
}

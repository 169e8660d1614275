import {
  Allowance,
  type FrameConnection,
  type FrameOptions,
  type PeerCredentials,
} from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";
import { MESSAGE_MS, userLimits } from "./work.ts";

/** Connections of one user at a time. */
const MOST_CONNECTIONS = 64;
/** Requests of one user that wait for an answer. */
const MOST_ASKED = 64;
/** Largest request of a user: a configuration of some ten thousand elements. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Who was held is named for so long after it. */
const NAMED_MS: Millis = 60_000;

interface User {
  readonly allowance: Allowance;
  readonly connections: Set<FrameConnection>;
  /** Frames that were read before the connection was held. */
  readonly waiting: (() => Promise<void>)[];
  asked: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  held: boolean;
  heldAt: Millis;
  toldAt: Millis;
}

/** Nobody is kept from what is his: root, and whoever the daemon runs as, could end it anyway. */
const unlimited = (peer: PeerCredentials | undefined): boolean =>
  peer !== undefined && (peer.uid === 0 || peer.uid === process.getuid?.());

/** What a socket takes of a peer that is limited. */
export const userFrames = (peer: PeerCredentials | undefined): FrameOptions =>
  unlimited(peer) ? {} : { maxBody: MOST_BYTES, maxPending: 4 * MOST_BYTES };

/**
 * What the users of a socket may cost its process. Who may connect, and may be permitted nothing beyond that, could ask as
 * fast as he can over as many connections as he likes: all of them together get one share, and wait when it is used up.
 */
export class UserAllowances {
  /** By uid; -1 is whom the kernel did not tell. */
  readonly #users = new Map<number, User>();

  constructor(
    private readonly tell: (text: string) => void,
    private readonly now: () => Millis,
  ) {}

  /** A connection was made: it is ended where there are too many. */
  enter(connection: FrameConnection): void {
    if (unlimited(connection.peer)) return;
    const uid = uidOf(connection);
    const user = this.#user(uid);
    user.allowance.charge(MESSAGE_MS);
    if (user.connections.size >= MOST_CONNECTIONS) {
      this.#name(uid, user);
      connection.destroy();
      return;
    }
    user.connections.add(connection);
    if (user.held) connection.pause();
  }

  leave(connection: FrameConnection): void {
    this.#users.get(uidOf(connection))?.connections.delete(connection);
  }

  /** Deals with a request now, or when its user has something left. */
  take(connection: FrameConnection, bytes: number, answer: () => Promise<void>): void {
    if (unlimited(connection.peer)) {
      void answer();
      return;
    }
    const uid = uidOf(connection);
    const user = this.#user(uid);
    user.allowance.charge(0, bytes);
    user.waiting.push(answer);
    this.#go(uid, user);
  }

  /** Notes what answering costs. */
  charge(connection: FrameConnection, workMs: Millis, bytes = 0): void {
    if (!unlimited(connection.peer)) this.#user(uidOf(connection)).allowance.charge(workMs, bytes);
  }

  /** What people have to know. */
  warnings(): string[] {
    const now = this.now();
    return [...this.#users].filter(([, { heldAt }]) => now - heldAt < NAMED_MS).map(([uid]) => sentence(uid));
  }

  close(): void {
    for (const user of this.#users.values()) {
      clearTimeout(user.timer);
      user.waiting.length = 0;
    }
  }

  #go(uid: number, user: User): void {
    while (user.waiting.length > 0 && user.asked < MOST_ASKED && user.allowance.waitMs === 0) {
      const answer = user.waiting.shift();
      user.asked++;
      void answer?.().finally(() => {
        user.asked--;
        this.#go(uid, user);
      });
    }
    const waitMs = user.allowance.waitMs;
    const hold = user.waiting.length > 0 || waitMs > 0;
    clearTimeout(user.timer);
    if (waitMs > 0) user.timer = setTimeout(() => this.#go(uid, user), waitMs);
    if (hold) this.#name(uid, user);
    if (hold === user.held) return;
    user.held = hold;
    for (const connection of user.connections) {
      if (hold) connection.pause();
      else connection.resume();
    }
  }

  #name(uid: number, user: User): void {
    user.heldAt = this.now();
    if (user.heldAt - user.toldAt < NAMED_MS) return;
    user.toldAt = user.heldAt;
    this.tell(`${sentence(uid)}: it has to wait`);
  }

  #user(uid: number): User {
    const known = this.#users.get(uid);
    if (known) return known;
    for (const [other, { allowance, connections, asked, heldAt }] of this.#users)
      if (asked + connections.size === 0 && allowance.whole && this.now() - heldAt >= NAMED_MS)
        this.#users.delete(other);
    const user: User = {
      allowance: new Allowance(userLimits, this.now),
      connections: new Set(),
      waiting: [],
      asked: 0,
      timer: undefined,
      held: false,
      heldAt: Number.NEGATIVE_INFINITY,
      toldAt: Number.NEGATIVE_INFINITY,
    };
    this.#users.set(uid, user);
    return user;
  }
}

const uidOf = ({ peer }: FrameConnection): number => peer?.uid ?? -1;
const sentence = (uid: number) => `the user with uid ${uid} asks more than a user is answered`;

import { createHash } from "node:crypto";
import type { NodeId } from "../terms/index.ts";

/** What names a key without telling it: two nodes that say the same have the same key. */
export function keyDigest(key: Uint8Array): string {
  return createHash("sha256").update("hactl key digest").update(key).digest("hex").slice(0, 16);
}

/** Messages of a change of the key. They travel in the ring's order, encrypted like everything. */
export type KeyMessage =
  | { readonly kind: "key-new"; readonly key: Uint8Array }
  /** The sender has the key on disk and accepts it. */
  | { readonly kind: "key-ready"; readonly digest: string }
  /** The sender has made it its key and sends with it. */
  | { readonly kind: "key-switched"; readonly digest: string }
  /** The sender sends with a key that was brought to it, and waits to hear who else does. */
  | { readonly kind: "key-behind"; readonly digest: string };

/** What a change of the key asks for, in order. */
export type KeyEffect =
  | { readonly type: "send"; readonly message: KeyMessage }
  /** Seal with `key`, accept the others too. */
  | { readonly type: "use"; readonly key: Uint8Array; readonly alsoAccept: readonly Uint8Array[] }
  /** Write the new key beside the present one, durably, then answer with `stored`. */
  | { readonly type: "store"; readonly key: Uint8Array; readonly digest: string }
  /** Make it the key of the next start, durably, and keep the old one; then answer with `adopted`. */
  | { readonly type: "adopt"; readonly key: Uint8Array; readonly digest: string }
  /** All members use the new key alone. */
  | { readonly type: "changed"; readonly digest: string; readonly nodes: readonly NodeId[] };

interface Change {
  readonly key: Uint8Array;
  readonly digest: string;
  /** It was brought to the nodes by hand: it is never said to anybody, and nothing is under way before they switch. */
  readonly brought: boolean;
  stored: boolean;
  /** Whether this node sends with the new key. */
  switched: boolean;
  adopted: boolean;
  readonly ready: Set<NodeId>;
  readonly done: Set<NodeId>;
}

/**
 * Changes the cluster's key without an interruption, in three steps: all members store the new key and accept it;
 * when all have said so, each sends with it; when all have said that they do, the old one is accepted no more.
 *
 * Nobody sends with the new key before every member of his ring has it on disk. So whoever has it and hears a
 * datagram that was sealed with it may use it too: that is how a node that was restarted or cut off between the
 * steps finds its way. A node that was not there at all has to be given the key by hand.
 */
export class KeyChange {
  private current: Uint8Array;
  private change: Change | undefined;
  /** What somebody who is done here already wants next: it begins when the present change has come to its end. */
  private following: Change | undefined;

  /**
   * `next`: a key that was stored, but not adopted, when this node ended. `brought`: one that somebody has brought to it,
   * which others may have switched to meanwhile.
   */
  constructor(current: Uint8Array, next?: Uint8Array, brought?: Uint8Array) {
    this.current = current;
    if (next && keyDigest(next) !== keyDigest(current)) this.change = { ...newChange(next), stored: true };
    if (brought) this.bring(brought);
  }

  /** Whether members are about to change the key: not, when a key only lies ready. */
  get underWay(): boolean {
    return this.change !== undefined && !this.liesReady;
  }

  private get liesReady(): boolean {
    return this.change?.brought === true && !this.change.switched;
  }

  /** A key that was brought to this node: it is used when another who has it sends with it. */
  bring(key: Uint8Array): KeyEffect[] {
    if (this.underWay || keyDigest(key) === keyDigest(this.current)) return [];
    this.change = { ...newChange(key), brought: true, stored: true };
    return [{ type: "use", key: this.current, alsoAccept: [key] }];
  }

  /** All members have shown that they have this key. */
  switchTo(key: Uint8Array): KeyEffect[] {
    const { change } = this;
    return change?.brought && !change.switched && change.digest === keyDigest(key) ? this.switch(change) : [];
  }

  /** Whether a datagram that was sealed with the new key is a reason to use it. */
  get waits(): boolean {
    return this.change?.stored === true && !this.change.switched;
  }

  /** Keys to accept beside the present one. */
  get alsoAccept(): readonly Uint8Array[] {
    return this.change ? [this.change.key] : [];
  }

  /** Digest of the key that the cluster is changing to, if it is. */
  get changingTo(): string | undefined {
    return this.underWay ? this.change?.digest : undefined;
  }

  /** Members that have not done what the change waits for. */
  missing(members: readonly NodeId[]): NodeId[] {
    const { change } = this;
    if (!change || this.liesReady) return [];
    return members.filter((node) => !(change.switched ? change.done : change.ready).has(node));
  }

  /** Sets the key from outside: whatever was going on is over. */
  replace(key: Uint8Array): void {
    this.current = key;
    this.change = undefined;
    this.following = undefined;
  }

  /** A membership begins: who came does not know what was said before. */
  restart(): KeyEffect[] {
    const { change } = this;
    this.following = undefined;
    if (!change) return [];
    change.ready.clear();
    change.done.clear();
    if (change.brought && !change.switched) return [];
    const effects: KeyEffect[] = change.brought
      ? [say("key-behind", change.digest)]
      : [{ type: "send", message: { kind: "key-new", key: change.key } }];
    if (change.stored && !change.brought) effects.push(say("key-ready", change.digest));
    if (change.adopted) effects.push(say("key-switched", change.digest));
    return effects;
  }

  /** A message of a member was delivered. */
  deliver(from: NodeId, message: KeyMessage, members: readonly NodeId[]): KeyEffect[] {
    if (message.kind === "key-new") return this.onNew(message.key);
    if (message.kind === "key-behind") return this.onBehind(message.digest);
    const { change, following } = this;
    if (following?.digest === message.digest) following.ready.add(from);
    if (!change || message.digest !== change.digest) return [];
    change.ready.add(from);
    if (message.kind === "key-switched") change.done.add(from);
    return this.advance(members);
  }

  /** The new key is on disk. */
  stored(digest: string): KeyEffect[] {
    const { change } = this;
    if (!change || change.digest !== digest) return [];
    change.stored = true;
    return [say("key-ready", digest)];
  }

  /** The new key is this node's key on disk. */
  adopted(digest: string): KeyEffect[] {
    const { change } = this;
    if (!change || change.digest !== digest) return [];
    change.adopted = true;
    return [say("key-switched", digest)];
  }

  /** A datagram came that was sealed with the new key: all members of its sender's ring have it. */
  heardNew(): KeyEffect[] {
    return this.change && this.waits ? this.switch(this.change) : [];
  }

  private onNew(key: Uint8Array): KeyEffect[] {
    const digest = keyDigest(key);
    // A key that lies ready gives way: the old one has not leaked, or this is how an administrator wants it.
    const running = this.underWay ? this.change?.digest : undefined;
    if (digest === running) return [];
    // Somebody is behind: he waits to hear that the others are done.
    if (digest === keyDigest(this.current)) return [say("key-switched", digest)];
    // Two changes met when parts of the cluster merged: all take the same one. One that has begun to be used stays.
    if (this.change?.switched) {
      if ((this.following?.digest ?? "") < digest) this.following = newChange(key);
      return [];
    }
    return (running ?? "") > digest ? [] : this.begin(newChange(key));
  }

  /** Whoever waits to hear of it is told; who still has it ready takes it. */
  private onBehind(digest: string): KeyEffect[] {
    const { change } = this;
    if (change?.digest === digest) return this.liesReady ? this.switch(change) : [];
    return digest === keyDigest(this.current) ? [say("key-switched", digest)] : [];
  }

  private begin(change: Change): KeyEffect[] {
    this.change = change;
    return [
      { type: "use", key: this.current, alsoAccept: [change.key] },
      { type: "store", key: change.key, digest: change.digest },
    ];
  }

  private advance(members: readonly NodeId[]): KeyEffect[] {
    const { change } = this;
    if (!change || this.missing(members).length > 0) return [];
    if (!change.switched) return change.stored ? this.switch(change) : [];
    if (!change.adopted) return [];
    const { following } = this;
    this.current = change.key;
    this.change = undefined;
    this.following = undefined;
    return [
      { type: "use", key: this.current, alsoAccept: [] },
      { type: "changed", digest: change.digest, nodes: [...members] },
      // Who asked for it may have given it up for the one that has come about.
      ...(following
        ? [
            { type: "send", message: { kind: "key-new", key: following.key } } as const,
            ...this.begin(following),
          ]
        : []),
    ];
  }

  private switch(change: Change): KeyEffect[] {
    change.switched = true;
    return [
      { type: "use", key: change.key, alsoAccept: [this.current] },
      { type: "adopt", key: change.key, digest: change.digest },
    ];
  }
}

const say = (kind: "key-ready" | "key-switched" | "key-behind", digest: string): KeyEffect => {
  return { type: "send", message: { kind, digest } };
};

function newChange(key: Uint8Array): Change {
  return {
    key,
    digest: keyDigest(key),
    brought: false,
    stored: false,
    switched: false,
    adopted: false,
    ready: new Set(),
    done: new Set(),
  };
}

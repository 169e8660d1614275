import type { NodeId } from "../terms/index.ts";
import { type ClusterKey, clusterKey, Seal, type SealCipher } from "../totem/index.ts";
import { type BroughtEffect, type BroughtMessage, BroughtVote } from "./ring-core-brought.ts";
import type { RingCoreOptions, RingCoreStatus } from "./ring-core-face.ts";
import { KeyChange, type KeyEffect, type KeyMessage } from "./ring-core-keys.ts";

/** The seal with the keys that it uses and accepts, through a change of the cluster's key. */
export class KeyRing {
  readonly seal: Seal;
  private readonly change: KeyChange;
  private readonly vote: BroughtVote;
  private readonly derive: (key: Uint8Array) => ClusterKey;
  /** The key that a change leads to. */
  private next: ClusterKey | undefined;

  /** `salt`: eight random bytes, new at each start. `cipher`: AES-256-GCM unless said otherwise. */
  constructor(options: RingCoreOptions, salt: Uint8Array, cipher?: SealCipher) {
    this.derive = (key) => clusterKey(key, options.clusterName);
    this.change = new KeyChange(options.key, options.nextKey, options.broughtKey);
    this.vote = new BroughtVote(options.self);
    this.next = this.change.alsoAccept.map(this.derive)[0];
    this.seal = new Seal({
      self: options.self,
      peers: options.links.nodes.map(({ node }) => node),
      salt,
      key: this.derive(options.key),
      alsoAccept: [...(this.next ? [this.next] : []), ...(options.alsoAcceptKeys ?? []).map(this.derive)],
      ...(cipher && { cipher }),
    });
  }

  /** A datagram was opened: it may show that others use the new key already. */
  heard(): readonly KeyEffect[] {
    if (!this.change.waits || !this.next || this.seal.openedWith !== this.next) return [];
    return this.apply(this.change.heardNew());
  }

  /** A message of a member was delivered. */
  deliver(
    from: NodeId,
    message: KeyMessage | BroughtMessage,
    members: readonly NodeId[],
  ): readonly (KeyEffect | BroughtEffect)[] {
    switch (message.kind) {
      case "key-asked":
        return this.vote.asked(from, message.nonce);
      case "key-dropped":
        return this.dropped(from, message.nonce, members);
      case "key-proof": {
        const result = this.vote.proof(from, message.nonce, message.proof, members);
        return result instanceof Uint8Array ? this.apply(this.change.switchTo(result)) : result;
      }
      case "key-new":
        // Both can't be: the one that is first in the order is.
        return [...this.vote.giveUp([]), ...this.apply(this.change.deliver(from, message, members))];
      default:
        return this.apply(this.change.deliver(from, message, members));
    }
  }

  /** Who asked waits no longer. He is also told when his question got lost in a change of the membership. */
  private dropped(from: NodeId, nonce: string, members: readonly NodeId[]): readonly BroughtEffect[] {
    const effects = this.vote.dropped(nonce, members);
    if (effects.length > 0 || from !== this.seal.self || this.change.underWay) return effects;
    return [{ type: "brought-refused", refusal: { nonce, missing: [], differing: [], silent: [] } }];
  }

  /** What is in the file that somebody may have brought. While another change is under way it counts for nothing. */
  found(nonce: string, key: Uint8Array | undefined): readonly (KeyEffect | BroughtEffect)[] {
    const usable = this.change.underWay ? undefined : key;
    const effects = usable ? this.apply(this.change.bring(usable)) : [];
    return [...effects, ...this.vote.found(nonce, usable)];
  }

  /** The new key is on disk. */
  stored(digest: string): readonly KeyEffect[] {
    return this.apply(this.change.stored(digest));
  }

  /** The new key is this node's key on disk. */
  adopted(digest: string): readonly KeyEffect[] {
    return this.apply(this.change.adopted(digest));
  }

  /** A membership begins. */
  restart(): readonly (KeyEffect | BroughtEffect)[] {
    return [...this.vote.giveUp([]), ...this.apply(this.change.restart())];
  }

  /** Sets the keys from outside. */
  replace(key: Uint8Array, alsoAccept: readonly Uint8Array[]): void {
    this.change.replace(key);
    this.use(key, alsoAccept);
  }

  /** The change that is under way, and the members that it waits for. */
  status(members: readonly NodeId[]): RingCoreStatus["keyChange"] {
    const digest = this.change.changingTo;
    return digest === undefined ? undefined : { digest, waitsFor: this.change.missing(members) };
  }

  private apply(effects: readonly KeyEffect[]): readonly KeyEffect[] {
    for (const effect of effects) if (effect.type === "use") this.use(effect.key, effect.alsoAccept);
    return effects;
  }

  private use(key: Uint8Array, alsoAccept: readonly Uint8Array[]): void {
    const others = alsoAccept.map(this.derive);
    this.next = others[0];
    this.seal.setKeys(this.derive(key), others);
  }
}

import { createHmac, timingSafeEqual } from "node:crypto";
import type { NodeId } from "../terms/index.ts";

/** Messages of a change to a key that was brought to each node by hand: none of them carries it. */
export type BroughtMessage =
  /** All members are to show that they have the same key. `nonce`: 32 hexadecimal digits, new each time. */
  | { readonly kind: "key-asked"; readonly nonce: string }
  /** The sender has a key, and this is the proof; empty: it has none. */
  | { readonly kind: "key-proof"; readonly nonce: string; readonly proof: string }
  /** Who asked waits no longer. */
  | { readonly kind: "key-dropped"; readonly nonce: string };

/** Why a key that was brought is not used. */
export interface BroughtRefusal {
  readonly nonce: string;
  /** Members without the file. */
  readonly missing: readonly NodeId[];
  /** Members with another key in it than the node that was asked. */
  readonly differing: readonly NodeId[];
  /** Members that have not answered. */
  readonly silent: readonly NodeId[];
}

/** What a vote asks for. */
export type BroughtEffect =
  | { readonly type: "send"; readonly message: BroughtMessage }
  /** Read the file that was brought, then answer with `found`. */
  | { readonly type: "find-brought"; readonly nonce: string }
  | { readonly type: "brought-refused"; readonly refusal: BroughtRefusal };

interface Vote {
  readonly nonce: string;
  readonly asker: NodeId;
  key: Uint8Array | undefined;
  readonly proofs: Map<NodeId, string>;
}

/** Shows that a node has a key, to those who have it; tells nothing of it to others, and is good for this question alone. */
export function keyProof(key: Uint8Array, nonce: string, node: NodeId): string {
  return createHmac("sha256", key).update(`hactl key proof ${nonce} ${node}`).digest("hex");
}

const proves = (key: Uint8Array, nonce: string, node: NodeId, proof: string): boolean => {
  const wanted = Buffer.from(keyProof(key, nonce, node));
  const given = Buffer.from(proof);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
};

/**
 * Whether all members have the same new key, which somebody has brought to each of them: asked and answered in the ring's
 * order, so that all come to the same result at the same point of it. The key itself never travels: who listens
 * with the old key learns nothing.
 */
export class BroughtVote {
  private vote: Vote | undefined;

  constructor(private readonly self: NodeId) {}

  /** A member asks. A question before it that was not answered is given up. */
  asked(from: NodeId, nonce: string): BroughtEffect[] {
    const given = this.giveUp([]);
    this.vote = { nonce, asker: from, key: undefined, proofs: new Map() };
    return [...given, { type: "find-brought", nonce }];
  }

  /** What is in this node's file. */
  found(nonce: string, key: Uint8Array | undefined): BroughtEffect[] {
    if (this.vote?.nonce !== nonce) return [];
    this.vote.key = key;
    const proof = key ? keyProof(key, nonce, this.self) : "";
    return [{ type: "send", message: { kind: "key-proof", nonce, proof } }];
  }

  /** A member has answered. The key, when all members have shown that they have it. */
  proof(
    from: NodeId,
    nonce: string,
    proof: string,
    members: readonly NodeId[],
  ): readonly BroughtEffect[] | Uint8Array {
    const { vote } = this;
    if (vote?.nonce !== nonce) return [];
    vote.proofs.set(from, proof);
    if (members.some((node) => !vote.proofs.has(node))) return [];
    const { key } = vote;
    const all = key && members.every((node) => proves(key, nonce, node, vote.proofs.get(node) ?? ""));
    if (!all) return this.giveUp(members);
    this.vote = undefined;
    return key;
  }

  /** Whoever asked, or the order of messages, gives it up. */
  dropped(nonce: string, members: readonly NodeId[]): BroughtEffect[] {
    return this.vote?.nonce === nonce ? this.giveUp(members) : [];
  }

  /** Gives up what is being asked; who asked for it is told for whose sake. */
  giveUp(members: readonly NodeId[]): BroughtEffect[] {
    const { vote } = this;
    this.vote = undefined;
    if (vote?.asker !== this.self) return [];
    const { nonce, key, proofs } = vote;
    const of = (fits: (proof: string | undefined, node: NodeId) => boolean) =>
      members.filter((node) => fits(proofs.get(node), node));
    const refusal = {
      nonce,
      missing: of((proof) => proof === ""),
      differing: of((proof, node) => !!proof && !(key && proves(key, nonce, node, proof))),
      silent: of((proof) => proof === undefined),
    };
    return [{ type: "brought-refused", refusal }];
  }
}

import type { NodeId } from "../../terms/index.ts";
import type { TotemOptions } from "../face.ts";
import { Context } from "./context.ts";
import { Delivery } from "./delivery.ts";
import { digestOf } from "./digest.ts";
import type { Gather } from "./gather.ts";
import { Neighbours } from "./neighbours.ts";
import type { Recovery } from "./recovery.ts";
import { Ring } from "./ring.ts";
import type { Rotation, Source } from "./rotation.ts";
import { SendQueue } from "./send-queue.ts";
import { regularLimit } from "./size.ts";
import type { Commit } from "./wire.ts";

/** The four states of the protocol, each with what exists only in it, and the state before and after all. */
export type State =
  | { readonly name: "stopped" }
  | { readonly name: "gather"; readonly gather: Gather }
  | { readonly name: "commit"; readonly commit: Commit; readonly rotation: Rotation; readonly gather: Gather }
  | {
      readonly name: "recovery";
      readonly recovery: Recovery;
      readonly rotation: Rotation;
      readonly gather: Gather;
    }
  | { readonly name: "operational"; readonly rotation: Rotation };

/** What a node has before its first ring; no ring has the sequence 0. */
export const noRing = (self: NodeId): Ring =>
  new Ring({ representative: self, sequence: 0, memberDigest: digestOf([self]) }, [self], self);

/** What the handlers of the states share. */
export class Core {
  readonly context: Context;
  readonly neighbours: Neighbours;
  readonly delivery: Delivery;
  /** The application's messages. */
  readonly queue = new SendQueue();
  readonly source: Source;
  /** Bytes of an ordered message. */
  limit: number;
  state: State = { name: "stopped" };
  /** The installed ring, or outside Operational the last one; sequence 0 before the first. */
  ring: Ring;
  /** Highest ring sequence known. */
  highest = 0;

  constructor(self: NodeId, peers: readonly NodeId[], options: TotemOptions) {
    this.context = new Context(self, peers, options);
    this.neighbours = new Neighbours(this.context);
    this.delivery = new Delivery(this.context);
    this.limit = regularLimit(options);
    this.ring = noRing(self);
    this.source = {
      backlog: () => this.queue.backlog(this.limit),
      next: (sequence) => this.queue.pack(self, this.ring.id, sequence, this.limit),
    };
  }
}

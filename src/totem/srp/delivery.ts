import type { NodeId } from "../../terms/index.ts";
import { Assembly } from "./assembly.ts";
import type { Context } from "./context.ts";
import type { Ring } from "./ring.ts";
import type { SendQueue } from "./send-queue.ts";
import type { Regular } from "./wire.ts";

/** Gives messages to the application in the ring's order. */
export class Delivery {
  readonly #context: Context;
  readonly #assembly = new Assembly();

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Operational: everything up to the first hole or the first safe message that somebody may lack. Carriers of
   * Recovery are passed over; their contents belong to the old ring.
   */
  inOrder(ring: Ring): void {
    for (let message = ring.get(ring.delivered + 1); message; message = ring.get(ring.delivered + 1)) {
      if (message.safe && message.sequence > ring.safeUpTo) return;
      ring.delivered++;
      if (!message.encapsulated) this.#deliver(ring, message);
    }
  }

  /** Recovery: carriers are done with at once, so that their slots can be used again. */
  skipCarriers(ring: Ring): void {
    while (ring.get(ring.delivered + 1)?.encapsulated) ring.delivered++;
  }

  /**
   * End of a ring, first part: what still belongs to its regular configuration. `reached` is the highest number that
   * any survivor has delivered, so all survivors stop at the same message: a hole or a safe message above it.
   */
  finishRegular(ring: Ring, reached: number): void {
    for (let message = ring.get(ring.delivered + 1); message; message = ring.get(ring.delivered + 1)) {
      if (message.safe && message.sequence > reached) return;
      ring.delivered++;
      if (!message.encapsulated) this.#deliver(ring, message);
    }
  }

  /**
   * End of a ring, second part, in the transitional configuration: all the rest. Behind a hole (a message that no
   * survivor has, so nobody here can depend on it) only messages of `creditors`: what others sent there may depend
   * on the missing one.
   */
  finishTransitional(ring: Ring, creditors: ReadonlySet<NodeId>): void {
    let hole = false;
    for (let sequence = ring.delivered + 1; sequence <= ring.high; sequence++) {
      const message = ring.get(sequence);
      ring.delivered = sequence;
      if (!message) hole = true;
      else if (message.encapsulated) continue;
      else if (!hole || creditors.has(message.sender)) {
        this.#deliver(ring, message);
      } else this.#context.counters.lostInRecovery++;
    }
    this.#assembly.clear();
  }

  /** A ring of one node: nobody else has to agree. */
  alone(ring: Ring, queue: SendQueue): void {
    for (let item = queue.shift(); item; item = queue.shift()) {
      const sequence = ring.high + 1;
      ring.high = ring.aru = ring.delivered = ring.freed = ring.safeUpTo = sequence;
      this.#emit(ring, this.#context.self, sequence, item.payload);
    }
  }

  #deliver(ring: Ring, message: Regular): void {
    this.#assembly.feed(message, (payload) => this.#emit(ring, message.sender, message.sequence, payload));
  }

  #emit(ring: Ring, from: NodeId, sequence: number, payload: Uint8Array): void {
    this.#context.counters.delivered++;
    this.#context.out.push({ type: "deliver", from, payload, ringId: ring.id, sequence });
  }
}

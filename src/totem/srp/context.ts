import type { Millis, NodeId } from "../../terms/index.ts";
import type { TotemEffect, TotemOptions, TotemTimer } from "../face.ts";
import { type Counters, newCounters } from "./counters.ts";
import { digestOf } from "./digest.ts";
import { fragment } from "./fragments.ts";
import { datagramLimit } from "./size.ts";
import { Timers } from "./timers.ts";
import type { Stamp } from "./wire.ts";

type LogLevel = Extract<TotemEffect, { type: "log" }>["level"];

/** What the parts of the protocol share during a step: who I am, the time, the effects so far. */
export class Context {
  readonly self: NodeId;
  options: TotemOptions;
  peers: ReadonlySet<NodeId>;
  now: Millis = 0;
  out: TotemEffect[] = [];
  readonly counters: Counters = newCounters();
  readonly timers = new Timers();

  /** What others must have alike; see `configure`. */
  stamp: Stamp;
  /** Bytes that a datagram may have. */
  #limit: number;

  constructor(self: NodeId, peers: readonly NodeId[], options: TotemOptions) {
    this.self = self;
    this.options = options;
    this.peers = new Set(peers.filter((id) => id !== self));
    this.stamp = this.#stampOf();
    this.#limit = datagramLimit(options);
  }

  /** New constants and configured nodes. */
  configure(options: TotemOptions, peers: readonly NodeId[]): void {
    this.options = options;
    this.peers = new Set(peers.filter((id) => id !== this.self));
    this.stamp = this.#stampOf();
    this.#limit = datagramLimit(options);
  }

  #stampOf(): Stamp {
    return { version: this.options.configVersion ?? 0, nodes: digestOf([...this.peers, this.self]) };
  }

  /** Sends a protocol data unit, in pieces where it is too long. Nothing goes out when there is nobody to send to. */
  transmit(to: NodeId | "all", data: Uint8Array): void {
    if (to === this.self || (to === "all" && this.peers.size === 0)) return;
    if (data.length <= this.#limit) this.out.push({ type: "transmit", to, data });
    else
      for (const piece of fragment(data, this.#limit)) this.out.push({ type: "transmit", to, data: piece });
  }

  log(level: LogLevel, text: string): void {
    this.out.push({ type: "log", level, text });
  }

  arm(timer: TotemTimer, afterMs: Millis): void {
    this.timers.arm(timer, this.now, afterMs, this.out);
  }

  disarm(timer: TotemTimer): void {
    this.timers.disarm(timer);
  }

  /** Stops the driver's timer too; for what happens a few times a second, not at every token of a busy ring. */
  cancel(timer: TotemTimer): void {
    this.timers.cancel(timer, this.out);
  }
}

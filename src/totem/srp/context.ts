import type { Millis, NodeId } from "../../terms/index.ts";
import type { TotemEffect, TotemOptions, TotemTimer } from "../face.ts";
import { type Counters, newCounters } from "./counters.ts";
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

  /** The digest is FNV-1a over the ascending ids: a check against mistakes, not against an adversary. */
  #stampOf(): Stamp {
    let nodes = 0x811c9dc5;
    for (const id of [...this.peers, this.self].sort((a, b) => a - b)) {
      for (let shift = 0; shift < 32; shift += 8)
        nodes = Math.imul(nodes ^ ((id >>> shift) & 255), 0x01000193);
    }
    return { version: this.options.configVersion ?? 0, nodes: nodes >>> 0 };
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

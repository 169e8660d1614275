import type { Millis, NodeId } from "../../terms/index.ts";
import type { TotemEffect, TotemOptions, TotemTimer } from "../face.ts";
import { type Counters, newCounters } from "./counters.ts";
import { Timers } from "./timers.ts";

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

  constructor(self: NodeId, peers: readonly NodeId[], options: TotemOptions) {
    this.self = self;
    this.options = options;
    this.peers = new Set(peers.filter((id) => id !== self));
  }

  /** Nothing goes out when there is nobody to send to. */
  transmit(to: NodeId | "all", data: Uint8Array): void {
    if (to === this.self || (to === "all" && this.peers.size === 0)) return;
    this.out.push({ type: "transmit", to, data });
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
}

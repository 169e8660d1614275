import type { Millis } from "../terms/index.ts";
import type { ExecutorConfig } from "./config.ts";
import type { Outbox } from "./effects.ts";
import { decayOwnLoad, type LoadSample, type Throttle, throttle } from "./throttle.ts";

const DEFAULT_THRESHOLD = 80;
/** How old the reading may get that people see of a host that is limited: what decides is the mode, which is told at once. */
const TELL_AGAIN_MS = 60_000;

/** The load of the host, our own part of it, and the number of jobs that follows. */
export class LoadMeter {
  readonly #config: ExecutorConfig;
  readonly #out: Outbox;
  #nodeActionLimit = 0;
  #threshold = DEFAULT_THRESHOLD;
  #sample: LoadSample = { loadavg1: 0 };
  #own = 0;
  #ownAt: Millis = 0;
  #throttle: Throttle;
  /** What was told last, and when. */
  #told: { readonly reason: string; readonly at: Millis } = { reason: "", at: 0 };

  constructor(config: ExecutorConfig, out: Outbox) {
    this.#config = config;
    this.#out = out;
    this.#throttle = { mode: "none", jobs: this.limit, reason: "" };
  }

  /** Jobs at a time when nothing throttles: PCMK_node_action_limit, node-action-limit, or twice the cores. */
  get limit(): number {
    return this.#set || 2 * this.#config.cores;
  }

  /** A limit that somebody set counts every job; the computed one only those that still use the processor. */
  get strict(): boolean {
    return this.#set > 0;
  }

  get throttle(): Throttle {
    return this.#throttle;
  }

  /** What a following executor needs to know. */
  get settings(): { readonly nodeActionLimit: number; readonly loadThreshold: number } {
    return { nodeActionLimit: this.#nodeActionLimit, loadThreshold: this.#threshold };
  }

  get #set(): number {
    return this.#config.nodeActionLimit || this.#nodeActionLimit;
  }

  /** Takes cluster properties; what is absent stays as it is. */
  configure(
    settings: { readonly nodeActionLimit?: number; readonly loadThreshold?: number },
    running: number,
    mono: Millis,
  ): void {
    this.#nodeActionLimit = settings.nodeActionLimit ?? this.#nodeActionLimit;
    this.#threshold = settings.loadThreshold ?? this.#threshold;
    this.#rate(running, mono);
  }

  /** Takes a reading of the host. */
  sample(sample: LoadSample, running: number, mono: Millis): void {
    this.#sample = sample;
    this.#rate(running, mono);
  }

  /** The number of our own running agents was `running` until now. */
  count(running: number, mono: Millis): void {
    this.#own = decayOwnLoad(this.#own, running, mono - this.#ownAt);
    this.#ownAt = mono;
  }

  #rate(running: number, mono: Millis): void {
    this.count(running, mono);
    const before = this.#throttle;
    this.#throttle = throttle(this.#sample, this.#own, this.#config.cores, this.#threshold, this.limit);
    const { mode, jobs, reason } = this.#throttle;
    const isSame = before.mode === mode && before.jobs === jobs;
    if (isSame && (reason === this.#told.reason || mono - this.#told.at < TELL_AGAIN_MS)) return;
    const because = reason === "" ? "" : `: ${reason}`;
    if (!isSame) this.#out.log("debug", "LOAD_MODE", `load ${mode}, ${jobs} jobs at a time${because}`);
    this.#told = { reason, at: mono };
    this.#out.emit({ type: "load", ...this.#throttle });
  }
}

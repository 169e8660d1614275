import type { ExecutorEvent, ExecutorRequest } from "../../src/executor/index.ts";
import type { Clock } from "./clock.ts";

type Word<T> = { readonly said: T } | "closed";

/** One direction of a stream: in order, with a delay; waits while the way is cut. */
class Direction<T> {
  private readonly words: { readonly word: Word<T>; readonly at: number }[] = [];
  private cancel: (() => void) | undefined;
  private deaf = false;

  constructor(
    private readonly clock: Clock,
    private readonly options: ChannelOptions,
    private readonly hear: (said: T) => void,
    private readonly end: () => void,
  ) {}

  say(word: Word<T>): void {
    if (this.deaf) return;
    const at = Math.max(this.clock.now + this.options.delay(), this.words.at(-1)?.at ?? 0);
    this.words.push({ word, at });
    if (this.words.length === 1) this.expect();
  }

  /** Whoever listened is not there any more. */
  stop(): void {
    this.deaf = true;
    this.cancel?.();
  }

  private expect(): void {
    const next = this.words[0];
    if (!next || this.deaf) return;
    this.cancel = this.clock.after(next.at - this.clock.now, () => this.arrive());
  }

  private arrive(): void {
    if (!this.options.open()) {
      this.cancel = this.clock.after(100, () => this.arrive());
      return;
    }
    const { word } = this.words.shift() ?? { word: "closed" };
    if (word === "closed") {
      this.stop();
      this.end();
      return;
    }
    this.hear(word.said);
    this.expect();
  }
}

export interface ChannelOptions {
  readonly delay: () => number;
  /** Whether the way between both is open now. */
  readonly open: () => boolean;
}

export interface ExecutorEnd {
  request(request: ExecutorRequest): void;
  closed(): void;
}

export interface ManagerEnd {
  event(event: ExecutorEvent): void;
  closed(reason: string): void;
}

/** A stream between a manager and an executor. Whoever dies closes its end: what it said before still arrives. */
export class Channel {
  private readonly requests: Direction<ExecutorRequest>;
  private readonly events: Direction<ExecutorEvent>;

  constructor(clock: Clock, options: ChannelOptions, executor: ExecutorEnd, manager: ManagerEnd) {
    this.requests = new Direction(
      clock,
      options,
      (request) => executor.request(request),
      () => executor.closed(),
    );
    this.events = new Direction(
      clock,
      options,
      (event) => manager.event(event),
      () => manager.closed("closed"),
    );
  }

  toExecutor(request: ExecutorRequest): void {
    this.requests.say({ said: request });
  }

  toManager(event: ExecutorEvent): void {
    this.events.say({ said: event });
  }

  /** The manager has closed it, or has died. */
  closeManager(): void {
    this.events.stop();
    this.requests.say("closed");
  }

  /** The executor has closed it, or has died. */
  closeExecutor(): void {
    this.requests.stop();
    this.events.say("closed");
  }

  /** The host is off: nobody says a word any more, not even goodbye. */
  silence(): void {
    this.requests.stop();
    this.events.stop();
  }
}

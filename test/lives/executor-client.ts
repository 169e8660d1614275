import type { ExecutorEvent, ExecutorRequest } from "../../src/executor/index.ts";
import { Channel } from "./channel.ts";
import { Timers } from "./clock.ts";
import type { ExecutorProcess } from "./executor-process.ts";
import type { Host } from "./host.ts";

export interface ExecutorClientOptions {
  /** The manager's host, and the executor's. */
  readonly from: Host;
  readonly to: Host;
  readonly onEvent: (event: ExecutorEvent) => void;
  readonly onState: (state: { readonly up: boolean; readonly reason: string }) => void;
  readonly silenceMs?: number;
  /** Does something now, or when the process gets to it. */
  readonly whenRunning: (run: () => void) => void;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 500;
const PING_MS = 2000;
const SILENCE_MS = 10_000;

/** A manager's connection to an executor, tried again and again: what `ExecutorClient` of the remote room does. */
export class ExecutorClient {
  private readonly timers: Timers;
  private channel: Channel | undefined;
  private registered = false;
  private closed = false;
  private wait = FIRST_WAIT_MS;
  private heardAt = 0;
  private requests = 0;
  private readonly pongs = new Map<number, (alive: boolean) => void>();

  constructor(private readonly options: ExecutorClientOptions) {
    this.timers = new Timers(options.from.world.clock);
  }

  get up(): boolean {
    return this.registered;
  }

  start(): void {
    const { world } = this.options.from;
    this.connectAfter(world.random.unit() * 3);
  }

  /** `false`: there is no connection. */
  send(request: ExecutorRequest): boolean {
    if (!this.registered || !this.channel) return false;
    this.channel.toExecutor(request);
    return true;
  }

  ping(timeoutMs: number, answer: (alive: boolean) => void): void {
    const requestId = ++this.requests;
    if (!this.send({ type: "ping", requestId })) return answer(false);
    const done = (alive: boolean) => {
      this.pongs.delete(requestId);
      this.timers.cancel(`ping ${requestId}`);
      answer(alive);
    };
    this.timers.set(`ping ${requestId}`, timeoutMs, () => done(false));
    this.pongs.set(requestId, done);
  }

  close(): void {
    this.closed = true;
    this.timers.clear();
    this.channel?.closeManager();
    this.lost("closed");
  }

  /** The manager's process is gone, with its connections. */
  die(): void {
    this.closed = true;
    this.timers.clear();
    this.pongs.clear();
    if (this.options.from.powered) this.channel?.closeManager();
    else this.channel?.silence();
  }

  private connectAfter(ms: number): void {
    this.timers.set("connect", ms, () =>
      this.options.whenRunning(() => {
        if (!this.closed && !this.channel) this.connect();
      }),
    );
  }

  private connect(): void {
    const { from, to } = this.options;
    const { world } = from;
    const { executor } = to;
    if (!executor?.alive || !from.reaches(to)) return this.down("cannot be reached");
    const local = from === to;
    const channel: Channel = new Channel(
      world.clock,
      {
        open: () => local || from.reaches(to),
        delay: () => (world.random.chance(0.03) ? world.random.between(2, 30) : world.random.unit()),
      },
      {
        request: (request) => executor.request(channel, request),
        closed: () => executor.closed(channel),
      },
      {
        event: (event) =>
          this.options.whenRunning(() => {
            if (channel === this.channel) this.event(event);
          }),
        closed: (reason) =>
          this.options.whenRunning(() => {
            if (channel === this.channel) this.lost(reason);
          }),
      },
    );
    executor.accept(channel);
    this.channel = channel;
    this.heardAt = world.clock.now;
    if (!local) this.watch(executor, channel);
    channel.toExecutor({ type: "register", client: `manager of ${from.name}`, version: 1 });
  }

  /** A host that is gone says nothing, not even that it is gone. */
  private watch(executor: ExecutorProcess, channel: Channel): void {
    const { from, to } = this.options;
    const { clock } = from.world;
    this.timers.set("watch", PING_MS, () => {
      const heard = from.reaches(to) && executor.alive;
      // A host that has been booted since knows nothing of this connection, and says so.
      const refused = from.reaches(to) && !executor.alive;
      if (heard) this.heardAt = clock.now;
      if (!refused && clock.now - this.heardAt <= (this.options.silenceMs ?? SILENCE_MS))
        return this.watch(executor, channel);
      channel.closeManager();
      this.lost(refused ? "reset" : "silence");
    });
  }

  private event(event: ExecutorEvent): void {
    this.heardAt = this.options.from.world.clock.now;
    if (event.type === "pong") this.pongs.get(event.requestId)?.(true);
    if (event.type === "registered" && !this.registered) {
      this.registered = true;
      this.wait = FIRST_WAIT_MS;
      this.options.onState({ up: true, reason: "" });
    }
    this.options.onEvent(event);
  }

  private lost(reason: string): void {
    this.timers.cancel("watch");
    const was = this.registered;
    this.channel = undefined;
    this.registered = false;
    // Who waits for a sign of life hears of it after who has the connection.
    const waiting = [...this.pongs.values()];
    if (!this.closed) this.down(reason);
    else if (was) this.options.onState({ up: false, reason });
    for (const answer of waiting) answer(false);
  }

  private down(reason: string): void {
    this.options.onState({ up: false, reason });
    if (this.closed) return;
    this.connectAfter(this.wait);
    this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
  }
}

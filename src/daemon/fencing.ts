import type { XmlElement } from "../cib/index.ts";
import {
  type DeviceAnswer,
  type DeviceQuestion,
  type FenceDeviceInfo,
  type FenceProgress,
  type FenceRequest,
  type FenceResult,
  Fencer,
  type FencerEffect,
  type FencerEvent,
  type FencerMembership,
  type FencerMessage,
  type FenceTestRow,
  problemsOf,
  type Registration,
} from "../fencer/index.ts";
import { LONGEST_TIMER_MS, monotonicMs, wallSeconds } from "../platform/index.ts";
import { CrmExit, HactlError, type Millis, type NodeName, nodeName } from "../terms/index.ts";
import type { AdminRequest } from "./admin-protocol.ts";
import {
  complaints,
  type FenceDirectories,
  fenceDirectories,
  fetchFenceMetadata,
  runFenceAgent,
} from "./fence-agents.ts";
import type { FenceRuns } from "./fence-runs.ts";

/** How long a confirmation may take to come round: it takes no longer than a change of the membership. */
const confirmPatienceMs: Millis = 60_000;

/** What the manager gives to its fencing. */
export interface FencingOptions {
  readonly self: NodeName;
  /** Time in which the ring notices a silent node: token + consensus. */
  readonly detectionMs: Millis;
  readonly directories?: FenceDirectories;
  /** What managers before this one have begun, and where those after it learn what this one begins. */
  readonly runs?: FenceRuns;
  /** Sends to all managers, this one included, in the ring's order; arrives at `message`. */
  readonly broadcast: (message: FencerMessage) => void;
  /** A request ended; on every node that knew it. `told`: a message that all managers receive says so, too. */
  readonly onResult: (result: FenceResult, told: boolean) => void;
  /** The history has a new entry. */
  readonly onHistory?: (entry: FenceResult) => void;
  readonly log: (level: "debug" | "info" | "notice" | "warning" | "error", text: string) => void;
}

/** Answer to `fence.history`. */
export interface FenceHistoryReply {
  readonly pending: readonly FenceProgress[];
  readonly entries: readonly FenceResult[];
  /** What keeps fencing from succeeding and is in no configuration. */
  readonly remarks: readonly string[];
}

/** What the admin CLI may ask of fencing. */
export type FenceAdminRequest = Extract<AdminRequest, { readonly type: `fence.${string}` }>;

type RegisterDevice = Extract<AdminRequest, { readonly type: "fence.register" }>;
type FenceAsk = Extract<AdminRequest, { readonly type: "fence.ask" }>;

/** Joins the fencer to the machine: clock, timers, agents. */
export class Fencing {
  private readonly fencer: Fencer;
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly waiting = new Map<string, (result: FenceResult) => void>();
  private readonly forgetting = new Map<string, () => void>();
  private readonly registering = new Map<string, (refused: HactlError | undefined) => void>();
  private readonly tests = new Map<string, (rows: readonly FenceTestRow[]) => void>();
  private readonly asked = new Map<string, (answers: readonly DeviceAnswer[]) => void>();
  private readonly directories: FenceDirectories;
  private readonly events: FencerEvent[] = [];
  private stepping = false;
  private counter = 0;
  private closed = false;

  constructor(private readonly options: FencingOptions) {
    this.directories = options.directories ?? fenceDirectories;
    this.fencer = new Fencer({
      self: options.self,
      random: Math.random,
      wallClock: wallSeconds,
      detectionMs: options.detectionMs,
      left: options.runs?.left() ?? [],
    });
  }

  /** The CIB's configuration is now this. `running`: where stonith resources are started. */
  configure(configuration: XmlElement, running?: ReadonlyMap<string, NodeName>): void {
    this.step({ type: "configuration", configuration, ...(running ? { running } : {}) });
  }

  /** Managers that take part, and the leader; in the order of the ring's messages. */
  membership(membership: FencerMembership): void {
    this.step({ type: "membership", ...membership });
  }

  /** A message of a fencer came, our own included. */
  message(from: NodeName, message: unknown): void {
    this.step({ type: "message", from, message });
  }

  /** A member gave another sign of life. */
  alive(node: NodeName): void {
    this.step({ type: "alive", node });
  }

  /** The kdump listener heard a node. */
  kdumpNotice(node: NodeName, signed: boolean): void {
    this.step({ type: "kdump-notice", node, signed });
  }

  /** Asks for fencing; the result comes to `onResult` on all nodes. */
  request(request: FenceRequest): void {
    this.step({ type: "request", request });
  }

  /** Asks for fencing and waits for the result, which always comes. */
  perform(request: FenceRequest): Promise<FenceResult> {
    return new Promise((resolve) => {
      this.waiting.set(request.id, resolve);
      this.request(request);
    });
  }

  /** A person takes responsibility for it that the node is down. */
  confirm(target: NodeName, client: string): Promise<FenceResult> {
    const id = this.newId("confirm");
    return new Promise((resolve, reject) => {
      this.waiting.set(id, resolve);
      setTimeout(() => {
        if (this.waiting.delete(id)) reject(notConfirmed(target));
      }, confirmPatienceMs).unref();
      this.step({ type: "confirm", id, target, client });
    });
  }

  /** Clears the history of fencing, of one target or of all, on every node. */
  forget(target: NodeName | undefined, client: string): Promise<void> {
    const id = this.newId("forget");
    return new Promise((resolve, reject) => {
      this.forgetting.set(id, resolve);
      setTimeout(() => {
        if (this.forgetting.delete(id)) reject(notCleared());
      }, confirmPatienceMs).unref();
      this.step({ type: "forget", id, ...(target === undefined ? {} : { target }), client });
    });
  }

  /** Registers something on this node, or takes it back, as long as this manager lives. */
  register(registration: Registration, client: string): Promise<void> {
    const id = this.newId("register");
    return new Promise((resolve, reject) => {
      this.registering.set(id, (refused) => (refused ? reject(refused) : resolve()));
      setTimeout(() => {
        if (this.registering.delete(id)) reject(notRegistered());
      }, confirmPatienceMs).unref();
      this.step({ type: "register", id, registration, client });
    });
  }

  /** Tries every device for a node from every member without touching the node. */
  test(target: NodeName): Promise<readonly FenceTestRow[]> {
    const id = this.newId("test");
    return new Promise((resolve) => {
      this.tests.set(id, resolve);
      this.step({ type: "test", id, target });
    });
  }

  /** Asks fence devices, from this node alone. */
  ask(question: DeviceQuestion): Promise<readonly DeviceAnswer[]> {
    const id = this.newId("ask");
    return new Promise((resolve) => {
      this.asked.set(id, resolve);
      this.step({ type: "ask", id, question });
    });
  }

  history(): FenceHistoryReply {
    return {
      pending: this.fencer.pending(),
      entries: this.fencer.entries(),
      remarks: this.fencer.remarks(),
    };
  }

  devices(): FenceDeviceInfo[] {
    return this.fencer.devices();
  }

  /** Whether stonith-max-attempts is used up for a node. */
  exhausted(target: NodeName): boolean {
    return this.fencer.exhausted(target);
  }

  /** Those of the nodes that no device can fence. */
  unfenceable(nodes: readonly NodeName[]): NodeName[] {
    return this.fencer.unfenceable(nodes);
  }

  /** How long a request may take before its result comes. */
  timeFor(request: FenceRequest): Millis {
    return this.fencer.timeFor(request);
  }

  /** An id that no other request has. */
  newId(kind: string): string {
    return `${this.options.self}-${kind}-${wallSeconds()}-${process.pid}-${++this.counter}`;
  }

  /** Stops all timers. Agents that run end by themselves. */
  close(): void {
    this.closed = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  /**
   * Answers a request of the admin CLI: the `FenceResult` of `fence.request` and `fence.confirm`, the rows of
   * `fence.test`, the devices, or the history. Throws HactlError when no node is named.
   */
  async handle(request: FenceAdminRequest): Promise<unknown> {
    switch (request.type) {
      case "fence.request":
        return await this.perform({
          id: this.newId("fence"),
          target: targetOf(request.target),
          action: request.action,
          timeoutMs: request.timeoutMs ?? 0,
          delayMs: request.delayMs ?? 0,
          origin: this.options.self,
          client: request.client,
          reason: request.reason,
        });
      case "fence.history":
        return this.history();
      case "fence.forget":
        await this.forget(
          request.target === undefined ? undefined : targetOf(request.target),
          request.client,
        );
        return true;
      case "fence.confirm":
        return await this.confirm(targetOf(request.target), request.client);
      case "fence.register":
        return await this.registerDevice(request);
      case "fence.deregister":
        return await this.register({ what: "no-device", id: request.device }, request.client);
      case "fence.register-level": {
        const { target, index, devices, client } = request;
        await this.register({ what: "level", level: { target, index, devices } }, client);
        const known = new Set(this.devices().map(({ id }) => id));
        return devices
          .filter((id) => !known.has(id))
          .map((id) => `there is no fence device ${id}: until there is one, level ${index} fails`);
      }
      case "fence.deregister-level": {
        const { target, index, client } = request;
        return await this.register({ what: "no-level", target, index }, client);
      }
      case "fence.test":
        return await this.test(targetOf(request.target));
      case "fence.devices":
        return this.devices();
      case "fence.ask":
        return await this.ask(questionOf(request));
    }
  }

  /** Only this node uses it: its agent has to be here. @returns what is remarkable about it */
  private async registerDevice({
    device: id,
    agent,
    params,
    client,
  }: RegisterDevice): Promise<readonly string[]> {
    if (agent === "fence_kdump") throw builtIn(agent);
    if ((await fetchFenceMetadata(agent, this.directories)) === undefined) throw notInstalled(agent);
    await this.register({ what: "device", device: { id, agent, params } }, client);
    return problemsOf({ id, agent, params: new Map(Object.entries(params)) });
  }

  private step(event: FencerEvent): void {
    this.events.push(event);
    if (this.stepping) return;
    this.stepping = true;
    try {
      // An effect may cause an event at once; it waits until the effects before it are carried out.
      for (let next = this.events.shift(); next && !this.closed; next = this.events.shift())
        for (const effect of this.fencer.step(next, monotonicMs())) this.carryOut(effect);
    } finally {
      this.stepping = false;
    }
  }

  private carryOut(effect: FencerEffect): void {
    switch (effect.type) {
      case "broadcast":
        this.options.broadcast(effect.message);
        return;
      case "run-agent": {
        const { run } = effect;
        void runFenceAgent(run, this.directories, this.options.runs).then((outcome) => {
          for (const line of complaints(run.device, run, outcome)) this.options.log("notice", line);
          this.step({ type: "agent-result", run: run.run, outcome });
        });
        return;
      }
      case "resume-run": {
        const { run } = effect;
        void this.options.runs
          ?.resume(run)
          .then((outcome) => this.step({ type: "agent-result", run, outcome }));
        return;
      }
      case "forget-runs":
        this.options.runs?.forget(effect.op);
        return;
      case "fetch-metadata": {
        const { agent } = effect;
        void fetchFenceMetadata(agent, this.directories).then((metadata) =>
          this.step({ type: "metadata", agent, metadata }),
        );
        return;
      }
      case "set-timer":
        clearTimeout(this.timers.get(effect.timer));
        this.timers.set(
          effect.timer,
          setTimeout(
            () => {
              this.timers.delete(effect.timer);
              this.step({ type: "timer", timer: effect.timer });
            },
            Math.min(effect.afterMs, LONGEST_TIMER_MS),
          ),
        );
        return;
      case "cancel-timer":
        clearTimeout(this.timers.get(effect.timer));
        this.timers.delete(effect.timer);
        return;
      case "result": {
        const waiter = this.waiting.get(effect.result.id);
        this.waiting.delete(effect.result.id);
        this.options.onResult(effect.result, effect.told);
        waiter?.(effect.result);
        return;
      }
      case "history":
        this.options.onHistory?.(effect.entry);
        return;
      case "registered":
        this.registering.get(effect.id)?.(effect.refused);
        this.registering.delete(effect.id);
        return;
      case "forgotten":
        this.forgetting.get(effect.id)?.();
        this.forgetting.delete(effect.id);
        return;
      case "test-result": {
        const waiter = this.tests.get(effect.id);
        this.tests.delete(effect.id);
        waiter?.(effect.rows);
        return;
      }
      case "told": {
        const waiter = this.asked.get(effect.id);
        this.asked.delete(effect.id);
        waiter?.(effect.answers);
        return;
      }
      case "log":
        this.options.log(effect.level, effect.text);
    }
  }
}

/** Time for a device that is asked and sets none of its own. */
const askTimeoutMs = 120_000;

function questionOf({ ask, device, target, timeoutMs = askTimeoutMs }: FenceAsk): DeviceQuestion {
  const about = { timeoutMs, ...(device === undefined ? {} : { device }) };
  return ask === "able" ? { ask, target: targetOf(target ?? ""), ...about } : { ask, ...about };
}

function targetOf(name: string): NodeName {
  if (name === "")
    throw new HactlError({
      code: "FENCE_TARGET",
      what: "no node is named",
      cure: "name a node",
      exit: CrmExit.USAGE,
    });
  return nodeName(name);
}

const builtIn = (agent: string) =>
  new HactlError({
    code: "BUILT_IN",
    what: `${agent} is done by hactl itself, which listens where its configuration says`,
    cure: "put the device in the configuration",
    exit: CrmExit.UNIMPLEMENT_FEATURE,
  });

const notInstalled = (agent: string) =>
  new HactlError({
    code: "NO_AGENT",
    what: `fence agent ${agent} is not installed on this node, or has no readable meta-data`,
    cure: "stonith_admin --list-installed names those that are",
    exit: CrmExit.NOT_INSTALLED,
  });

const notRegistered = () =>
  new HactlError({
    code: "NO_ANSWER",
    what: "the registration has not reached the cluster in time; it may still do",
    cure: "see in 'hactl status' whether this node takes part, and ask again",
    exit: CrmExit.TIMEOUT,
  });

const notCleared = () =>
  new HactlError({
    code: "NO_ANSWER",
    what: "the request to clear the history of fencing has not reached the cluster in time; it may still do",
    cure: "see in 'hactl status' whether this node takes part, and ask again",
    exit: CrmExit.TIMEOUT,
  });

const notConfirmed = (target: NodeName) =>
  new HactlError({
    code: "NO_ANSWER",
    what: `the confirmation for ${target} has not reached the cluster in time; it may still do`,
    cure: "see in 'hactl status' whether this node takes part, and ask again",
    exit: CrmExit.TIMEOUT,
  });

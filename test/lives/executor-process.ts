import {
  Executor,
  type ExecutorConfig,
  type ExecutorEffect,
  type ExecutorEvent,
  type ExecutorInput,
  type ExecutorRequest,
  type JournalRecord,
  recall,
} from "../../src/executor/index.ts";
import { resourceId } from "../../src/terms/index.ts";
import { callOf, planOf } from "./agents.ts";
import type { Channel } from "./channel.ts";
import { Timers } from "./clock.ts";
import type { AgentProcess, Host } from "./host.ts";
import type { World } from "./world.ts";

const SAVE_AFTER_MS = 100;
const KEPT: ReadonlySet<string> = new Set(["result", "cancelled"]);
const LEFTOVER_TIMEOUT_MS = 20_000;

/**
 * An executor process: the real core with what the daemon's driver does around it (`ExecutorHost`, `ExecutorMemory`,
 * `ManagerPort`), on a host of this world.
 */
export class ExecutorProcess {
  alive = true;
  readonly name: string;
  private readonly world: World;
  private readonly core: Executor;
  private readonly timers: Timers;
  private readonly agents = new Map<number, AgentProcess>();
  private current: Channel | undefined;
  private readonly channels = new Set<Channel>();
  private saving = false;

  /** `instance` names the run of the daemon that it belongs to. */
  constructor(
    private readonly host: Host,
    private readonly instance: string,
  ) {
    this.world = host.world;
    this.name = `executor of ${host.name}`;
    this.timers = new Timers(this.world.clock);
    this.core = new Executor(configOf(host));
    host.executor = this;
  }

  /** Takes over what an executor before this one left. */
  start(): void {
    const { host, instance } = this;
    const { run, disk, bootId } = host;
    const before = disk.bootFile;
    disk.bootFile = bootId;
    const rebooted = before !== undefined && before !== bootId;
    const ageMs = run.alive === undefined ? undefined : this.world.clock.now - run.alive;
    const left = run.left ?? false;
    delete run.left;
    const behind = { state: run.executor, journal: run.journal, ageMs, rebooted, left };
    if (run.executor === "damaged") delete run.executor;
    const { snapshot, complete } = recall(behind, { bootId, instance });
    this.world.trace(`${this.name} starts${complete ? "" : ", cannot tell all"}`);
    this.findLeftovers();
    if (snapshot && this.alive) this.carryOut(this.core.restore(snapshot, this.now));
    if (!this.alive) return;
    if (!complete) this.core.admitGaps();
    this.save();
    this.world.watch.executorStarted(host, complete, snapshot);
  }

  /** Somebody has connected. */
  accept(channel: Channel): void {
    this.channels.add(channel);
  }

  /** What a manager asks; only the one that registered last is heard. */
  request(channel: Channel, request: ExecutorRequest): void {
    if (!this.alive) return;
    if (request.type === "register") {
      const before = this.current;
      this.current = channel;
      if (before !== channel) before?.closeExecutor();
      if (this.host.kind !== "node") this.world.watch.certain(this.host);
    } else if (channel !== this.current) return;
    switch (request.type) {
      case "list":
      case "tool-reply":
        return;
      case "shutdown-ack":
        return;
      case "execute":
      case "cancel":
      case "forget":
        this.note(request);
        if (!this.alive) return;
        this.step({ type: "request", request });
        return this.saveSoon();
      default:
        this.step({ type: "request", request });
        if (request.type === "configure" || request.type === "probed") this.saveSoon();
    }
  }

  closed(channel: Channel): void {
    this.channels.delete(channel);
    if (channel === this.current) this.current = undefined;
  }

  /** An agent calls a tool on a host that has no manager of its own; says whether one is connected. */
  tell(event: ExecutorEvent): boolean {
    this.current?.toManager(event);
    return this.current !== undefined;
  }

  /** Dies at once. Agents and services go on. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.timers.clear();
    for (const agent of this.agents.values()) agent.ended = undefined;
    const { clock, random } = this.world;
    // It gives a sign of life every five seconds, and with each save.
    this.host.run.alive = Math.max(this.host.run.alive ?? 0, clock.now - random.between(0, 5000));
    if (this.host.executor === this) this.host.executor = undefined;
    for (const channel of this.channels) {
      if (this.host.powered) channel.closeExecutor();
      else channel.silence();
    }
    this.world.trace(`${this.name} dies`);
  }

  /** Ends in order; with `forget` nothing runs here any more, and the next one knows it. */
  stop(forget: boolean): void {
    if (!this.alive) return;
    this.save(forget);
    this.kill();
  }

  /** Whether nothing is under way but recurring monitors. */
  get idle(): boolean {
    return this.core.snapshot().unfinished.length === 0;
  }

  /** What it would tell a manager now. */
  snapshot() {
    return this.core.snapshot();
  }

  private get now() {
    return { mono: this.world.clock.now, epoch: this.host.wall };
  }

  private step(input: ExecutorInput): void {
    if (this.alive) this.carryOut(this.core.step(input, this.now));
  }

  private carryOut(effects: readonly ExecutorEffect[]): void {
    for (const effect of effects) {
      this.carry(effect);
      this.world.effectDone(this, () => `${effect.type}${effect.type === "run" ? ` ${effect.label}` : ""}`);
      if (!this.alive) return;
    }
    if (effects.some((effect) => effect.type === "emit" && KEPT.has(effect.event.type))) this.saveSoon();
  }

  private carry(effect: ExecutorEffect): void {
    switch (effect.type) {
      case "run": {
        const call = callOf(effect.command, effect.label);
        const { job } = effect;
        const plan = planOf(this.host, call, this.world.unreliable);
        const agent = this.host.start(call, plan, (code) => {
          this.agents.delete(job);
          const killed = { kind: "signalled", signal: "SIGTERM", stdout: "", stderr: "" } as const;
          const exited = { kind: "exited", code: code as number, stdout: "", stderr: "" } as const;
          this.step({ type: "process", job, outcome: code === "killed" ? killed : exited });
        });
        this.agents.set(job, agent);
        this.world.watch.agentStarted(this.host, call);
        return;
      }
      case "kill": {
        const agent = this.agents.get(effect.job);
        this.timers.set(`end:${effect.job}`, this.world.random.between(1, 30), () => agent?.kill());
        return;
      }
      case "abandon":
        this.agents.delete(effect.job);
        return;
      case "timer":
        this.timers.set(effect.timer, effect.at - this.world.clock.now, () =>
          this.step({ type: "timer", timer: effect.timer }),
        );
        return;
      case "no-timer":
        return this.timers.cancel(effect.timer);
      case "emit":
        if (effect.event.type === "result") this.note({ type: "result", result: effect.event.result });
        if (this.alive) this.current?.toManager(effect.event);
        return;
      case "log":
        return;
    }
  }

  private note(record: JournalRecord): void {
    this.host.run.journal.push(record);
    this.world.effectDone(this, () => `note ${record.type}`);
  }

  private saveSoon(): void {
    if (this.saving || !this.alive) return;
    this.saving = true;
    this.timers.set("save", SAVE_AFTER_MS, () => {
      this.saving = false;
      this.save();
    });
  }

  private save(forget = false): void {
    const { host, instance } = this;
    const whole = this.core.snapshot();
    const snapshot = forget
      ? {
          ...whole,
          unfinished: [],
          recurring: [],
          results: [],
          interrupted: [],
          remembered: [],
          complete: true,
        }
      : whole;
    host.run.executor = { instance, bootId: host.bootId, snapshot };
    host.run.journal = [];
    host.run.alive = this.world.clock.now;
  }

  /** Agents of an executor that died still run: their resources wait for them, within their time limit. */
  private findLeftovers(): void {
    const left = [...this.host.agents];
    const tell = (rsc: string) => {
      const count = left.filter((agent) => this.host.agents.has(agent) && agent.call.rsc === rsc).length;
      this.step({ type: "leftovers", rsc: resourceId(rsc), count });
    };
    for (const rsc of new Set(left.map(({ call }) => call.rsc))) tell(rsc);
    for (const agent of left) {
      const limit = Number(agent.call.params.get("CRM_meta_timeout") ?? LEFTOVER_TIMEOUT_MS);
      const { clock } = this.world;
      agent.ended = () => {
        cancel();
        // It is looked for every tenth of a second.
        if (this.alive) this.timers.set(`left:${this.world.nextId()}`, 50, () => tell(agent.call.rsc));
      };
      const cancel = clock.after(limit, () => {
        if (this.alive) agent.kill();
      });
    }
  }
}

function configOf(host: Host): ExecutorConfig {
  return {
    hostname: host.name,
    bootId: host.bootId,
    ocfRoot: "/usr/lib/ocf",
    ocfPath: ["/usr/lib/ocf/resource.d"],
    lsbPath: [],
    environment: {},
    featureSet: "3.20.5",
    cores: 4,
    nodeActionLimit: 0,
    killGraceMs: 5000,
  };
}

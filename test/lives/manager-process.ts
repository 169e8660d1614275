import { formatXml, parseXml } from "../../src/cib/index.ts";
import {
  Controller,
  type ControllerEffect,
  type ControllerEvent,
  type ControllerView,
  type ExecutorHistory,
} from "../../src/controller/index.ts";
import { resultOf } from "../../src/daemon/operation-result.ts";
import type { ExecutorEvent, Operation } from "../../src/executor/index.ts";
import { schedule } from "../../src/scheduler/index.ts";
import { type NodeName, OcfExit, OpStatus } from "../../src/terms/index.ts";
import { Timers } from "./clock.ts";
import type { Daemon } from "./daemon.ts";
import { ExecutorClient } from "./executor-client.ts";
import type { Host } from "./host.ts";
import { ManagerFencing } from "./manager-fencing.ts";
import { RemoteConnections } from "./remote-connections.ts";
import type { ToManager } from "./ring-process.ts";
import type { World } from "./world.ts";

type Registered = Extract<ExecutorEvent, { type: "registered" }>;

/** A manager process: the real controller and fencer, with what the daemon's `Manager` does around them. */
export class ManagerProcess {
  alive = true;
  readonly name: string;
  readonly controller: Controller;
  private readonly world: World;
  private readonly host: Host;
  private readonly timers: Timers;
  private readonly executor: ExecutorClient;
  private readonly fencing: ManagerFencing;
  private readonly remotes: RemoteConnections;
  /** Recurring monitors of fence devices. */
  private readonly devices = new Map<string, Operation>();
  private readonly queue: ControllerEvent[] = [];
  private readonly operations: readonly Operation[];
  private stepping = false;
  /** It does not get to anything: its events wait. */
  private hanging = false;
  /** What it has heard since then. */
  private readonly held: (() => void)[] = [];
  private seen = false;
  private readonly daemonIsNew: boolean;

  constructor(private readonly daemon: Daemon) {
    const { host } = daemon;
    this.host = host;
    this.world = host.world;
    this.name = `manager of ${host.name}`;
    const { clock, plan } = this.world;
    this.timers = new Timers(clock);
    const saved = host.run.manager;
    this.daemonIsNew = saved?.instance !== daemon.instance;
    this.operations = saved?.operations ?? [];
    this.controller = new Controller({
      self: daemon.id,
      selfName: host.name,
      nodes: plan.nodes,
      incarnation: `m${this.world.nextId()}`,
      cib: parseXml(host.disk.cib ?? plan.cib),
      daemonIsNew: this.daemonIsNew,
      traits: { version: "3.0.0-lives", clusterName: "lives" },
      ...(this.world.plansElsewhere ? { decideHereMs: 0 } : {}),
      ...(saved ? { remembered: structuredClone(saved.memory) } : {}),
    });
    this.fencing = new ManagerFencing(
      host,
      (body) => this.step({ type: "fencer-send", body }),
      (result, told) => {
        if (!told) this.step({ type: "fence-result", result });
      },
    );
    const whenRunning = (run: () => void) => this.whenRunning(run);
    this.remotes = new RemoteConnections(host, (event) => this.step(event), whenRunning);
    this.executor = new ExecutorClient({
      from: host,
      to: host,
      onEvent: (event) => this.fromExecutor(event),
      onState: () => undefined,
      whenRunning,
    });
    this.executor.start();
  }

  get view(): ControllerView {
    return this.controller.view();
  }

  /** Whether the manager of a node is a participant of the membership as this one has heard of it. */
  takesPart(node: NodeName): boolean {
    return (
      this.view.membership?.participants.some(({ nodeId }) => this.controller.nameOf(nodeId) === node) ===
      true
    );
  }

  /** Nothing is asked of a fence device. */
  get fencingIdle(): boolean {
    return this.fencing.idle;
  }

  get hangs(): boolean {
    return this.alive && this.hanging;
  }

  /** It stands still, and so does its fencer; what it has said is on its way. */
  hang(): void {
    this.hanging = true;
    this.fencing.hang();
    this.world.trace(`${this.name} hangs`);
  }

  /** It goes on, with all that has happened meanwhile before it. */
  goOn(): void {
    if (!this.hangs) return;
    this.hanging = false;
    this.world.trace(`${this.name} goes on`);
    this.fencing.goOn();
    this.stepAll();
    for (let run = this.held.shift(); run && this.alive; run = this.held.shift()) run();
  }

  /** Somebody asks its fencer for a reboot, as `stonith_admin --reboot` does. */
  rebootByHand(target: NodeName): void {
    const id = `by-hand-${this.world.nextId()}`;
    const { name: origin } = this.host;
    const asked = { id, target, origin, client: "stonith_admin", reason: "by hand" };
    this.fencing.step({
      type: "request",
      request: { ...asked, action: "reboot", timeoutMs: 20_000, delayMs: 0 },
    });
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.timers.clear();
    this.executor.die();
    this.fencing.die();
    this.remotes.die();
    this.world.trace(`${this.name} dies`);
    this.world.watch.managerDied(this);
  }

  /** Events that effects cause wait until the effects before them are carried out. */
  step(event: ControllerEvent): void {
    this.queue.push(event);
    this.stepAll();
  }

  private stepAll(): void {
    if (this.stepping || !this.alive || this.hanging) return;
    this.stepping = true;
    for (let next = this.queue.shift(); next && this.alive; next = this.queue.shift()) {
      const { now } = this.world.clock;
      for (const effect of this.controller.step(next, now, this.host.wall)) {
        this.carryOut(effect);
        this.world.effectDone(this, () => effect.type);
        if (!this.alive) break;
      }
    }
    this.stepping = false;
  }

  fromRing(event: ToManager): void {
    this.whenRunning(() => {
      if (event.type === "membership") this.world.watch.membership(this.host, event.membership);
      this.step(event);
    });
  }

  private whenRunning(run: () => void): void {
    if (this.hanging) this.held.push(run);
    else run();
  }

  private carryOut(effect: ControllerEffect): void {
    switch (effect.type) {
      case "broadcast":
        this.world.watch.said(this, effect.payload);
        return this.daemon.say(effect.payload);
      case "execute":
        if (effect.on === this.host.name)
          this.executor.send({ type: "execute", operation: effect.operation });
        else this.remotes.execute(effect.on, effect.operation);
        return;
      case "cancel": {
        const { on, rsc, action, intervalMs } = effect;
        this.devices.delete(`${rsc}_${intervalMs}`);
        if (on === this.host.name) this.executor.send({ type: "cancel", rsc, action, intervalMs });
        else this.remotes.cancel(on, rsc, action, intervalMs);
        return this.remotes.cancelConnection(rsc, intervalMs);
      }
      case "forget": {
        const { on, rsc } = effect;
        this.forgetDevice(rsc);
        if (on === this.host.name) this.executor.send({ type: "forget", rsc });
        else this.remotes.forget(on, rsc);
        return;
      }
      case "look-again":
        if (effect.on === this.host.name) this.executor.send({ type: "look-again", rsc: effect.rsc });
        else this.remotes.askAgain(effect.on, effect.rsc);
        return;
      case "probed":
        if (effect.on === this.host.name) this.executor.send({ type: "probed" });
        else this.remotes.probed(effect.on);
        return;
      case "connection":
        return this.remotes.connection(effect.operation);
      case "watch-remotes":
        return this.remotes.watchFor(effect.remotes.map(({ node }) => node));
      case "fence-device":
        return this.fenceDevice(effect.operation);
      case "fence":
        this.world.watch.fencingAsked(effect.request);
        return this.fencing.step({ type: "request", request: effect.request });
      case "fencer-deliver":
        return this.fencing.step({
          type: "message",
          from: this.controller.nameOf(effect.from),
          message: effect.body,
        });
      case "fencer-membership":
        this.fencing.step({ type: "membership", ...effect.membership });
        return this.fencing.configure(this.view.cib);
      case "fencer-alive":
        return this.fencing.step({ type: "alive", node: effect.node });
      case "persist":
        return this.persist();
      case "set-timer":
        return this.timers.set(effect.timer, effect.afterMs, () =>
          this.step({ type: "timer", timer: effect.timer }),
        );
      case "cancel-timer":
        return this.timers.cancel(effect.timer);
      case "reply":
        if (effect.error) this.world.refusals.push(`${effect.request}: ${effect.error.message}`);
        return;
      case "plan":
        return this.plan(effect);
      case "plan-dropped":
        return this.timers.cancel("plan");
      case "transition":
        if (effect.decision) this.world.watch.decided(this.host, effect.decision);
        return;
      case "remember": {
        const operations = [...this.devices.values(), ...this.remotes.operations()];
        this.host.run.manager = { instance: this.daemon.instance, memory: effect.memory, operations };
        return;
      }
      case "leave":
        delete this.host.run.manager;
        this.host.run.left = true;
        return this.daemon.leave();
      case "self-fenced":
        this.world.trace(`${this.host.name} hears that it was fenced (${effect.reaction})`);
        return this.daemon.end();
      case "refused":
        this.world.trace(`${this.host.name} cannot take part: ${effect.error.message}`);
        return this.daemon.end();
      case "transition-over":
        return;
      case "event": {
        const { level, id, text } = effect.event;
        if (level !== "info") this.world.trace(`${this.host.name} ${id} ${text}`);
        return;
      }
    }
  }

  /** What another process computes is told when everything may have changed. */
  private plan({ id, cib, now }: Extract<ControllerEffect, { type: "plan" }>): void {
    const decision = schedule({ cib: parseXml(cib), now });
    this.timers.set("plan", this.world.planning.between(1, 3_000), () =>
      this.step({ type: "planned", id, decision }),
    );
  }

  private persist(): void {
    this.fencing.configure(this.view.cib);
    if (this.timers.has("persist")) return;
    this.timers.set("persist", 20, () => {
      const { cib } = this.view;
      const stored = { ...cib, children: cib.children.filter(({ name }) => name !== "status") };
      this.host.disk.cib = formatXml(stored, -1);
    });
  }

  // ── the executor ─────────────────────────────────────────────────────────────────────────────────────────

  private fromExecutor(event: ExecutorEvent): void {
    if (!this.alive) return;
    if (event.type === "result") this.step({ type: "result", node: this.host.name, result: event.result });
    if (event.type !== "registered") return;
    const history = historyOf(event);
    if (this.seen) return this.step({ type: "executor-up", history, again: true });
    this.seen = true;
    this.begin(history);
  }

  /** It takes part only when it can tell what runs on its node, and behind the connections that it goes on with. */
  private begin(history: ExecutorHistory): void {
    const goesOn = history.complete || !this.daemonIsNew;
    if (goesOn) {
      for (const operation of this.operations)
        if (operation.rsc.class === "stonith")
          this.devices.set(`${operation.rsc.id}_${operation.intervalMs}`, operation);
    }
    this.remotes.resume(goesOn ? this.operations : [], (remotes) => {
      this.step({ type: "executor-up", history, again: false, remotes });
      if (this.alive) this.daemon.managerReady(this);
    });
  }

  // ── fence devices as resources ───────────────────────────────────────────────────────────────────────────

  private fenceDevice(operation: Operation): void {
    const { rsc, action, intervalMs } = operation;
    const { clock, random } = this.world;
    const [begun, begunAt] = [this.host.wall * 1000, clock.now];
    const answer = (rc: OcfExit) => {
      const took = clock.now - begunAt;
      const result = resultOf(operation, rc, OpStatus.DONE, "", begun, took);
      this.step({ type: "result", node: this.host.name, result });
    };
    if (action === "stop") {
      this.forgetDevice(rsc.id);
      return answer(OcfExit.OK);
    }
    if (action === "monitor" && intervalMs === 0) return answer(OcfExit.NOT_RUNNING);
    const key = `${rsc.id}_${intervalMs}`;
    if (intervalMs > 0) this.devices.set(key, operation);
    this.timers.set(`device ${key}`, random.between(10, 300), () => {
      if (intervalMs === 0 || this.devices.get(key) === operation) answer(OcfExit.OK);
    });
  }

  private forgetDevice(rsc: string): void {
    for (const [key, operation] of this.devices) if (operation.rsc.id === rsc) this.devices.delete(key);
  }
}

function historyOf(registered: Registered): ExecutorHistory {
  const { results, running, interrupted, remembered, bootId, complete } = registered;
  return { results, running, interrupted, remembered, bootId, complete };
}

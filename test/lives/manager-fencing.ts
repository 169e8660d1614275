import { child, type XmlElement } from "../../src/cib/index.ts";
import { runningFenceDevices } from "../../src/daemon/status-reply.ts";
import {
  type AgentOutcome,
  type FenceRequest,
  type FenceResult,
  Fencer,
  type FencerEffect,
  type FencerEvent,
} from "../../src/fencer/index.ts";
import { Timers } from "./clock.ts";
import type { Host } from "./host.ts";

/** What is asked of a switch that works is over after this time, also when it has to be asked once more. */
const FENCED_MS = 30_000;

/** The real fencer of a node's manager; its agents switch this world's power. */
export class ManagerFencing {
  private readonly fencer: Fencer;
  private readonly timers: Timers;
  private readonly events: FencerEvent[] = [];
  private stepping = false;
  private hanging = false;
  private dead = false;

  constructor(
    private readonly host: Host,
    private readonly broadcast: (body: unknown) => void,
    private readonly onResult: (result: FenceResult, told: boolean) => void,
  ) {
    const { random, clock } = host.world;
    this.timers = new Timers(clock);
    this.fencer = new Fencer({
      self: host.name,
      random: () => random.unit(),
      wallClock: () => host.wall,
      detectionMs: 2200,
      left: host.leftFencing(),
    });
  }

  configure(cib: XmlElement): void {
    const configuration = child(cib, "configuration");
    if (configuration) this.step({ type: "configuration", configuration, running: runningFenceDevices(cib) });
  }

  /** Nothing is asked of a device, and nothing goes on. */
  get idle(): boolean {
    return this.fencer.pending().length === 0;
  }

  step(event: FencerEvent): void {
    if (event.type === "request") this.expectEnd(event.request, this.host.world.clock.now);
    this.events.push(event);
    this.stepAll();
  }

  /** Its manager stands still. */
  hang(): void {
    this.hanging = true;
  }

  goOn(): void {
    this.hanging = false;
    this.stepAll();
  }

  private stepAll(): void {
    if (this.stepping || this.hanging) return;
    this.stepping = true;
    for (let next = this.events.shift(); next && !this.dead; next = this.events.shift())
      for (const effect of this.fencer.step(next, this.host.world.clock.now)) this.carryOut(effect);
    this.stepping = false;
  }

  /** While the switch works, and all that are asked are there, nobody waits for long. */
  private expectEnd({ id, target }: Pick<FenceRequest, "id" | "target">, askedAt: number): void {
    const { clock, power, watch } = this.host.world;
    const began = Math.max(askedAt, power.since, watch.membershipAt);
    clock.after(began + FENCED_MS - clock.now, () => {
      if (this.dead || !this.fencer.pending().some(({ request }) => request.id === id)) return;
      const quietMs = clock.now - Math.max(power.since, watch.membershipAt);
      if (power.mood !== "works" || quietMs < FENCED_MS) return this.expectEnd({ id, target }, askedAt);
      watch.broken(
        "fencing",
        `${this.host.name} has waited for the fencing of ${target} since ${askedAt} ms`,
      );
    });
  }

  private agentEnded(run: string, outcome: AgentOutcome): void {
    if (!this.dead) this.step({ type: "agent-result", run, outcome });
  }

  die(): void {
    this.dead = true;
    this.timers.clear();
  }

  private carryOut(effect: FencerEffect): void {
    if (this.dead) return;
    const { world } = this.host;
    switch (effect.type) {
      case "broadcast":
        return this.broadcast(effect.message);
      case "run-agent": {
        const { run } = effect;
        const kept = run.kept && this.host.keepFencing(run.kept);
        return world.power.run(this.host, run, (outcome) => {
          kept?.end(outcome);
          this.agentEnded(run.run, outcome);
        });
      }
      case "resume-run": {
        const { run } = effect;
        world.trace(`${this.host.name} waits for the end of what the manager before has begun`);
        // It is looked after every twentieth of a second.
        this.host.run.fencing
          ?.get(run)
          ?.whenOver((outcome) => this.timers.set(`left ${run}`, 50, () => this.agentEnded(run, outcome)));
        return;
      }
      case "forget-runs":
        return this.host.forgetFencing(effect.op);
      case "fetch-metadata": {
        const { agent } = effect;
        return this.timers.set(`metadata ${agent}`, world.random.between(5, 50), () =>
          this.step({ type: "metadata", agent, metadata: world.power.metadata }),
        );
      }
      case "set-timer":
        return this.timers.set(effect.timer, effect.afterMs, () =>
          this.step({ type: "timer", timer: effect.timer }),
        );
      case "cancel-timer":
        return this.timers.cancel(effect.timer);
      case "result":
        return this.onResult(effect.result, effect.told);
      default:
        return;
    }
  }
}

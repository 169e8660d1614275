import type { AgentMetadata, AgentOutcome, AgentRun } from "../../src/fencer/index.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** After this time a connection to a host that says nothing has been given up. */
export const LOST_REMOTE_MS = 15_000;

/** How the switch does at present. */
export type PowerMood = "works" | "slow" | "fails" | "moody";

/** A power switch for all hosts: it may be slow, fail, or succeed without saying so. */
export class PowerSwitch {
  /** Since when it does as it does. */
  since = 0;
  private present: PowerMood = "works";
  /** How often it was asked to change something, and by whom last. */
  asked = 0;
  askedBy: Host | undefined;
  /** Switchings that are yet to come. */
  pending = 0;
  readonly metadata: AgentMetadata = {
    actions: ["on", "off", "reboot", "status", "monitor", "list", "metadata"],
    hostArgument: "port",
    onTarget: false,
    automatic: false,
  };

  constructor(private readonly world: World) {}

  get mood(): PowerMood {
    return this.present;
  }

  set mood(mood: PowerMood) {
    if (mood === this.present) return;
    this.present = mood;
    this.since = this.world.clock.now;
  }

  /** Runs its agent on a host; the switch goes on although that host, or whoever waits, dies meanwhile. */
  run(from: Host, run: AgentRun, answer: (outcome: AgentOutcome) => void): void {
    const { world } = this;
    const { random, clock } = world;
    const target = run.port === undefined ? undefined : world.hosts.find(({ name }) => name === run.port);
    const say = (exit: number | null, timedOut = false) =>
      answer({ exit, timedOut, stdout: "", stderr: exit === 0 ? "" : "the switch does not answer" });
    const changes = run.action === "off" || run.action === "reboot" || run.action === "on";
    if (!changes || !target) {
      clock.after(random.between(10, 200), () => say(run.action === "status" && !target?.powered ? 2 : 0));
      return;
    }
    this.asked++;
    this.askedBy = from;
    const mood = this.mood === "moody" ? random.pick(["works", "slow", "fails"] as const) : this.mood;
    const wait = mood === "slow" ? random.between(3000, 40_000) : random.between(200, 2000);
    world.trace(`the switch is asked to ${run.action} ${target.name} (${mood})`);
    if (mood === "fails") {
      // It may have done it all the same.
      const done = random.chance(0.3);
      this.pending++;
      clock.after(wait, () => {
        this.pending--;
        if (done) this.act(target, run.action);
        say(1);
      });
      return;
    }
    this.pending++;
    clock.after(wait, () => {
      this.pending--;
      this.act(target, run.action);
    });
    const told = wait + random.between(10, 500);
    if (told > run.timeoutMs) clock.after(run.timeoutMs, () => say(null, true));
    else clock.after(told, () => say(0));
  }

  private act(target: Host, action: string): void {
    const { world } = this;
    if (action !== "on") {
      // With the host ends what carries its guests, also of those that had no power any more.
      const { services } = target;
      const carried = world.hosts.filter(
        ({ container }) => container !== undefined && services.has(container),
      );
      world.hostOff(target);
      for (const host of [target, ...carried]) world.watch.certain(host);
      world.watch.unseenFor(LOST_REMOTE_MS);
    }
    if (action === "off" || target.kind === "guest") return;
    world.clock.after(world.random.between(2000, 12_000), () => world.hostOn(target));
  }
}

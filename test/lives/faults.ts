import { nodeName, resourceId } from "../../src/terms/index.ts";
import type { Random } from "../sim/random.ts";
import { administration, administrations, movable, restoreConfiguration } from "./administration.ts";
import { type Host, MANAGER_BOOT_MS } from "./host.ts";
import { makeExtra, moveByHand, removeExtras } from "./people.ts";
import { LOST_REMOTE_MS, type PowerMood } from "./power.ts";
import type { World } from "./world.ts";

/** Something that goes wrong, or that somebody does at a bad moment. */
export type Fault = (faults: Faults) => void;

/** What can die of a host: its executor or manager, all of its processes, or it itself. */
export type Mortality = "daemon" | "manager" | "executor" | "host";

/** What happens to the worlds, with weights. */
const all: readonly (readonly [weight: number, fault: Fault])[] = [
  [10, (f) => f.killManagers(1)],
  [3, (f) => f.killManagers(2)],
  [3, (f) => f.killManagers(Number.POSITIVE_INFINITY)],
  [6, (f) => f.killExecutor()],
  [4, (f) => f.killManagerAndExecutor()],
  [9, (f) => f.killDaemon(f.random.between(100, 700))],
  [3, (f) => f.killDaemon(f.random.between(2000, 40_000))],
  [1, (f) => f.killDaemon(f.random.between(61_000, 70_000))],
  [5, (f) => f.killDaemon(f.random.between(100, 700), "lost")],
  [3, (f) => f.killDaemon(f.random.between(100, 700), "damaged")],
  [3, (f) => f.killExecutor("lost")],
  [5, (f) => f.killInTheMiddle()],
  [5, (f) => f.leaderGoes()],
  [7, (f) => f.crash()],
  [7, (f) => f.partition()],
  [4, (f) => f.drain()],
  [5, (f) => f.scores()],
  [4, (f) => f.cleanup()],
  [4, (f) => f.cleanupInTheMiddle()],
  [3, (f) => f.cloneMax()],
  [5, (f) => f.ban()],
  [5, (f) => f.standby()],
  [6, (f) => f.breakService()],
  [4, (f) => f.mood()],
  [4, (f) => f.unreliability()],
  [5, (f) => f.slowRing()],
  [6, (f) => f.chatter()],
  [3, (f) => f.lateManager()],
  [3, (f) => f.wishIsLost()],
  [3, (f) => f.executorsOneAfterTheOther()],
  [4, (f) => f.fencerDies()],
  [5, (f) => f.clockStep()],
  [5, (f) => f.byHand()],
  [5, (f) => f.removedInTheMiddle()],
  [5, (f) => f.hangManager()],
];

/** Those that a life may be full of. */
const named: Readonly<Record<string, Fault>> = {
  "by-hand": (f) => f.byHand(),
  removed: (f) => f.removedInTheMiddle(),
  hang: (f) => f.hangManager(),
  ...administrations,
};

export const faultNames: readonly string[] = Object.keys(named);

/** Only what touches remote hosts and guests, where there are some. */
const remoteFaults: readonly (readonly [weight: number, fault: Fault])[] = [
  [4, (f) => f.killRemote(f.random.between(100, 1500))],
  [3, (f) => f.killRemote(f.random.between(100, 1500), "lost")],
  [2, (f) => f.killRemote(f.random.between(3000, 30_000))],
  [3, (f) => f.crashRemote()],
  [4, (f) => f.partsMeet()],
];

/** Makes faults in a world, by chance. */
export class Faults {
  readonly random: Random;
  /** Resources are edited; nobody loses his memory, for what runs as it was before only that tells. */
  readonly faithful: boolean;
  /** Something is not managed. */
  handsOff = false;
  private readonly timers = new Set<() => void>();
  private over = false;

  constructor(
    readonly world: World,
    /** The statements of its clones, by id. */
    private readonly clones: ReadonlyMap<string, string>,
    /** Mostly this one. */
    private readonly name?: string,
  ) {
    this.random = world.random;
    this.faithful = name === "edits" || (name === undefined && this.random.chance(0.5));
  }

  /** Does one of all, mostly that which is named. */
  disturb(): void {
    const { name } = this;
    const wanted = name === undefined ? undefined : named[name];
    if (name !== undefined && !wanted) throw new Error(`there is no fault ${name}`);
    if (wanted && this.random.chance(0.7)) return wanted(this);
    const { plan } = this.world;
    const remote = plan.remotes.length + plan.guests.length > 0 ? remoteFaults : [];
    this.random.weighted([...all, ...administration, ...remote])(this);
  }

  /** Everything is mended, what was off comes back. */
  end(): void {
    const { world } = this;
    this.over = true;
    for (const cancel of this.timers) cancel();
    world.mended = true;
    world.unreliable = 0;
    world.power.mood = "works";
    world.order.slowMs = 0;
    for (const host of world.hosts) host.managerBootMs = MANAGER_BOOT_MS;
    world.trace("everything is mended");
    world.watch.unseenFor(LOST_REMOTE_MS);
    world.divide(new Map());
    for (const host of world.hosts) {
      world.enabled.set(host.name, true);
      if (host.kind === "guest") continue;
      if (host.powered) world.startDaemon(host);
      else world.hostOn(host);
    }
  }

  /** What people have changed is as it was, and failures are forgiven. */
  restore(): void {
    const { world } = this;
    restoreConfiguration(world);
    world.run(100);
    world.request((request) => ({ type: "forget-request", request, failuresOnly: true }));
  }

  later(ms: number, run: () => void): void {
    const cancel = this.world.clock.after(ms, () => {
      this.timers.delete(cancel);
      if (!this.over) run();
    });
    this.timers.add(cancel);
  }

  note(text: string): void {
    this.world.trace(`FAULT ${text}`);
  }

  get upNodes(): Host[] {
    return this.world.nodes.filter((host) => this.world.daemon(host));
  }

  private node(): Host | undefined {
    const up = this.upNodes;
    const leader = this.world.leaders()[0];
    const leading = up.find((host) => this.world.daemon(host)?.manager === leader);
    if (leading && this.random.chance(0.3)) return leading;
    return up.length === 0 ? undefined : this.random.pick(up);
  }

  private far(): Host | undefined {
    const up = this.world.hosts.filter(({ kind, powered }) => kind !== "node" && powered);
    return up.length === 0 ? undefined : this.random.pick(up);
  }

  killManagers(count: number): void {
    const victims = this.random.shuffle(this.upNodes).slice(0, count);
    this.note(`managers of ${victims.map(({ name }) => name).join(" ")} die`);
    for (const host of victims) this.world.daemon(host)?.killManager();
  }

  /** A manager hangs: it is replaced, or goes on with what has been said meanwhile. */
  hangManager(): void {
    const host = this.node();
    if (!host) return;
    const ms = this.random.chance(0.5) ? this.random.between(50, 9_000) : this.random.between(10_000, 11_500);
    this.note(`the manager of ${host.name} hangs for ${ms} ms`);
    this.world.daemon(host)?.hangManager(ms);
  }

  killExecutor(how?: "lost"): void {
    const host = this.node();
    if (!host) return;
    this.note(`executor of ${host.name} dies${how ? ", its state is lost" : ""}`);
    this.world.daemon(host)?.killExecutor();
    if (how) this.spoil(host, how);
  }

  killManagerAndExecutor(): void {
    const host = this.node();
    if (!host) return;
    this.note(`manager and executor of ${host.name} die`);
    const daemon = this.world.daemon(host);
    daemon?.killExecutor();
    daemon?.killManager();
  }

  killDaemon(againAfterMs: number, how?: "lost" | "damaged"): void {
    const host = this.node();
    if (host) this.daemonDies(host, againAfterMs, how);
  }

  killRemote(againAfterMs: number, how?: "lost"): void {
    const host = this.far();
    if (host) this.daemonDies(host, againAfterMs, how);
  }

  private daemonDies(host: Host, againAfterMs: number, how?: "lost" | "damaged"): void {
    this.note(`daemon of ${host.name} dies for ${againAfterMs} ms${how ? `, its state is ${how}` : ""}`);
    this.world.killDaemon(host, againAfterMs, () => {
      if (how) this.spoil(host, how);
    });
  }

  private spoil(host: Host, how: "lost" | "damaged"): void {
    // What was removed, and runs, nobody else may know of.
    const runs = [...host.services.keys(), ...[...host.agents].map(({ call }) => call.instance)];
    if (this.faithful || runs.some((instance) => this.world.extras.has(instance))) return;
    host.run.journal = [];
    if (how === "damaged") host.run.executor = "damaged";
    else delete host.run.executor;
    if (this.random.chance(0.5)) delete host.run.manager;
  }

  /** All daemons die, and people move or stop services by hand before they are back. */
  byHand(): void {
    if (this.faithful) return this.killManagers(Number.POSITIVE_INFINITY);
    const [least, most] = this.random.chance(0.7) ? [500, 15_000] : [21_000, 40_000];
    const away = this.random.between(least, most);
    this.note("all daemons die, and services are moved by hand");
    for (const host of this.upNodes) this.daemonDies(host, away + this.random.between(0, 2000));
    for (let n = this.random.between(1, 3); n > 0; n--)
      this.later(this.random.between(50, away), () => moveByHand(this.world, this.random));
  }

  /** A resource is made, and removed while an agent is at it, of whose host something dies just then. */
  removedInTheMiddle(): void {
    const { world } = this;
    const action = this.random.pick(["start", "start", "stop"]);
    const what = this.random.pick<Mortality>(["daemon", "daemon", "manager", "executor", "host"]);
    const id = makeExtra(world);
    if (id === undefined) return;
    this.note(`${id} is made, and removed at its ${action}, and the ${what} dies there`);
    if (action === "stop") this.later(this.random.between(3000, 10_000), () => removeExtras(world));
    const watching = world.watch.deeds.length;
    const look = () => {
      const deed = world.watch.deeds
        .slice(watching)
        .find(({ call }) => call.action === action && call.instance === id);
      if (!deed) return this.later(20, look);
      if (action === "start") this.later(this.random.between(0, 300), () => removeExtras(world));
      this.later(this.random.between(0, 300), () => this.die(deed.host, what));
    };
    look();
  }

  /** A process dies just when an agent changes something. */
  killInTheMiddle(): void {
    const action = this.random.pick(["promote", "promote", "start", "stop", "demote", "migrate_to"]);
    const what = this.random.pick<Mortality>(["daemon", "daemon", "manager", "executor", "host"]);
    const afterMs = this.random.chance(0.5) ? 0 : this.random.between(0, 300);
    this.note(`the ${what} of whoever does the next ${action} dies`);
    const watching = this.world.watch.deeds.length;
    const look = () => {
      const deed = this.world.watch.deeds.slice(watching).find(({ call }) => call.action === action);
      if (!deed) return this.later(20, look);
      this.later(afterMs, () => this.die(deed.host, what));
    };
    look();
  }

  /** The leader goes just when what it has given out is under way: in order, with its manager, daemon or host. */
  leaderGoes(): void {
    const how = this.random.pick(["in order", "manager", "daemon", "daemon for long", "host"] as const);
    const afterMs = this.random.chance(0.5) ? 0 : this.random.between(0, 500);
    this.note(`the leader goes (${how}) in the middle of its next transition`);
    const watching = this.world.watch.deeds.length;
    const look = () => {
      if (this.world.watch.deeds.length === watching) return this.later(20, look);
      this.later(afterMs, () => this.leaderIsGone(how));
    };
    look();
  }

  private leaderIsGone(how: "in order" | "manager" | "daemon" | "daemon for long" | "host"): void {
    const leader = this.world.leaders()[0];
    const host = this.upNodes.find((node) => this.world.daemon(node)?.manager === leader);
    if (!host) return;
    if (how === "in order") this.drainHost(host);
    else if (how === "daemon for long") this.daemonDies(host, this.random.between(2500, 20_000));
    else this.die(host, how);
  }

  die(host: Host, what: Mortality): void {
    this.note(`${what} of ${host.name} dies`);
    const daemon = this.world.daemon(host);
    if (what === "host") return this.crashHost(host);
    if (what === "daemon" || !daemon) this.daemonDies(host, this.random.between(100, 700));
    else if (what === "manager") daemon.killManager();
    else daemon.killExecutor();
  }

  crash(): void {
    const up = this.world.nodes.filter(({ powered }) => powered);
    if (up.length > 0) this.crashHost(this.random.pick(up));
  }

  crashRemote(): void {
    const host = this.far();
    if (host) this.crashHost(host);
  }

  private crashHost(host: Host): void {
    const again = this.random.chance(0.8) ? this.random.between(1000, 30_000) : undefined;
    this.note(`${host.name} loses its power${again === undefined ? "" : ` for ${again} ms`}`);
    this.world.crash(host);
    this.world.watch.unseenFor(LOST_REMOTE_MS);
    // Guests come back with their container.
    if (again !== undefined && host.kind !== "guest") this.later(again, () => this.world.hostOn(host));
  }

  partition(): void {
    const { world } = this;
    const hosts = world.hosts.filter(({ kind }) => kind !== "guest");
    const parts = new Map(
      hosts.map((host) => [host, this.random.between(0, this.random.chance(0.2) ? 2 : 1)]),
    );
    this.note("the network falls apart");
    world.divide(parts);
    const ms = this.random.chance(0.4) ? this.random.between(100, 2500) : this.random.between(2500, 40_000);
    this.later(ms, () => {
      this.note("the network is whole");
      world.divide(new Map());
    });
  }

  /** A node leaves in order, and comes back. */
  drain(): void {
    const host = this.node();
    if (host) this.drainHost(host);
  }

  drainHost(host: Host): void {
    this.note(`${host.name} is asked to leave`);
    this.world.daemon(host)?.drain();
    const back = () => {
      if (this.world.daemon(host)) return;
      this.note(`${host.name} is started again`);
      this.world.startDaemon(host);
    };
    this.later(this.random.between(3000, 90_000), back);
  }

  /** A node is asked to leave, and its daemon dies over it: the one that is started then has not been asked. */
  wishIsLost(): void {
    const host = this.node();
    if (!host) return;
    this.drainHost(host);
    this.later(this.random.between(0, 1500), () => {
      if (this.world.daemon(host)) this.daemonDies(host, this.random.between(100, 700));
    });
  }

  /** The token takes its time: what is said and what is heard are far apart. */
  slowRing(): void {
    const { order } = this.world;
    order.slowMs = this.random.between(20, 250);
    this.note(`the ring is slow (${order.slowMs} ms)`);
    this.later(this.random.between(2000, 20_000), () => {
      order.slowMs = 0;
    });
  }

  /** Tools on all nodes have something to say again and again, and managers die over it. */
  chatter(): void {
    this.note("all have much to say");
    const until = this.world.clock.now + this.random.between(300, 1500);
    const every = this.random.between(3, 30);
    // What one of them has missed is missed for good.
    const count = (host: Host) => {
      if (host.powered) this.world.tool(host, [{ node: host.name, name: "count", value: "value++" }]);
      if (this.world.clock.now < until) this.later(this.random.between(1, 2 * every), () => count(host));
    };
    for (const host of this.world.nodes) count(host);
    for (let n = this.random.between(1, 4); n > 0; n--)
      this.later(this.random.between(0, 1000), () => this.killManagers(1));
  }

  /** A manager dies, and the next one is long in coming; others die meanwhile, who have seen it go. */
  lateManager(): void {
    const up = this.random.shuffle(this.upNodes);
    const [late, ...others] = up;
    if (!late) return;
    const most = this.random.chance(0.3) ? 20_000 : 6000;
    late.managerBootMs = [1000, most];
    this.note(`the manager of ${late.name} dies, and the next one takes up to ${most} ms`);
    this.world.daemon(late)?.killManager();
    this.later(most, () => {
      late.managerBootMs = MANAGER_BOOT_MS;
    });
    let at = 0;
    for (const host of others) {
      at += this.random.between(0, 600);
      if (this.random.chance(0.7))
        this.later(at, () => {
          this.note(`the manager of ${host.name} dies, too`);
          this.world.daemon(host)?.killManager();
        });
    }
    if (this.random.chance(0.5)) this.later(at, () => this.breakService());
  }

  /** Executors die while much is given out to them. */
  executorsOneAfterTheOther(): void {
    this.world.request((request) => ({ type: "forget-request", request, failuresOnly: false }));
    for (let n = this.random.between(1, 4); n > 0; n--)
      this.later(this.random.between(0, 1500), () => this.killExecutor());
  }

  /** The network falls apart, no part can switch the other off, and what happens on a remote host only some hear of. */
  partsMeet(): void {
    this.partition();
    this.mood();
    for (let n = this.random.between(1, 3); n > 0; n--)
      this.later(this.random.between(2000, 20_000), () => this.breakService());
  }

  /** A host loses its power, and whoever switches it off dies just then. */
  fencerDies(): void {
    const { world } = this;
    const up = this.upNodes;
    if (up.length < 2) return;
    this.crashHost(this.random.pick(up));
    const asked = world.power.asked;
    const look = () => {
      const { askedBy } = world.power;
      if (world.power.asked === asked || !askedBy) return this.later(20, look);
      this.later(this.random.between(0, 150), () =>
        this.die(askedBy, this.random.pick(["manager", "daemon", "daemon"])),
      );
    };
    look();
  }

  /** A host's clock is set, forwards or back; mostly it is set right again. */
  clockStep(): void {
    const host = this.random.pick(this.world.hosts);
    const seconds = this.random.pick([2, 60, 3600, 100_000]) * (this.random.chance(0.5) ? 1 : -1);
    this.note(`the clock of ${host.name} is set by ${seconds} s`);
    host.clockAhead += seconds;
    if (this.random.chance(0.5)) this.breakService();
    this.later(this.random.between(1000, 30_000), () => {
      if (this.random.chance(0.3)) return;
      this.note(`the clock of ${host.name} is right again`);
      host.clockAhead = 0;
    });
  }

  scores(): void {
    const host = this.random.pick(this.world.nodes);
    const value = String(this.random.between(1, 60));
    this.note(`promotion score of db on ${host.name} is ${value}`);
    const updates = [{ node: nodeName(host.name), name: "master-db", value }];
    this.world.request((request) => ({ type: "attribute-request", request, updates }));
  }

  cleanup(): void {
    const failuresOnly = this.random.chance(0.5);
    const some = this.random.pick([null, "db", "app", "ip", "one", "a", "m1"]);
    const on = this.random.chance(0.5) ? undefined : this.random.pick(this.world.nodes).name;
    this.note(`${failuresOnly ? "cleanup" : "refresh"} of ${some ?? "all"} on ${on ?? "all"}`);
    this.world.request((request) => ({
      type: "forget-request",
      request,
      failuresOnly,
      ...(some === null ? {} : { rsc: resourceId(some) }),
      ...(on === undefined ? {} : { node: on }),
    }));
  }

  /** A service dies, and while it is recovered its failure is forgotten, mostly while the first monitor is under way. */
  cleanupInTheMiddle(): void {
    this.breakService();
    const action = this.random.pick(["start", "start", "promote", "stop"]);
    const watching = this.world.watch.deeds.length;
    const look = () => {
      const deed = this.world.watch.deeds.slice(watching).find(({ call }) => call.action === action);
      if (!deed) return this.later(20, look);
      const { call } = deed;
      const rsc = resourceId(call.rsc);
      const failuresOnly = this.random.chance(0.3);
      this.note(`${rsc} is cleaned up while it is recovered`);
      for (let n = this.random.between(1, 4); n > 0; n--)
        this.later(this.random.between(0, 600), () =>
          this.world.request((request) => ({ type: "forget-request", request, failuresOnly, rsc })),
        );
    };
    look();
  }

  cloneMax(): void {
    if (this.clones.size === 0) return;
    const [id, statement] = this.random.pick([...this.clones]);
    const most = this.random.between(1, this.world.nodes.length);
    this.note(`clone-max of ${id} is ${most}`);
    this.world.configure(statement.replace(/clone-max=\d+/, `clone-max=${most}`));
  }

  /** `crm resource ban`, or `move`. */
  ban(): void {
    const rsc = this.random.pick(movable(this.world));
    const host = this.random.pick(this.world.nodes);
    const score = this.random.chance(0.6) ? "-inf" : "inf";
    const id = `ban-${rsc}`;
    this.note(`${rsc} ${score}: ${host.name}`);
    if (!this.world.configure(`location ${id} ${rsc} ${score}: ${host.name}`)) return;
    const clear = () =>
      this.world.change([{ op: "delete", scope: "constraints", xml: `<rsc_location id="${id}"/>` }]);
    if (this.random.chance(0.5)) this.later(this.random.between(500, 20_000), clear);
  }

  standby(): void {
    const host = this.random.pick(this.world.nodes);
    const node = this.world.plan.nodes.find(({ name }) => name === host.name);
    const set = (value: string) =>
      this.world.configure(`node ${node?.id}: ${host.name} attributes standby=${value}`);
    this.note(`${host.name} is on standby`);
    if (!set("on")) return;
    if (this.random.chance(0.7)) this.later(this.random.between(300, 15_000), () => set("off"));
  }

  /** A service dies by itself. */
  breakService(): void {
    const running = this.world.hosts.flatMap((host) =>
      [...host.services.keys()].map((instance) => ({ host, instance })),
    );
    if (running.length === 0) return;
    const { host, instance } = this.random.pick(running);
    this.note(`${instance} dies on ${host.name}`);
    this.world.serviceDies(host, instance);
  }

  mood(): void {
    const mood = this.random.pick<PowerMood>(["slow", "fails", "moody"]);
    this.note(`the power switch ${mood}`);
    this.world.power.mood = mood;
    this.later(this.random.between(5000, 60_000), () => {
      this.world.power.mood = "works";
    });
  }

  unreliability(): void {
    this.world.unreliable = this.random.unit() * 0.15;
    this.note(`agents fail in ${Math.round(this.world.unreliable * 100)} of 100`);
    this.later(this.random.between(3000, 30_000), () => {
      this.world.unreliable = 0;
    });
  }
}

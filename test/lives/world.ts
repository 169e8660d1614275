import type { AttributeUpdate } from "../../src/attributes/index.ts";
import { type CibOperation, child, formatXml, loadCrm } from "../../src/cib/index.ts";
import type { ConfiguredNode, ControllerEvent } from "../../src/controller/index.ts";
import { type NodeId, nodeName } from "../../src/terms/index.ts";
import { Random } from "../sim/random.ts";
import { serviceOf } from "./agents.ts";
import { Clock } from "./clock.ts";
import { Daemon } from "./daemon.ts";
import { ExecutorProcess } from "./executor-process.ts";
import { Host, type Role } from "./host.ts";
import type { ManagerProcess } from "./manager-process.ts";
import { Order } from "./order.ts";
import { PowerSwitch } from "./power.ts";
import { Watch } from "./watch.ts";

/** Whose rights nothing limits. */
const asked = { client: "test", user: "root", askers: [] } as const;

/** A tool that an agent has called looks again and again for a manager that is away, for so long. */
const TOOL_PATIENCE_MS = 10_000;
const TOOL_RETRY_MS = 100;

/** After this time every monitor has looked again; those of a bundle's containers take longer. */
export const MONITOR_MS = 12_000;
const CONTAINER_MONITOR_MS = 62_000;

/** What a world consists of. */
export interface WorldPlan {
  readonly seed: number;
  readonly nodes: readonly ConfiguredNode[];
  readonly remotes: readonly string[];
  readonly guests: readonly string[];
  /** The configuration that all nodes have on their disks, a whole `<cib>`. */
  readonly cib: string;
  readonly expectations: Expectations;
  /** Resources that no host runs: fence devices and connections. */
  readonly silent: readonly string[];
  readonly trace?: (text: string) => void;
}

/** What the outside knows of the configuration: how many owners there may be. */
export interface Expectations {
  /** At most one active instance in the cluster. */
  readonly single: readonly string[];
  /** At most so many promoted. */
  readonly promoted: Readonly<Record<string, number>>;
  /** Members of a group are on one node; at rest. */
  readonly together: readonly (readonly string[])[];
  /** The first is only where the second is promoted; at rest. */
  readonly withPromoted: readonly (readonly [rsc: string, promotable: string])[];
  /** What carries guests runs in none. */
  readonly carriers?: readonly string[];
  /** What runs only on these hosts, which run nothing else. */
  readonly inside?: Readonly<Record<string, readonly string[]>>;
  /** No agent begins with the second action while one is still at the first, or before it was done anywhere. */
  readonly orders: readonly Ordered[];
}

/** Actions of two resources of which one waits for the other. */
export interface Ordered {
  readonly first: { readonly action: "start" | "promote"; readonly rsc: string };
  readonly next: { readonly action: "start" | "promote"; readonly rsc: string };
}

/** A process that can be killed. */
export interface Mortal {
  readonly name: string;
  readonly alive: boolean;
}

/**
 * Whole nodes on virtual time: hosts with their services, the real controllers, fencers and executor cores, an order of
 * messages as the ring keeps it, a power switch, a network that can be cut. All that happens follows from the seed.
 */
export class World {
  readonly clock = new Clock();
  readonly random: Random;
  /** How long decisions take that are computed elsewhere, and whether all are. */
  readonly planning: Random;
  readonly plansElsewhere: boolean;
  readonly order: Order;
  readonly power: PowerSwitch;
  readonly watch: Watch;
  readonly hosts: Host[] = [];
  readonly daemons = new Map<Host, Daemon>();
  readonly refusals: string[] = [];
  /** Resources that people have made, and remove again: none of them has more than one owner, nor one in the end. */
  readonly extras = new Set<string>();
  /** How often actions of agents fail. */
  unreliable = 0;
  /** The faults are over: a daemon that has left is started again. */
  mended = false;
  /** Whether hosts that boot start their daemon, by name. */
  readonly enabled = new Map<string, boolean>();
  /** Called after each effect of a process. */
  onEffect: ((process: Mortal, what: () => string) => void) | undefined;
  private ids = 0;
  private requests = 0;

  constructor(readonly plan: WorldPlan) {
    this.random = new Random(plan.seed);
    this.planning = new Random(plan.seed, 9);
    this.plansElsewhere = this.planning.chance(0.25);
    this.order = new Order(this.clock, this.random, { tokenMs: 1000, consensusMs: 1200 });
    this.power = new PowerSwitch(this);
    this.watch = new Watch(this);
    const add = (name: string, kind: Host["kind"]) => {
      const host = new Host(this, nodeName(name), kind, this.random.between(1, 15));
      if (kind === "node") host.disk.cib = plan.cib;
      // The installation was another boot.
      host.disk.bootFile = "installation";
      this.hosts.push(host);
      this.enabled.set(name, true);
    };
    for (const { name } of plan.nodes) add(name, "node");
    for (const name of plan.remotes) add(name, "remote");
    for (const name of plan.guests) add(name, "guest");
  }

  trace(text: string): void {
    this.plan.trace?.(`${(this.clock.now / 1000).toFixed(4).padStart(10)}  ${text}`);
  }

  nextId(): number {
    return ++this.ids;
  }

  host(name: string): Host {
    const found = this.hosts.find((host) => host.name === name);
    if (!found) throw new Error(`there is no host ${name}`);
    return found;
  }

  /** Cluster nodes, not remote ones. */
  get nodes(): Host[] {
    return this.hosts.filter(({ kind }) => kind === "node");
  }

  daemon(host: Host): Daemon | undefined {
    const daemon = this.daemons.get(host);
    return daemon?.alive ? daemon : undefined;
  }

  /** Managers that are in step with the others. */
  synced(): ManagerProcess[] {
    return this.nodes.flatMap((host) => {
      const manager = this.daemon(host)?.manager;
      return manager?.alive && !manager.hangs && manager.view.phase === "synced" ? [manager] : [];
    });
  }

  /** The managers that lead, one in each part. */
  leaders(): ManagerProcess[] {
    return this.synced().filter((manager) => manager.view.idle !== undefined);
  }

  quorate(members: readonly NodeId[], seenAll: boolean): boolean {
    const { length } = this.plan.nodes;
    // Two nodes: either alone, once it has seen the other (votequorum(5), two_node and wait_for_all).
    if (length === 2) return members.length === 2 || seenAll;
    return members.length * 2 > length;
  }

  // ── machines ─────────────────────────────────────────────────────────────────────────────────────────────

  hostOn(host: Host): void {
    if (host.powered) return;
    host.on();
    if (this.enabled.get(host.name))
      this.clock.after(this.random.between(300, 3000), () => {
        if (host.powered) this.startDaemon(host);
      });
  }

  /** The power fails: nobody is told. */
  crash(host: Host): void {
    if (!host.powered) return;
    this.watch.crashes(host, [host, ...this.hosts.filter(({ carrier }) => carrier === host)]);
    this.hostOff(host);
  }

  /** Whether a manager takes part together with that of a host, as it is now; for remote hosts whether they are there. */
  hears(manager: ManagerProcess, host: Host): boolean {
    if (host.kind !== "node") return host.executor?.alive === true;
    const daemon = this.daemon(host);
    return (
      daemon?.manager?.alive === true &&
      manager.view.membership?.participants.some(
        ({ nodeId, incarnation }) => nodeId === daemon.id && incarnation === daemon.incarnation,
      ) === true
    );
  }

  /** The power of a host, and of the guests that it carries, goes. */
  hostOff(host: Host): void {
    if (!host.powered) return;
    const guests = this.hosts.filter(({ carrier, powered }) => carrier === host && powered);
    host.off();
    this.daemons.get(host)?.kill();
    host.executor?.kill();
    host.carrier = undefined;
    this.watch.hostOff(host);
    for (const guest of guests) this.hostOff(guest);
  }

  /** Where a service is active, as whatever it was edited to. */
  active(service: string): { readonly host: Host; readonly role: Role }[] {
    return this.hosts.flatMap((host) =>
      [...host.services].flatMap(([instance, role]) =>
        serviceOf(instance) === service ? [{ host, role }] : [],
      ),
    );
  }

  /** A service ends by itself, with the guest that it carries: its next monitor sees it. */
  serviceDies(host: Host, instance: string): void {
    this.watch.unseenFor(/-podman-\d+$/.test(instance) ? CONTAINER_MONITOR_MS : MONITOR_MS);
    host.become(instance, undefined);
    for (const guest of this.hosts)
      if (guest.carrier === host && guest.container === instance) this.hostOff(guest);
  }

  guestOn(guest: Host, carrier: Host, container: string): void {
    guest.carrier = carrier;
    guest.container = container;
    this.hostOn(guest);
  }

  startDaemon(host: Host): void {
    if (!host.powered) return;
    if (host.kind !== "node") {
      if (!host.executor?.alive) new ExecutorProcess(host, `r${this.nextId()}`).start();
      return;
    }
    const node = this.plan.nodes.find(({ name }) => name === host.name);
    if (!node || this.daemon(host)) return;
    // Nobody starts a second one beside one that is about to end.
    if (this.daemons.get(host)?.ending) {
      this.clock.after(100, () => this.startDaemon(host));
      return;
    }
    this.trace(`daemon of ${host.name} starts`);
    this.daemons.set(host, new Daemon(host, node.id));
  }

  /** The daemon dies, or a remote host's executor; it is started again after a while, if at all. */
  killDaemon(host: Host, againAfterMs: number | undefined, meanwhile?: () => void): void {
    if (host.kind === "node") this.daemon(host)?.kill();
    else host.executor?.kill();
    meanwhile?.();
    const { bootId } = host;
    if (againAfterMs !== undefined)
      this.clock.after(againAfterMs, () => {
        if (host.bootId === bootId) this.startDaemon(host);
      });
  }

  /** A daemon has ended by itself. */
  ended(host: Host, daemon: Daemon): void {
    // Another one may have been started while it went.
    if (this.daemons.get(host) !== daemon) return;
    this.daemons.delete(host);
    if (this.mended) this.clock.after(1000, () => this.startDaemon(host));
  }

  /** Cuts the network; hosts that are not named are in part 0. */
  divide(parts: ReadonlyMap<Host, number>): void {
    for (const host of this.hosts) host.part = parts.get(host) ?? 0;
    this.trace(`network: ${this.hosts.map(({ name, part }) => `${name}=${part}`).join(" ")}`);
    const partOf = new Map(this.plan.nodes.map(({ id, name }) => [id, this.host(name).part]));
    this.order.divide((id) => partOf.get(id) ?? 0);
  }

  effectDone(process: Mortal, what: () => string): void {
    this.onEffect?.(process, what);
  }

  // ── people and tools ─────────────────────────────────────────────────────────────────────────────────────

  /** An agent on a host sets attributes: its tool waits for a manager that is away, and gives up after a while. */
  tool(host: Host, updates: readonly AttributeUpdate[]): void {
    const event: ControllerEvent = { type: "attribute-request", request: "", updates };
    host.wishes.push({ event, until: this.clock.now + TOOL_PATIENCE_MS });
    if (host.wishes.length === 1) this.clock.after(0.5, () => this.tellWishes(host));
  }

  private tellWishes(host: Host): void {
    for (let wish = host.wishes[0]; wish; wish = host.wishes[0]) {
      if (this.clock.now <= wish.until && !this.told(host, wish.event)) {
        this.clock.after(TOOL_RETRY_MS, () => this.tellWishes(host));
        return;
      }
      host.wishes.shift();
    }
  }

  private told(host: Host, event: ControllerEvent): boolean {
    if (host.kind !== "node")
      return host.executor?.tell({ type: "tool", requestId: this.nextId(), request: event }) ?? false;
    const manager = this.daemon(host)?.manager;
    if (!manager?.alive || manager.hangs || manager.view.phase === "waiting") return false;
    manager.step(event);
    return true;
  }

  /** Some manager that can be asked; one that leads in a part with quorum, if there is one. */
  reachable(): ManagerProcess | undefined {
    const quorate = this.synced().filter(({ view }) => view.membership?.quorate);
    return quorate.find(({ view }) => view.idle !== undefined) ?? quorate[0] ?? this.synced()[0];
  }

  request(make: (id: string) => ControllerEvent, through = this.reachable()): boolean {
    if (!through?.alive) return false;
    through.step(make(`r${++this.requests}`));
    return true;
  }

  change(operations: readonly CibOperation[]): boolean {
    return this.request((request) => ({ type: "cib-request", request, operations, ...asked }));
  }

  /** Loads crm text on top of the configuration that is. */
  configure(text: string): boolean {
    const through = this.reachable();
    if (!through) return false;
    const configuration = child(through.view.cib, "configuration");
    const xml = formatXml(loadCrm(text, configuration, "update"), -1);
    return this.request(
      (request) => ({
        type: "cib-request",
        request,
        ...asked,
        operations: [{ op: "replace", scope: "configuration", xml }],
      }),
      through,
    );
  }

  /** Lets time pass. */
  run(ms: number): void {
    this.clock.run(ms);
  }
}

import type { RingCoreOptions } from "../../src/daemon/ring-core.ts";
import { type NodeId, nodeId } from "../../src/terms/index.ts";
import type { LinkMode, TotemOptions } from "../../src/totem/index.ts";
import { Invariants } from "./invariants.ts";
import { addressOf, Network, type Quality } from "./network.ts";
import { type ManagerHost, SimNode } from "./node.ts";
import { Random } from "./random.ts";
import { Schedule } from "./schedule.ts";
import { TrafficManager, type TrafficPlan } from "./traffic.ts";

/** What a run consisted of. */
export interface RunResult {
  readonly seed: number;
  readonly nodes: number;
  readonly virtualMs: number;
  readonly datagrams: number;
  readonly messages: number;
  readonly memberships: number;
  readonly rings: number;
}

export interface RunOptions {
  readonly seed: number;
  readonly trace?: (text: string) => void;
}

/** Constants of the protocol for a token timeout, as corosync.conf(5) computes them. */
export function totemOptionsFor(tokenMs: number): TotemOptions {
  const tokenRetransmitMs = Math.max(30, Math.floor(tokenMs / 4.2));
  return {
    tokenMs,
    tokenWarning: 75,
    tokenRetransmitMs,
    holdMs: Math.max(10, Math.floor(tokenRetransmitMs * 0.8 - 10)),
    joinMs: 50,
    sendJoinMs: 0,
    consensusMs: Math.floor(tokenMs * 1.2),
    mergeMs: 200,
    failRecvConst: 2500,
    seqnoUnchangedConst: 30,
    missCountConst: 5,
    windowSize: 50,
    maxMessages: 17,
    netmtu: 1500,
    cancelTokenHoldOnRetransmit: false,
  };
}

const KEY = new Uint8Array(128).fill(42);

/** A cluster made from a seed. Everything that happens in it follows from the seed. */
export class Scenario {
  readonly schedule = new Schedule();
  readonly random: Random;
  readonly network: Network;
  readonly nodes: SimNode[] = [];
  readonly invariants: Invariants;
  readonly tokenMs: number;
  private readonly links: number;
  private readonly seed: number;
  private readonly trace: (text: string) => void;
  private talking = true;

  constructor(options: RunOptions) {
    this.seed = options.seed;
    this.random = new Random(options.seed);
    const { random } = this;
    const count = random.chance(0.25) ? random.between(6, 16) : random.between(2, 5);
    this.links = random.chance(0.5) ? 1 : random.between(2, 3);
    this.tokenMs = random.pick([300, 300, 400, 1000]);
    const sink = options.trace;
    this.trace = sink ? (text) => sink(`${this.schedule.now.toFixed(3).padStart(11)}  ${text}`) : () => {};
    const base: Quality = {
      loss: random.pick([0, 0, 0, 0.01, 0.05]),
      duplicate: random.pick([0, 0, 0.02]),
      delayMs: random.pick([0.1, 0.3, 1, 5]),
      jitterMs: random.pick([0, 0.2, 2, 10]),
      cut: false,
      cloggedUntil: 0,
    };
    this.network = new Network(this.schedule, random, base);
    this.invariants = new Invariants({
      now: () => this.schedule.now,
      nodes: () => this.nodes,
      splitAllowed: false,
      tokenMs: this.tokenMs,
    });
    const traffic: TrafficPlan = {
      meanMs: random.pick([100, 500, 2000]) * count,
      burst: random.pick([1, 3, 20]),
      maxBytes: 400,
      large: random.pick([0, 0.02, 0.1]),
      largeBytes: random.pick([3000, 20_000]),
    };
    this.build(count, traffic);
    this.trace(`seed ${this.seed}: ${count} nodes, ${this.links} links, token ${this.tokenMs} ms`);
    this.trace(`network ${JSON.stringify(base)}, traffic ${JSON.stringify(traffic)}`);
  }

  /** Runs everything; throws a Violation when a promise is broken. */
  run(): RunResult {
    const { random, schedule } = this;
    for (const node of this.nodes) {
      schedule.after(random.chance(0.7) ? random.between(0, 50) : random.between(0, this.tokenMs * 3), () =>
        node.start(random.chance(0.9)),
      );
    }
    const faults = random.between(2, 12);
    const spell = this.tokenMs * random.between(1, 4);
    let at = this.tokenMs * 4;
    for (let n = 0; n < faults; n++) {
      schedule.after(at, () => this.disturb());
      at += random.unit() * spell;
    }
    schedule.runUntil(at);
    this.endFaults();
    // A pause may still last; two rounds of membership, then quiet.
    schedule.runUntil(schedule.now + this.tokenMs * 8);
    this.talking = false;
    schedule.runUntil(schedule.now + this.tokenMs * 4 + 1000);
    this.invariants.checkLiveness();
    const { messages, memberships, rings } = this.invariants.delivered;
    return {
      seed: this.seed,
      nodes: this.nodes.length,
      virtualMs: schedule.now,
      datagrams: this.network.sent,
      messages,
      memberships,
      rings,
    };
  }

  private build(count: number, traffic: TrafficPlan): void {
    const ids = Array.from({ length: count }, (_, at) => nodeId(at + 1));
    const mode = this.random.pick<LinkMode>(["passive", "active", "rr"]);
    for (const id of ids) {
      const talk = new Random(this.seed, id);
      this.nodes.push(
        new SimNode({
          options: this.nodeOptions(id, ids, mode),
          schedule: this.schedule,
          network: this.network,
          random: this.random,
          observer: this.invariants,
          makeManager: (host: ManagerHost) =>
            new TrafficManager(host, traffic, talk, this.invariants, () => this.talking),
          trace: this.trace,
        }),
      );
    }
  }

  private nodeOptions(self: NodeId, ids: readonly NodeId[], mode: LinkMode): RingCoreOptions {
    const numbers = Array.from({ length: this.links }, (_, link) => link);
    return {
      self,
      totem: totemOptionsFor(this.tokenMs),
      quorum: {
        votes: new Map(ids.map((id) => [id, 1])),
        twoNode: false,
        waitForAll: false,
        lastManStanding: false,
        lastManStandingWindowMs: 10_000,
        autoTieBreaker: false,
        autoTieBreakerNode: "lowest",
        allowDownscale: false,
      },
      links: {
        mode,
        links: numbers.map((number) => ({
          number,
          priority: 1,
          pingIntervalMs: this.tokenMs / 4,
          pingTimeoutMs: this.tokenMs / 2,
          pongCount: 2,
          pingPrecision: 2048,
        })),
        nodes: ids.map((node) => ({
          node,
          addresses: numbers.map((link) => ({ link, address: addressOf(link, node), port: 5405 + link })),
        })),
        blockUnlistedIps: true,
        reachLagMs: this.tokenMs,
      },
      key: KEY,
      configVersion: 1,
      agreement: [["token", String(this.tokenMs)]],
    };
  }

  /** One fault of a random kind; most of them end by themselves. */
  private disturb(): void {
    const { random } = this;
    const spell = this.tokenMs * (0.1 + random.unit() * 5);
    const node = random.pick(this.nodes);
    const fault = random.between(0, 11);
    switch (fault) {
      case 0:
      case 1:
        node.crash();
        this.schedule.after(random.chance(0.3) ? 5 : spell, () => node.start(random.chance(0.9)));
        return;
      case 2:
        node.pause(random.chance(0.3) ? this.tokenMs * 0.5 * random.unit() : spell);
        return;
      case 3:
        this.partition(spell);
        return;
      case 4:
        this.isolate(node.id, spell);
        return;
      case 5:
        this.oneWay(spell);
        return;
      case 6:
        this.worsen({ loss: random.pick([0.1, 0.2, 0.4]), duplicate: 0.1 }, spell);
        return;
      case 7:
        this.worsen({ delayMs: random.pick([5, 20]), jitterMs: random.pick([10, 60]) }, spell);
        return;
      case 8:
        this.clog(spell);
        return;
      case 9:
        node.stopManager(true);
        this.schedule.after(random.chance(0.3) ? 1 : spell, () => node.startManager());
        return;
      case 10:
        node.leave();
        this.schedule.after(spell + 50, () => node.start(true));
        return;
      case 11:
        this.attack();
        return;
    }
  }

  private endFaults(): void {
    this.trace("all faults end");
    this.network.heal();
    for (const node of this.nodes) {
      if (!node.isUp || node.leaving) {
        if (node.leaving) node.crash();
        node.start(true);
      } else if (!node.manager) {
        node.startManager();
      }
    }
    // What was planned for later must not disturb the quiet time: a second look when pauses are over.
    this.schedule.after(this.tokenMs * 5, () => {
      for (const node of this.nodes) {
        if (!node.isUp) node.start(true);
        if (!node.manager) node.startManager();
      }
    });
  }

  private eachWay(change: (way: Quality, link: number, from: number, to: number) => void): void {
    for (let link = 0; link < this.links; link++) {
      for (const from of this.nodes) {
        for (const to of this.nodes) {
          if (from !== to) change(this.network.way(link, from.id, to.id), link, from.id, to.id);
        }
      }
    }
  }

  private partition(spell: number): void {
    const side = new Set(this.random.some(this.nodes).map(({ id }) => id as number));
    const link =
      this.links > 1 && this.random.chance(0.3) ? this.random.between(0, this.links - 1) : undefined;
    this.trace(
      `nodes ${[...side]} are cut off${link === undefined ? "" : ` on link ${link}`} for ${spell} ms`,
    );
    const set = (cut: boolean) =>
      this.eachWay((way, on, from, to) => {
        if ((link === undefined || link === on) && side.has(from) !== side.has(to)) way.cut = cut;
      });
    set(true);
    this.schedule.after(spell, () => set(false));
  }

  private isolate(node: number, spell: number): void {
    this.trace(`node ${node} is cut off for ${spell} ms`);
    const set = (cut: boolean) =>
      this.eachWay((way, _link, from, to) => {
        if (from === node || to === node) way.cut = cut;
      });
    set(true);
    this.schedule.after(spell, () => set(false));
  }

  private oneWay(spell: number): void {
    const [from, to] = this.random.shuffle(this.nodes);
    if (!from || !to) return;
    const both = this.random.chance(0.4);
    this.trace(`the way ${from.id} ${both ? "<->" : "->"} ${to.id} is cut for ${spell} ms`);
    const set = (cut: boolean) => {
      for (let link = 0; link < this.links; link++) {
        this.network.way(link, from.id, to.id).cut = cut;
        if (both) this.network.way(link, to.id, from.id).cut = cut;
      }
    };
    set(true);
    this.schedule.after(spell, () => set(false));
  }

  private worsen(change: Partial<Quality>, spell: number): void {
    this.trace(`the network is worse for ${spell} ms: ${JSON.stringify(change)}`);
    this.eachWay((way) => Object.assign(way, change));
    this.schedule.after(spell, () => {
      const { loss, duplicate, delayMs, jitterMs } = this.network.base;
      this.eachWay((way) => Object.assign(way, { loss, duplicate, delayMs, jitterMs }));
    });
  }

  private clog(spell: number): void {
    const node = this.random.pick(this.nodes).id;
    const until = this.schedule.now + Math.min(spell, this.tokenMs * 1.5);
    this.trace(`everything to node ${node} is clogged until ${until.toFixed(1)}`);
    this.eachWay((way, _link, _from, to) => {
      if (to === node) way.cloggedUntil = until;
    });
  }

  private attack(): void {
    this.trace("recorded datagrams are sent again, and garbage");
    const [from, to] = this.random.shuffle(this.nodes);
    for (let n = 0; n < 50; n++) {
      this.schedule.after(this.random.unit() * this.tokenMs, () => {
        this.network.replay();
        if (from && to) {
          this.network.garbage(0, from.id, to.id, this.random.bytes(this.random.between(0, 100)));
        }
      });
    }
  }
}

/** Runs the scenario of a seed. */
export function runSeed(options: RunOptions): RunResult {
  return new Scenario(options).run();
}

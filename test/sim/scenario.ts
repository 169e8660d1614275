import type { QuorumOptions } from "../../src/quorum/index.ts";
import type { LinkMode } from "../../src/totem/index.ts";
import { SimCluster, type SimPlan } from "./cluster.ts";
import type { Quality } from "./network.ts";
import { Random } from "./random.ts";
import { TrafficManager } from "./traffic.ts";

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
  /** Few nodes and few faults: many runs in a short time. */
  readonly small?: boolean;
  readonly trace?: (text: string) => void;
}

/** Token timeouts from the end of the faults to silence, and the quiet time after it. */
const RECOVERY_TOKENS = 8;

/** Runs what a seed stands for; throws a Violation when a promise is broken. */
export function runSeed(options: RunOptions): RunResult {
  return new Scenario(options).run();
}

function planOf({ seed, small = false, trace }: RunOptions): SimPlan {
  const random = new Random(seed, small ? 2 : 1);
  const nodes = small
    ? random.between(2, 4)
    : random.chance(0.15)
      ? random.between(6, 16)
      : random.between(2, 5);
  const links = random.chance(small ? 0.8 : 0.5) ? 1 : random.between(2, 3);
  const delayMs = random.pick([0.1, 0.3, 1, 5]);
  const jitterMs = random.pick([0, 0.2, 2, 10]);
  // A rotation has to fit into the token timeout several times (that is what token_coefficient is for).
  const rotationMs = nodes * (delayMs + jitterMs / 2);
  const tokenMs = Math.max(small ? 200 : random.pick([300, 300, 400, 1000]), Math.ceil(rotationMs * 12));
  return {
    seed,
    nodes,
    links,
    mode: random.pick<LinkMode>(["passive", "active", "rr"]),
    priorities: Array.from({ length: links }, () => random.between(0, 2)),
    tokenMs,
    pingIntervalMs: tokenMs / random.pick([1, 2, 4]),
    network: {
      loss: random.pick([0, 0, 0, 0.01, 0.05]),
      duplicate: random.pick([0, 0, 0.02]),
      delayMs,
      jitterMs,
      cut: false,
      cloggedUntil: 0,
    },
    traffic: {
      meanMs: random.pick([100, 500, 2000]) * nodes,
      burst: random.pick([1, 3, 20]),
      maxBytes: 400,
      large: random.pick([0, 0.02, 0.1]),
      largeBytes: random.pick([3000, 20_000]),
    },
    quorum: quorumOf(random, nodes, tokenMs),
    ...(trace ? { trace } : {}),
  };
}

function quorumOf(random: Random, nodes: number, tokenMs: number): Partial<QuorumOptions> {
  if (nodes === 2 && random.chance(0.5)) return { twoNode: true, waitForAll: true };
  const rules: Partial<QuorumOptions>[] = [
    {},
    {},
    { waitForAll: true },
    { autoTieBreaker: true, autoTieBreakerNode: random.pick(["lowest", "highest"]) },
    { lastManStanding: true, lastManStandingWindowMs: tokenMs * 2, waitForAll: true },
    { lastManStanding: true, lastManStandingWindowMs: tokenMs, waitForAll: true, autoTieBreaker: true },
  ];
  return random.pick(rules);
}

/** A cluster with random faults. Everything that happens in it follows from the seed. */
class Scenario {
  private readonly cluster: SimCluster;
  private readonly random: Random;
  private readonly seed: number;

  private readonly small: boolean;

  constructor(options: RunOptions) {
    const { seed } = options;
    this.seed = seed;
    this.small = options.small ?? false;
    this.cluster = new SimCluster(planOf(options));
    this.random = this.cluster.random;
    const { traffic, network, quorum, nodes, links, mode, tokenMs } = this.cluster.plan;
    this.cluster.trace(`seed ${seed}: ${JSON.stringify({ nodes, links, mode, tokenMs, quorum })}`);
    this.cluster.trace(`network ${JSON.stringify(network)}, traffic ${JSON.stringify(traffic)}`);
  }

  run(): RunResult {
    const { random, cluster } = this;
    const { tokenMs } = cluster.plan;
    for (const node of cluster.nodes) {
      const delay = random.chance(0.7) ? random.between(0, 50) : random.between(0, tokenMs * 3);
      cluster.schedule.after(delay, () => node.start(random.chance(0.9)));
    }
    const faults = this.small ? random.between(1, 4) : random.between(2, 12);
    const spell = tokenMs * random.between(1, 4);
    let at = tokenMs * 4;
    for (let n = 0; n < faults; n++) {
      cluster.schedule.after(at, () => this.disturb());
      at += random.unit() * spell;
    }
    cluster.run(at);
    this.endFaults();
    cluster.run(tokenMs * RECOVERY_TOKENS);
    cluster.settle();
    const { messages, memberships, rings } = cluster.invariants.delivered;
    return {
      seed: this.seed,
      nodes: cluster.nodes.length,
      virtualMs: cluster.schedule.now,
      datagrams: cluster.network.sent,
      messages,
      memberships,
      rings,
    };
  }

  /** One fault of a random kind; most of them end by themselves. */
  private disturb(): void {
    const { random } = this;
    const { tokenMs } = this.cluster.plan;
    const spell = tokenMs * (0.1 + random.unit() * 5);
    const node = random.pick(this.cluster.nodes);
    const later = (run: () => void, ms = spell) => this.cluster.schedule.after(ms, run);
    switch (random.between(0, 17)) {
      case 0:
      case 1:
        node.crash();
        later(() => node.start(random.chance(0.9)), random.chance(0.3) ? 5 : spell);
        return;
      case 2:
        node.pause(random.chance(0.3) ? tokenMs * 0.5 * random.unit() : spell);
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
        later(() => node.startManager(), random.chance(0.3) ? 1 : spell);
        return;
      case 10:
        node.leave();
        later(() => node.start(true), spell + 50);
        return;
      case 11:
        this.attack();
        return;
      case 12:
        this.powerCut(spell);
        return;
      case 13:
        this.pauseMany();
        return;
      case 14:
      case 15:
        this.storm(spell);
        return;
      case 16:
        node.receive({ type: "set-expected-votes", votes: this.cluster.nodes.length });
        return;
      case 17:
        this.reload();
        return;
    }
  }

  private endFaults(): void {
    const { cluster } = this;
    cluster.trace("all faults end");
    cluster.network.heal();
    const bringBack = () => {
      for (const node of cluster.nodes) {
        if (node.leaving) node.crash();
        if (!node.isUp) node.start(true);
        if (!node.manager) node.startManager();
      }
    };
    bringBack();
    // What was planned before may still come: a second look when the longest spell is over.
    cluster.schedule.after(cluster.plan.tokenMs * 5.2, bringBack);
  }

  private partition(spell: number): void {
    const { cluster, random } = this;
    const side = random.some(cluster.nodes).map(({ id }) => id as number);
    const link =
      cluster.plan.links > 1 && random.chance(0.3) ? random.between(0, cluster.plan.links - 1) : undefined;
    cluster.trace(`nodes ${side} are cut off${link === undefined ? "" : ` on link ${link}`} for ${spell} ms`);
    cluster.cut(side, true, link);
    cluster.schedule.after(spell, () => cluster.cut(side, false, link));
  }

  private isolate(node: number, spell: number): void {
    this.cluster.trace(`node ${node} is cut off for ${spell} ms`);
    this.cluster.cut([node], true);
    this.cluster.schedule.after(spell, () => this.cluster.cut([node], false));
  }

  private oneWay(spell: number): void {
    const { cluster, random } = this;
    const [from, to] = random.shuffle(cluster.nodes);
    if (!from || !to) return;
    const both = random.chance(0.4);
    cluster.trace(`the way ${from.id} ${both ? "<->" : "->"} ${to.id} is cut for ${spell} ms`);
    const set = (cut: boolean) => {
      cluster.cutWay(from.id, to.id, cut);
      if (both) cluster.cutWay(to.id, from.id, cut);
    };
    set(true);
    cluster.schedule.after(spell, () => set(false));
  }

  private worsen(change: Partial<Quality>, spell: number): void {
    const { cluster } = this;
    cluster.trace(`the network is worse for ${spell} ms: ${JSON.stringify(change)}`);
    cluster.eachWay((way) => Object.assign(way, change));
    cluster.schedule.after(spell, () => {
      const { loss, duplicate, delayMs, jitterMs } = cluster.network.base;
      cluster.eachWay((way) => Object.assign(way, { loss, duplicate, delayMs, jitterMs }));
    });
  }

  private clog(spell: number): void {
    const { cluster, random } = this;
    const node = random.pick(cluster.nodes).id;
    const until = cluster.schedule.now + Math.min(spell, cluster.plan.tokenMs * 1.5);
    cluster.trace(`everything to node ${node} is clogged until ${until.toFixed(1)}`);
    cluster.eachWay((way, _link, _from, to) => {
      if (to === node) way.cloggedUntil = until;
    });
  }

  private attack(): void {
    const { cluster, random } = this;
    cluster.trace("recorded datagrams are sent again, and garbage");
    const [from, to] = random.shuffle(cluster.nodes);
    for (let n = 0; n < 50; n++) {
      cluster.schedule.after(random.unit() * cluster.plan.tokenMs, () => {
        cluster.network.replay();
        if (from && to) cluster.network.garbage(0, from.id, to.id, random.bytes(random.between(0, 100)));
      });
    }
  }

  /** Everybody talks, some hear only half of it, and in the middle of that the network falls apart or a node dies. */
  private storm(spell: number): void {
    const { cluster, random } = this;
    const { tokenMs } = cluster.plan;
    cluster.trace("everybody talks while the network falls apart");
    for (const { manager } of cluster.nodes)
      if (manager instanceof TrafficManager) manager.burst(random.between(1, 15));
    const deaf = new Set(random.some(cluster.nodes).map(({ id }) => id as number));
    const loss = random.pick([0.3, 0.6, 0.9]);
    cluster.eachWay((way, _link, _from, to) => {
      if (deaf.has(to)) way.loss = loss;
    });
    const later = (ms: number, run: () => void) => cluster.schedule.after(ms, run);
    later(random.unit() * 40, () => {
      if (random.chance(0.5)) this.partition(spell);
      const victim = random.pick(cluster.nodes);
      if (random.chance(0.5)) {
        victim.crash();
        later(spell, () => victim.start(true));
      }
    });
    later(random.unit() * tokenMs * 2, () =>
      cluster.eachWay((way) => {
        way.loss = cluster.network.base.loss;
      }),
    );
  }

  /** An administrator copies a changed file to all nodes and has them read it, one after the other. */
  private reload(): void {
    const { cluster, random } = this;
    const windowSize = random.between(20, 80);
    for (const node of cluster.nodes) {
      const { self: _self, key: _key, ...before } = node.options;
      const change = {
        ...before,
        totem: { ...before.totem, windowSize },
        agreement: [["window_size", String(windowSize)]] as const,
        configVersion: before.configVersion + 1,
      };
      node.options = { ...node.options, ...change };
      cluster.schedule.after(random.unit() * cluster.plan.tokenMs, () => {
        // It reads what is in the file by then.
        const { self: _me, key: _secret, ...now } = node.options;
        if (!node.leaving) node.receive({ type: "reconfigure", change: now });
      });
    }
  }

  /** Several nodes lose power at once, and come back one by one. */
  private powerCut(spell: number): void {
    const { cluster, random } = this;
    for (const node of random.some(cluster.nodes)) {
      node.crash();
      cluster.schedule.after(spell * random.unit(), () => node.start(random.chance(0.9)));
    }
  }

  /** The host of several nodes is overloaded: short pauses here and there. */
  private pauseMany(): void {
    const { cluster, random } = this;
    for (const node of random.some(cluster.nodes)) {
      for (let n = random.between(1, 4); n > 0; n--) {
        cluster.schedule.after(random.unit() * cluster.plan.tokenMs * 2, () =>
          node.pause(random.unit() * cluster.plan.tokenMs * random.pick([0.3, 0.9, 1.5])),
        );
      }
    }
  }
}

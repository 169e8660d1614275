import type { Administrator } from "./administrator.ts";
import type { SimCluster } from "./cluster.ts";
import type { Quality } from "./network.ts";
import { TrafficManager } from "./traffic.ts";

/** Faults of machines and networks, one at a time or many; most of them end by themselves. */
export class Faults {
  private readonly cluster: SimCluster;
  private readonly administrator: Administrator;
  private readonly later: (ms: number, run: () => void) => void;

  constructor(
    cluster: SimCluster,
    administrator: Administrator,
    later: (ms: number, run: () => void) => void,
  ) {
    this.cluster = cluster;
    this.administrator = administrator;
    this.later = later;
  }

  /** One fault of a random kind. */
  disturb(): void {
    const { cluster, administrator } = this;
    const { random, plan } = cluster;
    const spell = plan.tokenMs * (0.1 + random.unit() * 5);
    const node = random.pick(cluster.nodes);
    const kinds: (readonly [weight: number, run: () => void])[] = [
      [4, () => this.crash(spell)],
      [2, () => node.pause(random.chance(0.3) ? plan.tokenMs * 0.5 * random.unit() : spell)],
      [3, () => this.partition(spell)],
      [2, () => this.isolate(node.id, spell)],
      [2, () => this.oneWay(spell)],
      [2, () => this.worsen({ loss: random.pick([0.1, 0.2, 0.4]), duplicate: 0.1 }, spell)],
      [2, () => this.worsen({ delayMs: random.pick([5, 20]), jitterMs: random.pick([10, 60]) }, spell)],
      [2, () => this.clog(spell)],
      [2, () => this.restartManager(spell)],
      [2, () => this.leave(spell)],
      [2, () => this.attack()],
      [2, () => this.powerCut(spell)],
      [2, () => this.pauseMany()],
      [4, () => this.storm(spell)],
      [2, () => this.disk(spell)],
      [1, () => this.lateTimers(spell)],
      [1, () => this.largeMessage()],
      [2, () => administrator.setExpectedVotes(node)],
      [2, () => administrator.reload()],
      [plan.links > 1 ? 2 : 0, () => administrator.changeLinks()],
      [2, () => administrator.changeNodes()],
      [3, () => administrator.rekey(node)],
      [1, () => administrator.estrange(node, spell)],
    ];
    random.weighted(kinds)();
  }

  /** All faults end, also those that were to last longer. */
  end(): void {
    const { cluster, administrator } = this;
    cluster.trace?.("all faults end");
    cluster.network.heal();
    administrator.finish();
    for (const node of cluster.nodes) {
      const { disk, clock } = node;
      if (disk.damaged) this.replaceDisk(node.id);
      disk.full = false;
      disk.slowestMs = 5;
      clock.latestMs = Math.min(clock.latestMs, 4);
      if (node.leaving) node.crash();
      node.resume();
      administrator.start(node);
      node.startManager();
    }
    administrator.helpWithKeys();
  }

  private crash(spell: number): void {
    const { random, nodes } = this.cluster;
    const node = random.pick(nodes);
    node.crash();
    this.later(random.chance(0.3) ? 5 : spell, () => this.administrator.start(node, random.chance(0.9)));
  }

  private restartManager(spell: number): void {
    const { random, nodes } = this.cluster;
    const node = random.pick(nodes);
    node.stopManager(true);
    this.later(random.chance(0.3) ? 1 : spell, () => node.startManager());
  }

  private leave(spell: number): void {
    const { random, nodes } = this.cluster;
    for (const node of random.chance(0.7) ? [random.pick(nodes)] : random.some(nodes)) {
      node.leave();
      this.later(spell + 50, () => this.administrator.start(node));
    }
  }

  private partition(spell: number): void {
    const { cluster } = this;
    const { random, plan } = cluster;
    const side = random.some(cluster.nodes).map(({ id }) => Number(id));
    const link = plan.links > 1 && random.chance(0.3) ? random.between(0, plan.links - 1) : undefined;
    cluster.trace?.(
      `nodes ${side} are cut off${link === undefined ? "" : ` on link ${link}`} for ${spell} ms`,
    );
    cluster.cut(side, true, link);
    this.later(spell, () => cluster.cut(side, false, link));
  }

  private isolate(node: number, spell: number): void {
    this.cluster.trace?.(`node ${node} is cut off for ${spell} ms`);
    this.cluster.cut([node], true);
    this.later(spell, () => this.cluster.cut([node], false));
  }

  private oneWay(spell: number): void {
    const { cluster } = this;
    const [from, to] = cluster.random.shuffle(cluster.nodes);
    if (!from || !to) return;
    const both = cluster.random.chance(0.4);
    cluster.trace?.(`the way ${from.id} ${both ? "<->" : "->"} ${to.id} is cut for ${spell} ms`);
    const set = (cut: boolean) => {
      cluster.cutWay(from.id, to.id, cut);
      if (both) cluster.cutWay(to.id, from.id, cut);
    };
    set(true);
    this.later(spell, () => set(false));
  }

  /** On all links or on one, everywhere or on the way to some nodes. */
  private worsen(change: Partial<Quality>, spell: number): void {
    const { cluster } = this;
    const { random, plan, network } = cluster;
    const link = plan.links > 1 && random.chance(0.5) ? random.between(0, plan.links - 1) : undefined;
    const deaf = random.chance(0.7) ? undefined : new Set(random.some(cluster.nodes).map(({ id }) => +id));
    const where = (on: number, to: number) =>
      (link === undefined || link === on) && (deaf === undefined || deaf.has(to));
    cluster.trace?.(`the network is worse for ${spell} ms: ${JSON.stringify({ ...change, link })}`);
    cluster.eachWay((way, on, _from, to) => {
      if (where(on, to)) Object.assign(way, change);
    });
    this.later(spell, () => {
      const { loss, duplicate, delayMs, jitterMs } = network.base;
      cluster.eachWay((way) => Object.assign(way, { loss, duplicate, delayMs, jitterMs }));
    });
  }

  private clog(spell: number): void {
    const { cluster } = this;
    const node = cluster.random.pick(cluster.nodes).id;
    const until = cluster.schedule.now + Math.min(spell, cluster.plan.tokenMs * 1.5);
    cluster.trace?.(`everything to node ${node} is clogged until ${until.toFixed(1)}`);
    cluster.eachWay((way, _link, _from, to) => {
      if (to === node) way.cloggedUntil = until;
    });
  }

  private attack(): void {
    const { cluster } = this;
    const { random, plan } = cluster;
    cluster.trace?.("recorded datagrams are sent again, and garbage");
    const [from, to] = random.shuffle(cluster.nodes);
    for (let n = 0; n < 30; n++) {
      this.later(random.unit() * plan.tokenMs, () => {
        cluster.network.replay();
        if (from && to) cluster.network.garbage(0, from.id, to.id, random.bytes(random.between(0, 100)));
      });
    }
  }

  /** Everybody talks, some hear only half of it, and in the middle of that the network falls apart or a node dies. */
  private storm(spell: number): void {
    const { cluster } = this;
    const { random, plan } = cluster;
    cluster.trace?.("everybody talks while the network falls apart");
    for (const { manager } of cluster.nodes)
      if (manager instanceof TrafficManager) manager.burst(random.between(1, 15));
    const deaf = new Set(random.some(cluster.nodes).map(({ id }) => Number(id)));
    const loss = random.pick([0.3, 0.6, 0.9]);
    cluster.eachWay((way, _link, _from, to) => {
      if (deaf.has(to)) way.loss = loss;
    });
    this.later(random.unit() * 40, () => {
      if (random.chance(0.5)) this.partition(spell);
      if (random.chance(0.5)) this.crash(spell);
    });
    this.later(random.unit() * plan.tokenMs * 2, () =>
      cluster.eachWay((way) => {
        way.loss = cluster.network.base.loss;
      }),
    );
  }

  /** Several nodes lose power at once, and come back one by one. */
  private powerCut(spell: number): void {
    const { random, nodes } = this.cluster;
    for (const node of random.chance(0.2) ? nodes : random.some(nodes)) {
      node.crash();
      this.later(spell * random.unit(), () => this.administrator.start(node, random.chance(0.9)));
    }
  }

  /** The host of several nodes is overloaded: short pauses here and there. */
  private pauseMany(): void {
    const { random, nodes, plan } = this.cluster;
    for (const node of random.some(nodes)) {
      for (let n = random.between(1, 4); n > 0; n--) {
        this.later(random.unit() * plan.tokenMs * 2, () =>
          node.pause(random.unit() * plan.tokenMs * random.pick([0.3, 0.9, 1.5])),
        );
      }
    }
  }

  /** A disk is slow, full, damaged or new. */
  private disk(spell: number): void {
    const { random, nodes, trace } = this.cluster;
    const node = random.pick(nodes);
    const { disk } = node;
    const kind = random.pick(["slow", "full", "damaged", "new"] as const);
    trace?.(`the disk of node ${node.id} is ${kind}`);
    if (kind === "slow") disk.slowestMs = spell;
    else if (kind === "full") disk.full = true;
    else {
      node.crash();
      if (kind === "damaged") disk.damaged = true;
      else this.replaceDisk(node.id);
    }
    this.later(spell, () => {
      disk.slowestMs = 5;
      disk.full = false;
      if (disk.damaged) this.replaceDisk(node.id);
      this.administrator.start(node);
    });
  }

  /** What a node has forgotten about earlier votes can be what kept two halves apart. */
  private replaceDisk(id: number): void {
    const { invariants, plan } = this.cluster;
    const node = this.cluster.node(id);
    node.disk.replace();
    invariants.onNewDisk(node);
    const { lastManStanding, allowDownscale, autoTieBreaker } = plan.quorum ?? {};
    if (lastManStanding || allowDownscale || autoTieBreaker || invariants.votesChanged)
      invariants.splitAllowed = true;
  }

  /** Timers come late. */
  private lateTimers(spell: number): void {
    const { random, nodes, plan } = this.cluster;
    const node = random.pick(nodes);
    const before = node.clock.latestMs;
    node.clock.latestMs = plan.tokenMs * random.pick([0.05, 0.1, 0.3]);
    this.later(spell, () => {
      node.clock.latestMs = before;
    });
  }

  /** A message of a hundred datagrams and more. */
  private largeMessage(): void {
    const { random, nodes } = this.cluster;
    const { manager } = random.pick(nodes);
    if (manager instanceof TrafficManager) manager.say(random.between(50_000, 200_000));
  }
}

import type { QuorumOptions } from "../../src/quorum/index.ts";
import type { LinkMode, TotemOptions } from "../../src/totem/index.ts";
import { WatchedCipher } from "./cipher.ts";
import { optionsOf, type SimFile } from "./file.ts";
import { Invariants } from "./invariants.ts";
import { Network, type Quality } from "./network.ts";
import { type Manager, type ManagerHost, SimNode } from "./node.ts";
import { Random } from "./random.ts";
import { Schedule } from "./schedule.ts";
import { TrafficManager, type TrafficPlan } from "./traffic.ts";

/** A cluster to simulate. */
export interface SimPlan {
  readonly seed: number;
  readonly nodes: number;
  /** Nodes of these that are not in the configuration at first. */
  readonly spare?: readonly number[];
  readonly links: number;
  /** Links of these that are in use at first; all when absent. */
  readonly linksUsed?: readonly number[];
  readonly mode: LinkMode;
  /** Priority of each link; equal when absent. */
  readonly priorities?: readonly number[];
  readonly tokenMs: number;
  /** Part of the token timeout; a quarter when absent. */
  readonly pingIntervalMs?: number;
  readonly constants?: Partial<TotemOptions>;
  readonly configVersion?: number;
  readonly network: Quality;
  readonly traffic: TrafficPlan;
  /** Votes of the nodes; one each when absent. */
  readonly votes?: Readonly<Record<number, number>>;
  /** Rules of quorum that differ from plain majority. */
  readonly quorum?: Partial<Omit<QuorumOptions, "votes">>;
  /** The token timeout is short for so many nodes so far apart. */
  readonly tight?: boolean;
  /** Datagrams are sealed with AES-256-GCM and not only with a checksum. */
  readonly realCipher?: boolean;
  /** What runs on the nodes in place of random traffic. */
  readonly makeManager?: (host: ManagerHost) => Manager;
  readonly trace?: (text: string) => void;
}

/** A network without faults. */
export const CALM: Quality = {
  loss: 0,
  duplicate: 0,
  delayMs: 0.2,
  jitterMs: 0.1,
  cut: false,
  cloggedUntil: 0,
};

/** Some small messages. */
export const CHATTER: TrafficPlan = { meanMs: 200, burst: 2, maxBytes: 300, large: 0, largeBytes: 0 };

/** The key that all nodes have at first. */
export const FIRST_KEY = new Uint8Array(128).fill(42);

/** Whole nodes on virtual time, watched by the invariants. */
export class SimCluster {
  readonly schedule = new Schedule();
  readonly random: Random;
  readonly network: Network;
  readonly nodes: SimNode[] = [];
  readonly invariants: Invariants;
  readonly plan: SimPlan;
  /** What the administrator has written last. */
  file: SimFile;
  /** The key that was adopted last, by whomever first. */
  newestKey: Uint8Array = FIRST_KEY;
  /** Whether the managers of random traffic go on sending. */
  talking = true;
  private readonly keys = new Set<string>();
  readonly trace: ((text: string) => void) | undefined;

  constructor(plan: SimPlan) {
    this.plan = plan;
    const { trace } = plan;
    this.trace = trace && ((text) => trace(`${this.schedule.now.toFixed(3).padStart(11)}  ${text}`));
    this.random = new Random(plan.seed);
    this.network = new Network(this.schedule, this.random, plan.network);
    this.file = firstFile(plan);
    this.invariants = new Invariants({
      now: () => this.schedule.now,
      nodes: () => this.nodes,
      configured: () => this.file.nodes,
      splitAllowed: plan.quorum?.twoNode === true,
      tokenMs: plan.tokenMs,
    });
    const cipher = new WatchedCipher(plan.realCipher ?? false);
    for (let id = 1; id <= plan.nodes; id++) {
      const talk = new Random(plan.seed, id);
      this.nodes.push(
        new SimNode({
          options: optionsOf(this.file, id, FIRST_KEY),
          schedule: this.schedule,
          network: this.network,
          random: this.random,
          observer: this.invariants,
          onAdopt: (key) => this.onAdopt(key),
          makeManager:
            plan.makeManager ??
            ((host) => new TrafficManager(host, plan.traffic, talk, this.invariants, () => this.talking)),
          cipher,
          trace: this.trace,
        }),
      );
    }
  }

  node(id: number): SimNode {
    const node = this.nodes[id - 1];
    if (!node) throw new Error(`there is no node ${id}`);
    return node;
  }

  startAll(): void {
    for (const node of this.nodes) node.start(true);
  }

  private onAdopt(key: Uint8Array): void {
    const name = Buffer.from(key).toString("latin1");
    if (!this.keys.has(name)) this.newestKey = key;
    this.keys.add(name);
  }

  /** Lets time pass. */
  run(ms: number): void {
    this.schedule.runUntil(this.schedule.now + ms);
  }

  /** Everything that is sent gets through to everybody; then the cluster has to be whole and silent. */
  settle(): void {
    this.talking = false;
    this.run(this.plan.tokenMs * 4 + 1000);
    this.invariants.checkLiveness();
  }

  eachWay(change: (way: Quality, link: number, from: number, to: number) => void): void {
    for (let link = 0; link < this.plan.links; link++) {
      for (const from of this.nodes) {
        for (const to of this.nodes) {
          if (from !== to) change(this.network.way(link, from.id, to.id), link, from.id, to.id);
        }
      }
    }
  }

  /** Cuts or mends what lies between two sets of nodes, on one link or on all. */
  cut(side: Iterable<number>, cut: boolean, link?: number): void {
    const here = new Set(side);
    this.eachWay((way, on, from, to) => {
      if ((link === undefined || link === on) && here.has(from) !== here.has(to)) way.cut = cut;
    });
  }

  /** Cuts or mends the way from one node to another on all links. */
  cutWay(from: number, to: number, cut: boolean): void {
    for (let link = 0; link < this.plan.links; link++) this.network.way(link, from, to).cut = cut;
  }
}

function firstFile(plan: SimPlan): SimFile {
  const ids = Array.from({ length: plan.nodes }, (_, at) => at + 1);
  const links = Array.from({ length: plan.links }, (_, link) => link);
  return {
    version: plan.configVersion ?? 1,
    nodes: ids.filter((id) => !plan.spare?.includes(id)),
    votes: plan.votes ?? {},
    links: plan.linksUsed ?? links,
    priorities: plan.priorities ?? [],
    mode: plan.mode,
    tokenMs: plan.tokenMs,
    pingIntervalMs: plan.pingIntervalMs ?? plan.tokenMs / 4,
    constants: plan.constants ?? {},
    quorum: plan.quorum ?? {},
  };
}

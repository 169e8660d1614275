import type { RingCoreOptions } from "../../src/daemon/ring-core.ts";
import type { QuorumOptions } from "../../src/quorum/index.ts";
import { type NodeId, nodeId } from "../../src/terms/index.ts";
import type { LinkMode, TotemOptions } from "../../src/totem/index.ts";
import { Invariants } from "./invariants.ts";
import { addressOf, Network, type Quality } from "./network.ts";
import { type Manager, type ManagerHost, SimNode } from "./node.ts";
import { Random } from "./random.ts";
import { Schedule } from "./schedule.ts";
import { TrafficManager, type TrafficPlan } from "./traffic.ts";

/** A cluster to simulate. */
export interface SimPlan {
  readonly seed: number;
  readonly nodes: number;
  readonly links: number;
  readonly mode: LinkMode;
  /** Priority of each link; equal when absent. */
  readonly priorities?: readonly number[];
  readonly tokenMs: number;
  /** Part of the token timeout; a quarter when absent. */
  readonly pingIntervalMs?: number;
  readonly network: Quality;
  readonly traffic: TrafficPlan;
  /** Rules of quorum that differ from plain majority with a vote a node. */
  readonly quorum?: Partial<QuorumOptions>;
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

/** Whole nodes on virtual time, watched by the invariants. */
export class SimCluster {
  readonly schedule = new Schedule();
  readonly random: Random;
  readonly network: Network;
  readonly nodes: SimNode[] = [];
  readonly invariants: Invariants;
  readonly plan: SimPlan;
  /** Whether the managers of random traffic go on sending. */
  talking = true;

  constructor(plan: SimPlan) {
    this.plan = plan;
    this.random = new Random(plan.seed);
    this.network = new Network(this.schedule, this.random, plan.network);
    this.invariants = new Invariants({
      now: () => this.schedule.now,
      nodes: () => this.nodes,
      splitAllowed: plan.quorum?.twoNode === true,
      tokenMs: plan.tokenMs,
    });
    const ids = Array.from({ length: plan.nodes }, (_, at) => nodeId(at + 1));
    for (const id of ids) {
      const talk = new Random(plan.seed, id);
      this.nodes.push(
        new SimNode({
          options: this.nodeOptions(id, ids),
          schedule: this.schedule,
          network: this.network,
          random: this.random,
          observer: this.invariants,
          makeManager:
            plan.makeManager ??
            ((host) => new TrafficManager(host, plan.traffic, talk, this.invariants, () => this.talking)),
          trace: (text) => this.trace(text),
        }),
      );
    }
  }

  trace(text: string): void {
    this.plan.trace?.(`${this.schedule.now.toFixed(3).padStart(11)}  ${text}`);
  }

  node(id: number): SimNode {
    const node = this.nodes[id - 1];
    if (!node) throw new Error(`there is no node ${id}`);
    return node;
  }

  startAll(): void {
    for (const node of this.nodes) node.start(true);
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

  private nodeOptions(self: NodeId, ids: readonly NodeId[]): RingCoreOptions {
    const { plan } = this;
    const numbers = Array.from({ length: plan.links }, (_, link) => link);
    return {
      self,
      totem: totemOptionsFor(plan.tokenMs),
      quorum: {
        votes: new Map(ids.map((id) => [id, 1])),
        twoNode: false,
        waitForAll: false,
        lastManStanding: false,
        lastManStandingWindowMs: 10_000,
        autoTieBreaker: false,
        autoTieBreakerNode: "lowest",
        allowDownscale: false,
        ...plan.quorum,
      },
      links: {
        mode: plan.mode,
        links: numbers.map((number) => ({
          number,
          priority: plan.priorities?.[number] ?? 1,
          pingIntervalMs: plan.pingIntervalMs ?? plan.tokenMs / 4,
          pingTimeoutMs: plan.tokenMs / 2,
          pongCount: 2,
          pingPrecision: 2048,
        })),
        nodes: ids.map((node) => ({
          node,
          addresses: numbers.map((link) => ({ link, address: addressOf(link, node), port: 5405 + link })),
        })),
        blockUnlistedIps: true,
        reachLagMs: plan.tokenMs,
      },
      key: KEY,
      configVersion: 1,
      agreement: [["token", String(plan.tokenMs)]],
    };
  }
}

import { Administrator } from "./administrator.ts";
import { SimCluster } from "./cluster.ts";
import { Faults } from "./faults.ts";
import { votesIn } from "./file.ts";
import { planOf } from "./plan.ts";
import { Violation } from "./violation.ts";

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

/**
 * Token timeouts, and time besides, from the end of the faults until everything has to be well; and how many times
 * longer it may take where messages wait and become fewer.
 */
const RECOVERY = { tokens: 12, ms: 5000, longer: 3 };
/** Token timeouts for which a healed cluster must not change any more. */
const STABLE_TOKENS = 6;

/** Runs what a seed stands for; throws a Violation when a promise is broken. */
export function runSeed(options: RunOptions): RunResult {
  return new Scenario(options).run();
}

/** A cluster with random faults. Everything that happens in it follows from the seed. */
class Scenario {
  private readonly cluster: SimCluster;
  private readonly administrator: Administrator;
  private readonly faults: Faults;
  private readonly seed: number;
  private faulty = true;

  constructor({ seed, trace }: RunOptions) {
    this.seed = seed;
    const cluster = new SimCluster(planOf(seed, trace));
    this.cluster = cluster;
    const later = (ms: number, run: () => void) => {
      cluster.schedule.after(ms, () => {
        if (this.faulty) run();
      });
    };
    this.administrator = new Administrator(cluster, later);
    this.faults = new Faults(cluster, this.administrator, later);
    const { nodes, tokenMs, network, traffic } = cluster.plan;
    cluster.trace?.(`seed ${seed}: ${JSON.stringify({ nodes, tokenMs, network, traffic })}`);
    cluster.trace?.(JSON.stringify(cluster.file));
  }

  run(): RunResult {
    this.begin();
    const { cluster } = this;
    const { random, plan } = cluster;
    const count = random.pick([1, 2, 3, 3, 4, 4, 6, 8, 12]);
    const spell = plan.tokenMs * random.between(1, 3);
    let at = plan.tokenMs * (random.chance(0.3) ? random.unit() * 2 : 3);
    for (let n = 0; n < count; n++) {
      cluster.schedule.after(at, () => this.faults.disturb());
      at += random.unit() * spell;
    }
    cluster.run(at);
    this.faulty = false;
    this.faults.end();
    this.recover();
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

  private begin(): void {
    const { cluster, administrator } = this;
    const { random, plan, invariants } = cluster;
    const { allowDownscale, expectedVotes } = plan.quorum ?? {};
    // Whoever crashes before it has noted how many votes there are expects as few as the file says.
    if (allowDownscale && expectedVotes !== undefined) invariants.splitAllowed = true;
    if (expectedVotes !== undefined || votesIn(cluster.file) === 0) invariants.quorumOptional = true;
    for (const node of cluster.nodes) {
      const { clock } = node;
      clock.rate = 1 + (random.unit() - 0.5) / 100;
      node.scattered = true;
      clock.latestMs = random.pick([0, 1, 1, 4]);
      const delay = random.chance(0.7) ? random.between(0, 50) : random.between(0, plan.tokenMs * 3);
      cluster.schedule.after(delay, () => administrator.start(node, random.chance(0.9)));
    }
  }

  /** The cluster has to become whole and silent, and in some of the runs to stay so. */
  private recover(): void {
    const { cluster } = this;
    const { plan, invariants, random } = cluster;
    const allowed = plan.tokenMs * RECOVERY.tokens + RECOVERY.ms;
    let end = cluster.schedule.now + allowed;
    const latest = end + allowed * RECOVERY.longer;
    cluster.run(plan.tokenMs);
    cluster.talking = false;
    let { rings } = invariants.delivered;
    while (cluster.schedule.now < end && invariants.unfinished()) {
      cluster.run(plan.tokenMs / 2);
      this.administrator.helpWithKeys();
      this.administrator.vouch();
      // While a ring lasts and what was said before goes out, a small window may take its time.
      if (invariants.waitingBytes() > 0 && invariants.delivered.rings === rings)
        end = Math.min(end + plan.tokenMs / 2, latest);
      ({ rings } = invariants.delivered);
    }
    invariants.checkLiveness();
    if (!random.chance(0.2) || plan.tight || !this.allLinksUp()) return;
    ({ rings } = invariants.delivered);
    cluster.run(plan.tokenMs * STABLE_TOKENS);
    invariants.checkLiveness();
    if (invariants.delivered.rings !== rings)
      throw new Violation("stable", "a healed ring has changed again");
  }

  /** A link that failed often is not trusted at once, so it may still change. */
  private allLinksUp(): boolean {
    return this.cluster.nodes.every((node) => {
      const links = node.core?.status().links.links ?? [];
      return links.every(({ up }) => up);
    });
  }
}

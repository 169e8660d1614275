import { FIRST_KEY, type SimCluster } from "./cluster.ts";
import { changeOf, optionsOf, type SimFile, votesIn } from "./file.ts";
import type { SimNode } from "./node.ts";

/** What an administrator does to a running cluster: rightly, and sometimes not. */
export class Administrator {
  private readonly cluster: SimCluster;
  private readonly later: (ms: number, run: () => void) => void;
  /** Files of nodes that have another cluster's, and are to get their own back. */
  private readonly strangers = new Map<number, SimNode["disk"]["keys"]>();

  /** `later`: runs something unless the time of faults is over by then. */
  constructor(cluster: SimCluster, later: (ms: number, run: () => void) => void) {
    this.cluster = cluster;
    this.later = later;
  }

  /** Starts a node, if it is one of the cluster. */
  start(node: SimNode, withManager = true): void {
    if (this.cluster.file.nodes.includes(node.id)) node.start(withManager);
  }

  /** Changes constants of the ring, mode and priorities of the links. */
  reload(): void {
    const { random, file, plan } = this.cluster;
    this.write({
      ...file,
      mode: random.pick(["passive", "active", "rr"]),
      priorities: Array.from({ length: plan.links }, () => random.between(0, 2)),
      constants: {
        ...file.constants,
        windowSize: random.between(20, 80),
        netmtu: random.pick([600, 1500, 9000]),
      },
    });
  }

  /** Takes a link into use or out of it. */
  changeLinks(): void {
    const { random, file, plan } = this.cluster;
    const idle = Array.from({ length: plan.links }, (_, link) => link).filter(
      (link) => !file.links.includes(link),
    );
    const add = idle.length > 0 && (file.links.length === 1 || random.chance(0.5));
    if (!add && file.links.length === 1) return;
    const links = add
      ? [...file.links, random.pick(idle)].sort((a, b) => a - b)
      : random.some(file.links).sort((a, b) => a - b);
    this.write({ ...file, links });
  }

  /** Adds a node or removes one, when the cluster looks healthy. */
  changeNodes(): void {
    const { random, file, nodes, plan } = this.cluster;
    if (plan.quorum?.twoNode || !this.looksHealthy()) return;
    const out = nodes.filter(({ id }) => !file.nodes.includes(id));
    if (out.length > 0 && (file.nodes.length < 3 || random.chance(0.6))) {
      const added = random.pick(out);
      // Whoever is new has not seen that more votes are expected than the file says, nor who goes on without it
      // when it breaks the tie of the new file alone (without wait_for_all).
      if (plan.quorum?.allowDownscale || plan.quorum?.autoTieBreaker)
        this.cluster.invariants.splitUntilWhole = true;
      // More than one vote at once could make a majority of the new file beside one of the old.
      const votes = { ...file.votes, [added.id]: Math.min(1, file.votes[added.id] ?? 1) };
      this.write({ ...file, votes, nodes: [...file.nodes, Number(added.id)].sort((a, b) => a - b) });
      this.later(random.unit() * plan.tokenMs, () => this.start(added));
    } else if (file.nodes.length > 2) {
      const removed = this.cluster.node(random.pick(file.nodes));
      this.cluster.trace?.(`node ${removed.id} is removed`);
      const when = random.between(0, 2);
      if (when === 0) removed.leave();
      else if (when === 1) removed.crash();
      this.write({ ...file, nodes: file.nodes.filter((id) => id !== removed.id) });
      if (when === 2) this.later(random.unit() * plan.tokenMs * 2, () => this.stopIfRemoved(removed));
    }
  }

  /**
   * Sets expected votes; to lower them where there is no quorum, or to say that no others than those present are
   * expected, is to vouch for the rest of the cluster.
   */
  setExpectedVotes(node: SimNode): void {
    const { random, file, invariants } = this.cluster;
    const state = node.core?.status().quorum;
    if (!state) return;
    const sum = votesIn(file);
    const votes = random.pick([sum, random.between(sum, sum * 2), random.between(1, sum)]);
    if (votes > sum) invariants.quorumOptional = true;
    const vouches = votes < state.expectedVotes || votes <= state.votes || invariants.votesChanged;
    if (vouches && !state.quorate) invariants.splitAllowed = true;
    if (votes !== sum) invariants.votesChanged = true;
    this.cluster.trace?.(`expected votes are set to ${votes} on node ${node.id}`);
    node.receive({ type: "set-expected-votes", votes });
  }

  /** Gives the cluster a new key, as the driver allows it. */
  rekey(node: SimNode): void {
    const status = node.core?.status();
    if (!status?.settled || !status.quorum.quorate || status.keyChange) return;
    this.cluster.trace?.(`node ${node.id} is told to change the key`);
    node.receive({ type: "rekey", key: this.cluster.random.bytes(32) });
  }

  /** A node comes up with the file or the key of another cluster. */
  estrange(node: SimNode, spell: number): void {
    const { random, file, invariants } = this.cluster;
    if (!file.nodes.includes(node.id) || this.strangers.size > 0) return;
    node.crash();
    this.strangers.set(node.id, node.disk.keys);
    const kind = random.between(0, file.version === 0 ? 1 : 2);
    if (kind === 0) node.disk.keys = { key: random.bytes(64), next: undefined };
    const other =
      kind === 1 ? { nodes: [...file.nodes, 99] } : kind === 2 ? { version: file.version + 50 } : {};
    node.options = optionsOf({ ...file, ...other }, node.id, FIRST_KEY);
    invariants.foreign.add(node.id);
    this.cluster.trace?.(`node ${node.id} gets a foreign ${["key", "node list", "config_version"][kind]}`);
    node.start(true);
    this.later(spell, () => {
      this.reconcile(node);
      this.start(node);
    });
  }

  /** Ends all of that: all nodes have the same file and key, and have read it; those that are no more are off. */
  finish(): void {
    const { nodes, file } = this.cluster;
    for (const node of nodes) {
      if (this.strangers.has(node.id)) this.reconcile(node);
      this.stopIfRemoved(node);
      if (file.nodes.includes(node.id) && node.core)
        node.receive({ type: "reconfigure", change: changeOf(file) });
    }
  }

  /** Whoever was away while the key was changed gets it by hand. */
  helpWithKeys(): void {
    const newest = this.cluster.newestKey;
    for (const node of this.cluster.nodes) {
      const { key, next } = node.disk.keys;
      if (same(key, newest) || (next && same(next, newest)) || !node.core) continue;
      this.cluster.trace?.(`node ${node.id} is given the key by hand`);
      node.crash();
      node.disk.keys = { key: newest, next: undefined };
      this.start(node);
    }
  }

  /**
   * Nodes with half of the votes and more were taken out of the file: the others were not quorate when they read it,
   * and somebody has to say that it is meant so.
   */
  vouch(): void {
    const { invariants, file } = this.cluster;
    const [first] = file.nodes;
    if (!invariants.votesChanged || first === undefined || !this.looksHealthy()) return;
    const node = this.cluster.node(first);
    const quorum = node.core?.status().quorum;
    if (quorum?.quorate === false) node.receive({ type: "set-expected-votes", votes: quorum.votes });
  }

  private reconcile(node: SimNode): void {
    const keys = this.strangers.get(node.id);
    if (!keys) return;
    node.crash();
    this.strangers.delete(node.id);
    this.cluster.invariants.foreign.delete(node.id);
    node.disk.keys = keys;
    node.options = optionsOf(this.cluster.file, node.id, FIRST_KEY);
  }

  private stopIfRemoved(node: SimNode): void {
    if (!this.cluster.file.nodes.includes(node.id)) node.crash();
  }

  /** Copies a changed file to all nodes and has them read it, one after the other. */
  private write(file: SimFile): void {
    const { cluster } = this;
    const before = cluster.file;
    cluster.file = { ...file, version: file.version === 0 ? 0 : file.version + 1 };
    if (file.nodes !== before.nodes) cluster.invariants.votesChanged = true;
    if (votesIn(cluster.file) === 0) cluster.invariants.quorumOptional = true;
    cluster.trace?.(`the file is changed: ${JSON.stringify(cluster.file)}`);
    for (const node of cluster.nodes) {
      if (this.strangers.has(node.id)) continue;
      node.options = optionsOf(cluster.file, node.id, FIRST_KEY);
      this.later(cluster.random.unit() * cluster.plan.tokenMs, () => {
        // It reads what is in the file by then; a file without itself it refuses.
        if (!cluster.file.nodes.includes(node.id) || this.strangers.has(node.id) || node.leaving) return;
        node.receive({ type: "reconfigure", change: changeOf(cluster.file) });
      });
    }
  }

  /** Whether all nodes of the file are up and say that they are one ring. */
  private looksHealthy(): boolean {
    const { nodes } = this.cluster.file;
    return nodes.every((id) => {
      const status = this.cluster.node(id).core?.status();
      return status?.settled === true && status.totem.members.join() === nodes.join();
    });
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

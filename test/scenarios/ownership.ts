import type { JournalEntry } from "./journal.ts";

/** What may hold a resource at most, and what needs what, for `ownershipViolations`. */
export interface OwnershipRules {
  /** Resources that run on many nodes: clones. */
  readonly clones: ReadonlySet<string>;
  /** Most nodes that may have a resource promoted; 1 unless told. */
  readonly promotedMax: ReadonlyMap<string, number>;
  /** `second` runs only where `first` runs (or is promoted): started after it, stopped before it. */
  readonly orders: readonly {
    readonly first: string;
    readonly role: "started" | "promoted";
    readonly second: string;
  }[];
}

/** Nodes by resource. */
class Holders {
  readonly #nodes = new Map<string, Set<string>>();

  of(rsc: string): Set<string> {
    const held = this.#nodes.get(rsc) ?? new Set();
    this.#nodes.set(rsc, held);
    return held;
  }

  loseNode(node: string): void {
    for (const held of this.#nodes.values()) held.delete(node);
  }
}

/**
 * What the agents' own journal says against the cluster: two owners of a primitive at one time, more promoted instances
 * than allowed, a resource started before or stopped after what it needs. A resource is owned from the begin of the
 * start to the end of the stop, so nothing that runs at any moment escapes; the cluster waits for the end of the stop
 * before it starts elsewhere, so nothing that is right is blamed.
 * @param from first entry that may be blamed; those before it only tell who owns what
 */
export function ownershipViolations(
  entries: readonly JournalEntry[],
  rules: OwnershipRules,
  from = 0,
): string[] {
  /** Who really has it. */
  const owners = new Holders();
  const promoted = new Holders();
  /** Who has it as far as the cluster can know: what is broken behind its back it still has to stop in order. */
  const known = new Holders();
  /** From the end of its start to the begin of its stop: who may rely on it. */
  const up = new Holders();
  const upPromoted = new Holders();
  const violations: string[] = [];

  for (const [i, entry] of entries.entries()) {
    const { node, rsc, action, what } = entry;
    const blame = (text: string) => i >= from && violations.push(`${text} (uptime ${entry.at.toFixed(2)})`);
    const others = (held: ReadonlySet<string>) => [...held].filter((other) => other !== node);
    const begins = what === "begin";
    const done = what === "0";

    if (action === "power") for (const held of [owners, promoted, known, up, upPromoted]) held.loseNode(node);
    else if (action === "broken") {
      owners.of(rsc).delete(node);
      promoted.of(rsc).delete(node);
    } else if (begins && (action === "start" || action === "migrate_from")) {
      const elsewhere = others(owners.of(rsc));
      if (elsewhere.length > 0 && !rules.clones.has(rsc))
        blame(`two owners: ${action} of ${rsc} on ${node} while ${elsewhere.join(", ")} has it`);
      owners.of(rsc).add(node);
      known.of(rsc).add(node);
      for (const { first, role, second } of rules.orders) {
        if (second !== rsc || action !== "start") continue;
        const held = role === "promoted" ? upPromoted : up;
        if (!held.of(first).has(node))
          blame(`order: ${rsc} starts on ${node}, where ${first} is not ${role}`);
      }
    } else if (begins && action === "promote") {
      const elsewhere = others(promoted.of(rsc));
      if (elsewhere.length >= (rules.promotedMax.get(rsc) ?? 1))
        blame(`too many promoted: ${rsc} is promoted on ${node} while it is on ${elsewhere.join(", ")}`);
      promoted.of(rsc).add(node);
    } else if (begins && (action === "stop" || action === "demote")) {
      if (action === "stop") up.of(rsc).delete(node);
      upPromoted.of(rsc).delete(node);
      for (const { first, role, second } of rules.orders) {
        if (first !== rsc || (action === "demote" && role !== "promoted")) continue;
        if (known.of(second).has(node))
          blame(`order: ${action} of ${rsc} on ${node} while ${second} runs there`);
      }
    } else if (done && (action === "start" || action === "migrate_from")) up.of(rsc).add(node);
    else if (done && action === "promote") upPromoted.of(rsc).add(node);
    else if (done && action === "demote") promoted.of(rsc).delete(node);
    else if (done && (action === "stop" || action === "migrate_to"))
      for (const held of [owners, promoted, known, up, upPromoted]) held.of(rsc).delete(node);
  }
  return violations;
}

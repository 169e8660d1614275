import type { XmlElement } from "../../src/cib/index.ts";
import { type ReleaseRules, rulesOf } from "../../src/scheduler/index.ts";
import { type Decision, disagreement, ownDecision, peerDecision } from "./crm-simulate.ts";
import { randomCluster } from "./random-cluster.ts";
import { shrink } from "./shrink.ts";

/** A cluster that the two schedulers decide differently. */
export interface Finding {
  readonly seed: number;
  /** What differs, for the smallest cluster where one was looked for. */
  readonly lines: readonly string[];
  readonly smallest?: XmlElement;
}

/** The rules of 2.1 that a cluster needs to be decided as the older crm_simulate does. */
export interface Explained {
  readonly older: readonly string[];
}

/** Compares the decisions on the cluster of a seed, and looks for a smaller one that shows the same difference. */
export function compareSeed(
  seed: number,
  smaller: boolean,
  cluster: (seed: number) => XmlElement = randomCluster,
  budget?: number,
): Finding | Explained | "same" | "rejected" {
  const cib = cluster(seed);
  const peer = peerDecision(cib);
  if (typeof peer === "string") return "rejected";
  if (compare(cib, peer, rulesOf["3.0"]).length === 0) return "same";
  const lines = compare(cib, peer, rulesOf["2.1"]);
  if (lines.length === 0) return { older: olderRules(cib, peer) };
  if (!smaller) return { seed, lines };
  const kind = kindOf(lines);
  const fails = (candidate: XmlElement) => {
    const other = peerDecision(candidate);
    if (typeof other === "string" || compare(candidate, other, rulesOf["3.0"]).length === 0) return false;
    return kindOf(compare(candidate, other, rulesOf["2.1"])) === kind;
  };
  const smallest = shrink(cib, fails, budget);
  const other = peerDecision(smallest);
  return {
    seed,
    lines: typeof other === "string" ? lines : compare(smallest, other, rulesOf["2.1"]),
    smallest,
  };
}

/** Those rules of 2.1 without which the decision is another one. */
function olderRules(cib: XmlElement, peer: Decision): string[] {
  // A copy: what release-2.1.5.ts undoes is undone whatever the rules are.
  if (compare(cib, peer, { ...rulesOf["3.0"] }).length === 0) return ["defaults and words"];
  const names = Object.keys(rulesOf["2.1"]) as (keyof ReleaseRules)[];
  return names.filter((name) => {
    const rules = { ...rulesOf["2.1"], [name]: rulesOf["3.0"][name] };
    return compare(cib, peer, rules).length > 0;
  });
}

function compare(cib: XmlElement, peer: Decision, rules: ReleaseRules): string[] {
  try {
    return disagreement(ownDecision(cib, rules), peer);
  } catch (error) {
    return [`thrown: ${error instanceof Error ? error.message : error}`];
  }
}

/** Part and direction of the first difference, so that shrinking does not slip to another one. */
const kindOf = (lines: readonly string[]) => lines[0]?.split(":")[0] ?? "";

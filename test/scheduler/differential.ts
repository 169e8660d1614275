import type { XmlElement } from "../../src/cib/index.ts";
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

/** Compares the decisions on the cluster of a seed, and looks for a smaller one that shows the same difference. */
export function compareSeed(seed: number, smaller: boolean): Finding | "same" | "rejected" {
  const cib = randomCluster(seed);
  const peer = peerDecision(cib);
  if (typeof peer === "string") return "rejected";
  const lines = compare(cib, peer);
  if (lines.length === 0) return "same";
  if (!smaller) return { seed, lines };
  const kind = kindOf(lines);
  const smallest = shrink(cib, (candidate) => {
    const other = peerDecision(candidate);
    return typeof other !== "string" && kindOf(compare(candidate, other)) === kind;
  });
  const other = peerDecision(smallest);
  return { seed, lines: typeof other === "string" ? lines : compare(smallest, other), smallest };
}

function compare(cib: XmlElement, peer: Decision): string[] {
  try {
    return disagreement(ownDecision(cib), peer);
  } catch (error) {
    return [`thrown: ${error instanceof Error ? error.message : error}`];
  }
}

/** Part and direction of the first difference, so that shrinking does not slip to another one. */
const kindOf = (lines: readonly string[]) => lines[0]?.split(":")[0] ?? "";

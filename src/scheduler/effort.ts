import { CrmExit, HactlError } from "../terms/index.ts";
import type { Cluster } from "./model.ts";

/** A decision takes more steps than whoever asked for it would wait for. Nothing was decided. */
export class EffortSpent extends HactlError {
  constructor() {
    super({
      code: "INTERWOVEN",
      what: "so many resources are colocated with one another that nobody can follow all chains of them",
      cure: "put what belongs together into a group or a resource set, rather than colocating each with each",
      exit: CrmExit.CONFIG,
    });
  }
}

/** Counts steps of a decision. @throws EffortSpent */
export function spend(cluster: Cluster, steps: number): void {
  cluster.effortLeft -= steps;
  if (cluster.effortLeft < 0) throw new EffortSpent();
}

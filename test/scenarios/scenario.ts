import type { ClusterOptions } from "./cluster.ts";
import type { Shape } from "./resources.ts";
import type { Stage } from "./stage.ts";

/** A story that is played on a cluster and judged by the audits. */
export interface Scenario {
  readonly name: string;
  /** What happens, in a line. */
  readonly title: string;
  /** What it needs other than three nodes with the plain mix on one link. */
  readonly shape?: Partial<Shape>;
  /** Cases that repetitions take in turn; `--reps` without a number plays each once. */
  readonly cases?: number;
  /** It needs a cluster of its own, made so, on which nothing runs yet. */
  readonly own?: ClusterOptions | ((turn: number) => ClusterOptions);
  /** Plays it. The cluster is at rest before, and has to be so at the end. @throws Violation */
  readonly play: (stage: Stage) => Promise<void>;
}

export const defaultShape: Shape = { nodes: 3, remotes: 0, links: 1, variant: "plain" };

import { CrmExit, HactlError } from "../terms/index.ts";

/** What the transient attributes of a cluster may come to, private ones too: every member holds them all. */
export interface Limits {
  readonly perNode: number;
  /** Of all nodes together. */
  readonly values: number;
  /** Of nodes that nobody knows yet. */
  readonly held: number;
  readonly nodes: number;
  /** Of names and values. */
  readonly characters: number;
}

/**
 * For whoever asks. Agents keep a handful for each resource that they run; most are counts of failures, two for each
 * operation of a resource that fails.
 */
export const FOR_ALL: Limits = {
  perNode: 10_000,
  values: 50_000,
  held: 1_000,
  nodes: 4_096,
  characters: 16 * 1024 * 1024,
};

/** For what the cluster itself notes: there is always room beside what was asked for. */
export const FOR_CLUSTER: Limits = {
  perNode: 2 * FOR_ALL.perNode,
  values: 2 * FOR_ALL.values,
  held: 2 * FOR_ALL.held,
  nodes: 2 * FOR_ALL.nodes,
  characters: 2 * FOR_ALL.characters,
};

/** There would be more than that. */
export const tooMuch = (what: string): HactlError =>
  new HactlError({
    code: "TOO_MUCH",
    what: `there would be more than ${what}, which every member holds`,
    cure: "delete those that nobody needs (attrd_updater -D -n NAME), or keep it elsewhere",
    exit: CrmExit.ERROR,
  });

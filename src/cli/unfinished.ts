import { applyOperations, type CibOperation, type XmlElement } from "../cib/index.ts";
import { schedule, unpackCluster } from "../scheduler/index.ts";
import { type EpochSeconds, HactlError, withoutInstance } from "../terms/index.ts";
import { primitivesOf } from "./render/cluster-view.ts";

/**
 * The resources with which a change makes the cluster do something, and nothing without it: what is changed, and what has
 * to stop or to move before.
 */
export function concernedBy(
  cib: XmlElement,
  operations: readonly CibOperation[],
  now: EpochSeconds,
): ReadonlySet<string> {
  try {
    const before = toBeDone(cib, now);
    return toBeDone(applyOperations(cib, operations).cib, now).difference(before);
  } catch (error) {
    // What is wrong with the change is told by who makes it.
    if (error instanceof HactlError) return new Set();
    throw error;
  }
}

/** Whether something is under way, or to be done, with one of these resources. */
export function isUnfinished(cib: XmlElement, ids: ReadonlySet<string>, now: EpochSeconds): boolean {
  const parts = unpackCluster(cib, now).resources.flatMap(primitivesOf);
  if (parts.some(({ id, pendingTask }) => pendingTask !== undefined && ids.has(withoutInstance(id))))
    return true;
  return !toBeDone(cib, now).isDisjointFrom(ids);
}

const toBeDone = (cib: XmlElement, now: EpochSeconds): Set<string> =>
  new Set(
    schedule({ cib, now }).actions.flatMap(({ kind, rsc }) =>
      kind === "rsc" && rsc ? [withoutInstance(rsc.id)] : [],
    ),
  );

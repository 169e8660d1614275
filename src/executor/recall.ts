import type { Millis } from "../terms/index.ts";
import type { ExecutorSnapshot } from "./effects.ts";
import type { OperationResult } from "./face.ts";
import { doubtfulPart, type JournalRecord, replayJournal, settledPart } from "./journal.ts";
import { mayBeActive } from "./results.ts";

/** The state of an executor as it was written down. */
export interface SavedState {
  /** Names the run of the daemon that the executor belonged to. */
  readonly instance: string;
  readonly bootId: string;
  readonly snapshot: ExecutorSnapshot;
}

/** What the executors before have left on a host. */
export interface LeftBehind {
  readonly state: SavedState | "damaged" | undefined;
  readonly journal: readonly JournalRecord[];
  /** How long ago one of them lived; undefined when that is not known. */
  readonly ageMs: Millis | undefined;
  /** They ran in another boot of the host. */
  readonly rebooted: boolean;
  /** The node has left the cluster in order since. */
  readonly left: boolean;
}

/** What an executor begins with. */
export interface Recalled {
  /** Absent when nothing is known. */
  readonly snapshot: ExecutorSnapshot | undefined;
  /** Nothing of the cluster runs on this host but what the snapshot names. */
  readonly complete: boolean;
  /** The daemon was away for too long: what is written down is not believed, but for what may run. */
  readonly stale: boolean;
}

/**
 * The state that an executor of an earlier daemon left counts if that daemon died no longer ago than this: long enough
 * for every restart by a supervisor. After a longer time people may have stopped or started services by hand, so that
 * looking is better than believing; and an executor that gave no sign of life for so long could not write.
 */
const FRESH_MS: Millis = 20_000;

/** Decides what of what was left holds for the executor of that daemon and that boot. */
export function recall(
  { state, journal, ageMs, rebooted, left }: LeftBehind,
  { bootId, instance }: { readonly bootId: string; readonly instance: string },
): Recalled {
  const nothing = (complete: boolean): Recalled => ({ snapshot: undefined, complete, stale: false });
  if (state === "damaged") return nothing(false);
  if (!state || state.bootId !== bootId) return nothing(rebooted);
  const whole = replayJournal(state.snapshot, journal);
  const known = ageMs !== undefined && ageMs <= FRESH_MS;
  if (state.instance === instance && known)
    return { snapshot: whole, complete: whole.complete, stale: false };
  // What runs on under a node that has left (unmanaged) is looked at: agents set by it what went with the node, as scores.
  const alone = left && (whole.recurring.length > 0 || somethingRuns(whole.results));
  // It is told as what may run: of what is not configured any more nobody else would know.
  if (alone || !known) return { snapshot: doubtfulPart(whole), complete: false, stale: true };
  const snapshot = settledPart(whole);
  return { snapshot, complete: snapshot.complete, stale: false };
}

/** Whether the last operation of some resource, as far as it is remembered, says that it runs. */
function somethingRuns(results: readonly OperationResult[]): boolean {
  const last = new Map<string, OperationResult>();
  for (const result of results)
    if (result.callId >= (last.get(result.rsc.id)?.callId ?? 0)) last.set(result.rsc.id, result);
  return [...last.values()].some(mayBeActive);
}

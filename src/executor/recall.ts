import type { Millis } from "../terms/index.ts";
import type { ExecutorSnapshot } from "./effects.ts";
import { type JournalRecord, replayJournal, settledPart } from "./journal.ts";

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
}

/** What an executor begins with. */
export interface Recalled {
  /** Absent when nothing is known. */
  readonly snapshot: ExecutorSnapshot | undefined;
  /** Nothing of the cluster runs on this host but what the snapshot names. */
  readonly complete: boolean;
  /** The daemon was away for too long: what is written down is not believed. */
  readonly stale: boolean;
}

/**
 * The state that an executor of an earlier daemon left counts if that daemon died no longer ago than this: long enough
 * for every restart by a supervisor. After a longer time people may have stopped or started services by hand, so that
 * looking is better than believing.
 */
const FRESH_MS: Millis = 60_000;

/** Decides what of what was left holds for the executor of that daemon and that boot. */
export function recall(
  { state, journal, ageMs, rebooted }: LeftBehind,
  { bootId, instance }: { readonly bootId: string; readonly instance: string },
): Recalled {
  const nothing = (complete: boolean, stale = false): Recalled => ({ snapshot: undefined, complete, stale });
  if (state === "damaged") return nothing(false);
  if (!state || state.bootId !== bootId) return nothing(rebooted);
  const whole = replayJournal(state.snapshot, journal);
  if (state.instance === instance) return { snapshot: whole, complete: whole.complete, stale: false };
  if (ageMs === undefined || ageMs > FRESH_MS) return nothing(false, true);
  const snapshot = settledPart(whole);
  return { snapshot, complete: snapshot.complete, stale: false };
}

import type { ResourceId } from "../terms/index.ts";
import type { CoreRequest, ExecutorSnapshot } from "./effects.ts";
import type { Operation, OperationResult } from "./face.ts";
import { changesState, operationKey } from "./state.ts";

/** What has happened since a snapshot was written: requests as they came, results as they were told. */
export type JournalRecord =
  | Extract<CoreRequest, { type: "execute" | "cancel" | "forget" }>
  | { readonly type: "result"; readonly result: OperationResult };

/** The snapshot that would have been written after these records: nothing is forgotten that happened before a sudden death. */
export function replayJournal(
  snapshot: ExecutorSnapshot,
  records: readonly JournalRecord[],
): ExecutorSnapshot {
  const key = (rsc: ResourceId, action: string, intervalMs: number) =>
    `${rsc}\0${operationKey(action, intervalMs)}`;
  const of = ({ rsc, action, intervalMs }: Operation | OperationResult) => key(rsc.id, action, intervalMs);
  const recurring = new Map(snapshot.recurring.map((operation) => [of(operation), operation]));
  const results = new Map(snapshot.results.map((result) => [of(result), result]));
  let unfinished = [...snapshot.unfinished];
  let interrupted = [...snapshot.interrupted];
  const endRecurring = (rsc: ResourceId) => {
    for (const [name, operation] of recurring) {
      if (operation.rsc.id !== rsc) continue;
      recurring.delete(name);
      results.delete(name);
    }
  };
  for (const record of records) {
    switch (record.type) {
      case "execute": {
        const { operation } = record;
        if (operation.intervalMs > 0) {
          recurring.set(of(operation), operation);
          break;
        }
        if (changesState(operation.action)) endRecurring(operation.rsc.id);
        unfinished.push(operation);
        break;
      }
      case "cancel": {
        const name = key(record.rsc, record.action, record.intervalMs);
        recurring.delete(name);
        if (record.intervalMs > 0) results.delete(name);
        break;
      }
      case "forget":
        endRecurring(record.rsc);
        for (const [name, { rsc }] of results) if (rsc.id === record.rsc) results.delete(name);
        break;
      case "result": {
        const { result } = record;
        const waiting = unfinished.length;
        unfinished = unfinished.filter(
          ({ callId, transitionKey }) => callId !== result.callId || transitionKey !== result.transitionKey,
        );
        const asked = result.intervalMs > 0 ? recurring.has(of(result)) : unfinished.length < waiting;
        if (asked && result.action !== "notify") {
          results.set(of(result), result);
          interrupted = interrupted.filter(({ rsc }) => rsc.id !== result.rsc.id);
        }
        break;
      }
    }
  }
  return {
    ...snapshot,
    unfinished,
    recurring: [...recurring.values()],
    results: [...results.values()],
    interrupted,
  };
}

/**
 * What of a snapshot still holds for the executor of another daemon, which nobody waits for: what was under way is not
 * done again, for others may have decided since then. What was being changed is not known: it counts as interrupted, and
 * nothing else is told of it.
 */
export function settledPart(snapshot: ExecutorSnapshot): ExecutorSnapshot {
  const changing = snapshot.unfinished.filter(({ action }) => changesState(action));
  const interrupted = new Map([...snapshot.interrupted, ...changing].map((one) => [one.rsc.id, one]));
  const known = ({ rsc }: Operation | OperationResult) => !interrupted.has(rsc.id);
  return {
    ...snapshot,
    unfinished: [],
    recurring: snapshot.recurring.filter(known),
    results: snapshot.results.filter(known),
    interrupted: [...interrupted.values()],
    complete: snapshot.complete && interrupted.size === 0,
  };
}

import type { ResourceId } from "../terms/index.ts";
import type { CoreRequest, ExecutorSnapshot } from "./effects.ts";
import type { Operation, OperationResult } from "./face.ts";
import { lastTelling, leftBehind, mayRun, withParameters } from "./results.ts";
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
  let remembered = [...snapshot.remembered];
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
        // What the snapshot has already the journal may say again.
        const { callId, transitionKey } = operation;
        if (!unfinished.some((other) => other.callId === callId && other.transitionKey === transitionKey))
          unfinished.push(operation);
        break;
      }
      case "cancel": {
        const name = key(record.rsc, record.action, record.intervalMs);
        recurring.delete(name);
        if (record.intervalMs > 0) results.delete(name);
        break;
      }
      case "forget": {
        endRecurring(record.rsc);
        const forgotten = [...results].filter(([, { rsc }]) => rsc.id === record.rsc);
        const still = leftBehind(forgotten.map(([, result]) => result));
        if (still) interrupted = [...interrupted.filter(({ rsc }) => rsc.id !== record.rsc), still];
        for (const [name] of forgotten) results.delete(name);
        remembered = remembered.filter((rsc) => rsc !== record.rsc);
        break;
      }
      case "result": {
        const { result } = record;
        const waiting = unfinished.length;
        const isOther = ({ callId, transitionKey }: Operation) =>
          callId !== result.callId || transitionKey !== result.transitionKey;
        unfinished = unfinished.filter(isOther);
        // Also the end of a migration that was found out later.
        const asked =
          result.intervalMs > 0
            ? recurring.has(of(result))
            : unfinished.length < waiting || !interrupted.every(isOther);
        if (asked && result.action !== "notify") {
          results.set(of(result), result);
          if (result.intervalMs === 0)
            interrupted = interrupted.filter(({ rsc }) => rsc.id !== result.rsc.id);
          remembered = remembered.filter((rsc) => rsc !== result.rsc.id);
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
    remembered,
  };
}

/**
 * What of a snapshot still holds for the executor of another daemon, which nobody waits for: what was under way is not
 * done again, for others may have decided since then. What was being changed is not known: it counts as interrupted, and
 * nothing else is told of it. All the rest is a memory until something is seen of it.
 */
export function settledPart(snapshot: ExecutorSnapshot): ExecutorSnapshot {
  const changing = snapshot.unfinished
    .filter(({ action }) => changesState(action))
    .map((operation) => asInterrupted(operation, snapshot));
  const interrupted = new Map([...snapshot.interrupted, ...changing].map((one) => [one.rsc.id, one]));
  const known = ({ rsc }: Operation | OperationResult) => !interrupted.has(rsc.id);
  const recurring = snapshot.recurring.filter(known);
  const results = snapshot.results.filter(known);
  return {
    ...snapshot,
    unfinished: [],
    recurring,
    results,
    interrupted: [...interrupted.values()],
    remembered: [...new Set([...recurring, ...results].map(({ rsc }) => rsc.id))],
    complete: snapshot.complete && interrupted.size === 0,
  };
}

/** What is left of a snapshot that is not believed any more: what may be active, whatever has come of it since. */
export function doubtfulPart(snapshot: ExecutorSnapshot): ExecutorSnapshot {
  const { interrupted, results, ...settled } = settledPart(snapshot);
  const active = [...Map.groupBy(results, ({ rsc }) => rsc.id).values()].flatMap(
    (ofOne) => mayRun(ofOne) ?? [],
  );
  return {
    ...settled,
    recurring: [],
    results: [],
    interrupted: [...interrupted, ...active],
    remembered: [],
    complete: false,
  };
}

/** An operation that did not come to its end, with the parameters with which its service runs if it does. */
function asInterrupted(operation: Operation, { results, interrupted }: ExecutorSnapshot): Operation {
  if (operation.action === "start" || operation.action === "migrate_from") return operation;
  const ofResource = ({ rsc }: Operation | OperationResult) => rsc.id === operation.rsc.id;
  const started = lastTelling(results.filter(ofResource)) ?? interrupted.find(ofResource);
  return started ? withParameters(operation, started.params) : operation;
}

import {
  type AgentResource,
  isNotBegun,
  leftBehind,
  type Operation,
  type OperationResult,
  type ParameterTraits,
  tellsRole,
} from "../executor/index.ts";
import type { Millis } from "../terms/index.ts";
import { type AgentKind, sameKind } from "./agent-knowledge.ts";
import {
  bearsTraits,
  beginsAnew,
  endsRecurring,
  followsStop,
  foundInactive,
  historyIds,
  isFailure,
  isLeftAlone,
  isRecorded,
  operationKey,
  revivesMigration,
} from "./history.ts";
import type { ExecutorHistory } from "./messages.ts";

const lastFailure = "_last_failure_0";

/** A connection to a remote host, which the manager makes itself. */
export const isConnection = (rsc: AgentResource): boolean =>
  rsc.provider === "pacemaker" && rsc.type === "remote";

/** Fence devices and connections to remote hosts are the manager's own business, not the executor's. */
const byManager = (rsc: AgentResource): boolean => rsc.class === "stonith" || isConnection(rsc);

const byCall = (a: OperationResult, b: OperationResult): number => a.callId - b.callId;

/**
 * What an executor has done for which this manager speaks, as far as it knows: what the node brings along when it meets
 * others, also after its own copy of the state has lost against theirs.
 */
export class LocalHistory {
  readonly #results = new Map<string, OperationResult>();
  readonly #running = new Map<number, Operation>();

  #told: Pick<ExecutorHistory, "bootId" | "complete" | "interrupted" | "remembered"> = {
    bootId: "",
    complete: false,
    interrupted: [],
    remembered: [],
  };
  #revision = 0;
  #endings = 0;

  /** Grows whenever what `kept` answers may have changed. */
  get revision(): number {
    return this.#revision;
  }

  /** Grows whenever the executor is told to end or to forget something that it may have told of before. */
  get endings(): number {
    return this.#endings;
  }

  /** What the executor tells takes the place of all but what it does not keep (`kept`). */
  replace({ results, running, interrupted, remembered, bootId, complete }: ExecutorHistory): void {
    const kept = this.kept();
    this.#results.clear();
    for (const [callId, { rsc }] of this.#running) if (!byManager(rsc)) this.#running.delete(callId);
    const known = new Set(results.map(({ rsc }) => rsc.id));
    const own = kept.filter((result) => byManager(result.rsc) || known.has(result.rsc.id));
    for (const result of own.filter((result) => !byManager(result.rsc)))
      this.#results.set(operationKey(result.rsc.id, "last_failure", 0), result);
    for (const result of [...own.filter(({ rsc }) => byManager(rsc)), ...results].sort(byCall))
      this.#take(result);
    for (const operation of running) this.#running.set(operation.callId, operation);
    this.#told = { bootId, complete, interrupted, remembered };
  }

  /** Takes over what a manager before this one kept. */
  remember(results: readonly OperationResult[]): void {
    for (const result of [...results].sort(byCall)) {
      if (byManager(result.rsc)) this.#take(result);
      else this.#results.set(operationKey(result.rsc.id, "last_failure", 0), result);
    }
  }

  /** What the executor does not keep: last failures, and operations that the manager carries out itself. */
  kept(): OperationResult[] {
    const kept = [...this.#results].filter(([id, { rsc }]) => byManager(rsc) || id.endsWith(lastFailure));
    return [...new Set(kept.map(([, result]) => result))];
  }

  /** Nobody knows whether what a manager before this one had started still holds. */
  forgetOwn(): void {
    this.#revision++;
    for (const [id, { rsc }] of this.#results) if (byManager(rsc)) this.#results.delete(id);
  }

  /** The executor answers for everything from here on. */
  probed(): void {
    this.#told = { ...this.#told, complete: true };
  }

  /** The last failure of a resource, if it is of that action and interval, is not remembered any more. */
  forgetFailure(rsc: string, action?: string, intervalMs?: number): void {
    const key = operationKey(rsc, "last_failure", 0);
    const last = this.#results.get(key);
    if (action !== undefined && last?.action !== action) return;
    if (intervalMs !== undefined && last?.intervalMs !== intervalMs) return;
    this.#revision++;
    this.#results.delete(key);
  }

  started(operation: Operation): void {
    if (!isRecorded(operation.action)) return;
    if (byManager(operation.rsc)) this.#revision++;
    this.#running.set(operation.callId, operation);
    if (!endsRecurring(operation.action)) return;
    for (const [id, { rsc, intervalMs }] of this.#results) {
      if (rsc.id === operation.rsc.id && intervalMs > 0 && !id.endsWith(lastFailure))
        this.#results.delete(id);
    }
  }

  /** A resource is about to be migrated here: that it came from the same node before says nothing of this time. */
  expected({ rsc, params }: Operation): void {
    const key = operationKey(rsc.id, "migrate_from", 0);
    const source = params.CRM_meta_migrate_source;
    if (this.#results.get(key)?.params.CRM_meta_migrate_source === source) this.#results.delete(key);
  }

  /** It was not begun after all. */
  dropped({ callId }: Operation): void {
    this.#running.delete(callId);
  }

  finished(result: OperationResult): void {
    if (this.#isOutdated(result)) this.#running.delete(result.callId);
    else if (this.#disproves(result)) this.forgotten(result.rsc.id);
    else this.#take(result);
  }

  /** Somebody has acted while no daemon watched: nothing that is remembered of it counts, as at the executor. */
  #disproves(result: OperationResult): boolean {
    const isRemembered = this.#told.remembered.includes(result.rsc.id);
    if (!isRemembered || result.intervalMs === 0 || !tellsRole(result) || !isFailure(result)) return false;
    return !this.#isKnownBlock(result);
  }

  /** A monitor has said the same before, and nothing better since, and the service was left as it is. */
  #isKnownBlock(result: OperationResult): boolean {
    if (!isLeftAlone(result)) return false;
    const { rsc, action, intervalMs, callId, rc } = result;
    const failure = this.#results.get(operationKey(rsc.id, "last_failure", 0));
    const isBetter = this.#results.has(operationKey(rsc.id, action, intervalMs));
    return !isBetter && failure?.callId === callId && failure.rc === rc;
  }

  /** Of a recurring operation that the executor was told to forget: by now it does not run any more. */
  #isOutdated({ rsc, intervalMs, callId }: OperationResult): boolean {
    if (intervalMs === 0) return false;
    const known = [...this.#results.values(), ...this.#running.values()].filter(
      (other) => other.rsc.id === rsc.id && other.intervalMs === 0,
    );
    return known.length === 0 || known.some((other) => beginsAnew(other.action) && other.callId > callId);
  }

  #take(result: OperationResult): void {
    this.#running.delete(result.callId);
    if (!isRecorded(result.action)) return;
    this.#seen(result);
    const failed = isFailure(result);
    if (failed || byManager(result.rsc)) this.#revision++;
    const moved = operationKey(result.rsc.id, "migrate_to", 0);
    const lastId = operationKey(result.rsc.id, "last", 0);
    const last = this.#results.get(lastId);
    // It is kept beside the stop, since nobody else would know which call numbers were given out.
    const beside = operationKey(result.rsc.id, "monitor", 0);
    const confirms =
      followsStop(result, last) && foundInactive(result) && last && sameKind(result.rsc, last.rsc);
    if (!confirms && revivesMigration(result, last, this.#results.get(moved))) this.#results.delete(moved);
    // It says nothing of what the service was brought up by.
    const unbegun = operationKey(result.rsc.id, "not-begun", 0);
    const kept = isNotBegun(result)
      ? [unbegun]
      : historyIds(result.rsc.id, result.action, result.intervalMs, failed);
    const ids = confirms ? [beside] : kept;
    if (ids.includes(lastId)) for (const id of [beside, unbegun]) this.#results.delete(id);
    // The order is that of time, also where a result takes the place of an earlier one.
    for (const id of ids) this.#results.delete(id);
    for (const id of ids) this.#results.set(id, result);
  }

  /** Something is known of a resource that was only remembered, or not even that. */
  #seen({ rsc, intervalMs }: OperationResult): void {
    const { interrupted, remembered } = this.#told;
    this.#told = {
      ...this.#told,
      interrupted: intervalMs > 0 ? interrupted : interrupted.filter((other) => other.rsc.id !== rsc.id),
      remembered: remembered.filter((other) => other !== rsc.id),
    };
  }

  cancelled(rsc: string, action: string, intervalMs: Millis): void {
    this.#revision++;
    this.#endings++;
    this.#results.delete(operationKey(rsc, action, intervalMs));
    for (const [callId, operation] of this.#running) {
      if (operation.rsc.id === rsc && operation.action === action && operation.intervalMs === intervalMs) {
        this.#running.delete(callId);
      }
    }
  }

  forgotten(rsc: string): void {
    this.#revision++;
    this.#endings++;
    const ofIt = [...this.#results].filter(([, result]) => result.rsc.id === rsc);
    const still = leftBehind(ofIt.flatMap(([, result]) => (byManager(result.rsc) ? [] : [result])));
    for (const [id] of ofIt) this.#results.delete(id);
    const { interrupted, remembered } = this.#told;
    this.#told = {
      ...this.#told,
      interrupted: still ? [...interrupted.filter((other) => other.rsc.id !== rsc), still] : interrupted,
      remembered: remembered.filter((other) => other !== rsc),
    };
  }

  /** An agent has said of its parameters what results before it lack. Returns these, as they are now. */
  described(agent: AgentKind, traits: ParameterTraits): OperationResult[] {
    const told = new Map<OperationResult, OperationResult>();
    for (const [id, result] of this.#results) {
      if (result.traits || !sameKind(result.rsc, agent) || !bearsTraits(result)) continue;
      const known = told.get(result) ?? { ...result, traits };
      told.set(result, known);
      this.#results.set(id, known);
    }
    return [...told.values()];
  }

  history(): ExecutorHistory {
    return {
      results: [...new Set(this.#results.values())],
      running: [...this.#running.values()].filter(({ intervalMs }) => intervalMs === 0),
      ...this.#told,
    };
  }
}

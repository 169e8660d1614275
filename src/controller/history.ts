import { element, type XmlElement } from "../cib/index.ts";
import {
  type AgentResource,
  isFailure,
  isNotBegun,
  isReload,
  type Operation,
  type OperationResult,
} from "../executor/index.ts";
import { DIGEST_OF, parameterDigest, sparedFor } from "../scheduler/index.ts";
import { type EpochSeconds, OcfExit, OpStatus } from "../terms/index.ts";

export { expectedRc, isFailure, isLeftAlone, isReload } from "../executor/index.ts";

/** Version of the rules by which histories are written and read (`crm_feature_set`). */
export const FEATURE_SET = "3.20.5";

/** Key of an operation: `RSC_ACTION_INTERVALMS`. */
export function operationKey(rsc: string, action: string, intervalMs: number): string {
  return `${rsc}_${action}_${intervalMs}`;
}

/** Actions whose results are not kept: the scheduler has no use for them. */
export function isRecorded(action: string): boolean {
  return !["notify", "meta-data", "metadata", "validate-all", "cancel", "delete"].includes(action);
}

/** The state changes before which a resource's recurring operations end. */
export function endsRecurring(action: string): boolean {
  return ["stop", "demote", "promote", "migrate_to", "migrate_from"].includes(action);
}

/** A resource that waits for a node goes on to do so as long as it is not active there (shutdown-lock). */
export const keepsLock = ({ action, rc, status }: OperationResult): boolean =>
  status === OpStatus.DONE &&
  ((action === "stop" && rc === OcfExit.OK) || (action === "monitor" && rc === OcfExit.NOT_RUNNING));

/** What recurring operations do not outlive: a change of the state, or a look at one that was not known any more. */
export function beginsAnew(action: string): boolean {
  return endsRecurring(action) || action === "start" || action === "monitor";
}

/**
 * Ids of the history entries that a result replaces. The last operation that changed or probed the state is
 * `RSC_last_0`, a recurring one is kept under its key, migrations under theirs, and the last failure of any
 * operation stays under `RSC_last_failure_0` until it is cleaned up.
 */
export function historyIds(rsc: string, action: string, intervalMs: number, failed: boolean): string[] {
  const migration = action === "migrate_to" || action === "migrate_from";
  if (failed) {
    const failure = operationKey(rsc, "last_failure", 0);
    return intervalMs === 0 && !migration ? [operationKey(rsc, "last", 0), failure] : [failure];
  }
  if (migration || intervalMs > 0) return [operationKey(rsc, action, intervalMs)];
  return [operationKey(rsc, "last", 0)];
}

/** What is asked of a history entry to know whether it still means something. */
type Entry = Pick<OperationResult, "action" | "callId">;

/**
 * Whether a result takes from a history what told that an earlier migration from there is over: the entry of the migration
 * would be believed again, and has to go, too. The look that takes the place of a stop is such a result. Pacemaker's
 * executor, too, tells of a migration only as long as it is the last thing that was done.
 */
export function revivesMigration(
  result: Entry & Pick<OperationResult, "intervalMs">,
  last: Entry | undefined,
  migration: Entry | undefined,
): boolean {
  if (!last || !migration || result.action !== "monitor" || result.intervalMs > 0) return false;
  return last.action !== "monitor" && last.callId > migration.callId && result.callId > last.callId;
}

/**
 * Whether a look comes after a stop that went well, with nothing between them: it is made where only a daemon that died
 * remembered the stop. The one that finds the service not running takes nothing's place: it would clear, as Pacemaker
 * reads a history, what was to follow from the failure before the stop (on-fail), which only an administrator does. That
 * one is told apart by what he does: then the stop is forgotten, too.
 */
export function followsStop(
  look: Entry & Pick<OperationResult, "intervalMs">,
  last: (Entry & Pick<OperationResult, "rc" | "status">) | undefined,
): boolean {
  if (look.action !== "monitor" || look.intervalMs > 0 || last?.action !== "stop") return false;
  return last.status === OpStatus.DONE && last.rc === OcfExit.OK && last.callId < look.callId;
}

/** Whether a look has found nothing that runs. */
export const foundInactive = ({ status, rc }: Pick<OperationResult, "rc" | "status">): boolean =>
  status === OpStatus.DONE && rc === OcfExit.NOT_RUNNING;

/** What a look says of a service that is there, well or not. */
const saysActive: ReadonlySet<number> = new Set([
  OcfExit.OK,
  OcfExit.RUNNING_PROMOTED,
  OcfExit.DEGRADED,
  OcfExit.DEGRADED_PROMOTED,
]);

/** Whether a look, which is made where nothing is known, has found something. */
export const foundActive = ({ action, intervalMs, status, rc }: OperationResult): boolean =>
  action === "monitor" && intervalMs === 0 && status === OpStatus.DONE && saysActive.has(rc);

/** Whether a look leaves open whether there is something. */
export const tellsNothing = ({ status, rc }: Pick<OperationResult, "rc" | "status">): boolean =>
  status !== OpStatus.NOT_INSTALLED &&
  !saysActive.has(rc) &&
  rc !== OcfExit.FAILED_PROMOTED &&
  !tellsInactive.has(rc);

/** Told to agents, but not configured with them: the release that wrote it, and the address of a bundle's replica. */
const undigested: ReadonlySet<string> = new Set(["crm_feature_set", "pcmk_external_ip"]);

/** What of an operation's parameters its digest covers. */
export function digestedParameters(
  intervalMs: number,
  params: Readonly<Record<string, string>>,
): Map<string, string> {
  const kept = Object.entries(params).filter(([name]) => {
    if (undigested.has(name)) return false;
    if (name.startsWith("CRM_meta_")) return intervalMs > 0 && name === "CRM_meta_timeout";
    return true;
  });
  return new Map(kept);
}

/**
 * The action that a result is kept as. A reload that went well is like a start with the new parameters, one that did not
 * is like a look at the service that failed (Pacemaker Administration, "Reloading an agent").
 */
export function recordedAction({ action, ...outcome }: Outcome): string {
  if (!isReload(action)) return action;
  return isFailure(outcome) || outcome.status !== OpStatus.DONE ? "monitor" : "start";
}

type Outcome = Pick<OperationResult, "action" | "rc" | "status" | "transitionKey">;

/** Writes one history entry (`lrm_rsc_op`). `origin` says what program wrote it. */
export function historyEntry(
  id: string,
  node: string,
  result: OperationResult,
  origin = "hactl",
): XmlElement {
  const { rsc, intervalMs } = result;
  const action = recordedAction(result);
  const params = digestedParameters(intervalMs, result.params);
  const entry = element("lrm_rsc_op", {
    id,
    operation_key: operationKey(rsc.id, action, intervalMs),
    operation: action,
    "crm-debug-origin": origin,
    crm_feature_set: FEATURE_SET,
    "transition-key": result.transitionKey,
    "transition-magic": `${result.status}:${result.rc};${result.transitionKey}`,
    "exit-reason": result.exitReason,
    on_node: node,
    "call-id": result.callId,
    "rc-code": result.rc,
    "op-status": result.status,
    interval: intervalMs,
    "last-rc-change": Math.floor(intervalMs > 0 ? result.lastChange : result.lastRun),
    "exec-time": Math.round(result.execMs),
    "queue-time": Math.round(result.queueMs),
    "op-digest": parameterDigest(params),
  });
  if (action.startsWith("migrate_")) {
    for (const name of ["source", "target"]) {
      const value = result.params[`CRM_meta_migrate_${name}`];
      if (value !== undefined) entry.attributes.set(`migrate_${name}`, value);
    }
  }
  // It was told as it was started. What needs another start since then would be forgotten.
  if (action === "demote" && result.status === OpStatus.DONE && result.rc === OcfExit.OK)
    entry.attributes.set(DIGEST_OF, "start");
  for (const [name, value] of traitAttributes(result)) entry.attributes.set(name, value);
  return entry;
}

/** Operations by whose parameters a service is known to run. */
const establishing: ReadonlySet<string> = new Set([
  ...["start", "monitor", "promote", "demote", "migrate_to", "migrate_from", "reload", "reload-agent"],
]);

/** Whether a history entry tells what a change of the parameters asks for: not where nothing runs with them. */
export const bearsTraits = ({ rsc, action, rc }: Pick<OperationResult, "rsc" | "action" | "rc">): boolean =>
  hasTraits(rsc) && establishing.has(action) && rc !== OcfExit.NOT_RUNNING && rc !== OcfExit.INSTALLED;

/** Whether an agent has parameters at all that an executor could ask it for. */
export const hasTraits = (rsc: AgentResource): boolean =>
  rsc.class === "ocf" && !(rsc.provider === "pacemaker" && rsc.type === "remote");

/**
 * What a history entry says of the parameters that it ran with, so that a later decision can tell which of them has
 * changed without knowing what it was: those that force a restart where the agent can reload, and its secrets.
 */
export function traitAttributes(result: OperationResult): [string, string][] {
  const { traits, intervalMs } = result;
  if (!traits || !bearsTraits(result)) return [];
  const params = digestedParameters(intervalMs, result.params);
  const digest = (keeps: (name: string) => boolean) =>
    parameterDigest(new Map([...params].filter(([name]) => keeps(name))));
  const list = (names: readonly string[]) => names.map((name) => ` ${name} `).join("");
  const attributes: [string, string][] = [];
  // A recurring operation is replaced by one with the new parameters, whatever they are.
  if (traits.reload !== undefined && intervalMs === 0) {
    const { forceRestart } = traits;
    attributes.push(["op-force-restart", list(forceRestart)]);
    attributes.push(["op-restart-digest", digest((name) => forceRestart.includes(name))]);
  }
  if (traits.private.length > 0) {
    attributes.push(["op-secure-params", list(traits.private)]);
    attributes.push(["op-secure-digest", digest((name) => !traits.private.includes(name))]);
  }
  return attributes;
}

/** The last operation of a resource on a node that was not a recurring one. */
function newestOf(ops: readonly XmlElement[]): XmlElement | undefined {
  const call = (op: XmlElement) => Number(op.attributes.get("call-id") ?? 0);
  const states = ops.filter(({ attributes }) => (attributes.get("interval") ?? "0") === "0");
  return states.sort((a, b) => call(b) - call(a))[0];
}

/** Whether a resource's history on a node ends with its being promoted there. */
export function endsPromoted(ops: readonly XmlElement[]): boolean {
  const { attributes } = newestOf(ops) ?? element("none");
  const rc = attributes.get("rc-code");
  if (attributes.get("operation") === "promote") return rc === String(OcfExit.OK);
  return (
    attributes.get("operation") === "monitor" &&
    (rc === String(OcfExit.RUNNING_PROMOTED) || rc === String(OcfExit.DEGRADED_PROMOTED))
  );
}

/**
 * Since when the service of a reload is as it is, in a history that the reload becomes a part of: a reload that does not fail
 * changes nothing of that.
 */
export function goesOnSince(result: OperationResult, ops: readonly XmlElement[]): string | undefined {
  const isOpen = result.status === OpStatus.PENDING;
  if (!isReload(result.action) || (!isOpen && recordedAction(result) !== "start")) return undefined;
  const newest = newestOf(ops);
  // As which a reload is kept whose answer is out.
  const isAsked = newest?.attributes.get("operation") === "monitor" && isPending(newest);
  return isAsked || endsActive(ops) ? newest?.attributes.get("last-rc-change") : undefined;
}

/**
 * What is recorded of a result. What is done to a service that runs and was not even begun is no failure of the service, for
 * which its node would be fenced: it tells as much as a look that could not be executed, that the service is as it was
 * (`promoted`). And what an agent says of a reload that it cannot make does not tell that nothing runs, as the same exit
 * codes of a look would: the service is stopped before it runs anywhere again.
 */
export function asRecorded(result: OperationResult, promoted = false): OperationResult {
  if (!isNotBegun(result)) {
    if (!isReload(result.action) || !tellsInactive.has(result.rc)) return result;
    const status = result.status === OpStatus.NOT_INSTALLED ? OpStatus.ERROR : result.status;
    return { ...result, rc: OcfExit.GENERIC, status };
  }
  const isPromoted = result.action === "demote" || (promoted && isReload(result.action));
  const rc = isPromoted ? OcfExit.DEGRADED_PROMOTED : OcfExit.DEGRADED;
  return { ...result, action: "monitor", rc, status: OpStatus.DONE };
}

/** Exit codes by which a look says that nothing runs. */
export const tellsInactive: ReadonlySet<number> = new Set([
  OcfExit.NOT_RUNNING,
  OcfExit.INSTALLED,
  OcfExit.ARGS,
]);

/** Whether a reload was not begun: the service goes on with the parameters that the history tells of. */
export const isUnbegunReload = (result: OperationResult): boolean =>
  isReload(result.action) && isNotBegun(result);

/** What a history entry tells of the parameters that a service runs with. */
const ranWith = [
  "op-digest",
  DIGEST_OF,
  "op-force-restart",
  "op-restart-digest",
  "op-secure-params",
  "op-secure-digest",
];

/** An entry of what was not begun: the service runs with the parameters that another one tells of. */
export function asBefore(made: XmlElement, before: XmlElement | undefined): XmlElement {
  const kept = ranWith.flatMap((name) => {
    const value = before?.attributes.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const rest = [...made.attributes].filter(([name]) => !before || !ranWith.includes(name));
  return { ...made, attributes: new Map([...rest, ...kept]) };
}

/** The attributes of an entry of what was not begun, when the agent can be executed again. */
export function asSeen(attributes: XmlElement["attributes"]): Map<string, string> {
  const isPromoted = attributes.get("rc-code") === String(OcfExit.DEGRADED_PROMOTED);
  const rc = String(isPromoted ? OcfExit.RUNNING_PROMOTED : OcfExit.OK);
  const magic = `${OpStatus.DONE}:${rc};${attributes.get("transition-key") ?? ""}`;
  return new Map([...attributes, ["rc-code", rc], ["exit-reason", ""], ["transition-magic", magic]]);
}

/**
 * Under which ids it stands what is recorded of a result (`asRecorded`). That a reload was not begun stands beside what is
 * known of the service; all else that was not begun is no failure, whatever was expected of it.
 */
export const idsOfResult = (told: OperationResult, recorded: OperationResult): string[] => {
  const { rsc, action, intervalMs } = recorded;
  if (isUnbegunReload(told)) return [operationKey(rsc.id, "monitor", 0)];
  return historyIds(rsc.id, action, intervalMs, !isNotBegun(told) && isFailure(recorded));
};

/** Whether an entry is of an operation that has not been answered yet. */
export const isPending = ({ attributes }: XmlElement): boolean =>
  attributes.get("op-status") === String(OpStatus.PENDING);

/** Whether a resource's history on a node ends with its being there. */
export function endsActive(ops: readonly XmlElement[]): boolean {
  const newest = newestOf(ops);
  if (!newest) return false;
  const task = newest.attributes.get("operation");
  if (isPending(newest)) return task === "promote" || task === "demote";
  const rc = newest.attributes.get("rc-code");
  // What is left out on a node is taken for stopped there: it was off, and nothing was begun there since.
  if (task === "stop") return rc !== String(OcfExit.OK) && sparedFor(newest) !== "reset-before";
  return task !== "monitor" || saysActive.has(Number(rc));
}

/** The same, or with something that has been begun and not answered: a start, also a stop that may never have come there. */
export function mayBeActive(ops: readonly XmlElement[]): boolean {
  const newest = newestOf(ops);
  const isChanging =
    newest !== undefined && isPending(newest) && newest.attributes.get("operation") !== "monitor";
  return endsActive(ops) || isChanging;
}

/** Whether it ends with its being known not to run there. */
export function endsInactive(ops: readonly XmlElement[]): boolean {
  const { attributes } = newestOf(ops) ?? element("none");
  const rc = Number(attributes.get("rc-code"));
  const status = Number(attributes.get("op-status"));
  if (attributes.get("operation") === "stop") return status === OpStatus.DONE && rc === OcfExit.OK;
  if (attributes.get("operation") !== "monitor" || status === OpStatus.PENDING) return false;
  return status === OpStatus.NOT_INSTALLED || tellsInactive.has(rc);
}

/** Whether it ends with a stop that failed. */
export function endsUnstopped(ops: readonly XmlElement[]): boolean {
  const newest = newestOf(ops);
  return newest?.attributes.get("operation") === "stop" && !isPending(newest) && !endsInactive(ops);
}

/** Whether a resource's history on a node ends with its having been handed over to another one. */
export function endsHandedOver(ops: readonly XmlElement[]): boolean {
  const { attributes } = newestOf(ops) ?? element("none");
  return attributes.get("operation") === "migrate_to" && attributes.get("rc-code") === String(OcfExit.OK);
}

/** A failure that nobody saw but somebody claims, as Pacemaker records it for `crm_resource --fail`. */
export function claimedFailure(rsc: AgentResource, callId: number, at: EpochSeconds): OperationResult {
  return {
    callId,
    rsc,
    action: "asyncmon",
    intervalMs: 0,
    transitionKey: `${callId}:-1:${OcfExit.OK}:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`,
    rc: OcfExit.GENERIC,
    status: OpStatus.DONE,
    exitReason: "Simulated failure",
    stdout: "",
    execMs: 0,
    queueMs: 0,
    lastRun: at,
    lastChange: at,
    params: {},
  };
}

const noAnswer = "the node did not answer in time";

/** What is recorded of an operation whose result has not come in time: it may have failed, so it counts as failed. */
export function unansweredResult(operation: Operation, at: EpochSeconds): OperationResult {
  return {
    ...pendingResult(operation, at),
    rc: OcfExit.GENERIC,
    status: OpStatus.TIMEOUT,
    exitReason: noAnswer,
  };
}

/** Whether a result is only what is supposed. */
export const isUnanswered = ({ status, exitReason }: OperationResult): boolean =>
  status === OpStatus.TIMEOUT && exitReason === noAnswer;

/** Whether an entry is only what was supposed of an operation, until its result comes. */
export function isSupposed({ attributes }: XmlElement): boolean {
  return (
    attributes.get("exit-reason") === noAnswer && attributes.get("op-status") === String(OpStatus.TIMEOUT)
  );
}

/** An operation that has been sent but not answered, as a result with status PENDING. */
export function pendingResult(operation: Operation, at: number): OperationResult {
  return {
    callId: operation.callId,
    rsc: operation.rsc,
    action: operation.action,
    intervalMs: operation.intervalMs,
    transitionKey: operation.transitionKey,
    rc: OcfExit.UNKNOWN,
    status: OpStatus.PENDING,
    exitReason: "",
    stdout: "",
    execMs: 0,
    queueMs: 0,
    lastRun: at,
    lastChange: at,
    params: operation.params,
  };
}

/** The result of an operation whose agent is of a class that no executor knows. */
export const notRunnable = (operation: Operation, at: number): OperationResult => ({
  ...pendingResult(operation, at),
  rc: OcfExit.INSTALLED,
  status: OpStatus.NOT_INSTALLED,
  exitReason: `agents of class "${operation.rsc.class}" cannot be run`,
});

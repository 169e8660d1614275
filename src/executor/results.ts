import { type EpochSeconds, type Millis, OcfExit, OpStatus } from "../terms/index.ts";
import type { ProcessOutcome, Verdict } from "./command.ts";
import type { AgentResource, Operation, OperationResult } from "./face.ts";
import { exitReason, lastSaid } from "./output.ts";
import type { Job } from "./state.ts";

/** Of an operation that was taken back, or ended by its cancellation. */
export const cancelledVerdict: Verdict = {
  rc: OcfExit.UNKNOWN,
  status: OpStatus.CANCELLED,
  exitReason: "",
  stdout: "",
};

/** Of a job that was ended by force; `outcome` is what it left, if anything. */
export function endedVerdict(job: Job, outcome: ProcessOutcome | undefined): Verdict {
  if (job.ending !== "timeout") return cancelledVerdict;
  const limit = job.timeoutMs % 1000 === 0 ? `${job.timeoutMs / 1000} s` : `${job.timeoutMs} ms`;
  const said = outcome === undefined ? "" : reasonOf(outcome);
  return {
    rc: OcfExit.GENERIC,
    status: OpStatus.TIMEOUT,
    exitReason: `did not finish within ${limit}${said === "" ? "" : `: ${said}`}`,
    stdout: "",
  };
}

/** The reason that the agent gave before it was ended. */
function reasonOf(outcome: ProcessOutcome): string {
  if (outcome.kind !== "exited" && outcome.kind !== "signalled") return "";
  return exitReason(outcome.stderr) || lastSaid(outcome.stderr);
}

/** The answer to a question for meta-data. */
export function metadataAnswer(verdict: Verdict): {
  readonly xml: string;
  readonly error?: string;
  readonly absent?: boolean;
} {
  if (verdict.status === OpStatus.DONE && verdict.rc === OcfExit.OK) return { xml: verdict.stdout };
  return {
    xml: "",
    error: verdict.exitReason || `meta-data gave exit code ${verdict.rc}`,
    absent: verdict.rc === OcfExit.INSTALLED,
  };
}

/** When an operation ran. */
export interface Times {
  readonly execMs: Millis;
  readonly queueMs: Millis;
  /** When it began. */
  readonly lastRun: EpochSeconds;
}

/** The result of an operation that was asked for once, or of one run of a recurring one. */
export function resultOf(operation: Operation, verdict: Verdict, times: Times): OperationResult {
  const { callId, rsc, action, intervalMs, transitionKey, params } = operation;
  return {
    callId,
    rsc,
    action,
    intervalMs,
    transitionKey,
    ...verdict,
    ...times,
    lastChange: times.lastRun,
    params,
  };
}

/** Expected exit code in a transition key `action:transition:rc:uuid`; 0 when the key says nothing. */
export function expectedRc(transitionKey: string): number {
  const rc = Number.parseInt(transitionKey.split(":")[2] ?? "", 10);
  return Number.isNaN(rc) ? 0 : rc;
}

/** Whether a result is a failure: not what was expected, and not merely pending or cancelled. */
export function isFailure(result: Pick<OperationResult, "rc" | "status" | "transitionKey">): boolean {
  if (result.status === OpStatus.PENDING || result.status === OpStatus.CANCELLED) return false;
  if (result.status !== OpStatus.DONE) return true;
  const expected = expectedRc(result.transitionKey);
  if (result.rc === expected) return false;
  // A degraded service is a running one (Pacemaker Explained, "OCF return codes", 190 and 191).
  if (expected === OcfExit.OK && result.rc === OcfExit.DEGRADED) return false;
  return !(expected === OcfExit.RUNNING_PROMOTED && result.rc === OcfExit.DEGRADED_PROMOTED);
}

/**
 * Whether a monitor has found a failure after which the service is left as it is (on-fail=block). The same failure once more is
 * then no news, whoever remembers the first.
 */
export const isLeftAlone = (result: OperationResult): boolean =>
  result.intervalMs > 0 && isFailure(result) && result.params.CRM_meta_on_fail?.toLowerCase() === "block";

/** A failure as a line for the log; `undefined` when there is nothing to tell. */
export function failureLine(result: OperationResult): string | undefined {
  if (!isFailure(result)) return undefined;
  const reason = result.exitReason === "" ? "" : `: ${result.exitReason}`;
  return `${result.rsc.id} ${result.action}_${result.intervalMs} gave ${result.rc}${reason}`;
}

/** Exit codes of a monitor that say that the service is active, in whatever role and state. */
const active: ReadonlySet<number> = new Set([
  OcfExit.OK,
  OcfExit.RUNNING_PROMOTED,
  OcfExit.FAILED_PROMOTED,
  OcfExit.DEGRADED,
  OcfExit.DEGRADED_PROMOTED,
]);

/** Whether it is known from then on with what parameters a service runs. */
function tells({ action, intervalMs, rc, status, exitReason }: OperationResult): boolean {
  // Of a look that could not be executed nobody knows whether the parameters are those that it runs with.
  if (isUnwatched(exitReason)) return false;
  if (intervalMs > 0 || status === OpStatus.CANCELLED || status === OpStatus.PENDING) return false;
  switch (action) {
    // Also what failed may have come half up.
    case "start":
    case "migrate_from":
      return true;
    case "reload":
    case "reload-agent":
      return status === OpStatus.DONE && rc === OcfExit.OK;
    case "monitor":
      return status === OpStatus.DONE && active.has(rc);
    default:
      return false;
  }
}

const latest = (results: Iterable<OperationResult>): OperationResult | undefined => {
  let last: OperationResult | undefined;
  for (const result of results) if (last === undefined || result.callId > last.callId) last = result;
  return last;
};

/**
 * The end of a migration to here that nobody has seen, since the daemon died: a look that finds the service running tells
 * that it went well. Without it the cluster would have it migrated once more, beside the one that runs.
 */
export function arrivalOf(
  interrupted: Operation | undefined,
  look: OperationResult,
): OperationResult | undefined {
  if (interrupted?.action !== "migrate_from" || !isProbe(look)) return undefined;
  return migrated(interrupted, look, { execMs: 0, queueMs: 0, lastRun: look.lastRun });
}

export const isMigration = ({ action }: Operation): boolean =>
  action === "migrate_to" || action === "migrate_from";

/**
 * The result of a migration whose agent has ended unseen, by a look at the service: one that has gone from where it was, or
 * is where it was to come, must not be migrated once more. Undefined when it has to be.
 */
export function migrated(operation: Operation, look: Verdict, times: Times): OperationResult | undefined {
  const done: readonly number[] =
    operation.action === "migrate_to" ? [OcfExit.NOT_RUNNING] : [OcfExit.OK, OcfExit.DEGRADED];
  if (look.status !== OpStatus.DONE || !done.includes(look.rc)) return undefined;
  return resultOf(operation, wentWell, times);
}

const wentWell: Verdict = { rc: OcfExit.OK, status: OpStatus.DONE, exitReason: "", stdout: "" };

/** What brought a resource up, or found it active, last. */
export const lastTelling = (history: Iterable<OperationResult>): OperationResult | undefined =>
  latest([...history].filter(tells));

/**
 * What may have left a resource active, as an operation with the parameters that it runs with, if it does: of one whose
 * history does not end with its being stopped. What could not be executed has changed nothing of that.
 */
export function mayRun(history: readonly OperationResult[]): Operation | undefined {
  const once = history.filter(({ intervalMs, action }) => intervalMs === 0 && action !== "notify");
  const last = latest(once.filter((result) => !isUnexecuted(result))) ?? latest(once);
  if (!last || !mayBeActive(last)) return undefined;
  const { callId, rsc, transitionKey } = last;
  const { params } = lastTelling(history) ?? last;
  const action = leavesPromoted(once) ? "promote" : "start";
  return { callId, rsc, action, intervalMs: 0, timeoutMs: 0, startDelayMs: 0, params, transitionKey };
}

/**
 * The same of a history that is forgotten. Where looks and stops have only failed nothing was begun here, nor found: what is
 * left is a look that could not tell (`isMereLook`).
 */
export function leftBehind(history: readonly OperationResult[]): Operation | undefined {
  const still = mayRun(history);
  return still && lastTelling(history) === undefined ? { ...still, action: "monitor" } : still;
}

/** Whether what may have left a resource active has only looked for it. */
export const isMereLook = ({ action }: Operation): boolean => action === "monitor";

/** Whether a resource is promoted by the last of its results that tells a role. */
function leavesPromoted(once: readonly OperationResult[]): boolean {
  const last = latest(once.filter((result) => !isUnexecuted(result) && !isReload(result.action)));
  return last?.action === "promote" || (last?.action === "monitor" && promotedCodes.has(last.rc));
}

const promotedCodes: ReadonlySet<number> = new Set([
  OcfExit.RUNNING_PROMOTED,
  OcfExit.FAILED_PROMOTED,
  OcfExit.DEGRADED_PROMOTED,
]);

/** Asks the agent to take over parameters that have changed, while the service runs on. */
export const isReload = (action: string): boolean => action === "reload" || action === "reload-agent";

/** Whether an operation has not been begun, for want of an agent. A migration comes to here by what its source does. */
const isUnexecuted = ({ action, status }: OperationResult): boolean =>
  status === OpStatus.NOT_INSTALLED && action !== "migrate_from";

/** Whether a resource may be active after this, its last operation. */
export function mayBeActive({ action, rc, status }: OperationResult): boolean {
  // What could not be executed has started nothing.
  if (action === "start" && status === OpStatus.NOT_INSTALLED) return false;
  if (action === "stop") return status !== OpStatus.DONE || rc !== OcfExit.OK;
  if (action !== "monitor") return true;
  // Without its software it cannot run.
  if (status === OpStatus.NOT_INSTALLED || rc === OcfExit.INSTALLED || rc === OcfExit.ARGS) return false;
  return status !== OpStatus.DONE || rc !== OcfExit.NOT_RUNNING;
}

/**
 * What the look at a service that nothing here can have brought up says, where its agent only says that it is not configured
 * (OCF 6): that it cannot run, as where its software is missing. The stop that would follow would say the same, and would
 * cost one node after the other its power. Pacemaker takes exit codes 2 and 5 of a probe so, whatever is known.
 */
export const cannotRun = (verdict: Verdict): Verdict =>
  verdict.rc === OcfExit.CONFIGURED && verdict.status === OpStatus.DONE
    ? { ...verdict, status: OpStatus.NOT_INSTALLED }
    : verdict;

/**
 * What the stop of a service that nothing here can have brought up says, where its agent cannot be executed: that nothing is
 * left to be stopped. Taken for a failure it would cost the node its power, and the next one after it.
 */
export const nothingToStop = (verdict: Verdict): Verdict =>
  verdict.status === OpStatus.NOT_INSTALLED ? wentWell : verdict;

/** How the reason begins why a service is only degraded, where nobody can look at it, nor stop it. */
export const UNWATCHED = "cannot be watched, and may not run";

/** Whether a reason says so. */
export const isUnwatched = (reason: string): boolean => reason.startsWith(UNWATCHED);

/** Whether an agent is a file that is executed, so that a service may run on without it. */
const isExecuted = ({ class: name }: AgentResource): boolean => name === "ocf" || name === "lsb";

/**
 * A look at a running service that could not be executed (the agent is gone, or lost its permission in an update) says
 * nothing about the service: it counts as running in its role, and as degraded, so that everybody is told. Taken for a
 * failure it would be followed by a stop that cannot be executed, either, and that by the loss of the node.
 * (Pacemaker Explained, "OCF return codes", 190 and 191.)
 * @param active what has left the service active, by all that is known
 */
export function unseen(
  { action, intervalMs, rsc, transitionKey }: Operation,
  verdict: Verdict,
  active: Pick<Operation, "action">,
): Verdict | undefined {
  if (verdict.status !== OpStatus.NOT_INSTALLED || action !== "monitor" || !isExecuted(rsc)) return undefined;
  const role = active.action === "promote" ? OcfExit.RUNNING_PROMOTED : OcfExit.OK;
  const rc = degraded.get(intervalMs === 0 ? role : expectedRc(transitionKey));
  if (rc === undefined) return undefined;
  const exitReason = `${UNWATCHED}: ${verdict.exitReason}`;
  return { ...verdict, rc, status: OpStatus.DONE, exitReason };
}

/**
 * What is done to a service that runs, and could not be executed, has not been begun: the service goes on as before. It is
 * said with the words by which nobody orders it again in vain (`UNWATCHED`).
 */
export function notBegun({ action, rsc }: Operation, verdict: Verdict): Verdict {
  if (!changesActive.has(action) || verdict.status !== OpStatus.NOT_INSTALLED || !isExecuted(rsc))
    return verdict;
  return { ...verdict, exitReason: `${UNWATCHED}: ${verdict.exitReason}` };
}

/** Whether a result says so. */
export const isNotBegun = ({ action, status, exitReason }: OperationResult): boolean =>
  changesActive.has(action) && status === OpStatus.NOT_INSTALLED && isUnwatched(exitReason);

/** What is done only to services that run. */
export const changesActive: ReadonlySet<string> = new Set([
  ...["stop", "demote", "promote", "migrate_to", "reload", "reload-agent"],
]);

/** What says of a role that it is there, and not well. */
const degraded: ReadonlyMap<number, number> = new Map([
  [OcfExit.OK, OcfExit.DEGRADED],
  [OcfExit.RUNNING_PROMOTED, OcfExit.DEGRADED_PROMOTED],
]);

/**
 * A service is ended as it was started: by the agent and with the parameters of its last start, reload or probe that
 * found it. Those of the configuration may be others by now (an address that was changed), or gone with the resource.
 * With the same it is looked for after what may have left it active: what the history ends with, as where a cluster asks
 * that does not know it any more, or what was `interrupted`, which nothing in the history is newer than. What concerns the
 * operation itself (most of `CRM_meta_…`) stays as it was asked for.
 */
export function asStarted(
  operation: Operation,
  history: readonly OperationResult[],
  interrupted: Operation | undefined,
): Operation {
  const ends = operation.action === "stop" || operation.action === "demote";
  const looks = isProbe(operation) && (interrupted !== undefined || mayRun(history) !== undefined);
  if (!ends && !looks) return operation;
  const started = lastTelling(history) ?? interrupted;
  return started ? { ...withParameters(operation, started.params), rsc: started.rsc } : operation;
}

/**
 * The operation with other parameters than those that it was asked with. Which instance of which clone it is about goes with the
 * service: agents make names and addresses from that (IPaddr2's unique_clone_address).
 */
export function withParameters(operation: Operation, params: Operation["params"]): Operation {
  const own = (all: Operation["params"], asked: boolean) =>
    Object.entries(all).filter(([name]) => (isMeta(name) && !identifies.test(name)) === asked);
  return {
    ...operation,
    params: Object.fromEntries([...own(params, false), ...own(operation.params, true)]),
  };
}

/** Options by which an agent knows which instance it is. */
const identifies = /^CRM_meta_(?:clone|clone_max|clone_node_max|globally_unique)$/;

/** Whether two operations are for different agents, or for one that is configured otherwise. */
export function isForOther(one: Operation, other: Operation): boolean {
  if (!sameAgent(one.rsc, other.rsc)) return true;
  const own = ({ params }: Operation) => Object.entries(params).filter(([name]) => !isMeta(name));
  return (
    own(one).length !== own(other).length || own(one).some(([name, value]) => other.params[name] !== value)
  );
}

const sameAgent = (one: AgentResource, other: AgentResource): boolean =>
  one.class === other.class && one.type === other.type && (one.provider ?? "") === (other.provider ?? "");

/** Looks whether a service runs that is not known to. */
export const isProbe = ({ action, intervalMs }: Pick<Operation, "action" | "intervalMs">): boolean =>
  action === "monitor" && intervalMs === 0;

const isMeta = (name: string): boolean => name.startsWith("CRM_meta_") || name === "crm_feature_set";

/** Exit codes of monitors that say in which role a service is, or that it is in none: somebody may have brought it there. */
const roles: ReadonlySet<number> = new Set([OcfExit.OK, OcfExit.NOT_RUNNING, OcfExit.RUNNING_PROMOTED]);

/** Whether a monitor says in which role its resource is; not that it is there and fails. */
export const tellsRole = ({ action, status, rc }: OperationResult): boolean =>
  action === "monitor" && status === OpStatus.DONE && roles.has(rc);

import { type EpochSeconds, type Millis, OcfExit, OpStatus } from "../terms/index.ts";
import type { ProcessOutcome, Verdict } from "./command.ts";
import type { Operation, OperationResult } from "./face.ts";
import { exitReason } from "./output.ts";
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
  return outcome.kind === "exited" || outcome.kind === "signalled" ? exitReason(outcome.stderr) : "";
}

/** The answer to a question for meta-data. */
export function metadataAnswer(verdict: Verdict): { readonly xml: string; readonly error?: string } {
  if (verdict.status === OpStatus.DONE && verdict.rc === OcfExit.OK) return { xml: verdict.stdout };
  return { xml: "", error: verdict.exitReason || `meta-data gave exit code ${verdict.rc}` };
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

/** A failure as a line for the log; `undefined` when there is nothing to tell. */
export function failureLine(result: OperationResult): string | undefined {
  if (!isFailure(result)) return undefined;
  const reason = result.exitReason === "" ? "" : `: ${result.exitReason}`;
  return `${result.rsc.id} ${result.action}_${result.intervalMs} gave ${result.rc}${reason}`;
}

/** Operations after which it is known with what parameters a service runs. */
const telling: ReadonlySet<string> = new Set(["start", "reload", "reload-agent", "monitor"]);

/**
 * A service is stopped as it was started: with the parameters of its last start, reload or probe that went well. Those of
 * the configuration may be others by now (an address that was changed), or gone with the resource. Pacemaker's controller
 * does the same. What concerns the operation itself (`CRM_meta_…`) stays as it was asked for.
 */
export function asStarted(operation: Operation, history: Iterable<OperationResult>): Operation {
  if (operation.action !== "stop") return operation;
  let last: OperationResult | undefined;
  for (const result of history) {
    if (!telling.has(result.action) || result.intervalMs > 0 || result.status !== OpStatus.DONE) continue;
    if (!isFailure(result) && (last === undefined || result.callId > last.callId)) last = result;
  }
  if (!last) return operation;
  const own = (params: Operation["params"], meta: boolean) =>
    Object.entries(params).filter(([name]) => isMeta(name) === meta);
  return {
    ...operation,
    params: Object.fromEntries([...own(last.params, false), ...own(operation.params, true)]),
  };
}

const isMeta = (name: string): boolean => name.startsWith("CRM_meta_") || name === "crm_feature_set";

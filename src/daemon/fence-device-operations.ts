import type { Operation, OperationResult } from "../executor/index.ts";
import type { AgentOutcome, AgentRun } from "../fencer/index.ts";
import { LONGEST_TIMER_MS, monotonicMs, wallMs } from "../platform/index.ts";
import { lastWords, OcfExit, OpStatus } from "../terms/index.ts";
import { complaints, type FenceDirectories, runFenceAgent } from "./fence-agents.ts";
import { resultOf } from "./operation-result.ts";

/**
 * Start, stop and monitor of fence devices as resources. Starting one means that its agent's monitor succeeds:
 * a device that cannot be reached is found out before it is needed. Nothing of it runs; stopping always succeeds.
 */
export class FenceDeviceOperations {
  readonly #recurring = new Map<
    string,
    { readonly operation: Operation; timer: ReturnType<typeof setTimeout> | undefined }
  >();
  readonly #last = new Map<string, string>();

  constructor(
    private readonly directories: FenceDirectories,
    private readonly onResult: (result: OperationResult) => void,
    /** Takes what an agent has complained of, where it failed. */
    private readonly log: (text: string) => void = () => {},
  ) {}

  run(operation: Operation): void {
    const { rsc, action, intervalMs } = operation;
    if (["stop", "demote", "migrate_to"].includes(action)) this.forget(rsc.id);
    if (action === "stop")
      return this.onResult(resultOf(operation, OcfExit.OK, OpStatus.DONE, "", wallMs(), 0));
    const probe = action === "monitor" && intervalMs === 0;
    // Nothing runs before it is started here; what the device says of itself does not matter for that.
    if (probe) return this.onResult(resultOf(operation, OcfExit.NOT_RUNNING, OpStatus.DONE, "", wallMs(), 0));
    const key = `${rsc.id}_${action}_${intervalMs}`;
    this.#clear(key);
    if (intervalMs > 0) this.#recurring.set(key, { operation, timer: undefined });
    void this.#check(operation, key);
  }

  /** Recurring operations, for a manager that goes on after this one. */
  operations(): Operation[] {
    return [...this.#recurring.values()].map(({ operation }) => operation);
  }

  /** Goes on where the manager before this one left off; `results` are what was told last. */
  resume(operations: readonly Operation[], results: readonly OperationResult[]): void {
    for (const operation of operations.filter(({ rsc }) => rsc.class === "stonith")) {
      const { rsc, action, intervalMs } = operation;
      const key = `${rsc.id}_${action}_${intervalMs}`;
      const told = results.findLast(
        (result) => result.rsc.id === rsc.id && result.action === action && result.intervalMs === intervalMs,
      );
      if (told) this.#last.set(key, `${told.rc}:${told.status}`);
      this.#again(operation, key);
    }
  }

  cancel(rsc: string, action: string, intervalMs: number): void {
    this.#clear(`${rsc}_${action}_${intervalMs}`);
  }

  /** Ends all recurring operations of a device. */
  forget(rsc: string): void {
    for (const key of [...this.#recurring.keys()]) if (key.startsWith(`${rsc}_monitor_`)) this.#clear(key);
  }

  close(): void {
    for (const key of [...this.#recurring.keys()]) this.#clear(key);
  }

  #clear(key: string): void {
    clearTimeout(this.#recurring.get(key)?.timer);
    this.#recurring.delete(key);
    this.#last.delete(key);
  }

  async #check(operation: Operation, key: string): Promise<void> {
    const begun = monotonicMs();
    const at = wallMs();
    const { outcome, said: complained } = await this.#monitor(operation);
    const { rc, status, reason } = meaning(outcome);
    const recurring = operation.intervalMs > 0;
    if (recurring && !this.#recurring.has(key)) return;
    const said = `${rc}:${status}`;
    if (!recurring || this.#last.get(key) !== said) {
      complained.forEach(this.log);
      this.onResult(resultOf(operation, rc, status, reason, at, monotonicMs() - begun));
    }
    if (!recurring) return;
    this.#last.set(key, said);
    this.#again(operation, key);
  }

  #again(operation: Operation, key: string): void {
    const afterMs = Math.min(operation.intervalMs, LONGEST_TIMER_MS);
    const timer = setTimeout(() => void this.#check(operation, key), afterMs);
    this.#recurring.set(key, { operation, timer });
  }

  async #monitor(operation: Operation): Promise<{ outcome: AgentOutcome; said: readonly string[] }> {
    const { rsc, params } = operation;
    // hactl listens for crash notices itself: there is no program to ask.
    if (rsc.type === "fence_kdump") {
      return { outcome: { exit: 0, timedOut: false, stdout: "", stderr: "" }, said: [] };
    }
    const external = rsc.type.startsWith("external/");
    const action = params.pcmk_monitor_action ?? "monitor";
    const own = Object.entries(params).filter(
      ([name]) => !/^(?:pcmk_|hactl_|CRM_meta_|crm_feature_set$|action$)/.test(name),
    );
    const run: AgentRun = {
      run: `${rsc.id}-${operation.callId}`,
      device: rsc.id,
      kind: external ? "external" : "fence-agent",
      agent: external ? rsc.type.slice("external/".length) : rsc.type,
      action,
      params: { ...(external ? {} : { action }), ...Object.fromEntries(own) },
      timeoutMs: operation.timeoutMs,
    };
    const outcome = await runFenceAgent(run, this.directories);
    return { outcome, said: complaints(rsc.id, run, outcome) };
  }
}

function meaning(outcome: AgentOutcome): { rc: OcfExit; status: OpStatus; reason: string } {
  const said = lastWords(outcome.stderr, 1000) || lastWords(outcome.stdout, 1000);
  if (outcome.lacksSecret)
    return { rc: OcfExit.GENERIC, status: OpStatus.NO_SECRETS, reason: outcome.error ?? "" };
  if (outcome.error !== undefined)
    return { rc: OcfExit.INSTALLED, status: OpStatus.NOT_INSTALLED, reason: outcome.error };
  if (outcome.timedOut)
    return {
      rc: OcfExit.GENERIC,
      status: OpStatus.TIMEOUT,
      reason: `the fence agent did not answer in time${said === "" ? "" : `: ${said}`}`,
    };
  if (outcome.exit === 0) return { rc: OcfExit.OK, status: OpStatus.DONE, reason: "" };
  return {
    rc: OcfExit.GENERIC,
    status: OpStatus.ERROR,
    reason: said === "" ? `exit status ${outcome.exit}` : said,
  };
}

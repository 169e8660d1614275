import type { XmlElement } from "../cib/index.ts";
import type { OperationResult } from "../executor/index.ts";
import type { GraphAction } from "../scheduler/index.ts";
import { type EpochSeconds, INFINITY, OpStatus, resourceId } from "../terms/index.ts";
import { decidedAgent } from "./decided-agent.ts";
import { isRecorded } from "./history.ts";
import { type HistoryOwner, SimulatedStatus } from "./simulation-status.ts";

/** A result that the rehearsal shall give instead of success (`RSC_TASK_INTERVALMS@NODE=RC`). */
export interface InjectedFailure {
  readonly operation: string;
  /** The resource as the operation names it: with or without the number of an instance. */
  readonly rsc: string;
  readonly node: string;
  readonly rc: number;
}

/** One thing that the rehearsed execution did, in order. */
export type SimulationStep =
  | {
      readonly type: "resource";
      readonly rsc: string;
      readonly task: string;
      readonly intervalMs: number;
      readonly node: string;
    }
  | { readonly type: "pseudo"; readonly key: string; readonly node?: string }
  | { readonly type: "fencing"; readonly node: string; readonly action: string }
  | { readonly type: "cluster"; readonly task: string; readonly rsc?: string; readonly node: string }
  | { readonly type: "failure"; readonly action: number; readonly rc: number }
  | {
      readonly type: "attribute";
      readonly nodeId: string;
      readonly name: string;
      readonly value: string;
    };

export interface SimulationResult {
  readonly steps: readonly SimulationStep[];
  /** `terminated`: something waits for what failed or never ran. */
  readonly outcome: "complete" | "terminated";
  /** The actions that never ran. */
  readonly left: readonly GraphAction[];
}

/** Stands for the controller's identity in transition keys of rehearsed results. */
const nobody = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

/**
 * Executes a transition on paper: runs its actions in the order that the graph allows, every action answering
 * as expected, and writes the results into the `<status>` of `cib`, which is changed. The order of the steps is that of
 * crm_simulate: pass after pass over the actions in graph order, each taken when its inputs are done.
 */
export function simulateTransition(
  actions: readonly GraphAction[],
  cib: XmlElement,
  now: EpochSeconds,
  failures: readonly InjectedFailure[] = [],
): SimulationResult {
  const executor = new PaperExecutor(cib, now, failures);
  const order = executionOrder(actions, (action) => executor.run(action));
  return { steps: executor.steps, ...order };
}

/**
 * Calls `run` for each action whose inputs are done, pass after pass. A `false` answer is a failure: what waits for it
 * may go on, but only mere points of synchronisation and what must not be left out (priority INFINITY) still do.
 */
function executionOrder(
  actions: readonly GraphAction[],
  run: (action: GraphAction) => boolean,
): Pick<SimulationResult, "outcome" | "left"> {
  const followers = new Map<number, number[]>(actions.map(({ id }) => [id, []]));
  const open = new Map<number, number>();
  for (const { id, inputs, unmet = [] } of actions) {
    const known = new Set(inputs.filter((input) => followers.has(input)));
    for (const input of known) followers.get(input)?.push(id);
    open.set(id, known.size + unmet.length);
  }
  let waiting = actions;
  let failed = false;
  for (let before = Number.POSITIVE_INFINITY; waiting.length > 0 && waiting.length < before; ) {
    before = waiting.length;
    waiting = waiting.filter((action) => {
      if (open.get(action.id) !== 0) return true;
      if (failed && action.kind !== "pseudo" && action.priority < INFINITY) return true;
      if (!run(action) && !action.canFail) failed = true;
      for (const next of followers.get(action.id) ?? []) open.set(next, (open.get(next) ?? 1) - 1);
      return false;
    });
  }
  const outcome = waiting.length === 0 && !failed ? "complete" : "terminated";
  return { outcome, left: waiting };
}

/** Answers every action as its agent would, and keeps the books. */
class PaperExecutor {
  readonly steps: SimulationStep[] = [];
  readonly #status: SimulatedStatus;
  readonly #now: EpochSeconds;
  readonly #failures: readonly InjectedFailure[];

  constructor(cib: XmlElement, now: EpochSeconds, failures: readonly InjectedFailure[]) {
    this.#status = new SimulatedStatus(cib);
    this.#now = this.#status.timeOfResults(now);
    this.#failures = failures;
  }

  run(action: GraphAction): boolean {
    switch (action.kind) {
      case "pseudo":
        this.steps.push({
          type: "pseudo",
          key: action.key,
          ...(action.node === undefined ? {} : { node: action.node }),
        });
        this.#status.maintenance(action.maintenance ?? []);
        return true;
      case "crm":
        this.#cluster(action);
        return true;
      case "rsc":
        return this.#resource(action);
    }
  }

  #cluster(action: GraphAction): void {
    const node = action.node ?? "";
    if (action.task !== "stonith") {
      this.steps.push({
        type: "cluster",
        task: action.task,
        node,
        ...(action.rsc ? { rsc: action.rsc.id } : {}),
      });
      if (action.task === "clear_failcount" && action.rsc)
        this.#status.clearFailures(node, action.rsc.id, action.params);
      if (action.task === "lrm_delete" && action.rsc)
        this.#status.forgetResource({ node, id: action.nodeId }, action.rsc.id);
      return;
    }
    const fence = action.params.CRM_meta_stonith_action ?? action.key.slice(action.key.lastIndexOf("-") + 1);
    this.steps.push({ type: "fencing", node, action: fence });
    if (fence !== "on") this.#status.fenced(node, action.nodeId);
    else
      this.#status.setAttribute({ node, id: action.nodeId }, "#node-unfenced", String(Math.floor(this.#now)));
  }

  #resource(action: GraphAction): boolean {
    const { rsc } = action;
    if (!rsc) return true;
    const node = action.node ?? "";
    const intervalMs = action.task === "delete" ? 0 : action.intervalMs;
    const shown = this.#status.shownName(rsc.id, rsc.longId);
    this.steps.push({ type: "resource", rsc: shown, task: action.task, intervalMs, node });
    const owner = { node, id: action.router === undefined ? action.nodeId : node };
    const kept = this.#status.historyName(owner, rsc.id, rsc.longId);
    if (action.task === "cancel") this.#status.cancel(owner, kept, action.params, action.intervalMs);
    if (action.task === "delete") this.#status.forgetResource(owner, kept);
    if (!isRecorded(action.task)) return true;
    return this.#record(action, owner, rsc.id);
  }

  #record(action: GraphAction, owner: HistoryOwner, rscId: string): boolean {
    const failure = this.#failureOf(action, owner.node);
    const rc = failure?.rc ?? action.expectedRc;
    const id = this.#status.historyName(owner, rscId, action.rsc?.longId);
    const callId = this.#status.nextCallId(owner, id);
    const result: OperationResult = {
      callId,
      rsc: decidedAgent(action, resourceId(id)),
      action: recordedTask(action.task, failure === undefined),
      intervalMs: action.intervalMs,
      // No transition that was ever carried out: the number of the call tells results apart, as crm_simulate's do.
      transitionKey: `${callId}:-1:${action.expectedRc}:${nobody}`,
      rc,
      status: OpStatus.DONE,
      exitReason: failure === undefined ? "" : "User-injected result",
      stdout: "",
      execMs: 0,
      queueMs: 0,
      lastRun: this.#now,
      lastChange: this.#now,
      params: action.params,
    };
    this.#status.record(owner, result);
    if (!failure) return true;
    this.steps.push({ type: "failure", action: action.id, rc });
    const counted = this.#status.countFailure(owner, failure.rsc, action, rc, this.#now);
    const nodeId = this.#status.idOf(owner);
    for (const [name, value] of counted) this.steps.push({ type: "attribute", nodeId, name, value });
    return false;
  }

  #failureOf(action: GraphAction, node: string): InjectedFailure | undefined {
    const keys = [action.rsc?.id, action.rsc?.longId].map(
      (id) => `${id}_${action.task}_${action.intervalMs}`,
    );
    return this.#failures.find((failure) => failure.node === node && keys.includes(failure.operation));
  }
}

/** A reload counts as a start that went well or as a monitor that did not (Pacemaker Administration, "Reload"). */
function recordedTask(task: string, good: boolean): string {
  if (task !== "reload" && task !== "reload-agent") return task;
  return good ? "start" : "monitor";
}

import { child, childrenOf, parseBoolean, parseInteger, type XmlElement } from "../cib/index.ts";
import type { AgentResource, OperationResult } from "../executor/index.ts";
import type { GraphAction } from "../scheduler/index.ts";
import { type EpochSeconds, INFINITY, OpStatus, type ResourceId } from "../terms/index.ts";
import { historyEntry, historyIds, isFailure, isRecorded } from "./history.ts";
import { StatusSection } from "./status.ts";

/** A result that the rehearsal shall give instead of success (`RSC_TASK_INTERVALMS@NODE=RC`). */
export interface InjectedFailure {
  readonly operation: string;
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
  | { readonly type: "attribute"; readonly node: string; readonly name: string; readonly value: string };

export interface SimulationResult {
  readonly steps: readonly SimulationStep[];
  /** `terminated`: something waits for what failed or never ran. */
  readonly outcome: "complete" | "terminated";
  /** Keys of the actions that never ran. */
  readonly left: readonly string[];
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
 * Calls `run` for each action whose inputs are done, pass after pass. A `false` answer is a failure that ends the
 * transition, except for actions that must not be left out (priority INFINITY).
 */
function executionOrder(
  actions: readonly GraphAction[],
  run: (action: GraphAction) => boolean,
): Pick<SimulationResult, "outcome" | "left"> {
  const followers = new Map<number, number[]>(actions.map(({ id }) => [id, []]));
  const open = new Map<number, number>();
  for (const { id, inputs } of actions) {
    const known = new Set(inputs.filter((input) => followers.has(input)));
    for (const input of known) followers.get(input)?.push(id);
    open.set(id, known.size);
  }
  let waiting = actions;
  let failed = false;
  for (let before = Number.POSITIVE_INFINITY; waiting.length > 0 && waiting.length < before; ) {
    before = waiting.length;
    waiting = waiting.filter((action) => {
      if (open.get(action.id) !== 0 || (failed && action.priority < INFINITY)) return true;
      if (!run(action) && !action.canFail) failed = true;
      else for (const next of followers.get(action.id) ?? []) open.set(next, (open.get(next) ?? 1) - 1);
      return false;
    });
  }
  const outcome = waiting.length === 0 && !failed ? "complete" : "terminated";
  return { outcome, left: waiting.map(({ key }) => key) };
}

/** Answers every action as its agent would, and keeps the books. */
class PaperExecutor {
  readonly steps: SimulationStep[] = [];
  readonly #status: SimulatedStatus;
  readonly #now: EpochSeconds;
  readonly #failures: readonly InjectedFailure[];

  constructor(cib: XmlElement, now: EpochSeconds, failures: readonly InjectedFailure[]) {
    this.#status = new SimulatedStatus(cib);
    this.#now = now;
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
      return;
    }
    const fence = action.params.CRM_meta_stonith_action ?? action.key.slice(action.key.lastIndexOf("-") + 1);
    this.steps.push({ type: "fencing", node, action: fence });
    if (fence !== "on") this.#status.fenced(node, action.nodeId);
  }

  #resource(action: GraphAction): boolean {
    const { rsc } = action;
    if (!rsc) return true;
    const node = action.node ?? "";
    const intervalMs = action.task === "delete" ? 0 : action.intervalMs;
    const shown = this.#status.shownName(rsc.id, rsc.longId);
    this.steps.push({ type: "resource", rsc: shown, task: action.task, intervalMs, node });
    const owner = { node, id: action.router === undefined ? action.nodeId : node };
    if (action.task === "cancel") this.#status.cancel(owner, rsc.id, action.params, action.intervalMs);
    if (!isRecorded(action.task)) return true;
    return this.#record(action, owner, rsc.id);
  }

  #record(action: GraphAction, owner: HistoryOwner, rscId: string): boolean {
    const failure = this.#failureOf(action, owner.node);
    const rc = failure?.rc ?? action.expectedRc;
    const id = this.#status.historyName(owner, rscId, action.rsc?.longId);
    const result: OperationResult = {
      callId: this.#status.nextCallId(owner, id),
      rsc: agentOf(action, id),
      action: recordedTask(action.task, failure === undefined),
      intervalMs: action.intervalMs,
      transitionKey: `${action.id}:-1:${action.expectedRc}:${nobody}`,
      rc,
      status: OpStatus.DONE,
      exitReason: "",
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
    const counted = this.#status.countFailure(owner, rscId, action, rc, this.#now);
    for (const [name, value] of counted)
      this.steps.push({ type: "attribute", node: owner.node, name, value });
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

function agentOf(action: GraphAction, id: string): AgentResource {
  const rsc = action.rsc;
  return {
    id: id as ResourceId,
    class: (rsc?.class ?? "ocf") as AgentResource["class"],
    ...(rsc?.provider === undefined ? {} : { provider: rsc.provider }),
    type: rsc?.type ?? "",
  };
}

/** Whose history a result belongs to: the node's name, and the id for an entry that must be made. */
export interface HistoryOwner {
  readonly node: string;
  readonly id: string | undefined;
}

/** The status section of a rehearsal: nodes are found by name, as injections and actions name them. */
export class SimulatedStatus {
  readonly #cib: XmlElement;
  readonly #section: StatusSection;
  readonly #ids = new Map<string, string>();
  /** Resource names in the histories, as they were before the rehearsal. */
  readonly #historyNames = new Set<string>();

  constructor(cib: XmlElement) {
    this.#cib = cib;
    this.#section = new StatusSection(cib);
    for (const state of childrenOf(this.#section.xml, "node_state")) {
      const id = state.attributes.get("id");
      const uname = state.attributes.get("uname") ?? this.#configuredName(id);
      if (id === undefined || uname === undefined) continue;
      this.#ids.set(uname, id);
      for (const rsc of this.#section.resourcesOn(id))
        if (this.#section.ops(id, rsc).length > 0) this.#historyNames.add(rsc);
    }
  }

  #configuredName(id: string | undefined): string | undefined {
    const node = this.#configuredNodes().find(({ attributes }) => attributes.get("id") === id);
    return node?.attributes.get("uname");
  }

  #configuredNodes(): XmlElement[] {
    return childrenOf(child(child(this.#cib, "configuration"), "nodes"), "node");
  }

  /** Id of a node's `<node_state>`; the configured one, or the name, where there is none yet. */
  idOf(owner: HistoryOwner): string {
    const known = this.#ids.get(owner.node);
    if (known !== undefined) return known;
    const configured = this.#configuredNodes().find(
      ({ attributes }) => attributes.get("uname") === owner.node,
    );
    const id = owner.id ?? configured?.attributes.get("id") ?? owner.node;
    this.#ids.set(owner.node, id);
    return id;
  }

  /** Sets a node up or down, as its coming and going would. */
  setUp(owner: HistoryOwner, up: boolean): void {
    const state = up
      ? { in_ccm: "true", crmd: "online", join: "member", expected: "member" }
      : { in_ccm: "false", crmd: "offline", join: "down", expected: "down" };
    this.#section.setNodeState(this.idOf(owner), owner.node, state);
  }

  /** A member lost without warning: gone, but expected to be there. */
  setLost(owner: HistoryOwner): void {
    const state = { in_ccm: "false", crmd: "offline", join: "member", expected: "member" };
    this.#section.setNodeState(this.idOf(owner), owner.node, state);
  }

  /** Sets a transient attribute of a node. */
  setAttribute(owner: HistoryOwner, name: string, value: string): void {
    this.#section.setAttribute(this.idOf(owner), owner.node, name, value);
  }

  /** The node has been fenced: off, its history and transient attributes gone. */
  fenced(node: string, nodeId: string | undefined): void {
    const owner = { node, id: nodeId };
    const id = this.idOf(owner);
    this.setUp(owner, false);
    this.#section.clearHistory(id);
    this.#section.clearAttributes(id);
  }

  /** Forgets everything about a node. */
  forget(node: string): void {
    const id = this.#ids.get(node);
    if (id === undefined) return;
    this.#section.removeNode(id);
    this.#ids.delete(node);
  }

  /** Name under which a history of the resource exists, or will be made. */
  historyName(owner: HistoryOwner, rsc: string, longId: string | undefined): string {
    const known = this.#section.resourcesOn(this.idOf(owner));
    return longId !== undefined && !known.includes(rsc) && known.includes(longId) ? longId : rsc;
  }

  /**
   * Name under which crm_simulate lists an action: an instance of an anonymous clone has its number as long as no
   * history has been written under the name without.
   */
  shownName(rsc: string, longId: string | undefined): string {
    return longId === undefined || this.#historyNames.has(rsc) ? rsc : longId;
  }

  /** Call id for the next result. */
  nextCallId(owner: HistoryOwner, rsc: string): number {
    const ids = this.#section
      .ops(this.idOf(owner), rsc)
      .map((op) => parseInteger(op.attributes.get("call-id")) ?? 0);
    return Math.max(0, ...ids) + 1;
  }

  /** Writes a result as the controller would. */
  record(owner: HistoryOwner, result: OperationResult): void {
    const id = this.idOf(owner);
    for (const entry of historyIds(result.rsc.id, result.action, result.intervalMs, isFailure(result))) {
      this.#section.recordOp(id, owner.node, result.rsc, historyEntry(entry, owner.node, result));
    }
  }

  /** A recurring operation has been cancelled: its entry goes. */
  cancel(owner: HistoryOwner, rsc: string, params: GraphAction["params"], intervalMs: number): void {
    const task = params.CRM_meta_operation ?? "monitor";
    const interval = parseInteger(params.CRM_meta_interval) ?? intervalMs;
    this.#section.removeOps(this.idOf(owner), rsc, ({ attributes }) => {
      const same =
        attributes.get("operation") === task && Number(attributes.get("interval") ?? 0) === interval;
      // What a failed recurring operation left behind stays until somebody cleans up.
      return same && !attributes.get("id")?.includes("_last_failure_");
    });
  }

  /** Forgets the fail counts of a resource on a node. */
  clearFailures(node: string, rsc: string, params: GraphAction["params"]): void {
    const id = this.#ids.get(node);
    if (id === undefined) return;
    const operation = params.CRM_meta_operation;
    for (const name of this.#attributeNames(id)) {
      const match = /^(?:fail-count|last-failure)-([^#]+)(?:#(.*))?$/.exec(name);
      if (match?.[1]?.replace(/:\d+$/, "") !== rsc.replace(/:\d+$/, "")) continue;
      if (operation !== undefined && match[2] !== undefined && !match[2].startsWith(`${operation}_`))
        continue;
      this.#section.setAttribute(id, node, name, undefined);
    }
  }

  #attributeNames(id: string): string[] {
    const state = childrenOf(this.#section.xml, "node_state").find(
      ({ attributes }) => attributes.get("id") === id,
    );
    const blocks = childrenOf(child(state, "transient_attributes"), "instance_attributes");
    return blocks.flatMap((block) => block.children.map(({ attributes }) => attributes.get("name") ?? ""));
  }

  /** Counts a failure as the controller would; answers the attributes that it set. */
  countFailure(
    owner: HistoryOwner,
    rsc: string,
    operation: Pick<GraphAction, "task" | "intervalMs">,
    rc: number,
    now: EpochSeconds,
  ): [string, string][] {
    const { task, intervalMs } = operation;
    if (rc === 0 || (rc === 7 && task === "monitor" && intervalMs === 0)) return [];
    const suffix = `${rsc.replace(/:\d+$/, "")}#${task}_${intervalMs}`;
    const id = this.idOf(owner);
    const before = parseInteger(this.#section.attribute(id, `fail-count-${suffix}`)) ?? 0;
    const fatal = task === "stop" || (task === "start" && this.#startFailureIsFatal());
    const counted: [string, string][] = [
      [`fail-count-${suffix}`, fatal ? "INFINITY" : String(before + 1)],
      [`last-failure-${suffix}`, String(Math.floor(now))],
    ];
    for (const [name, value] of counted) this.#section.setAttribute(id, owner.node, name, value);
    return counted;
  }

  #startFailureIsFatal(): boolean {
    const sets = childrenOf(child(child(this.#cib, "configuration"), "crm_config"), "cluster_property_set");
    const set = sets
      .flatMap(({ children }) => children)
      .find((pair) => pair.attributes.get("name") === "start-failure-is-fatal");
    return parseBoolean(set?.attributes.get("value")) ?? true;
  }
}

/** A copy of a `<cib>` whose status may be changed; the configuration is shared. */
export function copyForSimulation(cib: XmlElement): XmlElement {
  return {
    ...cib,
    attributes: new Map(cib.attributes),
    children: cib.children.map((part) => (part.name === "status" ? copyElement(part) : part)),
  };
}

/** A deep copy of an element. */
export function copyElement(source: XmlElement): XmlElement {
  return { ...source, attributes: new Map(source.attributes), children: source.children.map(copyElement) };
}

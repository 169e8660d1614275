import { childrenOf, type XmlElement } from "../../src/cib/index.ts";
import { copyForSimulation, type SimulationStep, simulateTransition } from "../../src/controller/index.ts";
import { type GraphAction, schedule } from "../../src/scheduler/index.ts";
import { setCondition } from "./node-condition.ts";

/** What applying one transition did. */
export interface Round {
  /** What was carried out, `TASK RESOURCE INTERVAL NODE`; notifications and points of synchronisation change nothing. */
  readonly done: readonly string[];
  /** Actions that never ran although nothing that they wait for is missing; there must be none. */
  readonly stuck: readonly string[];
}

/** Most transitions that a cluster may need: fencing, probes, what they show, what waited for that, clones. */
export const mostRounds = 6;

/**
 * Applies transitions to the status, each decided from what the one before left, until one carries out nothing.
 * After the first, what was under way at the beginning has come to the end that was expected of it, and nodes that were
 * told to leave have left.
 */
export function settle(start: XmlElement, now: number): Round[] {
  const rounds: Round[] = [];
  let cib = start;
  for (let round = 0; round < mostRounds; round++) {
    const { actions } = schedule({ cib, now, sanitized: true });
    const copy = copyForSimulation(cib);
    const { steps, left } = simulateTransition(actions, copy, now);
    const done = steps.flatMap(workOf);
    rounds.push({ done, stuck: stuckActions(left) });
    if (done.length === 0) break;
    if (round === 0) answer(copy);
    for (const { task, node, rsc } of actions) {
      if (task === "do_shutdown") leave(copy, node);
      if (task === "clear_failcount" && rsc) forgetFailure(copy, node, rsc.id);
    }
    cib = copy;
  }
  return rounds;
}

function workOf(step: SimulationStep): string[] {
  switch (step.type) {
    case "resource":
      return step.task === "notify" ? [] : [`${step.task} ${step.rsc} ${step.intervalMs} ${step.node}`];
    case "fencing":
      return [`fence ${step.node}`];
    case "cluster":
      // It is told once more at every decision, until it is gone.
      return step.task === "do_shutdown" ? [] : [`${step.task} ${step.rsc ?? ""} ${step.node}`];
    case "pseudo":
    case "failure":
    case "attribute":
      return [];
  }
}

/** Of those left, the ones that wait neither for what cannot run nor for another that is left. */
function stuckActions(left: readonly GraphAction[]): string[] {
  const waiting = new Set(left.map(({ id }) => id));
  return left
    .filter(({ unmet, inputs }) => !unmet && !inputs.some((input) => waiting.has(input)))
    .map(({ key }) => key);
}

function answer(parent: XmlElement): void {
  for (const each of parent.children) {
    const { attributes } = each;
    const key = attributes.get("transition-key");
    if (attributes.get("op-status") === "-1" && key !== undefined) {
      const rc = key.split(":")[2] ?? "0";
      attributes.set("op-status", "0");
      attributes.set("rc-code", rc);
      attributes.set("call-id", "5");
      attributes.set("transition-magic", `0:${rc};${key}`);
    }
    answer(each);
  }
}

const statesOf = (cib: XmlElement, node: string | undefined): XmlElement[] =>
  childrenOf(cib, "status")
    .flatMap((status) => childrenOf(status, "node_state"))
    .filter(({ attributes }) => attributes.get("uname") === node);

/** The controller does so with the fail count; a rehearsal leaves it in sight. */
function forgetFailure(parent: XmlElement, node: string | undefined, rsc: string): void {
  const remove = (each: XmlElement): void => {
    each.children = each.children.filter(
      ({ attributes }) => attributes.get("id") !== `${rsc}_last_failure_0`,
    );
    for (const inner of each.children) remove(inner);
  };
  for (const state of statesOf(parent, node)) remove(state);
}

function leave(cib: XmlElement, node: string | undefined): void {
  for (const state of statesOf(cib, node)) {
    setCondition(state, "offline");
    state.children = [];
  }
}

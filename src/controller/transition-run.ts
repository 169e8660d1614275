import type { GraphAction, Transition } from "../scheduler/index.ts";
import type { Millis, NodeName } from "../terms/index.ts";
import { looksBefore, type Ownership } from "./one-owner.ts";

type State = "waiting" | "flying" | "done" | "failed";

interface Step {
  action: GraphAction;
  state: State;
  open: number;
  readonly successors: number[];
  deadline: Millis;
}

const isMigration = (task: string): boolean => task === "migrate_to" || task === "migrate_from";

/** Where a transition stands. */
export interface RunProgress {
  readonly total: number;
  readonly done: number;
  readonly flying: number;
  readonly failed: number;
}

/**
 * Most operations of agents under way: more than the executors of a large cluster run at a time, and few enough for every
 * member to write them down within a second.
 */
export const MOST_UNDER_WAY = 1000;

/**
 * Execution of one transition by the leader: what may start now, what has come back, when it is over. An abort
 * lets what is under way finish and starts nothing more, since its outcome is needed to decide again.
 */
export class TransitionRun {
  readonly id: number;
  readonly uuid: string;
  readonly transition: Transition;
  #steps = new Map<number, Step>();
  #ready: Step[] = [];
  #flying = new Set<Step>();
  #done = 0;
  #failed = 0;
  #abortReason: string | undefined;

  constructor(id: number, uuid: string, transition: Transition, ownership: Ownership) {
    this.id = id;
    this.uuid = uuid;
    this.transition = transition;
    const looks = looksBefore(transition.actions, ownership);
    const stops = stopsBefore(transition.actions);
    for (const action of transition.actions) {
      this.#steps.set(action.id, { action, state: "waiting", open: 0, successors: [], deadline: 0 });
    }
    for (const step of this.#steps.values()) {
      // What waits for something that cannot run stays where it is.
      step.open = step.action.unmet?.length ?? 0;
      const { id, inputs } = step.action;
      for (const input of new Set([...inputs, ...(looks.get(id) ?? []), ...(stops.get(id) ?? [])])) {
        const before = this.#steps.get(input);
        if (!before) continue;
        before.successors.push(step.action.id);
        step.open++;
      }
    }
    for (const step of this.#steps.values()) if (step.open === 0) this.#enqueue(step);
  }

  /** `action:transition:expected-rc:uuid`, which ties a result to its action. */
  keyOf(action: GraphAction): string {
    return `${action.id}:${this.id}:${action.expectedRc}:${this.uuid}`;
  }

  /** The action that a transition key names, if it is of this transition and under way. */
  flyingByKey(key: string): GraphAction | undefined {
    const [action, transition, , uuid] = key.split(":");
    if (Number(transition) !== this.id || uuid !== this.uuid) return undefined;
    const step = this.#steps.get(Number(action));
    return step?.state === "flying" ? step.action : undefined;
  }

  /**
   * Takes what may start now, at most `limit` at a time under way (0: as many as there may be), but for what `isHeld` tells
   * to wait.
   * Pseudo actions of which nobody has to know are done at once.
   */
  take(now: Millis, limit: number, isHeld: (action: GraphAction) => boolean): GraphAction[] {
    const taken: GraphAction[] = [];
    if (this.#abortReason !== undefined) return taken;
    let held: Step[] = [];
    while (this.#ready.length > 0) {
      const batch = this.#ready.sort(
        (a, b) => b.action.priority - a.action.priority || a.action.id - b.action.id,
      );
      this.#ready = [];
      for (const step of batch) {
        if (step.action.kind === "pseudo" && !step.action.maintenance) {
          this.#finish(step, "done");
        } else if (
          (limit > 0 && this.#flying.size >= limit) ||
          (step.action.kind === "rsc" && this.#flying.size >= MOST_UNDER_WAY) ||
          isHeld(step.action) ||
          this.#migratesEnough(step.action)
        ) {
          held.push(step);
        } else {
          step.state = "flying";
          step.deadline =
            now + step.action.timeoutMs + step.action.startDelayMs + this.transition.clusterDelayMs;
          this.#flying.add(step);
          taken.push(step.action);
        }
      }
    }
    this.#ready = held;
    held = [];
    return taken;
  }

  /**
   * Whether a node carries out as many migrations as it may (migration-limit). One may always be under way, so that
   * every transition comes to its end.
   */
  #migratesEnough({ task, node }: GraphAction): boolean {
    const { migrationLimit } = this.transition;
    if (migrationLimit < 0 || !isMigration(task)) return false;
    const flying = [...this.#flying].filter(({ action }) => isMigration(action.task) && action.node === node);
    return flying.length >= Math.max(1, migrationLimit);
  }

  /** Has an action on a remote node carried out through another node than was decided. */
  reroute(action: GraphAction, router: NodeName): GraphAction {
    const rerouted = { ...action, router };
    const step = this.#steps.get(action.id);
    if (step) step.action = rerouted;
    return rerouted;
  }

  /** An action has ended well: what waited for it may start. */
  succeed(action: GraphAction): void {
    const step = this.#steps.get(action.id);
    if (step) this.#finish(step, "done");
  }

  /** An action has failed. Unless it may, nothing that needs it starts, and the transition is aborted. */
  fail(action: GraphAction, reason: string): void {
    const step = this.#steps.get(action.id);
    if (!step) return;
    this.#finish(step, action.canFail ? "done" : "failed");
    if (!action.canFail) this.abort(reason);
  }

  /** An action cannot be given out now: what needs it does not start, all else goes on. */
  withhold(action: GraphAction): void {
    const step = this.#steps.get(action.id);
    if (step) this.#finish(step, "failed");
  }

  /** What was under way on a node that is gone will not answer. */
  loseNode(node: NodeName): void {
    for (const step of [...this.#flying]) {
      const { action } = step;
      if (action.task === "stonith" || (action.router ?? action.node) !== node) continue;
      this.fail(action, `node ${node} was lost`);
    }
  }

  /** The connection to a remote node has failed: what is under way there is not answered any more. */
  loseRemote(node: NodeName): void {
    for (const { action } of [...this.#flying])
      if (action.kind === "rsc" && action.node === node)
        this.fail(action, `the connection to ${node} failed`);
  }

  abort(reason: string): void {
    this.#abortReason ??= reason;
  }

  get abortReason(): string | undefined {
    return this.#abortReason;
  }

  /** Nothing is under way, and nothing more will start. */
  get over(): boolean {
    return this.#flying.size === 0 && (this.#abortReason !== undefined || this.#ready.length === 0);
  }

  /** Over, everything done. */
  get complete(): boolean {
    return this.#done === this.#steps.size;
  }

  /** Actions that should have answered by now. */
  overdue(now: Millis): GraphAction[] {
    return [...this.#flying].filter((step) => step.deadline <= now).map((step) => step.action);
  }

  /** An action is given more time. */
  postpone(action: GraphAction, deadline: Millis): void {
    const step = this.#steps.get(action.id);
    if (step) step.deadline = deadline;
  }

  /** When the next action becomes overdue. */
  nextDeadline(): Millis | undefined {
    let next: Millis | undefined;
    for (const step of this.#flying) if (next === undefined || step.deadline < next) next = step.deadline;
    return next;
  }

  /** Actions that may start, and were held. */
  waiting(): GraphAction[] {
    return this.#abortReason === undefined ? this.#ready.map((step) => step.action) : [];
  }

  /** Actions under way. */
  flying(): GraphAction[] {
    return [...this.#flying].map((step) => step.action);
  }

  progress(): RunProgress {
    return { total: this.#steps.size, done: this.#done, flying: this.#flying.size, failed: this.#failed };
  }

  #enqueue(step: Step): void {
    this.#ready.push(step);
  }

  #finish(step: Step, state: "done" | "failed"): void {
    if (step.state === "done" || step.state === "failed") return;
    step.state = state;
    this.#flying.delete(step);
    if (state === "failed") {
      this.#failed++;
      return;
    }
    this.#done++;
    for (const id of step.successors) {
      const next = this.#steps.get(id);
      if (next && --next.open === 0 && next.state === "waiting") this.#enqueue(next);
    }
  }
}

/**
 * Stops that a failure is forgotten after, by the action that forgets it. Whoever forgets a failure looks whether it is still
 * there: before the stop it is, and what was found once more would end the transition, again and again, before anything is
 * stopped where there is something to be done first, as to notify.
 */
function stopsBefore(actions: readonly GraphAction[]): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, readonly number[]>();
  const inputsOf = new Map(actions.map(({ id, inputs }) => [id, inputs] as const));
  const waitsFor = (id: number, other: number, seen = new Set<number>()): boolean =>
    (inputsOf.get(id) ?? []).some((input) => {
      if (input === other) return true;
      if (seen.has(input)) return false;
      seen.add(input);
      return waitsFor(input, other, seen);
    });
  for (const { id, task, rsc, node } of actions) {
    if (task !== "clear_failcount" || rsc === undefined) continue;
    const stops = actions.filter(
      (other) => other.task === "stop" && other.node === node && other.rsc?.id === rsc.id,
    );
    found.set(
      id,
      stops.map((stop) => stop.id).filter((stop) => !waitsFor(stop, id)),
    );
  }
  return found;
}

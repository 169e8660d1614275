import { Link } from "./flags.ts";
import type { Action, Cluster, Edge } from "./model.ts";

/** What an action waits for, of those that will be carried out. */
export type Inputs = ReadonlyMap<Action, Set<Edge>>;

/** Edges that say more than an order, by what they say; the more, the later one is given up. */
const strong = Link.FirstImpliesThen | Link.ThenImpliesFirst | Link.UnrunnableFirstBlocks | Link.MinRunnable;

const weight = ({ kind, action }: Edge): number =>
  ((kind & strong) !== 0 ? 2 : 0) +
  (action.task === "stonith" ? 4 : 0) +
  ((kind & Link.GuestAllowed) !== 0 ? 1 : 0);

/**
 * Takes out edges until nothing waits for itself: actions in a circle would wait for ever. Orderings that contradict
 * each other are the reason; the one that says least is given up, with a warning.
 */
export function breakCircles(cluster: Cluster, inputs: Inputs): void {
  const left = withoutEnds(inputs);
  while (left.size > 0) {
    const circle = findCircle(inputs, left);
    let weakest = circle[0];
    for (const step of circle) if (weakest && weight(step.edge) < weight(weakest.edge)) weakest = step;
    if (!weakest) return;
    inputs.get(weakest.then)?.delete(weakest.edge);
    cluster.warn(
      `Ordering "${weakest.edge.action.key} then ${weakest.then.key}" is ignored because it closes a circle`,
      weakest.then.rsc?.id,
    );
    dropEnds(inputs, left);
  }
}

/** Actions that are in circles or lie between some. */
function withoutEnds(inputs: Inputs): Set<Action> {
  const left = new Set(inputs.keys());
  dropEnds(inputs, left);
  return left;
}

/** Removes those that wait for nothing that is left, as long as there are any. */
function dropEnds(inputs: Inputs, left: Set<Action>): void {
  const waiting = new Map<Action, number>();
  const followers = new Map<Action, Action[]>();
  const ready: Action[] = [];
  for (const then of left) {
    let count = 0;
    for (const { action } of inputs.get(then) ?? []) {
      if (!left.has(action)) continue;
      count++;
      const list = followers.get(action);
      if (list) list.push(then);
      else followers.set(action, [then]);
    }
    waiting.set(then, count);
    if (count === 0) ready.push(then);
  }
  for (let done = ready.pop(); done; done = ready.pop()) {
    left.delete(done);
    for (const then of followers.get(done) ?? []) {
      const count = (waiting.get(then) ?? 0) - 1;
      waiting.set(then, count);
      if (count === 0) ready.push(then);
    }
  }
}

interface Step {
  readonly then: Action;
  readonly edge: Edge;
}

/** Goes back from input to input until it comes to an action for the second time. */
function findCircle(inputs: Inputs, left: ReadonlySet<Action>): Step[] {
  const path: Step[] = [];
  const position = new Map<Action, number>();
  let [current] = left;
  while (current && !position.has(current)) {
    position.set(current, path.length);
    const then: Action = current;
    const edge: Edge | undefined = [...(inputs.get(then) ?? [])].find(({ action }) => left.has(action));
    if (!edge) return [];
    path.push({ then, edge });
    current = edge.action;
  }
  return current ? path.slice(position.get(current) ?? 0) : [];
}

import { expect, test } from "bun:test";
import { TransitionRun } from "../../src/controller/transition-run.ts";
import type { GraphAction } from "../../src/scheduler/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { transitionWith } from "../harness/transition.ts";

/** migration-limit: how many live migrations a node carries out at a time. */

const action = (id: number, task: string, node: string, inputs: readonly number[] = []): GraphAction => ({
  id,
  kind: "rsc",
  task,
  key: `r${id}_${task}_0`,
  node: nodeName(node),
  nodeId: node,
  rsc: { id: `r${id}`, class: "ocf", provider: "test", type: "A" },
  params: {},
  intervalMs: 0,
  timeoutMs: 20_000,
  startDelayMs: 0,
  expectedRc: 0,
  canFail: false,
  priority: 0,
  inputs,
});

const ownership = {
  untold: new Map(),
  unheard: () => false,
  guestIn: () => undefined,
  wasFound: () => false,
  familyOf: (rsc: string) => rsc,
};

/** Ids of what is begun at once, in rounds: all of a round ends before the next. */
function rounds(limit: number): number[][] {
  const actions = [
    action(1, "migrate_to", "n1"),
    action(2, "migrate_to", "n1"),
    action(3, "migrate_to", "n1"),
    action(4, "migrate_to", "n2"),
    action(5, "start", "n1"),
  ];
  const run = new TransitionRun(1, "u", transitionWith({ actions, migrationLimit: limit }), ownership);
  const begun: number[][] = [];
  for (let taken = run.take(0, 0, () => false); taken.length > 0; taken = run.take(0, 0, () => false)) {
    begun.push(taken.map(({ id }) => id).sort());
    for (const one of taken) run.succeed(one);
  }
  return begun;
}

test("no more at a time of a node than the limit; other nodes and other actions do not wait for it", () => {
  expect(rounds(-1)).toEqual([[1, 2, 3, 4, 5]]);
  expect(rounds(2)).toEqual([[1, 2, 4, 5], [3]]);
  expect(rounds(1)).toEqual([[1, 4, 5], [2], [3]]);
});

test("one is always under way, so that a transition comes to its end", () => {
  expect(rounds(0)).toEqual([[1, 4, 5], [2], [3]]);
});

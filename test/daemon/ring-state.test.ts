import { describe, expect, test } from "bun:test";
import { parseRingState, type RingState, RingStateKeeper } from "../../src/daemon/ring-state.ts";
import type { LastQuorate } from "../../src/quorum/index.ts";
import { nodeId } from "../../src/terms/index.ts";

const lastQuorate: LastQuorate = {
  sequence: 8,
  members: [
    [nodeId(1), 1],
    [nodeId(2), 2],
  ],
  expectedVotes: 3,
};

/** A disk that writes when it is told to. */
function slowDisk() {
  const writes: { readonly state: RingState; readonly done: (written: boolean) => void }[] = [];
  const later: (() => void)[] = [];
  const keeper = new RingStateKeeper(
    { ringSequence: 4 },
    { write: (state, done) => writes.push({ state, done }), later: (run) => later.push(run) },
  );
  return { keeper, writes, later };
}

describe("the state file", () => {
  test("is read as it was written", () => {
    const doubts = [{ sequence: 16, members: [[nodeId(1), 1]], expectedVotes: 2 }] as const;
    const state: RingState = { ringSequence: 12, expectedVotes: 3, lastQuorate: { ...lastQuorate, doubts } };
    expect(parseRingState(JSON.stringify(state))).toEqual(state);
    expect(parseRingState('{"ringSequence":4}')).toEqual({ ringSequence: 4 });
  });

  test("that is torn or damaged is not believed", () => {
    const text = JSON.stringify({ ringSequence: 12, expectedVotes: 3, lastQuorate });
    for (let length = 0; length < text.length; length++)
      expect(parseRingState(text.slice(0, length))).toBeUndefined();
    const damaged = [{ ringSequence: -4 }, { ringSequence: 4, expectedVotes: "3" }];
    for (const state of damaged) expect(parseRingState(JSON.stringify(state))).toBeUndefined();
    expect(parseRingState("null")).toBeUndefined();
  });

  test("of a version that noted the quorum otherwise keeps its ring sequence", () => {
    const older = { ringSequence: 4, lastQuorate: { ...lastQuorate, members: [1, 2] } };
    expect(parseRingState(JSON.stringify(older))).toEqual({ ringSequence: 4 });
  });
});

describe("the state keeper", () => {
  test("writes one state at a time, the newest, and tells who waited for it", () => {
    const { keeper, writes } = slowDisk();
    const told: string[] = [];
    keeper.change({ ringSequence: 8 }, () => told.push("8"));
    keeper.change({ expectedVotes: 3 });
    keeper.change({ ringSequence: 12 }, () => told.push("12"));
    expect(writes.map(({ state }) => state)).toEqual([{ ringSequence: 8 }]);
    writes[0]?.done(true);
    expect(told).toEqual(["8"]);
    expect(writes[1]?.state).toEqual({ ringSequence: 12, expectedVotes: 3 });
    writes[1]?.done(true);
    expect(told).toEqual(["8", "12"]);
    expect(writes).toHaveLength(2);
  });

  test("after a failure writes what is the newest by then, never an older state", () => {
    const { keeper, writes, later } = slowDisk();
    const told: string[] = [];
    keeper.change({ ringSequence: 8 }, () => told.push("8"));
    writes[0]?.done(false);
    keeper.change({ ringSequence: 12 }, () => told.push("12"));
    expect(writes).toHaveLength(1);
    later[0]?.();
    expect(writes[1]?.state).toEqual({ ringSequence: 12 });
    writes[1]?.done(true);
    expect(told).toEqual(["8", "12"]);
    expect(writes).toHaveLength(2);
  });

  test("goes on when who is told changes something at once", () => {
    const { keeper, writes } = slowDisk();
    keeper.change({ ringSequence: 8 }, () => keeper.change({ expectedVotes: 5 }));
    writes[0]?.done(true);
    expect(writes.map(({ state }) => state)).toEqual([
      { ringSequence: 8 },
      { ringSequence: 8, expectedVotes: 5 },
    ]);
  });
});

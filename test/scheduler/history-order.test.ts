import { describe, expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { compareOperations, oldestFirst } from "../../src/scheduler/history-order.ts";

interface Entry {
  readonly id?: string;
  readonly node?: string;
  readonly call: number;
  readonly transition?: number;
  readonly at: number;
  readonly interval?: number;
  readonly leader?: string;
  readonly by?: string;
}

const entry = (given: Entry) => {
  const { id = "a_last_0", node = "n1", call, transition = 1, at, interval = 0 } = given;
  return parseXml(
    `<lrm_rsc_op id="${id}" on_node="${node}" call-id="${call}" interval="${interval}" ` +
      `crm-debug-origin="${given.by ?? "hactl"}" transition-key="1:${transition}:0:${given.leader ?? "leader"}" ` +
      `last-rc-change="${at}"/>`,
  );
};

const failure = (by: string) => entry({ id: "a_last_failure_0", call: 7, at: 1000, interval: 5000, by });
const success = (by: string) => entry({ id: "a_monitor_5000", call: 7, at: 4600, interval: 5000, by });
const order = (...entries: readonly ReturnType<typeof entry>[]) =>
  oldestFirst(entries).map(({ attributes }) => attributes.get("id"));

describe("two results of one call", () => {
  test("are in the order of their places, whatever the clock said, when this program placed them", () => {
    expect(order(failure("hactl"), success("hactl"))).toEqual(["a_monitor_5000", "a_last_failure_0"]);
    expect(order(success("hactl"), failure("hactl"))).toEqual(["a_last_failure_0", "a_monitor_5000"]);
  });

  test("are in the order of their times when another program wrote them", () => {
    for (const by of ["controld_update_resource_history", "generator"])
      for (const entries of [
        [failure(by), success(by)],
        [success(by), failure(by)],
      ])
        expect(order(...entries)).toEqual(["a_last_failure_0", "a_monitor_5000"]);
  });
});

describe("results on two nodes", () => {
  const stopped = (given: Partial<Entry>) =>
    entry({ node: "n2", call: 9, transition: 3, at: 4600, ...given });
  const moved = (given: Partial<Entry>) => entry({ node: "n1", call: 4, transition: 9, at: 1300, ...given });

  test("are in the order of their transitions when one leader gave out both", () => {
    expect(compareOperations(stopped({}), moved({}), false)).toBe(-1);
    expect(compareOperations(moved({}), stopped({}), false)).toBe(1);
  });

  test("are in the order of their times otherwise", () => {
    for (const other of [
      { leader: "another" },
      { transition: 9 },
      { interval: 5000 },
      { by: "generator" },
    ] as const) {
      expect(compareOperations(stopped(other), moved({}), false)).toBe(1);
      expect(compareOperations(moved({}), stopped(other), false)).toBe(-1);
    }
  });
});

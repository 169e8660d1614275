import { afterEach, describe, expect, test } from "bun:test";
import { Executions } from "../../src/fencer/executions.ts";
import { FenceHistory } from "../../src/fencer/history.ts";
import { KdumpNotices } from "../../src/fencer/kdump-notices.ts";
import { OwnRequests } from "../../src/fencer/own-requests.ts";
import { nodeName } from "../../src/terms/index.ts";
import { FenceCluster } from "./cluster.ts";

const device = `<primitive id="power" class="stonith" type="fence_power"><instance_attributes id="i">
  <nvpair id="h" name="pcmk_host_list" value="a b c d"/></instance_attributes></primitive>`;

/** Three members with a device that works, also for a fourth node that is not there. */
function cluster(): FenceCluster {
  const made = new FenceCluster(["a", "b", "c"]);
  made.configure(device, "", "", `<nvpair id="t" name="stonith-timeout" value="20s"/>`);
  made.behaviours.set("power", { outcome: { exit: 0 }, afterMs: 100 });
  return made;
}

/** What all fencers have to hold alike. */
const states = (fencers: FenceCluster) =>
  new Set(
    [...fencers.hosts.values()].map(({ fencer }) => JSON.stringify([fencer.pending(), fencer.entries()])),
  );

const broken: (() => void)[] = [];
const mend = () => {
  for (const back of broken.splice(0)) back();
};
afterEach(mend);

/** Makes the n-th call of a method throw after it has done its work, for every object of the class. */
function breakMethod(prototype: object, method: string, nth: number | "always"): void {
  const methods = prototype as Record<string, (...args: unknown[]) => unknown>;
  const original = methods[method];
  if (!original) throw new Error(`no method ${method}`);
  const calls = new Map<object, number>();
  methods[method] = function (this: object, ...args: unknown[]) {
    const done = original.apply(this, args);
    const count = (calls.get(this) ?? 0) + 1;
    calls.set(this, count);
    if (count === nth || nth === "always") throw new TypeError(`broken ${method}`);
    return done;
  };
  broken.push(() => {
    methods[method] = original;
  });
}

describe("a mistake of ours in a fencer", () => {
  const methods: readonly (readonly [object, string])[] = [
    [FenceHistory.prototype, "add"],
    [FenceHistory.prototype, "has"],
    [KdumpNotices.prototype, "alive"],
    [OwnRequests.prototype, "report"],
    [Executions.prototype, "start"],
  ];
  for (const [prototype, method] of methods)
    for (const nth of [1, 2, 3])
      test(`call ${nth} of ${method}: never thrown, all hold the same, and who asked is answered`, () => {
        const fencers = cluster();
        breakMethod(prototype, method, nth);
        fencers.request("a", "d", "off");
        fencers.pass(1000);
        expect(states(fencers).size).toBe(1);
        mend();
        fencers.pass(3_600_000);
        expect(states(fencers).size).toBe(1);
        const results = fencers.hosts.get(nodeName("a"))?.results.filter(({ id }) => id === "r1") ?? [];
        expect(results).toHaveLength(1);
        // And the next request is done as ever.
        fencers.request("b", "d", "off");
        fencers.pass(60_000);
        const next = fencers.hosts.get(nodeName("b"))?.results.find(({ id }) => id === "r2");
        expect(next?.ok).toBe(true);
      });

  test("in the leader's decision alone: the others hold the same, and who asked is answered", () => {
    const fencers = cluster();
    breakMethod(KdumpNotices.prototype, "valid", "always");
    fencers.request("b", "d", "off");
    fencers.pass(1000);
    expect(states(fencers).size).toBe(1);
    mend();
    fencers.pass(3_600_000);
    expect(states(fencers).size).toBe(1);
    expect(fencers.hosts.get(nodeName("b"))?.results.map(({ id }) => id)).toEqual(["r1"]);
  });

  test("a request that names no node fails at once", () => {
    const fencers = cluster();
    fencers.request("a", "", "off");
    expect(fencers.hosts.get(nodeName("a"))?.results).toMatchObject([
      { ok: false, reason: "the request names no node" },
    ]);
  });

  test("messages that are none are refused by all, and change nothing", () => {
    const fencers = cluster();
    const before = states(fencers);
    for (const message of [
      null,
      [],
      {},
      { type: "valueOf" },
      { type: "request" },
      { type: "done", op: "x", result: {} },
      { type: "history", entries: [null], failures: {} },
      { type: "agents", agents: { x: { actions: 5 } } },
    ])
      for (const node of ["a", "b", "c"])
        fencers.event(node, { type: "message", from: nodeName("b"), message });
    expect(states(fencers)).toEqual(before);
    expect(fencers.logs.filter((line) => line.includes("not understood"))).toHaveLength(24);
  });
});

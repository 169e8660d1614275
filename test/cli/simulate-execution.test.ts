import { describe, expect, test } from "bun:test";
import { child, childrenOf, type XmlElement } from "../../src/cib/index.ts";
import { changeLines, executionLines } from "../../src/cli/render/execution.ts";
import {
  copyForSimulation,
  inject,
  noInjections,
  parseOperationSpec,
  simulateTransition,
} from "../../src/controller/index.ts";
import type { GraphAction } from "../../src/scheduler/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { cib, healthy, primitive } from "./render-fixture.ts";

const now = 1_700_003_600;

/** An action with its key and inputs; the rest as it mostly is. */
function action(id: number, key: string, more: Partial<GraphAction> = {}): GraphAction {
  const [, rsc = "", task = "", interval = "0"] = /^(.*)_([a-z]+)_(\d+)$/.exec(key) ?? [];
  return {
    id,
    kind: "rsc",
    task,
    key,
    node: nodeName("alpha"),
    nodeId: "1",
    rsc: { id: rsc, class: "ocf", provider: "pacemaker", type: "Dummy" },
    intervalMs: Number(interval),
    timeoutMs: 20_000,
    startDelayMs: 0,
    expectedRc: 0,
    canFail: false,
    priority: 0,
    params: {},
    inputs: [],
    ...more,
  };
}
const { rsc: _, node: __, nodeId: ___, ...bare } = action(0, "x_start_0");
const pseudo = (id: number, key: string, inputs: readonly number[] = []): GraphAction => ({
  ...bare,
  id,
  kind: "pseudo",
  key,
  inputs,
});

const historyOf = (root: XmlElement, node: string, rsc: string): XmlElement[] => {
  const state = childrenOf(child(root, "status"), "node_state").find(
    ({ attributes }) => attributes.get("uname") === node,
  );
  const list = childrenOf(child(child(state, "lrm"), "lrm_resources"), "lrm_resource");
  return list.find(({ attributes }) => attributes.get("id") === rsc)?.children ?? [];
};
const facts = (op: XmlElement | undefined) => {
  const { id, operation, "rc-code": rc, "call-id": call } = Object.fromEntries(op?.attributes ?? []);
  return [id, operation, rc, call];
};

describe("executing a transition on paper", () => {
  test("actions run pass after pass, each when its inputs are done", () => {
    const root = cib({ nodes: [{ name: "alpha" }], resources: primitive("a") });
    const actions = [
      action(1, "a_monitor_10000", { inputs: [2] }),
      action(2, "a_start_0", { inputs: [3, 4] }),
      action(3, "a_monitor_0", { expectedRc: 7 }),
      pseudo(4, "grp_start_0"),
      pseudo(5, "grp_running_0", [2]),
    ];
    const result = simulateTransition(actions, root, now);
    expect(executionLines(result.steps)).toEqual([
      "Resource action: a               monitor on alpha",
      "Pseudo action:   grp_start_0",
      "Resource action: a               start on alpha",
      "Pseudo action:   grp_running_0",
      "Resource action: a               monitor=10000 on alpha",
    ]);
    expect(result.outcome).toBe("complete");
    expect(historyOf(root, "alpha", "a").map(facts)).toEqual([
      ["a_last_0", "start", "0", "2"],
      ["a_monitor_10000", "monitor", "0", "3"],
    ]);
  });

  test("the configuration that was given stays as it was", () => {
    const root = cib(healthy);
    const before = JSON.stringify(historyOf(root, "alpha", "web").map(facts));
    const copy = copyForSimulation(root);
    simulateTransition(
      [action(1, "web_stop_0", { rsc: { id: "web", class: "ocf", type: "apache" } })],
      copy,
      now,
    );
    expect(JSON.stringify(historyOf(root, "alpha", "web").map(facts))).toBe(before);
    expect(historyOf(copy, "alpha", "web").map(facts)[0]).toEqual(["web_last_0", "stop", "0", "5"]);
  });

  test("a failure that was asked for ends it, is counted and remembered", () => {
    const root = cib({ nodes: [{ name: "alpha" }], resources: primitive("a") });
    const spec = parseOperationSpec("a_start_0@alpha=1");
    const result = simulateTransition(
      [action(1, "a_start_0"), action(2, "a_monitor_10000", { inputs: [1] })],
      root,
      now,
      spec ? [spec] : [],
    );
    expect(result).toMatchObject({ outcome: "terminated", left: [{ key: "a_monitor_10000" }] });
    expect(executionLines(result.steps)).toEqual([
      "Resource action: a               start on alpha",
      "Pretending action 1 failed with rc=1",
      "Injecting attribute fail-count-a#start_0=INFINITY into /node_state '1'",
      `Injecting attribute last-failure-a#start_0=${now} into /node_state '1'`,
    ]);
    const entries = historyOf(root, "alpha", "a").map(({ attributes }) =>
      ["id", "rc-code", "exit-reason"].map((name) => attributes.get(name)),
    );
    expect(entries).toEqual([
      ["a_last_failure_0", "1", "User-injected result"],
      ["a_last_0", "1", "User-injected result"],
    ]);
  });

  test("after a failure only points of synchronisation go on, even those that wait for it", () => {
    const root = cib({ nodes: [{ name: "alpha" }], resources: primitive("a") });
    const spec = parseOperationSpec("a:1_start_0@alpha=1");
    const failing = action(1, "a_start_0", {
      rsc: { id: "a", longId: "a:1", class: "ocf", provider: "pacemaker", type: "Dummy" },
    });
    const { steps, left } = simulateTransition(
      [failing, pseudo(2, "c_running_0", [1]), action(3, "b_start_0", { inputs: [2] })],
      root,
      now,
      spec ? [spec] : [],
    );
    expect(executionLines(steps)).toEqual([
      "Resource action: a:1             start on alpha",
      "Pretending action 1 failed with rc=1",
      "Injecting attribute fail-count-a:1#start_0=INFINITY into /node_state '1'",
      `Injecting attribute last-failure-a:1#start_0=${now} into /node_state '1'`,
      "Pseudo action:   c_running_0",
    ]);
    expect(left.map(({ key }) => key)).toEqual(["b_start_0"]);
  });

  test("fencing takes the node's history and attributes away", () => {
    const root = cib(healthy);
    const fence = action(1, "stonith-beta-reboot", {
      kind: "crm",
      task: "stonith",
      node: nodeName("beta"),
      nodeId: "2",
      params: { CRM_meta_stonith_action: "reboot" },
    });
    expect(executionLines(simulateTransition([fence], root, now).steps)).toEqual(["Fencing beta (reboot)"]);
    const state = childrenOf(child(root, "status"), "node_state")[1];
    expect(Object.fromEntries(state?.attributes ?? [])).toMatchObject({
      in_ccm: "false",
      crmd: "offline",
      join: "down",
      expected: "down",
    });
    expect(historyOf(root, "beta", "db")).toEqual([]);
    expect(child(state, "transient_attributes")).toBeUndefined();
  });

  test("an action with a circle of inputs never runs, and it says so", () => {
    const root = cib({ nodes: [{ name: "alpha" }], resources: primitive("a") });
    const result = simulateTransition(
      [action(1, "a_stop_0", { inputs: [2] }), action(2, "a_start_0", { inputs: [1] })],
      root,
      now,
    );
    expect(result).toMatchObject({
      steps: [],
      outcome: "terminated",
      left: [{ key: "a_stop_0" }, { key: "a_start_0" }],
    });
  });

  test("an action that waits for what cannot run is never carried out, nor what follows it", () => {
    const root = cib({ nodes: [{ name: "alpha" }], resources: primitive("a") });
    const { rsc: __, ...unmet } = action(9, "g_running_0", { kind: "pseudo" });
    const actions = [
      action(1, "a_stop_0"),
      action(2, "a_start_0", { inputs: [1], unmet: [unmet] }),
      action(3, "a_monitor_10000", { inputs: [2] }),
    ];
    const { steps, ...rest } = simulateTransition(actions, root, now);
    expect(executionLines(steps)).toEqual(["Resource action: a               stop on alpha"]);
    expect(rest).toMatchObject({
      outcome: "terminated",
      left: [{ key: "a_start_0" }, { key: "a_monitor_10000" }],
    });
  });

  test("a history that shall be forgotten is gone", () => {
    const root = cib(healthy);
    const forget = action(1, "web_lrm_delete_0", {
      kind: "crm",
      task: "lrm_delete",
      rsc: { id: "web", class: "ocf", type: "apache" },
    });
    expect(historyOf(root, "alpha", "web").length).toBeGreaterThan(0);
    simulateTransition([forget], root, now);
    expect(historyOf(root, "alpha", "web")).toEqual([]);
  });

  test("instances of an anonymous clone keep their number until a history has none", () => {
    const root = cib({ nodes: [{ name: "alpha" }], resources: `<clone id="c">${primitive("a")}</clone>` });
    const start = action(1, "a_start_0", {
      rsc: { id: "a", longId: "a:0", class: "ocf", provider: "pacemaker", type: "Dummy" },
    });
    const first = simulateTransition([start], root, now);
    expect(executionLines(first.steps)).toEqual(["Resource action: a:0             start on alpha"]);
    const second = simulateTransition([{ ...start, id: 2, task: "stop", key: "a_stop_0" }], root, now);
    expect(executionLines(second.steps)).toEqual(["Resource action: a               stop on alpha"]);
  });

  test("a cancelled monitor leaves the history, a recorded failure stays", () => {
    const root = cib({
      nodes: [
        {
          name: "alpha",
          done: [
            { rsc: "web", task: "monitor", intervalMs: 10_000 },
            { rsc: "web", task: "monitor", intervalMs: 10_000, rc: 7, failure: true },
          ],
        },
      ],
      resources: primitive("web"),
    });
    const cancel = action(1, "web_monitor_10000", {
      task: "cancel",
      rsc: { id: "web", class: "ocf", type: "apache" },
      params: { CRM_meta_operation: "monitor", CRM_meta_interval: "10000" },
    });
    simulateTransition([cancel], root, now);
    expect(
      historyOf(root, "alpha", "web")
        .map(facts)
        .map(([id]) => id),
    ).toEqual(["web_last_failure_0"]);
  });
});

describe("injections", () => {
  const agentOf = (rsc: string) =>
    rsc === "web" ? ({ class: "ocf", provider: "heartbeat", type: "apache" } as const) : undefined;

  test("nodes, quorum, watchdog and tickets", () => {
    const root = cib(healthy);
    const { changes } = inject(
      root,
      {
        ...noInjections,
        quorum: "0",
        watchdog: "1",
        nodesDown: ["beta"],
        nodesFailed: ["alpha"],
        nodesUp: ["gamma"],
        ticketsGranted: ["A"],
        ticketsRevoked: ["B"],
        ticketsStandby: ["A"],
        ticketsActivated: ["B"],
      },
      agentOf,
      now,
    );
    expect(changeLines(changes)).toEqual([
      "Setting quorum: 0",
      "Setting watchdog: 1",
      "Bringing node gamma online",
      "Taking node beta offline",
      "Failing node alpha",
      "Granting ticket A",
      "Revoking ticket B",
      "Making ticket A standby",
      "Activating ticket B",
    ]);
    expect(root.attributes.get("have-quorum")).toBe("0");
    const status = child(root, "status");
    const states = childrenOf(status, "node_state").map(({ attributes }) => [
      attributes.get("uname"),
      attributes.get("in_ccm"),
      attributes.get("expected"),
    ]);
    expect(states).toEqual([
      ["alpha", "false", "member"],
      ["beta", "false", "down"],
      ["gamma", "true", "member"],
    ]);
    const tickets = childrenOf(child(status, "tickets"), "ticket_state").map(({ attributes }) =>
      Object.fromEntries(attributes),
    );
    expect(tickets).toEqual([
      { id: "A", granted: "true", standby: "true" },
      { id: "B", granted: "false", standby: "false" },
    ]);
  });

  test("a result goes into the history and is counted", () => {
    const root = cib(healthy);
    const { changes, problems } = inject(
      root,
      { ...noInjections, results: ["web_monitor_10000@alpha=7", "nosuch_start_0@alpha=1"] },
      agentOf,
      now,
    );
    expect(changeLines(changes)).toEqual([
      "Injecting web_monitor_10000@alpha=7 into the configuration",
      "Injecting attribute fail-count-web#monitor_10000=1 into /node_state '1'",
      `Injecting attribute last-failure-web#monitor_10000=${now} into /node_state '1'`,
      "Injecting nosuch_start_0@alpha=1 into the configuration",
    ]);
    expect(problems).toEqual(["Invalid resource name: nosuch"]);
    const failure = historyOf(root, "alpha", "web").find(
      ({ attributes }) => attributes.get("id") === "web_last_failure_0",
    );
    expect(facts(failure)).toEqual(["web_last_failure_0", "monitor", "7", "5"]);
  });

  test("utilization of nodes and resources", () => {
    const root = cib(healthy);
    const { changes, problems } = inject(
      root,
      { ...noInjections, utilization: ["alpha:cpu=4", "web:cpu=2", "nosuch:cpu=1"] },
      agentOf,
      now,
    );
    expect(changeLines(changes).at(-1)).toBe("Setting utilization nosuch:cpu=1");
    expect(problems).toEqual(["Nothing of that name has utilization: nosuch:cpu=1"]);
    const alpha = childrenOf(child(child(root, "configuration"), "nodes"), "node")[0];
    expect(child(alpha, "utilization")?.children[0]?.attributes.get("value")).toBe("4");
  });

  test("operation specifications", () => {
    expect(parseOperationSpec("my_rsc:0_migrate_to_0@a.example=1")).toMatchObject({
      rsc: "my_rsc:0",
      task: "migrate_to",
      intervalMs: 0,
      node: "a.example",
      rc: 1,
    });
    expect(parseOperationSpec("web_monitor@alpha=7")).toBeUndefined();
    expect(parseOperationSpec("web_monitor_0@alpha")).toBeUndefined();
  });
});

import { describe, expect, test } from "bun:test";
import {
  decideSmall,
  history,
  isBefore,
  meta,
  primitive,
  running,
  shownActions,
  stopped,
  waitsFor,
} from "./small-cib.ts";

describe("a primitive", () => {
  test("is looked for everywhere, then started and monitored on one node", () => {
    const transition = decideSmall({ resources: primitive("a") });
    expect(shownActions(transition)).toEqual(
      ["a_monitor_0 n1", "a_monitor_0 n2", "a_monitor_10000 n1", "a_start_0 n1"].sort(),
    );
    expect(isBefore(transition, "a_monitor_0 n2", "a_start_0")).toBe(true);
    expect(isBefore(transition, "a_start_0", "a_monitor_10000")).toBe(true);
    expect(transition.summary).toEqual(["Start a ( n1 )"]);
    expect(transition.placement).toEqual([{ rsc: "a", role: "Started", node: "n1" as never }]);
  });

  test("that runs is left alone", () => {
    const transition = decideSmall({
      resources: primitive("a"),
      histories: { n1: running("a"), n2: stopped("a") },
    });
    expect(transition.actions).toEqual([]);
    expect(transition.summary).toEqual([]);
  });

  test("moves away from a node that is forbidden: stop, then start, then monitor", () => {
    const transition = decideSmall({
      resources: primitive("a"),
      constraints: '<rsc_location id="l" rsc="a" node="n1" score="-INFINITY"/>',
      histories: { n1: running("a"), n2: stopped("a") },
    });
    expect(shownActions(transition)).toEqual(["a_monitor_10000 n2", "a_start_0 n2", "a_stop_0 n1"]);
    expect(isBefore(transition, "a_stop_0", "a_start_0")).toBe(true);
    expect(transition.summary).toEqual(["Move a ( n1 -> n2 )"]);
  });

  test("that may migrate hands over live; its start is a pseudo action", () => {
    const transition = decideSmall({
      resources: primitive("a", meta("a", { "allow-migrate": "true" })),
      constraints: '<rsc_location id="l" rsc="a" node="n1" score="-INFINITY"/>',
      histories: { n1: history("a", { task: "start" }), n2: stopped("a") },
    });
    expect(shownActions(transition)).toEqual(
      ["[a_start_0]", "a_migrate_from_0 n2", "a_migrate_to_0 n1", "a_stop_0 n1"].sort(),
    );
    expect(isBefore(transition, "a_migrate_to_0", "a_migrate_from_0")).toBe(true);
    expect(isBefore(transition, "a_migrate_from_0", "a_stop_0")).toBe(true);
    expect(transition.summary).toEqual(["Migrate a ( n1 -> n2 )"]);
    const target = transition.actions.find(({ task }) => task === "migrate_to")?.params
      .CRM_meta_migrate_target;
    expect(target).toBe("n2");
  });

  test("whose monitor failed is recovered where it is", () => {
    const transition = decideSmall({
      nodes: ["n1"],
      resources: primitive("a"),
      histories: { n1: history("a", { task: "start" }, { task: "monitor", interval: 10_000, rc: 7 }) },
    });
    expect(transition.summary).toEqual(["Recover a ( n1 )"]);
    expect(isBefore(transition, "a_stop_0", "a_start_0")).toBe(true);
  });

  test("whose parameters changed is restarted, or only has its monitor scheduled anew", () => {
    const changed = 'op-digest="changed"';
    const old = (xml: string, id: string) =>
      xml.replace(new RegExp(`(id="${id}".*?)op-digest="[0-9a-f]+"`), `$1${changed}`);
    const restarted = decideSmall({
      nodes: ["n1"],
      resources: primitive("a"),
      histories: { n1: old(running("a"), "a_start_0") },
    });
    expect(restarted.summary).toEqual(["Restart a ( n1 )  due to resource definition change"]);
    const rescheduled = decideSmall({
      nodes: ["n1"],
      resources: primitive("a"),
      histories: { n1: old(running("a"), "a_monitor_10000") },
    });
    expect(shownActions(rescheduled)).toEqual(["a_monitor_10000 n1"]);
  });

  test("has its monitor scheduled anew where a rule gives that another parameter", () => {
    const level =
      '<instance_attributes id="a-level"><rule id="a-rule" score="0"><expression id="a-where" attribute="#uname" ' +
      'operation="eq" value="n1"/></rule><nvpair id="a-check" name="OCF_CHECK_LEVEL" value="10"/></instance_attributes>';
    const activeOn = (node: string, other: string) =>
      shownActions(
        decideSmall({
          resources: primitive(
            "a",
            `<operations><op id="a-monitor" name="monitor" interval="10s">${level}</op></operations>`,
          ),
          histories: { [node]: running("a"), [other]: stopped("a") },
        }),
      );
    expect(activeOn("n1", "n2")).toEqual(["a_monitor_10000 n1"]);
    expect(activeOn("n2", "n1")).toEqual([]);
  });

  test("is not compared with what it was started with when it stopped since and was found running all the same", () => {
    const changed =
      '<instance_attributes id="a-i"><nvpair id="a-i-x" name="x" value="1"/></instance_attributes>';
    const decided = (...operations: Parameters<typeof history>[1][]) =>
      decideSmall({
        nodes: ["n1"],
        resources: primitive("a", changed),
        histories: { n1: history("a", ...operations) },
      }).summary;
    const found = { task: "monitor", rc: 0, expected: 0 };
    expect(decided({ task: "start" }, found)).toEqual([
      "Restart a ( n1 )  due to resource definition change",
    ]);
    expect(decided({ task: "start" }, { task: "stop" }, found)).toEqual([]);
  });

  test("whose changed monitor runs on two nodes has the one of the first node scheduled anew", () => {
    const changed = history(
      "a",
      { task: "start" },
      { task: "monitor", interval: 10_000, attributes: 'op-restart-digest="other"' },
    );
    const transition = decideSmall({
      // Without a device nothing is managed.
      properties: { "stonith-enabled": "true" },
      resources: primitive("a"),
      histories: { n1: running("a"), n2: changed },
    });
    expect(shownActions(transition)).toEqual(["a_monitor_10000 n1"]);
  });

  test("that is not configured any more is stopped and forgotten", () => {
    const transition = decideSmall({ nodes: ["n1"], resources: "", histories: { n1: running("gone") } });
    expect(shownActions(transition)).toEqual(["gone_delete_0 n1", "gone_stop_0 n1"]);
    expect(isBefore(transition, "gone_stop_0", "gone_delete_0")).toBe(true);
  });

  test("loses a monitor that is configured no more", () => {
    const transition = decideSmall({
      nodes: ["n1"],
      resources: primitive("a", ""),
      histories: { n1: running("a") },
    });
    expect(transition.actions.map(({ task, key }) => [task, key])).toEqual([["cancel", "a_monitor_10000"]]);
    expect(transition.actions[0]?.params.CRM_meta_operation).toBe("monitor");
  });

  test("is watched with its Stopped monitor where it does not run", () => {
    const operations = '<operations><op id="a-s" name="monitor" interval="20s" role="Stopped"/></operations>';
    const transition = decideSmall({
      resources: primitive("a", operations),
      histories: { n1: history("a", { task: "start" }), n2: stopped("a") },
    });
    expect(shownActions(transition)).toEqual(["a_monitor_20000 n2"]);
    expect(transition.actions[0]?.expectedRc).toBe(7);
  });

  test("has no operation of which two have the same name and interval", () => {
    const operations =
      '<operations><op id="m1" name="monitor" interval="10s"/><op id="m2" name="monitor" interval="10000ms"/></operations>';
    const transition = decideSmall({
      nodes: ["n1"],
      resources: primitive("a", operations),
      histories: { n1: stopped("a") },
    });
    expect(shownActions(transition)).toEqual(["a_start_0 n1"]);
    expect(transition.messages.filter(({ level }) => level === "error").map(({ text }) => text)).toContain(
      "Ignoring a_monitor_10000: an operation with the same name and interval is configured more than once",
    );
  });
});

describe("without quorum", () => {
  test("nothing starts, and what runs stops", () => {
    const transition = decideSmall({
      quorate: false,
      resources: primitive("a") + primitive("b"),
      histories: { n1: running("a") + stopped("b"), n2: stopped("a") + stopped("b") },
    });
    expect(shownActions(transition)).toEqual(["a_stop_0 n1"]);
    expect(transition.summary).toEqual([
      "Stop a ( n1 )  due to no quorum",
      "Start b ( n2 )  due to no quorum (blocked)",
    ]);
  });

  test("policy freeze keeps what runs, ignore starts the rest too", () => {
    const cluster = {
      quorate: false,
      resources: primitive("a") + primitive("b"),
      histories: { n1: running("a") + stopped("b"), n2: stopped("a") + stopped("b") },
    };
    const frozen = decideSmall({ ...cluster, properties: { "no-quorum-policy": "freeze" } });
    expect(shownActions(frozen)).toEqual([]);
    const ignored = decideSmall({ ...cluster, properties: { "no-quorum-policy": "ignore" } });
    expect(shownActions(ignored)).toEqual(["b_monitor_10000 n2", "b_start_0 n2"]);
  });
});

describe("a group", () => {
  const group = `<group id="g">${primitive("a")}${primitive("b")}</group>`;

  test("starts its members in order and stops them in reverse", () => {
    const up = decideSmall({
      nodes: ["n1"],
      resources: group,
      histories: { n1: stopped("a") + stopped("b") },
    });
    expect(isBefore(up, "a_start_0", "b_start_0")).toBe(true);
    expect(isBefore(up, "g_start_0", "a_start_0")).toBe(true);
    expect(isBefore(up, "b_start_0", "g_running_0")).toBe(true);
    const down = decideSmall({
      nodes: ["n1"],
      resources: group.replace("</group>", `${meta("g", { "target-role": "Stopped" })}</group>`),
      histories: { n1: running("a") + running("b") },
    });
    expect(shownActions(down)).toEqual(["[g_stop_0]", "[g_stopped_0]", "a_stop_0 n1", "b_stop_0 n1"]);
    expect(isBefore(down, "b_stop_0", "a_stop_0")).toBe(true);
  });

  test("restarts later members with an earlier one, but not the other way round", () => {
    const failed = (id: string) =>
      history(id, { task: "start" }, { task: "monitor", interval: 10_000, rc: 1 });
    const first = decideSmall({
      nodes: ["n1"],
      resources: group,
      histories: { n1: failed("a") + running("b") },
    });
    expect(first.summary).toEqual(["Recover a ( n1 )", "Restart b ( n1 )  due to required a start"]);
    const second = decideSmall({
      nodes: ["n1"],
      resources: group,
      histories: { n1: running("a") + failed("b") },
    });
    expect(second.summary).toEqual(["Recover b ( n1 )"]);
  });
});

describe("a clone", () => {
  test("runs once on every node, between its pseudo actions", () => {
    const transition = decideSmall({
      resources: `<clone id="c">${primitive("a")}</clone>`,
      histories: { n1: stopped("a"), n2: stopped("a") },
    });
    const tasks = transition.actions.map(({ task, node }) => `${task} ${node ?? ""}`.trim()).sort();
    expect(tasks).toEqual(["monitor n1", "monitor n2", "running", "start", "start n1", "start n2"].sort());
  });

  test("is looked for once on each node, not once for each instance", () => {
    const transition = decideSmall({ resources: `<clone id="c">${primitive("a")}</clone>` });
    const probes = transition.actions.filter(
      ({ task, intervalMs }) => task === "monitor" && intervalMs === 0,
    );
    expect(probes.map(({ node }) => node).sort()).toEqual(["n1" as never, "n2" as never]);
  });

  test("that is promotable promotes after its start, only with a score", () => {
    const resources = `<clone id="c">${primitive("a", "")}${meta("c", { promotable: "true" })}</clone>`;
    const histories = { n1: stopped("a"), n2: stopped("a") };
    const without = decideSmall({ resources, histories });
    expect(without.actions.some(({ task }) => task === "promote")).toBe(false);
    const rule =
      '<rule id="r" role="Promoted" score="5"><expression id="e" attribute="#uname" operation="eq" value="n2"/></rule>';
    const transition = decideSmall({
      resources,
      histories,
      constraints: `<rsc_location id="l" rsc="c">${rule}</rsc_location>`,
    });
    const promote = transition.actions.filter(({ task, node }) => task === "promote" && node !== undefined);
    expect(promote.map(({ node }) => node)).toEqual(["n2" as never]);
    expect(isBefore(transition, "c_running_0", "c_promote_0")).toBe(true);
    expect(transition.summary).toContain("Promote a:1 ( Stopped -> Promoted n2 )");
  });

  test("promotes an instance anew after its own demotion, whatever the others do", () => {
    const failed = history(
      "a",
      { task: "start" },
      { task: "promote" },
      { task: "monitor", interval: 11_000, rc: 9, expected: 8 },
    );
    const monitor =
      '<operations><op id="a-m" name="monitor" interval="11s" role="Promoted" on-fail="demote"/></operations>';
    const transition = decideSmall({
      nodes: ["n1"],
      resources: `<clone id="c">${primitive("a", monitor)}${meta("c", { promotable: "true" })}</clone>`,
      constraints: '<rsc_location id="l" rsc="c" role="Promoted" node="n1" score="5"/>',
      histories: { n1: failed },
    });
    expect(transition.summary).toEqual(["Re-promote a:0 ( Promoted n1 )"]);
    expect(waitsFor(transition, "a_promote_0")).toContain("a_demote_0");
  });
});

import { describe, expect, test } from "bun:test";
import { formatXml, parseXml } from "../../src/cib/index.ts";
import { schedule } from "../../src/scheduler/index.ts";
import {
  decideSmall,
  history,
  isBefore,
  meta,
  primitive,
  running,
  shownActions,
  smallCib,
  smallNow,
  stopped,
  waitsFor,
} from "./small-cib.ts";

const device = (inner = "") => `<primitive id="dev" class="stonith" type="fence_dummy">${inner}</primitive>`;

describe("unfencing", () => {
  const unfenced = (resources: string) =>
    shownActions(decideSmall({ nodes: ["n1"], properties: { "stonith-enabled": "true" }, resources })).filter(
      (key) => key.startsWith("stonith-"),
    );

  test("is for all resources as soon as one of them asks for it", () => {
    const asking = primitive("b", meta("b", { requires: "unfencing" }));
    expect(unfenced(primitive("a") + device() + asking)).toEqual(["stonith-n1-on n1"]);
    expect(unfenced(primitive("a") + device() + primitive("b"))).toEqual([]);
  });

  test("is asked for also by a template that nobody uses, but not by a parameter", () => {
    const template = `<template id="t" class="ocf" provider="heartbeat" type="Dummy">${meta("t", { requires: "unfencing" })}</template>`;
    expect(unfenced(template + primitive("a") + device())).toEqual(["stonith-n1-on n1"]);
    const parameter = meta("b", { requires: "unfencing" }).replaceAll(
      "meta_attributes",
      "instance_attributes",
    );
    expect(unfenced(primitive("b", parameter) + device())).toEqual([]);
  });
});

describe("a surplus instance", () => {
  test("stops also where the lack of fence devices keeps the others as they are", () => {
    const clone = `<clone id="c">${meta("c", { "clone-max": "1" })}${primitive("a", "")}</clone>`;
    const active = history("a", { task: "start" });
    const decision = decideSmall({
      properties: { "stonith-enabled": "true" },
      resources: clone,
      histories: { n1: active, n2: active },
    });
    expect(decision.summary).toEqual(["Stop a:1 ( n2 )  due to node availability"]);
  });
});

describe("a remote node whose connection is not configured any more", () => {
  test("is told to stop what runs there; what it remembers is not cleaned up", () => {
    const connection = history("r", { task: "start" })
      .replace('provider="heartbeat"', 'provider="pacemaker"')
      .replace('type="Dummy"', 'type="remote"');
    const remote = `<node_state remote_node="true" id="r" uname="r"><lrm id="r"><lrm_resources>${running("a")}</lrm_resources></lrm></node_state>`;
    const cib = smallCib({ nodes: ["n1"], resources: "", histories: { n1: connection } });
    const decision = schedule({
      cib: parseXml(cib.replace("</status>", `${remote}</status>`)),
      now: smallNow,
    });
    expect(shownActions(decision)).toEqual(["a_stop_0 r", "r_delete_0 n1", "r_stop_0 n1"]);
  });
});

describe("a resource that may start nowhere any more", () => {
  test("is not looked for inside bundles for that", () => {
    const fatal = `<operations><op id="a-start" name="start" interval="0" on-fail="stop"/></operations>`;
    const decision = decideSmall({
      nodes: ["n1"],
      resources: `${primitive("a", fatal)}<bundle id="b"><podman image="i"/><network control-port="3121"/>${primitive("in", "")}</bundle>`,
      histories: { n1: history("a", { task: "start", rc: 1 }) + history("b-podman-0", { task: "start" }) },
    });
    expect(shownActions(decision).filter((key) => key.startsWith("a_"))).toEqual(["a_stop_0 n1"]);
  });
});

describe("the connection to a bundle's node in an opt-in cluster", () => {
  const bundle = (id: string, inner = "") =>
    `<bundle id="${id}">${inner}<podman image="i"/><network control-port="3121"/>${primitive(`${id}-in`, "")}</bundle>`;

  test("starts after the fencing of another bundle's node, where it might be for all that is known", () => {
    const decision = decideSmall({
      nodes: ["n1"],
      properties: { "symmetric-cluster": "false" },
      resources: bundle("b1", meta("b1", { "is-managed": "false" })) + bundle("b2"),
      histories: { n1: history("b1-podman-0", { task: "start", rc: 1 }) },
    });
    expect(decision.summary).toEqual([
      "Fence (reboot) b1-0 (resource: b1-podman-0) 'guest is unclean'",
      "Start b2-0 ( n1 )  due to unrunnable b2-podman-0 start (blocked)",
      "Start b2-in:0 ( b2-0 )  due to unrunnable b2-0 start (blocked)",
    ]);
  });
});

describe("a node in maintenance", () => {
  test("keeps a failed member of a group; the group's own steps are shown all the same", () => {
    const decision = decideSmall({
      nodes: ["n1"],
      resources: `<group id="g">${primitive("a")}</group>`,
      histories: { n1: history("a", { task: "monitor", interval: 10_000, rc: 7, expected: 0 }) },
      extra: {
        n1: '<transient_attributes id="1"><instance_attributes id="t"><nvpair id="t1" name="maintenance" value="true"/></instance_attributes></transient_attributes>',
      },
    });
    expect(shownActions(decision)).toEqual(["[g_running_0]", "[g_start_0]", "a_monitor_10000 n1"]);
  });
});

describe("a guest node", () => {
  test("whose connection restarts: what migrates away from it has left before the connection stops", () => {
    const guest = primitive("vm", meta("vm", { "remote-node": "guest" }));
    const entry = history(
      "guest",
      { task: "start", attributes: 'op-restart-digest="other"' },
      { task: "monitor", interval: 30_000 },
    );
    const state =
      '<node_state id="guest" uname="guest" remote_node="true" in_ccm="true"><lrm id="guest"><lrm_resources>' +
      `${history("a", { task: "start" })}</lrm_resources></lrm></node_state>`;
    const connection = entry
      .replace('provider="heartbeat" type="Dummy"', 'provider="pacemaker" type="remote" container="vm"')
      .replaceAll(/op-digest="[^"]*"/g, 'op-digest="other"');
    const cib = smallCib({
      nodes: ["n1"],
      resources: guest + primitive("a", meta("a", { "allow-migrate": "true" })),
      constraints: '<rsc_location id="l" rsc="a" node="guest" score="-INFINITY"/>',
      histories: { n1: running("vm") + connection + stopped("a") },
    }).replace("</status>", `${state}</status>`);
    const decision = schedule({ cib: parseXml(cib), now: smallNow });
    expect(isBefore(decision, "a_migrate_to_0", "a_migrate_from_0")).toBe(true);
    expect(isBefore(decision, "a_migrate_from_0", "guest_stop_0")).toBe(true);
    expect(isBefore(decision, "guest_stop_0", "guest_start_0")).toBe(true);
  });
});

test("a node's state that has another id counts by its name, one without an id not at all", () => {
  const cib = smallCib({ nodes: ["n1"], resources: primitive("a", "") });
  const summaryWith = (id: string) =>
    schedule({ cib: parseXml(cib.replace(/(<node_state) id="[^"]*"/, `$1${id}`)), now: smallNow }).summary;
  expect(summaryWith(' id="x"')).toEqual(["Start a ( n1 )"]);
  expect(summaryWith("")).toEqual([]);
});

describe("a recurring operation whose failure has expired", () => {
  const cluster = {
    nodes: ["n1"],
    resources: primitive(
      "a",
      `${meta("a", { "failure-timeout": "10s" })}<operations><op id="m" name="monitor" interval="10s"/></operations>`,
    ),
    histories: {
      n1: history("a", { task: "start" }, { task: "monitor", interval: 10_000, rc: 7, expected: 0 }),
    },
  };

  test("is scheduled anew, and the input stays as it is", () => {
    const cib = parseXml(smallCib(cluster));
    const before = formatXml(cib);
    const decision = schedule({ cib, now: smallNow });
    expect(formatXml(cib)).toBe(before);
    expect(decision.summary).toEqual([]);
    expect(shownActions(decision)).toEqual(["a_monitor_10000 n1"]);
  });

  test("goes on when a good result from before tells no parameters that need a restart", () => {
    const after = (attributes: string) => {
      const failed = `id="a_last_failure_0" operation_key="a_monitor_10000" operation="monitor" interval="10000" call-id="2"`;
      const result = `rc-code="1" op-status="0" transition-key="1:1:0:x" transition-magic="0:1;1:1:0:x" last-rc-change="${smallNow - 90}"`;
      const good = history("a", { task: "start" }, { task: "monitor", interval: 10_000, attributes });
      const all = good.replace(
        "</lrm_resource>",
        `<lrm_rsc_op ${failed} ${result} op-digest="4811cef7f7f94e3a35a70be7916cb2fd"/></lrm_resource>`,
      );
      return shownActions(decideSmall({ ...cluster, histories: { n1: all } }));
    };
    expect(after("")).toEqual([]);
    expect(after('op-force-restart=" x " op-restart-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"')).toEqual([
      "a_monitor_10000 n1",
    ]);
  });
});

describe("resources that are active on too many nodes and shall only stop", () => {
  test("are not looked for inside bundles", () => {
    const bundle =
      '<bundle id="b"><docker image="i" replicas="1"/><network control-port="3121"/>' +
      `${primitive("inner", "")}</bundle>`;
    const decision = decideSmall({
      resources: primitive("a", meta("a", { "multiple-active": "stop_only" })) + bundle,
      histories: { n1: history("a", { task: "start" }), n2: history("a", { task: "start" }) },
    });
    expect(shownActions(decision).filter((key) => key.startsWith("a_"))).toEqual([
      "a_stop_0 n1",
      "a_stop_0 n2",
    ]);
  });
});

describe("an instance on a node that is gone", () => {
  test("is looked at after one on a node that is merely in standby", () => {
    const active = history("a", { task: "start" });
    const decision = decideSmall({
      nodes: ["n1", "n2", "n3"],
      properties: { "shutdown-lock": "true" },
      resources: `<clone id="c">${primitive("a", "")}</clone>`,
      states: { n2: { in_ccm: "false", crmd: "offline", join: "down", expected: "down" } },
      histories: { n2: active, n3: active },
      extra: {
        n3: '<transient_attributes id="3"><instance_attributes id="t"><nvpair id="t1" name="standby" value="on"/></instance_attributes></transient_attributes>',
      },
    });
    expect(decision.summary).toContain("Move a:1 ( n3 -> n1 )");
  });
});

describe("what the status tells of a node", () => {
  test("a history without operations is none: nothing is cleaned up", () => {
    const decision = decideSmall({
      resources: primitive("p"),
      histories: {
        n1: running("gone"),
        n2: `<lrm_resource id="gone" class="ocf" provider="heartbeat" type="Dummy"/>`,
      },
    });
    expect(shownActions(decision).filter((key) => key.startsWith("gone"))).toEqual([
      "gone_delete_0 n1",
      "gone_stop_0 n1",
    ]);
  });

  test("of two entries of the same call the one that is written first counts as the newer", () => {
    const entry = (id: string, rc: number) =>
      `<lrm_rsc_op id="p_${id}_0" operation="monitor" operation_key="p_monitor_0" interval="0" call-id="3" ` +
      `rc-code="${rc}" op-status="0" transition-key="1:1:7:x" last-rc-change="${smallNow - 9}"/>`;
    const shown = (...entries: readonly string[]) =>
      decideSmall({
        resources: primitive("p"),
        histories: {
          n1: `<lrm_resource id="p" class="ocf" provider="heartbeat" type="Dummy">${entries.join("")}</lrm_resource>`,
        },
      }).summary;
    expect(shown(entry("last_failure", 1), entry("last", 7))).toEqual(["Recover p ( n1 )"]);
    expect(shown(entry("last", 7), entry("last_failure", 1))).toEqual(["Start p ( n1 )"]);
  });

  test("failures that are cleared because the parameters have changed ban nobody", () => {
    const failed = (digest: string) =>
      `<lrm_rsc_op id="p_last_failure_0" operation="monitor" operation_key="p_monitor_0" interval="0" call-id="3" ` +
      `rc-code="1" op-status="4" op-digest="${digest}" transition-key="1:1:7:x" last-rc-change="${smallNow - 9}"/>`;
    const summary = (digest: string) =>
      decideSmall({
        nodes: ["n1"],
        resources: primitive("p", meta("p", { "migration-threshold": "2" })),
        histories: {
          n1: `<lrm_resource id="p" class="ocf" provider="heartbeat" type="Dummy">${failed(digest)}</lrm_resource>`,
        },
        extra: {
          n1:
            '<transient_attributes id="1"><instance_attributes id="t">' +
            '<nvpair id="t-f" name="fail-count-p#monitor_0" value="2"/></instance_attributes></transient_attributes>',
        },
      }).summary;
    expect(summary("f2317cad3d54cec5d7d7aa7d0bf35cf8")).toEqual(["Stop p ( n1 )  due to node availability"]);
    expect(summary("0123456789abcdef0123456789abcdef")).toEqual(["Recover p ( n1 )"]);
  });

  test("a monitor that is no longer configured is not cancelled after a stop, even one that failed", () => {
    const failedStop = { task: "stop", rc: 1 };
    const cancels = (...operations: Parameters<typeof history>[1][]) => {
      const entries = history("p", { task: "start" }, { task: "monitor", interval: 7000 }, ...operations);
      const n1 = entries.replace('rc-code="1" op-status="4"', 'rc-code="1" op-status="0"');
      const decision = decideSmall({ resources: primitive("p"), histories: { n1 } });
      return shownActions(decision).filter((key) => key.startsWith("p_monitor_7000"));
    };
    expect(cancels()).toEqual(["p_monitor_7000 n1"]);
    expect(cancels(failedStop)).toEqual([]);
  });

  test("that it has not been probed, in CIBs of old releases: it is asked to do that, and nothing else yet", () => {
    const attribute = '<nvpair id="probed" name="probe_complete" value="false"/>';
    const decision = decideSmall({
      resources: primitive("p"),
      nodeContents: { n2: `<instance_attributes id="i">${attribute}</instance_attributes>` },
    });
    const probes = shownActions(decision).filter((key) => /probe_again|monitor_0/.test(key));
    expect(probes).toEqual(["p_monitor_0 n1", "probe_again-n2 n2"]);
  });
});

test("the connection to a guest that runs is no longer locked to the node that was shut down, as its container is not", () => {
  const locked = (entry: string) =>
    entry.replace("<lrm_resource", '<lrm_resource shutdown-lock="1699999990"');
  const connection = history("guest", { task: "start" })
    .replace('provider="heartbeat"', 'provider="pacemaker"')
    .replace('type="Dummy"', 'type="remote" container="vm"');
  const decision = decideSmall({
    properties: { "shutdown-lock": "true" },
    resources: primitive("vm", meta("vm", { "remote-node": "guest" })),
    histories: { n1: locked(history("vm", { task: "start" })) + locked(connection) },
  });
  const deleted = shownActions(decision).filter((action) => action.includes("lrm_delete"));
  expect(deleted).toEqual(["guest_lrm_delete_0 n1", "vm_lrm_delete_0 n1"]);
});

describe("an order that a part of a clone is enough for", () => {
  test("waits for a part whatever its first action is", () => {
    const decision = decideSmall({
      resources: `<clone id="c">${meta("c", { "target-role": "Stopped" })}${primitive("a")}</clone>${primitive("p")}`,
      constraints:
        '<rsc_order id="o" first="c" first-action="stop" then="p" then-action="start" require-all="false"/>',
      histories: { n1: running("a"), n2: running("a") },
    });
    expect(shownActions(decision)).toContain("[clone-one-or-more:o]");
    expect(waitsFor(decision, "p_start_0")).toContain("clone-one-or-more:o");
  });
});

import { describe, expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { rulesOf, scheduleCluster, unpackCluster } from "../../src/scheduler/index.ts";
import {
  decideSmall,
  history,
  meta,
  primitive,
  running,
  type SmallCluster,
  shownActions,
  smallCib,
  smallNow,
  stopped,
  utilization,
} from "./small-cib.ts";

const clone = (id: string, inner: string, values: Readonly<Record<string, string>> = {}) =>
  `<clone id="${id}">${meta(id, values)}${primitive(inner)}</clone>`;

/** Summaries by the rules of 3.0 and of 2.1. */
const both = (cluster: SmallCluster) => [decideSmall(cluster).summary, decideSmall(cluster, "2.1").summary];

describe("rules that changed since 2.1", () => {
  test("an active instance leaves the better node to one that is to be started", () => {
    const [newer, older] = both({
      resources: clone("c", "a"),
      constraints: '<rsc_location id="l" rsc="c" node="n1" score="100"/>',
      histories: { n1: stopped("a"), n2: running("a") },
    });
    expect(newer).toEqual(["Start a:1 ( n1 )"]);
    expect(older).toEqual(["Move a:0 ( n2 -> n1 )", "Start a:1 ( n2 )"]);
  });

  test("optional colocations of a clone count for its instances though there is one for each node", () => {
    const [newer, older] = both({
      resources: clone("c", "a") + primitive("p"),
      constraints:
        '<rsc_location id="l" rsc="p" node="n2" score="INFINITY"/>' +
        '<rsc_colocation id="col" rsc="c" with-rsc="p" score="100"/>',
    });
    expect(newer).toEqual(["Start a:0 ( n2 )", "Start a:1 ( n1 )", "Start p ( n2 )"]);
    expect(older).toEqual(["Start a:0 ( n1 )", "Start a:1 ( n2 )", "Start p ( n2 )"]);
  });

  test("and so they do for the members of a cloned group", () => {
    const [newer, older] = both({
      resources: `<clone id="c"><group id="g">${primitive("a")}</group></clone>${primitive("p")}`,
      constraints:
        '<rsc_location id="l" rsc="p" node="n2" score="INFINITY"/>' +
        '<rsc_colocation id="col" rsc="c" with-rsc="p" score="100"/>',
    });
    expect(newer).toEqual(["Start a:0 ( n2 )", "Start a:1 ( n1 )", "Start p ( n2 )"]);
    expect(older).toEqual(["Start a:0 ( n1 )", "Start a:1 ( n2 )", "Start p ( n2 )"]);
  });

  test("the only node that another may use is left to it", () => {
    const [newer, older] = both({
      resources: primitive("p") + primitive("q"),
      constraints:
        '<rsc_location id="l" rsc="p" node="n2" score="-INFINITY"/>' +
        '<rsc_colocation id="col" rsc="p" with-rsc="q" score="-INFINITY"/>',
    });
    expect(newer).toEqual(["Start p ( n1 )", "Start q ( n2 )"]);
    expect(older).toEqual(["Start q ( n1 )"]);
  });

  test("mandatory colocations are applied before an optional one that can be given up", () => {
    const [newer, older] = both({
      resources: primitive("p") + primitive("q") + primitive("r"),
      constraints:
        '<rsc_location id="l" rsc="p" node="n1" score="INFINITY"/>' +
        '<rsc_location id="m" rsc="r" node="n2" score="-INFINITY"/>' +
        '<rsc_colocation id="opt" rsc="q" with-rsc="p" score="-10"/>' +
        '<rsc_colocation id="must" rsc="r" with-rsc="q" score="INFINITY"/>',
    });
    expect(newer).toEqual(["Start p ( n1 )", "Start q ( n1 )", "Start r ( n1 )"]);
    expect(older).toEqual(["Start p ( n1 )", "Start q ( n2 )"]);
  });

  test("a colocation that keeps the promoted instance away does not keep the others away", () => {
    const [newer, older] = both({
      resources: clone("c", "a", { promotable: "true", "clone-max": "1" }) + primitive("p"),
      constraints:
        '<rsc_location id="l" rsc="p" node="n1" score="INFINITY"/>' +
        '<rsc_colocation id="col" rsc="c" rsc-role="Promoted" with-rsc="p" score="-INFINITY"/>',
      histories: { n1: running("a"), n2: stopped("a") },
    });
    expect(newer).toEqual(["Start p ( n1 )"]);
    expect(older).toEqual(["Move a:0 ( n1 -> n2 Unpromoted )", "Start p ( n1 )"]);
  });

  test("what must be with a clone may be on any node with the same value of the attribute that matters", () => {
    const [newer, older] = both({
      resources: clone("c", "a", { "clone-max": "1" }) + primitive("p"),
      // No node has a rack, so all have the same.
      constraints:
        '<rsc_location id="l" rsc="c" node="n1" score="100"/><rsc_location id="m" rsc="p" node="n2" score="100"/>' +
        '<rsc_colocation id="col" rsc="p" with-rsc="c" score="INFINITY" node-attribute="rack"/>',
    });
    expect(newer).toEqual(["Start a:0 ( n1 )", "Start p ( n2 )"]);
    expect(older).toEqual(["Start a:0 ( n1 )", "Start p ( n1 )"]);
  });

  test("members of an instance that would go elsewhere do not remain there", () => {
    const [newer, older] = both({
      resources: `<clone id="c"><group id="g">${primitive("m")}</group></clone>`,
      constraints: '<rsc_location id="l" rsc="c" node="n2" score="100"/>',
      histories: { n1: running("m"), n2: stopped("m") },
    });
    expect(newer).toEqual(["Start m:1 ( n2 )"]);
    expect(older).toEqual(["Move m:0 ( n1 -> n2 )", "Start m:1 ( n2 )"]);
  });

  test("a member that others ran without waits for them to stop, so that they cannot migrate", () => {
    const [newer, older] = both({
      resources: `<group id="g">${primitive("m1")}${primitive("m2", meta("m2", { "allow-migrate": "true" }))}</group>`,
      constraints: '<rsc_location id="l" rsc="g" node="n1" score="-INFINITY"/>',
      histories: { n1: stopped("m1") + history("m2", { task: "start" }), n2: stopped("m1") + stopped("m2") },
    });
    expect(newer).toEqual(["Start m1 ( n2 )", "Move m2 ( n1 -> n2 )  due to unmigrateable m1 start"]);
    expect(older).toEqual(["Start m1 ( n2 )", "Migrate m2 ( n1 -> n2 )"]);
  });

  test("that something cannot migrate is no reason where there is one already", () => {
    const changed =
      '<operations><op id="then-start" name="start" interval="0"><instance_attributes id="then-own">' +
      '<nvpair id="then-level" name="OCF_CHECK_LEVEL" value="10"/></instance_attributes></op></operations>';
    const [newer, older] = both({
      resources:
        primitive("first", meta("first", { "is-managed": "false" })) +
        primitive("then", meta("then", { "allow-migrate": "true" }) + changed),
      constraints:
        '<rsc_order id="o" first="first" then="then"/><rsc_location id="l" rsc="then" node="n1" score="-INFINITY"/>',
      histories: {
        n1: stopped("first") + history("then", { task: "start" }),
        n2: stopped("first") + stopped("then"),
      },
    });
    expect(newer).toEqual(["Stop then ( n1 )  due to resource definition change"]);
    // Its own word for that is "unrunnable".
    expect(older).toEqual(["Stop then ( n1 )  due to unmigrateable first start"]);
  });

  test("a member for which there is no room when its instance is tried where it is does not stop for that yet", () => {
    const use = (id: string, cpu: number) =>
      primitive(
        id,
        `<utilization id="${id}-u"><nvpair id="${id}-cpu" name="cpu" value="${cpu}"/></utilization>`,
      );
    const cluster = {
      nodes: ["n1"],
      properties: { "placement-strategy": "minimal" },
      resources: `<clone id="c"><group id="g">${use("m1", 3)}${use("m2", 2)}</group></clone>`,
      histories: { n1: stopped("m1") + running("m2") },
      extra: {
        n1: '<transient_attributes id="1"><utilization id="n-u"><nvpair id="n-cpu" name="cpu" value="4"/></utilization></transient_attributes>',
      },
    };
    // The monitor is configured no more. Once the stop is certain it need not be cancelled.
    expect(shownActions(decideSmall(cluster))).toContain("m2_monitor_10000 n1");
    expect(shownActions(decideSmall(cluster, "2.1"))).not.toContain("m2_monitor_10000 n1");
  });

  test("a rule of alternatives gives nodes its score, whatever their state", () => {
    const [newer, older] = both({
      quorate: false,
      properties: { "stonith-enabled": "true" },
      resources: `<primitive id="f" class="stonith" type="fence_dummy"/><clone id="c"><group id="g">${primitive("a")}</group></clone>`,
      constraints:
        '<rsc_location id="l" rsc="c"><rule id="r" score="0" boolean-op="or">' +
        '<expression id="e" attribute="#uname" operation="defined"/></rule></rsc_location>',
      states: { n1: { in_ccm: "false", crmd: "offline", join: "down", expected: "down" } },
      histories: { n1: running("a") },
    });
    expect(newer).toContain("Stop a:0 ( n1 )  due to no quorum (blocked)");
    expect(older).toContain("Stop a:0 ( n1 )  due to node availability (blocked)");
  });

  test("a clone with more than one instance on a node is unique", () => {
    const [newer, older] = both({
      nodes: ["n1"],
      resources: clone("c", "a", { "clone-max": "2", "clone-node-max": "2" }),
    });
    expect(newer).toEqual(["Start a:0 ( n1 )", "Start a:1 ( n1 )"]);
    expect(older).toEqual(["Start a:0 ( n1 )"]);
  });

  test("a node's state says since when it is a member, and may leave out its name", () => {
    const pending = { in_ccm: "1699990000", crmd: "0", join: "down", expected: "down" };
    const properties = { "stonith-enabled": "true", "node-pending-timeout": "60" };
    const resources = '<primitive id="f" class="stonith" type="fence_dummy"/>';
    const fencings = (lines: readonly (readonly string[])[]) =>
      lines.map((summary) => summary.filter((line) => line.startsWith("Fence")));
    expect(fencings(both({ properties, resources, states: { n2: pending } }))).toEqual([
      ["Fence (reboot) n2 'peer pending timed out on joining the process group'"],
      [],
    ]);
    const nameless = parseXml(smallCib({ properties, resources }).replace('uname="n2" in_ccm', "in_ccm"));
    const decide = (release: "2.1" | "3.0") =>
      scheduleCluster(unpackCluster(nameless, smallNow, rulesOf[release])).summary;
    expect(fencings([decide("3.0"), decide("2.1")])).toEqual([[], ["Fence (reboot) n2 'node is unclean'"]]);
  });

  test("that a node shall be fenced counts more than what is wrong with it", () => {
    const terminate = '<nvpair id="x" name="terminate" value="true"/>';
    const [newer, older] = both({
      properties: { "stonith-enabled": "true" },
      resources: '<primitive id="f" class="stonith" type="fence_dummy"/>',
      states: { n2: { crmd: "offline" } },
      nodeContents: { n2: `<instance_attributes id="i">${terminate}</instance_attributes>` },
    });
    expect(newer).toContain("Fence (reboot) n2 'fencing was requested'");
    expect(older).toContain("Fence (reboot) n2 'peer process is no longer available'");
  });

  test("what a node can bear may be told by transient attributes", () => {
    const cpu = (id: string, value: number) => utilization(id, { cpu: value });
    const [newer, older] = both({
      nodes: ["n1"],
      properties: { "placement-strategy": "utilization" },
      resources: primitive("p", cpu("p", 2)),
      extra: { n1: `<transient_attributes id="1">${cpu("t", 2)}</transient_attributes>` },
    });
    expect([newer, older]).toEqual([["Start p ( n1 )"], []]);
  });

  test("what a later member of a group is with counts the locations of the group", () => {
    const [newer, older] = both({
      resources: `${primitive("p")}<group id="g">${primitive("a")}${primitive("b")}</group>`,
      constraints:
        '<rsc_colocation id="c" rsc="b" with-rsc="p" score="INFINITY"/>' +
        '<rsc_location id="l" rsc="g" node="n1" score="-INFINITY"/>',
      histories: { n1: running("p") + running("a") + running("b") },
    });
    expect(newer).toContain("Move p ( n1 -> n2 )");
    expect(older).not.toContain("Move p ( n1 -> n2 )");
  });

  describe("of bundles", () => {
    const bundle = (inner: string, meta = "") =>
      `<bundle id="b">${meta}<docker image="i" replicas="1" promoted-max="1"/><network control-port="1"/>${inner}</bundle>`;
    const host =
      '<meta_attributes id="b-m"><nvpair id="b-t" name="container-attribute-target" value="host"/></meta_attributes>';
    const score =
      '<transient_attributes id="1"><instance_attributes id="t"><nvpair id="t-s" name="master-a" value="5"/></instance_attributes></transient_attributes>';

    test("an instance has the promotion score of the host that its container will have", () => {
      const [newer, older] = both({
        nodes: ["n1"],
        resources: bundle(primitive("a"), host),
        extra: { n1: score },
      });
      expect(newer).toContain("Promote a:0 ( Stopped -> Promoted b-0 )");
      expect(older).toContain("Start a:0 ( b-0 )");
    });

    test("what would be with the promoted service goes to its container", () => {
      const [newer, older] = both({
        resources: bundle(primitive("a"), host) + primitive("p"),
        constraints:
          '<rsc_location id="l" rsc="b" node="n1" score="INFINITY"/>' +
          '<rsc_colocation id="c" rsc="p" with-rsc="b" with-rsc-role="Promoted" score="5000"/>',
        extra: { n1: score },
      });
      expect(newer).toContain("Start p ( n1 )");
      expect(older).toContain("Start p ( n2 )");
    });

    test("those that are interleaved wait for what is inside the other's container, not for the container", () => {
      const outer = `<bundle id="y">${meta("y", { interleave: "true" })}<docker image="i" replicas="1"/></bundle>`;
      const [newer, older] = both({
        nodes: ["n1"],
        resources: bundle(primitive("a", meta("a", { "target-role": "Stopped" }))) + outer,
        constraints: '<rsc_order id="ord" first="b" then="y"/>',
      });
      expect(newer).toContain("Start y-docker-0 ( n1 )  due to unrunnable a:0 start (blocked)");
      expect(older).toContain("Start y-docker-0 ( n1 )");
    });
  });

  test("a failed stop that has expired blocks nothing", () => {
    const monitored = `<operations><op id="a-monitor" name="monitor" interval="10s"/></operations>`;
    const [newer, older] = both({
      resources: primitive(
        "a",
        `${meta("a", { "failure-timeout": "10", "target-role": "Stopped" })}${monitored}`,
      ),
      histories: { n1: history("a", { task: "start" }, { task: "stop", rc: 5 }) },
    });
    expect(newer).toEqual(["Stop a ( n1 )  due to node availability"]);
    expect(older).toEqual([]);
  });

  describe("while a node cannot be probed", () => {
    const common = {
      nodes: ["n1", "n2", "n3"],
      properties: { "stonith-enabled": "true" },
      states: { n2: { join: "down" } },
    };
    const device = '<primitive id="f" class="stonith" type="fence_dummy"/>';

    test("an instance that is not active waits", () => {
      const [newer, older] = both({
        ...common,
        resources: clone("c", "a") + device,
        histories: { n1: running("a"), n3: stopped("a") },
      });
      expect(newer).toContain("Start a:1 ( n3 )  due to unrunnable a:0 monitor (blocked)");
      expect(older).toContain("Start a:1 ( n3 )");
    });

    test("one that is active goes on although a part of it is not", () => {
      const [newer, older] = both({
        ...common,
        resources: `<clone id="c"><group id="g">${primitive("m1")}${primitive("m2")}</group></clone>${device}`,
        histories: { n1: running("m1") + stopped("m2"), n3: stopped("m1") + stopped("m2") },
      });
      expect(newer).toContain("Start m2:0 ( n1 )");
      expect(older).toContain("Stop m1:0 ( n1 )  due to unrunnable m2:0 monitor");
    });
  });
});

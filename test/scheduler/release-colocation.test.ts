import { describe, expect, test } from "bun:test";
import {
  decideSmall,
  history,
  meta,
  primitive,
  running,
  type SmallCluster,
  stopped,
  utilization,
} from "./small-cib.ts";

/** Summaries by the rules of 3.0 and of 2.1. */
const both = (cluster: SmallCluster) => [decideSmall(cluster).summary, decideSmall(cluster, "2.1").summary];

describe("colocations in 2.1", () => {
  test("what earlier tries left of them comes after all others, so that it may be given up where it bans all nodes", () => {
    const decisions = both({
      resources: `${primitive("a", "")}<clone id="c">${primitive("m", "")}</clone>`,
      constraints:
        '<rsc_location id="l" rsc="c" node="n2" score="10"/>' +
        '<rsc_colocation id="c1" rsc="c" with-rsc="a" score="-10"/>' +
        '<rsc_colocation id="c2" rsc="c" with-rsc="a" score="INFINITY"/>',
      histories: { n1: history("m", { task: "start" }) },
    });
    const moved = ["Start a ( n2 )", "Move m:0 ( n1 -> n2 )"];
    expect(decisions).toEqual([moved, moved]);
  });

  test("what a chain of colocations adds fades with every link", () => {
    const [newer, older] = both({
      resources: primitive("p") + primitive("q") + primitive("r"),
      constraints:
        '<rsc_location id="l" rsc="r" node="n1" score="-INFINITY"/>' +
        '<rsc_colocation id="c1" rsc="q" with-rsc="p" score="100"/>' +
        '<rsc_colocation id="c2" rsc="r" with-rsc="q" score="100"/>',
    });
    expect(newer).toEqual(["Start p ( n1 )", "Start q ( n2 )", "Start r ( n2 )"]);
    expect(older).toEqual(["Start p ( n2 )", "Start q ( n2 )", "Start r ( n2 )"]);
  });

  test("what is apart from the beginning of a chain keeps the end of it away too", () => {
    const decisions = both({
      resources: primitive("p") + primitive("q") + primitive("r"),
      constraints:
        '<rsc_location id="l" rsc="r" node="n1" score="1000"/>' +
        '<rsc_colocation id="c1" rsc="q" with-rsc="p" score="-100000"/>' +
        '<rsc_colocation id="c2" rsc="r" with-rsc="q" score="500000"/>',
    });
    const apart = ["Start p ( n2 )", "Start q ( n1 )", "Start r ( n1 )"];
    expect(decisions).toEqual([apart, apart]);
  });

  test("a group that cannot start keeps what must be with it from starting", () => {
    const [newer, older] = both({
      resources: `${primitive("p")}<group id="g">${primitive("m")}</group>${primitive("q")}`,
      constraints:
        '<rsc_ticket id="t" rsc="p" ticket="T"/><rsc_order id="o" first="p" then="g"/>' +
        '<rsc_colocation id="c" rsc="q" with-rsc="g" score="INFINITY"/>',
    });
    expect(newer).toEqual([
      "Start m ( n1 )  due to unrunnable p start (blocked)",
      "Start q ( n1 )  due to colocation with g (blocked)",
    ]);
    expect(older).toEqual(["Start m ( n1 )  due to unrunnable p start (blocked)", "Start q ( n1 )"]);
  });

  test("what is with a group, or with a member of it, needs room with it although its assignment has begun", () => {
    const need = (id: string) => primitive(id, utilization(id, { cpu: 1 }));
    const decide = (constraint: string) =>
      both({
        properties: { "placement-strategy": "minimal" },
        nodeContents: { n1: utilization("n1", { cpu: 3 }), n2: utilization("n2", { cpu: 4 }) },
        resources: `<group id="g">${need("a")}${need("b")}</group>${need("p")}${need("q")}`,
        constraints: `<rsc_colocation id="c1" rsc="g" with-rsc="p" score="INFINITY"/>${constraint}`,
      });
    const together = ["Start a ( n2 )", "Start b ( n2 )", "Start p ( n2 )", "Start q ( n2 )"];
    const withThe = (rsc: string, other: string) =>
      decide(`<rsc_colocation id="c2" rsc="${rsc}" with-rsc="${other}" score="INFINITY"/>`);
    expect(withThe("q", "g")).toEqual([together, together]);
    expect(withThe("q", "b")).toEqual([together, together]);
    expect(withThe("a", "q")).toEqual([together, together]);
  });

  test("room is made for what depends on a clone although it has no influence", () => {
    const [newer, older] = both({
      properties: { "placement-strategy": "utilization" },
      nodeContents: { n1: utilization("n1", { cpu: 1 }), n2: utilization("n2", { cpu: 2 }) },
      resources:
        `<clone id="c">${meta("c", { "clone-max": "1" })}${primitive("a", utilization("a", { cpu: 1 }))}</clone>` +
        `<clone id="d">${meta("d", { "clone-max": "1" })}${primitive("b", utilization("b", { cpu: 1 }))}</clone>`,
      constraints: '<rsc_colocation id="col" rsc="d" with-rsc="c" score="INFINITY" influence="false"/>',
      histories: { n1: running("a"), n2: stopped("a") },
    });
    expect(newer).toEqual(["Move a:0 ( n1 -> n2 )", "Start b:0 ( n2 )"]);
    expect(older).toEqual([]);
  });

  test("a group is decided after what prefers more nodes than the group and what it must be with", () => {
    const inner = primitive("m", utilization("m", { cpu: 3 }));
    const cluster: SmallCluster = {
      properties: { "placement-strategy": "utilization" },
      nodeContents: { n1: utilization("n1", { cpu: 6 }) },
      states: { n2: { in_ccm: "false", crmd: "offline", join: "down", expected: "down" } },
      resources:
        `<group id="g">${primitive("a", utilization("a", { cpu: 2 }))}</group>` +
        `<group id="h">${primitive("b", utilization("b", { cpu: 2 }))}</group><group id="k">${inner}</group>`,
      constraints: '<rsc_colocation id="c" rsc="g" with-rsc="h" score="INFINITY"/>',
    };
    const started = ["Start b ( n1 )", "Start m ( n1 )"];
    expect(both(cluster)).toEqual([started, started]);
  });

  test("the colocations of a clone count again for an instance that is looked at again", () => {
    const [newer, older] = both({
      nodes: ["n1", "n2", "n3"],
      resources: `${primitive("p")}<clone id="c">${meta("c", { "clone-max": "2" })}${primitive("a")}</clone>`,
      constraints:
        '<rsc_location id="l1" rsc="p" node="n1" score="INFINITY"/>' +
        '<rsc_location id="l2" rsc="p" node="n2" score="1"/>' +
        '<rsc_colocation id="col" rsc="p" with-rsc="c" score="100"/>',
      histories: { n2: running("a"), n3: running("a") },
    });
    expect(newer).toEqual(["Start p ( n1 )", "Move a:1 ( n3 -> n1 )"]);
    expect(older).toEqual(["Start p ( n1 )", "Move a:0 ( n2 -> n1 )", "Move a:1 ( n3 -> n2 )"]);
  });
});

test("a group looks at two colocations with the same resource in their order", () => {
  const colocation = (id: string, score: string) =>
    `<rsc_colocation id="${id}" rsc="g" with-rsc="c" score="${score}"/>`;
  const [newer, older] = both({
    resources: `<clone id="c">${primitive("a")}</clone><group id="g">${primitive("m")}</group>`,
    constraints: colocation("k1", "-10") + colocation("k2", "100"),
  });
  // To be apart from the last instance would leave no place, unless it is looked at after the other one.
  expect(newer).toContain("Start m ( n1 )");
  expect(older).toContain("Start m ( n2 )");
});

describe("what must be with a clone or bundle by a node attribute", () => {
  const rack = (node: string) =>
    `<instance_attributes id="${node}-i"><nvpair id="${node}-r" name="rack" value="b"/></instance_attributes>`;
  const racks = { n1: rack("n1"), n2: rack("n2") };
  const colocation = (role: string) =>
    `<rsc_colocation id="k" rsc="p" with-rsc="c" ${role} score="INFINITY" node-attribute="rack"/>`;

  test("may be on any node of the same rack as the promoted instance; in 2.1 only where that is", () => {
    const cluster = {
      nodeContents: racks,
      resources: `${primitive("p")}<clone id="c">${meta("c", { promotable: "true" })}${primitive("a")}</clone>`,
      constraints: colocation('with-rsc-role="Promoted"'),
      extra: {
        n2: '<transient_attributes id="2"><instance_attributes id="t"><nvpair id="s" name="master-a" value="10"/></instance_attributes></transient_attributes>',
      },
    };
    const [newer, older] = both(cluster);
    expect(newer).toContain("Start p ( n1 )");
    expect(older).toContain("Start p ( n2 )");
  });

  test("may be on any node of the same rack as a replica; in 2.1 only where that is", () => {
    const [newer, older] = both({
      nodeContents: racks,
      resources: `${primitive("p")}<bundle id="c"><docker image="i" replicas="1"/></bundle>`,
      constraints: `<rsc_location id="l" rsc="c" node="n2" score="100"/>${colocation("")}`,
    });
    expect(newer).toContain("Start p ( n1 )");
    expect(older).toContain("Start p ( n2 )");
  });
});

test("containers of a bundle are instances: what follows the bundle has its say in where each goes, in 2.1 not always", () => {
  const [newer, older] = both({
    resources: `${primitive("p")}<bundle id="b"><podman image="i" replicas="2"/></bundle>`,
    constraints:
      '<rsc_location id="l" rsc="p" node="n2" score="50"/>' +
      '<rsc_colocation id="col" rsc="p" with-rsc="b" score="100"/>',
  });
  expect(newer).toContain("Start b-podman-0 ( n2 )");
  expect(older).toContain("Start b-podman-0 ( n1 )");
});

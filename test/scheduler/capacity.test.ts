import { describe, expect, test } from "bun:test";
import {
  decideSmall,
  history,
  isBefore,
  meta,
  primitive,
  running,
  type SmallCluster,
  utilization,
} from "./small-cib.ts";

const placed = (cluster: SmallCluster): string[] =>
  decideSmall(cluster)
    .placement.map(({ rsc, node }) => `${rsc} ${node}`)
    .sort();

const needing = (id: string, values: Readonly<Record<string, number>>): string =>
  primitive(id, utilization(id, values));

const together = (dependent: string, primary: string): string =>
  `<rsc_colocation id="${dependent}-${primary}" rsc="${dependent}" with-rsc="${primary}" score="INFINITY"/>`;

describe("choice among nodes by capacity", () => {
  test("when no node has room for all and all have the same, the order of the table of nodes decides", () => {
    const decided = placed({
      properties: { "placement-strategy": "utilization" },
      nodes: ["n2", "n1"],
      nodeContents: { n1: utilization("n1", { cpu: 2 }), n2: utilization("n2", { cpu: 2 }) },
      resources: needing("a", { cpu: 2 }) + needing("b", { cpu: 2 }),
      constraints: together("b", "a"),
    });
    expect(decided).toEqual(["a n2"]);
  });

  test("free capacities that beat each other in a circle", () => {
    const decided = placed({
      properties: { "placement-strategy": "balanced" },
      nodes: ["n1", "n2", "n3"],
      nodeContents: {
        n1: utilization("n1", { memory: 2 }),
        n2: utilization("n2", { cpu: 8 }),
        n3: utilization("n3", { memory: 4 }),
      },
      resources: primitive("a"),
    });
    expect(decided).toEqual(["a n2"]);
  });

  test("resources that are with some instance of a clone each need no room together", () => {
    const clone = `<clone id="c">${primitive("i")}</clone>`;
    const decided = placed({
      properties: { "placement-strategy": "utilization" },
      nodes: ["n2", "n1"],
      nodeContents: { n1: utilization("n1", { cpu: 3 }), n2: utilization("n2", { cpu: 3 }) },
      resources: needing("a", { cpu: 2 }) + needing("b", { cpu: 2 }) + clone,
      constraints: together("a", "c") + together("b", "c"),
    });
    expect(decided).toEqual(["a n1", "b n2", "i n1", "i n2"]);
  });

  test("a list of nodes that has been copied gives the nodes in the order of the copy's table", () => {
    const nodes = Array.from({ length: 15 }, (_, index) => `n${index + 101}`);
    const free = { n101: { cpu: 5 }, n109: { memory: 8 }, n110: { cpu: 7 } };
    const gone = nodes.filter((node) => !(node in free));
    const cluster: SmallCluster = {
      properties: { "placement-strategy": "balanced" },
      nodes,
      nodeContents: Object.fromEntries(
        Object.entries(free).map(([node, values]) => [node, utilization(node, values)]),
      ),
      states: Object.fromEntries(gone.map((node) => [node, { in_ccm: "false", crmd: "offline" }])),
      resources: `<clone id="c">${primitive("a")}</clone>${primitive("p")}`,
      constraints: '<rsc_colocation id="k" rsc="c" with-rsc="p" score="-INFINITY"/>',
    };
    // As crm_simulate 2.1.5 has it; nodes of a table that is not a copy would give p to n110.
    expect(placed(cluster)).toEqual(["a n109", "a n110", "p n101"]);
  });

  test("a colocation with the promoted role binds nothing that is not promoted", () => {
    const constraint = together("b", "a").replace("score", 'with-rsc-role="Promoted" score');
    const decided = placed({
      properties: { "placement-strategy": "utilization" },
      nodes: ["n2", "n1"],
      nodeContents: { n1: utilization("n1", { cpu: 3 }), n2: utilization("n2", { cpu: 3 }) },
      resources: needing("a", { cpu: 2 }) + needing("b", { cpu: 2 }),
      constraints: constraint,
    });
    expect(decided).toEqual(["a n1", "b n2"]);
  });

  test("an instance goes where there is room for itself, once, and for what has to be with it", () => {
    const clone = `<clone id="c">${meta("c", { "clone-max": "1" })}${needing("i", { cpu: 1 })}</clone>`;
    const decided = placed({
      properties: { "placement-strategy": "minimal" },
      nodes: ["n1", "n2", "n3"],
      nodeContents: {
        n1: utilization("n1", { cpu: 1 }),
        n2: utilization("n2", { cpu: 2 }),
        n3: utilization("n3", { cpu: 3 }),
      },
      resources: clone + needing("p", { cpu: 1 }),
      constraints: together("p", "c"),
    });
    expect(decided).toEqual(["i n2", "p n2"]);
  });

  test("the host of a container has to have room for what is inside, the node inside needs none", () => {
    const bundle =
      `<bundle id="box"><podman image="x" replicas="1"/><network ip-range-start="10.0.0.1"/>` +
      `${needing("inside", { cpu: 4 })}</bundle>`;
    const decided = placed({
      properties: { "placement-strategy": "utilization" },
      nodeContents: { n1: utilization("n1", { cpu: 3 }), n2: utilization("n2", { cpu: 4 }) },
      resources: bundle,
    });
    expect(decided).toEqual(["box-0 n2"]);
  });
});

test("of two that change places, the one that was decided last does not wait for the other", () => {
  const migrating = (id: string) =>
    primitive(id, meta(id, { "allow-migrate": "true" }) + utilization(id, { cpu: 1 }));
  const decision = decideSmall({
    properties: { "placement-strategy": "utilization" },
    nodeContents: { n1: utilization("n1", { cpu: 1 }), n2: utilization("n2", { cpu: 1 }) },
    resources: migrating("a") + migrating("b"),
    constraints:
      '<rsc_location id="l1" rsc="a" node="n2" score="100"/><rsc_location id="l2" rsc="b" node="n1" score="100"/>',
    histories: { n1: running("a"), n2: running("b") },
  });
  // b prefers the first node, so it is decided first.
  expect(isBefore(decision, "a_migrate_from_0", "b_migrate_to_0")).toBe(true);
  expect(isBefore(decision, "b_migrate_from_0", "a_migrate_to_0")).toBe(false);
});

test("the node by which an instance without place is paired is the best in the order in which nodes are chosen", () => {
  const groups = [
    `<clone id="c1">${meta("c1", { interleave: "true" })}<group id="g1">`,
    needing("m1", { cpu: 1 }),
    needing("m2", { cpu: 4 }),
    '</group></clone><clone id="c2">',
    meta("c2", { "clone-max": "2" }),
    `<group id="g2">${needing("m3", { cpu: 1 })}</group></clone>`,
  ];
  const transition = decideSmall({
    properties: { "placement-strategy": "balanced" },
    nodes: ["n1", "n2", "n3", "n4", "n5"],
    nodeContents: {
      n1: utilization("n1", { cpu: 1, memory: 2 }),
      n2: utilization("n2", { cpu: 8, memory: 1 }),
      n3: utilization("n3", { cpu: 4 }),
      n4: utilization("n4", { cpu: 4 }),
      n5: utilization("n5", { memory: 4 }),
    },
    resources: primitive("p") + groups.join(""),
    histories: { n2: history("m1", { task: "start" }), n4: history("m2", { task: "start" }) },
  });
  expect(isBefore(transition, "m2:2_monitor_0 n1", "m2_stop_0 n4")).toBe(true);
});

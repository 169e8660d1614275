import { describe, expect, test } from "bun:test";
import { nodeList } from "../../src/cli/render/node-list.ts";
import { outlineLines } from "../../src/cli/render/outline.ts";
import { resourceItems } from "../../src/cli/render/resource-list.ts";
import { unpackCluster } from "../../src/scheduler/index.ts";
import { type ClusterFixture, cib, healthy, meta, primitive } from "./render-fixture.ts";

const now = 1_700_003_600;
const clusterOf = (fixture: ClusterFixture) => unpackCluster(cib(fixture), now);
const nodes = (fixture: ClusterFixture) => outlineLines(nodeList(clusterOf(fixture)));
const resources = (fixture: ClusterFixture, options = {}) =>
  resourceItems(clusterOf(fixture), { inactive: true, ...options }).flatMap((item) => outlineLines(item));

describe("node list", () => {
  test("nodes in order are lists, remarkable ones have lines, all by name with numbers as numbers", () => {
    const fixture: ClusterFixture = {
      nodes: [
        { name: "node10" },
        { name: "node9" },
        { name: "node8", state: "offline" },
        { name: "node7", state: "lost" },
        { name: "node6", attributes: { standby: "on" } },
        { name: "node5", attributes: { maintenance: "true" } },
        { name: "node4", attributes: { standby: "on" }, state: "offline" },
        { name: "node3", attributes: { standby: "on" }, done: [{ rsc: "ip", task: "start" }] },
      ],
      resources: primitive("ip") + primitive("fence1"),
    };
    expect(nodes(fixture)).toEqual([
      "Node List:",
      "  * Node node3: standby (with active resources)",
      "  * Node node4: OFFLINE (standby)",
      "  * Node node5: maintenance",
      "  * Node node6: standby",
      "  * Node node7: UNCLEAN (offline)",
      "  * Online: [ node9 node10 ]",
      "  * OFFLINE: [ node8 ]",
    ]);
  });
});

describe("resource list", () => {
  test("groups, clones and promotable clones in order", () => {
    expect(resources(healthy)).toEqual([
      "fence1\t(stonith:fence_ipmilan):\t Started alpha",
      "Resource Group: grp:",
      "  * ip\t(ocf:heartbeat:IPaddr2):\t Started alpha",
      "  * web\t(ocf:heartbeat:apache):\t Started alpha",
      "Clone Set: ping-clone [ping]:",
      "  * Started: [ alpha beta ]",
      "Clone Set: db-clone [db] (promotable):",
      "  * Promoted: [ alpha ]",
      "  * Unpromoted: [ beta ]",
    ]);
  });

  test("a failed instance has a line of its own, the others stay a list", () => {
    const [alpha, beta] = healthy.nodes;
    const failed = { rsc: "ping", task: "monitor", intervalMs: 10_000, rc: 1, failure: true };
    const fixture = {
      ...healthy,
      nodes: [
        { ...alpha, name: "alpha" },
        { ...beta, name: "beta", done: [...(beta?.done ?? []), failed] },
      ],
    };
    expect(resources(fixture).slice(4, 7)).toEqual([
      "Clone Set: ping-clone [ping]:",
      "  * ping\t(ocf:pacemaker:ping):\t FAILED beta",
      "  * Started: [ alpha ]",
    ]);
  });

  test("disabled, unmanaged and stopped say so", () => {
    const fixture: ClusterFixture = {
      nodes: [{ name: "alpha", done: [{ rsc: "web", task: "start" }] }, { name: "beta" }],
      resources:
        primitive("ip", meta("ip", { "target-role": "Stopped" })) +
        primitive("web", meta("web", { "is-managed": "false" })) +
        `<clone id="ping-clone">${meta("ping-clone", { "target-role": "Stopped" })}${primitive("ping")}</clone>`,
    };
    expect(resources(fixture)).toEqual([
      "ip\t(ocf:heartbeat:IPaddr2):\t Stopped (disabled)",
      "web\t(ocf:heartbeat:apache):\t Started alpha (unmanaged)",
      "Clone Set: ping-clone [ping] (disabled):",
      "  * Stopped (disabled): [ alpha beta ]",
    ]);
    expect(resources(fixture, { inactive: false })).toEqual([
      "web\t(ocf:heartbeat:apache):\t Started alpha (unmanaged)",
    ]);
  });

  test("what is active twice names both nodes", () => {
    const fixture: ClusterFixture = {
      nodes: ["alpha", "beta"].map((name) => ({ name, done: [{ rsc: "ip", task: "start" }] })),
      resources: primitive("ip"),
    };
    expect(resources(fixture)).toEqual(["ip\t(ocf:heartbeat:IPaddr2):\t Started [ alpha beta ]"]);
  });

  test("only what is on a node, or only one resource", () => {
    expect(resources(healthy, { inactive: false, selection: { nodes: new Set(["beta"]) } })).toEqual([
      "Clone Set: ping-clone [ping]:",
      "  * Started: [ beta ]",
      "Clone Set: db-clone [db] (promotable):",
      "  * Unpromoted: [ beta ]",
    ]);
    expect(resources(healthy, { selection: { resources: new Set(["grp"]) } })).toHaveLength(3);
  });
});

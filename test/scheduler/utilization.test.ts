import { describe, expect, test } from "bun:test";
import { element, type XmlElement } from "../../src/cib/index.ts";
import { schedule } from "../../src/scheduler/index.ts";
import { nvset } from "./nvset.ts";

type Needs = Readonly<Record<string, string>>;

interface Description {
  readonly strategy?: string;
  readonly nodes: readonly { readonly name: string; readonly capacity?: Needs; readonly standby?: boolean }[];
  /** Primitives by name, in the order of their configuration. */
  readonly resources: readonly {
    readonly name: string;
    readonly needs?: Needs;
    readonly runsOn?: string;
    readonly priority?: number;
  }[];
  readonly constraints?: readonly XmlElement[];
}

const pairs = (values: Needs | undefined) => Object.entries(values ?? {});

/** A cluster of primitives without fencing, where everything has been probed. */
function cluster({ strategy, nodes, resources, constraints = [] }: Description): XmlElement {
  const history = (node: string, rsc: string, runs: boolean) =>
    element("lrm_resource", { id: rsc, class: "ocf", provider: "heartbeat", type: "Dummy" }, [
      element("lrm_rsc_op", {
        id: `${rsc}_last_0`,
        operation_key: runs ? `${rsc}_start_0` : `${rsc}_monitor_0`,
        operation: runs ? "start" : "monitor",
        "transition-key": `1:1:${runs ? 0 : 7}:0`,
        "transition-magic": `0:${runs ? 0 : 7};1:1:${runs ? 0 : 7}:0`,
        "call-id": 1,
        "rc-code": runs ? 0 : 7,
        "op-status": 0,
        interval: 0,
        on_node: node,
      }),
    ]);
  return element(
    "cib",
    { "validate-with": "pacemaker-3.9", crm_feature_set: "3.16.1", "have-quorum": 1, "dc-uuid": 1 },
    [
      element("configuration", {}, [
        element(
          "crm_config",
          {},
          nvset("cluster_property_set", "options", [
            ["stonith-enabled", "false"],
            ...(strategy === undefined ? [] : [["placement-strategy", strategy] as const]),
          ]),
        ),
        element(
          "nodes",
          {},
          nodes.map(({ name, capacity, standby }, at) =>
            element("node", { id: at + 1, uname: name }, [
              ...nvset("utilization", name, pairs(capacity)),
              ...(standby ? nvset("instance_attributes", name, [["standby", "on"]]) : []),
            ]),
          ),
        ),
        element(
          "resources",
          {},
          resources.map(({ name, needs, priority }) =>
            element("primitive", { id: name, class: "ocf", provider: "heartbeat", type: "Dummy" }, [
              ...(priority === undefined
                ? []
                : nvset("meta_attributes", name, [["priority", String(priority)]])),
              ...nvset("utilization", name, pairs(needs)),
            ]),
          ),
        ),
        element("constraints", {}, [...constraints]),
        element("rsc_defaults", {}, nvset("meta_attributes", "defaults", [["resource-stickiness", "100"]])),
      ]),
      element(
        "status",
        {},
        nodes.map(({ name }, at) =>
          element(
            "node_state",
            { id: at + 1, uname: name, in_ccm: "true", crmd: "online", join: "member", expected: "member" },
            [
              element("lrm", { id: at + 1 }, [
                element(
                  "lrm_resources",
                  {},
                  resources.map((rsc) => history(name, rsc.name, rsc.runsOn === name)),
                ),
              ]),
            ],
          ),
        ),
      ),
    ],
  );
}

/** Where everything is after the transition: `RESOURCE@NODE`, sorted. */
const places = (description: Description) =>
  schedule({ cib: cluster(description), now: 1_700_000_000 })
    .placement.map(({ rsc, node }) => `${rsc}@${node}`)
    .sort();

describe("application servers of which a node can carry one each", () => {
  const servers = ["ap1", "ap2", "ap3"].map((name) => ({ name, needs: { capacity: "1" } }));
  const nodes = ["node1", "node2"].map((name) => ({ name, capacity: { capacity: "1" } }));

  test.each(["utilization", "minimal", "balanced"])(
    "the third of three stays stopped with %s",
    (strategy) => {
      expect(places({ strategy, nodes, resources: servers })).toEqual(["ap1@node1", "ap2@node2"]);
    },
  );

  test("by default capacity does not count", () => {
    expect(places({ nodes, resources: servers })).toEqual(["ap1@node1", "ap2@node2", "ap3@node1"]);
  });

  test("the one with the highest priority gets a place", () => {
    const resources = servers.map((each) => (each.name === "ap3" ? { ...each, priority: 10 } : each));
    expect(places({ strategy: "utilization", nodes, resources })).toEqual(["ap1@node2", "ap3@node1"]);
  });

  test("one that runs is not driven away by one that does not", () => {
    const resources = servers.map((each) => (each.name === "ap3" ? { ...each, runsOn: "node1" } : each));
    expect(places({ strategy: "utilization", nodes, resources })).toEqual(["ap1@node2", "ap3@node1"]);
  });

  test("with a third node all three run, each on its own", () => {
    const three = [...nodes, { name: "node3", capacity: { capacity: "1" } }];
    expect(places({ strategy: "utilization", nodes: three, resources: servers })).toEqual([
      "ap1@node1",
      "ap2@node2",
      "ap3@node3",
    ]);
  });
});

describe("where a failed node's resource goes", () => {
  const needs = { capacity: "1" };
  const spare = { capacity: "2" };
  const nodes = [
    { name: "node1", capacity: spare, standby: true },
    { name: "node2", capacity: spare },
    { name: "node3", capacity: spare },
    { name: "node4", capacity: { capacity: "3" } },
  ];
  const resources = [
    { name: "ap1", needs, runsOn: "node1" },
    { name: "ap2", needs, runsOn: "node2" },
    { name: "ap3", needs, runsOn: "node3" },
    { name: "ap4", needs, runsOn: "node4" },
  ];

  test("balanced takes the node with the most free capacity", () => {
    expect(places({ strategy: "balanced", nodes, resources })).toEqual([
      "ap1@node4",
      "ap2@node2",
      "ap3@node3",
      "ap4@node4",
    ]);
  });

  test("the standby node of two that is idle takes it", () => {
    const idle = resources.filter(({ name }) => name !== "ap3");
    const equal = nodes.map((node) => ({ ...node, capacity: spare }));
    expect(places({ strategy: "balanced", nodes: equal, resources: idle })).toEqual([
      "ap1@node3",
      "ap2@node2",
      "ap4@node4",
    ]);
  });

  test("when two nodes fail, their resources go to different standby nodes", () => {
    const five = ["node1", "node2", "node3", "standby1", "standby2"].map((name, at) => ({
      name,
      capacity: { capacity: "1" },
      standby: at < 2,
    }));
    const three = resources.slice(0, 3);
    expect(places({ strategy: "balanced", nodes: five, resources: three })).toEqual([
      "ap1@standby1",
      "ap2@standby2",
      "ap3@node3",
    ]);
  });
});

describe("strategies", () => {
  const nodes = [
    { name: "node1", capacity: { cpu: "4" } },
    { name: "node2", capacity: { cpu: "8" } },
  ];
  const resources = ["a", "b", "c"].map((name) => ({ name, needs: { cpu: "2" } }));

  test("minimal fills one node before it takes the next", () => {
    expect(places({ strategy: "minimal", nodes, resources })).toEqual(["a@node1", "b@node1", "c@node2"]);
  });

  test("balanced fills the one with most left", () => {
    expect(places({ strategy: "balanced", nodes, resources })).toEqual(["a@node2", "b@node2", "c@node1"]);
  });

  test("utilization spreads by number where there is room", () => {
    expect(places({ strategy: "utilization", nodes, resources })).toEqual(["a@node1", "b@node2", "c@node1"]);
  });

  test("what has to be together needs room together", () => {
    const together = element("rsc_colocation", { id: "with", rsc: "b", "with-rsc": "a", score: "INFINITY" });
    const big = [
      { name: "a", needs: { cpu: "3" } },
      { name: "b", needs: { cpu: "3" } },
    ];
    expect(places({ strategy: "utilization", nodes, resources: big, constraints: [together] })).toEqual([
      "a@node2",
      "b@node2",
    ]);
  });
});

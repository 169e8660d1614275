import { describe, expect, test } from "bun:test";
import { nodeName, OcfExit, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/*
 * While the cluster leaves a service alone somebody may move it by hand. Before anything is started when that ends it is
 * looked for on every node.
 */

const [n1, n2, n3] = [nodeName("n1"), nodeName("n2"), nodeName("n3")];
const base = (more = "") => `
property stonith-enabled=true
rsc_defaults resource-stickiness=1000
primitive fence stonith:fence_dummy
primitive a ocf:test:A op monitor interval=10s
location here a 100: n3
${more}`;

function settled(more = "") {
  const bus = new ControllerBus(3);
  bus.boot(...bus.nodes.map(({ name }) => name));
  bus.run(100);
  bus.configure(base(more));
  bus.run(20_000);
  expect(bus.where("a")).toContain(n3);
  return bus;
}

/** Somebody does by hand what the cluster would do. */
const byHand = (bus: ControllerBus, from: string | undefined, to: string) => {
  if (from !== undefined) bus.node(from).running.delete("a");
  bus.node(to).running.set("a", "started");
};
/** No start finds it running elsewhere. */
const watch = (bus: ControllerBus) => {
  bus.agent = (node, { rsc, action }) => {
    if (rsc.id === "a" && action === "start")
      expect(bus.where("a").filter((other) => other !== node)).toEqual([]);
    return OcfExit.OK;
  };
};
const changes = (bus: ControllerBus, since: number) =>
  bus.executed
    .slice(since)
    .filter(({ operation: { rsc, action } }) => rsc.id === "a" && action !== "monitor")
    .map(({ node, operation: { action } }) => `${action} ${node}`);
const attribute = (bus: ControllerBus, node: string, name: string, value: string | undefined) =>
  bus.step("n1", {
    type: "attribute-request",
    request: "",
    updates: [{ node: nodeName(node), name, value }],
  });

/** Options that a rule gives for the next 12 s, in a set of the first of these sections. */
const dated = (bus: ControllerBus, kind: string, id: string, option: string): string => {
  const end = new Date((bus.wallSeconds + 12) * 1000).toISOString();
  return `<${kind} id="${id}" score="100"><rule id="${id}-rule" score="INFINITY"><date_expression id="${id}-date" operation="lt" end="${end}"/></rule><nvpair id="${id}-pair" ${option}/></${kind}>`;
};
const untilItsEnd = () => {};

/** What leaves it alone, and its end. */
const ways: readonly (readonly [string, (bus: ControllerBus) => void, (bus: ControllerBus) => void])[] = [
  [
    "maintenance of the cluster",
    (bus) => bus.configure("property maintenance-mode=true"),
    (bus) => bus.configure("property maintenance-mode=false"),
  ],
  [
    "a maintenance option that is removed",
    (bus) => bus.configure("property maintenance-mode=true"),
    (bus) => bus.apply([{ op: "delete", xpath: "//nvpair[@name='maintenance-mode']" }]),
  ],
  [
    "a resource that is not managed",
    (bus) => bus.configure("primitive a ocf:test:A op monitor interval=10s meta is-managed=false"),
    (bus) => bus.configure("primitive a ocf:test:A op monitor interval=10s meta is-managed=true"),
  ],
  [
    "a resource in maintenance",
    (bus) => bus.configure("primitive a ocf:test:A op monitor interval=10s meta maintenance=true"),
    (bus) => bus.configure("primitive a ocf:test:A op monitor interval=10s"),
  ],
  [
    "resources that are not managed by default",
    (bus) => bus.configure("rsc_defaults is-managed=false resource-stickiness=1000"),
    (bus) => bus.configure("rsc_defaults is-managed=true resource-stickiness=1000"),
  ],
  [
    "resources that are not managed by default, but this one is",
    (bus) => bus.configure("rsc_defaults is-managed=false resource-stickiness=1000"),
    (bus) => bus.configure("primitive a ocf:test:A op monitor interval=10s meta is-managed=true"),
  ],
  [
    "maintenance of the cluster by a rule",
    (bus) => {
      const set = dated(bus, "cluster_property_set", "by-date", 'name="maintenance-mode" value="true"');
      bus.apply([{ op: "modify", create: true, xml: `<crm_config>${set}</crm_config>` }]);
    },
    untilItsEnd,
  ],
  [
    "a resource in maintenance by a rule",
    (bus) => {
      const set = dated(bus, "meta_attributes", "by-date", 'name="maintenance" value="true"');
      bus.apply([{ op: "modify", create: true, xml: `<primitive id="a">${set}</primitive>` }]);
    },
    untilItsEnd,
  ],
  [
    "resources that are not managed by default, by a rule",
    (bus) => {
      const set = dated(bus, "meta_attributes", "by-date", 'name="is-managed" value="false"');
      bus.apply([{ op: "modify", create: true, xml: `<rsc_defaults>${set}</rsc_defaults>` }]);
    },
    untilItsEnd,
  ],
  [
    "maintenance of its node until it is rebooted",
    (bus) => attribute(bus, "n3", "maintenance", "true"),
    (bus) => attribute(bus, "n3", "maintenance", undefined),
  ],
];

describe.each(ways)("after %s", (what, begin, end) => {
  test("a service that was moved by hand stays where it is", () => {
    const bus = settled();
    watch(bus);
    begin(bus);
    bus.run(5000);
    byHand(bus, "n3", "n1");
    // A monitor that goes on tells.
    if (/not managed/.test(what)) bus.fail("n3", "a", OcfExit.NOT_RUNNING);
    bus.run(5000);
    const since = bus.executed.length;
    end(bus);
    bus.run(60_000);
    expect(bus.where("a")).toEqual([n1]);
    expect(changes(bus, since).filter((one) => one !== "stop n3")).toEqual([]);
    expect(bus.fenced).toEqual([]);
    expect(bus.cibs()).toHaveLength(1);
  });

  test("a second one that was started by hand is found, and one is left", () => {
    const bus = settled();
    begin(bus);
    bus.run(5000);
    byHand(bus, undefined, "n1");
    bus.run(5000);
    end(bus);
    bus.run(60_000);
    expect(bus.where("a")).toHaveLength(1);
    expect(bus.fenced).toEqual([]);
  });

  test("nothing is done where nobody has done anything", () => {
    const bus = settled();
    begin(bus);
    bus.run(5000);
    const since = bus.executed.length;
    end(bus);
    bus.run(60_000);
    expect(changes(bus, since)).toEqual([]);
    expect(bus.where("a")).toEqual([n3]);
    const after = bus.executed.length;
    bus.run(600_000);
    expect(bus.executed.slice(after)).toEqual([]);
  });
});

describe("a service that runs twice", () => {
  test("is found by a cleanup of its failure", () => {
    const bus = settled();
    byHand(bus, undefined, "n2");
    bus.fail("n3", "a", OcfExit.GENERIC);
    bus.run(20_000);
    expect(bus.where("a")).toEqual([n2, n3]);
    bus.step("n1", { type: "forget-request", request: "", rsc: resourceId("a"), failuresOnly: true });
    bus.run(60_000);
    expect(bus.where("a")).toHaveLength(1);
    expect(bus.fenced).toEqual([]);
  });
});

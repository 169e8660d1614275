import { expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { checkNodesOf, checkValuesOf, heldForUnknown } from "../../src/daemon/attribute-nodes.ts";
import { HactlError, nodeName } from "../../src/terms/index.ts";

const cib = parseXml(`<cib><configuration><nodes><node id="1" uname="n1"/></nodes><resources>
  <template id="far" class="ocf" provider="pacemaker" type="remote"/>
  <primitive id="r1" class="ocf" provider="pacemaker" type="remote"/>
  <primitive id="r2" template="far"/>
  <primitive id="vm" class="ocf" provider="heartbeat" type="VirtualDomain"><meta_attributes id="m"><nvpair id="g" name="remote-node" value="guest"/></meta_attributes></primitive>
  <bundle id="box"><docker image="i" replicas="2"/><network control-port="1"/><primitive id="in" class="ocf" provider="pacemaker" type="Dummy"/></bundle>
</resources></configuration><status><node_state id="old" uname="old" remote_node="true"/></status></cib>`);

const said = (node: string, value: string | undefined): string => {
  try {
    checkNodesOf([{ node: nodeName(node), value }], cib, [{ name: "n1" }, { name: "n2" }]);
    return "taken";
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    return `${error.exit} ${error.what} (${error.cure})`;
  }
};

test.each(["n1", "n2", "r1", "r2", "guest", "box-0", "box-1", "old"])("%s is a node", (node) => {
  expect(said(node, "7")).toBe("taken");
});

test("what is no node gets no attribute, but may lose one", () => {
  expect(said("guset", "7")).toBe('105 there is no node "guset" (did you mean "guest"?)');
  expect(said("vm", "7")).toStartWith('105 there is no node "vm" (');
  expect(said("box-2", "7")).toStartWith('105 there is no node "box-2" (');
  expect(said("elsewhere", "7")).toContain("the nodes are n1, n2,");
  expect(said("elsewhere", undefined)).toBe("taken");
});

const valueSaid = (name: string, value: string | undefined, more: object = {}): string => {
  try {
    checkValuesOf([{ name, value, ...more }]);
    return "taken";
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    return `${error.exit} ${error.what} (${error.cure})`;
  }
};

test.each([
  ["standby", "maybe"],
  ["maintenance", "value++"],
  ["resource-discovery-enabled", ""],
  ["terminate", "now"],
  ["shutdown", "true"],
  ["#health-disk", "redd"],
  ["#health", "5%"],
  ["fail-count-a#monitor_10000", "many"],
])("%s=%s is refused with a cure", (name, value) => {
  expect(valueSaid(name, value)).toMatch(/^78 node attribute .* is not valid \(write /);
  expect(valueSaid(name, undefined)).toBe("taken");
  // Of what resources need, and where only the delay is set, nothing follows.
  expect(valueSaid(name, value, { set: "utilization" })).toBe("taken");
  expect(valueSaid(name, value, { delayOnly: true })).toBe("taken");
});

test.each([
  ["standby", "on"],
  ["maintenance", "No"],
  ["terminate", "1764500000"],
  ["shutdown", "0"],
  ["#health-disk", "Yellow"],
  ["#health-cpu", "-INFINITY"],
  ["fail-count-a#monitor_10000", "value++"],
  ["mine", "maybe"],
])("%s=%s is taken", (name, value) => {
  expect(valueSaid(name, value)).toBe("taken");
});

test("what is kept for nodes that nobody knows is marked, whatever whoever asked has marked", () => {
  const update = (node: string, held?: boolean) => ({
    node: nodeName(node),
    name: "x",
    value: "1",
    ...(held === undefined ? {} : { held }),
  });
  expect(heldForUnknown([update("n1", true), update("r1"), update("far-off")], cib, [])).toEqual([
    update("n1"),
    update("r1"),
    update("far-off", true),
  ]);
});

import { describe, expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { ClusterState } from "../../src/controller/cluster-state.ts";
import { encodeMessage } from "../../src/controller/messages.ts";
import { StatusSection } from "../../src/controller/status.ts";
import { nodeId, nodeName } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/** What one message may tell costs every member: no more than in proportion to what it tells. */

const node1 = nodeName("node1");
const fresh = () =>
  new ClusterState(
    parseXml(
      '<cib admin_epoch="0" epoch="1" num_updates="0"><configuration><nodes><node id="1" uname="node1"/></nodes></configuration><status/></cib>',
    ),
    [{ id: nodeId(1), name: node1 }],
  );
const took = (act: () => void) => {
  const begin = performance.now();
  act();
  return performance.now() - begin;
};
const values = (count: number, value: string | undefined) =>
  Array.from({ length: count }, (_, i) => ({ node: node1, name: `a${i}`, value }));

describe("many attributes", () => {
  test("of one node, set and deleted in one message each", () => {
    const state = fresh();
    const set = took(() => state.attempt(() => state.setAttributes(values(9000, "1"), true)));
    expect(state.status.attribute("1", "a8999")).toBe("1");
    const deleted = took(() => state.attempt(() => state.setAttributes(values(9000, undefined), true)));
    expect(state.status.attribute("1", "a8999")).toBeUndefined();
    // Comparing each with all others took 2.8 s and 8.4 s.
    expect([set, deleted].every((ms) => ms < 1500)).toBe(true);
  });

  test("one of thousands of nodes", () => {
    const state = fresh();
    const updates = Array.from({ length: 4000 }, (_, i) => ({
      node: nodeName(`g${i}`),
      name: "a",
      value: "1",
    }));
    expect(took(() => state.attempt(() => state.setAttributes(updates, true)))).toBeLessThan(1500);
    expect(state.status.attribute("g3999", "a")).toBe("1");
  });

  test("beyond what is possible are refused as a whole", () => {
    const state = fresh();
    expect(state.setAttributes(values(30_000, "1"), true).refused?.code).toBe("TOO_MUCH");
    expect(state.attributes.names()).toEqual([]);
  });
});

test("remote nodes that nobody has configured leave no trace", () => {
  const bus = new ControllerBus(2);
  bus.boot("n1", "n2");
  bus.run(5000);
  const before = bus.cibs();
  const { length } = bus.log;
  for (let i = 0; i < 200; i++)
    bus.say("n2", encodeMessage({ type: "remote", node: nodeName(`far${i}`), up: true }));
  expect(bus.cibs()).toEqual(before);
  expect(bus.log.length).toBe(length);
});

test("the index over a node's attributes follows whoever changes them", () => {
  const cib = parseXml(
    '<cib><status><node_state id="1" uname="n"><transient_attributes id="1"><instance_attributes id="status-1"><nvpair id="x" name="a" value="1"/><nvpair id="y" name="a" value="2"/></instance_attributes></transient_attributes></node_state></status></cib>',
  );
  const status = new StatusSection(cib);
  const block = status.xml.children[0]?.children[0]?.children[0];
  if (!block) throw new Error("no attributes");
  expect(status.attribute("1", "a")).toBe("1");
  status.setAttribute("1", "n", "a", undefined);
  expect(status.attribute("1", "a")).toBe("2");
  status.setAttribute("1", "n", "b", "3");
  expect(status.attribute("1", "b")).toBe("3");
  block.children = block.children.filter(({ attributes }) => attributes.get("name") !== "b");
  expect(status.attribute("1", "b")).toBeUndefined();
  status.clearAttributes("1");
  expect(status.setAttribute("1", "n", "a", "2")).toBe(true);
});

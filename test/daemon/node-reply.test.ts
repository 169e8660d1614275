import { expect, test } from "bun:test";
import { nodeReply } from "../../src/daemon/node-reply.ts";
import { nodeId, nodeName } from "../../src/terms/index.ts";

const nodes = ["n1", "n2"].map((name, index) => ({ id: nodeId(index + 1), name: nodeName(name) }));
const [self] = nodes;
const membership = {
  ringId: { representative: nodeId(1), sequence: 4 },
  serial: 1,
  members: [nodeId(1), nodeId(2)],
  participants: [{ nodeId: nodeId(1), incarnation: 1 }],
  cameWithMe: [],
  quorate: true,
};
const reply = (visible: string[] | undefined, leader: string | undefined, list = nodes) =>
  nodeReply({
    self: self ?? { id: nodeId(1), name: nodeName("n1") },
    nodes: list,
    view: { phase: "synced", membership, leader: leader === undefined ? undefined : nodeName(leader) },
    pid: 1,
    leftMark: "/run/hactl/left",
    visible: visible && new Set(visible),
    hiddenSections: [],
  });

test("who may see everything is told of all nodes and who leads", () => {
  expect(reply(undefined, "n1")).toMatchObject({
    leader: "n1",
    members: [
      { name: "n1", state: "member" },
      { name: "n2", state: "pending" },
    ],
  });
  expect(reply(undefined, "n1").hidden).toBeUndefined();
});

test.each([
  ["the leader is hidden, and is this node, the only one", [], "n1", nodes.slice(0, 1)],
  ["the leader is hidden, and is another one", ["n1"], "n2", nodes],
  ["another node is hidden", ["n1"], "n1", nodes],
] as const)("%s: that something is hidden is said", (_name, visible, leader, list) => {
  const told = reply([...visible], leader, [...list]);
  expect(told.hidden).toBe(true);
  expect(told.leader).toBe(visible.some((name) => name === leader) ? nodeName(leader) : undefined);
});

test("that nobody leads yet is hidden from nobody", () => {
  const told = reply(["n1", "n2"], undefined);
  expect([told.hidden, told.leader]).toEqual([undefined, undefined]);
});

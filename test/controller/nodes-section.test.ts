import { expect, test } from "bun:test";
import { child, childrenOf, parseXml } from "../../src/cib/index.ts";
import { placeNode } from "../../src/controller/nodes-section.ts";
import { Undo } from "../../src/controller/undo.ts";
import { nodeName } from "../../src/terms/index.ts";

/** Names of the entries of `<nodes>` by their ids, after a node has said how it is called. */
function placed(nodes: string, id: string, name: string) {
  const configuration = parseXml(`<configuration><nodes>${nodes}</nodes></configuration>`);
  const found = placeNode(configuration, id, nodeName(name), new Undo());
  const entries = childrenOf(child(configuration, "nodes"), "node").map(({ attributes }) => [
    attributes.get("id"),
    attributes.get("uname"),
  ]);
  return { ...found, entries };
}

const three = '<node id="3" uname="c"/><node id="2" uname="b"/>';

test("a node with another name is renamed", () => {
  expect(placed(three, "2", "x")).toEqual({
    changed: true,
    before: nodeName("b"),
    entries: [
      ["3", "c"],
      ["2", "x"],
    ],
  });
});

test("with the name of another one it leaves that one its own: never two of one name", () => {
  expect(placed(three, "2", "c")).toEqual({
    changed: true,
    before: nodeName("b"),
    exchanged: "3",
    entries: [
      ["3", "b"],
      ["2", "c"],
    ],
  });
});

test("an entry that was loaded before its node was seen gets the node's id", () => {
  expect(placed('<node id="c" uname="c"/>', "3", "c")).toEqual({ changed: true, entries: [["3", "c"]] });
});

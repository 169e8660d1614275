import { element } from "../../../cib/index.ts";
import type { Message } from "../../answer/index.ts";
import { sortedNodes } from "../cluster-view.ts";
import { connectivityRemark, type ShownAttribute, shownAttributes } from "../mon-sections.ts";
import { line } from "../outline.ts";
import { selectsNode } from "../selection.ts";
import { type ClusterView, selectionIn, shownName } from "./view.ts";

/** "Node Attributes" of the nodes that are up. */
export function attributeSection(view: ClusterView): Message {
  const nodes = sortedNodes(view.cluster)
    .filter(({ online, name }) => online && selectsNode(selectionIn(view), name))
    .map((node) => ({ node, attributes: shownAttributes(view.cluster, node) }))
    .filter(({ attributes }) => attributes.length > 0);
  return {
    outline: () => {
      const children = nodes.map(({ node, attributes }) => ({
        text: `Node: ${shownName(view, node)}:`,
        children: attributes.map((attribute) => line(attributeText(attribute))),
      }));
      return children.length > 0 ? [{ text: "Node Attributes:", children }] : [];
    },
    xml: () => {
      const children = nodes.map(({ node, attributes }) =>
        element(
          "node",
          { name: node.name },
          attributes.map((attribute) => element("attribute", { ...attribute })),
        ),
      );
      return children.length > 0 ? [element("node_attributes", {}, children)] : [];
    },
  };
}

function attributeText({ name, value, expected }: ShownAttribute): string {
  const remark = connectivityRemark(value, expected);
  return `${name.padEnd(32)}\t: ${value.padEnd(10)}${remark === "" ? "" : `\t: ${remark}`}`;
}

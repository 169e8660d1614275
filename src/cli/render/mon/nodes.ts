import { element, type XmlElement } from "../../../cib/index.ts";
import type { Node } from "../../../scheduler/index.ts";
import { type ApiVersion, flag, type Message } from "../../answer/index.ts";
import { isExpectedUp, nodeHealth, nodeKindText, sortedNodes } from "../cluster-view.ts";
import { featureSetOf } from "../mon-summary.ts";
import { nodeList, stateWithHealth } from "../node-list.ts";
import { line, type Outline } from "../outline.ts";
import { briefLines, ownPrimitives, resourceOutline } from "../resource-list.ts";
import { resourceElement } from "../resource-xml.ts";
import { selectsNode } from "../selection.ts";
import { type ClusterView, listOptions, selectionIn, shownName } from "./view.ts";

/** "Node List": with what runs on each, when that is asked for. */
export const nodeSection = (view: ClusterView): Message => ({
  outline: () => {
    const nodes = shownNodes(view);
    if (nodes.length === 0) return [];
    const { byNode, detail } = view.options;
    if (!byNode && !detail) return [nodeList(view.cluster, { selection: selectionIn(view) })];
    return [{ text: "Node List:", children: nodes.flatMap((node) => nodeOutline(view, node)) }];
  },
  xml: (api) => [
    element(
      "nodes",
      {},
      shownNodes(view).map((node) => nodeElement(view, node, api)),
    ),
  ],
});

const shownNodes = (view: ClusterView): Node[] =>
  sortedNodes(view.cluster).filter(({ name }) => selectsNode(selectionIn(view), name));

function nodeOutline(view: ClusterView, node: Node): Outline[] {
  const { byNode, brief, detail } = view.options;
  const features = detail ? featureSetOf(node) : undefined;
  const head = `${nodeKindText(node)} ${shownName(view, node)}: ${stateWithHealth(view.cluster, node)}${features === undefined ? "" : `, feature set ${features}`}`;
  if (!byNode) return [line(head)];
  const options = { ...listOptions(view), withoutNode: true };
  if (brief) {
    const own = ownPrimitives(node.running, options);
    if (own.length === 0) return [];
    const children = briefLines(own, { ...options, inactive: false });
    return [{ text: `${head}:`, children: [{ text: "Resources:", children }] }];
  }
  const children = node.running.flatMap((rsc) => resourceOutline(view.cluster, rsc, options));
  return [{ text: `${head}:`, children: [{ text: "Resources:", children }] }];
}

function nodeElement(view: ClusterView, node: Node, api: ApiVersion): XmlElement {
  const attributes = {
    name: node.name,
    id: node.id,
    online: flag(node.online),
    standby: flag(node.standby),
    standby_onfail: flag(node.standbyOnFail),
    maintenance: flag(node.maintenance),
    pending: flag(node.pending),
    unclean: flag(node.unclean),
    health: nodeHealth(view.cluster, node),
    feature_set: featureSetOf(node),
    shutdown: flag(node.shutdown),
    expected_up: flag(isExpectedUp(node)),
    is_dc: flag(node.isDc),
    resources_running: node.running.length,
    type: node.kind,
    id_as_resource: node.isGuest ? node.remoteRsc?.container?.id : undefined,
  };
  const options = { ...listOptions(view), withoutNode: true };
  const running = view.options.byNode ? node.running : [];
  return element(
    "node",
    attributes,
    running.flatMap((rsc) => resourceElement(rsc, options, api)),
  );
}

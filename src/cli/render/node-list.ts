import type { Cluster, Node } from "../../scheduler/index.ts";
import { currentNode, nodeHealth, nodeKindText, nodeStateText, sortedNodes } from "./cluster-view.ts";
import { line, type Outline } from "./outline.ts";
import { everything, type Selection, selectsNode } from "./selection.ts";

/** Which nodes to show and how much of each. */
export interface NodeListOptions {
  /** Only what is selected. */
  readonly selection?: Selection;
}

/** Name as displays give it; with `detail` a guest with its host, and the id where it is another word. */
export function nodeDisplayName(node: Node, detail = false): string {
  if (!detail) return node.name;
  const container = node.isGuest ? node.remoteRsc?.container : undefined;
  const name = container ? `${node.name}@${currentNode(container)?.name ?? ""}` : node.name;
  return node.id.toLowerCase() === node.name.toLowerCase() ? name : `${name} (${node.id})`;
}

type Kind = "Online" | "OFFLINE" | "RemoteOnline" | "RemoteOFFLINE" | "GuestOnline";
const kinds: readonly Kind[] = ["Online", "OFFLINE", "RemoteOnline", "RemoteOFFLINE", "GuestOnline"];

/** The section "Node List": nodes in a remarkable state one by one, the others in lists. */
export function nodeList(cluster: Cluster, options: NodeListOptions = {}): Outline {
  const lists = new Map<Kind, string[]>();
  const single: Outline[] = [];
  for (const node of sortedNodes(cluster)) {
    if (!selectsNode(options.selection ?? everything, node.name)) continue;
    const { name } = node;
    if (isRemarkable(cluster, node))
      single.push(line(`${nodeKindText(node)} ${name}: ${stateWithHealth(cluster, node)}`));
    else {
      const kind = listOf(node);
      if (kind) lists.set(kind, [...(lists.get(kind) ?? []), name]);
    }
  }
  const listed = kinds.flatMap((kind) => {
    const names = lists.get(kind);
    if (!names) return [];
    const plain = `[ ${names.join(" ")} ]`;
    return [{ text: `${kind}: ${plain}`, plain }];
  });
  return { text: "Node List:", children: [...single, ...listed] };
}

/** State, and health where it is not good. */
export function stateWithHealth(cluster: Cluster, node: Node): string {
  const health = nodeHealth(cluster, node);
  return `${nodeStateText(node)}${health === "green" ? "" : ` (health is ${health.toUpperCase()})`}`;
}

function isRemarkable(cluster: Cluster, node: Node): boolean {
  const { unclean, pending, standbyOnFail, online, standby, maintenance } = node;
  return (
    unclean ||
    pending ||
    (standbyOnFail && online) ||
    standby ||
    maintenance ||
    nodeHealth(cluster, node) !== "green"
  );
}

/** A guest that is off is not listed: its container is. */
function listOf(node: Node): Kind | undefined {
  if (node.isGuest) return node.online ? "GuestOnline" : undefined;
  if (node.isRemoteOrGuest) return node.online ? "RemoteOnline" : "RemoteOFFLINE";
  return node.online ? "Online" : "OFFLINE";
}

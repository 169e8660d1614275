import type { Node, Resource } from "./model.ts";

/** Which host of a guest is meant: where its container is, or where it will be. */
export type Host = "current" | "assigned";

/**
 * Attribute of a node as a resource sees it. With container-attribute-target=host a resource in a bundle asks the
 * container's host.
 */
export function attributeForRules(
  rsc: Resource | undefined,
  node: Node,
  name: string,
  host: Host = "current",
): string | undefined {
  if (!node.isGuest || rsc?.meta.get("container-attribute-target")?.toLowerCase() !== "host")
    return node.attributes.get(name);
  return hostOf(node, host)?.attributes.get(name);
}

/**
 * Attribute of a node as colocations compare it. What is colocated with the clone in a bundle cannot be on the
 * bundle's own nodes, so that the containers' hosts are compared.
 */
export function attributeForColocation(
  rsc: Resource | undefined,
  node: Node,
  name: string,
): string | undefined {
  const inside = rsc?.isClone === true && rsc.parent?.bundle?.colocatesByRole === true;
  const bundled = inside && node.remoteRsc?.replica !== undefined;
  if (bundled && node.isGuest) return hostOf(node, "assigned")?.attributes.get(name);
  return attributeForRules(rsc, node, name, "assigned");
}

function hostOf(node: Node, host: Host): Node | undefined {
  const container = node.remoteRsc?.container;
  return host === "current" ? container?.runningOn[0] : container?.assignedTo;
}

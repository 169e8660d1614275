import type { Node, Resource } from "./model.ts";

/**
 * Attribute of a node as rules about a resource see it. With container-attribute-target=host a resource in a
 * bundle asks the container's host.
 */
export function attributeForRules(rsc: Resource | undefined, node: Node, name: string): string | undefined {
  const target = rsc?.meta.get("container-attribute-target");
  if (target?.toLowerCase() === "host" && node.isGuest) {
    const host = node.remoteRsc?.container?.runningOn[0];
    return host?.attributes.get(name);
  }
  return node.attributes.get(name);
}

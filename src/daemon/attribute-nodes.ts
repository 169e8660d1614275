import type { AttributeUpdate } from "../attributes/index.ts";
import { knownNodes, noSuchNode, refuseBadNodeValue, type XmlElement } from "../cib/index.ts";

/**
 * Refuses to set an attribute of a node that nobody knows: it would come into the status as if there were such a node,
 * and no node would ever have it. To remove one is no harm, wherever it is.
 * @param members nodes of the node list, which `<nodes>` may not have yet
 * @throws HactlError NO_SUCH_NODE
 */
export function checkNodesOf(
  updates: readonly Pick<AttributeUpdate, "node" | "value">[],
  cib: XmlElement,
  members: readonly { readonly name: string }[],
): void {
  const set = updates.filter(({ value }) => value !== undefined);
  if (set.length === 0) return;
  const known = allKnown(cib, members);
  const stranger = set.find(({ node }) => !known.has(node))?.node;
  if (stranger === undefined) return;
  throw noSuchNode(stranger, known);
}

/** The same changes; those of nodes that nobody knows are kept for them and are not written (`AttributeUpdate.held`). */
export function heldForUnknown(
  updates: readonly AttributeUpdate[],
  cib: XmlElement,
  members: readonly { readonly name: string }[],
): readonly AttributeUpdate[] {
  const known = allKnown(cib, members);
  return updates.map(({ held, ...update }) => ({
    ...update,
    ...(known.has(update.node) ? {} : { held: true }),
  }));
}

const allKnown = (cib: XmlElement, members: readonly { readonly name: string }[]): ReadonlySet<string> =>
  new Set([...members.map(({ name }) => name), ...knownNodes(cib)]);

/**
 * Refuses a value that the cluster goes by and does not understand, by whatever way it comes: a tool of this node, of a
 * remote host, or a program that speaks to the socket itself.
 * @throws HactlError BAD_VALUE
 */
export function checkValuesOf(
  updates: readonly Pick<AttributeUpdate, "name" | "value" | "set" | "delayOnly">[],
): void {
  for (const { name, value, set, delayOnly } of updates)
    if (set !== "utilization" && delayOnly !== true) refuseBadNodeValue(name, value);
}

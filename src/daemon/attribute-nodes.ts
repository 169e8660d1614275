import type { AttributeUpdate } from "../attributes/index.ts";
import { knownNodes, noSuchNode, type XmlElement } from "../cib/index.ts";

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
  const known = new Set([...members.map(({ name }) => name), ...knownNodes(cib)]);
  const stranger = set.find(({ node }) => !known.has(node))?.node;
  if (stranger === undefined) return;
  throw noSuchNode(stranger, known);
}

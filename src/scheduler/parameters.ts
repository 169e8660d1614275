import { child, childrenOf, type RuleContext } from "../cib/index.ts";
import type { Node, Resource } from "./model.ts";
import type { Unpacker } from "./unpacker.ts";

/** Parameters as they are on a node (rules may ask about the node); cached. */
export function parameters(unpacker: Unpacker, rsc: Resource, node: Node | undefined): Map<string, string> {
  const cached = node === undefined ? undefined : rsc.paramsByNode.get(node);
  if (cached) return cached;
  if (node === undefined && rsc.params.size > 0) return rsc.params;
  const hasRules = childrenOf(rsc.xml, "instance_attributes").some((block) => child(block, "rule"));
  if (
    node !== undefined &&
    !hasRules &&
    !rsc.parent?.xml.children.some((c) => c.name === "instance_attributes")
  ) {
    const same = parameters(unpacker, rsc, undefined);
    rsc.paramsByNode.set(node, same);
    return same;
  }
  const context: RuleContext = {
    now: unpacker.cluster.now,
    utcOffset: unpacker.cluster.utcOffset,
    ...(node === undefined ? {} : { nodeAttribute: (name: string) => node.attributes.get(name) }),
  };
  const result = new Map<string, string>();
  for (const [name, { value }] of unpacker.values([rsc.xml], "instance_attributes", context))
    result.set(name, value);
  for (let { parent } = rsc; parent; parent = parent.parent)
    for (const [name, { value }] of unpacker.values([parent.xml], "instance_attributes", context))
      if (!result.has(name)) result.set(name, value);
  if (node === undefined) rsc.params = result;
  else rsc.paramsByNode.set(node, result);
  return result;
}

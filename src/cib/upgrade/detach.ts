import { cloneElement, type XmlElement } from "../xml.ts";

/**
 * Gives references to a block of an operation that will lose pairs a copy of it as it was, so that they keep what they
 * meant. The ids are those that Pacemaker's own upgrade to schema 3.0 gives.
 * @param loses whether a pair of such a block will go
 */
export function detachReferences(
  configuration: XmlElement,
  loses: (block: XmlElement, pair: XmlElement) => boolean,
): void {
  const references = new Map<string, XmlElement[]>();
  const blocks: XmlElement[] = [];
  const visit = (item: XmlElement, inOperation: boolean) => {
    const target = item.attributes.get("id-ref");
    if (target !== undefined) {
      const others = references.get(target);
      if (others === undefined) references.set(target, [item]);
      else others.push(item);
    }
    if (inOperation && item.name.endsWith("_attributes") && item.children.some((pair) => loses(item, pair)))
      blocks.push(item);
    for (const inner of item.children) visit(inner, item.name === "op");
  };
  visit(configuration, false);
  for (const block of blocks) {
    const id = block.attributes.get("id") ?? "";
    for (const [number, reference] of (references.get(id) ?? []).entries())
      copyInto(reference, block, number === 0 ? "_cibtr-2_" : `_cibtr-2-${number}_`);
  }
}

function copyInto(reference: XmlElement, block: XmlElement, prefix: string): void {
  const id = block.attributes.get("id") ?? "";
  const { attributes } = reference;
  attributes.delete("id-ref");
  reference.attributes = new Map([["id", `${prefix}${id}`], ...attributes]);
  reference.children = block.children.map((pair) => {
    const copy = cloneElement(pair);
    const own = copy.attributes.get("id");
    if (own !== undefined) copy.attributes.set("id", `_${prefix}${id}__${own}`);
    return copy;
  });
}

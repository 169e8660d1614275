import type { XmlElement } from "./xml.ts";

/** Whether two elements say the same, in the same order. */
export function sameTree(a: XmlElement | undefined, b: XmlElement | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if (a.name !== b.name || a.text !== b.text) return false;
  if (a.attributes.size !== b.attributes.size || a.children.length !== b.children.length) return false;
  for (const [name, value] of a.attributes) if (b.attributes.get(name) !== value) return false;
  return a.children.every((item, index) => sameTree(item, b.children[index]));
}

/** Sets the attributes of `source` in `target`, and does so for children of the same name and id; others are added. */
export function mergeElement(target: XmlElement, source: XmlElement): void {
  for (const [name, value] of source.attributes) target.attributes.set(name, value);
  if (source.text !== undefined) target.text = source.text;
  for (const item of source.children) {
    const id = item.attributes.get("id") ?? item.attributes.get("id-ref");
    const present = target.children.find(
      (other) =>
        other.name === item.name && (other.attributes.get("id") ?? other.attributes.get("id-ref")) === id,
    );
    if (present === undefined) target.children.push(item);
    else mergeElement(present, item);
  }
}

/**
 * Removes the first element below (or all) that has the name and all attributes of the pattern. `attributesOf`: those
 * that count.
 */
export function removeMatching(
  scope: XmlElement,
  pattern: XmlElement,
  all: boolean,
  attributesOf: (item: XmlElement) => ReadonlyMap<string, string> | undefined = ({ attributes }) =>
    attributes,
): boolean {
  const matches = (item: XmlElement) => {
    const attributes = attributesOf(item);
    if (item.name !== pattern.name || attributes === undefined) return false;
    return [...pattern.attributes].every(([name, value]) => attributes.get(name) === value);
  };
  for (let index = 0; index < scope.children.length; index++) {
    const item = scope.children[index];
    if (item === undefined) continue;
    if (matches(item)) {
      scope.children.splice(index--, 1);
      if (!all) return true;
    } else if (removeMatching(item, pattern, all, attributesOf) && !all) return true;
  }
  return false;
}

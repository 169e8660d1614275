import { childrenOf, element, type XmlElement } from "../xml.ts";
import type { Note } from "./notes.ts";

/** Schemas before 1.0 have the pairs of a block in an `<attributes>` element: takes them out of it. */
export function flattenBlock(block: XmlElement): void {
  if (!block.children.some(({ name }) => name === "attributes")) return;
  block.children = block.children.flatMap((item) => (item.name === "attributes" ? item.children : [item]));
}

/** Renames a pair of a block; when one of the new name is there too, the old pair goes, and of two values that is said. */
export function renamePair(block: XmlElement, pair: XmlElement, name: string, note?: Note): void {
  const present = childrenOf(block, "nvpair").find(
    (other) => other !== pair && other.attributes.get("name") === name,
  );
  if (present) {
    removeChild(block, pair);
    const [value, other] = [pair, present].map(({ attributes }) => attributes.get("value"));
    const written = pair.attributes.get("name");
    if (value !== other)
      note?.(
        "warning",
        pair,
        `${written}="${value}" has no effect: ${name}="${other}", which is the same, counts`,
      );
  } else pair.attributes.set("name", name);
}

/** Takes a child out of its parent. */
export function removeChild(parent: XmlElement, gone: XmlElement): void {
  parent.children = parent.children.filter((candidate) => candidate !== gone);
}

/** Block of `parent` that takes further pairs: the first one of that name that has neither a rule nor an `id-ref`; made if need be. */
export function openBlock(parent: XmlElement, name: string): XmlElement {
  const open = childrenOf(parent, name).find(
    (block) => !block.attributes.has("id-ref") && !block.children.some((item) => item.name === "rule"),
  );
  if (open) return open;
  const id = `${parent.attributes.get("id") ?? parent.name}-${name}`;
  const taken = new Set(childrenOf(parent, name).map((block) => block.attributes.get("id")));
  let unique = id;
  for (let number = 1; taken.has(unique); number++) unique = `${id}-${number}`;
  const block = element(name, { id: unique });
  const following = parent.children.findIndex(
    (item) => item.name === "operations" || item.name === "primitive" || item.name === "group",
  );
  parent.children.splice(following < 0 ? parent.children.length : following, 0, block);
  return block;
}

/** Adds a pair to the open block of `parent`, unless one of its blocks has that name already. */
export function addPair(parent: XmlElement, blockName: string, name: string, value: string): void {
  const present = childrenOf(parent, blockName)
    .flatMap((block) => childrenOf(block, "nvpair"))
    .some((pair) => pair.attributes.get("name") === name);
  if (present) return;
  const block = openBlock(parent, blockName);
  block.children.push(element("nvpair", { id: `${block.attributes.get("id")}-${name}`, name, value }));
}

/** The present name of a role. */
export function modernRole(role: string): string {
  switch (role.toLowerCase()) {
    case "master":
      return "Promoted";
    case "slave":
      return "Unpromoted";
    default:
      return role;
  }
}

/** Gives the named attributes of an element the present names of roles. */
export function modernRoles(source: XmlElement, ...names: readonly string[]): void {
  for (const name of names) {
    const role = source.attributes.get(name);
    if (role !== undefined) source.attributes.set(name, modernRole(role));
  }
}

/** Renames attributes of an element where the new name is free; their order stays. */
export function renameAttributes(source: XmlElement, names: Readonly<Record<string, string>>): void {
  const renamed = new Map(Object.entries(names));
  if (![...source.attributes.keys()].some((name) => renamed.has(name))) return;
  const result = new Map<string, string>();
  for (const [name, value] of source.attributes) {
    const now = renamed.get(name) ?? name;
    if (now === name || !source.attributes.has(now)) result.set(now, value);
  }
  source.attributes = result;
}

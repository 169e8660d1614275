import { element, type XmlElement } from "../../src/cib/index.ts";

/** Names and values of one set of attributes. */
export type Pairs = readonly (readonly [string, string])[];

/** A set of name-value pairs of an owner; nothing for no pairs. A name that comes twice keeps its first value. */
export function nvset(name: string, owner: string, pairs: Pairs): XmlElement[] {
  if (pairs.length === 0) return [];
  const id = `${owner}-${name}`;
  const known = new Set<string>();
  const children = pairs.flatMap(([key, value]) => {
    if (known.has(key)) return [];
    known.add(key);
    return [element("nvpair", { id: `${id}-${key}`, name: key, value })];
  });
  return [element(name, { id }, children)];
}

import { lookup } from "../../terms/index.ts";
import { parseScore } from "../values.ts";
import type { XmlElement } from "../xml.ts";

/** Attribute values that mean the same as the attribute's absence. */
const idle: Readonly<Record<string, string>> = lookup({
  sequential: "true",
  "require-all": "true",
  "boolean-op": "and",
});

/**
 * Whether an element that was read from text means what the original does: same attributes and children, ids aside
 * where the text gives none and nothing refers to the original's.
 */
export function sameObject(original: XmlElement, read: XmlElement, referenced: ReadonlySet<string>): boolean {
  if (original.name !== read.name || (original.text ?? "") !== (read.text ?? "")) return false;
  if (!sameAttributes(original, read, referenced)) return false;
  const before = rulesFirst(original.children);
  const after = rulesFirst(read.children);
  return (
    before.length === after.length &&
    before.every((item, index) => {
      const other = after[index];
      return other !== undefined && sameObject(item, other, referenced);
    })
  );
}

/** Within a block, rules stand before the pairs; the order among each stays. */
function rulesFirst(children: readonly XmlElement[]): readonly XmlElement[] {
  if (!children.some(({ name }) => name === "nvpair")) return children;
  return [...children].sort((a, b) => Number(a.name !== "rule") - Number(b.name !== "rule"));
}

function sameAttributes(original: XmlElement, read: XmlElement, referenced: ReadonlySet<string>): boolean {
  const names = new Set([...original.attributes.keys(), ...read.attributes.keys()]);
  for (const name of names) {
    const before = original.attributes.get(name);
    const after = read.attributes.get(name);
    if (before === after) continue;
    if (name === "id" && after === undefined) {
      if (before !== undefined && referenced.has(before)) return false;
    } else if (name === "score" && before !== undefined && parseScore(before) === parseScore(after)) continue;
    else if ((before ?? idle[name]) !== (after ?? idle[name])) return false;
  }
  return true;
}

import { lookup } from "../../terms/index.ts";
import { parseScore } from "../values.ts";
import type { XmlElement } from "../xml.ts";
import { memberName } from "./objects.ts";

/** Attribute values that mean the same as the attribute's absence. */
const idle: Readonly<Record<string, string>> = lookup({
  sequential: "true",
  "require-all": "true",
  "boolean-op": "and",
  "value-source": "literal",
});

/**
 * Whether an element that was read from text means what the original does: same attributes and children, ids aside
 * where the text gives none and nothing refers to the original's.
 */
export function sameObject(original: XmlElement, read: XmlElement, referenced: ReadonlySet<string>): boolean {
  if (original.name !== read.name || (original.text ?? "") !== (read.text ?? "")) return false;
  if (!sameAttributes(original, read, referenced)) return false;
  const before = inOrder(original.children);
  const after = inOrder(read.children);
  return (
    before.length === after.length &&
    before.every((item, index) => {
      const other = after[index];
      return other !== undefined && sameObject(item, other, referenced);
    })
  );
}

/** Parts of an object whose order among each other says nothing; that of several of a kind does. */
const kinds = [
  "rule",
  "nvpair",
  "instance_attributes",
  "meta_attributes",
  "utilization",
  "operations",
  "docker",
  "podman",
  "rkt",
  "network",
  "storage",
  memberName,
];

/** Children kind by kind; in every other element they stay as they are. */
function inOrder(children: readonly XmlElement[]): readonly XmlElement[] {
  if (!children.every(({ name }) => kinds.includes(name))) return children;
  return [...children].sort((a, b) => kinds.indexOf(a.name) - kinds.indexOf(b.name));
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

import { addScores, formatScore } from "../terms/index.ts";
import { parseScore } from "./values.ts";
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

const pairSets: ReadonlySet<string> = new Set(["meta_attributes", "instance_attributes", "utilization"]);

/** Whether two trees say the same: where sets stand among other elements, and the order of pairs in them, say nothing. */
export const meansTheSame = (a: XmlElement | undefined, b: XmlElement | undefined): boolean =>
  sameTree(a && inOneOrder(a), b && inOneOrder(b));

function inOneOrder(item: XmlElement): XmlElement {
  const isSet = ({ name }: XmlElement) => pairSets.has(name);
  const children = item.children.map(inOneOrder);
  if (!isSet(item))
    return { ...item, children: [...children.filter(isSet), ...children.filter((one) => !isSet(one))] };
  const id = ({ attributes }: XmlElement) => attributes.get("id") ?? "";
  return { ...item, children: children.sort((one, other) => (id(one) < id(other) ? -1 : 1)) };
}

/** An attribute's new value: `NAME++` and `NAME+=N`, under its own name, count on what is there (cibadmin(8)). */
function counted(name: string, value: string, old: string | undefined): string {
  const [, add] = value === `${name}++` ? ["", "1"] : value.startsWith(`${name}+=`) ? value.split("+=") : [];
  if (add === undefined) return value;
  const whole = [old ?? "0", add].map((text) => (/^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN));
  const sum = whole.reduce((a, b) => a + b, 0);
  return Number.isNaN(sum) ? formatScore(addScores(parseScore(old) ?? 0, parseScore(add) ?? 0)) : String(sum);
}

/**
 * Sets the attributes of `source` in `target`, and does so for children of the same name and id; others are added. `touch`
 * is told of the elements about which more is said than which they are.
 */
export function mergeElement(
  target: XmlElement,
  source: XmlElement,
  touch: (element: XmlElement) => void = () => {},
): void {
  if (source.text !== undefined || [...source.attributes.keys()].some((name) => name !== "id")) touch(target);
  for (const [name, value] of source.attributes)
    target.attributes.set(name, counted(name, value, target.attributes.get(name)));
  if (source.text !== undefined) target.text = source.text;
  const find = finderIn(target, source.children.length);
  for (const item of source.children) {
    const present = find(item);
    if (present !== undefined) mergeElement(present, item, touch);
    else {
      target.children.push(item);
      find.add?.(item);
    }
  }
}

const idOf = ({ attributes }: XmlElement) => attributes.get("id") ?? attributes.get("id-ref");

interface Finder {
  (item: XmlElement): XmlElement | undefined;
  /** Told of what has come in. */
  add?: (item: XmlElement) => void;
}

/** Finds children of the same name and id, the first one of each; made for so many searches. */
function finderIn({ children }: XmlElement, searches: number): Finder {
  if (searches < 8)
    return (item) => {
      const id = idOf(item);
      return children.find((other) => other.name === item.name && idOf(other) === id);
    };
  const key = (item: XmlElement) => `${item.name} ${idOf(item) ?? ""}`;
  const known = new Map(children.toReversed().map((item) => [key(item), item]));
  const find: Finder = (item) => known.get(key(item));
  find.add = (item) => known.set(key(item), item);
  return find;
}

/**
 * Removes the first element below that has the name and all attributes of the pattern; whether there was one.
 * `attributesOf`: those that count, undefined for an element that cannot be found.
 */
export function removeMatching(
  scope: XmlElement,
  pattern: XmlElement,
  attributesOf: (item: XmlElement) => ReadonlyMap<string, string> | undefined,
): boolean {
  const matches = (item: XmlElement) => {
    const attributes = attributesOf(item);
    if (item.name !== pattern.name || attributes === undefined) return false;
    return [...pattern.attributes].every(([name, value]) => attributes.get(name) === value);
  };
  for (const [index, item] of scope.children.entries()) {
    if (matches(item)) {
      scope.children.splice(index, 1);
      return true;
    }
    if (removeMatching(item, pattern, attributesOf)) return true;
  }
  return false;
}

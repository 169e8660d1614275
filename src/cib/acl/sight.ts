import { maskedAttributes, openHistories } from "../masking.ts";
import type { XmlElement } from "../xml.ts";
import { type Effort, type PathNode, selectXpath } from "../xpath.ts";
import { type Access, accessTo, type Marks } from "./marks.ts";

/** What somebody may see of a document. */
export interface Sight {
  /** A copy without what is hidden; undefined when nothing may be seen. */
  readonly visible: XmlElement | undefined;
  /** The element of the document that an element of the copy was made from. */
  readonly original: ReadonlyMap<XmlElement, XmlElement>;
}

/**
 * Leaves out what may not be read by all of those whose marks are given. An element that is hidden itself but holds
 * something that may be read is kept with nothing but its id, so that what is in it is found at its place; the root keeps
 * its version, by which a change says what it was made from.
 */
export function look(root: XmlElement, marks: readonly Marks[]): Sight {
  const original = new Map<XmlElement, XmlElement>();
  const outside = marks.map((): Access => "none");
  return { visible: copyVisible(root, outside, marks, original), original };
}

/** The same where nothing is hidden but secrets, as from everybody who is not privileged: they are masked. */
export function lookAtAll(root: XmlElement): Sight {
  return withoutSecrets(look(root, []));
}

/** Secrets are masked even to who may read the rest: he finds nothing by them. */
export function withoutSecrets(sight: Sight): Sight {
  // Also where the resource itself is hidden.
  const root = sight.visible && sight.original.get(sight.visible);
  const isOpen = root ? openHistories(root) : () => false;
  for (const copy of sight.original.keys()) copy.attributes = maskedAttributes(copy, isOpen);
  return sight;
}

function copyVisible(
  source: XmlElement,
  around: readonly Access[],
  marks: readonly Marks[],
  original: Map<XmlElement, XmlElement>,
): XmlElement | undefined {
  const access = marks.map((each, index) => accessTo(each, source, around[index] ?? "none"));
  const hidden = access.includes("none");
  const children = source.children.flatMap((item) => copyVisible(item, access, marks, original) ?? []);
  if (hidden && children.length === 0) return undefined;
  const { name, line, text } = source;
  const kept = source.name === "cib" ? ["id", ...versionParts] : ["id"];
  const copy: XmlElement = {
    name,
    attributes: hidden ? only(source, kept) : new Map(source.attributes),
    children,
    ...(line === undefined ? {} : { line }),
    ...(text === undefined || hidden ? {} : { text }),
  };
  original.set(copy, source);
  return copy;
}

/** Names of the sections of a document in which something is hidden: `resources`, `status`, … */
export function hiddenSections(cib: XmlElement, { original }: Sight): string[] {
  const copies = new Map([...original].map(([copy, source]) => [source, copy]));
  const isWhole = (source: XmlElement): boolean => {
    const copy = copies.get(source);
    return (
      copy !== undefined &&
      copy.attributes.size === source.attributes.size &&
      copy.text === source.text &&
      source.children.every(isWhole)
    );
  };
  return cib.children
    .flatMap((part) => (part.name === "configuration" ? part.children : [part]))
    .filter((section) => !isWhole(section))
    .map(({ name }) => name);
}

const versionParts: readonly string[] = ["admin_epoch", "epoch", "num_updates"];

const only = ({ attributes }: XmlElement, names: readonly string[]): Map<string, string> =>
  new Map([...attributes].filter(([name]) => names.includes(name)));

/** Attributes of each element of the document that is to be seen, as far as they are. */
export function visibleAttributes({ original }: Sight): ReadonlyMap<XmlElement, ReadonlyMap<string, string>> {
  return new Map([...original].map(([copy, source]) => [source, copy.attributes]));
}

/**
 * Elements of a document that an XPath finds in what somebody sees of it: nobody finds out what is hidden by asking
 * whether it is there.
 */
export function selectVisible({ visible, original }: Sight, xpath: string, effort?: Effort): PathNode[] {
  if (visible === undefined) return [];
  const back = ({ element, parent }: PathNode): PathNode => ({
    element: original.get(element) ?? element,
    parent: parent === undefined ? undefined : back(parent),
  });
  return selectXpath(visible, xpath, effort).map(back);
}

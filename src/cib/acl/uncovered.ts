import type { XmlElement } from "../xml.ts";
import { type Access, accessTo, type Marks } from "./marks.ts";

/**
 * Whether something that the rules hide in a document is not hidden any more in what has become of it, by the same rules:
 * a path looks at values too, and whoever may change such a value would let himself see what is kept from him. What is
 * new was kept from nobody, and what has moved is the same by its id.
 */
export function uncovers(
  before: XmlElement,
  after: XmlElement,
  marksBefore: Marks,
  marksAfter: Marks,
): boolean {
  const hidden = new Set<string>();
  visit(before, marksBefore, (key, access) => {
    if (access === "none") hidden.add(key);
  });
  let found = false;
  visit(after, marksAfter, (key, access) => {
    if (access !== "none" && hidden.has(key)) found = true;
  });
  return found;
}

/** Tells what may be done with each element. It is called by its id, else by its place in what has one. */
function visit(root: XmlElement, marks: Marks, tell: (key: string, access: Access) => void): void {
  const enter = (item: XmlElement, around: Access, key: string) => {
    const access = accessTo(marks, item, around);
    tell(key, access);
    const counts = new Map<string, number>();
    for (const inner of item.children) {
      const id = inner.attributes.get("id");
      const number = counts.get(inner.name) ?? 0;
      counts.set(inner.name, number + 1);
      const place = id === undefined ? `[${number}]` : `#${id}`;
      const apart = id !== undefined && isUnique(inner);
      enter(inner, access, `${apart ? "" : `${key}/`}${inner.name}${place}`);
    }
  };
  enter(root, "none", root.name);
}

/** Ids of nodes, of references and of the status section are not those of one element only. */
const repeated: ReadonlySet<string> = new Set([
  "node",
  "resource_ref",
  "obj_ref",
  "role",
  "lrm",
  "lrm_resource",
  "lrm_rsc_op",
  "transient_attributes",
]);
const isUnique = ({ name }: XmlElement): boolean => !repeated.has(name);

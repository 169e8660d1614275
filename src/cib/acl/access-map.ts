import type { XmlElement } from "../xml.ts";
import { type Access, accessTo, markTree } from "./marks.ts";
import { type Asker, permissionsOf } from "./permissions.ts";

/** What somebody may do with each element of a document by its access rules, whether they are in force or not. */
export function accessMap(cib: XmlElement, asker: Asker): ReadonlyMap<XmlElement, Access> {
  const marks = markTree(cib, permissionsOf(cib, asker));
  const found = new Map<XmlElement, Access>();
  const visit = (item: XmlElement, around: Access) => {
    const access = accessTo(marks, item, around);
    found.set(item, access);
    for (const inner of item.children) visit(inner, access);
  };
  visit(cib, "none");
  return found;
}

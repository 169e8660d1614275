import { HactlError, lookup } from "../../terms/index.ts";
import type { XmlElement } from "../xml.ts";
import { selectHolders } from "../xpath.ts";
import type { Permission } from "./permissions.ts";

/** What somebody may do with an element: nothing, see it, or see and change it. */
export type Access = "none" | "read" | "write";

/** What the rules say of elements themselves; what is not in it is as the element around it. */
export type Marks = ReadonlyMap<XmlElement, Access>;

/** Of rules for the same element, `deny` counts before `write`, and that before `read` (Pacemaker Explained, "ACL Roles"). */
const rank = lookup({ deny: 2, write: 1, read: 0 } as const);

/**
 * Finds the elements of a document that rules are for. A rule whose path is not understood is not passed over: it may
 * have been meant to deny, so then nothing is permitted at all.
 */
export function markTree(root: XmlElement, permissions: readonly Permission[]): Marks {
  const kinds = new Map<XmlElement, Permission["kind"]>();
  for (const { kind, xpath } of permissions) {
    let found: XmlElement[];
    try {
      found = selectHolders(root, xpath);
    } catch (error) {
      if (error instanceof HactlError) return new Map();
      throw error;
    }
    for (const element of found) {
      const known = kinds.get(element);
      if (known === undefined || rank[kind] > rank[known]) kinds.set(element, kind);
    }
  }
  return new Map([...kinds].map(([element, kind]) => [element, kind === "deny" ? "none" : kind]));
}

/** What may be done with an element, when that of the element around it is known: the nearest rule counts. */
export const accessTo = (marks: Marks, element: XmlElement, around: Access): Access =>
  marks.get(element) ?? around;

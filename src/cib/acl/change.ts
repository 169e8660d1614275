import { CrmExit, HactlError } from "../../terms/index.ts";
import { sameTree } from "../edit-tree.ts";
import type { XmlElement } from "../xml.ts";
import { type Access, accessTo, type Marks } from "./marks.ts";

/** The same document before and after a change, with what the rules say of each. */
export interface Change {
  readonly before: XmlElement;
  readonly after: XmlElement;
  readonly marksBefore: Marks;
  readonly marksAfter: Marks;
  /** Of `after`, for elements that were not there before: only rules that say what they are for. */
  readonly marksOfNew: Marks;
}

/**
 * Refuses a change that is not permitted to a user, by what it did to the document and not by how it was asked for:
 * - attributes and text of an element need write permission for it, before and after: nobody turns what he may change
 *   into what he may not;
 * - an element that is new, or gone, needs it for itself and for all that is in it: something new by what is around it, or
 *   by a rule that names such elements; only scaffolding around something that is permitted, new elements with nothing
 *   but an id outside of `<acls>`, needs none;
 * - the order of elements needs it for the element around them.
 * Throws HactlError `PERMISSION`.
 */
export function checkChange(change: Change, user: string): void {
  const refused = compare(change, change.before, change.after, "none", "none");
  if (refused !== undefined) throw notPermitted(user, refused);
}

/** Why a change is refused, in words that tell nothing of what is hidden. */
interface Refusal {
  readonly deed: string;
  readonly element: XmlElement;
  readonly visible: boolean;
}

function compare(
  change: Change,
  before: XmlElement,
  after: XmlElement,
  aroundBefore: Access,
  aroundAfter: Access,
): Refusal | undefined {
  if (before === after) return undefined;
  const old = accessTo(change.marksBefore, before, aroundBefore);
  const now = accessTo(change.marksAfter, after, aroundAfter);
  const mine = old === "write" && now === "write";
  const refuse = (deed: string): Refusal => ({ deed, element: before, visible: old !== "none" });
  if (!mine && !sameSelf(before, after)) return refuse("change");
  const pairs = pairUp(before, after);
  for (const gone of pairs.gone)
    if (!allWrite(change.marksBefore, gone, old))
      return { deed: "remove", element: gone, visible: allRead(change.marksBefore, gone, old) };
  const inAcls = after.name === "acls";
  for (const fresh of pairs.fresh) {
    const wrong = unpermitted(change.marksOfNew, fresh, mine ? "write" : lesser(now), inAcls);
    if (wrong !== undefined) return { deed: "create", element: wrong, visible: true };
  }
  if (!mine && !pairs.inOrder) return refuse("reorder what is in");
  for (const [left, right] of pairs.both) {
    const refused = compare(change, left, right, old, now);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

/** What is around something new has to have been permitted before, too. */
const lesser = (access: Access): Access => (access === "write" ? "read" : access);

function sameSelf(a: XmlElement, b: XmlElement): boolean {
  return sameTree({ ...a, children: [] }, { ...b, children: [] });
}

/** Children that are the same element before and after, by name and id; of those without id, the first is the first. */
function pairUp(before: XmlElement, after: XmlElement) {
  const key = ({ name, attributes }: XmlElement) => `${name}\n${attributes.get("id") ?? ""}`;
  const waiting = Map.groupBy(before.children, key);
  const both: [XmlElement, XmlElement][] = [];
  const fresh: XmlElement[] = [];
  for (const item of after.children) {
    const match = waiting.get(key(item))?.shift();
    if (match === undefined) fresh.push(item);
    else both.push([match, item]);
  }
  const gone = [...waiting.values()].flat();
  const left = new Set(gone);
  const kept = before.children.filter((item) => !left.has(item));
  return { both, fresh, gone, inOrder: both.every(([match], index) => kept[index] === match) };
}

function allWrite(marks: Marks, element: XmlElement, around: Access): boolean {
  const access = accessTo(marks, element, around);
  return access === "write" && element.children.every((item) => allWrite(marks, item, access));
}

function allRead(marks: Marks, element: XmlElement, around: Access): boolean {
  const access = accessTo(marks, element, around);
  return access !== "none" && element.children.every((item) => allRead(marks, item, access));
}

/** The first element in something new that may not be created; undefined when all may. */
function unpermitted(
  marks: Marks,
  element: XmlElement,
  around: Access,
  inAcls: boolean,
): XmlElement | undefined {
  const access = accessTo(marks, element, around);
  const bare = [...element.attributes.keys()].every((name) => name === "id") && element.text === undefined;
  const scaffolding = bare && !inAcls && element.children.length > 0;
  if (access !== "write" && !scaffolding) return element;
  for (const item of element.children) {
    const wrong = unpermitted(marks, item, access, inAcls || element.name === "acls");
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function notPermitted(user: string, { deed, element, visible }: Refusal): HactlError {
  const id = element.attributes.get("id");
  const name = `<${element.name}>${id === undefined ? "" : ` "${id}"`}`;
  const what = visible
    ? `user ${user} may not ${deed} ${name}`
    : `user ${user} may not change what the access rules hide from ${user}`;
  return new HactlError({
    code: "PERMISSION",
    what,
    cure: "an administrator can permit it with a role for this user in <acls>",
    exit: CrmExit.INSUFFICIENT_PRIV,
  });
}

import { CrmExit, HactlError } from "../terms/index.ts";
import { parseInteger } from "./values.ts";
import { formatVersion, versionOf } from "./version.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";
import { type PathNode, selectXpath } from "./xpath.ts";

/** Finds the elements that an XPath is for. */
export type Select = (root: XmlElement, xpath: string) => PathNode[];

/** How a difference finds elements, and who is told of those whose attributes it sets. */
interface PatchFor {
  readonly select: Select;
  readonly touch: (element: XmlElement) => void;
}

/**
 * Applies a difference of format 2 (crm_diff(8)): changes of attributes and deletions first, then what is created
 * or moved, from the front to the back. Throws HactlError `OLD` when it starts from another configuration, `PATCH`
 * when it does not fit.
 */
export function applyPatch(
  root: XmlElement,
  patch: XmlElement,
  { select, touch }: PatchFor = { select: selectXpath, touch: () => {} },
): void {
  const diff = patch.name === "diff" ? patch : child(patch, "diff");
  if (diff === undefined || diff.attributes.get("format") !== "2")
    throw patchError("this is no difference of format 2", "make it with crm_diff --cib");
  checkSource(root, diff);
  const changes = childrenOf(diff, "change");
  for (const { attributes } of changes)
    if (!operations.has(attributes.get("operation") ?? ""))
      throw patchError(
        `"${attributes.get("operation") ?? ""}" is no operation`,
        "make it with crm_diff --cib",
      );
  for (const change of changes)
    if (change.attributes.get("operation") === "modify")
      modify(target(root, change, select), change, root, touch);
  for (const change of changes)
    if (change.attributes.get("operation") === "delete") remove(target(root, change, select));
  const placed = changes.filter(({ attributes }) =>
    ["create", "move"].includes(attributes.get("operation") ?? ""),
  );
  placed.sort((a, b) => positionOf(a) - positionOf(b));
  for (const change of placed) place(target(root, change, select), change);
}

const operations: ReadonlySet<string> = new Set(["create", "move", "modify", "delete"]);

const positionOf = (change: XmlElement) =>
  parseInteger(change.attributes.get("position")) ?? Number.MAX_SAFE_INTEGER;

const patchError = (what: string, cure: string) =>
  new HactlError({ code: "PATCH", what, cure, exit: CrmExit.DATAERR });

function checkSource(root: XmlElement, diff: XmlElement): void {
  const source = child(child(diff, "version"), "source");
  if (source === undefined) return;
  const wanted = versionOf(source);
  const present = versionOf(root);
  if (wanted[0] === present[0] && wanted[1] === present[1]) return;
  throw new HactlError({
    code: "OLD",
    what: `the difference starts from version ${formatVersion(wanted)}, the configuration is at ${formatVersion(present)}`,
    cure: "make the difference anew from the present configuration",
    exit: CrmExit.OLD,
  });
}

function target(root: XmlElement, change: XmlElement, select: Select): PathNode {
  const path = change.attributes.get("path") ?? "";
  const [found] = select(root, path);
  if (found === undefined) throw patchError(`nothing is at "${path}"`, "make the difference anew");
  return found;
}

function modify({ element }: PathNode, change: XmlElement, root: XmlElement, touch: PatchFor["touch"]): void {
  touch(element);
  for (const { attributes } of childrenOf(child(change, "change-list"), "change-attr")) {
    const name = attributes.get("name") ?? "";
    // The version follows from the change itself.
    if (element === root && ["epoch", "num_updates", "admin_epoch"].includes(name)) continue;
    if (attributes.get("operation") === "unset") element.attributes.delete(name);
    else element.attributes.set(name, attributes.get("value") ?? "");
  }
}

function remove({ element, parent }: PathNode): void {
  if (parent === undefined) throw patchError("the whole document cannot be deleted", "use erase");
  parent.element.children = parent.element.children.filter((item) => item !== element);
}

function place({ element, parent }: PathNode, change: XmlElement): void {
  const position = positionOf(change);
  if (change.attributes.get("operation") === "create") {
    element.children.splice(position, 0, ...change.children);
    return;
  }
  if (parent === undefined)
    throw patchError("the whole document cannot be moved", "make the difference anew");
  const siblings = parent.element.children.filter((item) => item !== element);
  siblings.splice(position, 0, element);
  parent.element.children = siblings;
}

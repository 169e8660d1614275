import { createHash } from "node:crypto";
import {
  child,
  childrenOf,
  cloneElement,
  formatXml,
  isComment,
  parseInteger,
  type XmlElement,
} from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";

/** What says by whom and when a CIB was written: a digest does not cover it. */
const unsaid = new Set([
  "crm-debug-origin",
  "cib-last-written",
  "update-origin",
  "update-client",
  "update-user",
]);

/** MD5 of a document with its comments, as a `<diff>` has it of what it leads to (`digest`). */
export function documentDigest(root: XmlElement): string {
  const filtered = cloneElement(root);
  const visit = (item: XmlElement) => {
    for (const name of unsaid) item.attributes.delete(name);
    item.children.forEach(visit);
  };
  visit(filtered);
  return createHash("md5").update(formatXml(filtered, -1)).digest("hex");
}

/**
 * A document with a difference applied to it, comments and the order of attributes included (crm_diff(8), `--patch`):
 * what is removed or modified first, then what is created or moved, from the front to the back.
 * @throws HactlError PATCH when it does not fit, or leads to something else than it says
 */
export function patchedDocument(source: XmlElement, patch: XmlElement, checkVersion: boolean): XmlElement {
  const diff = patch.name === "diff" ? patch : child(patch, "diff");
  if (diff?.attributes.get("format") !== "2") throw failed("it is no difference of format 2");
  if (checkVersion) refuseOtherVersion(source, diff);
  const root: XmlElement = { name: "", attributes: new Map(), children: [cloneElement(source)] };
  const later: { readonly change: XmlElement; readonly found: Found }[] = [];
  for (const change of childrenOf(diff, "change")) {
    const operation = change.attributes.get("operation");
    const path = change.attributes.get("path") ?? "";
    const position = operation === "delete" ? positionOf(change) : undefined;
    const found = find(root, path, position);
    if (found === undefined) {
      if (operation === "delete") continue;
      throw failed(`nothing is at ${path}`);
    }
    if (operation === "delete") take(found);
    else if (operation === "modify") modify(found.item, change);
    else if (operation === "create" || operation === "move") {
      if (operation === "move") {
        take(found);
        found.parent.children.push(found.item);
      }
      later.push({ change, found });
    } else throw failed(`"${operation}" is no operation`);
  }
  const at = (change: XmlElement) => positionOf(change) ?? -1;
  for (const { change, found } of later.toSorted((a, b) => at(a.change) - at(b.change))) place(change, found);
  const [result] = root.children;
  if (!result) throw failed("nothing is left");
  const digest = diff.attributes.get("digest");
  if (digest !== undefined && digest !== documentDigest(result)) throw failed("the digest is another");
  return result;
}

const failed = (why: string) =>
  new HactlError({
    code: "PATCH",
    what: `Could not apply patch: Application of update diff failed (${why})`,
    exit: CrmExit.ERROR,
  });

function refuseOtherVersion(root: XmlElement, diff: XmlElement): void {
  const source = child(child(diff, "version"), "source");
  const names = ["admin_epoch", "epoch", "num_updates"];
  const differs = names.some(
    (name) => source !== undefined && (root.attributes.get(name) ?? "0") !== source.attributes.get(name),
  );
  if (differs) throw failed("it was made from another version");
}

const positionOf = ({ attributes }: XmlElement): number | undefined =>
  parseInteger(attributes.get("position"));

interface Found {
  readonly item: XmlElement;
  readonly parent: XmlElement;
}

/** What a path of a difference leads to; a comment by its place among its siblings. */
function find(root: XmlElement, path: string, position: number | undefined): Found | undefined {
  let found: Found | undefined;
  let parent = root;
  const steps = path.match(/[^/[]+(?:\[@id='[^']*'\])?/g) ?? [];
  for (const [index, text] of steps.entries()) {
    const [, name, id] = /^([^[]+)(?:\[@id='([^']*)'\])?$/.exec(text) ?? [];
    const last = index === steps.length - 1;
    const item: XmlElement | undefined = parent.children.find((candidate, at) => {
      if (isComment(candidate))
        return name === "comment" && (!last || position === undefined || at === position);
      return candidate.name === name && (id === undefined || candidate.attributes.get("id") === id);
    });
    if (!item) return undefined;
    found = { item, parent };
    parent = item;
  }
  return found;
}

function take({ item, parent }: Found): void {
  parent.children = parent.children.filter((other) => other !== item);
}

function modify(item: XmlElement, change: XmlElement): void {
  const [result] = child(change, "change-result")?.children ?? [];
  if (!result) throw failed("a change without a result");
  item.attributes = new Map(result.attributes);
}

function place(change: XmlElement, { item, parent }: Found): void {
  const position = positionOf(change) ?? Number.MAX_SAFE_INTEGER;
  if (change.attributes.get("operation") === "create") {
    item.children.splice(position, 0, ...change.children.map(cloneElement));
    return;
  }
  const siblings = parent.children.filter((other) => other !== item);
  siblings.splice(position, 0, item);
  parent.children = siblings;
}

import { HactlError } from "../../terms/index.ts";
import type { XmlElement } from "../xml.ts";
import { type XpathLiteral, xpathLiterals } from "../xpath.ts";
import { permissionXpath } from "./permissions.ts";

/** Attributes whose value names an object of the configuration. */
const objectAttributes: ReadonlySet<string> = new Set([
  "id",
  "id-ref",
  "rsc",
  "with-rsc",
  "first",
  "then",
  "template",
  "reference",
  "devices",
]);
/** Elements whose id is that of a node, and attributes that name a node. */
const nodeElements: ReadonlySet<string> = new Set(["node", "node_state", "lrm", "transient_attributes"]);
const nodeAttributes: ReadonlySet<string> = new Set(["uname", "node", "on_node", "target"]);

/** Whether a value in a path is compared with ids of objects, not with those of nodes. */
export const isObjectId = ({ element, attribute }: XpathLiteral): boolean =>
  attribute !== undefined && objectAttributes.has(attribute) && !nodeElements.has(element);

/** Whether a value in a path is compared with names or ids of nodes. */
const isNodeName = ({ element, attribute }: XpathLiteral): boolean =>
  attribute !== undefined &&
  (nodeAttributes.has(attribute) || (attribute === "id" && (nodeElements.has(element) || element === "*")));

/** Values in a path; none of a path that is not understood: then nothing at all is permitted. */
export function literalsIn(xpath: string): readonly XpathLiteral[] {
  try {
    return xpathLiterals(xpath);
  } catch (error) {
    if (error instanceof HactlError) return [];
    throw error;
  }
}

/** What is named in paths: ids of objects, and names and ids of nodes. */
export interface Named {
  readonly ids: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
}

/** Whether a path names one of them. */
export const pathNames = (xpath: string, { ids, nodes }: Named): boolean =>
  literalsIn(xpath).some(
    (literal) =>
      (isObjectId(literal) && ids.has(literal.text)) || (isNodeName(literal) && nodes.has(literal.text)),
  );

/** The path that says of one id what another path says of the id that an object had before. */
export function pathAfterRename(xpath: string, from: string, to: string): string {
  return literalsIn(xpath)
    .filter((literal) => isObjectId(literal) && literal.text === from)
    .reduceRight((path, { start, end }) => path.slice(0, start) + to + path.slice(end), xpath);
}

/** Lets the paths of permissions follow an object to its new id. @returns what was changed, for people */
export function renameInPermissions(configuration: XmlElement, from: string, to: string): string[] {
  const roles = configuration.children.filter(({ name }) => name === "acls").flatMap((acls) => acls.children);
  const taken: Named = { ids: new Set([to]), nodes: new Set() };
  const remarks: string[] = [];
  for (const role of roles)
    for (const permission of role.children) {
      const xpath = permission.name === "acl_permission" ? permission.attributes.get("xpath") : undefined;
      if (xpath === undefined) continue;
      const name = permissionName(role, permission);
      if (pathNames(xpath, taken)) remarks.push(`${name} named ${to} before, and is about it now: ${xpath}`);
      const path = pathAfterRename(xpath, from, to);
      if (path === xpath) continue;
      permission.attributes.set("xpath", path);
      remarks.push(`${name} follows: ${path}`);
    }
  return remarks;
}

/**
 * Takes out of roles what was only about objects that are gone, so that no later object of such an id is permitted to
 * anybody by it. A deny stays, and so does a path that finds something else. `finds` tells whether a path still finds
 * anything. @returns what was changed, and which paths still name what is gone, for people
 */
export function removeFromRole(role: XmlElement, gone: Named, finds: (xpath: string) => boolean): string[] {
  const remarks: string[] = [];
  role.children = role.children.filter((permission) => {
    const path = permission.name === "acl_permission" ? permissionXpath(permission) : undefined;
    const { attributes } = permission;
    if (path === undefined || !pathNames(path, gone)) return true;
    const name = permissionName(role, permission);
    const isDeny = attributes.get("kind") === "deny";
    if (!isDeny && (attributes.has("reference") || !finds(path))) {
      remarks.push(`${name} is removed, too: ${path}`);
      return false;
    }
    // A reference to nothing cannot be stored.
    if (attributes.delete("reference")) attributes.set("xpath", path);
    const why = isDeny
      ? "remove it when nothing of that id shall be denied later"
      : "it is about others, too";
    remarks.push(`${name} stays as it names what is gone: ${path} (${why})`);
    return true;
  });
  return remarks;
}

/** A permission as people are told of it. */
export const permissionName = (role: XmlElement, { attributes }: XmlElement): string =>
  `permission ${attributes.get("id") ?? ""} (${attributes.get("kind") ?? ""}) of role ${role.attributes.get("id") ?? ""}`;

import { CrmExit, HactlError } from "../terms/index.ts";
import type { Named } from "./acl/named-ids.ts";
import { rulesOfNode } from "./node-leftovers.ts";
import { type Heir, type Heirs, withoutReferences } from "./remove-references.ts";
import { resourceKinds } from "./resource-kinds.ts";
import { child, cloneElement, type XmlElement } from "./xml.ts";

/** A configuration without some of its objects. */
export interface Removal {
  readonly configuration: XmlElement;
  /** What changed besides, for people: members that stay, constraints that follow them or go. */
  readonly remarks: readonly string[];
}

const isResource = ({ name }: XmlElement) => resourceKinds.has(name);
const idOf = ({ attributes }: XmlElement) => attributes.get("id") ?? "";

/**
 * Removes objects as the crm shell does (crm(8), `configure delete`). The members of a group, clone or bundle that goes
 * stay as resources of their own, and the first of them inherits its constraints; a group or clone whose last member goes,
 * goes too. What names an object that is gone is put right: constraints and their sets, tags, permissions, roles,
 * fencing levels. `configuration` is not changed.
 * @throws HactlError NO_SUCH_OBJECT; IN_USE where a reference cannot be taken away without changing what others mean
 */
export function removeObjects(configuration: XmlElement, ids: readonly string[]): Removal {
  const draft = cloneElement(configuration);
  const names = ids.map((id) => objectId(draft, id));
  const heirs = heirsOf(draft, new Set(names));
  refuseUsedTemplates(draft, heirs);
  const remarks = staying(draft, heirs);
  const before = namedIn(draft);
  lift(draft, heirs);
  const after = namedIn(draft);
  const gone = { ids: before.ids.difference(after.ids), nodes: before.nodes.difference(after.nodes) };
  remarks.push(...withoutReferences(draft, heirs, gone), ...rulesOfNode(draft, gone.nodes));
  return { configuration: draft, remarks };
}

/** The id of an object by which it was called: a node may be called by its name, where nothing else has that as its id. */
function objectId(at: XmlElement, id: string): string {
  const others = { ...at, children: at.children.filter(({ name }) => name !== "nodes") };
  const found = search(others, id) ?? search(at, id);
  if (found) return idOf(found);
  throw new HactlError({
    code: "NO_SUCH_OBJECT",
    what: `there is no object "${id}" in the configuration`,
    cure: "'hactl configure show' lists all",
    exit: CrmExit.NOSUCH,
  });
}

/** Ids of all objects and of what is in them; names and ids of nodes. */
function namedIn(configuration: XmlElement): Named {
  const ids = new Set<string>();
  const nodes = new Set<string>();
  const visit = (at: XmlElement): void => {
    if (at.name === "node") for (const name of [idOf(at), at.attributes.get("uname") ?? ""]) nodes.add(name);
    else if (!isReference(at)) ids.add(idOf(at));
    at.children.forEach(visit);
  };
  configuration.children.forEach(visit);
  return { ids, nodes };
}

const isReference = ({ name }: XmlElement) =>
  name === "resource_ref" || name === "obj_ref" || name === "role";

function search(at: XmlElement, id: string): XmlElement | undefined {
  for (const item of at.children) {
    if (
      !isReference(item) &&
      (idOf(item) === id || (item.name === "node" && item.attributes.get("uname") === id))
    )
      return item;
    const inner = search(item, id);
    if (inner) return inner;
  }
  return undefined;
}

/** All that goes: what was named, and the containers that have nothing left to hold; each with who takes its place. */
function heirsOf(draft: XmlElement, named: ReadonlySet<string>): Heirs {
  const gone = new Set(named);
  const close = (at: XmlElement): void => {
    at.children.filter(isResource).forEach(close);
    const held = at.children.filter(isResource);
    const empties = ["group", "clone", "master"].includes(at.name);
    if (empties && held.length > 0 && held.every((item) => gone.has(idOf(item)))) gone.add(idOf(at));
  };
  const resources = child(draft, "resources");
  if (resources) close(resources);
  const heirs = new Map<string, Heir | undefined>([...gone].map((id) => [id, undefined]));
  const staying = (at: XmlElement): string[] =>
    at.children.filter(isResource).flatMap((item) => (gone.has(idOf(item)) ? staying(item) : [idOf(item)]));
  const heirOf = (at: XmlElement): Heir | undefined => {
    const members = staying(at);
    const id = members[0];
    const last = at.name === "group" ? members.at(-1) : id;
    return id === undefined || last === undefined ? undefined : { id, last, members };
  };
  const visit = (at: XmlElement): void => {
    if (isResource(at) && gone.has(idOf(at))) heirs.set(idOf(at), heirOf(at));
    at.children.filter(isResource).forEach(visit);
  };
  resources?.children.forEach(visit);
  return heirs;
}

/** A primitive without its template would be another one. */
function refuseUsedTemplates(draft: XmlElement, heirs: Heirs): void {
  const visit = (at: XmlElement): void => {
    const template = at.attributes.get("template");
    if (at.name === "primitive" && template !== undefined && heirs.has(template) && !heirs.has(idOf(at)))
      throw new HactlError({
        code: "IN_USE",
        what: `resource ${idOf(at)} is made from template ${template}`,
        where: { id: template },
        cure: `remove ${idOf(at)} too, or give it a class and type of its own`,
        exit: CrmExit.CONFIG,
      });
    at.children.forEach(visit);
  };
  const resources = child(draft, "resources");
  if (resources) visit(resources);
}

/** Tells of members that outlive what they are in, and of containers that go with their last member. */
function staying(draft: XmlElement, heirs: Heirs): string[] {
  const remarks: string[] = [];
  const visit = (at: XmlElement): void => {
    const kept = at.children.filter((item) => isResource(item) && !heirs.has(idOf(item))).map(idOf);
    if (heirs.has(idOf(at)) && kept.length > 0)
      remarks.push(
        `${kept.join(", ")} ${kept.length === 1 ? "stays as a resource" : "stay as resources"} of their own`,
      );
    at.children.filter(isResource).forEach(visit);
  };
  child(draft, "resources")?.children.forEach(visit);
  return remarks.map((text) =>
    text.replace("stays as a resource of their own", "stays as a resource of its own"),
  );
}

/** Takes out what is gone, anywhere; members of a container that goes come up to its place. */
function lift(at: XmlElement, heirs: Heirs): void {
  at.children = at.children.flatMap((item) => lifted(item, heirs));
}

function lifted(item: XmlElement, heirs: Heirs): XmlElement[] {
  if (isReference(item)) return [item];
  lift(item, heirs);
  const id = item.attributes.get("id");
  if (id === undefined || !heirs.has(id)) return [item];
  return isResource(item) ? item.children.filter(isResource) : [];
}

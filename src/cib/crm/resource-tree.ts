import { CrmExit, HactlError } from "../../terms/index.ts";
import { definitionKinds } from "../resource-kinds.ts";
import type { XmlElement } from "../xml.ts";
import { keepIds } from "./keep-ids.ts";
import { type CrmObject, memberName } from "./objects.ts";

/** New resources are appended kind by kind, containers behind what they may hold. */
const ranks = ["template", "primitive", "bundle", "group", "master", "clone"];

/** Resources below an element, with those that they hold unless `deep` is false. */
export function resourceElements(parent: XmlElement, deep = true): XmlElement[] {
  return parent.children
    .filter(({ name }) => definitionKinds.has(name))
    .flatMap((item) => (deep ? [item, ...resourceElements(item)] : [item]));
}

/** A resource and what holds it: a container, or the section. */
interface Place {
  parent: XmlElement;
  readonly resource: XmlElement;
}
type Index = Map<string | undefined, Place>;

/** Puts resources into the section: in place of those with the same id, or at its end; then fills the containers. */
export function placeResources(section: XmlElement, objects: readonly CrmObject[]): void {
  const rank = ({ element: { name } }: CrmObject) => ranks.indexOf(name);
  const sorted = [...objects].sort((a, b) => rank(a) - rank(b));
  const index: Index = new Map();
  addToIndex(section, index);
  for (const object of sorted) placeResource(section, object, index);
  try {
    for (const object of sorted) fill(section, object, index);
  } finally {
    const ownParent = (item: XmlElement) => index.get(item.attributes.get("id"))?.parent ?? section;
    section.children = section.children.filter((item) => ownParent(item) === section);
  }
}

function addToIndex(parent: XmlElement, index: Index): void {
  for (const resource of resourceElements(parent, false)) {
    index.set(resource.attributes.get("id"), { parent, resource });
    addToIndex(resource, index);
  }
}

function placeResource(section: XmlElement, { element: source, line }: CrmObject, index: Index): void {
  const id = source.attributes.get("id");
  const present = index.get(id);
  if (present === undefined) {
    section.children.push(source);
    index.set(id, { parent: section, resource: source });
    addToIndex(source, index);
    return;
  }
  const { parent, resource } = present;
  const kind = (name: string) => (name === "master" ? "clone" : name);
  if (kind(resource.name) !== kind(source.name))
    throw conflict(`"${id}" is a <${resource.name}> already`, "choose another id, or delete it first", line);
  keepIds(resource, source);
  parent.children[parent.children.indexOf(resource)] = source;
  index.set(id, { parent, resource: source });
  // What the old container held stands on its own until the new one, or another, takes it.
  const own = new Set(resourceElements(source, false).map(({ attributes }) => attributes.get("id")));
  for (const held of resourceElements(resource, false)) {
    if (own.has(held.attributes.get("id"))) continue;
    section.children.push(held);
    index.set(held.attributes.get("id"), { parent: section, resource: held });
  }
  addToIndex(source, index);
}

/** Puts the resources that a container names into it; the section still lists them until all is done. */
function fill(section: XmlElement, { element: container, line }: CrmObject, index: Index): void {
  const id = container.attributes.get("id");
  for (const [position, item] of container.children.entries()) {
    if (item.name !== memberName) continue;
    const wanted = item.attributes.get("id");
    const found = index.get(wanted);
    if (found === undefined) {
      const what = `${container.name} "${id}" names resource "${wanted}", which does not exist`;
      throw conflict(what, "define it", line, "DANGLING_REFERENCE");
    }
    const { parent, resource } = found;
    if (parent !== section) {
      const what = `resource "${wanted}" is in ${parent.name} "${parent.attributes.get("id")}" already`;
      throw conflict(what, "take it out there", line);
    }
    const inClone = container.name === "clone" || container.name === "master";
    if (resource.name !== "primitive" && (resource.name !== "group" || !inClone))
      throw conflict(
        `a ${container.name} cannot hold a ${resource.name} ("${wanted}")`,
        "name a primitive",
        line,
      );
    found.parent = container;
    container.children[position] = resource;
  }
}

const conflict = (what: string, cure: string, line: number, code = "CRM_CONFLICT") =>
  new HactlError({ code, what, where: { line }, cure, exit: CrmExit.CONFIG });

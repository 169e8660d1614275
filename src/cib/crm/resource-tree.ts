import { CrmExit, HactlError } from "../../terms/index.ts";
import type { XmlElement } from "../xml.ts";
import { type CrmObject, memberName } from "./objects.ts";

const resourceNames = new Set(["primitive", "template", "group", "clone", "master", "bundle"]);
/** New resources are appended kind by kind, containers behind what they may hold. */
const ranks = ["template", "primitive", "bundle", "group", "master", "clone"];

/** Resources below an element, with those that they hold unless `deep` is false. */
export function resourceElements(parent: XmlElement, deep = true): XmlElement[] {
  return parent.children
    .filter(({ name }) => resourceNames.has(name))
    .flatMap((item) => (deep ? [item, ...resourceElements(item)] : [item]));
}

/** Puts resources into the section: in place of those with the same id, or at its end; then fills the containers. */
export function placeResources(section: XmlElement, objects: readonly CrmObject[]): void {
  const rank = ({ element: { name } }: CrmObject) => ranks.indexOf(name);
  const sorted = [...objects].sort((a, b) => rank(a) - rank(b));
  for (const object of sorted) placeResource(section, object);
  for (const object of sorted) fill(section, object);
}

interface Found {
  readonly parent: XmlElement;
  readonly index: number;
  readonly resource: XmlElement;
}

function find(parent: XmlElement, id: string | undefined): Found | undefined {
  for (const [index, resource] of parent.children.entries()) {
    if (!resourceNames.has(resource.name)) continue;
    if (resource.attributes.get("id") === id) return { parent, index, resource };
    const inner = find(resource, id);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function placeResource(section: XmlElement, { element: source, line }: CrmObject): void {
  const id = source.attributes.get("id");
  const present = find(section, id);
  if (present === undefined) {
    section.children.push(source);
    return;
  }
  const { parent, index, resource } = present;
  const kind = (name: string) => (name === "master" ? "clone" : name);
  if (kind(resource.name) !== kind(source.name))
    throw conflict(`"${id}" is a <${resource.name}> already`, "choose another id, or delete it first", line);
  // What the old container held stands on its own until the new one, or another, takes it.
  const held = resourceElements(resource, false);
  const own = new Set(resourceElements(source, false).map(({ attributes }) => attributes.get("id")));
  section.children.push(...held.filter(({ attributes }) => !own.has(attributes.get("id"))));
  parent.children[index] = source;
}

/** Puts the resources that a container names into it. */
function fill(section: XmlElement, { element: container, line }: CrmObject): void {
  const id = container.attributes.get("id");
  for (const [index, item] of container.children.entries()) {
    if (item.name !== memberName) continue;
    const wanted = item.attributes.get("id");
    const found = find(section, wanted);
    if (found === undefined)
      throw conflict(
        `${container.name} "${id}" names resource "${wanted}", which does not exist`,
        "define it",
        line,
        "DANGLING_REFERENCE",
      );
    const { parent, resource } = found;
    if (parent !== section)
      throw conflict(
        `resource "${wanted}" is in ${parent.name} "${parent.attributes.get("id")}" already`,
        "take it out there",
        line,
      );
    const fitting =
      resource.name === "primitive" ||
      (resource.name === "group" && (container.name === "clone" || container.name === "master"));
    if (!fitting)
      throw conflict(
        `a ${container.name} cannot hold a ${resource.name} ("${wanted}")`,
        "name a primitive",
        line,
      );
    parent.children.splice(found.index, 1);
    container.children[index] = resource;
  }
}

const conflict = (what: string, cure: string, line: number, code = "CRM_CONFLICT") =>
  new HactlError({ code, what, where: { line }, cure, exit: CrmExit.CONFIG });

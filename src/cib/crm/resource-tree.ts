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

/** What could not be placed: every mistake, and the ids of containers that have one or hold one that has. */
export interface Misplaced {
  readonly errors: readonly HactlError[];
  readonly broken: ReadonlySet<string>;
}

/**
 * Puts resources into the section: in place of those with the same id, or at its end; then fills the containers. One that
 * names what it cannot hold is left out whole, and what it could hold stands for itself. `mayExist` tells of ids that
 * something defines that could not be read.
 */
export function placeResources(
  section: XmlElement,
  objects: readonly CrmObject[],
  mayExist: (id: string) => boolean,
): Misplaced {
  const rank = ({ element: { name } }: CrmObject) => ranks.indexOf(name);
  const sorted = [...objects].sort((a, b) => rank(a) - rank(b));
  const index: Index = new Map();
  addToIndex(section, index);
  const errors: HactlError[] = [];
  const placed = sorted.filter((object) => {
    const error = placeResource(section, object, index);
    if (error) errors.push(error);
    return error === undefined;
  });
  const broken = new Set<string>();
  for (const object of placed) {
    const found = mistakesIn(section, object, index);
    errors.push(
      ...found.filter(({ missing }) => missing === undefined || !mayExist(missing)).map(({ error }) => error),
    );
    if (found.length > 0 || namedIn(object.element).some((id) => broken.has(id)))
      broken.add(idOf(object.element));
    else fill(object.element, index);
  }
  const ownParent = (item: XmlElement) => index.get(item.attributes.get("id"))?.parent ?? section;
  section.children = section.children.filter((item) => ownParent(item) === section);
  leaveOut(section, broken);
  return { errors, broken };
}

/** Takes containers out, wherever they are, and what has nothing to hold without them. */
function leaveOut(parent: XmlElement, broken: Set<string>): void {
  for (const item of resourceElements(parent, false)) {
    const held = resourceElements(item, false).length;
    leaveOut(item, broken);
    if (held > 0 && resourceElements(item, false).length === 0) broken.add(idOf(item));
  }
  parent.children = parent.children.filter(
    (item) => !definitionKinds.has(item.name) || !broken.has(idOf(item)),
  );
}

const idOf = ({ attributes }: XmlElement) => attributes.get("id") ?? "";

/** What is wrong with a member that a container names; the id of one that there is not. */
interface Mistake {
  readonly error: HactlError;
  readonly missing?: string;
}

function addToIndex(parent: XmlElement, index: Index): void {
  for (const resource of resourceElements(parent, false)) {
    index.set(resource.attributes.get("id"), { parent, resource });
    addToIndex(resource, index);
  }
}

function placeResource(
  section: XmlElement,
  { element: source, line }: CrmObject,
  index: Index,
): HactlError | undefined {
  const id = source.attributes.get("id");
  const present = index.get(id);
  if (present === undefined) {
    section.children.push(source);
    index.set(id, { parent: section, resource: source });
    addToIndex(source, index);
    return undefined;
  }
  const { parent, resource } = present;
  const kind = (name: string) => (name === "master" ? "clone" : name);
  if (kind(resource.name) !== kind(source.name))
    return conflict(`"${id}" is a <${resource.name}> already`, "choose another id, or delete it first", line);
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
  return undefined;
}

/** What is wrong with the resources that a container names, one mistake each. */
function mistakesIn(section: XmlElement, { element: container, line }: CrmObject, index: Index): Mistake[] {
  const id = container.attributes.get("id");
  const inClone = container.name === "clone" || container.name === "master";
  const seen = new Set<string>();
  return namedIn(container).flatMap((wanted) => {
    const found = index.get(wanted);
    if (found === undefined) {
      const what = `${container.name} "${id}" names resource "${wanted}", which does not exist`;
      return [{ error: conflict(what, "define it", line, "DANGLING_REFERENCE"), missing: wanted }];
    }
    const parent = seen.has(wanted) ? container : found.parent;
    seen.add(wanted);
    if (parent !== section) {
      const what = `resource "${wanted}" is in ${parent.name} "${parent.attributes.get("id")}" already`;
      return [{ error: conflict(what, "take it out there", line) }];
    }
    const { name } = found.resource;
    if (name === "primitive" || (name === "group" && inClone)) return [];
    const what = `a ${container.name} cannot hold a ${name} ("${wanted}")`;
    return [{ error: conflict(what, "name a primitive", line) }];
  });
}

const namedIn = ({ children }: XmlElement) => children.filter(({ name }) => name === memberName).map(idOf);

/** Puts the resources that a container names into it; the section still lists them until all is done. */
function fill(container: XmlElement, index: Index): void {
  for (const [position, item] of container.children.entries()) {
    const found = item.name === memberName ? index.get(item.attributes.get("id")) : undefined;
    if (found === undefined) continue;
    found.parent = container;
    container.children[position] = found.resource;
  }
}

const conflict = (what: string, cure: string, line: number, code = "CRM_CONFLICT") =>
  new HactlError({ code, what, where: { line }, cure, exit: CrmExit.CONFIG });

import { CrmExit, HactlError } from "../../terms/index.ts";
import { isPlainSet } from "../pair-edit.ts";
import { type CibProblem, findReferenceProblems } from "../references.ts";
import { containerKinds } from "../resource-kinds.ts";
import type { UpgradeNote } from "../upgrade/notes.ts";
import { canonicalSchema, upgradeCib } from "../upgrade/upgrade.ts";
import { child, cloneElement, element, type XmlElement } from "../xml.ts";
import { resolveRuleReferences } from "./edit-objects.ts";
import { assignIds } from "./ids.ts";
import { keepIds } from "./keep-ids.ts";
import { syntaxError } from "./lexer.ts";
import { mergePropertySet, systemProperties } from "./merge.ts";
import type { CrmObject, Section } from "./objects.ts";
import { readCrm } from "./read.ts";
import { redirectConstraints } from "./redirect.ts";
import { placeResources, resourceElements } from "./resource-tree.ts";
import { expandLevels, memberNodes } from "./topology.ts";

/**
 * How text is joined with what is configured. `update`: what the text defines is added or takes the place of what
 * has its id; properties are set one by one. `add`: so, and what is said of a node is set one by one, too. `push`: as
 * `update`, and what the text does not define is removed. `replace`: only the text counts; nodes stay. Properties that the cluster sets itself (`dc-version`, …) always stay.
 */
export type LoadMode = "update" | "add" | "replace" | "push";

/** Sections in the order in which they are written. */
const sections: readonly Section[] = [
  "crm_config",
  "nodes",
  "resources",
  "constraints",
  "fencing-topology",
  "rsc_defaults",
  "op_defaults",
  "tags",
  "acls",
  "alerts",
];
const sets: readonly Section[] = ["crm_config", "rsc_defaults", "op_defaults"];

/**
 * Loads crm shell text (crm(8), "configure load") into a configuration and returns the new one in canonical form;
 * `base` (a `<configuration>` or `<cib>` in canonical form) is not changed. Throws HactlError with the line:
 * `CRM_SYNTAX`, `CRM_CONFLICT`, `DUPLICATE_ID`, `DANGLING_REFERENCE`; see `checkCrm` for all errors at once.
 */
export function loadCrm(text: string, base: XmlElement | undefined, mode: LoadMode): XmlElement {
  const { configuration, errors } = tryLoad(text, base, mode);
  const [first] = errors;
  if (first === undefined) return configuration;
  if (errors.length === 1) throw first;
  const { code, what, where, cure, exit } = first;
  const more = ` (and ${errors.length - 1} more)`;
  throw new HactlError({
    code,
    what: what + more,
    exit,
    ...(where ? { where } : {}),
    ...(cure ? { cure } : {}),
  });
}

/** Every error that loading the text would meet, in the order of its lines. */
export function checkCrm(text: string, base: XmlElement | undefined, mode: LoadMode): readonly HactlError[] {
  return tryLoad(text, base, mode).errors;
}

/**
 * What a text comes to, with every error that loading it would meet: for whoever wants to know what else is wrong in it.
 * `readable` when the text itself has none: else what it should have defined is missing in the configuration, and a
 * reference to that is none of the errors.
 */
export function examineCrm(
  text: string,
  base: XmlElement | undefined,
  mode: LoadMode,
): {
  readonly configuration: XmlElement;
  readonly errors: readonly HactlError[];
  readonly readable: boolean;
  /** What else changed because of it, and what of it is not in force, a sentence each. */
  readonly remarks: readonly string[];
  /** What was written in an old form and is not in force. */
  readonly dropped: readonly UpgradeNote[];
} {
  return tryLoad(text, base, mode);
}

function tryLoad(text: string, base: XmlElement | undefined, mode: LoadMode) {
  const { objects, operations, errors: found, meant } = readCrm(text);
  const errors = [...found];
  const unread = new Set(meant);
  // Parts of what could not be read have ids that begin with its own.
  const mayExist = (id: string, isPart = false) =>
    unread.has(id) || (isPart && [...unread].some((one) => id.startsWith(`${one}-`)));
  const configuration = startingPoint(base, mode);
  const attempt = (action: () => void) => {
    try {
      action();
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      errors.push(error);
    }
  };
  for (const object of objects.filter(({ section }) => section === "nodes"))
    placeNode(configuration, object, mode);
  const resources = objects.filter(({ section }) => section === "resources");
  if (mode === "push") openContainers(sectionOf(configuration, "resources"), resources);
  const isNew = newContainers(configuration, resources);
  const misplaced = placeResources(sectionOf(configuration, "resources"), resources, mayExist);
  errors.push(...misplaced.errors);
  for (const id of misplaced.broken) unread.add(id);
  const placed = isNew.filter(({ attributes }) => !misplaced.broken.has(attributes.get("id") ?? ""));
  const remarks = isJoined(mode) ? placed.flatMap((item) => takeOver(configuration, item)) : [];
  for (const { rsc, operation, line } of operations.filter((one) => !unread.has(one.rsc)))
    attempt(() => addOperation(configuration, rsc, operation, line));
  const positions = new Map<XmlElement, Map<string | undefined, number>>();
  for (const object of objects) attempt(() => placeOther(configuration, object, positions));
  if (mode === "push") removeOthers(configuration, objects);
  resolveOperations(configuration);
  assignIds(configuration);
  resolveRuleReferences(configuration);
  errors.push(...referenceErrors(configuration, base, mayExist));
  tidy(configuration, base);
  const { root: upgraded, notes } = upgradeCib(configuration);
  const dropped = notes.filter(({ level }) => level === "warning");
  errors.sort((a, b) => (a.where?.line ?? 0) - (b.where?.line ?? 0));
  return {
    configuration: child(upgraded, "configuration") ?? configuration,
    errors,
    readable: found.length === 0 && unread.size === 0,
    remarks: [...remarks, ...dropped.map(({ text: what }) => what)],
    dropped,
  };
}

/** Containers that the configuration does not have yet. */
function newContainers(configuration: XmlElement, objects: readonly CrmObject[]): XmlElement[] {
  const present = new Set(
    resourceElements(sectionOf(configuration, "resources")).map(({ attributes }) => attributes.get("id")),
  );
  return objects
    .map((object) => object.element)
    .filter(({ name, attributes }) => containerKinds.has(name) && !present.has(attributes.get("id")));
}

/** What stood for itself before is in the container now. */
function takeOver(configuration: XmlElement, container: XmlElement): string[] {
  const members = resourceElements(container, false).map(({ attributes }) => attributes.get("id") ?? "");
  return redirectConstraints(configuration, container.attributes.get("id") ?? "", new Set(members));
}

/** What is there before the text counts. Lines of the base mean another file, so they go. */
function startingPoint(base: XmlElement | undefined, mode: LoadMode): XmlElement {
  const source = base?.name === "cib" ? child(base, "configuration") : base;
  const configuration = source === undefined ? element("configuration") : cloneElement(source);
  const dropLines = (target: XmlElement) => {
    delete target.line;
    target.children.forEach(dropLines);
  };
  dropLines(configuration);
  if (mode === "replace") {
    for (const section of configuration.children) {
      if (section.name === "crm_config") systemProperties(section);
      else if (section.name !== "nodes") section.children = [];
    }
  }
  return configuration;
}

/** A section, made when it is missing. */
function sectionOf(configuration: XmlElement, name: Section): XmlElement {
  const present = child(configuration, name);
  if (present) return present;
  const section = element(name);
  configuration.children.push(section);
  return section;
}

function placeNode(configuration: XmlElement, { element: node }: CrmObject, mode: LoadMode): void {
  const nodes = sectionOf(configuration, "nodes");
  const uname = node.attributes.get("uname") ?? "";
  const present = nodes.children.find(({ attributes }) => attributes.get("uname") === uname);
  if (!node.attributes.has("id")) {
    const attributes = new Map([["id", present?.attributes.get("id") ?? uname]]);
    for (const [name, value] of node.attributes) attributes.set(name, value);
    node.attributes = attributes;
  }
  if (present === undefined) {
    nodes.children.push(node);
    return;
  }
  keepIds(present, node);
  // A node's attributes are set by others too (standby, …): kinds of blocks that the text does not mention stay.
  const mentioned = new Set(node.children.map(({ name }) => name));
  if (mode === "add") joinNode(present, node);
  const kept = isJoined(mode) ? present.children.filter(({ name }) => !mentioned.has(name)) : [];
  node.children.unshift(...kept);
  nodes.children[nodes.children.indexOf(present)] = node;
}

/** Whether what the text does not define stays. */
export const isJoined = (mode: LoadMode): boolean => mode === "update" || mode === "add";

/** Of a node that is there the kind stays, and so do the values that the text does not name. */
function joinNode(present: XmlElement, node: XmlElement): void {
  for (const name of ["id", "type"]) {
    const value = present.attributes.get(name);
    if (value === undefined) node.attributes.delete(name);
    else node.attributes.set(name, value);
  }
  for (const set of node.children) {
    const old = present.children.find(
      ({ name, attributes }) => name === set.name && attributes.get("id") === set.attributes.get("id"),
    );
    const given = new Set(set.children.map(({ attributes }) => attributes.get("name")));
    set.children.unshift(
      ...(old?.children ?? []).filter(({ attributes }) => !given.has(attributes.get("name"))),
    );
  }
}

/** `positions` keeps where each id stands in a section; nothing is taken out while objects are placed. */
function placeOther(
  configuration: XmlElement,
  object: CrmObject,
  positions: Map<XmlElement, Map<string | undefined, number>>,
): void {
  const { section: name, element: source, line } = object;
  if (name === "nodes" || name === "resources") return;
  const section = sectionOf(configuration, name);
  if (name === "fencing-topology") {
    const levels = expandLevels(source, memberNodes(configuration));
    keepIds(section, levels);
    section.children = levels.children;
    return;
  }
  const known =
    positions.get(section) ??
    new Map(section.children.map(({ attributes }, index) => [attributes.get("id"), index]));
  positions.set(section, known);
  if (object.anySet) joinDefaults(section, source);
  const id = source.attributes.get("id");
  const position = id === undefined ? undefined : known.get(id);
  const present = position === undefined ? undefined : section.children[position];
  if (position === undefined || present === undefined) {
    known.set(id, section.children.length);
    section.children.push(source);
  } else if (present.name !== source.name)
    throw conflict(`"${id}" is a <${present.name}> already`, "choose another id, or delete it first", line);
  else if (sets.includes(name)) mergePropertySet(present, source);
  else {
    keepIds(present, source);
    section.children[position] = source;
  }
}

/**
 * Defaults without an id join the set that there is, unless one has the usual id or either has a rule. The cluster's own
 * properties have a set of their own (`cib-bootstrap-options`), beside which agents keep theirs.
 */
function joinDefaults(section: XmlElement, source: XmlElement): void {
  if (section.name === "crm_config" || !isPlainSet(source)) return;
  const sets = section.children.filter((set) => set.name === source.name && isPlainSet(set));
  const isThere = sets.some((set) => set.attributes.get("id") === source.attributes.get("id"));
  const id = isThere ? undefined : sets[0]?.attributes.get("id");
  if (id !== undefined) source.attributes.set("id", id);
}

const conflict = (what: string, cure: string, line: number) =>
  new HactlError({ code: "CRM_CONFLICT", what, where: { line }, cure, exit: CrmExit.EXISTS });

function addOperation(configuration: XmlElement, rsc: string, operation: XmlElement, line: number): void {
  const resource = resourceElements(sectionOf(configuration, "resources")).find(
    ({ attributes }) => attributes.get("id") === rsc,
  );
  if (resource === undefined || (resource.name !== "primitive" && resource.name !== "template"))
    throw syntaxError(`there is no primitive "${rsc}" to monitor`, "define it first", line);
  let operations = child(resource, "operations");
  if (operations === undefined) {
    operations = element("operations");
    resource.children.push(operations);
  }
  // Its id follows from the resource even where the others' follow from the operations.
  operation.attributes.set("id", `${rsc}-monitor-${operation.attributes.get("interval") ?? ""}`);
  const same = operations.children.findIndex(
    ({ attributes }) => attributes.get("id") === operation.attributes.get("id"),
  );
  if (same < 0) operations.children.push(operation);
  else operations.children[same] = operation;
}

/** Takes away containers that the text does not define any more: what they hold stands on its own, until another takes it. */
function openContainers(section: XmlElement, objects: readonly CrmObject[]): void {
  const defined = new Set(objects.map(({ element: { attributes } }) => attributes.get("id")));
  const open = (parent: XmlElement) => {
    for (const item of resourceElements(parent, false)) {
      open(item);
      const held = resourceElements(item, false);
      if (held.length === 0 || defined.has(item.attributes.get("id"))) continue;
      const own = parent === section ? held : [];
      parent.children.splice(parent.children.indexOf(item), 1, ...own);
      if (parent !== section) section.children.push(...held);
    }
  };
  open(section);
}

/** Removes what the text does not define. Nodes stay unless the text names some. */
function removeOthers(configuration: XmlElement, objects: readonly CrmObject[]): void {
  const defined = (section: Section) =>
    new Set(objects.filter((object) => object.section === section).map((object) => object.element));
  for (const name of sections) {
    const section = child(configuration, name);
    const kept = defined(name);
    if (section === undefined || (name === "nodes" && kept.size === 0)) continue;
    if (name === "fencing-topology") {
      if (kept.size === 0) section.children = [];
    } else if (name === "resources") keepResources(section, kept);
    else if (sets.includes(name)) keepSets(section, kept);
    else section.children = section.children.filter((item) => kept.has(item));
  }
}

function keepResources(section: XmlElement, kept: ReadonlySet<XmlElement>): void {
  const ids = new Set(
    [...kept]
      .flatMap((item) => [item, ...resourceElements(item)])
      .map(({ attributes }) => attributes.get("id")),
  );
  const prune = (parent: XmlElement) => {
    const resources = new Set(resourceElements(parent, false));
    parent.children = parent.children.filter(
      (item) => !resources.has(item) || ids.has(item.attributes.get("id")),
    );
    parent.children.forEach(prune);
  };
  prune(section);
}

/** Sets were merged into those that were there: of these only what the text gave stays. */
function keepSets(section: XmlElement, given: ReadonlySet<XmlElement>): void {
  const names = new Map<string | undefined, Set<string | undefined>>();
  for (const set of given) {
    const id = set.attributes.get("id");
    const known = names.get(id) ?? new Set();
    for (const pair of set.children) known.add(pair.attributes.get("name"));
    names.set(id, known);
  }
  if (section.name === "crm_config") systemProperties(section, names);
  else {
    section.children = section.children.filter(({ attributes }) => names.has(attributes.get("id")));
    for (const set of section.children) {
      const known = names.get(set.attributes.get("id"));
      set.children = set.children.filter(
        (pair) => pair.name !== "nvpair" || known?.has(pair.attributes.get("name")),
      );
    }
  }
}

/** `operations $id-ref=RSC` means the operations of that resource. */
function resolveOperations(configuration: XmlElement): void {
  const resources = resourceElements(sectionOf(configuration, "resources"));
  const byId = new Map(resources.map((resource) => [resource.attributes.get("id"), resource]));
  for (const resource of resources) {
    const operations = child(resource, "operations");
    const target = child(byId.get(operations?.attributes.get("id-ref")), "operations");
    if (operations === undefined || target === undefined) continue;
    const id = target.attributes.get("id") ?? `${operations.attributes.get("id-ref")}-operations`;
    target.attributes.set("id", id);
    operations.attributes.set("id-ref", id);
  }
}

/** What is wrong in the base already is no mistake of the text: who may see only a part of it finds much that seems missing. */
function referenceErrors(
  configuration: XmlElement,
  base: XmlElement | undefined,
  mayExist: (id: string, isPart: boolean) => boolean,
): HactlError[] {
  const given = base?.name === "cib" ? child(base, "configuration") : base;
  const before = given ? findReferenceProblems(given) : [];
  const key = ({ code, id, text }: CibProblem) => `${code} ${id ?? ""} ${text}`;
  const known = new Set(before.map(key));
  return findReferenceProblems(configuration, mayExist)
    .filter((problem) => problem.level === "error" && !known.has(key(problem)))
    .map(({ code, text, line, id, cure }) => {
      const where = line === undefined ? (id === undefined ? {} : { id }) : { line };
      return new HactlError({
        code,
        what: text,
        where,
        ...(cure === undefined ? {} : { cure }),
        exit: CrmExit.CONFIG,
      });
    });
}

/**
 * Sections in their usual order, those that may be missing only when they hold something. What was there without the text
 * stays as it is: who may change one section need not be permitted to take away another.
 */
function tidy(configuration: XmlElement, base: XmlElement | undefined): void {
  const given = (base?.name === "cib" ? child(base, "configuration") : base)?.children ?? [];
  const known = new Set(given.map(({ name }) => name));
  const empty = new Set(given.filter(({ children }) => children.length === 0).map(({ name }) => name));
  const needed = new Set(["crm_config", "nodes", "resources", "constraints"]);
  const rank = (name: string) => (sections as readonly string[]).indexOf(name);
  const kept = configuration.children.filter(
    ({ name, children }) => needed.has(name) || children.length > 0 || empty.has(name),
  );
  configuration.children = kept.every(({ name }) => known.has(name))
    ? kept
    : kept.sort((a, b) => rank(a.name) - rank(b.name));
}

/** A `<cib>` around a configuration, as one starts with. */
export function cibOf(configuration: XmlElement): XmlElement {
  const attributes = { "validate-with": canonicalSchema, admin_epoch: 0, epoch: 1, num_updates: 0 };
  return element("cib", attributes, [configuration, element("status")]);
}

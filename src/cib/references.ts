import { nearest } from "../terms/index.ts";
import { ownsId } from "./crm/ids.ts";
import { constraintNames, definitionKinds } from "./resource-kinds.ts";
import { parseInteger } from "./values.ts";
import { child, childrenOf, element, type XmlElement } from "./xml.ts";

/** Something wrong in a configuration. */
export interface CibProblem {
  readonly level: "error" | "warning" | "info";
  /** Stable name of the kind of problem. */
  readonly code: string;
  readonly text: string;
  readonly id?: string;
  readonly line?: number;
  readonly cure?: string;
}

/** A problem at an element. */
export function problemAt(
  source: XmlElement,
  level: CibProblem["level"],
  code: string,
  text: string,
  cure?: string,
): CibProblem {
  const id = source.attributes.get("id");
  return {
    level,
    code,
    text,
    ...(id === undefined ? {} : { id }),
    ...(source.line === undefined ? {} : { line: source.line }),
    ...(cure === undefined ? {} : { cure }),
  };
}

/**
 * Ids in a configuration that occur twice, and references to what is not there. `mayExist` tells of ids that are passed
 * over: what they are of, or what they are a part of where `isPart`, could not be read.
 */
export function findReferenceProblems(
  configuration: XmlElement,
  mayExist: (id: string, isPart: boolean) => boolean = () => false,
): CibProblem[] {
  const problems: CibProblem[] = [];
  const owners = new Map<string, XmlElement>();
  const visit = (source: XmlElement, parent: XmlElement | undefined) => {
    const id = source.attributes.get("id");
    if (id !== undefined && ownsId(source, parent)) {
      const first = owners.get(id);
      if (first === undefined) owners.set(id, source);
      else problems.push(duplicate(source, first, id));
    }
    for (const item of source.children) visit(item, source);
  };
  visit(configuration, undefined);
  problems.push(...duplicateNames(configuration));
  const find = (id: string) => owners.get(id) ?? (mayExist(id, false) ? unread : undefined);
  const nodes = new NodeNames(configuration);
  const findPart = (id: string) => find(id) ?? (mayExist(id, true) ? unread : undefined);
  for (const section of configuration.children) {
    if (section.name === "constraints")
      problems.push(
        ...section.children.flatMap((item) => checkConstraint(item, find)),
        ...childrenOf(section, "rsc_location").flatMap((item) => checkNodes(item, nodes)),
      );
    if (section.name === "acls")
      problems.push(
        ...section.children.flatMap((item) => [
          ...checkRoles(item, find),
          ...checkPermissions(item, findPart),
        ]),
      );
    if (section.name === "tags")
      problems.push(...section.children.flatMap((item) => checkTag(item, find, configuration)));
  }
  visitAll(configuration, (source) => {
    const reference = source.attributes.get("id-ref");
    if (reference !== undefined) checkReference(source, reference, findPart, problems);
    const template = source.name === "primitive" ? source.attributes.get("template") : undefined;
    if (template !== undefined && !isA(find(template), "template"))
      problems.push(
        missing(
          source,
          `resource "${source.attributes.get("id")}" refers to template "${template}"`,
          "rsc_template",
        ),
      );
  });
  return problems;
}

function visitAll(source: XmlElement, look: (source: XmlElement) => void): void {
  look(source);
  for (const item of source.children) visitAll(item, look);
}

function duplicate(source: XmlElement, first: XmlElement, id: string): CibProblem {
  const place = first.line === undefined ? `<${first.name}>` : `<${first.name}> in line ${first.line}`;
  return problemAt(
    source,
    "error",
    "DUPLICATE_ID",
    `the id "${id}" is used already by ${place}`,
    "give it another id",
  );
}

/** Node ids and names are no XML ids but must be unique among nodes. */
function duplicateNames(configuration: XmlElement): CibProblem[] {
  const nodes = childrenOf(child(configuration, "nodes"), "node");
  return ["id", "uname"].flatMap((name) => {
    const seen = new Set<string>();
    return nodes.flatMap((node) => {
      const value = node.attributes.get(name) ?? "";
      if (!seen.has(value)) {
        seen.add(value);
        return [];
      }
      const what = name === "id" ? "id" : "name";
      return [
        problemAt(
          node,
          "error",
          "DUPLICATE_NODE",
          `two nodes have the ${what} "${value}"`,
          "remove one of them",
        ),
      ];
    });
  });
}

type Find = (id: string) => XmlElement | undefined;

/** Stands for what could not be read: it may be of any kind. */
const unread = element("unread");
const isA = (target: XmlElement | undefined, name: string) => target === unread || target?.name === name;

const missing = (source: XmlElement, text: string, what: string) =>
  problemAt(
    source,
    "error",
    "DANGLING_REFERENCE",
    `${text}, which does not exist`,
    `define the ${what}, or remove the reference`,
  );

function checkReference(source: XmlElement, reference: string, find: Find, problems: CibProblem[]): void {
  const target = find(reference);
  const same = isA(target, source.name);
  // The schema lets operations refer to anything, and the crm shell to a resource, meaning its operations.
  if (same || (source.name === "operations" && target !== undefined)) return;
  if (target && target !== unread) {
    const text = `<${source.name}> refers to "${reference}", which is a <${target.name}>`;
    const cure = `name the id of a <${source.name}>, or remove the reference`;
    problems.push(problemAt(source, "error", "DANGLING_REFERENCE", text, cure));
    return;
  }
  problems.push(missing(source, `<${source.name}> refers to "${reference}"`, `<${source.name}>`));
}

function checkConstraint(constraint: XmlElement, find: Find): CibProblem[] {
  const id = constraint.attributes.get("id") ?? "";
  const names = constraintNames.map((name) => constraint.attributes.get(name));
  const check = (source: XmlElement, rsc: string | undefined) => {
    const target = rsc === undefined ? undefined : find(rsc);
    if (rsc === undefined || isA(target, "tag") || (target !== undefined && definitionKinds.has(target.name)))
      return [];
    return [missing(source, `constraint "${id}" names resource "${rsc}"`, "resource")];
  };
  return [
    ...names.flatMap((rsc) => check(constraint, rsc)),
    ...childrenOf(constraint, "resource_set").flatMap((set) =>
      childrenOf(set, "resource_ref").flatMap((item) => check(set, item.attributes.get("id"))),
    ),
  ];
}

/** The nodes that a location names: its own, and those that its rules compare a name with. */
function checkNodes(location: XmlElement, nodes: NodeNames): CibProblem[] {
  const inRules = (at: XmlElement): XmlElement[] => [
    ...(at.name === "expression" ? [at] : []),
    ...at.children.filter(({ name }) => name === "rule" || name === "expression").flatMap(inRules),
  ];
  const compared = inRules(location).filter(
    ({ attributes }) =>
      attributes.get("attribute") === "#uname" &&
      ["eq", "ne"].includes(attributes.get("operation") ?? "") &&
      (attributes.get("value-source") ?? "literal") === "literal",
  );
  return [
    ...checkNode(location, location.attributes.get("node"), nodes),
    ...compared.flatMap((one) => checkNode(location, one.attributes.get("value"), nodes)),
  ];
}

/** A node may still come, but a slip of the pen never does. */
function checkNode(location: XmlElement, name: string | undefined, nodes: NodeNames): CibProblem[] {
  if (name === undefined || nodes.isEmpty || nodes.has(name)) return [];
  const near = nearest(name, nodes.all);
  const text = `constraint "${location.attributes.get("id")}" names node "${name}", which is not configured`;
  const cure = near === undefined ? "correct the name, or let the node join" : `did you mean "${near}"?`;
  return [problemAt(location, "warning", "UNKNOWN_NODE", text, cure)];
}

/** The nodes that a configuration names, looked for once, and only when somebody asks. */
class NodeNames {
  readonly #configuration: XmlElement;
  #members: readonly string[] | undefined;
  #all: readonly string[] | undefined;
  #folded: ReadonlySet<string> | undefined;

  constructor(configuration: XmlElement) {
    this.#configuration = configuration;
  }

  get #own(): readonly string[] {
    this.#members ??= childrenOf(child(this.#configuration, "nodes"), "node").flatMap(
      ({ attributes }) => attributes.get("uname") ?? [],
    );
    return this.#members;
  }

  get isEmpty(): boolean {
    return this.#own.length === 0;
  }

  get all(): readonly string[] {
    this.#all ??= [...this.#own, ...remoteNames(child(this.#configuration, "resources"))];
    return this.#all;
  }

  /** Whether it is one of them, in whatever case it is written. */
  has(name: string): boolean {
    this.#folded ??= new Set(this.all.map((node) => node.toLowerCase()));
    return this.#folded.has(name.toLowerCase());
  }
}

/** Names that guest and remote nodes have, and replicas of bundles may have. */
export function remoteNames(parent: XmlElement | undefined): string[] {
  return (parent?.children ?? []).flatMap((item) => {
    const id = item.attributes.get("id") ?? "";
    if (item.name === "nvpair" && item.attributes.get("name") === "remote-node")
      return [item.attributes.get("value") ?? ""];
    if (item.name === "bundle")
      return Array.from({ length: replicasOf(item) }, (_, replica) => `${id}-${replica}`);
    if (item.name === "primitive" && item.attributes.get("type") === "remote")
      return [id, ...remoteNames(item)];
    return remoteNames(item);
  });
}

/** As many as a bundle has, at most some thousand. */
function replicasOf(bundle: XmlElement): number {
  const counts = bundle.children.flatMap(({ attributes }) =>
    ["replicas", "promoted-max", "masters"].map((name) => parseInteger(attributes.get(name)) ?? 1),
  );
  return Math.min(4096, Math.max(1, ...counts));
}

function checkRoles(target: XmlElement, find: Find): CibProblem[] {
  if (target.name === "acl_role") return [];
  return childrenOf(target, "role").flatMap((role) => {
    const id = role.attributes.get("id") ?? "";
    if (isA(find(id), "acl_role")) return [];
    return [missing(target, `"${target.attributes.get("id")}" has role "${id}"`, "role")];
  });
}

function checkPermissions(role: XmlElement, find: Find): CibProblem[] {
  return childrenOf(role, "acl_permission").flatMap((permission) => {
    const id = permission.attributes.get("reference");
    if (id === undefined || find(id) !== undefined) return [];
    const text = `permission "${permission.attributes.get("id")}" refers to "${id}"`;
    return [missing(permission, text, "object")];
  });
}

function checkTag(tag: XmlElement, find: Find, configuration: XmlElement): CibProblem[] {
  const nodes = new Set(
    childrenOf(child(configuration, "nodes"), "node").map(({ attributes }) => attributes.get("id")),
  );
  return childrenOf(tag, "obj_ref").flatMap((item) => {
    const id = item.attributes.get("id") ?? "";
    if (id !== "" && id === tag.attributes.get("id")) {
      const text = `tag "${id}" names itself, which says nothing`;
      return [problemAt(tag, "warning", "NAMES_ITSELF", text, "remove it from the tag")];
    }
    if (find(id) !== undefined || nodes.has(id)) return [];
    const text = `tag "${tag.attributes.get("id")}" names "${id}", which does not exist`;
    return [problemAt(tag, "warning", "DANGLING_REFERENCE", text, "remove it from the tag")];
  });
}

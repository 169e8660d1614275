import { HactlError } from "../../terms/index.ts";
import { containerKinds, definitionKinds } from "../resource-kinds.ts";
import { parseScore } from "../values.ts";
import { cloneElement, element, formatXml, type XmlElement } from "../xml.ts";
import { formatPermission } from "./acls-text.ts";
import { formatBlock, formatPairs } from "./blocks-text.ts";
import { sameObject } from "./compare.ts";
import { quoteValue, splitStatements } from "./lexer.ts";
import { memberName } from "./objects.ts";
import { readObjects } from "./read.ts";
import { formatRule, shortScore } from "./rules-text.ts";
import { formatOptions, formatSets } from "./sets-text.ts";
import { expandLevels, formatTopology, memberNodes } from "./topology.ts";

/** Statements in the order in which the crm shell shows them. */
const order = [
  "node",
  "template",
  "primitive",
  "bundle",
  "group",
  "master",
  "clone",
  "tag",
  "rsc_colocation",
  "rsc_location",
  "rsc_order",
  "fencing-topology",
  "rsc_ticket",
  "cluster_property_set",
  "rsc_defaults",
  "op_defaults",
  "acl_role",
  "acl_target",
  "acl_group",
  "alert",
];

/** An element with the rank and the name that it is shown by. */
interface Shown {
  readonly source: XmlElement;
  readonly kind: string;
  readonly id: string;
}

/**
 * Writes a configuration as crm shell text, as `crm configure show` does. With `ids` only those objects. What the
 * text cannot say (nested rules, lifetimes, …) is written with the `xml` statement, so that loading the text
 * gives the same configuration. Ids of blocks, rules and pairs are written only when something refers to them.
 */
export function formatCrm(configuration: XmlElement, ids?: readonly string[]): string {
  const root =
    configuration.name === "cib"
      ? configuration.children.find(({ name }) => name === "configuration")
      : configuration;
  if (root === undefined) return "";
  const referenced = referencedIds(root);
  const nodes = memberNodes(root);
  const wanted = ids === undefined ? undefined : new Set(ids);
  return collect(root)
    .filter(({ id }) => wanted === undefined || wanted.has(id))
    .map((shown) => formatObject(shown, referenced, nodes))
    .join("");
}

function collect(configuration: XmlElement): Shown[] {
  const found: Shown[] = [];
  const add = (source: XmlElement, kind = source.name) =>
    found.push({
      source,
      kind,
      id: source.attributes.get(source.name === "node" ? "uname" : "id") ?? source.name,
    });
  const addResources = (parent: XmlElement) => {
    for (const item of parent.children) {
      if (!definitionKinds.has(item.name)) continue;
      add(item);
      addResources(item);
    }
  };
  for (const section of configuration.children) {
    if (section.name === "resources") addResources(section);
    else if (section.name === "fencing-topology") {
      if (section.children.length > 0) add(section);
    } else
      for (const item of section.children)
        add(item, section.name.endsWith("_defaults") ? section.name : item.name);
  }
  const rank = ({ kind }: Shown) => (order.includes(kind) ? order.indexOf(kind) : order.length);
  const before = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return found.sort((a, b) => rank(a) - rank(b) || before(a.id, b.id));
}

/** Ids that an `id-ref` names. */
function referencedIds(root: XmlElement): ReadonlySet<string> {
  const ids = new Set<string>();
  const visit = (source: XmlElement) => {
    const reference = source.attributes.get("id-ref");
    if (reference !== undefined) ids.add(reference);
    source.children.forEach(visit);
  };
  visit(root);
  return ids;
}

function formatObject(shown: Shown, referenced: ReadonlySet<string>, nodes: readonly string[]): string {
  const source = containerKinds.has(shown.kind) ? withReferences(shown.source) : shown.source;
  const lines = statement(source, shown.kind, referenced, nodes);
  if (lines !== undefined) {
    const text = `${lines.join(" \\\n\t")}\n`;
    if (readsAs(text, source, shown.kind, referenced, nodes)) return text;
  }
  const wrapped = shown.kind.endsWith("_defaults") ? element(shown.kind, {}, [source]) : source;
  return `xml ${formatXml(renameReferences(wrapped)).trimEnd().replaceAll("\n", " \\\n")}\n`;
}

/** A container with the names of its resources in place of them. */
function withReferences(container: XmlElement): XmlElement {
  return {
    ...container,
    children: container.children.map((item) =>
      definitionKinds.has(item.name) ? element(memberName, { id: item.attributes.get("id") }) : item,
    ),
  };
}

/** Placeholders under the name that the crm shell knows. */
function renameReferences(source: XmlElement): XmlElement {
  if (!source.children.some(({ name }) => name === memberName)) return source;
  const copy = cloneElement(source);
  for (const item of copy.children) if (item.name === memberName) item.name = "crmsh-ref";
  return copy;
}

/** Whether the text says exactly what the element says. */
function readsAs(
  text: string,
  source: XmlElement,
  kind: string,
  referenced: ReadonlySet<string>,
  nodes: readonly string[],
): boolean {
  const { statements, errors } = splitStatements(text);
  const [statement] = statements;
  if (statement === undefined || statements.length > 1 || errors.length > 0) return false;
  try {
    const [object] = readObjects(statement);
    if (object === undefined) return false;
    if (kind.endsWith("_defaults") && object.section !== kind) return false;
    const read = kind === "fencing-topology" ? expandLevels(object.element, nodes) : object.element;
    return sameObject(source, read, referenced);
  } catch (error) {
    if (error instanceof HactlError) return false;
    throw error;
  }
}

function statement(
  source: XmlElement,
  kind: string,
  referenced: ReadonlySet<string>,
  nodes: readonly string[],
): string[] | undefined {
  const id = source.attributes.get("id") ?? "";
  switch (kind) {
    case "node":
      return [nodeHead(source), ...parts(source, referenced)];
    case "primitive":
    case "template":
      return [resourceHead(source), ...parts(source, referenced)];
    case "group":
    case "clone":
    case "master": {
      const keyword = kind === "master" ? "ms" : kind;
      const members = source.children
        .filter(({ name }) => name === memberName)
        .map((item) => item.attributes.get("id"));
      return [[keyword, id, ...members].join(" "), ...parts(source, referenced)];
    }
    case "bundle":
      return [`bundle ${id}`, ...parts(source, referenced)];
    case "tag":
      return [["tag", id, ...source.children.map((item) => item.attributes.get("id"))].join(" ")];
    case "rsc_location":
      return location(source, referenced);
    case "rsc_colocation":
    case "rsc_order":
    case "rsc_ticket":
      return [constraint(source)];
    case "fencing-topology":
      return formatTopology(source, nodes);
    case "cluster_property_set":
    case "rsc_defaults":
    case "op_defaults": {
      const score = parseScore(source.attributes.get("score"));
      const keyword = kind === "cluster_property_set" ? "property" : kind;
      const head = `${keyword} ${id}:${score === undefined ? "" : ` ${shortScore(score)}:`}`;
      return [head, ...formatPairs(source, referenced)];
    }
    case "acl_role":
      return [
        `role ${id}`,
        ...description(source),
        ...source.children.map((item) => formatPermission(item, referenced)),
      ];
    case "acl_target":
    case "acl_group":
      return [`${kind} ${id}`, ...source.children.map((item) => item.attributes.get("id") ?? "")];
    case "alert":
      return [`alert ${id} ${quoteValue(source.attributes.get("path") ?? "")}`, ...parts(source, referenced)];
    default:
      return undefined;
  }
}

const description = (source: XmlElement) => formatOptions(source, "description");

function nodeHead({ attributes }: XmlElement): string {
  const id = attributes.get("id");
  const uname = attributes.get("uname") ?? "";
  const type = attributes.get("type");
  return `node ${id === undefined || id === uname ? "" : `${id}: `}${uname}${type === undefined ? "" : `:${type}`}`;
}

function resourceHead({ name, attributes }: XmlElement): string {
  const keyword = name === "template" ? "rsc_template" : "primitive";
  const template = attributes.get("template");
  const [standard, provider, type] = ["class", "provider", "type"].map((part) => attributes.get(part));
  const short = standard === "ocf" && provider === "heartbeat";
  const full = [standard, provider, type].filter((part) => part !== undefined).join(":");
  const agent = template === undefined ? (short ? type : full) : `@${template}`;
  return `${keyword} ${attributes.get("id") ?? ""} ${agent ?? ""}`;
}

/** What is below an object's head, a line each. */
function parts(source: XmlElement, referenced: ReadonlySet<string>): string[] {
  const named = source.name === "node" || source.name === "alert" || source.name === "recipient";
  return [
    ...description(source),
    ...source.children.flatMap((item) => {
      switch (item.name) {
        case "instance_attributes":
          return [[named ? "attributes" : "params", ...formatBlock(item, referenced)].join(" ")];
        case "meta_attributes":
          return [["meta", ...formatBlock(item, referenced)].join(" ")];
        case "utilization":
          return [["utilization", ...formatBlock(item, referenced)].join(" ")];
        case "operations":
          return operations(item, referenced);
        case "docker":
        case "podman":
        case "rkt":
        case "network":
        case "storage":
          return [bundlePart(item)];
        case memberName:
          return source.name === "bundle" ? [`primitive ${item.attributes.get("id") ?? ""}`] : [];
        case "select":
          return [["select", ...item.children.map(selection)].join(" ")];
        case "recipient":
          return [
            ["to", quoteValue(item.attributes.get("value") ?? ""), ...parts(item, referenced)].join(" "),
          ];
        default:
          return [];
      }
    }),
  ];
}

function operations(source: XmlElement, referenced: ReadonlySet<string>): string[] {
  const id = source.attributes.get("id");
  const reference = source.attributes.get("id-ref");
  const head =
    reference !== undefined
      ? [`operations $id-ref=${reference}`]
      : id !== undefined
        ? [`operations $id=${id}`]
        : [];
  return [
    ...head,
    ...source.children.flatMap((op) => {
      const opId = op.attributes.get("id");
      const label = opId !== undefined && referenced.has(opId) ? [`$id=${opId}`] : [];
      const attributes = [...op.attributes]
        .filter(([name]) => name !== "id" && name !== "name")
        .map(([name, value]) => `${name}=${quoteValue(value)}`);
      const blocks = op.children.map((block) =>
        [block.name === "meta_attributes" ? "op_meta" : "op_params", ...formatBlock(block, referenced)].join(
          " ",
        ),
      );
      return [["op", ...label, op.attributes.get("name") ?? "", ...attributes].join(" "), ...blocks];
    }),
  ];
}

function bundlePart(source: XmlElement): string {
  const attributes = (item: XmlElement) =>
    [...item.attributes].map(([name, value]) => `${name}=${quoteValue(value)}`);
  return [
    source.name,
    ...attributes(source),
    ...source.children.flatMap((item) => [item.name, ...attributes(item)]),
  ].join(" ");
}

function selection({ name, children }: XmlElement): string {
  const word = name.replace("select_", "");
  if (word !== "attributes") return word;
  return [
    "attributes",
    "{",
    ...children.map((item) => quoteValue(item.attributes.get("name") ?? "")),
    "}",
  ].join(" ");
}

function location(source: XmlElement, referenced: ReadonlySet<string>): string[] {
  const { attributes, children } = source;
  const pattern = attributes.get("rsc-pattern");
  const sets = children.filter(({ name }) => name === "resource_set");
  const what =
    pattern !== undefined
      ? `/${pattern}/`
      : sets.length > 0
        ? `{ ${formatSets(sets, "role")} }`
        : (attributes.get("rsc") ?? "");
  // The crm shell has no way to quote a pattern, so one with blanks is left to xml.
  if (pattern !== undefined && /[\s"'\\]/.test(pattern)) return [];
  const head = [
    "location",
    attributes.get("id"),
    what,
    ...formatOptions(source, "role", "resource-discovery"),
  ].join(" ");
  const rules = children.filter(({ name }) => name === "rule");
  if (rules.length > 0) return [head, ...rules.map((rule) => formatRule(rule, referenced))];
  const score = parseScore(attributes.get("score"));
  return [
    `${head} ${score === undefined ? "" : shortScore(score)}: ${quoteValue(attributes.get("node") ?? "")}`,
  ];
}

function constraint(source: XmlElement): string {
  const { attributes, children } = source;
  const get = (name: string) => attributes.get(name);
  const sets = children.filter(({ name }) => name === "resource_set");
  const item = (name: string, suffix: string) => {
    const word = get(suffix);
    return `${get(name) ?? ""}${word === undefined ? "" : `:${word}`}`;
  };
  const id = get("id") ?? "";
  switch (source.name) {
    case "rsc_colocation": {
      const score = parseScore(get("score"));
      const what =
        sets.length > 0
          ? formatSets(sets, "role")
          : `${item("rsc", "rsc-role")} ${item("with-rsc", "with-rsc-role")}`;
      const head = `colocation ${id} ${score === undefined ? "" : shortScore(score)}: ${what}`;
      return [head, ...formatOptions(source, "node-attribute")].join(" ");
    }
    case "rsc_order": {
      const what =
        sets.length > 0
          ? formatSets(sets, "action")
          : `${item("first", "first-action")} ${item("then", "then-action")}`;
      const kind = get("kind");
      return [
        `order ${id}`,
        ...(kind === undefined ? [] : [`${kind}:`]),
        what,
        ...formatOptions(source, "symmetrical"),
      ].join(" ");
    }
    default: {
      const what = sets.length > 0 ? formatSets(sets, "role") : item("rsc", "rsc-role");
      return [
        `rsc_ticket ${id} ${get("ticket") ?? ""}: ${what}`,
        ...formatOptions(source, "loss-policy"),
      ].join(" ");
    }
  }
}

import { CrmExit, HactlError, lookup, nearest } from "../../terms/index.ts";
import { renameInPermissions } from "../acl/named-ids.ts";
import { compilePattern } from "../pattern.ts";
import { child, cloneElement, element, type XmlElement } from "../xml.ts";
import { ownsId } from "./ids.ts";
import { operationAttributes } from "./read-resources.ts";
import { resourceElements } from "./resource-tree.ts";

/** Commands of the crm shell that change what is there: each answers with the new configuration. */

const failure = (code: string, what: string, cure: string, exit: CrmExit) =>
  new HactlError({ code, what, cure, exit });

const noObject = (id: string, known: Iterable<string>) => {
  const guess = nearest(id, known);
  const cure = guess === undefined ? "'configure show' lists all" : `did you mean ${guess}?`;
  return failure("NO_SUCH_OBJECT", `there is no object "${id}" in the configuration`, cure, CrmExit.NOSUCH);
};

function visit(
  source: XmlElement,
  look: (source: XmlElement, parent?: XmlElement) => void,
  parent?: XmlElement,
) {
  look(source, parent);
  for (const item of source.children) visit(item, look, source);
}

/** Everything that has an id of its own, by it. */
function owners(configuration: XmlElement): Map<string, XmlElement> {
  const found = new Map<string, XmlElement>();
  visit(configuration, (source, parent) => {
    const id = source.attributes.get("id");
    if (id !== undefined && ownsId(source, parent)) found.set(id, source);
  });
  return found;
}

/** Attributes that name another object, by the elements that have them. */
const references: Readonly<Record<string, readonly string[]>> = lookup({
  rsc_location: ["rsc"],
  rsc_colocation: ["rsc", "with-rsc"],
  rsc_order: ["first", "then"],
  rsc_ticket: ["rsc"],
  resource_ref: ["id"],
  obj_ref: ["id"],
  primitive: ["template"],
  acl_permission: ["reference"],
});

/** Whether a remote node is called as this resource is. */
const isConnection = ({ name, attributes }: XmlElement) =>
  name === "primitive" && attributes.get("provider") === "pacemaker" && attributes.get("type") === "remote";

/** A configuration with an object of another id. */
export interface Renamed {
  readonly configuration: XmlElement;
  /** What followed that is not seen at once, for people. */
  readonly remarks: readonly string[];
}

/** `rename FROM TO`: an object gets another id; constraints, sets, tags, levels, roles and the paths of permissions follow. */
export function renameObject(source: XmlElement, from: string, to: string): Renamed {
  const configuration = cloneElement(source);
  const known = owners(configuration);
  const object = known.get(from);
  if (object === undefined || configuration === object) throw noObject(from, known.keys());
  if (!/^[A-Za-z_][\w.-]*$/.test(to))
    throw failure(
      "CRM_SYNTAX",
      `"${to}" cannot be an id`,
      "an id begins with a letter or _ and goes on with letters, digits, _, . and -",
      CrmExit.CONFIG,
    );
  if (isConnection(object))
    throw failure(
      "CRM_CONFLICT",
      `"${from}" is the connection to a remote node, whose name would change with it`,
      "make one of the new name, and delete this one",
      CrmExit.CONFIG,
    );
  if (known.has(to))
    throw failure("CRM_CONFLICT", `"${to}" is there already`, "choose another id", CrmExit.EXISTS);
  object.attributes.set("id", to);
  visit(configuration, (item, parent) => {
    const isRoleReference = item.name === "role" && !ownsId(item, parent);
    for (const name of isRoleReference ? ["id"] : [...(references[item.name] ?? []), "id-ref"])
      if (item.attributes.get(name) === from) item.attributes.set(name, to);
    const devices = item.name === "fencing-level" ? item.attributes.get("devices") : undefined;
    if (devices !== undefined)
      item.attributes.set(
        "devices",
        devices
          .split(",")
          .map((id) => (id === from ? to : id))
          .join(","),
      );
  });
  const remarks = [
    ...renameInPermissions(configuration, from, to),
    ...otherPatterns(configuration, from, to),
  ];
  return { configuration, remarks };
}

/** Constraints whose pattern finds an object by one id and not by the other: what was meant nobody can tell but who wrote it. */
function otherPatterns(configuration: XmlElement, from: string, to: string): string[] {
  return (child(configuration, "constraints")?.children ?? []).flatMap(({ attributes }) => {
    const text = attributes.get("rsc-pattern");
    if (text === undefined || finds(text, from) === finds(text, to)) return [];
    const id = `constraint ${attributes.get("id") ?? ""}`;
    return finds(text, to)
      ? [`${id} is about ${to} from now on, as its pattern has it: ${text}`]
      : [`${id} was about ${from} and is not about ${to}, as its pattern has it: ${text}`];
  });
}

/** Whether a pattern, perhaps turned round with `!`, is about an id; one that is none is about nothing. */
function finds(pattern: string, id: string): boolean {
  const inverted = pattern.startsWith("!");
  try {
    const found = compilePattern(inverted ? pattern.slice(1) : pattern).match(id) !== null;
    return found !== inverted;
  } catch (error) {
    if (error instanceof HactlError) return false;
    throw error;
  }
}

/** How a group is to change. */
export type GroupChange =
  | { readonly do: "remove"; readonly member: string }
  | {
      readonly do: "add";
      readonly member: string;
      /** Another member that the new one shall stand before or after; without it stands last. */
      readonly beside?: { readonly where: "before" | "after"; readonly member: string };
    };

/** `modgroup GROUP add|remove MEMBER`: a primitive joins a group, or leaves it and stands for itself. */
export function modifyGroup(source: XmlElement, id: string, change: GroupChange): XmlElement {
  const configuration = cloneElement(source);
  const section = child(configuration, "resources");
  const all = section ? resourceElements(section) : [];
  const ids = all.map(({ attributes }) => attributes.get("id") ?? "");
  const named = (wanted: string) => all.find(({ attributes }) => attributes.get("id") === wanted);
  const group = named(id);
  if (section === undefined || group === undefined) throw noObject(id, ids);
  if (group.name !== "group")
    throw failure("CRM_CONFLICT", `"${id}" is a ${group.name}, not a group`, "name a group", CrmExit.CONFIG);
  const resource = named(change.member);
  if (resource === undefined) throw noObject(change.member, ids);
  const position = (wanted: string) =>
    group.children.findIndex(
      ({ name, attributes }) => name === "primitive" && attributes.get("id") === wanted,
    );
  if (change.do === "remove") {
    const at = position(change.member);
    if (at < 0) throw notMember(change.member, id);
    if (group.children.filter(({ name }) => name === "primitive").length === 1)
      throw failure(
        "CRM_CONFLICT",
        `"${change.member}" is the only member of ${id}`,
        `delete the group instead: configure delete ${id}`,
        CrmExit.CONFIG,
      );
    group.children.splice(at, 1);
    section.children.push(resource);
    return configuration;
  }
  if (resource.name !== "primitive")
    throw failure(
      "CRM_CONFLICT",
      `a group cannot hold a ${resource.name} ("${change.member}")`,
      "name a primitive",
      CrmExit.CONFIG,
    );
  if (!section.children.includes(resource))
    throw failure(
      "CRM_CONFLICT",
      `"${change.member}" is in another resource already`,
      "take it out there",
      CrmExit.EXISTS,
    );
  const beside = change.beside === undefined ? undefined : position(change.beside.member);
  if (beside !== undefined && beside < 0) throw notMember(change.beside?.member ?? "", id);
  section.children.splice(section.children.indexOf(resource), 1);
  const last = group.children.findLastIndex(({ name }) => name === "primitive") + 1;
  const at = beside === undefined ? last : change.beside?.where === "before" ? beside : beside + 1;
  group.children.splice(at, 0, resource);
  return configuration;
}

const notMember = (member: string, group: string) =>
  failure(
    "NO_SUCH_OBJECT",
    `"${member}" is not a member of ${group}`,
    `'configure show ${group}' lists them`,
    CrmExit.NOSUCH,
  );

const blocks = ["instance_attributes", "meta_attributes", "utilization"];
/** `set OBJECT.NAME VALUE` and `set OBJECT.OPERATION.NAME VALUE`: changes a value that is configured. */
export function setConfigured(source: XmlElement, path: string, value: string): XmlElement {
  const configuration = cloneElement(source);
  const known = owners(configuration);
  for (const node of child(configuration, "nodes")?.children ?? []) {
    const name = node.attributes.get("uname") ?? "";
    if (!known.has(name)) known.set(name, node);
  }
  // Ids may have dots: the longest that there is counts.
  const id = [...known.keys()]
    .filter((one) => path.startsWith(`${one}.`))
    .sort((a, b) => b.length - a.length)[0];
  const object = id === undefined ? undefined : known.get(id);
  if (id === undefined || object === undefined) throw noObject(path.replace(/\..*$/, ""), known.keys());
  const rest = path.slice(id.length + 1);
  const [, task = "", name = ""] = /^(?:op\.)?([^.]+)\.(.+)$/.exec(rest) ?? [];
  const operation = child(object, "operations")?.children.find(
    ({ attributes }) => attributes.get("name") === task,
  );
  // Names of parameters may have dots, too.
  const pair = configuredPair(object, rest, path) ?? (operation && configuredPair(operation, name, path));
  if (pair) pair.attributes.set("value", value);
  else if (operation && operationAttributes.has(name)) operation.attributes.set(name, value);
  else
    throw failure(
      "NO_SUCH_OBJECT",
      `"${path}" is not configured, so that it cannot be changed`,
      `'configure show ${id}' shows what is; add it there`,
      CrmExit.NOSUCH,
    );
  return configuration;
}

/** @throws HactlError AMBIGUOUS where several sets have it */
function configuredPair(holder: XmlElement, name: string, path: string): XmlElement | undefined {
  const direct = holder.name === "cluster_property_set" ? [holder] : [];
  const own = blocks.includes(holder.name) ? [holder] : [];
  const found = [...direct, ...own, ...holder.children.filter((block) => blocks.includes(block.name))]
    .flatMap((block) => block.children)
    .filter((pair) => pair.name === "nvpair" && pair.attributes.get("name") === name);
  if (found.length > 1)
    throw failure(
      "AMBIGUOUS",
      `"${path}" is configured ${found.length} times: ${found.map(({ attributes }) => attributes.get("id")).join(", ")}`,
      "say 'hactl configure edit', or cibadmin --modify with the id of the one that is meant",
      CrmExit.MULTIPLE,
    );
  return found[0];
}

/** The reference of a rule to a constraint means the rule of that constraint. */
export function resolveRuleReferences(configuration: XmlElement): void {
  const constraints = child(configuration, "constraints") ?? element("constraints");
  const byId = new Map(constraints.children.map((item) => [item.attributes.get("id"), item]));
  visit(configuration, (source) => {
    if (source.name !== "rule") return;
    const target = byId.get(source.attributes.get("id-ref"));
    const rule = target?.children.find(({ name, attributes }) => name === "rule" && attributes.has("id"));
    const id = rule?.attributes.get("id");
    if (id !== undefined) source.attributes.set("id-ref", id);
  });
}

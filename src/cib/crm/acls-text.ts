import { lookup, nearest } from "../../terms/index.ts";
import { element, type XmlElement } from "../xml.ts";
import { quoteValue } from "./lexer.ts";
import type { CrmObject } from "./objects.ts";
import { readDescription } from "./read-resources.ts";
import type { Reader } from "./reader.ts";

const kinds = ["read", "write", "deny"];
const blocks: Readonly<Record<string, string>> = lookup({
  meta: "meta_attributes",
  params: "instance_attributes",
  utilization: "utilization",
});

/** Short forms for parts of the configuration: their words, and the XPath that each stands for. */
const shortcuts: Readonly<Record<string, (first?: string, second?: string) => string | undefined>> = lookup({
  meta: blockPath("meta"),
  params: blockPath("params"),
  utilization: blockPath("utilization"),
  location: (rsc) =>
    rsc === undefined ? undefined : `//rsc_location[@id='cli-prefer-${rsc}' and @rsc='${rsc}']`,
  property: (name) => `//crm_config/cluster_property_set${named(name)}`,
  node: (name) => `//nodes/node${name === undefined ? "" : `[@uname='${name}']`}`,
  nodeattr: (name) => `//nodes/node/instance_attributes${named(name)}`,
  nodeutil: (name) => `//nodes/node${name === undefined ? "" : `[@uname='${name}']`}/utilization`,
  status: (extra) => (extra === undefined ? "/cib/status" : undefined),
  cib: (extra) => (extra === undefined ? "/cib" : undefined),
});
const named = (name: string | undefined) => (name === undefined ? "" : `/nvpair[@name='${name}']`);

function blockPath(word: string) {
  return (rsc?: string, name?: string) =>
    rsc === undefined ? undefined : `//primitive[@id='${rsc}']/${blocks[word]}${named(name)}`;
}

/** Turns the XPath of a short form back into it. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/^\/\/primitive\[@id='([^']+)'\]\/meta_attributes(?:\/nvpair\[@name='([^']+)'\])?$/, "meta"],
  [/^\/\/primitive\[@id='([^']+)'\]\/instance_attributes(?:\/nvpair\[@name='([^']+)'\])?$/, "params"],
  [/^\/\/primitive\[@id='([^']+)'\]\/utilization(?:\/nvpair\[@name='([^']+)'\])?$/, "utilization"],
  [/^\/\/rsc_location\[@id='cli-prefer-[^']+' and @rsc='([^']+)'\]$/, "location"],
  [/^\/\/crm_config\/cluster_property_set(?:\/nvpair\[@name='([^']+)'\])?$/, "property"],
  [/^\/\/nodes\/node(?:\[@uname='([^']+)'\])?$/, "node"],
  [/^\/\/nodes\/node\/instance_attributes(?:\/nvpair\[@name='([^']+)'\])?$/, "nodeattr"],
  [/^\/\/nodes\/node(?:\[@uname='([^']+)'\])?\/utilization$/, "nodeutil"],
  [/^\/cib\/status$/, "status"],
  [/^\/cib$/, "cib"],
];

const object = (reader: Reader, source: XmlElement): CrmObject => ({
  keyword: reader.keyword,
  line: reader.line,
  section: "acls",
  element: source,
});

/** `role`. */
export function readAclRole(reader: Reader): CrmObject {
  const role = element("acl_role", { id: reader.take("the id of the role").text });
  readDescription(reader, role);
  readPermissions(reader, role);
  if (role.children.length === 0)
    throw reader.fail("the role permits nothing", "add read, write or deny rules");
  return object(reader, role);
}

function readPermissions(reader: Reader, role: XmlElement): void {
  while (!reader.atEnd) {
    const kind = reader.takeWord(...kinds);
    if (kind === undefined) throw reader.unknown("permission", reader.take("a permission"), kinds);
    const permission = element("acl_permission", { kind, id: readPermissionId(reader) });
    while (!reader.atEnd && !kinds.includes(reader.wordAhead() ?? "")) readSpecification(reader, permission);
    const { attributes } = permission;
    if (!attributes.has("xpath") && !attributes.has("reference") && !attributes.has("object-type"))
      throw reader.fail(
        `"${kind}" does not say what`,
        "write xpath:PATH, ref:ID, type:ELEMENT or a short form",
      );
    role.children.push(...oneWayEach(permission));
  }
}

/** What a permission is for has one form only: a path, an id, or elements perhaps with an attribute. */
function oneWayEach(permission: XmlElement): XmlElement[] {
  const forms = [["xpath"], ["reference"], ["object-type", "attribute"]];
  const used = forms.filter(([name = ""]) => permission.attributes.has(name));
  if (used.length < 2) return [permission];
  return used.map((form) => {
    const others = forms.filter((other) => other !== form).flat();
    const attributes = [...permission.attributes].filter(([name]) => !others.includes(name));
    return { ...permission, attributes: new Map(attributes) };
  });
}

/** `ID:` or `$id=ID`. */
function readPermissionId(reader: Reader): string | undefined {
  const option = reader.takeOption("$id");
  if (option !== undefined) return option.value;
  const id = /^([A-Za-z_][\w-]*):$/.exec(reader.peek()?.text ?? "")?.[1];
  if (id !== undefined) reader.skip();
  return id;
}

function readSpecification(reader: Reader, permission: XmlElement): void {
  readDescription(reader, permission);
  const token = reader.peek();
  if (token === undefined || kinds.includes(reader.wordAhead() ?? "")) return;
  reader.skip();
  const [word = "", ...rest] = token.text.split(":");
  const keyword = word.toLowerCase();
  const value = rest.join(":");
  const names: Readonly<Record<string, string>> = lookup({
    xpath: "xpath",
    ref: "reference",
    tag: "object-type",
    type: "object-type",
    attribute: "attribute",
    attr: "attribute",
  });
  const name = names[keyword];
  const shortcut = name === undefined ? shortcuts[keyword] : undefined;
  const parts = rest.filter((part) => part !== "");
  const path = shortcut && parts.length <= shortcut.length ? shortcut(...parts) : undefined;
  if (name !== undefined && value !== "") permission.attributes.set(name, value);
  else if (path !== undefined) permission.attributes.set("xpath", path);
  else {
    const near = nearest(word, [...Object.keys(names), ...Object.keys(shortcuts)]);
    const cure =
      near === undefined || near === keyword
        ? "write xpath:PATH, ref:ID, type:ELEMENT or a short form with its id"
        : `did you mean "${near}"?`;
    throw reader.fail(`"${token.text}" is nothing that can be permitted`, cure, token);
  }
}

/** `acl_target` and `acl_group`. */
export function readAclTarget(reader: Reader): CrmObject {
  const target = element(reader.keyword, { id: reader.take("a name").text });
  do target.children.push(element("role", { id: reader.take("a role").text }));
  while (!reader.atEnd);
  return object(reader, target);
}

/** `user`, of schemas before 2.0: roles, or rules that become a role of its own. */
export function readAclUser(reader: Reader): CrmObject[] {
  const id = reader.take("the id of the user").text;
  const target = element("acl_target", { id });
  while (/^role:./.test(reader.peek()?.text ?? ""))
    target.children.push(element("role", { id: reader.take("a role").text.slice("role:".length) }));
  if (reader.atEnd && target.children.length > 0) return [object(reader, target)];
  if (reader.atEnd) throw reader.fail("the user has no role and no rule", "write role:ROLE, or rules");
  const role = element("acl_role", { id: `auto-${id}` });
  readPermissions(reader, role);
  target.children.push(element("role", { id: `auto-${id}` }));
  return [object(reader, role), object(reader, target)];
}

/** Writes one permission. */
export function formatPermission({ attributes }: XmlElement, referenced: ReadonlySet<string>): string {
  const words = [attributes.get("kind") ?? ""];
  const id = attributes.get("id");
  if (id !== undefined && referenced.has(id)) words.push(`$id=${quoteValue(id)}`);
  const description = attributes.get("description");
  if (description !== undefined) words.push(`description=${quoteValue(description)}`);
  const xpath = attributes.get("xpath");
  const reference = attributes.get("reference");
  const attribute = attributes.get("attribute");
  const type = attributes.get("object-type");
  if (xpath !== undefined) words.push(shortForm(xpath));
  if (reference !== undefined) words.push(`ref:${reference}`);
  if (attribute !== undefined) words.push(`attr:${attribute}`);
  if (type !== undefined) words.push(`type:${type}`);
  return words.join(" ");
}

function shortForm(xpath: string): string {
  for (const [pattern, word] of patterns) {
    const match = pattern.exec(xpath);
    const parts = match?.slice(1).filter((part) => part !== undefined);
    if (parts !== undefined && shortcuts[word]?.(...parts) === xpath) return [word, ...parts].join(":");
  }
  return `xpath:${quoteValue(xpath)}`;
}

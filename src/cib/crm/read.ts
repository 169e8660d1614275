import { HactlError, lookup, nearest } from "../../terms/index.ts";
import { element, parseXml, type XmlElement } from "../xml.ts";
import { readAclRole, readAclTarget, readAclUser } from "./acls-text.ts";
import { type Statement, splitStatements, syntaxError } from "./lexer.ts";
import { type AddedOperation, type CrmObject, memberName, type Section } from "./objects.ts";
import { readColocation, readLocation, readOrder, readTicket } from "./read-constraints.ts";
import { readAlert, readNode, readPropertySet, readTag, readTopology } from "./read-options.ts";
import { readBundle, readContainer, readPrimitive } from "./read-resources.ts";
import { Reader, readRole } from "./reader.ts";

/** Crm text taken apart. */
export interface CrmText {
  readonly objects: readonly CrmObject[];
  readonly operations: readonly AddedOperation[];
  /** Every mistake in the text, in its order. */
  readonly errors: readonly HactlError[];
  /** Ids that statements with mistakes may have meant to define. */
  readonly meant: ReadonlySet<string>;
}

const readers: Readonly<Record<string, (reader: Reader) => CrmObject | CrmObject[]>> = lookup({
  node: readNode,
  primitive: readPrimitive,
  rsc_template: readPrimitive,
  group: readContainer,
  clone: readContainer,
  ms: readContainer,
  master: readContainer,
  bundle: readBundle,
  location: readLocation,
  colocation: readColocation,
  collocation: readColocation,
  order: readOrder,
  rsc_ticket: readTicket,
  property: readPropertySet,
  rsc_defaults: readPropertySet,
  op_defaults: readPropertySet,
  fencing_topology: readTopology,
  role: readAclRole,
  acl_target: readAclTarget,
  acl_group: readAclTarget,
  user: readAclUser,
  alert: readAlert,
  tag: readTag,
});

/** Whether a word begins a statement. */
export const isStatement = (keyword: string): boolean =>
  keyword === "monitor" || keyword === "xml" || readers[keyword] !== undefined;

/** Reads crm shell text (crm(8), "configure") without looking at what is configured already. */
export function readCrm(text: string): CrmText {
  const { statements, errors: found, torn } = splitStatements(text);
  const meant = new Set(torn.flatMap(meantByText));
  const objects: CrmObject[] = [];
  const operations: AddedOperation[] = [];
  const errors = [...found];
  for (const statement of statements) {
    try {
      if (statement.keyword === "monitor") operations.push(readMonitor(new Reader(statement)));
      else objects.push(...readObjects(statement));
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      errors.push(error);
      for (const id of meantBy(statement)) meant.add(id);
    }
  }
  errors.push(...findDoubles(objects));
  errors.sort((a, b) => (a.where?.line ?? 0) - (b.where?.line ?? 0));
  return { objects, operations, errors, meant };
}

/** Ids that a statement gives: what stands first in it, and all that it calls an id. */
function meantBy({ keyword, tokens, raw }: Statement): string[] {
  if (keyword === "xml") return idsIn(raw);
  const words = tokens.map(({ text }) => text);
  const id = words[0] ?? "";
  return [id, ...(keyword === "user" ? [`auto-${id}`] : []), ...words.flatMap(idsIn)];
}

/** The same of a statement whose words cannot be told apart. */
const meantByText = (text: string): string[] => [
  /^\s*\S+\s+["']?([^\s"']+)/.exec(text)?.[1] ?? "",
  ...idsIn(text),
];

/** Values of `id="…"` and `$id=…`. */
const idsIn = (text: string): string[] =>
  [...text.matchAll(/(?<![\w-])id\s*=\s*["']?([^\s"'>]+)/g)].map(([, id = ""]) => id);

/** Ids of what crm shell text defines; nodes by their names. */
export const definedIds = (text: string): string[] =>
  readCrm(text).objects.flatMap(
    ({ section, element: { attributes } }) => attributes.get(section === "nodes" ? "uname" : "id") ?? [],
  );

/** How many objects crm shell text defines in each section of the configuration. */
export function definedCounts(text: string): ReadonlyMap<Section, number> {
  const counts = new Map<Section, number>();
  for (const { section } of readCrm(text).objects) counts.set(section, (counts.get(section) ?? 0) + 1);
  return counts;
}

/** Objects that one statement defines. */
export function readObjects(statement: Statement): readonly CrmObject[] {
  const { keyword, line } = statement;
  if (keyword === "xml") return readXml(statement);
  const read = readers[keyword];
  if (read === undefined) {
    const near = nearest(keyword, [...Object.keys(readers), "monitor", "xml"]);
    const cure = near === undefined ? "see crm(8) for what can stand here" : `did you mean "${near}"?`;
    throw syntaxError(`unknown statement "${keyword}"`, cure, line, 1);
  }
  const reader = new Reader(statement);
  const objects = [read(reader)].flat();
  refuseRest(reader);
  for (const object of objects) setLine(object.element, line);
  return objects;
}

/** Words that nobody has read would be lost. */
function refuseRest(reader: Reader): void {
  const token = reader.peek();
  if (token === undefined) return;
  throw reader.fail(
    `"${reader.keyword}" goes on with "${token.text}", which does not belong to it`,
    "take it out, or begin a new statement",
  );
}

function setLine(target: XmlElement, line: number): void {
  target.line = line;
  for (const item of target.children) setLine(item, line);
}

function readMonitor(reader: Reader): AddedOperation {
  const token = reader.take("a resource");
  const [rsc = "", role, ...moreOfName] = token.text.split(":");
  if (moreOfName.length > 0)
    throw reader.fail(`"${token.text}" is no resource`, "write RSC or RSC:ROLE", token);
  const time = reader.take("an interval");
  const [interval = "", timeout, ...moreOfTime] = time.text.split(":");
  if (moreOfTime.length > 0)
    throw reader.fail(`"${time.text}" is no interval`, "write INTERVAL or INTERVAL:TIMEOUT", time);
  const operation = element("op", {
    name: "monitor",
    role: role === undefined ? undefined : readRole(reader, role, token),
    interval,
    timeout,
  });
  setLine(operation, reader.line);
  refuseRest(reader);
  return { line: reader.line, rsc, operation };
}

/** Section of each element that can stand behind `xml`. */
const sectionOf: Readonly<Record<string, Section>> = lookup({
  node: "nodes",
  primitive: "resources",
  template: "resources",
  group: "resources",
  clone: "resources",
  master: "resources",
  bundle: "resources",
  rsc_location: "constraints",
  rsc_colocation: "constraints",
  rsc_order: "constraints",
  rsc_ticket: "constraints",
  cluster_property_set: "crm_config",
  "fencing-topology": "fencing-topology",
  tag: "tags",
  acl_role: "acls",
  acl_target: "acls",
  acl_group: "acls",
  alert: "alerts",
});
const wrappers: readonly Section[] = [
  "crm_config",
  "nodes",
  "resources",
  "constraints",
  "rsc_defaults",
  "op_defaults",
  "tags",
  "acls",
  "alerts",
];

function readXml({ raw, line }: Statement): CrmObject[] {
  const root = parseAt(raw, line);
  adoptReferences(root);
  const wrapper = wrappers.find((name) => name === root.name);
  const elements = wrapper === undefined ? [root] : root.children;
  return elements.map((item) => {
    const section = wrapper ?? sectionOf[item.name];
    if (section !== undefined) return { keyword: "xml", line, section, element: item };
    const near = nearest(item.name, Object.keys(sectionOf));
    const cure = near === undefined ? "give an element of the configuration" : `did you mean <${near}>?`;
    throw syntaxError(`<${item.name}> cannot stand here`, cure, line);
  });
}

/** XML within crm text: its lines are counted in the text. */
function parseAt(raw: string, line: number): XmlElement {
  try {
    const root = parseXml(raw.trim());
    const shift = (target: XmlElement) => {
      target.line = (target.line ?? 1) + line - 1;
      target.children.forEach(shift);
    };
    shift(root);
    return root;
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    throw syntaxError(error.what, "correct the XML behind xml", line + (error.where?.line ?? 1) - 1);
  }
}

/** The crm shell writes `<crmsh-ref>` for a resource that is defined elsewhere. */
function adoptReferences(parent: XmlElement): void {
  for (const item of parent.children) {
    if (item.name === "crmsh-ref") item.name = memberName;
    else adoptReferences(item);
  }
}

/** Sets of properties may be given in pieces; everything else only once. */
function findDoubles(objects: readonly CrmObject[]): HactlError[] {
  const seen = new Map<string, number>();
  const errors: HactlError[] = [];
  for (const { section, element: source, line } of objects) {
    if (section === "crm_config" || section === "rsc_defaults" || section === "op_defaults") continue;
    const key =
      section === "fencing-topology" ? section : source.attributes.get(section === "nodes" ? "uname" : "id");
    if (key === undefined) continue;
    const space = section === "nodes" || section === "acls" ? `${section} ${key}` : key;
    const before = seen.get(space);
    if (before === undefined) seen.set(space, line);
    else
      errors.push(
        syntaxError(`"${key}" is defined twice`, `it stands in line ${before} already: take one out`, line),
      );
  }
  return errors;
}

import { lookup, nearest } from "../../terms/index.ts";
import { element, type XmlElement } from "../xml.ts";
import { atStop, readBlock, readBlockInto } from "./blocks-text.ts";
import type { Token } from "./lexer.ts";
import { type CrmObject, member } from "./objects.ts";
import { type Reader, readRole } from "./reader.ts";

const classes = ["ocf", "lsb", "systemd", "service", "stonith", "upstart", "nagios", "heartbeat"];
/** Attributes of `<op>`; other pairs of an operation are its parameters. */
export const operationAttributes: ReadonlySet<string> = new Set([
  "interval",
  "timeout",
  "role",
  "on-fail",
  "enabled",
  "start-delay",
  "interval-origin",
  "record-pending",
  "requires",
  "description",
]);
const blockNames: Readonly<Record<string, string>> = lookup({
  params: "instance_attributes",
  meta: "meta_attributes",
  utilization: "utilization",
  op_params: "instance_attributes",
  op_meta: "meta_attributes",
});
const primitiveStops = new Set(["params", "meta", "utilization", "operations", "op", "op_params", "op_meta"]);
const containerStops = new Set(["params", "meta"]);
const bundleStops = new Set([
  ...containerStops,
  "docker",
  "podman",
  "rkt",
  "network",
  "storage",
  "primitive",
]);

/** An object's description stands right behind its head: within a block it is one of the block's pairs. */
export function readDescription(reader: Reader, target: XmlElement): void {
  const description = reader.takeOption("description");
  if (description !== undefined) target.attributes.set("description", description.value);
}

/** Takes an id, perhaps written `$id=ID` or `id=ID`. */
export function readId(reader: Reader, what: string): string {
  const option = reader.takeOption("$id", "id");
  if (option !== undefined) return option.value;
  const token = reader.take(`the id of the ${what}`);
  if (!/^[A-Za-z_][\w.-]*$/.test(token.text)) {
    const cure = "an id begins with a letter or _ and goes on with letters, digits, _, . and -";
    throw reader.fail(`"${token.text}" cannot be an id`, cure, token);
  }
  return token.text;
}

/** `primitive` and `rsc_template`. */
export function readPrimitive(reader: Reader): CrmObject {
  const template = reader.keyword === "rsc_template";
  const resource = element(template ? "template" : "primitive", { id: readId(reader, "resource") });
  readType(reader, resource, !template);
  readBlocks(reader, resource, primitiveStops);
  return { keyword: reader.keyword, line: reader.line, section: "resources", element: resource };
}

function readType(reader: Reader, resource: XmlElement, mayReferTemplate: boolean): void {
  const token = reader.take("its type (CLASS:PROVIDER:TYPE)");
  if (mayReferTemplate && token.text.startsWith("@")) {
    resource.attributes.set("template", token.text.slice(1));
    return;
  }
  if (token.text.startsWith("@"))
    throw reader.fail(
      "a template is not made from a template",
      "write its type (CLASS:PROVIDER:TYPE)",
      token,
    );
  for (const [name, value] of Object.entries(splitType(reader, token))) resource.attributes.set(name, value);
}

/** `TYPE` is `ocf:heartbeat:TYPE`, `PROVIDER:TYPE` and `ocf:TYPE` get what they lack. */
function splitType(reader: Reader, token: Token): Record<string, string> {
  const [first = "", ...rest] = token.text.replace("::", ":").split(":");
  const tail = rest.join(":");
  if (first === "" || (rest.length > 0 && tail === "")) throw badType(reader, token);
  if (rest.length === 0) return { class: "ocf", provider: "heartbeat", type: first };
  if (first === "ocf") {
    const [provider = "", ...type] = rest;
    if (type.length === 0) return { class: "ocf", provider: "heartbeat", type: provider };
    if (provider === "" || type.join("") === "") throw badType(reader, token);
    return { class: "ocf", provider, type: type.join(":") };
  }
  if (classes.includes(first)) return { class: first, type: tail };
  const near = nearest(first, classes);
  if (rest.length > 1 || near !== undefined) {
    const cure = near === undefined ? `classes are ${classes.join(", ")}` : `did you mean "${near}"?`;
    throw reader.fail(`unknown class "${first}"`, cure, token);
  }
  return { class: "ocf", provider: first, type: tail };
}

const badType = (reader: Reader, token: Token) =>
  reader.fail(
    `"${token.text}" is no type of resource`,
    "write CLASS:PROVIDER:TYPE, such as ocf:heartbeat:IPaddr2",
    token,
  );

/** Everything behind a resource's head. Pairs without a keyword before them are parameters. */
function readBlocks(reader: Reader, resource: XmlElement, stops: ReadonlySet<string>): void {
  readDescription(reader, resource);
  if (!reader.atEnd && !atStop(reader, stops))
    resource.children.push(readBlock(reader, "instance_attributes", stops));
  while (!reader.atEnd) {
    const token = reader.peek();
    const keyword = reader.takeWord(...stops);
    if (keyword === undefined) throw reader.unknown("keyword", token ?? reader.take("a keyword"), stops);
    switch (keyword) {
      case "params":
      case "utilization":
        resource.children.push(readBlock(reader, blockNames[keyword] ?? "", stops));
        break;
      case "meta":
        resource.children.push(readBlock(reader, "meta_attributes", stops));
        break;
      case "operations":
        readOperations(reader, resource);
        break;
      case "op":
        operationsOf(resource).children.push(readOperation(reader, stops));
        break;
      default:
        readOperationBlock(reader, resource, keyword, stops, token);
    }
  }
}

function operationsOf(resource: XmlElement): XmlElement {
  const present = resource.children.find(({ name }) => name === "operations");
  if (present) return present;
  const operations = element("operations");
  resource.children.push(operations);
  return operations;
}

function readOperations(reader: Reader, resource: XmlElement): void {
  const option = reader.takeOption("$id", "$id-ref");
  if (option === undefined) {
    const token = reader.peek();
    throw reader.fail(`"operations" takes $id=ID or $id-ref=ID`, "write one of them", token);
  }
  operationsOf(resource).attributes.set(option.name.slice(1), option.value);
}

function readOperation(reader: Reader, stops: ReadonlySet<string>): XmlElement {
  const operation = element("op");
  const id = reader.takeOption("$id");
  if (id) operation.attributes.set("id", id.value);
  const token = reader.take("the name of an operation");
  if (token.text.includes("="))
    throw reader.fail("the operation has no name", "write op NAME interval=…", token);
  operation.attributes.set("name", token.text);
  const parameters = element("instance_attributes");
  while (!reader.atEnd && !atStop(reader, stops)) {
    const pairs = readBlock(reader, "instance_attributes", stops).children;
    for (const pair of pairs) {
      const name = pair.attributes.get("name") ?? "";
      const value = pair.attributes.get("value");
      if (operationAttributes.has(name) && value === undefined && !pair.attributes.has("id-ref"))
        throw reader.fail(
          `"${name}" of operation "${token.text}" has no value`,
          `write ${name}=VALUE`,
          token,
        );
      if (name === "$id") operation.attributes.set("id", value ?? "");
      else if (operationAttributes.has(name) && value !== undefined)
        operation.attributes.set(name, name === "role" ? readRole(reader, value) : value);
      else parameters.children.push(pair);
    }
  }
  if (parameters.children.length > 0) operation.children.push(parameters);
  if (!operation.attributes.has("interval")) operation.attributes.set("interval", "0");
  return operation;
}

/** `op_params` and `op_meta` belong to the operation before. The first plain parameters join those of its own line. */
function readOperationBlock(
  reader: Reader,
  resource: XmlElement,
  keyword: string,
  stops: ReadonlySet<string>,
  token: Token | undefined,
): void {
  const operation = resource.children.find(({ name }) => name === "operations")?.children.at(-1);
  if (operation === undefined)
    throw reader.fail(`"${keyword}" stands before any operation`, "put it behind an op", token);
  const block = element(blockNames[keyword] ?? "");
  readBlockInto(reader, block, stops);
  operation.children.push(block);
}

/** `group`, `clone`, `ms` and `master`. */
export function readContainer(reader: Reader): CrmObject {
  const { keyword } = reader;
  const names: Readonly<Record<string, string>> = lookup({ group: "group", clone: "clone" });
  const container = element(names[keyword] ?? "master", { id: readId(reader, keyword) });
  const members: XmlElement[] = [member(readMember(reader))];
  while (keyword === "group" && !reader.atEnd && !atStop(reader, containerStops) && !isPair(reader))
    members.push(member(readMember(reader)));
  if (keyword !== "group") refuseSecond(reader);
  readBlocks(reader, container, containerStops);
  container.children.push(...members);
  return { keyword, line: reader.line, section: "resources", element: container };
}

/** A second resource would be taken for a parameter without a value. */
function refuseSecond(reader: Reader): void {
  const token = reader.peek();
  if (token === undefined || atStop(reader, containerStops) || isPair(reader)) return;
  if (/^[@$]/.test(token.text) || token.text.endsWith(":")) return;
  if (reader.wordAhead() === "rule") return;
  throw reader.fail(
    `"${reader.keyword}" is made of one resource; "${token.text}" is a second`,
    "make a group of both, and name that",
    token,
  );
}

const isPair = (reader: Reader) => reader.peek()?.text.includes("=") ?? false;

function readMember(reader: Reader): string {
  const token = reader.take("a resource");
  if (token.text.includes("=") || containerStops.has(token.text.toLowerCase()))
    throw reader.fail(`"${reader.keyword}" needs a resource`, "name the resource behind the id", token);
  return token.text;
}

/** `bundle`. */
export function readBundle(reader: Reader): CrmObject {
  const bundle = element("bundle", { id: readId(reader, "bundle") });
  readDescription(reader, bundle);
  while (!reader.atEnd) {
    const token = reader.peek();
    const keyword = reader.takeWord(...bundleStops);
    if (keyword === undefined)
      throw reader.unknown("keyword", token ?? reader.take("a keyword"), bundleStops);
    if (keyword === "params") bundle.children.push(readBlock(reader, "instance_attributes", bundleStops));
    else if (keyword === "meta") bundle.children.push(readBlock(reader, "meta_attributes", bundleStops));
    else if (keyword === "primitive") bundle.children.push(member(reader.take("a resource").text));
    else bundle.children.push(readBundlePart(reader, keyword));
  }
  return { keyword: "bundle", line: reader.line, section: "resources", element: bundle };
}

/** `docker image=…`, `network … port-mapping …`, `storage storage-mapping …`. */
function readBundlePart(reader: Reader, keyword: string): XmlElement {
  const part = element(keyword);
  const mapping =
    keyword === "network" ? "port-mapping" : keyword === "storage" ? "storage-mapping" : undefined;
  let target = part;
  while (!reader.atEnd && !atStop(reader, bundleStops)) {
    if (mapping !== undefined && reader.takeWord(mapping) !== undefined) {
      target = element(mapping);
      part.children.push(target);
      continue;
    }
    const token = reader.take("NAME=VALUE");
    const split = token.text.indexOf("=");
    if (split < 1)
      throw reader.unknown("keyword", token, [...bundleStops, ...(mapping === undefined ? [] : [mapping])]);
    target.attributes.set(token.text.slice(0, split).replace(/^\$id$/, "id"), token.text.slice(split + 1));
  }
  return part;
}

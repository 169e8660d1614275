import { lookup } from "../../terms/index.ts";
import { element, type XmlElement } from "../xml.ts";
import { readBlock, readBlockInto } from "./blocks-text.ts";
import type { Token } from "./lexer.ts";
import { type CrmObject, everyNode, type Section } from "./objects.ts";
import { readDescription, readId } from "./read-resources.ts";
import type { Reader } from "./reader.ts";

const nodeStops = new Set(["attributes", "utilization"]);
const nodeTypes = ["normal", "member", "ping", "remote"];
const none: ReadonlySet<string> = new Set();

/** `node`. Without an id the name is the id too, and means the node that has this name already. */
export function readNode(reader: Reader): CrmObject {
  const node = element("node");
  const id = reader.takeOption("$id", "id");
  let token = reader.take("the name of the node");
  if (id !== undefined) node.attributes.set("id", id.value);
  else if (token.text.endsWith(":")) {
    node.attributes.set("id", token.text.slice(0, -1));
    token = reader.take("the name of the node");
  }
  const [, name = token.text, type] = /^(.+?):(\w+)$/.exec(token.text) ?? [];
  node.attributes.set("uname", name);
  if (type !== undefined) {
    if (!nodeTypes.includes(type)) throw reader.unknown("type of node", { ...token, text: type }, nodeTypes);
    node.attributes.set("type", type);
  }
  readDescription(reader, node);
  // Pairs without a keyword before them are attributes.
  if (/=|^rule$/i.test(reader.peek()?.text ?? ""))
    node.children.push(readBlock(reader, "instance_attributes", nodeStops));
  while (!reader.atEnd) {
    const next = reader.peek();
    const keyword = reader.takeWord("attributes", "utilization");
    if (keyword === "attributes") node.children.push(readBlock(reader, "instance_attributes", nodeStops));
    else if (keyword === "utilization") node.children.push(readBlock(reader, "utilization", nodeStops));
    else throw reader.unknown("keyword", next ?? reader.take("a keyword"), nodeStops);
  }
  return { keyword: "node", line: reader.line, section: "nodes", element: node };
}

const sets: Readonly<Record<string, readonly [section: Section, name: string, id: string]>> = lookup({
  property: ["crm_config", "cluster_property_set", "cib-bootstrap-options"],
  rsc_defaults: ["rsc_defaults", "meta_attributes", "rsc-options"],
  op_defaults: ["op_defaults", "meta_attributes", "op-options"],
});

/** `property`, `rsc_defaults`, `op_defaults`. */
export function readPropertySet(reader: Reader): CrmObject {
  const [section, name, id] = sets[reader.keyword] ?? [
    "crm_config",
    "cluster_property_set",
    "cib-bootstrap-options",
  ];
  const set = element(name);
  const token = reader.take("NAME=VALUE");
  if (/^[A-Za-z_][\w.-]*:$/.test(token.text)) set.attributes.set("id", token.text.slice(0, -1));
  else reader.back();
  readBlockInto(reader, set, none);
  const bare = set.children.find(
    (pair) => pair.name === "nvpair" && !pair.attributes.has("value") && !pair.attributes.has("id-ref"),
  );
  if (bare) throw reader.fail(`"${bare.attributes.get("name")}" has no value`, "write NAME=VALUE", token);
  const anySet = !set.attributes.has("id") && !set.attributes.has("id-ref");
  if (anySet) set.attributes.set("id", id);
  return { keyword: reader.keyword, line: reader.line, section, element: set, anySet };
}

/** `fencing_topology`: a level a word, devices of a level joined by commas; a target with a colon begins its levels. */
export function readTopology(reader: Reader): CrmObject {
  const topology = element("fencing-topology");
  let target: Readonly<Record<string, string>> = { [everyNode]: "" };
  let open: Token | undefined;
  const refuseOpen = () => {
    if (open) throw reader.fail(`"${open.text}" has no level`, "name its fence devices behind it", open);
  };
  const levels = new Map<string, number>();
  while (!reader.atEnd) {
    const token = reader.take("a level");
    const named = readTarget(token.text);
    if (named !== undefined) {
      refuseOpen();
      open = token;
      target = named;
      continue;
    }
    open = undefined;
    if (!/^[\w.-]+(,[\w.-]+)*$/.test(token.text))
      throw reader.fail(
        `"${token.text}" is no level`,
        "write fence devices, joined by commas, or TARGET:",
        token,
      );
    const key = JSON.stringify(target);
    const index = (levels.get(key) ?? 0) + 1;
    levels.set(key, index);
    topology.children.push(element("fencing-level", { ...target, index, devices: token.text }));
  }
  refuseOpen();
  return { keyword: "fencing_topology", line: reader.line, section: "fencing-topology", element: topology };
}

function readTarget(text: string): Record<string, string> | undefined {
  const attribute = /^attr:([^=]+)=(.*)$/s.exec(text);
  if (attribute) return { "target-attribute": attribute[1] ?? "", "target-value": attribute[2] ?? "" };
  const pattern = /^pattern:(.+)$/s.exec(text);
  if (pattern) return { "target-pattern": pattern[1] ?? "" };
  return text.length > 1 && text.endsWith(":") ? { target: text.slice(0, -1) } : undefined;
}

/** `tag`. */
export function readTag(reader: Reader): CrmObject {
  const token = reader.take("the name of the tag");
  const id = token.text.replace(/:$/, "");
  if (!/^[A-Za-z_][\w.-]*$/.test(id))
    throw reader.fail(`"${token.text}" cannot be a tag`, "write NAME:", token);
  const tag = element("tag", { id });
  while (!reader.atEnd) tag.children.push(element("obj_ref", { id: reader.take("an id").text }));
  if (tag.children.length === 0)
    throw reader.fail("the tag has no members", "name the elements that it stands for");
  return { keyword: "tag", line: reader.line, section: "tags", element: tag };
}

const alertStops = new Set(["attributes", "meta", "select", "to", "}"]);
const selections = ["nodes", "fencing", "resources", "attributes"];

/** `alert`. */
export function readAlert(reader: Reader): CrmObject {
  const alert = element("alert", {
    id: readId(reader, "alert"),
    path: reader.take("the path of a program").text,
  });
  readAlertBlocks(reader, alert);
  while (reader.takeWord("to") !== undefined) alert.children.push(readRecipient(reader));
  const token = reader.peek();
  if (token !== undefined) throw reader.unknown("keyword", token, alertStops);
  return { keyword: "alert", line: reader.line, section: "alerts", element: alert };
}

function readAlertBlocks(reader: Reader, parent: XmlElement): void {
  readDescription(reader, parent);
  for (;;) {
    const isBehindSelection = parent.children.at(-1)?.name === "select";
    const token = reader.peek();
    const keyword = reader.takeWord("attributes", "meta", ...(parent.name === "alert" ? ["select"] : []));
    if (keyword === undefined) return;
    if (keyword === "select") {
      parent.children.push(readSelection(reader));
      continue;
    }
    const kind = keyword === "meta" ? "meta_attributes" : "instance_attributes";
    const block = readBlock(reader, kind, alertStops);
    if (keyword === "attributes" && isBehindSelection && block.children.length === 0)
      throw reader.fail(
        '"attributes" behind select says neither which are selected nor sets any',
        'write "attributes { NAME … }", or "attributes { }" for all',
        token,
      );
    parent.children.push(block);
  }
}

/** `select nodes fencing resources attributes { A… }`. `attributes` without braces begins the next block. */
function readSelection(reader: Reader): XmlElement {
  const selection = element("select");
  for (;;) {
    if (reader.wordAhead() === "attributes" && reader.wordAhead(1) !== "{") break;
    const word = reader.takeWord(...selections);
    if (word === undefined) break;
    const selected = element(`select_${word}`);
    selection.children.push(selected);
    if (word !== "attributes") continue;
    reader.skip();
    while (reader.takeWord("}") === undefined)
      selected.children.push(element("attribute", { name: reader.take('an attribute or "}"').text }));
  }
  if (selection.children.length === 0)
    throw reader.fail("nothing is selected", `select any of ${selections.join(", ")}`);
  return selection;
}

function readRecipient(reader: Reader): XmlElement {
  const braced = reader.takeWord("{") !== undefined;
  const recipient = element("recipient", { value: reader.take("a recipient").text });
  readAlertBlocks(reader, recipient);
  if (braced && reader.takeWord("}") === undefined)
    throw reader.fail("the recipient is not closed", 'add "}"');
  return recipient;
}

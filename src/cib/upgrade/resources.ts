import { child, childrenOf, type XmlElement } from "../xml.ts";
import { detachReferences } from "./detach.ts";
import type { Note } from "./notes.ts";
import {
  addPair,
  flattenBlock,
  modernRoles,
  openBlock,
  removeChild,
  renameAttributes,
  renamePair,
} from "./nvsets.ts";
import { isOldMetaName, upgradeMetaPair } from "./properties.ts";

/** Attributes of resource elements that are meta attributes since schema 1.0. */
const formerAttributes: Readonly<Record<string, string>> = {
  is_managed: "is-managed",
  resource_stickiness: "resource-stickiness",
  multiple_active: "multiple-active",
  restart_type: "restart-type",
  globally_unique: "globally-unique",
  notify: "notify",
  interleave: "interleave",
  ordered: "ordered",
  collocated: "collocated",
};
/** Attributes of `<op>` before schema 1.0. */
const opNames = {
  prereq: "requires",
  on_fail: "on-fail",
  start_delay: "start-delay",
  interval_origin: "interval-origin",
};
/** Parameters of fence devices that had another name. */
const fenceName = /^pcmk_(list|monitor|off|on|reboot|status)_cmd$/;
/** Names in an operation's parameters that were always taken for its attributes. */
const operationMeta = new Set([
  "name",
  "interval",
  "interval-origin",
  "start-delay",
  "enabled",
  "on-fail",
  "record-pending",
  "role",
  "timeout",
]);

/** All resources, those within others too. */
export function upgradeResources(configuration: XmlElement, note: Note): void {
  detachReferences(configuration, losesPair);
  const visit = (parent: XmlElement) => {
    for (const resource of parent.children) {
      upgradeResource(resource, note);
      visit(resource);
    }
  };
  const resources = child(configuration, "resources");
  if (resources) visit(resources);
}

/** Whether a pair of an operation's block will go: another place is the right one, or none. */
function losesPair(block: XmlElement, { name, attributes }: XmlElement): boolean {
  const own = attributes.get("name") ?? "";
  if (name !== "nvpair") return false;
  return own === "requires" || (block.name === "instance_attributes" && operationMeta.has(own));
}

function upgradeResource(resource: XmlElement, note: Note): void {
  switch (resource.name) {
    case "master":
    case "master_slave":
      upgradeBlocks(resource, note);
      makePromotable(resource);
      break;
    case "primitive":
    case "template":
      upgradeBlocks(resource, note);
      for (const operation of childrenOf(child(resource, "operations"), "op"))
        upgradeOperation(resource, operation, note);
      break;
    case "group":
    case "clone":
    case "bundle":
      upgradeBlocks(resource, note);
      break;
    case "docker":
    case "podman":
    case "rkt":
      renameAttributes(resource, { masters: "promoted-max" });
      break;
  }
}

function upgradeBlocks(resource: XmlElement, note: Note): void {
  for (const [written, name] of Object.entries(formerAttributes)) {
    const value = resource.attributes.get(written);
    if (value === undefined) continue;
    resource.attributes.delete(written);
    addPair(resource, "meta_attributes", name, value);
  }
  for (const block of [...resource.children]) {
    if (block.name === "instance_attributes") {
      // Only before schema 1.0 meta attributes stood among the parameters; that syntax has <attributes> around the pairs.
      const before1 = child(block, "attributes") !== undefined;
      flattenBlock(block);
      for (const pair of childrenOf(block, "nvpair")) upgradeParameter(resource, block, pair, before1);
    }
    if (block.name === "utilization") flattenBlock(block);
  }
  for (const block of childrenOf(resource, "meta_attributes")) {
    flattenBlock(block);
    for (const pair of childrenOf(block, "nvpair")) upgradeMetaPair(block, pair, note);
  }
}

function upgradeParameter(resource: XmlElement, block: XmlElement, pair: XmlElement, before1: boolean): void {
  const name = pair.attributes.get("name") ?? "";
  if (before1 && isOldMetaName(name)) {
    removeChild(block, pair);
    openBlock(resource, "meta_attributes").children.push(pair);
  } else if (resource.attributes.get("class") !== "stonith") return;
  else if (fenceName.test(name)) renamePair(block, pair, name.replace(/_cmd$/, "_action"));
  else if (name === "pcmk_arg_map") {
    const argument = /(?:^|,)port:([^,]*)/.exec(pair.attributes.get("value") ?? "")?.[1];
    if (argument === undefined) removeChild(block, pair);
    else {
      renamePair(block, pair, "pcmk_host_argument");
      pair.attributes.set("value", argument);
    }
  }
}

/** `<master>` is a clone that can be promoted. */
function makePromotable(resource: XmlElement): void {
  resource.name = "clone";
  for (const block of childrenOf(resource, "meta_attributes"))
    for (const pair of childrenOf(block, "nvpair"))
      if (pair.attributes.get("name") === "promotable") pair.attributes.set("value", "true");
  addPair(resource, "meta_attributes", "promotable", "true");
}

function upgradeOperation(resource: XmlElement, operation: XmlElement, note: Note): void {
  renameAttributes(operation, opNames);
  const disabled = operation.attributes.get("disabled");
  if (disabled !== undefined) {
    operation.attributes.delete("disabled");
    if (!operation.attributes.has("enabled"))
      operation.attributes.set("enabled", disabled === "true" ? "false" : "true");
  }
  modernRoles(operation, "role");
  const requires = operation.attributes.get("requires");
  if (requires !== undefined) {
    operation.attributes.delete("requires");
    moveRequires(resource, operation, requires, note);
  }
  for (const block of [...operation.children]) {
    flattenBlock(block);
    for (const pair of childrenOf(block, "nvpair"))
      upgradeOperationPair(resource, operation, block, pair, note);
    const empty = block.children.length === 0 && !block.attributes.has("id-ref");
    if (empty && block.name.endsWith("_attributes")) removeChild(operation, block);
  }
}

function upgradeOperationPair(
  resource: XmlElement,
  operation: XmlElement,
  block: XmlElement,
  pair: XmlElement,
  note: Note,
): void {
  const name = pair.attributes.get("name") ?? "";
  if (name === "requires") {
    removeChild(block, pair);
    moveRequires(resource, operation, pair.attributes.get("value") ?? "", note);
  } else if (block.name === "instance_attributes" && operationMeta.has(name)) {
    removeChild(block, pair);
    // A name that the operation itself has was never looked up here.
    if (!operation.attributes.has(name)) openBlock(operation, "meta_attributes").children.push(pair);
  }
  if (name === "role") modernRoles(pair, "value");
}

/** `requires` is a resource's since 1.1.8; of its operations only start and promote ever counted. */
function moveRequires(resource: XmlElement, operation: XmlElement, value: string, note: Note): void {
  const name = operation.attributes.get("name");
  if (name === "start" || name === "promote") addPair(resource, "meta_attributes", "requires", value);
  else note("info", operation, `"requires" of operation ${name ?? "?"} never had an effect and is dropped`);
}

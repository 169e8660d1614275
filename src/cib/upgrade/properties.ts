import { lookup } from "../../terms/index.ts";
import { child, childrenOf, cloneElement, element, type XmlElement } from "../xml.ts";
import type { Note } from "./notes.ts";
import { flattenBlock, modernRole, removeChild, renamePair } from "./nvsets.ts";

/** Properties whose meaning is now a default of resources or operations: section and name there. */
const moved: Readonly<Record<string, readonly [section: "rsc_defaults" | "op_defaults", name: string]>> =
  lookup({
    "default-action-timeout": ["op_defaults", "timeout"],
    "default-resource-stickiness": ["rsc_defaults", "resource-stickiness"],
    "default-migration-threshold": ["rsc_defaults", "migration-threshold"],
    "is-managed-default": ["rsc_defaults", "is-managed"],
  });

/** Properties that say nothing any more, and why. */
const dropped: Readonly<Record<string, string>> = lookup({
  "expected-quorum-votes": "the ring counts votes itself",
  "notification-agent": "alerts are configured in their own section",
  "notification-recipient": "alerts are configured in their own section",
});

/** Names that changed altogether. */
const renamed: Readonly<Record<string, string>> = lookup({ "transition-idle-timeout": "cluster-delay" });

/** Names that were written with `_` before schema 1.0. */
const underscored = new Set([
  "cluster-recheck-interval",
  "dc-deadtime",
  "election-timeout",
  "no-quorum-policy",
  "remove-after-stop",
  "shutdown-escalation",
  "startup-fencing",
  "stonith-action",
  "stonith-enabled",
  "stonith-timeout",
  "stop-orphan-actions",
  "stop-orphan-resources",
  "symmetric-cluster",
  "cluster-delay",
  "start-failure-is-fatal",
  "default-resource-failure-stickiness",
  ...Object.keys(moved),
  ...Object.keys(dropped),
  ...Object.keys(renamed),
]);

const oldInfrastructure = /^(heartbeat|openais|classic openais.*|cman)$/;

/** Cluster properties, defaults and nodes. */
export function upgradeProperties(configuration: XmlElement, note: Note): void {
  const config = child(configuration, "crm_config");
  if (config) {
    gatherBarePairs(config);
    for (const set of childrenOf(config, "cluster_property_set")) {
      flattenBlock(set);
      for (const pair of childrenOf(set, "nvpair")) upgradeProperty(configuration, set, pair, note);
    }
  }
  for (const name of ["rsc_defaults", "op_defaults"]) {
    for (const block of childrenOf(child(configuration, name), "meta_attributes")) {
      flattenBlock(block);
      if (name === "rsc_defaults")
        for (const pair of childrenOf(block, "nvpair")) upgradeMetaPair(block, pair, note);
    }
  }
  for (const node of childrenOf(child(configuration, "nodes"), "node")) {
    if (node.attributes.get("type") === "normal") node.attributes.set("type", "member");
    for (const block of node.children) flattenBlock(block);
  }
}

/** The first schemas had pairs directly in `<crm_config>`. */
function gatherBarePairs(config: XmlElement): void {
  const bare = childrenOf(config, "nvpair");
  if (bare.length === 0) return;
  config.children = config.children.filter(({ name }) => name !== "nvpair");
  config.children.push(element("cluster_property_set", { id: "cib-bootstrap-options" }, bare));
}

function upgradeProperty(configuration: XmlElement, set: XmlElement, pair: XmlElement, note: Note): void {
  const written = pair.attributes.get("name") ?? "";
  const dashed = written.replaceAll("_", "-");
  const name = underscored.has(dashed) ? (renamed[dashed] ?? dashed) : written;
  const value = pair.attributes.get("value") ?? "";
  const target = moved[name];
  if (name === "cluster-infrastructure" && oldInfrastructure.test(value)) removeChild(set, pair);
  else if (name === "default-resource-failure-stickiness") {
    removeChild(set, pair);
    if (value === "-INFINITY") addDefault(configuration, set, "rsc_defaults", "migration-threshold", "1");
    else
      note(
        "warning",
        pair,
        `property "${written}" has no meaning any more: set migration-threshold in rsc_defaults`,
      );
  } else if (target !== undefined) {
    removeChild(set, pair);
    addDefault(configuration, set, ...target, value);
    note("info", pair, `property "${written}" is now ${target[1]} in ${target[0]}`);
  } else if (dropped[name] !== undefined) {
    removeChild(set, pair);
    note("info", pair, `property "${written}" is dropped: ${dropped[name]}`);
  } else if (name !== written) renamePair(set, pair, name, note);
  if (name === "stonith-action" && value === "poweroff") pair.attributes.set("value", "off");
}

/** Appends a default behind all others, so that one that was configured as such wins. */
function addDefault(
  configuration: XmlElement,
  set: XmlElement,
  sectionName: "rsc_defaults" | "op_defaults",
  name: string,
  value: string,
): void {
  let section = child(configuration, sectionName);
  if (!section) {
    section = element(sectionName);
    configuration.children.push(section);
  }
  const id = `${set.attributes.get("id") ?? "cib-bootstrap-options"}-${sectionName}`;
  let block = section.children.find(({ attributes }) => attributes.get("id") === id);
  if (!block) {
    block = element("meta_attributes", { id });
    for (const rule of childrenOf(set, "rule"))
      block.children.push(withIdPrefix(cloneElement(rule), sectionName));
    const score = set.attributes.get("score");
    if (score !== undefined) block.attributes.set("score", score);
    section.children.push(block);
  }
  block.children.push(element("nvpair", { id: `${id}-${name}`, name, value }));
}

/** Gives a copied element and all in it ids of their own. */
function withIdPrefix(source: XmlElement, prefix: string): XmlElement {
  const id = source.attributes.get("id");
  if (id !== undefined) source.attributes.set("id", `${prefix}-${id}`);
  for (const item of source.children) withIdPrefix(item, prefix);
  return source;
}

/** Meta attributes whose names lost their `_` with schema 1.0. */
const metaNames = new Set([
  "target-role",
  "is-managed",
  "resource-stickiness",
  "resource-failure-stickiness",
  "multiple-active",
  "migration-threshold",
  "failure-timeout",
  "clone-max",
  "clone-node-max",
  "master-max",
  "master-node-max",
  "globally-unique",
  "restart-type",
  "allow-migrate",
]);

/** Whether a name means a meta attribute, also written the old way. */
export const isOldMetaName = (name: string) => name.includes("_") && metaNames.has(name.replaceAll("_", "-"));

/** A pair of meta attributes of a resource or of the resource defaults. */
export function upgradeMetaPair(block: XmlElement, pair: XmlElement, note: Note): void {
  const written = pair.attributes.get("name") ?? "";
  const name = isOldMetaName(written) ? written.replaceAll("_", "-") : written;
  const value = pair.attributes.get("value") ?? "";
  if (name === "master-max" || name === "master-node-max")
    renamePair(block, pair, name.replace("master", "promoted"), note);
  else if (name === "resource-failure-stickiness") {
    if (value === "-INFINITY") {
      renamePair(block, pair, "migration-threshold");
      pair.attributes.set("value", "1");
    } else {
      removeChild(block, pair);
      note("warning", pair, `"${written}" has no meaning any more: use migration-threshold`);
    }
  } else if (/^isolation(-instance|-wrapper|-host)?$/.test(name)) {
    renamePair(block, pair, "target-role");
    pair.attributes.set("value", "Stopped");
    note(
      "warning",
      pair,
      `isolation ("${name}") is not offered any more, so the resource is stopped: use a bundle`,
    );
  } else if (name !== written) renamePair(block, pair, name, note);
  if (name === "target-role") pair.attributes.set("value", modernRole(value));
}

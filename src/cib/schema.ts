import { lookup } from "../terms/index.ts";

/** What may stand in an element of the configuration (Pacemaker's schema 3.9 with the additions of 3.10 and 4.0). */
export interface ElementRule {
  readonly children: readonly string[];
  readonly attributes: readonly string[];
  readonly required: readonly string[];
}

const blocks = ["instance_attributes", "meta_attributes"];
const containerParts = [...blocks, "primitive", "group"];
const container = [
  "image",
  "replicas",
  "replicas-per-host",
  "promoted-max",
  "masters",
  "run-command",
  "network",
  "options",
];
const resources = ["primitive", "template", "group", "clone", "master", "bundle"];
const conditions = ["expression", "date_expression", "rsc_expression", "op_expression", "rule"];
/** Attributes of a duration in a rule. */
export const durationFields = ["years", "months", "weeks", "days", "hours", "minutes", "seconds"];

/** Attributes of a date specification in a rule. */
export const dateSpecFields = [
  "seconds",
  "minutes",
  "hours",
  "monthdays",
  "weekdays",
  "yeardays",
  "months",
  "weeks",
  "years",
  "weekyears",
  "moon",
];

function rule(
  children: readonly string[],
  required: readonly string[],
  optional: readonly string[] = [],
): ElementRule {
  return { children, required, attributes: [...required, ...optional, "id-ref"] };
}

const block = rule(["rule", "nvpair"], ["id"], ["score"]);

/** Elements of the configuration by name. Those that are not here are not known. */
export const elementRules: Readonly<Record<string, ElementRule>> = lookup({
  configuration: rule(
    [
      "crm_config",
      "nodes",
      "resources",
      "constraints",
      "fencing-topology",
      "rsc_defaults",
      "op_defaults",
      "acls",
      "tags",
      "alerts",
    ],
    [],
  ),
  crm_config: rule(["cluster_property_set"], []),
  rsc_defaults: rule(["meta_attributes"], []),
  op_defaults: rule(["meta_attributes"], []),
  cluster_property_set: block,
  instance_attributes: block,
  meta_attributes: block,
  utilization: block,
  nvpair: rule([], ["id"], ["name", "value"]),
  nodes: rule(["node"], []),
  node: rule(["instance_attributes", "utilization"], ["id", "uname"], ["type", "description", "score"]),
  resources: rule(resources, []),
  primitive: rule(
    [...blocks, "operations", "utilization"],
    ["id"],
    ["class", "provider", "type", "template", "description"],
  ),
  template: rule(
    [...blocks, "operations", "utilization"],
    ["id", "class", "type"],
    ["provider", "description"],
  ),
  group: rule([...blocks, "primitive"], ["id"], ["description"]),
  clone: rule(containerParts, ["id"], ["description"]),
  master: rule(containerParts, ["id"], ["description"]),
  bundle: rule(
    [...blocks, "docker", "podman", "rkt", "network", "storage", "primitive"],
    ["id"],
    ["description"],
  ),
  docker: rule([], ["image"], container),
  podman: rule([], ["image"], container),
  rkt: rule([], ["image"], container),
  network: rule(
    ["port-mapping"],
    [],
    ["ip-range-start", "control-port", "host-interface", "host-netmask", "add-host"],
  ),
  "port-mapping": rule([], ["id"], ["port", "internal-port", "range"]),
  storage: rule(["storage-mapping"], []),
  "storage-mapping": rule([], ["id", "target-dir"], ["source-dir", "source-dir-root", "options"]),
  operations: rule(["op"], [], ["id"]),
  op: rule(
    blocks,
    ["id", "name", "interval"],
    [
      "description",
      "start-delay",
      "interval-origin",
      "timeout",
      "enabled",
      "record-pending",
      "role",
      "on-fail",
    ],
  ),
  constraints: rule(["rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket"], []),
  rsc_location: rule(
    ["resource_set", "rule", "lifetime"],
    ["id"],
    ["rsc", "rsc-pattern", "role", "score", "node", "resource-discovery"],
  ),
  rsc_colocation: rule(
    ["resource_set", "lifetime"],
    ["id"],
    ["score", "influence", "rsc", "with-rsc", "node-attribute", "rsc-role", "with-rsc-role"],
  ),
  rsc_order: rule(
    ["resource_set", "lifetime"],
    ["id"],
    ["symmetrical", "require-all", "score", "kind", "first", "then", "first-action", "then-action"],
  ),
  rsc_ticket: rule(["resource_set"], ["id", "ticket"], ["rsc", "rsc-role", "loss-policy"]),
  resource_set: rule(
    ["resource_ref"],
    ["id"],
    ["sequential", "require-all", "ordering", "action", "role", "score", "kind"],
  ),
  resource_ref: rule([], ["id"]),
  lifetime: rule(["rule"], []),
  rule: rule(conditions, ["id"], ["score", "score-attribute", "boolean-op", "role"]),
  expression: rule([], ["id", "attribute", "operation"], ["value", "type", "value-source"]),
  date_expression: rule(["duration", "date_spec"], ["id"], ["operation", "start", "end"]),
  duration: rule([], ["id"], durationFields),
  date_spec: rule([], ["id"], dateSpecFields),
  rsc_expression: rule([], ["id"], ["class", "provider", "type"]),
  op_expression: rule([], ["id", "name"], ["interval"]),
  "fencing-topology": rule(["fencing-level"], []),
  "fencing-level": rule(
    [],
    ["id", "index", "devices"],
    ["target", "target-pattern", "target-attribute", "target-value"],
  ),
  acls: rule(["acl_target", "acl_group", "acl_role"], []),
  acl_target: rule(["role"], ["id"], ["name"]),
  acl_group: rule(["role"], ["id"], ["name"]),
  role: rule([], ["id"]),
  acl_role: rule(["acl_permission"], ["id"], ["description"]),
  acl_permission: rule([], ["id", "kind"], ["xpath", "reference", "object-type", "attribute", "description"]),
  tags: rule(["tag"], []),
  tag: rule(["obj_ref"], ["id"]),
  obj_ref: rule([], ["id"]),
  alerts: rule(["alert"], []),
  alert: rule([...blocks, "select", "recipient"], ["id", "path"], ["description"]),
  select: rule(["select_nodes", "select_fencing", "select_resources", "select_attributes"], []),
  select_nodes: rule([], []),
  select_fencing: rule([], []),
  select_resources: rule([], []),
  select_attributes: rule(["attribute"], []),
  attribute: rule([], ["id", "name"]),
  recipient: rule(blocks, ["id", "value"], ["description"]),
});

/** Sections of the configuration, and the elements directly below each. */
export const sectionOfElement: Readonly<Record<string, string>> = lookup(
  Object.fromEntries(
    (elementRules.configuration?.children ?? []).flatMap((section) =>
      (elementRules[section]?.children ?? [])
        .filter((name) => name !== "meta_attributes")
        .map((name) => [name, section] as const),
    ),
  ),
);

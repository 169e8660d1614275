import { element, type XmlElement } from "../../../src/cib/index.ts";
import { every, setValue } from "../wide/wide.ts";
import { type Change, configured, freshId, get, pick, remove, type Variant } from "./variant.ts";

type Values = readonly (readonly [name: string, values: readonly string[]])[];

const scores = ["0", "1", "10", "100", "INFINITY", "-1"];

const anyResource: Values = [
  ["target-role", ["Stopped", "Started", "Slave", "Master"]],
  ["target-role", ["Stopped", "Started"]],
  ["is-managed", ["false", "true"]],
  ["maintenance", ["true", "false"]],
  ["resource-stickiness", scores],
  ["priority", ["0", "1", "10", "-1"]],
  ["migration-threshold", ["0", "1", "2", "INFINITY"]],
  ["failure-timeout", ["10s", "1h"]],
  ["multiple-active", ["block", "stop_only", "stop_start", "stop_unexpected"]],
  ["critical", ["false", "true"]],
  ["allow-migrate", ["true", "false"]],
  ["requires", ["nothing", "quorum", "fencing"]],
  ["allow-unhealthy-nodes", ["true"]],
];

const anyClone: Values = [
  ["clone-max", ["0", "1", "2", "3", "8"]],
  ["clone-node-max", ["1", "2", "3"]],
  ["clone-min", ["0", "1", "2"]],
  ["ordered", ["true", "false"]],
  ["interleave", ["true", "false"]],
  ["notify", ["true", "false"]],
  ["globally-unique", ["true", "false"]],
];

const promotableClone: Values = [
  ["promoted-max", ["0", "1", "2"]],
  ["promoted-node-max", ["1", "2"]],
  ["master-max", ["0", "1", "2"]],
  ["promotable", ["false", "true"]],
];

/** Sets one of the values. */
function setMeta(variant: Variant, owner: XmlElement | undefined, table: Values): string | undefined {
  if (!owner) return undefined;
  const [name, values] = variant.random.pick(table);
  const value = variant.random.pick(values);
  setValue(owner, "meta_attributes", name, value);
  return `${get(owner, "id")} ${name}=${value}`;
}

const meta: Change = (variant) =>
  setMeta(
    variant,
    pick(variant, configured(variant, "primitive", "primitive", "group", "clone", "master", "bundle")),
    anyResource,
  );

const clone: Change = (variant) =>
  setMeta(variant, pick(variant, configured(variant, "clone", "master")), anyClone);

const promotable: Change = (variant) => {
  const isPromotable = (owner: XmlElement) =>
    owner.name === "master" || every(owner, "nvpair").some((pair) => get(pair, "name") === "promotable");
  return setMeta(
    variant,
    pick(variant, configured(variant, "clone", "master").filter(isPromotable)),
    promotableClone,
  );
};

/** A meta attribute goes. */
const withoutMeta: Change = (variant) => {
  const pairs = configured(variant, "resources")
    .flatMap((resources) => every(resources, "meta_attributes"))
    .flatMap(({ children }) => children);
  const pair = pick(variant, pairs);
  if (!pair) return undefined;
  remove(variant.cib, pair);
  return `without ${get(pair, "id")}`;
};

const defaults: Change = (variant) => {
  const owner = pick(variant, configured(variant, "rsc_defaults"));
  return setMeta(variant, owner, [
    ["resource-stickiness", scores],
    ["migration-threshold", ["1", "2"]],
    ["multiple-active", ["block", "stop_only"]],
  ]);
};

const instanceAttribute: Change = (variant) => {
  const owner = pick(variant, configured(variant, "primitive"));
  if (!owner) return undefined;
  setValue(owner, "instance_attributes", "state", "/run/other");
  return `${get(owner, "id")} with another parameter`;
};

const reasons = ["ignore", "block", "stop", "restart", "standby", "fence", "demote"];

const operation: Change = (variant) => {
  const { random } = variant;
  const op = pick(variant, configured(variant, "op"));
  if (!op) return undefined;
  const id = get(op, "id");
  const kind = random.between(0, 4);
  if (kind === 0) {
    remove(variant.cib, op);
    return `operation ${id} removed`;
  }
  if (kind === 1) op.attributes.set("interval", `${random.pick([7, 10, 60, 120])}s`);
  else if (kind === 2) op.attributes.set("on-fail", random.pick(reasons));
  else if (kind === 3) op.attributes.set("role", random.pick(["Started", "Stopped", "Master", "Slave"]));
  else op.attributes.set("enabled", "false");
  return `operation ${id} ${["", "interval", "on-fail", "role", "enabled"][kind]}`;
};

const newOperation: Change = (variant) => {
  const { random } = variant;
  const owner = pick(variant, configured(variant, "primitive"));
  if (!owner) return undefined;
  const id = freshId(variant, `${get(owner, "id")}-op`);
  const name = random.pick(["monitor", "monitor", "start", "stop", "promote", "demote"]);
  const made = element("op", {
    id,
    name,
    interval: name === "monitor" ? `${random.pick([7, 33])}s` : "0",
    timeout: "20s",
    role: name === "monitor" && random.chance(0.4) ? random.pick(["Stopped", "Slave", "Master"]) : undefined,
    "on-fail": random.chance(0.5) ? random.pick(reasons) : undefined,
  });
  const list = owner.children.find((each) => each.name === "operations" && !each.attributes.has("id-ref"));
  if (list) list.children.push(made);
  else owner.children.push(element("operations", {}, [made]));
  return `operation ${name} added to ${get(owner, "id")}`;
};

const utilization: Change = (variant) => {
  const pairs = configured(variant, "utilization").flatMap(({ children }) => children);
  const pair = pick(variant, pairs);
  if (!pair) return undefined;
  const value = String(Math.round(Number(get(pair, "value")) * variant.random.pick([0, 0.5, 0.9, 1.1, 2])));
  pair.attributes.set("value", value);
  return `${get(pair, "id")}=${value}`;
};

/** A resource that nothing refers to goes; its history stays. */
const removedResource: Change = (variant) => {
  const named = new Set<string>();
  const note = (xml: XmlElement) => {
    for (const [name, value] of xml.attributes) if (name !== "id") named.add(value);
    if (xml.name === "resource_ref" || xml.name === "obj_ref") named.add(get(xml, "id"));
    xml.children.forEach(note);
  };
  configured(variant, "constraints", "tags", "acls").forEach(note);
  const free = (owner: XmlElement): boolean =>
    !named.has(get(owner, "id")) && owner.children.every((each) => free(each));
  const owner = pick(variant, configured(variant, "primitive", "group", "clone", "master").filter(free));
  const parent =
    owner && configured(variant, "resources", "group").find((each) => each.children.includes(owner));
  if (!owner || !parent || parent.children.length === 1) return undefined;
  remove(variant.cib, owner);
  return `${owner.name} ${get(owner, "id")} removed`;
};

export const metaChanges: readonly Change[] = [meta, meta, meta, withoutMeta, defaults];
export const cloneChanges: readonly Change[] = [clone, clone, promotable];
export const operationChanges: readonly Change[] = [operation, operation, newOperation, instanceAttribute];
export const utilizationChanges: readonly Change[] = [utilization];
export const removals: readonly Change[] = [removedResource];

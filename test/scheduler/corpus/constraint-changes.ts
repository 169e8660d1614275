import { element, type XmlElement } from "../../../src/cib/index.ts";
import { every } from "../wide/wide.ts";
import { type Change, configured, freshId, get, nodeNames, pick, remove, type Variant } from "./variant.ts";

const kinds = ["rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket"] as const;
const scores = ["INFINITY", "-INFINITY", "100", "-100", "1", "0", "5000"];

const removed: Change = (variant) => {
  const constraint = pick(variant, configured(variant, ...kinds));
  if (!constraint) return undefined;
  remove(variant.cib, constraint);
  return `${get(constraint, "id")} removed`;
};

const score: Change = (variant) => {
  const scored = configured(variant, "rsc_location", "rsc_colocation", "rule", "resource_set");
  const constraint = pick(
    variant,
    scored.filter(({ attributes }) => attributes.has("score")),
  );
  if (!constraint) return undefined;
  const value = variant.random.pick(scores);
  constraint.attributes.set("score", value);
  return `${get(constraint, "id")} score ${value}`;
};

function swap(xml: XmlElement, one: string, other: string): void {
  const [a, b] = [xml.attributes.get(one), xml.attributes.get(other)];
  if (b === undefined) xml.attributes.delete(one);
  else xml.attributes.set(one, b);
  if (a === undefined) xml.attributes.delete(other);
  else xml.attributes.set(other, a);
}

const swapped: Change = (variant) => {
  const constraint = pick(variant, configured(variant, "rsc_colocation", "rsc_order"));
  if (!constraint) return undefined;
  if (constraint.attributes.has("rsc")) {
    swap(constraint, "rsc", "with-rsc");
    swap(constraint, "rsc-role", "with-rsc-role");
  } else if (constraint.attributes.has("first")) {
    swap(constraint, "first", "then");
    swap(constraint, "first-action", "then-action");
  } else constraint.children.reverse();
  return `${get(constraint, "id")} the other way round`;
};

const otherNode: Change = (variant) => {
  const nodes = nodeNames(variant);
  const constraint = pick(
    variant,
    configured(variant, "rsc_location").filter(({ attributes }) => attributes.has("node")),
  );
  if (!constraint || nodes.length === 0) return undefined;
  const node = variant.random.pick(nodes);
  constraint.attributes.set("node", node);
  return `${get(constraint, "id")} for ${node}`;
};

type Attributes = readonly (readonly [name: string, values: readonly (string | null)[]])[];

/** Sets one of the attributes, or takes it away. */
function setAttribute(variant: Variant, xml: XmlElement | undefined, table: Attributes): string | undefined {
  if (!xml) return undefined;
  const [name, values] = variant.random.pick(table);
  const value = variant.random.pick(values);
  if (value === null) xml.attributes.delete(name);
  else xml.attributes.set(name, value);
  return `${get(xml, "id")} ${name} ${value ?? "removed"}`;
}

const ordering: Change = (variant) => {
  const order = pick(variant, configured(variant, "rsc_order"));
  order?.attributes.delete("score");
  return setAttribute(variant, order, [
    ["kind", ["Mandatory", "Optional", "Serialize"]],
    ["kind", ["Mandatory", "Optional", "Serialize"]],
    ["symmetrical", ["true", "false", "false"]],
    ...(order?.attributes.has("first")
      ? ([
          ["first-action", ["start", "stop", "promote", "demote", null]],
          ["then-action", ["start", "stop", "promote", "demote", null]],
          ["require-all", ["false", "true"]],
        ] as const)
      : []),
  ]);
};

const colocation: Change = (variant) => {
  const constraint = pick(
    variant,
    configured(variant, "rsc_colocation").filter(({ attributes }) => attributes.has("rsc")),
  );
  return setAttribute(variant, constraint, [
    ["rsc-role", ["Started", "Master", "Slave", null]],
    ["with-rsc-role", ["Started", "Master", "Slave", null]],
    ["influence", ["false", "true"]],
  ]);
};

const set: Change = (variant) => {
  const found = pick(variant, configured(variant, "resource_set"));
  if (!found) return undefined;
  const members = found.children;
  if (variant.random.chance(0.3) && members.length > 1) {
    found.children = variant.random.chance(0.5) ? [...members].reverse() : members.slice(1);
    return `${get(found, "id")} other members`;
  }
  return setAttribute(variant, found, [
    ["sequential", ["true", "false"]],
    ["require-all", ["true", "false"]],
    ["role", ["Started", "Master", "Slave", null]],
    ["action", ["start", "stop", "promote", null]],
  ]);
};

/** What constraints may name: what is at the top, and members of groups. */
function nameable(variant: Variant): string[] {
  const resources = configured(variant, "resources").flatMap(({ children }) => children);
  const shown = resources.filter(({ name }) => name !== "template");
  const members = shown.filter(({ name }) => name === "group").flatMap((group) => every(group, "primitive"));
  return [...shown, ...shown, ...members].map((xml) => get(xml, "id"));
}

const added: Change = (variant) => {
  const { random } = variant;
  const constraints = configured(variant, "constraints")[0];
  const resources = nameable(variant);
  const nodes = nodeNames(variant);
  if (!constraints || resources.length === 0 || nodes.length === 0) return undefined;
  const rsc = random.pick(resources);
  const other = random.pick(resources);
  const id = freshId(variant, "added");
  const kind = other === rsc ? 0 : random.between(0, 3);
  const made =
    kind <= 1
      ? element("rsc_location", { id, rsc, node: random.pick(nodes), score: random.pick(scores) })
      : kind === 2
        ? element("rsc_colocation", { id, rsc, "with-rsc": other, score: random.pick(scores) })
        : element("rsc_order", { id, first: rsc, kind: random.pick(["Mandatory", "Optional"]) });
  if (kind === 3) made.attributes.set("then", other);
  constraints.children.push(made);
  return `${made.name} ${[...made.attributes.values()].slice(1).join(" ")} added`;
};

const ticket: Change = (variant) => {
  const { random, cib } = variant;
  const states = every(cib, "ticket_state");
  const rules = configured(variant, "rsc_ticket");
  const state = pick(variant, states);
  if (random.chance(0.3) && rules.length > 0)
    return setAttribute(variant, random.pick(rules), [
      ["loss-policy", ["stop", "demote", "fence", "freeze", null]],
    ]);
  if (!state) return undefined;
  return setAttribute(variant, state, [
    ["granted", ["true", "false"]],
    ["standby", ["true", "false", null]],
  ]);
};

export const constraintChanges: readonly Change[] = [
  removed,
  score,
  score,
  swapped,
  otherNode,
  ordering,
  ordering,
  colocation,
  set,
];
export const newConstraints: readonly Change[] = [added];
export const ticketChanges: readonly Change[] = [ticket];

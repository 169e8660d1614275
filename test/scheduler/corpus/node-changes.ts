import { element, type XmlElement } from "../../../src/cib/index.ts";
import { conditions, setCondition } from "../node-condition.ts";
import { every, firstSet, setValue } from "../wide/wide.ts";
import {
  type Change,
  configured,
  freshId,
  get,
  memberStates,
  pick,
  remove,
  type Variant,
} from "./variant.ts";

const condition: Change = (variant) => {
  const state = pick(variant, memberStates(variant));
  if (!state) return undefined;
  const name = variant.random.pick(Object.keys(conditions) as (keyof typeof conditions)[]);
  setCondition(state, name);
  return `node ${get(state, "uname")} ${name}`;
};

/** A node goes with its state; constraints go on naming it. */
const removed: Change = (variant) => {
  const node = pick(variant, configured(variant, "node"));
  if (!node) return undefined;
  remove(variant.cib, node);
  const name = get(node, "uname");
  for (const state of every(variant.cib, "node_state"))
    if (get(state, "uname") === name && variant.random.chance(0.8)) remove(variant.cib, state);
  return `node ${name} removed`;
};

const added: Change = (variant) => {
  const nodes = variant.cib.children[0]?.children.find(({ name }) => name === "nodes");
  if (!nodes) return undefined;
  const id = freshId(variant, "added");
  nodes.children.push(element("node", { id, uname: id }));
  return `node ${id} added`;
};

const history: Change = (variant) => {
  const state = pick(
    variant,
    every(variant.cib, "node_state").filter(({ children }) => children.some(({ name }) => name === "lrm")),
  );
  if (!state) return undefined;
  state.children = state.children.filter(({ name }) => name !== "lrm");
  return `node ${get(state, "uname")} without history`;
};

const configuredValues: readonly (readonly [string, readonly string[]])[] = [
  ["standby", ["on", "off", "true"]],
  ["maintenance", ["true", "false"]],
  ["#health-disk", ["red", "yellow", "green", "-10"]],
  ["resource-discovery-enabled", ["false"]],
];

const configuredAttribute: Change = (variant) => {
  const node = pick(variant, configured(variant, "node"));
  if (!node) return undefined;
  const [name, values] = variant.random.pick(configuredValues);
  const value = variant.random.pick(values);
  setValue(node, "instance_attributes", name, value);
  return `node ${get(node, "uname")} ${name}=${value}`;
};

/** Attributes of a node that live as long as it is up. */
function transientSet(variant: Variant, state: XmlElement): XmlElement {
  const found = state.children.find(({ name }) => name === "transient_attributes");
  if (found) return firstSet(found, "instance_attributes") && found;
  const id = get(state, "id");
  const made = element("transient_attributes", { id }, [
    element("instance_attributes", { id: freshId(variant, `status-${id}`) }),
  ]);
  state.children.push(made);
  return made;
}

/** Sets a transient attribute; what was there under the name goes. */
export function setTransient(variant: Variant, state: XmlElement, name: string, value: string): void {
  setValue(transientSet(variant, state), "instance_attributes", name, value);
}

const transientAttribute: Change = (variant) => {
  const { random, now } = variant;
  const state = pick(variant, memberStates(variant));
  if (!state) return undefined;
  const [name, value] = random.pick([
    ["standby", "on"],
    ["shutdown", String(now - 10)],
    ["terminate", "true"],
    ["#health-cpu", random.pick(["red", "yellow"])],
    ["maintenance", "true"],
  ] as const);
  setTransient(variant, state, name, value);
  return `node ${get(state, "uname")} transient ${name}=${value}`;
};

const promotionScore: Change = (variant) => {
  const scores = every(variant.cib, "nvpair").filter((pair) => get(pair, "name").startsWith("master-"));
  const score = pick(variant, scores);
  if (!score) return undefined;
  const value = variant.random.pick(["-INFINITY", "-1", "0", "1", "5", "100", "1000000"]);
  score.attributes.set("value", value);
  return `${get(score, "name")} ${value}`;
};

/** Another value, or none any more, of an attribute that the cluster has already. */
const knownAttribute: Change = (variant) => {
  const sets = [...configured(variant, "node"), ...every(variant.cib, "transient_attributes")];
  const pair = pick(
    variant,
    sets.flatMap((set) => every(set, "nvpair")),
  );
  if (!pair) return undefined;
  const name = get(pair, "name");
  if (variant.random.chance(0.5)) {
    remove(variant.cib, pair);
    return `attribute ${name} removed`;
  }
  const value = variant.random.pick(["0", "1", "100", "true", "false"]);
  pair.attributes.set("value", value);
  return `attribute ${name}=${value}`;
};

const remote: Change = (variant) => {
  const states = every(variant.cib, "node_state").filter((state) => get(state, "remote_node") === "true");
  const state = pick(variant, states);
  if (!state) return undefined;
  const [name, value] = variant.random.pick([
    ["node_fenced", "1"],
    ["node_fenced", "0"],
    ["in_ccm", "true"],
    ["in_ccm", "false"],
    ["node_in_maintenance", "true"],
  ] as const);
  state.attributes.set(name, value);
  return `remote node ${get(state, "uname")} ${name}=${value}`;
};

export const nodeConditions: readonly Change[] = [condition, condition, condition, removed, added, history];
export const nodeAttributes: readonly Change[] = [
  configuredAttribute,
  configuredAttribute,
  transientAttribute,
  transientAttribute,
  promotionScore,
  knownAttribute,
  remote,
];

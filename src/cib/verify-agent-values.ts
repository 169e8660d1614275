import { nearest } from "../terms/index.ts";
import { type AgentDescription, type AgentParameter, isOfType } from "./agent-description.ts";
import type { FindById } from "./nvpairs.ts";
import { isPromotable } from "./promotable.ts";
import { type CibProblem, problemAt } from "./references.ts";
import type { Settled } from "./settled.ts";
import { parseBoolean } from "./values.ts";
import { childrenOf, type XmlElement } from "./xml.ts";

/**
 * Values that are none of those which the agent says its parameters have. It may know more than it says, so that nothing is
 * refused by it.
 */
export function findWrongValues(
  pairs: readonly XmlElement[],
  parameters: readonly AgentParameter[],
  word: string,
  id: string,
): CibProblem[] {
  const known = new Map(parameters.map((one) => [one.name, one] as const));
  const required = new Set(parameters.flatMap(({ needs }) => needs ?? []));
  return pairs.flatMap((pair) => {
    const name = pair.attributes.get("name") ?? "";
    const value = pair.attributes.get("value");
    if (value === undefined) return [];
    const what = `${name}="${value}" of resource "${id}"`;
    if (value === "") {
      if (!required.has(name)) return [];
      const text = `${what} is empty, and ${word} requires it`;
      return [problemAt(pair, "warning", "PARAMETER_VALUE", text, `write ${name}=…`)];
    }
    const parameter = known.get(name);
    const wrong = parameter && whatIsWrong(value, parameter);
    if (wrong === undefined) return [];
    const text = `${what} is ${wrong.text} for agent ${word}`;
    return [problemAt(pair, "warning", "PARAMETER_VALUE", text, wrong.cure)];
  });
}

function whatIsWrong(value: string, { type, options }: AgentParameter) {
  if (options !== undefined && !options.includes(value)) {
    const near = nearest(value, options);
    const all = options.filter((one) => one !== "").join(", ");
    const cure = near === undefined ? `write one of ${all}` : `did you mean "${near}"?`;
    return { text: `none of ${all}`, cure };
  }
  if (type === undefined || isOfType(value, type)) return undefined;
  return type === "integer"
    ? { text: "no whole number", cure: "write a whole number, without a unit" }
    : { text: "neither true nor false", cure: "write true or false" };
}

/** What is asked of a resource as a whole and is done by an action that its agent has not. */
export function needsSilentAction(
  { xml, containers, meta }: Settled,
  word: string,
  { actions }: AgentDescription,
  find: FindById,
): CibProblem[] {
  if (actions.length === 0) return [];
  const id = xml.attributes.get("id") ?? "";
  const lacks = (name: string) => !actions.includes(name);
  const problems: CibProblem[] = [];
  const tell = (source: XmlElement, text: string, cure: string) =>
    problems.push(problemAt(source, "warning", "UNSUPPORTED_OPERATION", text, cure));
  const migrate = meta.get("allow-migrate");
  const [missing] = ["migrate_to", "migrate_from"].filter(lacks);
  const holders = [xml, ...containers];
  if (migrate && parseBoolean(migrate.value) === true && missing !== undefined) {
    // What holds for all by default is for those that can.
    const pair = pairOf(holders, migrate.id, find);
    const text = `allow-migrate=true of resource "${id}", but agent ${word} does not offer ${missing}: a move fails before it is stopped and started`;
    if (pair) tell(pair, text, "remove allow-migrate");
  }
  const promoting = containers.find((one) => isPromotable(one, find));
  if (promoting && lacks("promote")) {
    const text = `resource "${id}" is in ${promoting.name} "${promoting.attributes.get("id")}", which is promotable, but agent ${word} does not offer promote: no instance can be promoted`;
    tell(xml, text, `take promotable=true from the ${promoting.name}, or use an agent that can be promoted`);
  }
  return problems;
}

/** The pair of a meta attribute, where it stands at one of these or in what one of these is made of. */
function pairOf(
  holders: readonly XmlElement[],
  id: string | undefined,
  find: FindById,
): XmlElement | undefined {
  const made = holders.flatMap((one) => find(one.attributes.get("template") ?? "") ?? []);
  return [...holders, ...made]
    .flatMap((one) => childrenOf(one, "meta_attributes"))
    .flatMap((set) => childrenOf(find(set.attributes.get("id-ref") ?? "") ?? set, "nvpair"))
    .map((pair) => find(pair.attributes.get("id-ref") ?? "") ?? pair)
    .find((pair) => pair.attributes.get("id") === id);
}

/** The words in which a device asks its agent for something: one that it has not is a failure, when a node has to be fenced. */
export function findUnknownActions(
  { xml, parameters }: Settled,
  word: string,
  actions: readonly string[],
  find: FindById,
): CibProblem[] {
  if (actions.length === 0) return [];
  return [...parameters].flatMap(([name, { value, id }]) => {
    const action = /^pcmk_(on|off|reboot|list|status|monitor)_action$/.exec(name)?.[1];
    if (action === undefined || value === "" || actions.includes(value)) return [];
    const near = nearest(value, actions);
    const text = `${name}="${value}" of fence device "${xml.attributes.get("id")}" is no action of agent ${word}: ${action} will fail`;
    const cure = near === undefined ? `write one of ${actions.join(", ")}` : `did you mean "${near}"?`;
    return [problemAt(find(id ?? "") ?? xml, "warning", "UNSUPPORTED_OPERATION", text, cure)];
  });
}

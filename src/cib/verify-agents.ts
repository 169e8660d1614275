import { agentName, nearest } from "../terms/index.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { parseBoolean } from "./values.ts";
import { child, childrenOf, parseXml, type XmlElement } from "./xml.ts";

/** An agent as a configuration names it. */
export interface AgentName {
  readonly class: string;
  readonly provider?: string;
  readonly type: string;
}

/** What an agent says of itself, as far as a configuration can be wrong by it. */
export interface AgentDescription {
  /** Its parameters; of a required one the names that stand for it. Empty where it does not tell. */
  readonly parameters: ReadonlyMap<string, { readonly needs?: readonly string[] }>;
  readonly actions: ReadonlySet<string>;
}

/** What was found out about an agent. */
export type AgentFacts =
  | { readonly kind: "described"; readonly description: AgentDescription }
  /** It is on none of the hosts that were asked, or on some only. `reason` says where. */
  | { readonly kind: "absent"; readonly reason: string; readonly everywhere: boolean }
  /** Nobody could say. */
  | { readonly kind: "unknown"; readonly reason: string };

/** A resource, and where its agent and its parameters come from. */
export interface AgentUse {
  readonly resource: XmlElement;
  readonly agent: AgentName;
  /** The template that the rest is taken from. */
  readonly template?: XmlElement;
}

/** The resources of a configuration with their agents. What runs in a bundle has its agent in the container. */
export function agentUses(configuration: XmlElement): AgentUse[] {
  const resources = child(configuration, "resources");
  const templates = new Map(
    childrenOf(resources, "template").map((item) => [item.attributes.get("id") ?? "", item] as const),
  );
  const uses: AgentUse[] = [];
  const visit = (parent: XmlElement) => {
    for (const item of parent.children) {
      if (item.name === "group" || item.name === "clone" || item.name === "master") visit(item);
      if (item.name !== "primitive") continue;
      const template = templates.get(item.attributes.get("template") ?? "");
      const agent = agentOf(template ?? item);
      if (agent) uses.push({ resource: item, agent, ...(template ? { template } : {}) });
    }
  };
  if (resources) visit(resources);
  return uses;
}

function agentOf({ attributes }: XmlElement): AgentName | undefined {
  const standard = attributes.get("class");
  const type = attributes.get("type");
  const provider = attributes.get("provider");
  if (standard === undefined || type === undefined) return undefined;
  return { class: standard, type, ...(provider === undefined ? {} : { provider }) };
}

/** Reads the meta-data that an agent prints. @throws HactlError XML_SYNTAX */
export function parseAgentDescription(xml: string): AgentDescription {
  const root = parseXml(xml);
  const rows = childrenOf(child(root, "parameters"), "parameter");
  const nameOf = (row: XmlElement) => row.attributes.get("name") ?? "";
  const isSet = (row: XmlElement, flag: string) => parseBoolean(row.attributes.get(flag)) === true;
  const parameters = new Map<string, { readonly needs?: readonly string[] }>();
  for (const row of rows) {
    const name = nameOf(row);
    // Names of before say the same (OCF 1.1 and fence agents: obsoletes, and deprecated replaced-with).
    const same = rows
      .filter(
        (other) =>
          other.attributes.get("obsoletes") === name ||
          row.attributes.get("obsoletes") === nameOf(other) ||
          childrenOf(child(row, "deprecated"), "replaced-with").some(
            ({ attributes }) => attributes.get("name") === nameOf(other),
          ) ||
          childrenOf(child(other, "deprecated"), "replaced-with").some(
            ({ attributes }) => attributes.get("name") === name,
          ),
      )
      .map(nameOf);
    const hasDefault = childrenOf(row, "content").some(
      ({ attributes }) => (attributes.get("default") ?? "") !== "",
    );
    const needed = isSet(row, "required") && !isSet(row, "deprecated") && !hasDefault;
    parameters.set(name, needed ? { needs: [name, ...same] } : {});
  }
  const actions = childrenOf(child(root, "actions"), "action").map(nameOf);
  return { parameters, actions: new Set(actions) };
}

/** What the cluster itself gives to fence agents, and what every agent knows without saying so. */
const given = new Set([
  "action",
  "option",
  "port",
  "plug",
  "nodename",
  "trace_ra",
  "trace_file",
  "trace_dir",
]);

/** Names that are for the cluster, whatever the agent. */
const isForCluster = (name: string) => /^(?:CRM_meta_|crm_)/.test(name);

/**
 * What the agents of resources say against how they are used.
 * @param deviceOptions parameters of fence devices that are for the cluster
 */
export function findAgentProblems(
  uses: readonly AgentUse[],
  configuration: XmlElement,
  facts: (agent: AgentName) => AgentFacts | undefined,
  deviceOptions: ReadonlySet<string>,
): CibProblem[] {
  return uses.flatMap((use) => {
    const found = facts(use.agent);
    if (!found) return [];
    const word = agentName(use.agent);
    const id = use.resource.attributes.get("id") ?? "";
    switch (found.kind) {
      case "absent":
        return [
          problemAt(
            use.resource,
            found.everywhere ? "error" : "warning",
            "NO_SUCH_AGENT",
            `agent ${word} of resource "${id}" is not there: ${found.reason}`,
            `install it, or correct the name (crm_resource --list-agents ${use.agent.class}${use.agent.provider === undefined ? "" : `:${use.agent.provider}`} lists agents)`,
          ),
        ];
      case "unknown": {
        const text = `what agent ${word} of resource "${id}" needs is not known: ${found.reason}`;
        return [problemAt(use.resource, "warning", "AGENT_UNKNOWN", text, "look at its parameters yourself")];
      }
      case "described":
        return against(use, word, configuration, found.description, deviceOptions);
      default:
        return found satisfies never;
    }
  });
}

function against(
  use: AgentUse,
  word: string,
  configuration: XmlElement,
  { parameters, actions }: AgentDescription,
  deviceOptions: ReadonlySet<string>,
): CibProblem[] {
  const problems: CibProblem[] = [];
  const { resource, template } = use;
  const id = resource.attributes.get("id") ?? "";
  const sets = [resource, ...(template ? [template] : [])].flatMap((item) =>
    childrenOf(item, "instance_attributes"),
  );
  const pairs = sets.flatMap((set) => pairsOf(set, configuration));
  const names = new Set(pairs.flatMap(({ attributes }) => attributes.get("name") ?? []));
  const isDevice = use.agent.class === "stonith";
  const own = isDevice ? [...parameters.keys(), ...deviceOptions] : [...parameters.keys()];
  const known = new Set(own);
  if (parameters.size > 0) {
    for (const pair of pairs) {
      const name = pair.attributes.get("name") ?? "";
      if (known.has(name) || given.has(name) || isForCluster(name)) continue;
      const near = nearest(name, own);
      const text = `agent ${word} of resource "${id}" has no parameter "${name}"`;
      problems.push(
        near === undefined
          ? problemAt(pair, "warning", "UNKNOWN_PARAMETER", text, "it will do nothing: remove it")
          : problemAt(pair, "error", "UNKNOWN_PARAMETER", text, `did you mean "${near}"?`),
      );
    }
    // Sets that are elsewhere may hold the rest.
    const whole = sets.every(
      (set) => !set.attributes.has("id-ref") || byId(configuration, set) !== undefined,
    );
    for (const [name, { needs }] of parameters) {
      if (!whole || needs === undefined || given.has(name) || needs.some((one) => names.has(one))) continue;
      const text = `resource "${id}" lacks the parameter "${name}" that ${word} requires`;
      problems.push(problemAt(resource, "error", "MISSING_PARAMETER", text, `add ${name}=…`));
    }
  }
  if (actions.size > 0)
    for (const operation of childrenOf(child(resource, "operations"), "op")) {
      const name = operation.attributes.get("name") ?? "";
      if (!optional.has(name) || actions.has(name)) continue;
      const text = `agent ${word} of resource "${id}" does not offer the operation "${name}"`;
      problems.push(problemAt(operation, "warning", "UNSUPPORTED_OPERATION", text, "remove it"));
    }
  return problems;
}

/** Operations that not every agent has, and that say so. */
const optional = new Set(["promote", "demote", "notify", "migrate_to", "migrate_from"]);

function pairsOf(set: XmlElement, configuration: XmlElement): XmlElement[] {
  return childrenOf(byId(configuration, set) ?? set, "nvpair").map(
    (pair) => (pair.attributes.has("id-ref") ? byId(configuration, pair) : undefined) ?? pair,
  );
}

/** What an element refers to. */
function byId(configuration: XmlElement, source: XmlElement): XmlElement | undefined {
  const wanted = source.attributes.get("id-ref");
  if (wanted === undefined) return undefined;
  const search = (at: XmlElement): XmlElement | undefined => {
    if (at.attributes.get("id") === wanted) return at;
    for (const inner of at.children) {
      const found = search(inner);
      if (found) return found;
    }
    return undefined;
  };
  return search(configuration);
}

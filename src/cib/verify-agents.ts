import { agentName, nearest } from "../terms/index.ts";
import type { AgentDescription, AgentFacts } from "./agent-description.ts";
import { type FindById, indexById } from "./nvpairs.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { bundleRuntimes } from "./resource-kinds.ts";
import { type Settled, settledPrimitives } from "./settled.ts";
import { parseIntervalMs } from "./time.ts";
import { findShortTimes } from "./verify-agent-times.ts";
import { findUnknownActions, findWrongValues, needsSilentAction } from "./verify-agent-values.ts";
import { canRecur } from "./verify-values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** An agent as a configuration names it. */
export interface AgentName {
  readonly class: string;
  readonly provider?: string;
  readonly type: string;
}

/** What is known of an agent on a node; without a node it is this host that was asked, which need not be one. */
export interface AgentFinding {
  readonly node?: string;
  readonly facts: AgentFacts;
}

/** Who was asked about an agent that a resource uses. */
export interface AgentFindings {
  readonly found: readonly AgentFinding[];
  /** Nodes that may run the resource and have not answered. */
  readonly silent: readonly string[];
}

/** A resource, and where its agent and its parameters come from. */
export interface AgentUse {
  readonly resource: XmlElement;
  readonly agent: AgentName;
  /** The template that the rest is taken from. */
  readonly template?: XmlElement;
  /** A resource that runs where this one may: the agent is that of a bundle's containers, and has its parameters from the cluster. */
  readonly runsAs?: string;
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

/** The bundles of a configuration with the agents of their containers. */
export const bundleUses = (configuration: XmlElement): AgentUse[] =>
  childrenOf(child(configuration, "resources"), "bundle").flatMap((resource) => {
    const type = resource.children.find(({ name }) => bundleRuntimes.has(name))?.name;
    if (type === undefined) return [];
    const runsAs = `${resource.attributes.get("id")}-${type}-0`;
    return [{ resource, agent: { class: "ocf", provider: "heartbeat", type }, runsAs }];
  });

function agentOf({ attributes }: XmlElement): AgentName | undefined {
  const standard = attributes.get("class");
  const type = attributes.get("type");
  const provider = attributes.get("provider");
  if (standard === undefined || type === undefined) return undefined;
  return { class: standard, type, ...(provider === undefined ? {} : { provider }) };
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
 * What the agents of resources say against how they are used, on the nodes that may run them. What holds for one node
 * only is a warning that names it: the resource can run on another.
 * @param deviceOptions parameters of fence devices that are for the cluster
 */
export function findAgentProblems(
  uses: readonly AgentUse[],
  configuration: XmlElement,
  findings: (use: AgentUse) => AgentFindings,
  deviceOptions: ReadonlySet<string>,
): CibProblem[] {
  const index = indexById(configuration);
  const find: FindById = (id) => index.get(id);
  const settled = new Map(settledPrimitives(configuration).map((one) => [one.xml, one] as const));
  return uses.flatMap((use) => {
    const { found, silent } = findings(use);
    const nowhere = silent.length === 0 && found.every(({ facts }) => facts.kind === "absent");
    const problems = found.map(({ node, facts }) => ({
      node,
      problems: problemsOf(
        use,
        settled.get(use.resource),
        { configuration, find, deviceOptions },
        facts,
        nowhere && node !== undefined,
      ),
    }));
    return onNodes(problems);
  });
}

/** What all resources are looked at with. */
interface Surroundings {
  readonly configuration: XmlElement;
  readonly find: FindById;
  readonly deviceOptions: ReadonlySet<string>;
}

interface NodeProblems {
  readonly node: string | undefined;
  readonly problems: readonly CibProblem[];
}

/** What all nodes say alike is said once; what some say, once with their names. */
function onNodes(all: readonly NodeProblems[]): CibProblem[] {
  const merged = new Map<string, { readonly problem: CibProblem; readonly nodes: (string | undefined)[] }>();
  for (const { node, problems } of all)
    for (const problem of problems) {
      const key = `${problem.code} ${problem.text}`;
      const known = merged.get(key) ?? { problem, nodes: [] };
      merged.set(key, known);
      known.nodes.push(node);
    }
  return [...merged.values()].map(({ problem, nodes }) => {
    const missing = problem.code === "NO_SUCH_AGENT";
    if (nodes.includes(undefined) || (nodes.length === all.length && !missing)) return problem;
    // Whether it is on any node at all has been looked at; why it is not each tells in words of its own.
    const level = missing ? problem.level : "warning";
    return { ...problem, level, text: `${problem.text} (on ${nodes.join(", ")})` };
  });
}

function problemsOf(
  use: AgentUse,
  rsc: Settled | undefined,
  around: Surroundings,
  facts: AgentFacts,
  nowhere: boolean,
): CibProblem[] {
  const word = agentName(use.agent);
  const id = use.resource.attributes.get("id") ?? "";
  if (use.runsAs !== undefined && facts.kind !== "absent") return [];
  switch (facts.kind) {
    case "absent":
      return [
        problemAt(
          use.resource,
          nowhere && use.runsAs === undefined ? "error" : "warning",
          "NO_SUCH_AGENT",
          `agent ${word} of resource "${id}" is not there: ${facts.reason}`,
          `install it, or correct the name (crm_resource --list-agents ${use.agent.class}${use.agent.provider === undefined ? "" : `:${use.agent.provider}`} lists agents)`,
        ),
      ];
    case "unknown": {
      const text = `what agent ${word} of resource "${id}" needs is not known: ${facts.reason}`;
      return [problemAt(use.resource, "warning", "AGENT_UNKNOWN", text, "look at its parameters yourself")];
    }
    case "described":
      return [
        ...against(use, word, around, facts.description),
        ...(rsc ? againstWhole(rsc, word, around, facts.description) : []),
      ];
    default:
      return facts satisfies never;
  }
}

/** What follows from all that a resource has from its template, from what it is in, and from the defaults. */
function againstWhole(
  rsc: Settled,
  word: string,
  { configuration, find }: Surroundings,
  description: AgentDescription,
): CibProblem[] {
  return [
    ...findShortTimes(rsc, word, description.advised ?? [], configuration, find),
    ...(rsc.class === "stonith"
      ? findUnknownActions(rsc, word, description.actions, find)
      : needsSilentAction(rsc, word, description, find)),
  ];
}

function against(
  use: AgentUse,
  word: string,
  { find, deviceOptions }: Surroundings,
  { parameters, actions }: AgentDescription,
): CibProblem[] {
  const problems: CibProblem[] = [];
  const { resource, template } = use;
  const id = resource.attributes.get("id") ?? "";
  const sets = [resource, ...(template ? [template] : [])].flatMap((item) =>
    childrenOf(item, "instance_attributes"),
  );
  const pairs = sets.flatMap((set) => pairsOf(set, find));
  const names = new Set(pairs.flatMap(({ attributes }) => attributes.get("name") ?? []));
  const isDevice = use.agent.class === "stonith";
  const told = parameters.map(({ name }) => name);
  const own = isDevice ? [...told, ...deviceOptions] : told;
  const known = new Set(own);
  if (parameters.length > 0) {
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
    problems.push(...findWrongValues(pairs, parameters, word, id));
    // Sets that are elsewhere may hold the rest.
    const whole = sets.every((set) => !set.attributes.has("id-ref") || referred(set, find) !== undefined);
    for (const { name, needs } of parameters) {
      if (!whole || needs === undefined || given.has(name) || needs.some((one) => names.has(one))) continue;
      const text = `resource "${id}" lacks the parameter "${name}" that ${word} requires`;
      problems.push(problemAt(resource, "error", "MISSING_PARAMETER", text, `add ${name}=…`));
    }
  }
  if (actions.length > 0)
    for (const operation of childrenOf(child(resource, "operations"), "op")) {
      const name = operation.attributes.get("name") ?? "";
      const recurs =
        name !== "monitor" &&
        canRecur(name) &&
        (parseIntervalMs(operation.attributes.get("interval")) ?? 0) > 0;
      if (!(optional.has(name) || recurs) || actions.includes(name)) continue;
      const text = `agent ${word} of resource "${id}" does not offer the operation "${name}"`;
      const often = `${text}: as often as it recurs it fails, and the resource with it`;
      problems.push(
        recurs && !optional.has(name)
          ? problemAt(operation, "warning", "UNSUPPORTED_OPERATION", often, "write monitor, or remove it")
          : problemAt(operation, "warning", "UNSUPPORTED_OPERATION", text, "remove it"),
      );
    }
  return problems;
}

/** Operations that not every agent has, and that say so. */
const optional = new Set(["promote", "demote", "notify", "migrate_to", "migrate_from"]);

/** What an element refers to. */
const referred = ({ attributes }: XmlElement, find: FindById): XmlElement | undefined =>
  find(attributes.get("id-ref") ?? "");

const pairsOf = (set: XmlElement, find: FindById): XmlElement[] =>
  childrenOf(referred(set, find) ?? set, "nvpair").map((pair) => referred(pair, find) ?? pair);

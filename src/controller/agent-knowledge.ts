import { child, childrenOf, compareVersions, parseBoolean, parseXml, type XmlElement } from "../cib/index.ts";
import type { AgentResource, ParameterTraits } from "../executor/index.ts";
import { agentName, HactlError, type Millis, type NodeName } from "../terms/index.ts";
import { hasTraits } from "./history.ts";

/** Agents are upgraded while their services run: before a start they are asked anew after this time. */
const freshMs: Millis = 60_000;

/** An agent, whatever resource is made of it. */
export type AgentKind = Omit<AgentResource, "id">;

/** Whether two resources are of one agent. */
export const sameKind = (one: AgentKind, other: AgentKind): boolean => agentName(one) === agentName(other);

/** What the agents say of their parameters, on each node for which this manager speaks. */
export class AgentKnowledge {
  readonly #nodes = new Map<NodeName, Map<string, { traits?: ParameterTraits; askedAt: Millis }>>();

  of(node: NodeName, rsc: AgentKind): ParameterTraits | undefined {
    return this.#nodes.get(node)?.get(agentName(rsc))?.traits;
  }

  /** Whether an agent has to be asked, since nothing is known of it or, for a start, nothing new; then it counts as asked. */
  asks(node: NodeName, rsc: AgentResource, action: string, now: Millis): boolean {
    if (!hasTraits(rsc)) return false;
    const agents = this.#nodes.get(node) ?? new Map<string, { traits?: ParameterTraits; askedAt: Millis }>();
    this.#nodes.set(node, agents);
    const known = agents.get(agentName(rsc));
    if (known && !(action === "start" && now - known.askedAt >= freshMs)) return false;
    agents.set(agentName(rsc), { ...known, askedAt: now });
    return true;
  }

  /** An agent has told; or it could not, and is asked before its next start. */
  told(node: NodeName, rsc: AgentKind, traits: ParameterTraits | undefined): void {
    const agents = this.#nodes.get(node);
    const known = agents?.get(agentName(rsc));
    if (known) agents?.set(agentName(rsc), traits ? { ...known, traits } : { ...known, askedAt: -freshMs });
  }

  /** Another executor answers there now, if any. */
  forget(node: NodeName): void {
    this.#nodes.delete(node);
  }
}

/**
 * Reads what an agent's meta-data say of its parameters. By OCF 1.1 an agent with the action reload-agent takes over those
 * that are `reloadable`; by OCF 1.0 one with the action reload all that are not `unique` (Pacemaker Administration,
 * "Reloading an agent"). Undefined for what is no description of an agent.
 */
export function parameterTraits(metadata: string): ParameterTraits | undefined {
  let root: XmlElement;
  try {
    root = parseXml(metadata);
  } catch (error) {
    if (error instanceof HactlError) return undefined;
    throw error;
  }
  if (root.name !== "resource-agent") return undefined;
  const version = child(root, "version")?.text?.trim() ?? "";
  const is11 = /^\d{1,9}(\.\d{1,9})*$/.test(version) && compareVersions(version, "1.1") >= 0;
  const actions = new Set(
    childrenOf(child(root, "actions"), "action").map(({ attributes }) => attributes.get("name")),
  );
  const rows = childrenOf(child(root, "parameters"), "parameter");
  const named = (matches: (flag: (name: string) => boolean) => boolean) =>
    rows
      .filter(({ attributes }) => matches((name) => parseBoolean(attributes.get(name)) === true))
      .flatMap(({ attributes }) => attributes.get("name") ?? []);
  const secrets = named((flag) => flag("private"));
  if (actions.has("reload-agent"))
    return { reload: "reload-agent", forceRestart: named((flag) => !flag("reloadable")), private: secrets };
  if (!is11 && actions.has("reload"))
    return { reload: "reload", forceRestart: named((flag) => flag("unique")), private: secrets };
  return { forceRestart: [], private: secrets };
}

import {
  type AgentFacts,
  type AgentFinding,
  type AgentFindings,
  type AgentName,
  type AgentUse,
  parseAgentDescription,
  type XmlElement,
} from "../cib/index.ts";
import type { AskedAgents } from "../controller/index.ts";
import type { SurveyReply } from "../daemon/index.ts";
import { unusableUnit } from "../executor/index.ts";
import { agentName, CrmExit, HactlError, type Millis, nodeName } from "../terms/index.ts";
import { ask } from "./daemon.ts";
import { cibTarget } from "./target.ts";
import { agentPatienceMs, hasInitScript, metadataOf } from "./tools/agent-list.ts";

/** An agent is not waited for longer: what it says is a help, no condition. */
const patienceMs: Millis = agentPatienceMs;
/** Agents that are asked at a time. */
const atOnce = 4;

/** Most agents and nodes in one question (controller, `ask-agents`). */
const mostAtATime = 200;
/** How long a daemon may ask others (daemon, `AgentSurvey`). */
const surveyPatienceMs: Millis = 60_000;

/** What was found out about the agents of resources. */
export interface AgentAnswers {
  readonly of: (use: AgentUse) => AgentFindings;
  /** Nodes that could not be asked, with the reason. */
  readonly silent: ReadonlyMap<string, string>;
}

/**
 * Asks agents on the nodes that may run the resources, all at once; nobody who is away is waited for. Without a cluster,
 * or where the nodes are those of another one, the agents on this host are asked.
 */
export async function askAgents(uses: readonly AgentUse[], cib: XmlElement): Promise<AgentAnswers> {
  const places = await placesOf(uses, cib);
  const surveyed = await survey(places);
  const isElsewhere = (use: AgentUse): boolean =>
    surveyed !== undefined && standardOf(use.agent) !== undefined && isKnown(surveyed, places.get(use));
  // Whether containers run on this host says nothing of where bundles run.
  const here = uses.filter((use) => !isElsewhere(use) && use.runsAs === undefined);
  const local = await hereAgents(here.map(({ agent }) => agent));
  const silent = surveyed?.silent ?? new Map<string, string>();
  return {
    silent,
    of: (use) => {
      const word = agentName(use.agent);
      if (!surveyed || !isElsewhere(use)) {
        const facts = use.runsAs === undefined ? local.get(word) : undefined;
        return { found: facts ? [{ facts }] : [], silent: [] };
      }
      const nodes = places.get(use) ?? [];
      const found = nodes.flatMap((node): AgentFinding[] => {
        const facts = surveyed.facts.get(node)?.get(word);
        return facts ? [{ node, facts }] : [];
      });
      return { found, silent: nodes.filter((node) => silent.has(node)) };
    },
  };
}

type Places = ReadonlyMap<AgentUse, readonly string[]>;

/** The nodes that may run each resource. One that may run nowhere has none. */
async function placesOf(uses: readonly AgentUse[], cib: XmlElement): Promise<Places> {
  const { possibleNodes } = await import("../scheduler/index.ts");
  try {
    const nodes = possibleNodes({ cib, now: Math.floor(Date.now() / 1000) });
    return new Map(
      uses.map(
        (use) => [use, nodes.get(use.runsAs ?? use.resource.attributes.get("id") ?? "") ?? []] as const,
      ),
    );
  } catch (error) {
    // What is wrong with it is told elsewhere.
    if (error instanceof HactlError) return new Map();
    throw error;
  }
}

interface Survey {
  readonly facts: ReadonlyMap<string, ReadonlyMap<string, AgentFacts>>;
  readonly silent: ReadonlyMap<string, string>;
}

/** Whether anybody of those who may run a resource is of this cluster. */
const isKnown = ({ facts, silent }: Survey, nodes: readonly string[] | undefined): boolean =>
  nodes?.some((node) => facts.has(node) || silent.has(node)) === true;

const standards = ["ocf", "lsb", "systemd", "service", "stonith"] as const;
const standardOf = ({ class: name }: AgentName) => standards.find((standard) => standard === name);

/** A question may name so many agents of a node, and so many nodes: what is more is asked after it. */
function questions(wanted: ReadonlyMap<string, ReadonlyMap<string, AgentName>>): AskedAgents[][] {
  const rounds: AskedAgents[][] = [];
  const kinds = [...wanted].map(([node, agents]) => ({
    node: nodeName(node),
    agents: [...agents.values()].flatMap((agent) => {
      const standard = standardOf(agent);
      return standard === undefined ? [] : [{ ...agent, class: standard }];
    }),
  }));
  for (let first = 0; kinds.some(({ agents }) => agents.length > first); first += mostAtATime) {
    const round = kinds
      .map(({ node, agents }) => ({ node, agents: agents.slice(first, first + mostAtATime) }))
      .filter(({ agents }) => agents.length > 0);
    for (let at = 0; at < round.length; at += mostAtATime) rounds.push(round.slice(at, at + mostAtATime));
  }
  return rounds;
}

/** Undefined where no daemon can be asked. */
async function survey(places: Places): Promise<Survey | undefined> {
  const wanted = new Map<string, Map<string, AgentName>>();
  for (const [{ agent }, nodes] of places) {
    if (standardOf(agent) === undefined) continue;
    for (const node of nodes) {
      const agents = wanted.get(node) ?? new Map<string, AgentName>();
      wanted.set(node, agents.set(agentName(agent), agent));
    }
  }
  const isLive = cibTarget().kind === "live";
  const facts = new Map<string, Map<string, AgentFacts>>();
  const silent = new Map<string, string>();
  try {
    for (const asked of questions(wanted)) {
      const reply = await ask<SurveyReply>({ type: "agents", asked }, surveyPatienceMs);
      for (const { node, agent, facts: found } of reply.answers)
        facts.set(node, (facts.get(node) ?? new Map<string, AgentFacts>()).set(agent, found));
      for (const { node, reason } of reply.silent) silent.set(node, reason);
      if (isLive) for (const node of reply.strangers) silent.set(node, "it has not joined the cluster");
    }
  } catch (error) {
    if (error instanceof HactlError) return undefined;
    throw error;
  }
  return { facts, silent };
}

/** What the agents on this host say of themselves, by `agentName`. */
async function hereAgents(agents: readonly AgentName[]): Promise<Map<string, AgentFacts>> {
  const open = [...new Map(agents.map((agent) => [agentName(agent), agent] as const))];
  const facts = new Map<string, AgentFacts>();
  const work = async () => {
    for (let next = open.shift(); next; next = open.shift()) facts.set(next[0], await factsOf(next[1]));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return facts;
}

async function factsOf(agent: AgentName): Promise<AgentFacts> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new HactlError({ code: "TIMEOUT", what: `no answer for ${patienceMs / 1000} s` })),
    patienceMs,
  );
  try {
    return await Promise.race([ofClass(agent), late.promise]);
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    return error.exit === CrmExit.NOT_INSTALLED || error.code === "NO_SUCH_AGENT"
      ? {
          kind: "absent",
          reason: error.code === "AGENT" ? error.what : "not on this host",
        }
      : { kind: "unknown", reason: error.what };
  } finally {
    clearTimeout(timer);
  }
}

/** Init scripts and units have no meta-data: they are there, or not. */
async function ofClass(agent: AgentName): Promise<AgentFacts> {
  const { class: standard, provider, type } = agent;
  switch (standard) {
    case "systemd":
      return systemdFacts(type);
    case "lsb":
      return (await hasInitScript(type)) ? silent : absent(`no init script ${type}`);
    case "service": {
      const unit = systemdFacts(type);
      if (unit.kind !== "absent" || (await hasInitScript(type))) return silent;
      return absent(`${unit.reason}, and no init script ${type}`);
    }
    case "ocf":
      return described(await ocfMetadata(provider ?? "heartbeat", type));
    case "stonith":
      // Plugins of cluster-glue tell their parameters in a way of their own.
      return type.includes("/") ? silent : described(await metadataOf(agentName(agent)));
    default:
      return absent(`no class of agents is called ${standard}`);
  }
}

const silent: AgentFacts = { kind: "described", description: { parameters: [], actions: [] } };
const absent = (reason: string): AgentFacts => ({ kind: "absent", reason });

function described(text: string): AgentFacts {
  return { kind: "described", description: parseAgentDescription(text) };
}

async function ocfMetadata(provider: string, type: string): Promise<string> {
  try {
    return await ask<string>({ type: "metadata", class: "ocf", provider, agent: type });
  } catch (error) {
    // Without a daemon the agent can be asked all the same.
    if (error instanceof HactlError && error.code !== "AGENT") return metadataOf(`ocf:${provider}:${type}`);
    throw error;
  }
}

/** Where systemd does not answer, nobody knows its units. */
function systemdFacts(type: string): AgentFacts {
  const unusable = unusableUnit(type);
  if (unusable !== undefined) return absent(unusable);
  const unit = /\.\w+$/.test(type) ? type : `${type}.service`;
  try {
    const ran = Bun.spawnSync(["systemctl", "show", "--property=LoadState", "--value", "--", unit], {
      stderr: "ignore",
      timeout: patienceMs,
    });
    return ran.success && ran.stdout.toString().trim() === "not-found" ? absent(`no unit ${unit}`) : silent;
  } catch {
    return silent;
  }
}

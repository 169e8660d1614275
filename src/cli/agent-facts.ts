import { type AgentFacts, type AgentName, parseAgentDescription } from "../cib/index.ts";
import { agentName, CrmExit, HactlError, type Millis } from "../terms/index.ts";
import { ask } from "./daemon.ts";
import { agentPatienceMs, hasInitScript, metadataOf } from "./tools/agent-list.ts";

/** An agent is not waited for longer: what it says is a help, no condition. */
const patienceMs: Millis = agentPatienceMs;
/** Agents that are asked at a time. */
const atOnce = 4;

/** What the agents on this host say of themselves, by `agentName`. */
export async function askAgents(agents: readonly AgentName[]): Promise<Map<string, AgentFacts>> {
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
    return error.exit === CrmExit.NOT_INSTALLED
      ? {
          kind: "absent",
          reason: error.code === "AGENT" ? error.what : "not on this host",
          everywhere: false,
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
    case "service":
      return (await hasInitScript(type)) || standard === "service"
        ? silent
        : absent(`no init script ${type}`);
    case "ocf":
      return described(await ocfMetadata(provider ?? "heartbeat", type));
    case "stonith":
      // Plugins of cluster-glue tell their parameters in a way of their own.
      return type.includes("/") ? silent : described(await metadataOf(agentName(agent)));
    default:
      return absent(`no class of agents is called ${standard}`);
  }
}

const silent: AgentFacts = { kind: "described", description: { parameters: new Map(), actions: new Set() } };
const absent = (reason: string): AgentFacts => ({ kind: "absent", reason, everywhere: false });

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

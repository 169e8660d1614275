import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type AgentFacts, parseAgentDescription } from "../cib/index.ts";
import {
  type AgentMetadata,
  type AgentOutcome,
  type AgentRun,
  complaint,
  parseAgentMetadata,
  pluginMetadata,
} from "../fencer/index.ts";
import {
  atMost,
  type EndedProcess,
  LONGEST_TIMER_MS,
  type RunningProcess,
  SecretStore,
  startProcess,
} from "../platform/index.ts";
import { HactlError, type Millis, plainLine, withoutSecretValues } from "../terms/index.ts";
import { reveal } from "./agent-secrets.ts";
import type { FenceRuns, KeptPlace } from "./fence-runs.ts";
import { compiledArguments, describingArguments, isCompiledPlugin } from "./glue-plugins.ts";

/** Where fence agents and cluster-glue plugins are looked for, in this order. */
export interface FenceDirectories {
  readonly agents: readonly string[];
  readonly plugins: readonly string[];
  /** Additions to PATH for plugins: where cluster-glue's ha_log.sh lies. */
  readonly glue: readonly string[];
  /** Directory of the values that `lrm://` stands for in parameters. */
  readonly secrets: string;
}

/** Directories of the packages fence-agents and cluster-glue on RHEL and Debian. */
export const fenceDirectories: FenceDirectories = {
  agents: ["/usr/sbin"],
  plugins: ["/usr/lib64/stonith/plugins/external", "/usr/lib/stonith/plugins/external"],
  glue: ["/usr/share/cluster-glue"],
  secrets: "/var/lib/pacemaker/lrm/secrets",
};

const keepBytes = 64 * 1024;
/** Between two looks whether a kept agent has ended. */
const keptLookMs: Millis = 25;
const metadataBytes = 1024 * 1024;
const metadataTimeoutMs: Millis = 30_000;
/** An agent that a person wants to know of is given no longer. */
const lookMs: Millis = 5_000;
/** What an agent has said that took too long is waited for no longer. */
const lastWordsMs: Millis = 250;
/** Between SIGTERM and SIGKILL after a time-out. */
const termMs: Millis = 500;
const path = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Environment of every agent: nothing of ours but what logging needs. */
function baseEnvironment(directories: FenceDirectories): Record<string, string> {
  const kept = ["HA_LOGFACILITY", "HA_logfacility", "HA_debug", "TZ"];
  const inherited = kept.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(inherited), LC_ALL: "C", PATH: [path, ...directories.glue].join(":") };
}

/** How a plugin is told what to do (cluster-glue, README.external). */
export function pluginArguments(action: string, port: string | undefined): string[] {
  const host = port === undefined ? [] : [port];
  switch (action) {
    case "reboot":
    case "reset":
      return ["reset", ...host];
    case "off":
    case "on":
      return [action, ...host];
    case "list":
      return ["gethosts"];
    case "monitor":
    case "status":
      return ["status"];
    default:
      return [action, ...host];
  }
}

/**
 * Runs an agent to its end or its time-out. Never throws: what goes wrong is in the outcome. `runs` keeps what a manager
 * that comes after this one has to know of it.
 */
export async function runFenceAgent(
  run: AgentRun,
  directories: FenceDirectories = fenceDirectories,
  runs?: FenceRuns,
): Promise<AgentOutcome> {
  try {
    const { values } = reveal(run.params, run.device, new SecretStore(directories.secrets));
    const outcome = await runKnown(run, directories, runs);
    return { ...outcome, stderr: withoutSecretValues(outcome.stderr, values) };
  } catch (error) {
    return failed(String(error));
  }
}

/** What is worth a line of the log each: all that an agent has complained of, where it failed. */
export function complaints(device: string, { action, agent }: AgentRun, outcome: AgentOutcome): string[] {
  const isAnswer = outcome.exit === 0 || (action === "status" && outcome.exit === 2);
  if (isAnswer && !outcome.timedOut) return [];
  const lines = outcome.stderr
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  return lines.slice(-mostLogged).map((line) => `${device} ${action}: ${agent} said: ${plainLine(line)}`);
}

/** More lines are a dump of something, whose end says what went wrong. */
const mostLogged = 50;

/** What a fence agent says of parameters: `wrong` why it cannot work with them, empty when it can. */
export type FenceAgentCheck = Pick<AgentOutcome, "exit" | "stdout" | "stderr"> & { readonly wrong: string };

/**
 * Lets a fence agent look on this host whether it can work with parameters.
 * @param what the agent, and the device whose secrets are meant
 */
export async function checkFenceAgent(
  { agent, device }: { readonly agent: string; readonly device: string },
  given: Readonly<Record<string, string>>,
  timeoutMs: Millis,
  directories: FenceDirectories = fenceDirectories,
): Promise<FenceAgentCheck> {
  const action = "validate-all";
  const kind = agent.startsWith("external/") ? ("external" as const) : ("fence-agent" as const);
  const params = kind === "external" ? given : { ...given, action };
  const run = { run: "check", device, agent: agent.replace(/^external\//, ""), kind, action };
  const outcome = await runFenceAgent({ ...run, params, timeoutMs }, directories);
  const { exit, stdout, stderr } = outcome;
  return { exit, stdout, stderr, wrong: complaint(outcome, timeoutMs) };
}

async function runKnown(
  run: AgentRun,
  directories: FenceDirectories,
  runs: FenceRuns | undefined,
): Promise<AgentOutcome> {
  const keep = () => (run.kept ? runs?.begin(run.kept, run.timeoutMs) : undefined);
  const environment = baseEnvironment(directories);
  if (!/^[A-Za-z0-9][\w.+-]*$/.test(run.agent))
    return failed(`"${run.agent}" is not a name of a fence agent`);
  const { values: params, problems } = reveal(run.params, run.device, new SecretStore(directories.secrets));
  if (problems[0] !== undefined) return { ...failed(problems[0]), lacksSecret: true };
  if (run.kind === "external") {
    const candidates = directories.plugins.map((directory) => join(directory, run.agent));
    const open = candidates.find((file) => existsSync(file));
    if (open !== undefined && (statSync(open).mode & 0o022) !== 0)
      return failed(`${open} can be written by others than its owner and is not run`);
    const env = { ...params, ...environment, HA_LOGTAG: `${run.agent} ${run.device}` };
    return await toEnd(
      { candidates, args: pluginArguments(run.action, run.port), env, keepBytes },
      run.timeoutMs,
      keep(),
    );
  }
  if (isCompiled(run.agent, directories)) {
    const { action: _, nodename: __, ...own } = params;
    const args = compiledArguments(run.agent, run.action, run.port);
    const candidates = directories.agents.map((directory) => join(directory, "stonith"));
    return await toEnd(
      { candidates, args, env: { ...own, ...environment }, keepBytes },
      run.timeoutMs,
      keep(),
    );
  }
  const stdin = Object.entries(params)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
  const candidates = directories.agents.map((directory) => join(directory, run.agent));
  return await toEnd({ candidates, args: [], env: environment, stdin, keepBytes }, run.timeoutMs, keep());
}

/** A fence agent of that name counts before a compiled plugin. */
const isCompiled = (agent: string, { agents, plugins }: FenceDirectories): boolean =>
  isCompiledPlugin(agent, plugins) && !agents.some((directory) => existsSync(join(directory, agent)));

/**
 * Metadata of `fence_NAME`, `external/NAME` or a compiled plugin; undefined when the agent is missing or its metadata is
 * unreadable.
 */
export async function fetchFenceMetadata(
  agent: string,
  directories: FenceDirectories = fenceDirectories,
): Promise<AgentMetadata | undefined> {
  const xml = await fenceMetadataXml(agent, directories);
  if (xml === undefined) return undefined;
  if (agent.startsWith("external/") || isCompiled(agent, directories)) return pluginMetadata;
  try {
    const metadata = parseAgentMetadata(xml);
    return metadata.actions.length > 0 ? metadata : undefined;
  } catch (error) {
    if (error instanceof HactlError) return undefined;
    throw error;
  }
}

/** The metadata as the agent prints it; undefined when it cannot be had. */
export async function fenceMetadataXml(
  agent: string,
  directories: FenceDirectories = fenceDirectories,
): Promise<string | undefined> {
  const outcome = await askFenceAgent(agent, directories, metadataTimeoutMs);
  return outcome?.exit === 0 && !outcome.timedOut ? outcome.stdout : undefined;
}

/** What a fence agent on this host is: whether it is there and can be run, and what it says. */
export async function fenceAgentFacts(agent: string, directories: FenceDirectories): Promise<AgentFacts> {
  const outcome = await askFenceAgent(agent, directories, lookMs);
  if (!outcome) return { kind: "absent", reason: `"${agent}" is not the name of a fence agent` };
  if (outcome.error !== undefined) return { kind: "absent", reason: outcome.error };
  if (outcome.timedOut) return { kind: "unknown", reason: `no answer for ${lookMs / 1000} s` };
  if (outcome.exit !== 0) return { kind: "unknown", reason: `its meta-data gave exit code ${outcome.exit}` };
  // Plugins of cluster-glue tell their parameters in a way of their own.
  if (agent.startsWith("external/"))
    return { kind: "described", description: { parameters: [], actions: [] } };
  try {
    return { kind: "described", description: parseAgentDescription(outcome.stdout) };
  } catch (error) {
    if (error instanceof HactlError) return { kind: "unknown", reason: error.what };
    throw error;
  }
}

/** Asks for its metadata; undefined for what is no name of an agent. */
async function askFenceAgent(
  agent: string,
  directories: FenceDirectories,
  patience: Millis,
): Promise<AgentOutcome | undefined> {
  const plugin = agent.startsWith("external/");
  const name = plugin ? agent.slice("external/".length) : agent;
  if (!/^[A-Za-z0-9][\w.+-]*$/.test(name)) return undefined;
  const compiled = !plugin && isCompiled(name, directories);
  const where = plugin ? directories.plugins : directories.agents;
  return await toEnd(
    {
      candidates: where.map((directory) => join(directory, compiled ? "stonith" : name)),
      args: plugin ? ["getinfo-xml"] : compiled ? describingArguments(name) : [],
      env: baseEnvironment(directories),
      ...(plugin || compiled ? {} : { stdin: "action=metadata\n" }),
      keepBytes: metadataBytes,
    },
    patience,
  );
}

async function toEnd(
  spec: Parameters<typeof startProcess>[0],
  timeoutMs: Millis,
  kept?: KeptPlace,
): Promise<AgentOutcome> {
  const started = startProcess(kept ? { ...spec, before: kept.before, marker: kept.marker } : spec);
  if ("kind" in started) return outcomeOf(started, false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), Math.min(timeoutMs, LONGEST_TIMER_MS));
  });
  const ended = await Promise.race([kept ? keptEnd(kept, started.ended) : started.ended, late]);
  clearTimeout(timer);
  if (ended !== "late") {
    if (!("kind" in ended)) return ended;
    // Whoever else waits for it may have been faster to end it.
    return outcomeOf(ended, ended.kind === "signalled" && kept?.isOver() === true);
  }
  const ending = end(started);
  const last = kept ? undefined : await atMost(started.ended, lastWordsMs);
  void ending;
  const stderr = kept?.complaint() ?? (last && "stderr" in last ? last.stderr : "");
  return { exit: null, timedOut: true, stdout: "", stderr };
}

/** The agent's own end counts: processes that it leaves behind may hold the shell around it. */
async function keptEnd(kept: KeptPlace, around: Promise<EndedProcess>): Promise<AgentOutcome | EndedProcess> {
  let over: EndedProcess | undefined;
  void around.then((ended) => {
    over = ended;
  });
  for (;;) {
    const last = over;
    const outcome = await kept.outcome();
    if (outcome) return outcome;
    if (last) return last;
    await atMost(around, keptLookMs);
  }
}

/** Ends an agent that took too long, with everything that it started. */
async function end(started: RunningProcess): Promise<void> {
  started.signal("TERM");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, termMs);
  });
  await Promise.race([started.ended, grace]);
  clearTimeout(timer);
  started.signal("KILL");
  started.killRest(false);
}

function outcomeOf(ended: EndedProcess, timedOut: boolean): AgentOutcome {
  switch (ended.kind) {
    case "exited":
      return { exit: ended.code, timedOut, stdout: ended.stdout, stderr: ended.stderr };
    case "signalled":
      return {
        exit: null,
        timedOut,
        stdout: ended.stdout,
        stderr: `${ended.stderr}\nended by ${ended.signal}`,
      };
    case "missing":
      return failed(`not installed (looked for ${ended.searched.join(", ")})`);
    case "refused":
      return failed(
        ended.why === "not-executable"
          ? `${ended.path} is not executable`
          : ended.why === "no-program"
            ? `${ended.path} is no program of this machine, or empty`
            : `the interpreter of ${ended.path} is missing`,
      );
    case "no-room":
      return failed(ended.message);
  }
}

const failed = (error: string): AgentOutcome => ({
  exit: null,
  timedOut: false,
  stdout: "",
  stderr: "",
  error,
});

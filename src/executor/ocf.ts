import { agentName, lookup, OcfExit, OpStatus, secretReference, withoutInstance } from "../terms/index.ts";
import type { Command, Procedure, ProcessOutcome, Verdict } from "./command.ts";
import { KEEP_BYTES } from "./command.ts";
import type { ExecutorConfig } from "./config.ts";
import { ocfEnvironment } from "./environment.ts";
import type { Operation } from "./face.ts";
import { cleanText, exitReason, lastSaid } from "./output.ts";

/** Actions whose processes are the service itself. */
const BRINGS_UP = new Set(["start", "promote", "demote", "migrate_from", "reload", "reload-agent"]);

/** Whether a name is one path component: an agent's name may not lead out of its directory. */
export function isPlainName(name: string): boolean {
  return /^[^/\0]+$/.test(name) && name !== "." && name !== "..";
}

/** Where an OCF agent may be, in the order of the search path. */
export function ocfCandidates(provider: string, type: string, config: ExecutorConfig): string[] {
  return config.ocfPath.map((directory) => `${directory}/${provider}/${type}`);
}

/** The command that runs an OCF agent with one action (OCF resource agent API, "Invoking"). */
export function ocfCommand(
  operation: Pick<Operation, "rsc" | "action" | "params">,
  config: ExecutorConfig,
): Command {
  const provider = operation.rsc.provider ?? "heartbeat";
  return {
    candidates: ocfCandidates(provider, operation.rsc.type, config),
    args: [operation.action],
    env: ocfEnvironment(operation, config.environment, config.ocfRoot, config.featureSet),
    ...secretsOf(operation),
    keepBytes: KEEP_BYTES,
    killEscaped: !BRINGS_UP.has(operation.action),
  };
}

/** A service whose secret is lost can still be stopped, where its agent does not need it for that. */
const secretsOf = ({ rsc, action, params }: Pick<Operation, "rsc" | "action" | "params">) =>
  Object.values(params).includes(secretReference)
    ? { secrets: { rsc: withoutInstance(rsc.id), optional: action === "stop" } }
    : {};

/** Runs an OCF agent once; its exit code is the result. */
export function ocfProcedure(operation: Operation, config: ExecutorConfig): Procedure {
  const { rsc } = operation;
  return {
    next(outcome) {
      if (outcome) return { do: "finish", verdict: ocfVerdict(outcome, agentName(rsc)) };
      if (!isPlainName(rsc.type) || !isPlainName(rsc.provider ?? "heartbeat")) {
        return { do: "finish", verdict: invalidName(agentName(rsc)) };
      }
      return { do: "run", command: ocfCommand(operation, config) };
    },
  };
}

/**
 * Every exit code of an OCF agent is an answer; what it means is the scheduler's business. Why it failed an agent says by
 * an exit reason; one that gives none has said it in its last lines, more often than not.
 */
export function ocfVerdict(outcome: ProcessOutcome, agent: string): Verdict {
  if (outcome.kind !== "exited") return failureToRun(outcome, agent);
  return {
    rc: outcome.code,
    status: OpStatus.DONE,
    exitReason: exitReason(outcome.stderr) || (saysState.has(outcome.code) ? "" : lastSaid(outcome.stderr)),
    stdout: cleanText(outcome.stdout),
  };
}

/** Exit codes that are no failure: what an agent prints beside them is no reason of anything. */
const saysState: ReadonlySet<number> = new Set([OcfExit.OK, OcfExit.NOT_RUNNING, OcfExit.RUNNING_PROMOTED]);

/** The verdict when there is no exit code: missing, not runnable, killed from outside. */
export function failureToRun(outcome: Exclude<ProcessOutcome, { kind: "exited" }>, agent: string): Verdict {
  switch (outcome.kind) {
    case "signalled":
      return {
        rc: OcfExit.GENERIC,
        status: OpStatus.ERROR,
        exitReason:
          exitReason(outcome.stderr) ||
          `agent ${agent} was ended by signal ${outcome.signal}${behindColon(lastSaid(outcome.stderr))}`,
        stdout: cleanText(outcome.stdout),
      };
    case "missing":
      return verdict(
        OcfExit.INSTALLED,
        OpStatus.NOT_INSTALLED,
        `agent ${agent} is not installed: looked for ${outcome.searched.join(", ")}`,
      );
    case "refused":
      // Whoever asked whether a service runs has not been told that it may: the stop that would follow could not be
      // carried out, either, and would cost the node its power, one node after the other.
      return verdict(OcfExit.INSTALLED, OpStatus.NOT_INSTALLED, `${outcome.path} ${refusals[outcome.why]}`);
    case "no-secret":
      // Other hosts may have it: a failure of this one, not of the configuration.
      return verdict(OcfExit.ARGS, OpStatus.DONE, outcome.message);
    case "no-room":
      return verdict(
        OcfExit.GENERIC,
        OpStatus.ERROR,
        `no process could be started for ${agent}: ${lastSaid(outcome.message)}`,
      );
  }
}

/** Why a file cannot be run, and what to do. */
const refusals = lookup({
  "not-executable": "is not executable: chmod 755 it",
  "no-interpreter": "cannot be run: its first line names an interpreter that is not there",
  "no-program": "is no program of this machine, or empty: install it again",
});

const behindColon = (words: string) => (words === "" ? "" : `: ${words}`);

/** A verdict without output. */
export function verdict(rc: number, status: OpStatus, reason = ""): Verdict {
  return { rc, status, exitReason: reason, stdout: "" };
}

/** A name with a slash in it could start any file of the machine. No such agent is installed, nor can it run anything. */
export function invalidName(agent: string): Verdict {
  return verdict(OcfExit.INSTALLED, OpStatus.NOT_INSTALLED, `"${agent}" is not the name of an agent`);
}

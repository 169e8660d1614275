import { agentName, OcfExit, OpStatus } from "../terms/index.ts";
import type { Command, Procedure, Verdict } from "./command.ts";
import { KEEP_BYTES } from "./command.ts";
import type { ExecutorConfig } from "./config.ts";
import type { Operation } from "./face.ts";
import { failureToRun, invalidName, isPlainName, verdict } from "./ocf.ts";
import { cleanText, lastSaid } from "./output.ts";

/** Not in LSB: the exit code of `status` by which Pacemaker's helpers say that the script is missing. */
const STATUS_NOT_INSTALLED = 150;

/** Runs an init script; `monitor` is its `status` (LSB Core, "Init Script Actions"). */
export function lsbProcedure(operation: Operation, config: ExecutorConfig): Procedure {
  const { rsc, action } = operation;
  const agent = agentName(rsc);
  return {
    next(outcome) {
      if (!outcome) {
        if (!isPlainName(rsc.type)) return { do: "finish", verdict: invalidName(agent) };
        if (!SUPPORTED.has(action)) return { do: "finish", verdict: unsupported(agent, action) };
        return { do: "run", command: lsbCommand(rsc.type, action, config) };
      }
      if (outcome.kind !== "exited") return { do: "finish", verdict: failureToRun(outcome, agent) };
      const rc = lsbToOcf(action, outcome.code);
      const said = rc === OcfExit.OK || rc === OcfExit.NOT_RUNNING ? "" : lastSaid(outcome.stderr);
      return {
        do: "finish",
        verdict: { rc, status: OpStatus.DONE, exitReason: said, stdout: cleanText(outcome.stdout) },
      };
    },
  };
}

const SUPPORTED = new Set(["start", "stop", "monitor", "reload", "restart", "force-reload"]);

function unsupported(agent: string, action: string): Verdict {
  return verdict(OcfExit.UNIMPLEMENTED, OpStatus.NOT_SUPPORTED, `${agent} has no action "${action}"`);
}

function lsbCommand(script: string, action: string, config: ExecutorConfig): Command {
  return {
    candidates: config.lsbPath.map((directory) => `${directory}/${script}`),
    args: [action === "monitor" ? "status" : action],
    env: config.environment,
    keepBytes: KEEP_BYTES,
    killEscaped: action === "monitor" || action === "stop",
  };
}

/** LSB exit codes in OCF's terms. `status` has its own meanings: 1 and 2 dead, 3 stopped, 4 not known. */
export function lsbToOcf(action: string, code: number): number {
  if (action !== "monitor") return code >= 0 && code <= 7 ? code : OcfExit.GENERIC;
  switch (code) {
    case 0:
      return OcfExit.OK;
    case 1:
    case 2:
    case 3:
      return OcfExit.NOT_RUNNING;
    case 4:
      return OcfExit.PERM;
    case 5:
    case STATUS_NOT_INSTALLED:
      return OcfExit.INSTALLED;
    default:
      return OcfExit.GENERIC;
  }
}

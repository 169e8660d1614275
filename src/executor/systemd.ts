import { OcfExit, OpStatus } from "../terms/index.ts";
import type { Command, Procedure, ProcessOutcome, Step, Verdict } from "./command.ts";
import { KEEP_BYTES } from "./command.ts";
import type { ExecutorConfig } from "./config.ts";
import type { Operation } from "./face.ts";
import { agentName, failureToRun, invalidName, isPlainName, verdict } from "./ocf.ts";
import { lastLine } from "./output.ts";

/** Between two looks at a unit that is on its way up or down. */
const POLL_MS = 2000;
/** Kinds of units that can be a resource; a name without one is a service. */
const SUFFIX = /\.(?:service|socket|mount|timer|path|automount|swap|target|slice|scope|device)$/;

/** A unit's name: `httpd` is `httpd.service`. */
export function unitName(type: string): string {
  return SUFFIX.test(type) ? type : `${type}.service`;
}

interface UnitState {
  readonly load: string;
  readonly active: string;
  readonly sub: string;
}

/** The lines `Key=value` of `systemctl show`. */
export function parseUnitState(stdout: string): UnitState {
  const value = (key: string) =>
    stdout
      .split("\n")
      .find((line) => line.startsWith(`${key}=`))
      ?.slice(key.length + 1)
      .trim() ?? "";
  return { load: value("LoadState"), active: value("ActiveState"), sub: value("SubState") };
}

/**
 * A systemd unit as a resource. start and stop wait for their job, then look every 2 s until the unit has
 * settled, as org.freedesktop.systemd1(5) describes ActiveState; a unit that is still activating is not yet up.
 */
export function systemdProcedure(operation: Operation, config: ExecutorConfig): Procedure {
  const { rsc, action } = operation;
  const agent = agentName(rsc);
  const unit = unitName(rsc.type);
  let asked: "state" | "job" | undefined;
  let jobDone = action === "monitor";
  const show: Step = { do: "run", command: systemctl(["show", "-p", SHOWN, "--", unit], config) };
  const finish = (result: Verdict): Step => ({ do: "finish", verdict: result });

  const onState = (state: UnitState): Step => {
    if (state.load === "not-found" || state.load === "") {
      return finish(notInstalled(unit, action));
    }
    if (state.load === "masked" && action === "start") {
      return finish(verdict(OcfExit.INSTALLED, OpStatus.NOT_INSTALLED, `${unit} is masked: unmask it`));
    }
    if (!jobDone) {
      asked = "job";
      return { do: "run", command: systemctl([jobVerb(action), "--no-ask-password", "--", unit], config) };
    }
    return settled(action, state, unit);
  };

  return {
    next(outcome) {
      if (!outcome) {
        if (!isPlainName(rsc.type) || rsc.type.startsWith("-")) return finish(invalidName(agent));
        if (!SUPPORTED.has(action)) {
          return finish(
            verdict(OcfExit.UNIMPLEMENTED, OpStatus.NOT_SUPPORTED, `${agent} has no action "${action}"`),
          );
        }
        asked = "state";
        return show;
      }
      if (outcome.kind === "missing") return finish(noSystemd(agent));
      if (outcome.kind !== "exited") return finish(failureToRun(outcome, agent));
      if (asked === "job") {
        if (outcome.code !== 0) return finish(jobFailed(unit, action, outcome));
        jobDone = true;
        asked = "state";
        return show;
      }
      if (/not been booted with systemd/.test(outcome.stderr)) {
        return finish(noSystemd(agent));
      }
      if (outcome.code !== 0) return finish(jobFailed(unit, "show", outcome));
      return onState(parseUnitState(outcome.stdout));
    },
  };
}

const SHOWN = "LoadState,ActiveState,SubState";
const SUPPORTED = new Set(["start", "stop", "monitor", "reload", "restart"]);
const jobVerb = (action: string) => action;

function systemctl(args: readonly string[], config: ExecutorConfig): Command {
  return {
    candidates: ["systemctl"],
    args,
    env: { ...config.environment, SYSTEMD_PAGER: "", SYSTEMD_COLORS: "0" },
    keepBytes: KEEP_BYTES,
    killEscaped: false,
  };
}

function settled(action: string, state: UnitState, unit: string): Step {
  const done = (rc: number, reason = ""): Step => ({
    do: "finish",
    verdict: verdict(rc, OpStatus.DONE, reason),
  });
  const seen = `${unit} is ${state.active}${state.sub === "" ? "" : ` (${state.sub})`}`;
  switch (state.active) {
    case "active":
    case "reloading":
    case "refreshing":
      return action === "stop" ? done(OcfExit.GENERIC, `${seen} after it was stopped`) : done(OcfExit.OK);
    case "activating":
    case "deactivating":
      return { do: "wait", ms: POLL_MS };
    default:
      if (action === "stop") return done(OcfExit.OK);
      if (action === "monitor") return done(OcfExit.NOT_RUNNING, state.active === "failed" ? seen : "");
      return done(OcfExit.GENERIC, `${seen} after ${action}: see journalctl -u ${unit}`);
  }
}

/** What is not installed does not run: stopping it is done. */
function notInstalled(unit: string, action: string): Verdict {
  if (action === "stop") return verdict(OcfExit.OK, OpStatus.DONE);
  return verdict(OcfExit.INSTALLED, OpStatus.NOT_INSTALLED, `systemd knows no unit ${unit}`);
}

function noSystemd(agent: string): Verdict {
  return verdict(
    OcfExit.INSTALLED,
    OpStatus.NOT_INSTALLED,
    `${agent} needs systemd, which does not run this machine`,
  );
}

function jobFailed(unit: string, action: string, outcome: ProcessOutcome & { kind: "exited" }): Verdict {
  const said = lastLine(outcome.stderr);
  return {
    rc: OcfExit.GENERIC,
    status: OpStatus.DONE,
    exitReason: `systemctl ${action} ${unit} failed${said === "" ? "" : `: ${said}`}`,
    stdout: "",
  };
}

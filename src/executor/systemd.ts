import { agentName, OcfExit, OpStatus } from "../terms/index.ts";
import type { Command, Procedure, ProcessOutcome, Step, Verdict } from "./command.ts";
import { KEEP_BYTES } from "./command.ts";
import type { ExecutorConfig } from "./config.ts";
import type { Operation } from "./face.ts";
import { failureToRun, invalidName, isPlainName, verdict } from "./ocf.ts";
import { lastSaid } from "./output.ts";

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
 * A systemd unit as a resource. start and stop wait for their job, then look every 2 s until the unit has settled, as
 * org.freedesktop.systemd1(5) describes ActiveState; a unit that is still activating is not yet up. While the cluster
 * runs a unit, a drop-in keeps systemd from restarting it by itself and, when the machine goes down, from stopping it
 * before the cluster has (systemd.unit(5), "Before="); to isolate a target is not its business either ("IgnoreOnIsolate=").
 * It is gone before the cluster stops the unit: with it, that stop would wait behind the stop of hactl.service, which waits
 * for it. So are those of the units that systemd stops together with this one, for which the stop may have to wait.
 */
export function systemdProcedure(operation: Operation, config: ExecutorConfig): Procedure {
  const { rsc, action } = operation;
  const unit = unitName(rsc.type);
  const refused = refusal(operation);
  let asked: "nothing" | "state" | "drop-in" | "job" = "nothing";
  let jobDone = action === "monitor";

  const ask = (what: typeof asked, command: Command): Step => {
    asked = what;
    return { do: "run", command };
  };
  const finish = (result: Verdict): Step => ({ do: "finish", verdict: result });
  const show = () => ask("state", systemctl(["show", "-p", SHOWN, "--", unit], config));
  const job = () => ask("job", systemctl([action, "--no-ask-password", "--", unit], config));

  const onState = (state: UnitState): Step => {
    const runs = !idle.has(state.active);
    // What runs goes on without its file: systemd knows it, and stops it, as long as it does.
    if ((state.load === "not-found" || state.load === "") && !runs) return finish(notInstalled(unit, action));
    // What systemd cannot load it has not started.
    if (action === "stop" && state.load !== "loaded" && !runs)
      return finish(verdict(OcfExit.OK, OpStatus.DONE));
    if (state.load === "masked" && action === "start") {
      return finish(verdict(OcfExit.INSTALLED, OpStatus.NOT_INSTALLED, `${unit} is masked: unmask it`));
    }
    if (jobDone) return settled(action, state, unit);
    if (action === "start") return ask("drop-in", dropInCommand(OVERRIDE, unit, config));
    if (action === "stop") return ask("drop-in", dropInCommand(RELEASE, unit, config));
    return job();
  };

  return {
    next(outcome) {
      if (!outcome) return refused ? finish(refused) : show();
      if (outcome.kind === "missing") return finish(noSystemd(agentName(rsc)));
      if (outcome.kind !== "exited") return finish(failureToRun(outcome, agentName(rsc)));
      switch (asked) {
        case "nothing":
        case "state":
          if (isWithoutSystemd(outcome)) return finish(noSystemd(agentName(rsc)));
          if (outcome.code !== 0) return finish(jobFailed(unit, "show", outcome));
          return onState(parseUnitState(outcome.stdout));
        case "drop-in":
          // Without the drop-in the unit runs as well, only less well guarded.
          return job();
        case "job":
          if (outcome.code !== 0) return finish(jobFailed(unit, action, outcome));
          jobDone = true;
          return show();
      }
    },
  };
}

/** Units of the cluster itself: what they run stops them. */
const ownUnits: ReadonlySet<string> = new Set(["hactl.service", "hactl-remote.service"]);

/** Why nothing of that name can be run as a resource, whatever systemd knows; undefined when it can. */
export function unusableUnit(type: string): string | undefined {
  const unit = unitName(type);
  if (ownUnits.has(unit)) return `${unit} is the cluster itself: it cannot start and stop itself`;
  if (/@\.\w+$/.test(unit))
    return `${unit} is a template: name an instance, such as ${unit.replace("@", "@1")}`;
  if (/\.(?:device|scope)$/.test(unit)) return `${unit} cannot be started by anybody`;
  return undefined;
}

/** Why an operation cannot be one of a unit. */
function refusal({ rsc, action }: Operation): Verdict | undefined {
  const agent = agentName(rsc);
  if (!isPlainName(rsc.type) || rsc.type.startsWith("-")) return invalidName(agent);
  const unusable = unusableUnit(rsc.type);
  // Nothing of it was started as a resource, so that nothing has to be stopped.
  if (unusable !== undefined)
    return action === "stop"
      ? verdict(OcfExit.OK, OpStatus.DONE)
      : verdict(OcfExit.INSTALLED, OpStatus.NOT_INSTALLED, unusable);
  if (SUPPORTED.has(action)) return undefined;
  return verdict(OcfExit.UNIMPLEMENTED, OpStatus.NOT_SUPPORTED, `${agent} has no action "${action}"`);
}

/** States in which nothing of a unit runs; none where systemd does not know it. */
const idle: ReadonlySet<string> = new Set(["inactive", "failed", ""]);

const SHOWN = "LoadState,ActiveState,SubState";
const SUPPORTED = new Set(["start", "stop", "monitor", "reload", "restart"]);

/** Where drop-ins live that a reboot removes; the unit's name is the script's first argument. */
const DROP_IN = '"/run/systemd/system/$1.d/50-hactl.conf"';
const OVERRIDE = `[ -e ${DROP_IN} ] && exit 0
mkdir -p "/run/systemd/system/$1.d" || exit
{
  echo "# Made by hactl while the cluster runs this unit."
  echo "[Unit]"
  echo "Before=hactl.service hactl-remote.service"
  echo "IgnoreOnIsolate=yes"
  case "$1" in *.service) echo "[Service]"; echo "Restart=no" ;; esac
} >${DROP_IN} && systemctl daemon-reload`;
/** The properties of a unit that name those which are stopped together with it. */
const STOPPED_WITH = "RequiredBy,RequisiteOf,BoundBy,ConsistsOf,PropagatesStopTo";
const RELEASE = `set -f
seen=" " changed=
release() {
  case $seen in *" $1 "*) return ;; esac
  seen="$seen$1 "
  if [ -e ${DROP_IN} ]; then
    rm -f ${DROP_IN}
    rmdir "/run/systemd/system/$1.d" 2>/dev/null
    changed=yes
  fi
  for other in $(systemctl show -p ${STOPPED_WITH} --value -- "$1"); do release "$other"; done
}
release "$1"
[ -z "$changed" ] || systemctl daemon-reload`;

function dropInCommand(script: string, unit: string, config: ExecutorConfig): Command {
  return {
    candidates: ["/bin/sh"],
    args: ["-c", script, "hactl", unit],
    env: config.environment,
    keepBytes: KEEP_BYTES,
    killEscaped: false,
  };
}

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
  const said = lastSaid(outcome.stderr);
  return {
    rc: OcfExit.GENERIC,
    status: OpStatus.DONE,
    exitReason: `systemctl ${action} ${unit} failed${said === "" ? "" : `: ${said}`}`,
    stdout: "",
  };
}

/** Whether a systemctl says that systemd does not run on this machine, or is not there. */
export const isWithoutSystemd = (outcome: ProcessOutcome): boolean =>
  outcome.kind === "missing" ||
  (outcome.kind === "exited" && /not been booted with systemd/.test(outcome.stderr));

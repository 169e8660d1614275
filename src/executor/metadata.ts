import { agentName, lookup, OcfExit, OpStatus } from "../terms/index.ts";
import {
  type Command,
  KEEP_BYTES,
  KEEP_METADATA_BYTES,
  type Procedure,
  type ProcessOutcome,
  type Step,
  type Verdict,
} from "./command.ts";
import type { ExecutorConfig } from "./config.ts";
import type { AgentResource } from "./face.ts";
import { invalidName, isPlainName, ocfCommand, ocfVerdict, verdict } from "./ocf.ts";
import { isWithoutSystemd, parseUnitState, unitName, unusableUnit } from "./systemd.ts";

/**
 * The meta-data of an agent. OCF agents print it themselves; for init scripts and systemd units, which have
 * none, a description of what the executor does with them is made.
 */
export function metadataProcedure(
  rsc: Omit<AgentResource, "id">,
  config: ExecutorConfig,
  looks = false,
): Procedure {
  const agent = agentName(rsc);
  const describe = (standard: "lsb" | "systemd" | "service"): Step => ({
    do: "finish",
    verdict: { ...verdict(OcfExit.OK, OpStatus.DONE), stdout: plainMetadata(standard, rsc.type) },
  });
  const resource = { ...rsc, id: rsc.type as AgentResource["id"] };
  let noUnit = false;
  return {
    next(outcome) {
      if (outcome && rsc.class === "service") {
        // As it is run: the unit where there is one, else the init script.
        if (noUnit)
          return outcome.kind === "exited" && outcome.code === 0
            ? describe("service")
            : {
                do: "finish",
                verdict: absent(`no unit ${unitName(rsc.type)}, and ${scriptProblem(rsc.type, outcome)}`),
              };
        const state = unitState(outcome);
        noUnit = state === "not-found" || isWithoutSystemd(outcome);
        if (noUnit) return { do: "run", command: lookForScript(rsc.type, config) };
        const problem = unitProblem(unitName(rsc.type), state);
        return problem === undefined ? describe("service") : { do: "finish", verdict: absent(problem) };
      }
      if (outcome && rsc.class === "systemd") {
        const problem = unitProblem(unitName(rsc.type), unitState(outcome));
        return problem === undefined ? describe("systemd") : { do: "finish", verdict: absent(problem) };
      }
      if (outcome && rsc.class === "lsb")
        return outcome.kind === "exited" && outcome.code === 0
          ? describe("lsb")
          : { do: "finish", verdict: absent(scriptProblem(rsc.type, outcome)) };
      if (outcome) return { do: "finish", verdict: ocfVerdict(outcome, agent) };
      if (!isPlainName(rsc.type) || !isPlainName(rsc.provider ?? "heartbeat")) {
        return { do: "finish", verdict: invalidName(agent) };
      }
      switch (rsc.class) {
        case "ocf": {
          const command = ocfCommand({ rsc: resource, action: "meta-data", params: {} }, config);
          return { do: "run", command: { ...command, keepBytes: KEEP_METADATA_BYTES } };
        }
        case "systemd": {
          const unusable = unusableUnit(rsc.type);
          if (unusable !== undefined) return { do: "finish", verdict: absent(unusable) };
          return looks ? { do: "run", command: showUnit(rsc.type, config) } : describe("systemd");
        }
        case "lsb":
          return looks ? { do: "run", command: lookForScript(rsc.type, config) } : describe("lsb");
        case "service":
          return looks ? { do: "run", command: showUnit(rsc.type, config) } : describe("service");
        case "stonith":
          return {
            do: "finish",
            verdict: verdict(
              OcfExit.UNIMPLEMENTED,
              OpStatus.NOT_SUPPORTED,
              `${agent}: ask the fencer for the meta-data of fence agents`,
            ),
          };
      }
    },
  };
}

const absent = (reason: string): Verdict => verdict(OcfExit.INSTALLED, OpStatus.NOT_INSTALLED, reason);

const showUnit = (type: string, config: ExecutorConfig): Command => ({
  candidates: ["systemctl"],
  args: ["show", "--property=LoadState", "--", unitName(type)],
  env: { ...config.environment, SYSTEMD_PAGER: "", SYSTEMD_COLORS: "0" },
  keepBytes: KEEP_BYTES,
  killEscaped: true,
});

/** How systemd has loaded a unit. Where it does not answer, nobody knows its units. */
const unitState = (outcome: ProcessOutcome): string | undefined =>
  outcome.kind === "exited" && outcome.code === 0 ? parseUnitState(outcome.stdout).load : undefined;

/** Why there is no such unit to be run. */
function unitProblem(unit: string, load: string | undefined): string | undefined {
  if (load === "not-found") return `no unit ${unit}`;
  if (load !== "bad-setting" && load !== "error") return undefined;
  return `systemd cannot load ${unit} (${load}): see 'systemctl status ${unit}' and 'systemd-analyze verify ${unit}'`;
}

/** The first file of the name counts, as when it is run. */
const lookForScript = (type: string, config: ExecutorConfig): Command => ({
  candidates: ["/bin/sh"],
  args: [
    "-c",
    'for file; do [ -e "$file" ] || continue; [ -x "$file" ] && exit 0; echo "$file"; exit 4; done; exit 5',
    "look",
    ...config.lsbPath.map((directory) => `${directory}/${type}`),
  ],
  env: config.environment,
  keepBytes: KEEP_BYTES,
  killEscaped: true,
});

const scriptProblem = (type: string, outcome: ProcessOutcome): string =>
  outcome.kind === "exited" && outcome.code === 4
    ? `${outcome.stdout.trim()} is not executable: chmod 755 it`
    : `no init script ${type}`;

/** Default time limits: LSB scripts and units may take long to stop. */
const ACTIONS: Readonly<Record<"lsb" | "systemd" | "service", readonly (readonly [string, string])[]>> =
  lookup({
    lsb: [
      ["start", "15s"],
      ["stop", "15s"],
      ["monitor", "15s"],
      ["restart", "15s"],
      ["force-reload", "15s"],
    ],
    systemd: [
      ["start", "100s"],
      ["stop", "100s"],
      ["monitor", "100s"],
      ["reload", "100s"],
    ],
    service: [
      ["start", "100s"],
      ["stop", "100s"],
      ["monitor", "100s"],
    ],
  });

function plainMetadata(standard: keyof typeof ACTIONS, type: string): string {
  const name = type.replace(/[<>&"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
  const actions = [...ACTIONS[standard], ["meta-data", "5s"] as const].map(
    ([action, timeout]) =>
      `    <action name="${action}" timeout="${timeout}"${action === "monitor" ? ' interval="15s"' : ""}/>`,
  );
  return [
    '<?xml version="1.0"?>',
    `<resource-agent name="${name}" version="1.0">`,
    "  <version>1.1</version>",
    `  <longdesc lang="en">${name}, started and stopped by its ${standard === "lsb" ? "init script" : "systemd unit"}</longdesc>`,
    `  <shortdesc lang="en">${name}</shortdesc>`,
    "  <parameters/>",
    "  <actions>",
    ...actions,
    "  </actions>",
    "</resource-agent>",
    "",
  ].join("\n");
}

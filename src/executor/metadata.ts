import { agentName, lookup, OcfExit, OpStatus } from "../terms/index.ts";
import { KEEP_METADATA_BYTES, type Procedure } from "./command.ts";
import type { ExecutorConfig } from "./config.ts";
import type { AgentResource } from "./face.ts";
import { invalidName, isPlainName, ocfCommand, ocfVerdict, verdict } from "./ocf.ts";

/**
 * The meta-data of an agent. OCF agents print it themselves; for init scripts and systemd units, which have
 * none, a description of what the executor does with them is made.
 */
export function metadataProcedure(rsc: Omit<AgentResource, "id">, config: ExecutorConfig): Procedure {
  const agent = agentName(rsc);
  const resource = { ...rsc, id: rsc.type as AgentResource["id"] };
  return {
    next(outcome) {
      if (outcome) return { do: "finish", verdict: ocfVerdict(outcome, agent) };
      if (!isPlainName(rsc.type) || !isPlainName(rsc.provider ?? "heartbeat")) {
        return { do: "finish", verdict: invalidName(agent) };
      }
      switch (rsc.class) {
        case "ocf": {
          const command = ocfCommand({ rsc: resource, action: "meta-data", params: {} }, config);
          return { do: "run", command: { ...command, keepBytes: KEEP_METADATA_BYTES } };
        }
        case "lsb":
        case "systemd":
        case "service":
          return {
            do: "finish",
            verdict: { ...verdict(OcfExit.OK, OpStatus.DONE), stdout: plainMetadata(rsc.class, rsc.type) },
          };
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

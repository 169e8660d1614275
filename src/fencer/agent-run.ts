import { lastWords, type Millis, type NodeName } from "../terms/index.ts";
import type { FenceDevice } from "./device.ts";
import { portOf } from "./devices.ts";
import type { AgentOutcome, AgentRun, FenceDeed } from "./face.ts";
import type { AgentMetadata } from "./metadata.ts";

/** What is asked of a device, in fence agents' words. */
export type Wanted = "reboot" | "off" | "on" | "status" | "monitor" | "list";

/** Actions that look and change nothing: substituted for off or reboot they would be a lie. */
const harmless = new Set([
  "status",
  "monitor",
  "list",
  "list-status",
  "metadata",
  "validate-all",
  "meta-data",
]);

/**
 * The action that the agent is told: pcmk_<action>_action if set; `off` for a reboot that it does not know
 * (Pacemaker Explained, "Remapping Reboots"). `refused` says why there is none.
 */
export function agentAction(
  device: FenceDevice,
  wanted: Wanted,
  metadata: AgentMetadata,
): { readonly action: string } | { readonly refused: string } {
  const set = device.params.get(`pcmk_${wanted}_action`);
  if (set !== undefined && set !== "") {
    const changes = wanted === "off" || wanted === "reboot" || wanted === "on";
    if (changes && harmless.has(set.toLowerCase()))
      return { refused: `pcmk_${wanted}_action=${set} does not switch anything` };
    return { action: set };
  }
  if (wanted === "reboot" && !metadata.actions.includes("reboot")) return { action: offAction(device) };
  if (wanted === "on" && !metadata.actions.includes("on"))
    return { refused: `${device.agent} cannot switch on` };
  return { action: wanted };
}

const offAction = (device: FenceDevice) => device.params.get("pcmk_off_action") || "off";

/** What an agent's action does to the node. */
export function deedOf(action: string): FenceDeed {
  if (action === "on") return "on";
  return action === "reboot" || action === "reset" || action === "cycle" || action === "diag"
    ? "reset"
    : "off";
}

/** Parameters of the cluster and the resource manager, which no agent gets. */
const forCluster = /^(?:pcmk_|hactl_|CRM_meta_|crm_feature_set$|action$|option$)/;

/**
 * One run: for a fence agent all lines of stdin (`action`, `nodename`, the host argument and every parameter that is
 * not the cluster's own); for a plugin its environment (FenceAgentAPI; cluster-glue README.external).
 */
export function agentRun(
  run: string,
  device: FenceDevice,
  action: string,
  target: NodeName | undefined,
  metadata: AgentMetadata,
  timeoutMs: Millis,
): AgentRun {
  const own = Object.fromEntries([...device.params].filter(([name]) => !forCluster.test(name)));
  const base = { run, device: device.id, kind: device.kind, action, timeoutMs };
  const port = target === undefined ? undefined : portOf(device, target);
  const about = target === undefined || port === undefined ? {} : { target, port };
  if (device.kind === "external")
    return { ...base, ...about, agent: device.agent.replace(/^external\//, ""), params: own };
  const params = new Map([...Object.entries(own), ["action", action] as const]);
  if (target !== undefined && port !== undefined) {
    params.set("nodename", target);
    const argument = device.params.get("pcmk_host_argument") || metadata.hostArgument;
    const given = params.get(argument);
    if (argument !== "none" && (given === undefined || given === "" || given === "dynamic"))
      params.set(argument, port);
  }
  return { ...base, ...about, agent: device.agent, params: Object.fromEntries(params) };
}

/** Why a run was not a success; the empty text when it was. Anything but exit 0 in time is a failure. */
export function complaint(outcome: AgentOutcome, timeoutMs: Millis): string {
  if (outcome.error !== undefined) return outcome.error;
  if (outcome.exit === 0 && !outcome.timedOut) return "";
  const words = agentWords(outcome.stderr) || agentWords(outcome.stdout);
  const how = outcome.timedOut
    ? `no end within ${seconds(timeoutMs)}`
    : outcome.exit === null
      ? "killed"
      : `exit ${outcome.exit}`;
  return words === "" ? how : `${how}, ${words}`;
}

/** Seconds with at most one decimal place, for people. */
export const seconds = (ms: Millis): string => `${Math.round(ms / 100) / 10} s`;

/** What an agent said last, cut to what fits in a log line. */
export const agentWords = (text: string): string => lastWords(text, 300);

import { parseBoolean, parseHostMap, parseIntervalMs } from "../cib/index.ts";
import { type Millis, nearest, type OptionSpec } from "../terms/index.ts";

/** Actions that have pcmk_<action>_action, _timeout and _retries. */
export const deviceActions = [
  "reboot",
  "off",
  "on",
  "list",
  "monitor",
  "status",
  "metadata",
  "validate-all",
] as const;
export type DeviceAction = (typeof deviceActions)[number];

/** What is asked of agents by their own words and within a time of its own, whatever the device says. */
const asked: ReadonlySet<DeviceAction> = new Set(["metadata", "validate-all"]);
const whyUnused = "agents are asked for their meta-data in the same way for all devices";
const unusedFor = (action: DeviceAction) => (asked.has(action) ? { unused: whyUnused } : {});

const perAction: OptionSpec[] = deviceActions.flatMap((action) => [
  {
    name: `pcmk_${action}_action`,
    type: "string",
    default: action,
    advanced: true,
    description: `what the agent is told when ${action} is wanted`,
    ...unusedFor(action),
  },
  {
    name: `pcmk_${action}_timeout`,
    type: "duration",
    unit: "s",
    advanced: true,
    description: `time for ${action} in the place of stonith-timeout (default: that)`,
    ...unusedFor(action),
  },
  {
    name: `pcmk_${action}_retries`,
    type: "integer",
    default: "2",
    min: 0,
    advanced: true,
    description: `how often ${action} is tried while time remains`,
    ...unusedFor(action),
  },
]);

/** What is asked of a device and cuts nothing: in the place of off or reboot, a node would count as fenced that runs on. */
const harmless: ReadonlySet<string> = new Set([
  "on",
  "list",
  "list-status",
  "monitor",
  "status",
  "metadata",
  "meta-data",
  "validate-all",
]);

const hostChecks: readonly string[] = ["dynamic-list", "static-list", "status", "none"];

/** Parameters of every fence device that are for the cluster, not for the agent (pacemaker-fenced(7)). */
export const deviceOptions: readonly OptionSpec[] = [
  {
    name: "pcmk_host_argument",
    type: "string",
    advanced: true,
    description: "agent parameter that names the node (default: port or plug if the agent has it, else none)",
  },
  {
    name: "pcmk_host_map",
    type: "string",
    description: "how the device names the nodes: node1:1;node2:2,3",
  },
  { name: "pcmk_host_list", type: "list", description: "nodes that the device can fence" },
  {
    name: "pcmk_host_check",
    type: "enum",
    values: hostChecks,
    description:
      "how to find out which nodes it can fence (default: static-list with a list or map, dynamic-list or status if the agent can, else none)",
  },
  {
    name: "pcmk_delay_max",
    type: "duration",
    unit: "s",
    default: "0s",
    description: "random delay before off and reboot, at most this with the base included",
  },
  {
    name: "pcmk_delay_base",
    type: "string",
    default: "0s",
    description: "fixed delay before off and reboot, or one for each node: node1:5s;node2:0s",
  },
  {
    name: "pcmk_action_limit",
    type: "integer",
    default: "1",
    min: -1,
    description: "actions at a time on one node; -1 for any number",
  },
  ...perAction,
  {
    name: "hactl_verify_off",
    type: "boolean",
    default: "false",
    description: "ask the agent for its status after off; only exit 2 (off) counts as success",
  },
];

const unusedNames = new Set(
  deviceOptions.flatMap(({ name, unused }) => (unused === undefined ? [] : [name])),
);
const known = new Set(deviceOptions.map(({ name }) => name));

/** Complaints about cluster parameters of a device: unknown names and values that cannot be read. */
export function checkDeviceParameters(params: ReadonlyMap<string, string>): string[] {
  const complaints: string[] = [];
  for (const [name, value] of params) {
    if (/[\r\n]/.test(value)) complaints.push(`${name} has more than one line`);
    if (!/^(?:pcmk|hactl)_/.test(name)) continue;
    if (!known.has(name)) {
      const hint = nearest(name, known);
      complaints.push(`${name} is not a parameter of fence devices${hint ? `; did you mean ${hint}?` : ""}`);
    } else if (unusedNames.has(name)) {
      complaints.push(`${name} has no effect: ${whyUnused}`);
    } else if (/^pcmk_(?:off|reboot)_action$/.test(name) && harmless.has(value.trim().toLowerCase())) {
      complaints.push(`${name}="${value}" cuts nothing: a node would count as fenced that runs on`);
    } else if (/(?:_timeout|_max)$/.test(name) && parseIntervalMs(value) === undefined) {
      complaints.push(`${name}="${value}" is not a duration such as 60s`);
    } else if (name.endsWith("_timeout") && parseIntervalMs(value) === 0) {
      complaints.push(`${name}="${value}" is no time to wait: stonith-timeout counts`);
    } else if (/(?:_retries|_limit)$/.test(name) && !/^-?\d+$/.test(value.trim())) {
      complaints.push(`${name}="${value}" is not a number`);
    } else if (name === "pcmk_host_check" && !hostChecks.includes(value.toLowerCase())) {
      complaints.push(`${name}="${value}" is none of ${hostChecks.join(", ")}`);
    } else if (name === "pcmk_host_map") {
      const wrong = mapEntries(value).filter((entry) => !/^[^:=]+[:=].+$/.test(entry));
      if (wrong.length > 0)
        complaints.push(`${name}: "${wrong.join('", "')}" does not name a node and its port`);
    } else if (name === "pcmk_delay_base" && !/[:=]/.test(value)) {
      if (parseIntervalMs(value) === undefined)
        complaints.push(`${name}="${value}" is not a duration such as 5s`);
    } else if (name === "pcmk_delay_base") {
      const wrong = mapEntries(value).filter(
        (entry) => parseIntervalMs(/^[^:=]+[:=](.+)$/.exec(entry)?.[1]) === undefined,
      );
      if (wrong.length > 0)
        complaints.push(`${name}: "${wrong.join('", "')}" does not name a node and a duration such as 5s`);
    } else if (name === "hactl_verify_off" && parseBoolean(value) === undefined) {
      complaints.push(`${name}="${value}" is neither true nor false`);
    }
  }
  return [...complaints, ...checkDelays(params)];
}

/** A base that is longer than the most that is waited is cut off to it, and nothing is random then. */
function checkDelays(params: ReadonlyMap<string, string>): string[] {
  const [base, max] = [params.get("pcmk_delay_base") ?? "", params.get("pcmk_delay_max")];
  const most = parseIntervalMs(max) ?? 0;
  if (most <= 0) return [];
  const bases = /[:=]/.test(base) ? [...parseHostMap(base).values()] : [base];
  return bases
    .filter((one) => (parseIntervalMs(one) ?? 0) > most)
    .map(
      (one) =>
        `pcmk_delay_base=${one} is longer than pcmk_delay_max=${max}, which counts: no delay is random`,
    );
}

/** Entries of a map, separated by semicolons or blanks. */
const mapEntries = (text: string): string[] => text.split(/[;\s]+/).filter((entry) => entry !== "");

/** pcmk_delay_base for one node: a duration for all, or a node map; 0 where nothing is said. */
export function delayBase(text: string | undefined, node: string): Millis {
  if (text === undefined) return 0;
  if (/[:=]/.test(text)) return parseIntervalMs(parseHostMap(text).get(node.toLowerCase())) ?? 0;
  return parseIntervalMs(text) ?? 0;
}

/**
 * Delay before a device is used: the base plus a random part, together at most pcmk_delay_max where that is
 * set. Gives the losers of a fence race time to be fenced (pacemaker-fenced(7)).
 */
export function deviceDelay(params: ReadonlyMap<string, string>, node: string, random: () => number): Millis {
  const base = delayBase(params.get("pcmk_delay_base"), node);
  const max = parseIntervalMs(params.get("pcmk_delay_max")) ?? 0;
  if (max <= 0) return base;
  return max > base ? base + Math.round(random() * (max - base)) : max;
}

/** Time for an action of a device: its own pcmk_<action>_timeout, or the given one. */
export function actionTimeout(
  params: ReadonlyMap<string, string>,
  action: DeviceAction,
  otherwise: Millis,
): Millis {
  const own = parseIntervalMs(params.get(`pcmk_${action}_timeout`));
  return own === undefined || own <= 0 ? otherwise : own;
}

/** How often an action is tried; at least once. */
export function actionTries(params: ReadonlyMap<string, string>, action: DeviceAction): number {
  const value = Number(params.get(`pcmk_${action}_retries`) ?? "2");
  return Number.isInteger(value) ? Math.max(1, value) : 2;
}

/** Actions of a device that may run at a time on a node. */
export function actionLimit(params: ReadonlyMap<string, string>): number {
  const value = Number(params.get("pcmk_action_limit") ?? "1");
  if (!Number.isInteger(value) || value === 0) return 1;
  return value < 0 ? Number.POSITIVE_INFINITY : value;
}

/** Whether a parameter may be called so: it is a line `name=value` for a fence agent, and a variable for a plug-in. */
export const isParameterName = (name: string): boolean => /^[A-Za-z_][\w.:-]*$/.test(name);

/** Whether a device may be called so: names of several stand in one list. */
export const isDeviceName = (name: string): boolean => /^[^\s,;]{1,1000}$/.test(name);

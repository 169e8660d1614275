import { element, type XmlElement } from "../../cib/index.ts";
import type { FenceHistoryReply, NodeReply } from "../../daemon/index.ts";
import { type FenceResult, isDeviceName, isParameterName } from "../../fencer/index.ts";
import { CrmExit, HactlError, nodeName } from "../../terms/index.ts";
import {
  type Answer,
  type AnsweringTool,
  commandElement,
  listElement,
  type Message,
  runTool,
} from "../answer/index.ts";
import { ask } from "../daemon.ts";
import { deviceAnswers, fenceDevices } from "../fencing.ts";
import { writeError } from "../output.ts";
import { formatLocal } from "../render/dates.ts";
import { hidden, noSuch, usage } from "./connection.ts";
import { dateText } from "./dates.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";
import { asksForOptions, listOptionRows } from "./list-options.ts";

const options: readonly OptionRow[] = [
  { name: "list", short: "l", value: "HOST", description: "devices that can fence a host" },
  { name: "list-registered", short: "L", description: "all devices" },
  { name: "list-installed", short: "I", description: "all fence agents of this host" },
  { name: "list-targets", short: "s", value: "DEVICE", description: "hosts that a device can fence" },
  { name: "query", short: "Q", value: "DEVICE", description: "whether a device answers" },
  { name: "metadata", short: "M", description: "meta-data of --agent" },
  { name: "history", short: "H", value: "NODE", description: "what was fenced ('*': every node)" },
  { name: "last", short: "h", value: "NODE", description: "when a node was fenced last" },
  { name: "fence", short: "F", value: "HOST", description: "switch a host off" },
  { name: "unfence", short: "U", value: "HOST", description: "switch a host on" },
  { name: "reboot", short: "B", value: "HOST", description: "reset a host" },
  { name: "confirm", short: "C", value: "HOST", description: "answer for it that a host is off" },
  {
    name: "register",
    short: "R",
    value: "DEVICE",
    description: "a device of --agent with --option, used from this node until hactl ends on it",
  },
  { name: "deregister", short: "D", value: "DEVICE", description: "end that" },
  {
    name: "register-level",
    short: "r",
    value: "TARGET",
    description:
      "each --device in level --index, for NAME, @PATTERN or ATTRIBUTE=VALUE, until hactl ends on this node",
  },
  {
    name: "deregister-level",
    short: "d",
    value: "TARGET",
    description: "end that, for one --index, or for every level of the target",
  },
  { name: "agent", short: "a", value: "AGENT", description: "agent for --register, --metadata, --validate" },
  { name: "validate", short: "K", description: "whether --agent can work with these --option" },
  { name: "option", short: "o", value: "NAME=VALUE", description: "parameter for --register, --validate" },
  {
    name: "env-option",
    short: "e",
    value: "NAME",
    description: "the same, with the value of OCF_RESKEY_NAME in the environment",
  },
  {
    name: "device",
    short: "v",
    value: "DEVICE",
    description: "device for --register-level; with --validate the one whose secrets are meant",
  },
  { name: "index", short: "i", value: "LEVEL", description: "a level from 1 to 9" },
  { name: "timeout", short: "t", value: "SECONDS", description: "time for it" },
  { name: "tolerance", value: "SECONDS", description: "do nothing if it was fenced so short a time ago" },
  { name: "delay", short: "y", value: "SECONDS", description: "wait so long before the first device" },
  { name: "tag", short: "T", value: "TAG", description: "name of who asks" },
  { name: "cleanup", short: "c", description: "with --history: forget it, on every node" },
  { name: "broadcast", short: "b", description: "accepted: the history is the same everywhere" },
  { name: "as-node-id", short: "n", description: "with --last: the node is named by its number" },
  ...listOptionRows,
  { name: "quiet", short: "q", description: "only the essential" },
  { name: "verbose", short: "V", description: "say more" },
];

/** stonith_admin(8): fencing by hand, its devices and its history. */
export async function run(words: readonly string[]): Promise<number> {
  if (asksForOptions(words))
    return (await import("./option-lists.ts")).runListOptions("stonith_admin", ["fencing"], words);
  return runTool(tool, words, work);
}

const tool: AnsweringTool = {
  name: "stonith_admin",
  purpose: "Fence nodes; devices and history of fencing.",
  options,
};

/** Ends by itself in the daemon; this is only against one that is gone. */
const patienceMs = 3_600_000;

async function work(given: ParsedWords, answer: Answer): Promise<number> {
  const confirm = given.value("confirm");
  if (confirm !== undefined) {
    const client = given.value("tag") ?? "stonith_admin";
    const result = await ask<FenceResult>({ type: "fence.confirm", target: confirm, client });
    return outcome(result);
  }
  if (await registration(given)) return CrmExit.OK;
  for (const [option, action] of [
    ["reboot", "reboot"],
    ["fence", "off"],
    ["unfence", "on"],
  ] as const) {
    const target = given.value(option);
    if (target !== undefined) return fence(given, target, action);
  }
  if (given.has("list-registered") || given.has("list") || given.has("query") || given.has("list-targets"))
    return devices(given, answer);
  const node = given.value("history") ?? given.value("last");
  if (node !== undefined) {
    const isNumber = given.has("as-node-id") && given.has("last");
    return history(given, isNumber ? await nodeOf(node) : node, answer);
  }
  const agent = given.value("agent");
  const { fenceAgents, listAgents } = await import("./agent-list.ts");
  if (given.has("list-installed")) {
    answer.say(deviceList("installed fence devices", await fenceAgents()));
    return CrmExit.OK;
  }
  if (given.has("validate")) return validate(given, agent, answer);
  if (given.has("metadata")) {
    if (agent === undefined) throw usage("stonith_admin", "name the agent with --agent");
    return listAgents("show-metadata", `stonith:${agent}`, answer);
  }
  throw usage("stonith_admin", "what shall be done?");
}

/** Registers a device or a level with the fencer of this node, or takes it back; false when that is not asked for. */
async function registration(given: ParsedWords): Promise<boolean> {
  const client = given.value("tag") ?? "stonith_admin";
  const [added, removed] = [given.value("register-level"), given.value("deregister-level")];
  if (removed !== undefined) {
    const index = given.has("index") ? levelOf(given) : 0;
    await ask({ type: "fence.deregister-level", target: removed, index, client });
  } else if (added !== undefined) {
    const devices = given.values("device");
    if (devices.length === 0) throw usage("stonith_admin", "name the devices of the level with --device");
    for (const device of devices) checkDevice(device);
    const level = { target: added, index: levelOf(given), devices };
    remark(await ask<readonly string[]>({ type: "fence.register-level", ...level, client }));
  } else if (given.has("deregister")) {
    await ask({ type: "fence.deregister", device: given.value("deregister") ?? "", client });
  } else if (given.has("register")) {
    const [device = "", agent] = [given.value("register"), given.value("agent")];
    if (agent === undefined) throw usage("stonith_admin", "name the agent with --agent");
    checkDevice(device);
    const params = parametersOf(given);
    remark(await ask<readonly string[]>({ type: "fence.register", device, agent, params, client }));
  } else return false;
  return true;
}

/** What there is to say; a daemon of an earlier version says nothing. */
function remark(remarks: readonly string[] | null | undefined): void {
  for (const text of remarks ?? []) writeError(`stonith_admin: ${text}\n`);
}

function checkDevice(name: string): void {
  if (!isDeviceName(name)) throw usage("stonith_admin", `"${name}" is no name of a fence device`);
}

function levelOf(given: ParsedWords): number {
  const index = Number(given.value("index") ?? "");
  if (Number.isInteger(index) && index >= 1 && index <= 9) return index;
  throw usage("stonith_admin", "name the level with --index, from 1 to 9");
}

/** Parameters of a device, in the words and in the environment. */
function parametersOf(given: ParsedWords): Readonly<Record<string, string>> {
  const found: [string, string][] = [];
  for (const [option, text] of given.options) {
    if (option === "option") {
      const equals = text.indexOf("=");
      if (equals < 1) throw usage("stonith_admin", `"${text}" is no NAME=VALUE`);
      found.push([text.slice(0, equals), text.slice(equals + 1)]);
    } else if (option === "env-option") {
      const value = process.env[`OCF_RESKEY_${text}`];
      if (value === undefined) throw usage("stonith_admin", `OCF_RESKEY_${text} is not in the environment`);
      found.push([text, value]);
    }
  }
  for (const [name, value] of found) {
    if (!isParameterName(name)) throw usage("stonith_admin", `"${name}" is no name of a parameter`);
    if (/[\r\n]/.test(value)) throw usage("stonith_admin", `the value of ${name} has more than one line`);
  }
  return Object.fromEntries(found);
}

/** The name of the node with a number. */
async function nodeOf(number: string): Promise<string> {
  const { members, hidden: isPartly } = await ask<NodeReply>({ type: "node" });
  const found = members.find(({ id }) => String(id) === number);
  if (found) return found.name;
  throw isPartly ? hidden(`node ${number}`) : noSuch(`there is no node with the number ${number}`);
}

/** Lets an agent look on this host whether it can work with the parameters that are given. */
async function validate(given: ParsedWords, agent: string | undefined, answer: Answer): Promise<number> {
  if (agent === undefined) throw usage("stonith_admin", "name the agent with --agent");
  const { checkFenceAgent } = await import("../../daemon/index.ts");
  const device = given.values("device")[0] ?? agent;
  const checked = await checkFenceAgent({ agent, device }, parametersOf(given), patienceOf(given));
  const { exit, stdout, stderr, wrong } = checked;
  const ok = wrong === "";
  const told = [stdout, stderr].map((text) => text.trimEnd()).filter(Boolean);
  answer.say({
    text: () => [`Validation of ${agent} ${ok ? "succeeded" : "failed"}`, ...told].join("\n"),
    xml: () => [
      element("validate", { agent, valid: String(ok) }, [
        ...(told.length === 0 ? [] : [commandElement(exit ?? CrmExit.ERROR, { stdout, stderr })]),
      ]),
    ],
  });
  if (!ok && told.length === 0) answer.error(wrong);
  return ok ? CrmExit.OK : CrmExit.ERROR;
}

async function fence(given: ParsedWords, target: string, action: "reboot" | "off" | "on"): Promise<number> {
  const tolerance = secondsOf(given, "tolerance", 0);
  if (tolerance > 0 && (await fencedWithin(target, tolerance))) return CrmExit.OK;
  const seconds = secondsOf(given, "timeout", 0);
  const delay = secondsOf(given, "delay", 0);
  const client = given.value("tag") ?? "stonith_admin";
  const times = {
    ...(seconds > 0 ? { timeoutMs: seconds * 1000 } : {}),
    ...(delay === 0 ? {} : { delayMs: delay < 0 ? -1 : delay * 1000 }),
  };
  const reason = `asked by ${client}`;
  const request = { type: "fence.request", target, action, ...times, client, reason } as const;
  return outcome(await ask<FenceResult>(request, patienceMs));
}

async function fencedWithin(target: string, seconds: number): Promise<boolean> {
  const { entries } = await ask<FenceHistoryReply>({ type: "fence.history" });
  const since = Date.now() / 1000 - seconds;
  return entries.some((entry) => entry.target === target && entry.ok && entry.completedAt >= since);
}

function outcome(result: FenceResult): number {
  if (result.ok) return CrmExit.OK;
  throw new HactlError({
    code: "FENCING_FAILED",
    what: `fencing of ${result.target} (${result.action}) failed: ${result.reason}`,
    exit: failure(result),
  });
}

/** As the peer tells it: no device to use, or none of them has done it in its time; of unfencing, which one failed. */
function failure({ untried, action }: FenceResult): CrmExit {
  if (untried === true) return CrmExit.NOSUCH;
  return action === "on" ? CrmExit.ERROR : CrmExit.TIMEOUT;
}

/** Names, a line each; then how many there are. */
const deviceList = (name: string, ids: readonly string[]): Message => ({
  text: ({ quiet }) => {
    const count = `${ids.length === 0 ? "No" : ids.length} fence device${ids.length === 1 ? "" : "s"} found`;
    const lines = quiet ? ids : [...ids, count];
    return lines.length === 0 ? undefined : lines.join("\n");
  },
  xml: () => [listElement(name, ids, "device")],
});

async function devices(given: ParsedWords, answer: Answer): Promise<number> {
  const all = await fenceDevices();
  const id = given.value("query") ?? given.value("list-targets");
  if (id !== undefined) {
    const device = all.find((one) => one.id === id);
    if (!device) throw noSuch(`there is no fence device ${id}`);
    if (device.disabled !== "") throw failed(`fence device ${id} is not used: ${device.disabled}`);
    return given.has("list-targets") ? targets(given, id, answer) : monitor(given, id);
  }
  const host = given.value("list");
  const shown = host === undefined ? all.map((device) => device.id) : await ableTo(given, host);
  answer.say(deviceList("registered fence devices", shown));
  return shown.length === 0 && host !== undefined ? CrmExit.NOSUCH : CrmExit.OK;
}

async function monitor(given: ParsedWords, device: string): Promise<number> {
  const [told] = await deviceAnswers({ ask: "monitor", device, timeoutMs: patienceOf(given) });
  if (told?.ok === true) return CrmExit.OK;
  throw failed(`fence device ${device} does not answer: ${told?.text ?? "it is not known any more"}`);
}

async function targets(given: ParsedWords, device: string, answer: Answer): Promise<number> {
  const [told] = await deviceAnswers({ ask: "list", device, timeoutMs: patienceOf(given) });
  if (told?.ok === false) throw failed(`the hosts of fence device ${device} are not to be had: ${told.text}`);
  const hosts = told?.hosts ?? [];
  answer.say({
    text: () => (hosts.length === 0 ? undefined : hosts.join("\n")),
    xml: () => [listElement("fence targets", hosts)],
  });
  return CrmExit.OK;
}

async function ableTo(given: ParsedWords, host: string): Promise<readonly string[]> {
  const told = await deviceAnswers({ ask: "able", target: nodeName(host), timeoutMs: patienceOf(given) });
  return told.filter(({ ok }) => ok).map(({ device }) => device);
}

/** Time for a device that is asked, milliseconds: --timeout, otherwise the peer's two minutes. */
function patienceOf(given: ParsedWords): number {
  const seconds = secondsOf(given, "timeout", 120);
  if (seconds <= 0) throw usage("stonith_admin", noTime);
  return seconds * 1000;
}

const noTime = "write a time in seconds";

/** A time that is given in seconds, perhaps with an `s`. */
function secondsOf(given: ParsedWords, name: string, otherwise: number): number {
  const seconds = Number(given.value(name)?.replace(/s$/, "") ?? otherwise);
  if (Number.isNaN(seconds)) throw usage("stonith_admin", noTime);
  return seconds;
}

const failed = (what: string): HactlError =>
  new HactlError({ code: "FENCE_DEVICE", what, exit: CrmExit.ERROR });

async function history(given: ParsedWords, node: string, answer: Answer): Promise<number> {
  const every = node === "*" || node === "";
  if (given.has("cleanup")) {
    const client = given.value("tag") ?? "stonith_admin";
    await ask({ type: "fence.forget", ...(every ? {} : { target: node }), client });
    answer.say({
      text: ({ quiet }) =>
        quiet ? undefined : `cleaning up fencing-history${every ? "" : ` for node ${node}`}`,
      xml: () => [],
    });
    return CrmExit.OK;
  }
  const reply = await ask<FenceHistoryReply>({ type: "fence.history" });
  const wanted = (target: string) => every || target === node;
  const entries = reply.entries.filter(({ target }) => wanted(target));
  if (given.has("last")) answer.say(lastFenced(node, entries));
  else answer.say(historyMessage(entries, given.has("verbose") || node === "*"));
  return CrmExit.OK;
}

/** Of one node only the last event is told, unless more is asked for; a document has them all. */
function historyMessage(entries: readonly FenceResult[], whole: boolean): Message {
  const shown = whole ? entries : entries.slice(-1);
  return {
    text: ({ quiet }) => {
      const lines = quiet
        ? shown.map(({ completedAt }) => String(completedAt))
        : [...shown.map(eventText), `${shown.length} event${shown.length === 1 ? "" : "s"} found`];
      return lines.length === 0 ? undefined : lines.join("\n");
    },
    xml: () => [
      element(
        "list",
        { name: "fencing history", count: entries.length },
        [...entries].reverse().map(eventElement),
      ),
    ],
  };
}

const eventText = ({ ok, executor, action, target, client, origin, completedAt }: FenceResult): string =>
  `${executor || "Nobody"} ${ok ? "was able to" : "was not able to"} ${action} node ${target} on behalf of ${client} from ${origin} at ${dateText(completedAt)}`;

const eventElement = (entry: FenceResult): XmlElement =>
  element("fence_event", {
    action: entry.action,
    target: entry.target,
    client: entry.client,
    origin: entry.origin,
    status: entry.ok ? "success" : "failed",
    "exit-reason": entry.ok || entry.reason === "" ? undefined : entry.reason,
    delegate: entry.executor || undefined,
    completed: formatLocal(entry.completedAt, true),
  });

function lastFenced(node: string, entries: readonly FenceResult[]): Message {
  const at = entries.findLast(({ ok }) => ok)?.completedAt;
  return {
    text: ({ quiet }) => {
      if (quiet) return String(at ?? 0);
      return at === undefined
        ? `Node ${node} has never been fenced`
        : `Node ${node} last fenced at: ${dateText(at)}`;
    },
    xml: () => (at === undefined ? [] : [element("last-fenced", { target: node, when: formatLocal(at) })]),
  };
}

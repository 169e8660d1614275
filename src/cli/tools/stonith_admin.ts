import type { FenceHistoryReply } from "../../daemon/index.ts";
import type { FenceResult } from "../../fencer/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { asTool, line, noSuch, usage } from "./connection.ts";
import { dateText } from "./dates.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";
import { asksForOptions, listOptionRows } from "./list-options.ts";

const table: readonly OptionRow[] = [
  { name: "list", short: "l", value: "HOST", description: "devices that can fence a host" },
  { name: "list-registered", short: "L", description: "all devices" },
  { name: "list-installed", short: "I", description: "all fence agents of this host" },
  { name: "list-targets", short: "s", value: "DEVICE", description: "hosts that a device can fence" },
  { name: "query", short: "Q", value: "DEVICE", description: "whether there is such a device" },
  { name: "metadata", short: "M", description: "meta-data of --agent" },
  { name: "history", short: "H", value: "NODE", description: "what was fenced ('*': every node)" },
  { name: "last", short: "h", value: "NODE", description: "when a node was fenced last" },
  { name: "fence", short: "F", value: "HOST", description: "switch a host off" },
  { name: "unfence", short: "U", value: "HOST", description: "switch a host on" },
  { name: "reboot", short: "B", value: "HOST", description: "reset a host" },
  { name: "confirm", short: "C", value: "HOST", description: "answer for it that a host is off" },
  { name: "agent", short: "a", value: "AGENT", description: "agent for --metadata" },
  { name: "timeout", short: "t", value: "SECONDS", description: "time for it" },
  { name: "tolerance", value: "SECONDS", description: "do nothing if it was fenced so short a time ago" },
  { name: "delay", short: "y", value: "SECONDS", description: "accepted" },
  { name: "tag", short: "T", value: "TAG", description: "name of who asks" },
  { name: "broadcast", short: "b", description: "accepted: the history is the same everywhere" },
  { name: "as-node-id", short: "n", description: "accepted" },
  ...listOptionRows,
  { name: "output-as", value: "FORMAT", description: "text or xml" },
  { name: "quiet", short: "q", description: "only the essential" },
  { name: "verbose", short: "V", description: "say more" },
];

/** stonith_admin(8): fencing by hand, its devices and its history. */
export async function run(words: readonly string[]): Promise<number> {
  if (asksForOptions(words))
    return (await import("./option-lists.ts")).runListOptions("stonith_admin", ["fencing"], words);
  return runTool(words);
}

const runTool = (words: readonly string[]): Promise<number> =>
  asTool("stonith_admin", "Fence nodes; devices and history of fencing.", table, words, () =>
    work(parseWords("stonith_admin", table, words)),
  );

/** Ends by itself in the daemon; this is only against one that is gone. */
const patienceMs = 3_600_000;

async function work(given: ParsedWords): Promise<number> {
  const confirm = given.value("confirm");
  if (confirm !== undefined) {
    const client = given.value("tag") ?? "stonith_admin";
    const result = await ask<FenceResult>({ type: "fence.confirm", target: confirm, client });
    return outcome(result);
  }
  for (const [option, action] of [
    ["reboot", "reboot"],
    ["fence", "off"],
    ["unfence", "on"],
  ] as const) {
    const target = given.value(option);
    if (target !== undefined) return fence(given, target, action);
  }
  if (given.has("list-registered") || given.has("list") || given.has("query") || given.has("list-targets"))
    return devices(given);
  const node = given.value("history") ?? given.value("last");
  if (node !== undefined) return history(given, node);
  const agent = given.value("agent");
  const { listAgents } = await import("./agent-list.ts");
  if (given.has("list-installed")) return listAgents("list-agents", "stonith");
  if (given.has("metadata")) {
    if (agent === undefined) throw usage("stonith_admin", "name the agent with --agent");
    return listAgents("show-metadata", `stonith:${agent}`);
  }
  throw usage("stonith_admin", "what shall be done?");
}

async function fence(given: ParsedWords, target: string, action: "reboot" | "off" | "on"): Promise<number> {
  const tolerance = Number(given.value("tolerance")?.replace(/s$/, "") ?? "0");
  if (tolerance > 0 && (await fencedWithin(target, tolerance))) return CrmExit.OK;
  const seconds = Number(given.value("timeout")?.replace(/s$/, "") ?? "0");
  if (Number.isNaN(seconds) || Number.isNaN(tolerance))
    throw usage("stonith_admin", "write a time in seconds");
  const client = given.value("tag") ?? "stonith_admin";
  const timeoutMs = seconds > 0 ? { timeoutMs: seconds * 1000 } : {};
  const reason = `asked by ${client}`;
  const request = { type: "fence.request", target, action, ...timeoutMs, client, reason } as const;
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
    exit: CrmExit.ERROR,
  });
}

async function devices(given: ParsedWords): Promise<number> {
  const all = await (await import("../fencing.ts")).fenceDevices();
  const id = given.value("query") ?? given.value("list-targets");
  if (id !== undefined) {
    const device = all.find((one) => one.id === id);
    if (!device) throw noSuch(`there is no fence device ${id}`);
    if (given.has("list-targets")) for (const host of Object.keys(device.levels)) line(host);
    return device.disabled === "" ? CrmExit.OK : CrmExit.ERROR;
  }
  const host = given.value("list");
  const shown = host === undefined ? all : all.filter(({ levels }) => Object.hasOwn(levels, host));
  for (const device of shown) line(device.id);
  const count = shown.length === 0 ? "No" : String(shown.length);
  if (!given.has("quiet")) line(`${count} fence device${shown.length === 1 ? "" : "s"} found`);
  return shown.length === 0 && host !== undefined ? CrmExit.NOSUCH : CrmExit.OK;
}

async function history(given: ParsedWords, node: string): Promise<number> {
  const reply = await ask<FenceHistoryReply>({ type: "fence.history" });
  const wanted = (target: string) => node === "*" || node === "" || target === node;
  const entries = reply.entries.filter(({ target }) => wanted(target));
  if (given.has("last")) return last(given, node, entries);
  if (given.value("output-as") === "xml") {
    await historyXml(entries);
    return CrmExit.OK;
  }
  const shown = given.has("verbose") || node === "*" ? entries : entries.slice(-1);
  for (const entry of shown) {
    if (given.has("quiet")) line(String(entry.completedAt));
    else {
      const able = entry.ok ? "was able to" : "was not able to";
      line(
        `${entry.executor ?? "Nobody"} ${able} ${entry.action} node ${entry.target} on behalf of ${entry.client} from ${entry.origin} at ${dateText(entry.completedAt)}`,
      );
    }
  }
  if (!given.has("quiet")) line(`${shown.length} event${shown.length === 1 ? "" : "s"} found`);
  return CrmExit.OK;
}

function last(given: ParsedWords, node: string, entries: readonly FenceResult[]): number {
  const at = entries.findLast(({ ok }) => ok)?.completedAt;
  if (given.has("quiet")) line(String(at ?? 0));
  else
    line(
      at === undefined
        ? `Node ${node} has never been fenced`
        : `Node ${node} last fenced at: ${dateText(at)}`,
    );
  return CrmExit.OK;
}

async function historyXml(entries: readonly FenceResult[]): Promise<void> {
  const { element, formatXml } = await import("../../cib/index.ts");
  const events = [...entries].reverse().map((entry) =>
    element("fence_event", {
      action: entry.action,
      target: entry.target,
      client: entry.client,
      origin: entry.origin,
      status: entry.ok ? "success" : "failed",
      delegate: entry.executor,
      completed: dateText(entry.completedAt),
      ...(entry.ok ? {} : { "exit-reason": entry.reason }),
    }),
  );
  const result = element("pacemaker-result", { "api-version": "2.38", request: "stonith_admin --history" }, [
    element("fence_history", {}, events),
    element("status", { code: 0, message: "OK" }),
  ]);
  line(`<?xml version="1.0"?>\n${formatXml(result).trimEnd()}`);
}

import { parseTime, parseWrittenTime } from "../../cib/index.ts";
import { type Injections, parseOperationSpec } from "../../controller/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import type { OptionRow, ParsedWords } from "../tools/getopt.ts";

/** Options of `hactl simulate` and crm_simulate. */
export const simulateOptions: readonly OptionRow[] = [
  { name: "run", short: "R", description: "decide, and show what would be done" },
  { name: "simulate", short: "S", description: "decide, execute on paper and show the status afterwards" },
  { name: "in-place", short: "X", description: "like --simulate, and store the result in the input file" },
  { name: "show-attrs", short: "A", description: "show node attributes" },
  { name: "show-failcounts", short: "c", description: "show fail counts" },
  { name: "show-scores", short: "s", description: "show allocation and promotion scores" },
  { name: "show-utilization", short: "U", description: "show how capacities are used" },
  { name: "node-up", short: "u", value: "NODE", description: "a node comes online" },
  { name: "node-down", short: "d", value: "NODE", description: "a node leaves" },
  { name: "node-fail", short: "f", value: "NODE", description: "a node is lost" },
  {
    name: "op-inject",
    short: "i",
    value: "OPSPEC",
    description: "the history has this result: RSC_TASK_INTERVALMS@NODE=RC",
  },
  { name: "op-fail", short: "F", value: "OPSPEC", description: "the operation, if it runs, ends like this" },
  { name: "set-datetime", short: "t", value: "DATE", description: "the time that counts (ISO 8601)" },
  { name: "now", value: "EPOCH", description: "the time that counts, in seconds since 1970" },
  { name: "quorum", short: "q", value: "BOOL", description: "whether there is quorum" },
  { name: "watchdog", short: "w", value: "BOOL", description: "whether there is a watchdog" },
  { name: "ticket-grant", short: "g", value: "TICKET", description: "grant a ticket" },
  { name: "ticket-revoke", short: "r", value: "TICKET", description: "revoke a ticket" },
  { name: "ticket-standby", short: "b", value: "TICKET", description: "make a ticket standby" },
  { name: "ticket-activate", short: "e", value: "TICKET", description: "activate a ticket" },
  {
    name: "utilization",
    value: "NAME:ATTR=VALUE",
    description: "set the capacity of a node or the need of a resource",
  },
  { name: "save-input", short: "I", value: "FILE", description: "save the cluster that was decided about" },
  { name: "save-output", short: "O", value: "FILE", description: "save the cluster as it is afterwards" },
  { name: "save-graph", short: "G", value: "FILE", description: "save the transition graph as XML" },
  { name: "save-dotfile", short: "D", value: "FILE", description: "save the transition graph for Graphviz" },
  { name: "all-actions", short: "a", description: "not supported: the graph shows only what would run" },
  {
    name: "profile",
    short: "P",
    value: "DIR",
    description: "decide about all XML files of a directory; print times",
  },
  { name: "repeat", short: "N", value: "N", description: "with --profile: decide about each file N times" },
  { name: "live-check", short: "L", description: "take the running cluster" },
  { name: "xml-file", short: "x", value: "FILE", description: "take a file (- for standard input)" },
  { name: "xml-pipe", short: "p", description: "take standard input" },
  { name: "pending", short: "j", description: "accepted: what is under way is always shown" },
  { name: "quiet", short: "Q", description: "leave out status and summary" },
  { name: "verbose", short: "V", description: "show what is remarkable about the input, too" },
  { name: "text-fancy", description: "titles and bullets beside scores, too" },
  { name: "output-as", value: "FORMAT", description: "text, xml or json" },
  { name: "output-to", value: "FILE", description: "write the report to a file (- for standard output)" },
  { name: "json", description: "print the result as JSON (hactl-sim/1)" },
  { name: "batch", description: "with --json: answer requests, one a line, until the input ends" },
  { name: "version", short: "$", description: "print the version" },
  { name: "help", short: "h", description: "print this help" },
];

const usage = (what: string, cure: string) =>
  new HactlError({ code: "USAGE", what, cure, exit: CrmExit.USAGE });

/** The changes that the options ask for. */
export function injectionsOf(parsed: ParsedWords): Injections {
  for (const spec of parsed.values("op-inject")) operationOf(spec);
  const quorum = parsed.value("quorum");
  const watchdog = parsed.value("watchdog");
  return {
    nodesUp: parsed.values("node-up"),
    nodesDown: parsed.values("node-down"),
    nodesFailed: parsed.values("node-fail"),
    results: parsed.values("op-inject"),
    ticketsGranted: parsed.values("ticket-grant"),
    ticketsRevoked: parsed.values("ticket-revoke"),
    ticketsStandby: parsed.values("ticket-standby"),
    ticketsActivated: parsed.values("ticket-activate"),
    utilization: parsed.values("utilization"),
    ...(quorum === undefined ? {} : { quorum }),
    ...(watchdog === undefined ? {} : { watchdog }),
  };
}

/** An operation specification; throws HactlError `USAGE` when it is none. */
export function operationOf(spec: string): NonNullable<ReturnType<typeof parseOperationSpec>> {
  const parsed = parseOperationSpec(spec);
  if (parsed) return parsed;
  throw usage(
    `"${spec}" does not name an operation`,
    "Write RSC_TASK_INTERVALMS@NODE=RC, as in web_monitor_10000@node1=7",
  );
}

/** How often to decide about each file of a profile. */
export function repetitionsOf(parsed: ParsedWords): number {
  const text = parsed.value("repeat") ?? "1";
  if (/^\d{1,6}$/.test(text) && Number(text) > 0) return Number(text);
  throw usage(`"${text}" is no number of repetitions`, "Write a whole number from 1 on");
}

/** Refuses formats that there are not. */
export function checkFormat(parsed: ParsedWords): void {
  const format = parsed.value("output-as") ?? "text";
  if (!["text", "xml", "none", "json"].includes(format))
    throw usage(`Invalid output format ${format}`, "Use --output-as=text, xml or json");
}

/** The time that the options set, with its spelling. */
export function timeOf(parsed: ParsedWords): { now: number; text: string; utcOffset?: number } | undefined {
  const text = parsed.value("set-datetime") ?? parsed.value("now");
  if (text === undefined) return undefined;
  const now = parsed.has("set-datetime") ? (parseTime(text) ?? epoch(text)) : epoch(text);
  if (now === undefined)
    throw usage(
      `"${text}" is no time`,
      "Write it as 2026-11-22 12:00:00Z, or as seconds since 1970 with --now",
    );
  // Written with an offset, it shows the parts of the date as a clock there does.
  const zoned =
    parsed.has("set-datetime") && /(?:Z|[+-]\d{1,2}(?::?\d{2})?)\s*$/i.test(text) && /[:T]/i.test(text);
  const written = zoned ? parseWrittenTime(text) : undefined;
  return { now, text, ...(written === undefined ? {} : { utcOffset: written.offset }) };
}

const epoch = (text: string): number | undefined => (/^\d{5,}$/.test(text) ? Number(text) : undefined);

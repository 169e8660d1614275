import { parseIntervalMs } from "../../cib/index.ts";
import type { Cluster } from "../../scheduler/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import type { Format } from "../answer/index.ts";
import { defaultMonOptions, type MonOptions, sectionNames } from "../render/mon-options.ts";
import { selectionOf } from "../render/selection.ts";
import type { OptionRow, ParsedWords } from "../tools/getopt.ts";
import { sectionsOf } from "./mon-includes.ts";

/** Options of `hactl crm_mon` and crm_mon. */
export const monOptionRows: readonly OptionRow[] = [
  { name: "one-shot", short: "1", description: "show the status once and end" },
  { name: "inactive", short: "r", description: "stopped resources too" },
  { name: "failcounts", short: "f", description: "fail counts" },
  { name: "show-node-attributes", short: "A", description: "node attributes" },
  { name: "operations", short: "o", description: "operation history" },
  { name: "timing-details", short: "t", description: "operation history with times" },
  { name: "group-by-node", short: "n", description: "resources under their nodes" },
  {
    name: "neg-locations",
    short: "L",
    value: "PREFIX",
    optional: true,
    description: "location constraints that keep something off a node",
  },
  { name: "tickets", short: "c", description: "tickets" },
  {
    name: "fence-history",
    short: "m",
    value: "LEVEL",
    optional: true,
    description: "fencing: 0 none, 1 failed and pending, 2 all, 3 not reduced",
  },
  { name: "show-detail", short: "R", description: "node ids, single instances, technical failure lines" },
  { name: "show-description", description: "what the configuration says of resources for people" },
  { name: "brief", short: "b", description: "count resources by agent" },
  { name: "hide-headers", short: "D", description: "leave the summary out" },
  { name: "simple-status", short: "s", description: "one line for monitoring programs" },
  {
    name: "include",
    short: "I",
    value: "SECTIONS",
    description: `show these, too: ${sectionNames.join(", ")}`,
  },
  { name: "exclude", short: "U", value: "SECTIONS", description: "leave these out" },
  { name: "node", value: "NODE", description: "only this node (or nodes with this tag)" },
  { name: "resource", value: "RSC", description: "only this resource (or resources with this tag)" },
  {
    name: "layout",
    value: "VERSION",
    description: "1.1 (as Pacemaker 1.1.12) or 3 (as Pacemaker 3, the default)",
  },
  { name: "output-as", value: "FORMAT", description: "text, console, html, xml or none" },
  { name: "output-to", value: "FILE", description: "write to this file" },
  { name: "as-xml", short: "X", description: "XML as Pacemaker 1 wrote it" },
  { name: "as-html", short: "h", value: "FILE", description: "write an HTML page to this file" },
  { name: "web-cgi", short: "w", description: "HTML with the head of a CGI script" },
  { name: "html-cgi", description: "HTML with the head of a CGI script" },
  { name: "html-stylesheet", value: "URI", description: "style sheet of the HTML page" },
  { name: "html-title", value: "TITLE", description: "title of the HTML page" },
  { name: "interval", short: "i", value: "TIME", description: "how often to show it again (5 s)" },
  { name: "daemonize", short: "d", description: "run in the background; needs --output-to or --as-html" },
  { name: "pid-file", short: "p", value: "FILE", description: "where the background process writes its id" },
  { name: "external-agent", short: "E", value: "FILE", description: "run this program at every operation" },
  { name: "external-recipient", short: "e", value: "WHO", description: "who that program shall tell" },
  { name: "watch-fencing", short: "W", description: "run that program at fencing, too" },
  { name: "xml-file", short: "x", value: "FILE", description: "show what a file says" },
  { name: "pending", short: "j", description: "accepted: what is under way is always shown" },
  { name: "disable-ncurses", short: "N", description: "accepted" },
  { name: "text-fancy", description: "accepted" },
  { name: "quiet", short: "Q", description: "without times" },
  { name: "verbose", short: "V", description: "accepted" },
  { name: "version", short: "$", description: "print the version" },
  { name: "help", short: "?", description: "print this help" },
];

/** What the words ask to show in a format; a document has more, and what is stopped, too. */
export function monOptionsOf(parsed: ParsedWords, format: Format): MonOptions {
  const isDocument = format === "xml";
  return {
    ...defaultMonOptions,
    ...sectionsOf(parsed, format),
    inactive: isDocument || parsed.has("inactive"),
    detail: parsed.has("show-detail"),
    failureDetail: parsed.has("show-detail"),
    brief: parsed.has("brief"),
    description: parsed.has("show-description"),
    byNode: parsed.has("group-by-node"),
    timing: isDocument || parsed.has("timing-details"),
  };
}

/** Limits the report to a node and a resource, each by name or by tag. */
export const limitTo = (options: MonOptions, cluster: Cluster, parsed: ParsedWords): MonOptions => ({
  ...options,
  selection: selectionOf(cluster, parsed.value("node"), parsed.value("resource")),
});

/** Milliseconds between two reports. */
export function intervalMs(parsed: ParsedWords): number {
  const text = parsed.value("interval");
  if (text === undefined) return 5000;
  const interval = parseIntervalMs(text);
  if (interval !== undefined) return Math.max(100, interval);
  throw new HactlError({
    code: "USAGE",
    what: `"${text}" is no length of time`,
    cure: "Write 5, 5s, 1min or PT5S",
    exit: CrmExit.USAGE,
  });
}

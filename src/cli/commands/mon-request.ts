import { parseIntervalMs } from "../../cib/index.ts";
import type { Cluster } from "../../scheduler/index.ts";
import { CrmExit, HactlError, nearest } from "../../terms/index.ts";
import {
  defaultMonOptions,
  defaultSections,
  type MonOptions,
  type MonSection,
  sectionNames,
  sectionsNamed,
} from "../render/mon-options.ts";
import type { OptionRow, ParsedWords } from "../tools/getopt.ts";

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
  { name: "external-agent", short: "E", value: "FILE", description: "accepted; alerts do this" },
  { name: "external-recipient", short: "e", value: "WHO", description: "accepted; alerts do this" },
  { name: "watch-fencing", short: "W", description: "accepted" },
  { name: "disable-ncurses", short: "N", description: "accepted" },
  { name: "text-fancy", description: "accepted" },
  { name: "quiet", short: "Q", description: "accepted" },
  { name: "verbose", short: "V", description: "accepted" },
  { name: "version", short: "$", description: "print the version" },
  { name: "help", short: "?", description: "print this help" },
];

const usage = (what: string, cure: string) =>
  new HactlError({ code: "USAGE", what, cure, exit: CrmExit.USAGE });

/** What the words ask to show. Options change the set of sections in the order given. */
export function monOptionsOf(parsed: ParsedWords): MonOptions {
  const sections = new Set<MonSection>(defaultSections);
  const add = (...more: readonly MonSection[]) => {
    for (const section of more) sections.add(section);
  };
  for (const [name, value] of parsed.options) {
    if (name === "failcounts") add("failcounts");
    else if (name === "show-node-attributes") add("attributes");
    else if (name === "operations" || name === "timing-details") add("operations", "failcounts");
    else if (name === "tickets") add("tickets");
    else if (name === "neg-locations") add("bans");
    else if (name === "fence-history") setFenceLevel(sections, value);
    else if (name === "hide-headers")
      for (const section of sectionsNamed("summary") ?? []) sections.delete(section);
    else if (name === "include") include(sections, value);
    else if (name === "exclude") exclude(sections, value);
  }
  return {
    ...defaultMonOptions,
    sections,
    inactive: parsed.has("inactive"),
    detail: parsed.has("show-detail"),
    brief: parsed.has("brief"),
    byNode: parsed.has("group-by-node"),
    timing: parsed.has("timing-details"),
    fenceHistoryFull: parsed.value("fence-history") === "3",
    banPrefix: parsed.value("neg-locations") ?? "",
  };
}

function setFenceLevel(sections: Set<MonSection>, value: string): void {
  const level = value === "" ? 2 : Number(value);
  if (![0, 1, 2, 3].includes(level))
    throw usage(`--fence-history=${value} is not known`, "Write 0, 1, 2 or 3");
  const all: MonSection[] = ["fencing-failed", "fencing-pending", "fencing-succeeded"];
  for (const section of all) sections.delete(section);
  for (const section of all.slice(0, level === 0 ? 0 : level === 1 ? 2 : 3)) sections.add(section);
}

function named(value: string, option: string): (readonly MonSection[] | "none" | "default")[] {
  return value.split(",").map((word) => {
    const name = word.trim().toLowerCase();
    if (name === "none" || name === "default") return name;
    const found = sectionsNamed(name);
    if (found) return found;
    const guess = nearest(name, sectionNames);
    throw usage(
      `--${option} does not know ${word}`,
      guess ? `Did you mean ${guess}?` : `It knows ${sectionNames.join(", ")}`,
    );
  });
}

function include(sections: Set<MonSection>, value: string): void {
  for (const found of named(value, "include")) {
    if (found === "none") sections.clear();
    else if (found === "default") {
      sections.clear();
      for (const section of defaultSections) sections.add(section);
    } else for (const section of found) sections.add(section);
  }
}

/** `--exclude=all` shows nothing, `--exclude=none` everything. */
function exclude(sections: Set<MonSection>, value: string): void {
  for (const found of named(value, "exclude")) {
    if (found === "none") for (const section of sectionsNamed("all") ?? []) sections.add(section);
    else if (found !== "default") for (const section of found) sections.delete(section);
  }
}

/** Limits the report to a node and a resource, each by name or by tag. */
export function limitTo(options: MonOptions, cluster: Cluster, parsed: ParsedWords): MonOptions {
  const node = parsed.value("node");
  const rsc = parsed.value("resource");
  return {
    ...options,
    ...(node === undefined || node === "*" ? {} : { onlyNodes: new Set(cluster.tags.get(node) ?? [node]) }),
    ...(rsc === undefined || rsc === "*" ? {} : { onlyResources: new Set(cluster.tags.get(rsc) ?? [rsc]) }),
  };
}

/** Milliseconds between two reports. */
export function intervalMs(parsed: ParsedWords): number {
  const text = parsed.value("interval");
  if (text === undefined) return 5000;
  const interval = parseIntervalMs(text);
  if (interval === undefined) throw usage(`"${text}" is no length of time`, "Write 5, 5s, 1min or PT5S");
  return Math.max(100, interval);
}

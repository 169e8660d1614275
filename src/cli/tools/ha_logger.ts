import { openSyslog, type Priority } from "../../platform/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { asTool, usage } from "./connection.ts";
import { type OptionRow, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "tag", short: "t", value: "TAG", description: "name of the program that speaks" },
  {
    name: "debug-log",
    short: "D",
    value: "ha-log|ha-debug",
    description: "which of heartbeat's logs it was for",
  },
  { name: "verbose", short: "V", description: "say more" },
];

/** ha_logger(1) of cluster-glue: a line of an agent for the system's log, with HA_LOGFACILITY. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("ha_logger", "Send a message to the log.", table, words, async () => {
    const given = parseWords("ha_logger", table, optionsFirst(words));
    const text = given.words.join(" ");
    if (text === "") throw usage("ha_logger", "there is no message");
    const facility = process.env.HA_LOGFACILITY ?? "daemon";
    if (facility === "none") return CrmExit.OK;
    const { facilities } = await import("../../platform/index.ts");
    const known = Object.keys(facilities).find((name) => name === facility) as
      | keyof typeof facilities
      | undefined;
    const syslog = openSyslog(given.value("tag") ?? process.env.HA_LOGTAG ?? "ha_logger", known ?? "daemon");
    syslog.send(priorityOf(text, given.value("debug-log")), text);
    const { dropped } = syslog;
    syslog.close();
    // A failure makes the agent write its log itself.
    return dropped > 0 ? CrmExit.ERROR : CrmExit.OK;
  });

/** What stands behind the first plain word is message, whatever it looks like. */
function optionsFirst(words: readonly string[]): string[] {
  let at = 0;
  while (at < words.length && /^-[tDV]/.test(words[at] ?? "")) at += /^-[tD]$/.test(words[at] ?? "") ? 2 : 1;
  const rest = words.slice(at);
  return [...words.slice(0, at), "--", ...(rest[0] === "--" ? rest.slice(1) : rest)];
}

const priorityWords: readonly (readonly [string, Priority])[] = [
  ["ERROR", "err"],
  ["CRIT", "crit"],
  ["WARN", "warning"],
  ["DEBUG", "debug"],
  ["debug", "debug"],
];

function priorityOf(text: string, log: string | undefined): Priority {
  const found = priorityWords.find(([word]) => new RegExp(`(?:^|\\s)${word}\\w*:`).test(text));
  return found?.[1] ?? (log === "ha-debug" ? "debug" : "info");
}

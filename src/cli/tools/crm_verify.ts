import { formatXml } from "../../cib/index.ts";
import { CrmExit, HactlError, lookup } from "../../terms/index.ts";
import { CibSession } from "../cib-session.ts";
import { findingText, type Verification, verifyText, verifyTree } from "../commands/verify-run.ts";
import { print, reportError, writeError } from "../output.ts";
import { readText } from "../read-text.ts";
import { cibTarget } from "../target.ts";
import { printVersion } from "../version.ts";
import { type OptionRow, optionHelp, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "live-check", short: "L", description: "check the running cluster" },
  { name: "xml-file", short: "x", value: "FILE", description: "check a file" },
  { name: "xml-pipe", short: "p", description: "check standard input" },
  { name: "xml-text", short: "X", value: "XML", description: "check this text" },
  { name: "save-xml", short: "S", value: "FILE", description: "save what was checked" },
  { name: "verbose", short: "V", description: "warnings, too; twice: remarks" },
  { name: "quiet", short: "Q", description: "print nothing" },
  { name: "output-as", value: "FORMAT", description: "text" },
  { name: "version", short: "$", description: "print the version" },
  { name: "help", short: "h", description: "print this help" },
];

/** What is no XML at all, or another document, has exit codes of its own. */
const unreadable: Readonly<Record<string, CrmExit>> = lookup({
  EMPTY: CrmExit.ERROR,
  NO_TEXT: CrmExit.ERROR,
  NOT_A_CIB: CrmExit.PROTOCOL,
  PART: CrmExit.PROTOCOL,
});

/**
 * `crm_verify`. Exit code 78 when the cluster would refuse, ignore or complain of something; what is merely remarkable
 * (fencing that is disabled, circles of constraints, names that nobody knows) changes nothing.
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    return await verify(parseWords("crm_verify", table, args));
  } catch (error) {
    const exit = reportError(error);
    return exit === CrmExit.NOINPUT ? CrmExit.ERROR : exit;
  }
}

async function verify(parsed: ParsedWords): Promise<number> {
  if (parsed.has("help")) {
    print(`crm_verify: check a configuration\n\n${optionHelp(table)}`);
    return CrmExit.OK;
  }
  if (parsed.has("version")) return printVersion([]);
  const { findings, cib } = await source(parsed);
  const save = parsed.value("save-xml");
  if (save !== undefined && cib) await Bun.write(save, formatXml(cib));
  const errors = findings.some(({ level }) => level === "error");
  const warnings = findings.some(({ level, code }) => level === "warning" && code === "SCHEDULER");
  const special = findings.map(({ code }) => unreadable[code]).find((exit) => exit !== undefined);
  const exit = special ?? (errors || warnings ? CrmExit.CONFIG : CrmExit.OK);
  if (parsed.has("quiet")) return exit;
  const detail = parsed.count("verbose");
  for (const finding of findings) {
    const shown = finding.level === "error" || detail > (finding.level === "warning" ? 0 : 1);
    if (shown) writeError(`${findingText(finding)}\n`);
  }
  if (exit === CrmExit.OK) return exit;
  const verdict = errors
    ? "Errors found during check: config not valid"
    : "Warnings found during check: config may not be valid";
  writeError(`crm_verify: ${verdict}\n${detail === 0 ? "-V may provide more details\n" : ""}`);
  return exit;
}

async function source(parsed: ParsedWords): Promise<Verification> {
  const now = Math.floor(Date.now() / 1000);
  const text = parsed.value("xml-text");
  if (text !== undefined) return verifyWhole(text, "", now);
  const file = parsed.has("xml-pipe") ? "-" : parsed.value("xml-file");
  if (parsed.has("live-check") || (file === undefined && cibTarget().kind !== "live"))
    return verifyTree(await CibSession.with((session) => session.raw()), "", now);
  if (file !== undefined) return verifyWhole(readText(file), file === "-" ? "" : file, now);
  throw new HactlError({
    code: "USAGE",
    what: "crm_verify does not know what to check",
    cure: "Name it with -L (the running cluster), -x FILE, -p or -X XML",
    exit: CrmExit.USAGE,
  });
}

/** Whoever calls crm_verify asks about a whole CIB, in XML. */
function verifyWhole(text: string, file: string, now: number): Verification {
  const part = /^\s*<configuration[\s>/]/.test(text.replace(/^(?:\s*<[?!][^>]*>)*/, ""));
  if (!part) return verifyText(text, file, now);
  const what = "this is a part of a configuration, and crm_verify checks only what begins with <cib>";
  return {
    findings: [{ level: "error", code: "PART", text: what, file, cure: "Check it with: hactl verify FILE" }],
  };
}

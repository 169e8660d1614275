import { formatXml } from "../../cib/index.ts";
import { CrmExit, HactlError, lookup } from "../../terms/index.ts";
import { type Answer, type AnsweringTool, runTool } from "../answer/index.ts";
import { CibSession } from "../cib-session.ts";
import {
  type Finding,
  findingText,
  type Verification,
  verifyText,
  verifyTree,
  wholeCib,
} from "../commands/verify-run.ts";
import { readText } from "../read-text.ts";
import { saveFile } from "../save-file.ts";
import { cibTarget } from "../target.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "live-check", short: "L", description: "check the running cluster" },
  { name: "xml-file", short: "x", value: "FILE", description: "check a file" },
  { name: "xml-pipe", short: "p", description: "check standard input" },
  { name: "xml-text", short: "X", value: "XML", description: "check this text" },
  { name: "save-xml", short: "S", value: "FILE", description: "save what was checked" },
  { name: "verbose", short: "V", description: "warnings, too; three times: remarks" },
  { name: "quiet", short: "Q", otherShort: "q", description: "print nothing" },
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
export const run = (words: readonly string[]): Promise<number> => runTool(tool, words, verify);

const tool: AnsweringTool = { name: "crm_verify", purpose: "Check a configuration.", options };

async function verify(given: ParsedWords, answer: Answer): Promise<number> {
  const { findings: found, cib } = await source(given);
  // Pacemaker complains of nodes that would be fenced also where there is no state of any.
  const findings = found.map(
    (finding): Finding => (finding.code === "FENCING" ? { ...finding, level: "warning" } : finding),
  );
  const save = given.value("save-xml");
  if (save !== undefined && cib) await saveFile(save, formatXml(cib));
  const exit = exitOf(findings);
  if (given.has("quiet") && answer.format !== "xml") return exit;
  const detail = given.count("verbose");
  for (const finding of findings) {
    // Programs get at once all that made the configuration invalid.
    const isReason = exit !== CrmExit.OK && answer.format === "xml" && counts(finding);
    const wanted = finding.level === "error" || detail > (isWarning(finding) ? 0 : 2);
    if (wanted || isReason) answer.error(findingText(finding));
  }
  if (exit !== CrmExit.OK && !given.has("quiet")) conclude(answer, findings, detail);
  return exit;
}

/** Remarks that Pacemaker makes as complaints. */
const complaints = new Set(["SCHEDULER", "FENCING", "NEEDS_FENCING", "DEVICE_UNFENCING"]);

/** Conditions that do not hold any more, never, or for nothing: Pacemaker's tool is silent, crmsh takes each line for an error. */
const unheard = new Set(["OVER", "NEVER_HOLDS", "NO_NODE", "IN_VAIN"]);

const isWarning = ({ level, code }: Finding): boolean => level === "warning" && !unheard.has(code);

/** Whether a finding makes a configuration invalid. */
const counts = ({ level, code }: Finding): boolean =>
  level === "error" || (level === "warning" && complaints.has(code));

function exitOf(findings: readonly Finding[]): number {
  const special = findings.map(({ code }) => unreadable[code]).find((exit) => exit !== undefined);
  return special ?? (findings.some(counts) ? CrmExit.CONFIG : CrmExit.OK);
}

function conclude(answer: Answer, findings: readonly Finding[], detail: number): void {
  const verdict = findings.some(({ level }) => level === "error")
    ? "Errors found during check: config not valid"
    : "Warnings found during check: config may not be valid";
  if (answer.format === "xml") return answer.error(verdict);
  answer.error(`crm_verify: ${verdict}`);
  if (detail === 0) answer.error("-V may provide more details");
}

/** A file that cannot be read is an error like any other. */
async function source(given: ParsedWords): Promise<Verification> {
  try {
    return await verification(given);
  } catch (error) {
    if (!(error instanceof HactlError) || error.exit !== CrmExit.NOINPUT) throw error;
    const { code, what, cure } = error;
    throw new HactlError({ code, what, exit: CrmExit.ERROR, ...(cure === undefined ? {} : { cure }) });
  }
}

async function verification(given: ParsedWords): Promise<Verification> {
  const now = Math.floor(Date.now() / 1000);
  const text = given.value("xml-text");
  if (text !== undefined) return verifyWhole(text, "", now);
  const file = given.has("xml-pipe") ? "-" : given.value("xml-file");
  if (given.has("live-check") || (file === undefined && cibTarget().kind !== "live"))
    return verifyTree(await CibSession.with(wholeCib), "", now);
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

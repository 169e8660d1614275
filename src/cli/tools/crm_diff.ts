import { CrmExit } from "../../terms/index.ts";
import { readText } from "../read-text.ts";
import { asTool, usage, write } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";
import { xmlDiff } from "./xml-diff.ts";

const table: readonly OptionRow[] = [
  { name: "original", short: "o", value: "FILE", description: "the old XML" },
  { name: "original-string", short: "O", value: "XML", description: "the old XML itself" },
  { name: "new", short: "n", value: "FILE", description: "the new XML" },
  { name: "new-string", short: "N", value: "XML", description: "the new XML itself" },
  { name: "patch", short: "p", value: "FILE", description: "apply this difference to the old XML" },
  { name: "cib", short: "c", description: "accepted" },
  { name: "stdin", short: "s", description: "read what is not named from standard input" },
  { name: "no-version", short: "u", description: "without the versions" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crm_diff(8): the difference of two CIBs, and its application. Exit code 1 when they differ. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("crm_diff", "Find and apply differences of CIBs.", table, words, async () => {
    const given = parseWords("crm_diff", table, words);
    const { applyOperations, formatXml, parseXml } = await import("../../cib/index.ts");
    const old = parseXml(text(given, "original"));
    const patch = given.value("patch");
    if (patch !== undefined) {
      const operations = [{ op: "patch" as const, xml: readText(patch) }];
      write(withEnd(formatXml(applyOperations(old, operations).cib)));
      return CrmExit.OK;
    }
    const diff = xmlDiff(old, parseXml(text(given, "new")), !given.has("no-version"));
    if (!diff) return CrmExit.OK;
    write(withEnd(formatXml(diff)));
    return CrmExit.ERROR;
  });

function text(given: ParsedWords, which: "original" | "new"): string {
  const direct = given.value(`${which}-string`);
  if (direct !== undefined) return direct;
  const file = given.value(which) ?? (given.has("stdin") ? "-" : undefined);
  if (file === undefined) throw usage("crm_diff", `name the ${which} XML`);
  return readText(file);
}

const withEnd = (xml: string) => (xml.endsWith("\n") ? xml : `${xml}\n`);

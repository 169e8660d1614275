import type { AmbiguousPair } from "../../cib/index.ts";
import { CrmExit, HactlError, PACEMAKER_VERSION, plainLine } from "../../terms/index.ts";
import { unlessHidden } from "../hidden.ts";
import { writeError, writeOut } from "../output.ts";
import { type OptionRow, optionHelp } from "./getopt.ts";

/**
 * The version that tools announce to agents. Their shell functions compare it to know which options there are
 * (ocf-shellfuncs of resource-agents): those of Pacemaker 3.0.
 */
export const pacemakerVersion = PACEMAKER_VERSION;

/** Runs a tool: `--help` from its table of options; an error is one line on standard error and its exit code. */
export async function asTool(
  name: string,
  purpose: string,
  table: readonly OptionRow[],
  words: readonly string[],
  work: () => Promise<number>,
): Promise<number> {
  const [first] = words;
  if (words.includes("--help") || words.includes("--help-all") || first === "-?" || first === "-h") {
    write(`${name} - ${purpose}\n\n${optionHelp(table)}\n`);
    return CrmExit.OK;
  }
  if (words.includes("--version") || words.includes("-$")) {
    // Agents look for the one line that has this word (ocf_local_nodename of resource-agents).
    write(`Pacemaker ${pacemakerVersion}\nDone by hactl\n`);
    return CrmExit.OK;
  }
  try {
    return await work();
  } catch (error) {
    return toolError(name, error);
  }
}

/** Says an error in one line, as scripts expect it of these tools, and answers with its exit code. */
export function toolError(name: string, thrown: unknown): number {
  const error = unlessHidden(thrown);
  if (!(error instanceof HactlError)) throw error;
  if (error.code === "MULTIPLE" && "matches" in error) return ambiguous(name, error as AmbiguousPair);
  writeError(`${name}: ${errorText(error)}\n`);
  return error.exit;
}

/** An error as a line of a tool: the place in a text where it says one, what is wrong, and the cure. */
export function errorText({ what, where, cure }: HactlError): string {
  const { file, line: row } = where ?? {};
  const place = row === undefined ? "" : file ? `${file}:${row}` : `line ${row}`;
  const told = place === "" || what.includes(place) ? what : `${place}: ${what}`;
  return cure === undefined ? told : `${told} (${cure})`;
}

/** Several matches are listed, so that one can be chosen by its id. */
function ambiguous(name: string, { pairName, matches, exit }: AmbiguousPair): number {
  line(`Multiple attributes match name=${pairName}`);
  for (const { id, value } of matches) line(`  Value: ${value} \t(id=${id})`);
  const advice =
    name === "crm_resource"
      ? "Error performing operation: Multiple items match request (choose one with --nvpair)"
      : "Please choose from one of the matches below and supply the 'id' with --attr-id";
  writeError(`${name}: ${advice}\n`);
  return exit;
}

/** Text on standard output, as it is. */
export const write = writeOut;
/** A line on standard output, and one only, whatever the values in it hold. */
export const line = (text: string): void => write(`${plainLine(text)}\n`);

/** A mistake in the words that a tool was given. */
export const usage = (tool: string, what: string): HactlError =>
  new HactlError({ code: "USAGE", what, cure: `see ${tool} --help`, exit: CrmExit.USAGE });

/** What may be there is hidden from who asks, so that nobody can say that it is not. */
export const hidden = (what: string): HactlError =>
  new HactlError({
    code: "PERMISSION",
    what: `the access rules do not let this user see ${what}`,
    cure: "ask as root or hacluster, or have it permitted by a role in <acls>",
    exit: CrmExit.INSUFFICIENT_PRIV,
  });

/** Something that is not there, with what was perhaps meant. */
export const noSuch = (what: string, guess?: string): HactlError =>
  new HactlError({
    code: "NO_SUCH_OBJECT",
    what,
    exit: CrmExit.NOSUCH,
    ...(guess === undefined ? {} : { cure: `Did you mean ${guess}?` }),
  });

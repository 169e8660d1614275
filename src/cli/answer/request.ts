import { CrmExit, HactlError, nearest, shellQuoted } from "../../terms/index.ts";
import type { OptionRow, ParsedWords } from "../tools/getopt.ts";
import { type Format, formats } from "./message.ts";

/** The options that every tool with answers in several formats takes. */
export const outputRows: readonly OptionRow[] = [
  { name: "output-as", value: "FORMAT", description: "text (the default), xml or none" },
  { name: "output-to", value: "FILE", description: "write the answer to this file" },
];

/** Form and place of an answer. */
export interface OutputRequest {
  readonly format: Format;
  /** A file instead of standard output. */
  readonly file?: string;
  readonly quiet: boolean;
  readonly fancy: boolean;
  /** The command line, as the answer repeats it. */
  readonly request: string;
}

/**
 * What the words ask for.
 * @throws HactlError USAGE for a format that the tool does not have
 */
export function outputRequest(
  tool: string,
  words: readonly string[],
  given: ParsedWords,
  known: readonly Format[] = ["text", "xml", "none"],
): OutputRequest {
  const file = given.value("output-to");
  return {
    format: formatOf(given.value("output-as"), known),
    ...(file === undefined || file === "-" ? {} : { file }),
    quiet: given.has("quiet"),
    fancy: given.has("text-fancy"),
    request: requestText(tool, words),
  };
}

/** A format by its name. @throws HactlError USAGE */
export function formatOf(text: string | undefined, known: readonly Format[] = formats): Format {
  if (text === undefined) return "text";
  const format = known.find((candidate) => candidate === text);
  if (format) return format;
  const guess = nearest(text, known);
  throw new HactlError({
    code: "USAGE",
    what: `Invalid output format ${text}`,
    cure: guess ? `Did you mean ${guess}?` : `It knows ${known.join(", ")}`,
    exit: CrmExit.USAGE,
  });
}

/**
 * The command line, the tool as it was called (with its path, where there was one), and quotes around words that a shell
 * would not read as one word.
 */
export const requestText = (tool: string, words: readonly string[]): string =>
  [process.argv0.endsWith(`/${tool}`) ? process.argv0 : tool, ...words]
    .map((word) => (shellWords(word) === 1 ? word : shellQuoted(word)))
    .join(" ");

/** How many words a shell reads in a text; 0 also when its quotes do not match. */
function shellWords(text: string): number {
  let count = 0;
  let inside = false;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote !== "") {
      if (char === quote) quote = "";
      else if (char === "\\" && quote === '"') at++;
    } else if (/[ \t\n]/.test(char)) inside = false;
    else {
      // A comment goes to the end of the line.
      if (char === "#" && !inside) return count;
      if (!inside) count++;
      inside = true;
      if (char === "'" || char === '"') quote = char;
      else if (char === "\\") at++;
    }
  }
  return quote === "" ? count : 0;
}

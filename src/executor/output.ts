import { lastWords } from "../terms/index.ts";

/** Prefix of the stderr lines by which an OCF agent says why it failed (OCF resource agent API 1.1, OCF_EXIT_REASON_PREFIX). */
export const EXIT_REASON_PREFIX = "ocf-exit-reason:";

const LONGEST_REASON = 1000;
// Control characters are not allowed in XML 1.0 and would garble a terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing control characters is the purpose
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g;

/** Takes out what neither XML nor a terminal can carry; line breaks and tabs stay. */
export function cleanText(text: string): string {
  return text.replace(CONTROL, "").toWellFormed();
}

/** One line of at most 1000 characters. */
export function cleanLine(text: string): string {
  const line = cleanText(text).replace(/\s+/g, " ").trim();
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON - 1)}…` : line;
}

/** The reason that the agent gave: the last line of stderr with the prefix wins; empty when there is none. */
export function exitReason(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.startsWith(EXIT_REASON_PREFIX));
  return cleanLine(lines.at(-1)?.slice(EXIT_REASON_PREFIX.length) ?? "");
}

/** The last lines that say anything, as one; for programs that know no exit reasons. */
export const lastSaid = (text: string): string => lastWords(cleanText(text), LONGEST_REASON);

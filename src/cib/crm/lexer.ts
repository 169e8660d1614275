import { CrmExit, HactlError } from "../../terms/index.ts";

/** A word of crm text with its place (line and column from 1). */
export interface Token {
  readonly text: string;
  /** Whether a part of it was in quotes: then it is no keyword. */
  readonly quoted: boolean;
  readonly line: number;
  readonly column: number;
}

/** One statement: a line with its continuation lines. */
export interface Statement {
  /** First word in lower case. */
  readonly keyword: string;
  readonly line: number;
  /** Words behind the first. */
  readonly tokens: readonly Token[];
  /** Text behind the first word; only for `xml`, whose words are not looked at. */
  readonly raw: string;
}

/** Error in crm text. */
export function syntaxError(what: string, cure: string, line: number, column?: number): HactlError {
  return new HactlError({
    code: "CRM_SYNTAX",
    what,
    where: { line, ...(column === undefined ? {} : { column }) },
    cure,
    exit: CrmExit.DATAERR,
  });
}

/** A line goes on after `\` at its end (a Japanese keyboard shows it as the yen sign). */
const continuation = /(?:\\|¥)[ \t]*\r?$/;

/** Text taken apart into statements. */
export interface Split {
  readonly statements: Statement[];
  readonly errors: HactlError[];
  /** Statements whose words cannot be told apart, as they stand there. */
  readonly torn: readonly string[];
}

/** Splits crm shell text into statements. Lines that begin with `#` are comments. Errors are gathered, not thrown. */
export function splitStatements(text: string): Split {
  const statements: Statement[] = [];
  const torn: string[] = [];
  const errors: HactlError[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const start = index;
    const first = lines[start] ?? "";
    if (/^\s*(#|$)/.test(first)) continue;
    const parts: string[] = [];
    for (; continuation.test(lines[index] ?? "") && index + 1 < lines.length; index++)
      parts.push((lines[index] ?? "").replace(continuation, ""));
    parts.push((lines[index] ?? "").replace(continuation, "").replace(/\r$/, ""));
    try {
      statements.push(readStatement(parts, start + 1));
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      errors.push(error);
      torn.push(parts.join(" "));
    }
  }
  return { statements, errors, torn };
}

/** A line of text with its continuation lines, as it stands there. */
export interface TextLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** Parts text into lines with something in them, which are no comments. */
export function textLines(text: string): TextLine[] {
  const found: TextLine[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const start = index;
    if (/^\s*(#|$)/.test(lines[start] ?? "")) continue;
    while (continuation.test(lines[index] ?? "") && index + 1 < lines.length) index++;
    found.push({ line: start + 1, text: lines.slice(start, index + 1).join("\n") });
  }
  return found;
}

/** The words of a line as a shell would split them. @throws HactlError CRM_SYNTAX */
export const wordsOfLine = ({ line, text }: TextLine): string[] =>
  text
    .split("\n")
    .flatMap((part, index) => splitWords(part.replace(continuation, "").replace(/\r$/, ""), line + index))
    .map((token) => token.text);

function readStatement(parts: readonly string[], line: number): Statement {
  const keyword = /^\s*(\S+)/.exec(parts[0] ?? "")?.[1] ?? "";
  const rest = [(parts[0] ?? "").replace(/^\s*\S+/, (word) => " ".repeat(word.length)), ...parts.slice(1)];
  const folded = keyword.toLowerCase();
  if (folded === "xml") return { keyword: folded, line, tokens: [], raw: unquotedXml(rest.join("\n"), line) };
  const tokens = rest.flatMap((part, index) => splitWords(part, line + index));
  return { keyword: folded, line, tokens, raw: "" };
}

/**
 * XML may stand in quotes as it does on a shell's command line, in several words too; without them its own quotes stay.
 * Markup never begins with a quote.
 */
function unquotedXml(raw: string, line: number): string {
  if (!/^\s*["']/.test(raw)) return raw;
  return splitWords(raw, line)
    .map(({ text }) => text)
    .join(" ");
}

/**
 * Words of a line as a shell would split them: blanks part them, `"…"` and `'…'` keep them together, a backslash
 * takes the next character as it is (within double quotes only before `"` and `\`).
 */
function splitWords(text: string, line: number): Token[] {
  const tokens: Token[] = [];
  let word: string | undefined;
  let quoted = false;
  let column = 0;
  const finish = () => {
    if (word !== undefined) tokens.push({ text: word, quoted, line, column });
    word = undefined;
    quoted = false;
  };
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? "";
    if (char === " " || char === "\t") {
      finish();
      continue;
    }
    if (word === undefined) column = index + 1;
    if (char === '"' || char === "'") {
      const { value, end } = readQuoted(text, index, line);
      word = (word ?? "") + value;
      quoted = true;
      index = end;
    } else if (char === "\\" && index + 1 < text.length) {
      index++;
      word = (word ?? "") + (text[index] ?? "");
    } else word = (word ?? "") + char;
  }
  finish();
  return tokens;
}

/** Reads a quoted part that begins at `start`; `end` is the place of the closing quote. */
function readQuoted(text: string, start: number, line: number): { value: string; end: number } {
  const quote = text[start];
  let value = "";
  for (let index = start + 1; index < text.length; index++) {
    const char = text[index] ?? "";
    if (char === quote) return { value, end: index };
    const following = text[index + 1];
    if (quote === '"' && char === "\\" && (following === '"' || following === "\\")) {
      value += following;
      index++;
    } else value += char;
  }
  throw syntaxError(`the quote ${quote} is not closed`, `add ${quote} behind the value`, line, start + 1);
}

/** Writes a value so that it is read back as it is: in quotes unless it consists of letters, digits, `_`, `.` and `-`. */
export function quoteValue(value: string): string {
  if (/^[A-Za-z0-9_.-]+$/.test(value)) return value;
  return `"${value.replace(/\\(?=[\\"]|$)/g, "\\\\").replace(/"/g, '\\"')}"`;
}

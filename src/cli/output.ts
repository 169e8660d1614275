import { isRefusal } from "../platform/index.ts";
import {
  CrmExit,
  formatPlace,
  HactlError,
  lookup,
  type Place,
  plainJson,
  plainText,
} from "../terms/index.ts";
import { hiddenText, rememberHidden, unlessHidden } from "./hidden.ts";

/** How this run of `hactl` talks: set once by the frame, from the global options. */
export interface OutputStyle {
  /** `--json`: results and errors as JSON, for programs. */
  readonly json: boolean;
  readonly colour: boolean;
}

let style: OutputStyle = { json: false, colour: false };

/** Takes the global options; called once before a command runs. */
export function setOutputStyle(next: OutputStyle): void {
  style = next;
}

/** Whether `--json` was given. */
export const wantsJson = (): boolean => style.json;

/** Text on standard output. Whatever it quotes, a terminal obeys nothing of it but our own colours. */
export function writeOut(text: string): void {
  process.stdout.write(shownText(text));
}

/** The same on standard error. */
export function writeError(text: string): void {
  process.stderr.write(shownText(text));
}

/** Empties the terminal, so that the next report stands where the last one stood. */
export function clearScreen(): void {
  process.stdout.write("\x1b[H\x1b[2J");
}

const codes = { plain: 0, bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const;
/** What `paint` writes, and nothing else. */
const ownColour = new RegExp(`(\\x1b\\[(?:${Object.values(codes).join("|")})m)`);
const shownText = (text: string): string =>
  style.colour
    ? text
        .split(ownColour)
        .map((part, index) => (index % 2 === 1 ? part : plainText(part)))
        .join("")
    : plainText(text);

/** Prints a line (or lines) of the result. */
export function print(text: string): void {
  writeOut(text.endsWith("\n") ? text : `${text}\n`);
}

/** Prints a result for programs. */
export function printJson(value: unknown): void {
  process.stdout.write(`${plainJson(JSON.stringify(value, null, 2))}\n`);
}

/** Says once on standard error that not all is shown, so that nobody takes what is missing for what is not there. */
export function tellHidden(hidden: readonly string[]): void {
  if (rememberHidden(hidden)) writeError(`note: ${hiddenText(hidden)}: what is not shown may be there\n`);
}

/** Prints a remark for people; it goes to standard error, so that results stay clean. */
export function note(text: string): void {
  if (!style.json) writeError(`${text}\n`);
}

const paint = (code: number) => (text: string) =>
  style.colour ? `\x1b[${code}m${text}\x1b[${codes.plain}m` : text;
/** Colours that are used everywhere alike; plain text where colour is not wanted. */
export const colours = {
  bold: paint(codes.bold),
  dim: paint(codes.dim),
  red: paint(codes.red),
  green: paint(codes.green),
  yellow: paint(codes.yellow),
  cyan: paint(codes.cyan),
} as const;

/** Whether to use colours on a stream: a terminal, and nobody asked for none (no-color.org). */
export const wantsColour = (stream: { readonly isTTY?: boolean }): boolean =>
  askedColour ?? (stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb");

let askedColour: boolean | undefined;

/** Whoever says on the command line what he wants gets it, terminal or not; undefined: nobody has said it. */
export function askColour(wanted: boolean | undefined): void {
  askedColour = wanted;
}

/** An error as programs get it with `--json`. */
export interface ErrorJson {
  readonly code: string;
  readonly what: string;
  readonly where?: Place;
  readonly cure?: string;
  readonly exit: number;
  /** The single mistakes, where there are several. */
  readonly problems?: readonly unknown[];
}

/** Prints an error for people or as JSON and answers with the exit code of the command. */
export function reportError(thrown: unknown): number {
  const error = unlessHidden(thrown);
  const shown = describeError(error);
  if (style.json) process.stderr.write(`${plainJson(JSON.stringify({ error: shown }))}\n`);
  else writeError(formatError(shown));
  return shown.exit;
}

/** What, where and cure of any thrown thing. */
export function describeError(error: unknown): ErrorJson {
  if (error instanceof HactlError) {
    const problems = "problems" in error && Array.isArray(error.problems) ? error.problems : undefined;
    return {
      code: error.code,
      what: error.what,
      ...(error.where && { where: error.where }),
      ...(error.cure !== undefined && { cure: error.cure }),
      exit: error.exit,
      ...(problems && { problems }),
    };
  }
  if (error instanceof Error && error.name === "CLIError") return describeUsage(error);
  if (isRefusal(error)) return describeSystem(error);
  // Not thrown on purpose: the stack is what a report of the defect needs.
  const stack = process.env.HACTL_DEBUG && error instanceof Error ? error.stack : undefined;
  return {
    code: "INTERNAL",
    what: stack ?? (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
    cure: "This is a defect of hactl; please report it with what HACTL_DEBUG=1 shows",
    exit: CrmExit.SOFTWARE,
  };
}

const withoutColour = (text: string) => Bun.stripANSI(text);

function describeUsage(error: Error): ErrorJson {
  return {
    code: "USAGE",
    what: withoutColour(error.message).replace(/\.$/, ""),
    cure: "See the command with --help",
    exit: CrmExit.USAGE,
  };
}

function describeSystem(error: NodeJS.ErrnoException): ErrorJson {
  const words = systemWords[error.code ?? ""];
  return {
    code: error.code ?? "SYSTEM",
    what: words ? `${words.what}: ${error.path ?? doingOf(error)}` : error.message,
    ...(error.path !== undefined && { where: { file: error.path } }),
    ...(words && { cure: words.cure }),
    exit: words?.exit ?? CrmExit.OSERR,
  };
}

/** What was refused, where no file is named: only output has none. */
const doingOf = ({ syscall }: NodeJS.ErrnoException): string =>
  syscall === undefined || syscall === "write" ? "the output could not be written" : syscall;

const systemWords: Readonly<Record<string, { what: string; cure: string; exit: number }>> = lookup({
  ENOENT: { what: "No such file", cure: "Check the path", exit: CrmExit.NOINPUT },
  EACCES: { what: "Permission denied", cure: "Run it as root", exit: CrmExit.INSUFFICIENT_PRIV },
  EPERM: { what: "Operation not permitted", cure: "Run it as root", exit: CrmExit.INSUFFICIENT_PRIV },
  EISDIR: { what: "It is a directory", cure: "Name a file", exit: CrmExit.NOINPUT },
  ENOSPC: { what: "No space left on the disk", cure: "Make room and try again", exit: CrmExit.IOERR },
  EROFS: { what: "The file system is read-only", cure: "Choose another place", exit: CrmExit.CANTCREAT },
});

/** The lines that people see: what, then where, then what to do. */
export function formatError(error: ErrorJson): string {
  const { bold, red, cyan } = colours;
  const place = formatPlace(error.where);
  const lines = [`${red(bold("error:"))} ${error.what}`];
  if (place !== "" && !error.what.includes(place)) lines.push(`  where: ${place}`);
  if (error.cure) lines.push(`  ${cyan("cure:")}  ${error.cure}`);
  return `${lines.join("\n")}\n`;
}

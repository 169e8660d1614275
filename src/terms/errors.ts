import { CrmExit } from "./exit-codes.ts";

/** Where a mistake is: a file with line and column (from 1), or the id of an element. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly id?: string;
}

export interface HactlErrorInit {
  /** Stable name of the kind of error, upper case with underscores; scripts may test it. */
  readonly code: string;
  /** What happened, as a sentence without a full stop. */
  readonly what: string;
  readonly where?: Place;
  /** What the reader can do about it. */
  readonly cure?: string;
  /** Exit code of a command that ends with this error. Default: 1. */
  readonly exit?: CrmExit;
  readonly cause?: unknown;
}

/** The one kind of error that hactl throws on purpose: code, what, where, and what to do. */
export class HactlError extends Error {
  readonly code: string;
  readonly what: string;
  readonly where: Place | undefined;
  readonly cure: string | undefined;
  readonly exit: CrmExit;

  constructor(init: HactlErrorInit) {
    super(describe(init), init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "HactlError";
    this.code = init.code;
    this.what = init.what;
    this.where = init.where;
    this.cure = init.cure;
    this.exit = init.exit ?? CrmExit.ERROR;
  }
}

/** `file:line:column` or `element "id"`, as far as known; the empty text when nothing is. */
export function formatPlace(where: Place | undefined): string {
  if (!where) return "";
  const spot = [where.file, where.line, where.column].filter((part) => part !== undefined).join(":");
  const element = where.id === undefined ? "" : `"${where.id}"`;
  return [spot, element].filter((part) => part !== "").join(" ");
}

/** An error that was not thrown on purpose, in one line, with the places that it came from. */
export function defectLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const places = (error.stack ?? "").split("\n").filter((line) => /:\d+:\d+\)?$/.test(line));
  const text = [`${error.name}: ${error.message}`, ...places.slice(0, 3).map((line) => line.trim())];
  return text.join(" ").replaceAll("\n", " ");
}

function describe(init: HactlErrorInit): string {
  const place = formatPlace(init.where);
  return `${place === "" ? "" : `${place}: `}${init.what}${init.cure ? ` (${init.cure})` : ""}`;
}

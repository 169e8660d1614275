import { CrmExit } from "../../terms/index.ts";
import { asTool, line, usage } from "./connection.ts";
import { errnoName, lastErrno } from "./errno-names.ts";
import { crmExitTexts, legacyTexts, returnCodeTexts } from "./error-texts.ts";
import { type OptionRow, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "exit", short: "X", description: "exit codes of cluster tools" },
  { name: "rc", short: "r", description: "return codes of Pacemaker's library, which are below 0" },
  { name: "name", short: "n", description: "print the name, too" },
  { name: "list", short: "l", description: "all that are known [default without numbers]" },
  { name: "output-as", value: "FORMAT", description: "text" },
  { name: "verbose", short: "V", description: "say more" },
];

/** A number and what it means. */
export interface ErrorCode {
  readonly code: number;
  readonly name: string;
  readonly text: string;
}

type Lookup = (code: number) => { readonly name: string; readonly text: string } | undefined;

/** crm_error(8): what a number means; without -X or -r one that an old function of the library returned. */
export const run = (words: readonly string[]): Promise<number> => {
  // A negative number is a code, not an option.
  const numbers = words.filter((word) => /^-?\d+$/.test(word));
  const rest = words.filter((word) => !numbers.includes(word));
  return asTool("crm_error", "Tell what an error code means.", table, rest, async () => {
    const given = parseWords("crm_error", table, rest);
    if (given.words.length > 0) throw usage("crm_error", `"${given.words[0]}" is not a number`);
    const kind = given.has("rc") ? "rc" : given.has("exit") ? "exit" : "legacy";
    const withName = given.has("name");
    const lines =
      given.has("list") || numbers.length === 0
        ? listLines(knownCodes(kind), withName)
        : codeLines(
            numbers.map((number) => meaningOf(kind, Number(number))),
            withName,
          );
    for (const text of lines) line(text);
    return CrmExit.OK;
  });
};

/** A column of codes. */
export const listLines = (codes: readonly ErrorCode[], withName: boolean): string[] =>
  codes.map(
    ({ code, name, text }) => `${String(code).padStart(5)}: ${withName ? `${name.padEnd(26)}  ` : ""}${text}`,
  );

/** Each code by itself. */
export const codeLines = (codes: readonly ErrorCode[], withName: boolean): string[] =>
  codes.map(({ name, text }) => (withName ? `${name} - ${text}` : text));

const lookups: Readonly<Record<"exit" | "rc" | "legacy", Lookup>> = {
  exit: (code) => crmExitTexts[code],
  rc: (code) => returnCodeTexts[code] ?? (code > 0 ? systemCode(code) : undefined),
  legacy: (code) => legacyTexts[Math.abs(code)] ?? returnCodeTexts[code] ?? systemCode(Math.abs(code)),
};

/** The lowest and highest code that is looked at for a list. */
const ranges = { exit: [0, 255], rc: [-1100, lastErrno], legacy: [0, 255] } as const;

function knownCodes(kind: keyof typeof lookups): ErrorCode[] {
  const [from, to] = ranges[kind];
  return Array.from({ length: to - from + 1 }, (_, at) => from + at).flatMap((code) => {
    const found = lookups[kind](code);
    return found ? [{ code, ...found }] : [];
  });
}

/** What a code means; an unknown one is an error of which no more is known. */
function meaningOf(kind: keyof typeof lookups, code: number): ErrorCode {
  const found = lookups[kind](code);
  if (found) return { code, ...found };
  switch (kind) {
    case "exit":
      return { code, name: "CRM_EX_UNKNOWN", text: "Unknown exit status" };
    case "rc":
      return { code, name: "Unknown", text: returnCodeTexts[-1001]?.text ?? "" };
    case "legacy":
      return { code, name: "Unknown", text: `Unknown error ${Math.abs(code)}` };
  }
}

/** An error of the system: its name and what libc says about it. */
function systemCode(code: number): { readonly name: string; readonly text: string } | undefined {
  const name = errnoName(code);
  return name === undefined ? undefined : { name, text: libcText(code) };
}

let strerror: ((code: number) => string) | undefined;

function libcText(code: number): string {
  if (!strerror) {
    const { dlopen, FFIType } = require("bun:ffi") as typeof import("bun:ffi");
    const libc = dlopen("libc.so.6", { strerror: { args: [FFIType.i32], returns: FFIType.cstring } });
    strerror = (errno) => String(libc.symbols.strerror(errno));
  }
  return strerror(code);
}

import { constants } from "node:os";
import { element } from "../../cib/index.ts";
import { CrmExit, crmExitTexts, exitMessage } from "../../terms/index.ts";
import { type AnsweringTool, type Message, runTool } from "../answer/index.ts";
import { usage } from "./connection.ts";
import { legacyTexts, returnCodeTexts } from "./error-texts.ts";
import type { OptionRow } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "exit", short: "X", description: "exit codes of cluster tools" },
  { name: "rc", short: "r", description: "return codes of Pacemaker's library" },
  { name: "name", short: "n", description: "print the name, too" },
  { name: "list", short: "l", description: "all of them" },
  { name: "verbose", short: "V", description: "print the code, too" },
];

const tool: AnsweringTool = { name: "crm_error", purpose: "Tell what an error code means.", options };

interface Code {
  readonly name: string;
  readonly text: string;
}

/** A kind of code: what one means, what is said of an unknown one, and the range that a list goes through. */
interface Kind {
  readonly find: (code: number) => Code | undefined;
  readonly unknown: (code: number) => Code;
  readonly range: readonly [from: number, to: number];
}

/** crm_error(8): what a number means. */
export const run = (words: readonly string[]): Promise<number> =>
  runTool(tool, words, async (given, answer) => {
    const kind = given.has("exit") ? exitCodes : given.has("rc") ? returnCodes : systemCodes;
    const shown = { name: given.has("name"), code: given.has("verbose") };
    if (given.has("list") || given.words.length === 0) {
      const [from, to] = kind.range;
      for (let code = from; code <= to; code++) {
        const found = kind.find(code);
        if (found) answer.say(listed(code, found, shown.name));
      }
      return CrmExit.OK;
    }
    for (const word of given.words) {
      if (!/^-?\d+$/.test(word)) throw usage("crm_error", `"${word}" is not a number`);
      const code = Number(word);
      answer.say(single(code, kind.find(code) ?? kind.unknown(code), shown));
    }
    return CrmExit.OK;
  });

const column = (code: number, { name, text }: Code, withName: boolean) =>
  `${String(code).padStart(5)}: ${withName ? `${name.padEnd(26)}  ` : ""}${text}`;

const listed = (code: number, found: Code, withName: boolean): Message => ({
  text: () => column(code, found, withName),
  xml: () => [resultCode(code, found, withName)],
});

const single = (code: number, found: Code, shown: { name: boolean; code: boolean }): Message => ({
  text: () =>
    shown.code ? column(code, found, shown.name) : shown.name ? `${found.name} - ${found.text}` : found.text,
  xml: () => [resultCode(code, found, shown.name)],
});

const resultCode = (code: number, { name, text }: Code, withName: boolean) =>
  element("result-code", { code, name: withName ? name : undefined, description: text });

const exitCodes: Kind = {
  find: (code) => crmExitTexts[code],
  unknown: (code) => ({ name: "CRM_EX_UNKNOWN", text: exitMessage(code) }),
  range: [0, 193],
};

const returnCodes: Kind = {
  find: (code) => returnCodeTexts[code] ?? (code > 0 ? systemCode(code) : undefined),
  unknown: () => ({ name: "Unknown", text: "Error" }),
  range: [Math.min(...Object.keys(returnCodeTexts).map(Number)), 133],
};

/** The codes of Pacemaker 1.1: those of the system and some above them; the sign does not matter. */
const systemCodes: Kind = {
  find: (code) => legacyTexts[Math.abs(code)] ?? systemCode(Math.abs(code)),
  unknown: (code) => ({ name: "Unknown", text: libcText(Math.abs(code)) }),
  range: [0, Math.max(...Object.keys(legacyTexts).map(Number))],
};

const errnoNames = new Map(
  Object.entries(constants.errno)
    .reverse()
    .map(([name, value]) => [value, name]),
);

/** An error of the system: its name and what libc says about it. */
function systemCode(code: number): Code | undefined {
  if (code === 0) return returnCodeTexts[0];
  const text = libcText(code);
  if (text.startsWith("Unknown error")) return undefined;
  return { name: libcName(code) ?? errnoNames.get(code) ?? "Unknown", text };
}

const loadLibc = <T extends string>(name: T) => {
  const { dlopen, FFIType } = require("bun:ffi") as typeof import("bun:ffi");
  const { symbols } = dlopen("libc.so.6", { [name]: { args: [FFIType.i32], returns: FFIType.cstring } });
  return (code: number): string => String(symbols[name]?.(code));
};

let strerror: ((code: number) => string) | undefined;
function libcText(code: number): string {
  strerror ??= loadLibc("strerror");
  return strerror(code);
}

let strerrorname: ((code: number) => string | undefined) | undefined;
/** Only newer libraries (glibc 2.32) know the names themselves. */
function libcName(code: number): string | undefined {
  if (!strerrorname) {
    try {
      const known = loadLibc("strerrorname_np");
      strerrorname = (errno) => (/^E/.test(known(errno)) ? known(errno) : undefined);
    } catch {
      strerrorname = () => undefined;
    }
  }
  return strerrorname(code);
}

import { constants } from "node:os";
import { CrmExit } from "../../terms/index.ts";
import { asTool, line, usage } from "./connection.ts";
import { crmExitTexts, returnCodeTexts } from "./error-texts.ts";
import { type OptionRow, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "exit", short: "X", description: "exit codes of cluster tools" },
  { name: "rc", short: "r", description: "return codes of Pacemaker's library" },
  { name: "name", short: "n", description: "print the name, too" },
  { name: "list", short: "l", description: "all of them" },
  { name: "output-as", value: "FORMAT", description: "text" },
  { name: "verbose", short: "V", description: "say more" },
];

interface Code {
  readonly name: string;
  readonly text: string;
}

/** crm_error(8): what a number means. */
export const run = (words: readonly string[]): Promise<number> => {
  // A negative number is a code, not an option.
  const numbers = words.filter((word) => /^-?\d+$/.test(word));
  const rest = words.filter((word) => !numbers.includes(word));
  return asTool("crm_error", "Tell what an error code means.", table, rest, async () => {
    const given = parseWords("crm_error", table, rest);
    const known = given.has("exit") ? exitCode : given.has("rc") ? returnCode : systemCode;
    const withName = given.has("name");
    if (given.words.length > 0) throw usage("crm_error", `"${given.words[0]}" is not a number`);
    if (given.has("list") || numbers.length === 0) {
      const [from, to] = given.has("exit") ? [0, 193] : given.has("rc") ? [-1040, 133] : [0, 133];
      for (let code = from; code <= to; code++) {
        const found = known(code);
        if (found)
          line(`${String(code).padStart(5)}: ${withName ? `${found.name.padEnd(26)} ` : ""}${found.text}`);
      }
      return CrmExit.OK;
    }
    for (const number of numbers) {
      const found = known(Number(number)) ?? { name: "Unknown", text: "Unknown error" };
      line(withName ? `${found.name} - ${found.text}` : found.text);
    }
    return CrmExit.OK;
  });
};

const exitCode = (code: number): Code | undefined => crmExitTexts[code];
const returnCode = (code: number): Code | undefined => returnCodeTexts[code] ?? systemCode(code);

const errnoNames = new Map(
  Object.entries(constants.errno)
    .reverse()
    .map(([name, value]) => [value, name]),
);

/** An error of the system: its name and what libc says about it. */
function systemCode(number: number): Code | undefined {
  const code = Math.abs(number);
  if (code === 0) return { name: "OK", text: "OK" };
  if (code >= 1000) return returnCodeTexts[-code];
  const text = libcText(code);
  return text.startsWith("Unknown error") ? undefined : { name: errnoNames.get(code) ?? "Unknown", text };
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

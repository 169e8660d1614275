import type { ArgDef, ArgsDef, CommandDef } from "citty";
import { CrmExit, HactlError, nearest } from "../terms/index.ts";

/** Options that every command takes; the frame handles them before the command sees its words. */
export interface GlobalOptions {
  readonly config: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

/**
 * Takes `--json`, `--help`/`-h` and `--config FILE` out of the words, wherever they stand before `--`.
 * Commands that mean something of their own by `--config` name it in their arguments and then keep it.
 */
export function splitGlobals(words: readonly string[]): { globals: GlobalOptions; rest: string[] } {
  const rest: string[] = [];
  let config: string | undefined;
  let json = false;
  let help = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") {
      rest.push(...words.slice(i));
      break;
    }
    if (word === "--json") json = true;
    else if (word === "--help" || word === "-h") help = true;
    else if (word.startsWith("--config=")) config = word.slice("--config=".length);
    else if (word === "--config") {
      config = words[++i];
      if (config === undefined) throw usage("--config needs a file", "Write --config /etc/hactl/hactl.toml");
    } else rest.push(word);
  }
  return { globals: { config, json, help }, rest };
}

const usage = (what: string, cure: string) =>
  new HactlError({ code: "USAGE", what, cure, exit: CrmExit.USAGE });

const aliasesOf = (arg: ArgDef): readonly string[] => {
  if (!("alias" in arg) || arg.alias === undefined) return [];
  return typeof arg.alias === "string" ? [arg.alias] : arg.alias;
};

interface Flag {
  readonly name: string;
  readonly takesValue: boolean;
}

function flagsOf(args: ArgsDef): Map<string, Flag> {
  const flags = new Map<string, Flag>();
  for (const [name, arg] of Object.entries(args)) {
    if (arg.type === "positional") continue;
    const flag = { name, takesValue: arg.type === "string" || arg.type === "enum" };
    for (const spelling of [name, ...aliasesOf(arg)]) {
      flags.set(spelling.length === 1 ? `-${spelling}` : `--${spelling}`, flag);
      if (arg.type === "boolean" && spelling.length > 1) flags.set(`--no-${spelling}`, flag);
    }
  }
  return flags;
}

/** A number below 0, or a score as crm text has it: -100, -inf:, -INFINITY. */
const isNegative = (word: string) => /^-(?:\d|inf(?:inity)?(?![\w-]))/i.test(word);

/**
 * Refuses options that the command does not have, options without their value and words too many. The
 * argument parser would let them pass, and a mistyped `--forec` must not run the command without it.
 */
export function checkWords(
  command: string,
  args: ArgsDef,
  words: readonly string[],
  extraWords = false,
): void {
  const flags = flagsOf(args);
  const positionals = Object.values(args).filter((arg) => arg.type === "positional").length;
  let plain = 0;
  let i = 0;
  for (; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") break;
    if (!word.startsWith("-") || word === "-" || isNegative(word)) plain++;
    else i += checkFlag(command, flags, word, words[i + 1]);
  }
  plain += Math.max(0, words.length - i - 1);
  if (plain > positionals && !extraWords) {
    const limit = positionals === 0 ? "takes no further words" : `takes at most ${positionals}`;
    throw usage(`${command} ${limit}, ${plain} given`, `See hactl ${command} --help`);
  }
}

/** Answers how many further words belong to the option. */
function checkFlag(
  command: string,
  flags: Map<string, Flag>,
  word: string,
  next: string | undefined,
): number {
  const equals = word.indexOf("=");
  const spelling = equals < 0 ? word : word.slice(0, equals);
  const flag = flags.get(spelling);
  if (flag?.takesValue && equals < 0) {
    if (next === undefined) throw usage(`${spelling} needs a value`, `See hactl ${command} --help`);
    return 1;
  }
  if (flag) return 0;
  // Single letters in one word: -rf, or a letter with its value behind it: -n3.
  if (/^-[A-Za-z]./.test(spelling)) {
    for (let at = 1; at < spelling.length; at++) {
      const letter = flags.get(`-${spelling[at]}`);
      if (!letter) break;
      if (letter.takesValue) return at === spelling.length - 1 ? 1 : 0;
      if (at === spelling.length - 1) return 0;
    }
  }
  const guess = nearest(spelling, flags.keys());
  throw usage(
    `${command} has no option ${spelling}`,
    guess ? `Did you mean ${guess}?` : `See hactl ${command} --help`,
  );
}

/** A value that citty may hold as such, as a promise or as a function. */
export async function resolved<T>(value: T | Promise<T> | (() => T) | (() => Promise<T>)): Promise<T> {
  return typeof value === "function" ? await (value as () => T | Promise<T>)() : await value;
}

/** The command that the words name, going down through its subcommands. */
export async function findCommand(
  name: string,
  command: CommandDef,
  words: readonly string[],
): Promise<{ name: string; command: CommandDef; words: readonly string[] }> {
  const children = command.subCommands ? await resolved(command.subCommands) : undefined;
  if (!children || Object.keys(children).length === 0) return { name, command, words };
  const [first, ...rest] = words;
  if (first === undefined || first.startsWith("-")) return { name, command, words };
  for (const [childName, child] of Object.entries(children)) {
    const definition = (await resolved(child)) as CommandDef;
    const meta = definition.meta ? await resolved(definition.meta) : {};
    const aliases = meta.alias === undefined ? [] : [meta.alias].flat();
    if (childName === first || aliases.includes(first)) {
      return findCommand(`${name} ${childName}`, definition, rest);
    }
  }
  // A command that also does something by itself may take the word for its own.
  if (command.run) return { name, command, words };
  const guess = nearest(first, Object.keys(children));
  throw new HactlError({
    code: "UNKNOWN_COMMAND",
    what: `hactl ${name} has no command ${first}`,
    cure: guess ? `Did you mean hactl ${name} ${guess}?` : `It has: ${Object.keys(children).join(", ")}`,
    exit: CrmExit.USAGE,
  });
}

import { type CommandDef, runCommand } from "citty";
import { CrmExit, HactlError, nearest, toolNames } from "../terms/index.ts";
import { checkWords, findCommand, type GlobalOptions, resolved, splitGlobals } from "./arguments.ts";
import { commandHelp, commandNames, mainHelp } from "./help.ts";
import { print, reportError, setOutputStyle, wantsColour } from "./output.ts";
import { commands } from "./registry.ts";
import { printVersion } from "./version.ts";

/** What a command may get beside its own arguments: `context.data` of citty's `run`. */
export interface CommandData {
  readonly globals: GlobalOptions;
}

/**
 * Runs `hactl WORDS…` and answers with the exit code. A command ends by returning (0), by returning a number,
 * by setting `process.exitCode`, or by throwing: errors are printed here and nowhere else.
 */
export async function runCli(words: readonly string[]): Promise<number> {
  setOutputStyle({ json: words.includes("--json"), colour: wantsColour(process.stderr) });
  try {
    return await run(words);
  } catch (error) {
    return reportError(error);
  }
}

async function run(words: readonly string[]): Promise<number> {
  const { globals, rest } = splitGlobals(words);
  setOutputStyle({ json: globals.json, colour: wantsColour(process.stdout) && !globals.json });
  if (globals.config !== undefined) process.env.HACTL_CONFIG = globals.config;
  const [first, ...others] = rest;
  if (first === undefined || first === "help") {
    if (others.length > 0) return run([...others, "--help"]);
    print(mainHelp());
    return first === undefined && !globals.help ? CrmExit.USAGE : CrmExit.OK;
  }
  if (first === "--version" || first === "-V") return printVersion(globals.json ? ["--json"] : []);
  const entry = commands.find((command) => command.name === first || command.aliases?.includes(first));
  if (!entry) throw unknownCommand(first);
  const found = await findCommand(entry.name, await entry.load(), others);
  if (globals.help) {
    print(await commandHelp(found.name, found.command));
    return CrmExit.OK;
  }
  return runOne(found.name, found.command, found.words, globals);
}

async function runOne(
  name: string,
  command: CommandDef,
  words: readonly string[],
  globals: GlobalOptions,
): Promise<number> {
  const args = command.args ? await resolved(command.args) : {};
  if (!command.run) {
    print(await commandHelp(name, command));
    return CrmExit.USAGE;
  }
  checkWords(name, args, words, takesMoreWords(command));
  const data: CommandData = { globals };
  // Subcommands are found above; citty would look for one in words that are this command's own.
  const { subCommands: _, ...own } = command;
  process.exitCode = CrmExit.OK;
  const { result } = await runCommand(own, { rawArgs: [...words], data });
  return typeof result === "number" ? result : Number(process.exitCode ?? CrmExit.OK);
}

/** A command that reads `args._` for any number of words says so by `meta.extraWords`. */
const takesMoreWords = (command: CommandDef): boolean =>
  typeof command.meta === "object" && "extraWords" in command.meta && command.meta.extraWords === true;

function unknownCommand(word: string): HactlError {
  const guess = nearest(word, [...commandNames(), ...toolNames]);
  return new HactlError({
    code: "UNKNOWN_COMMAND",
    what: word.startsWith("-") ? `hactl has no option ${word}` : `hactl has no command ${word}`,
    cure: guess ? `Did you mean hactl ${guess}?` : "See hactl --help",
    exit: CrmExit.USAGE,
  });
}

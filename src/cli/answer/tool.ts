import { element } from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { unlessHidden } from "../hidden.ts";
import { writeOut } from "../output.ts";
import { errorText, pacemakerVersion, toolError } from "../tools/connection.ts";
import { type OptionRow, optionHelp, type ParsedWords, parseWords } from "../tools/getopt.ts";
import { printVersion } from "../version.ts";
import { Answer } from "./answer.ts";
import { type Format, formats, type Message } from "./message.ts";
import { type OutputRequest, outputRequest, outputRows } from "./request.ts";

/** A tool that answers in several formats. */
export interface AnsweringTool {
  readonly name: string;
  /** One line for its help. */
  readonly purpose: string;
  /** Its options; those of the answer, `--version` and `--help` are added where it does not have them itself. */
  readonly options: readonly OptionRow[];
  /** Formats that it has; text, xml and none when nothing is said. */
  readonly formats?: readonly Format[];
}

const commonRows: readonly OptionRow[] = [
  ...outputRows,
  { name: "version", short: "$", description: "print the version" },
  { name: "help", short: "?", description: "print this help" },
];

/** All options of a tool. */
export const optionsOf = ({ options }: AnsweringTool): readonly OptionRow[] => [
  ...options,
  ...commonRows.filter(({ name }) => !options.some((own) => own.name === name)),
];

/**
 * Runs a tool: takes its words apart, lets `work` say what there is to say, and ends the answer with its exit code.
 * An error becomes a line on standard error or part of the document. Mistakes in the words themselves are told as
 * text, since nobody knows yet what format is wanted.
 */
export async function runTool(
  tool: AnsweringTool,
  words: readonly string[],
  work: (given: ParsedWords, answer: Answer) => Promise<number>,
): Promise<number> {
  const { name } = tool;
  const table = optionsOf(tool);
  let given: ParsedWords;
  let answer: Answer;
  try {
    // `-h` means the help wherever it means nothing else.
    const asksHelp = words[0] === "-h" && !table.some(({ short }) => short === "h");
    given = parseWords(name, table, asksHelp ? ["--help"] : words);
    if (given.has("help")) {
      writeOut(`${name} - ${tool.purpose}\n\n${optionHelp(table)}\n`);
      return CrmExit.OK;
    }
    answer = new Answer(outputRequest(name, words, given, tool.formats));
  } catch (error) {
    return toolError(name, error);
  }
  if (given.has("version")) {
    answer.say(versionMessage);
    return answer.finish(CrmExit.OK);
  }
  try {
    return answer.finish(await work(given, answer));
  } catch (thrown) {
    const error = unlessHidden(thrown);
    if (!(error instanceof HactlError)) throw error;
    if (answer.format === "text") return answer.finish(toolError(name, error));
    answer.error(`${name}: ${errorText(error)}`);
    return answer.finish(error.exit);
  }
}

/**
 * Runs what has a frame of its own: a document that was asked for also tells of the error that ended the work; where
 * no document is wanted, the frame does.
 */
export async function answering(
  asked: OutputRequest,
  work: (answer: Answer) => Promise<number>,
): Promise<number> {
  const answer = new Answer(asked);
  try {
    return answer.finish(await work(answer));
  } catch (thrown) {
    const error = unlessHidden(thrown);
    if (!(error instanceof HactlError) || asked.format !== "xml") throw error;
    answer.error(errorText(error));
    return answer.finish(error.exit);
  }
}

/** `--version` of a command that is also one of Pacemaker's tools: by that name it answers as the tool. */
export async function versionOf(name: string, words: readonly string[], given: ParsedWords): Promise<number> {
  if (!name.startsWith("crm_")) return printVersion([]);
  const request = outputRequest(name, words, given, formats);
  const isPage = request.format === "html" || request.format === "console";
  return answering(isPage ? { ...request, format: "text" } : request, async (answer) => {
    answer.say(versionMessage);
    return CrmExit.OK;
  });
}

/**
 * `--version`. Agents and test suites look for a first line with the name and a version of Pacemaker
 * (ocf_local_nodename of resource-agents, pcs); the second says who answers.
 */
export const versionMessage: Message = {
  text: () => `Pacemaker ${pacemakerVersion}\nDone by hactl`,
  xml: () => [
    element("version", {
      program: "Pacemaker",
      version: pacemakerVersion,
      author: "hactl",
      build: "hactl",
      features: "",
    }),
  ],
};

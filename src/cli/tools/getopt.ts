import { CrmExit, HactlError, nearest } from "../../terms/index.ts";

/** An option of a command in the GNU style: `-x VALUE`, `-xVALUE`, `--long=VALUE`, `--long VALUE`. */
export interface OptionRow {
  /** Long name, by which the result names it. */
  readonly name: string;
  readonly short?: string;
  /** Another letter for the same. */
  readonly otherShort?: string;
  readonly aliases?: readonly string[];
  /** What its value is called; an option without takes none. */
  readonly value?: string;
  /** The value may be left out: a next word is it unless it is an option. */
  readonly optional?: boolean;
  readonly description: string;
}

export interface ParsedWords {
  /** Options in the order given, long names. */
  readonly options: readonly (readonly [name: string, value: string])[];
  readonly words: readonly string[];
  has(name: string): boolean;
  /** How often it was given. */
  count(name: string): number;
  /** The last value. */
  value(name: string): string | undefined;
  values(name: string): string[];
  /** The one of these options that was given last: of several commands that one counts. */
  last<Name extends string>(names: readonly Name[]): Name | undefined;
}

const usage = (what: string, cure: string) =>
  new HactlError({ code: "USAGE", what, cure, exit: CrmExit.USAGE });

/** Takes a command's words apart; throws HactlError `USAGE` for what the table does not have. */
export function parseWords(
  command: string,
  table: readonly OptionRow[],
  input: readonly string[],
): ParsedWords {
  const options: [string, string][] = [];
  const words: string[] = [];
  const queue = [...input];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") {
      words.push(...queue.splice(0));
    } else if (word.startsWith("--")) {
      options.push(longOption(command, table, word, queue));
    } else if (word.startsWith("-") && word !== "-" && !isNumber(table, word)) {
      options.push(...shortOptions(command, table, word.slice(1), queue));
    } else words.push(word);
  }
  const values = (name: string) => options.filter(([key]) => key === name).map(([, value]) => value);
  return {
    options,
    words,
    has: (name) => values(name).length > 0,
    count: (name) => values(name).length,
    value: (name) => values(name).at(-1),
    values,
    last: (names) => {
      const given = options.findLast(([key]) => names.some((name) => name === key))?.[0];
      return names.find((name) => name === given);
    },
  };
}

/** A negative number is a word, where no option is called by its digit. */
const isNumber = (table: readonly OptionRow[], word: string) =>
  /^-\d+$/.test(word) && !table.some(({ short }) => short === word[1]);

function longOption(
  command: string,
  table: readonly OptionRow[],
  word: string,
  queue: string[],
): [string, string] {
  const [, name = "", attached] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
  const row = findLong(table, name);
  if (!row) {
    const guess = nearest(
      name,
      table.flatMap((candidate) => [candidate.name, ...(candidate.aliases ?? [])]),
    );
    throw usage(
      `${command} has no option --${name}`,
      guess ? `Did you mean --${guess}?` : `See ${command} --help`,
    );
  }
  if (row.value === undefined) {
    if (attached !== undefined) throw usage(`--${name} takes no value`, `See ${command} --help`);
    return [row.name, ""];
  }
  return [row.name, attached ?? valueAfter(command, row, `--${name}`, queue)];
}

/** A long name may be cut short as long as it is clear. There is one page of help: it is the one on each group, too. */
function findLong(table: readonly OptionRow[], name: string): OptionRow | undefined {
  if (name.startsWith("help-")) return table.find((row) => row.name === "help");
  const exact = table.find((row) => row.name === name || row.aliases?.includes(name));
  if (exact) return exact;
  const begun = name.length < 2 ? [] : table.filter((row) => row.name.startsWith(name));
  return begun.length === 1 ? begun[0] : undefined;
}

function shortOptions(
  command: string,
  table: readonly OptionRow[],
  letters: string,
  queue: string[],
): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] ?? "";
    const row = table.find(({ name, short, otherShort }) =>
      letter === "?" ? name === "help" : short === letter || otherShort === letter,
    );
    if (!row) throw usage(`${command} has no option -${letter}`, `See ${command} --help`);
    if (row.value === undefined) {
      found.push([row.name, ""]);
      continue;
    }
    const rest = letters.slice(at + 1).replace(/^=/, "");
    found.push([row.name, rest !== "" ? rest : valueAfter(command, row, `-${letter}`, queue)]);
    break;
  }
  return found;
}

function valueAfter(command: string, row: OptionRow, option: string, queue: string[]): string {
  if (row.optional && (queue[0] === undefined || queue[0].startsWith("-"))) return "";
  const value = queue.shift();
  if (value === undefined) throw usage(`${option} needs a value`, `See ${command} --help`);
  return value;
}

/** The table as help text. */
export function optionHelp(table: readonly OptionRow[]): string {
  const rows = table.map((row) => {
    const letters = [row.short, row.otherShort].filter((letter) => letter !== undefined);
    const short = letters.length === 0 ? "    " : letters.map((letter) => `-${letter}, `).join("");
    const value = row.value === undefined ? "" : row.optional ? `[=${row.value}]` : `=${row.value}`;
    return [`  ${short}--${row.name}${value}`, row.description] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `${left.padEnd(width)}${right}`).join("\n");
}

import type { OptionRow } from "./getopt.ts";

const list: OptionRow = {
  name: "list-options",
  value: "LIST",
  description: "the options that there are, with their defaults",
};
const all: OptionRow = {
  name: "all",
  description: "with --list-options: also those that few need, and older names",
};

/** The options of a tool that are about lists of options. */
export const listOptionRows: readonly OptionRow[] = [list, all];
/** The same for a tool that has letters for them. */
export const shortListOptionRows: readonly OptionRow[] = [
  { ...list, short: "L" },
  { ...all, short: "a" },
];

/** Whether a tool is asked for a list of options, and for nothing else then. @param rows its options about lists */
export const asksForOptions = (words: readonly string[], rows = listOptionRows): boolean =>
  words.some(
    (word) =>
      /^--list-options(?:=|$)/.test(word) ||
      rows.some(
        ({ name, short }) => name === list.name && short !== undefined && word.startsWith(`-${short}`),
      ),
  );

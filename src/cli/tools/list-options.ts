import type { OptionRow } from "./getopt.ts";

/** The options of a tool that are about lists of options. */
export const listOptionRows: readonly OptionRow[] = [
  { name: "list-options", value: "LIST", description: "the options that there are, with their defaults" },
  { name: "all", description: "with --list-options: also those that few need, and older names" },
];

/** Whether a tool is asked for a list of options, and for nothing else then. */
export const asksForOptions = (words: readonly string[]): boolean =>
  words.some((word) => /^--list-options(?:=|$)/.test(word));

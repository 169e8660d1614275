import { defineCommand } from "citty";
import { explainOption, heading, optionFacts, optionNames, wrap } from "../../config/index.ts";
import { CrmExit, HactlError, nearest } from "../../terms/index.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: { name: "option", description: "What an option of hactl.toml means, its limits and its default." },
  args: { name: { type: "positional", required: true, description: "the option, as token or totem.token" } },
  run: ({ args }) => explainOptions(args.name),
});

/** Prints every option of that name. @throws HactlError with a near miss when there is none. */
export function explainOptions(name: string): void {
  const found = explainOption(name);
  if (found.length === 0) {
    const guess = nearest(name.slice(name.lastIndexOf(".") + 1), optionNames());
    throw new HactlError({
      code: "UNKNOWN_OPTION",
      what: `There is no option ${name}`,
      cure: guess === undefined ? "docs/configuration.md lists all of them" : `Did you mean ${guess}?`,
      exit: CrmExit.NOSUCH,
    });
  }
  if (wantsJson()) {
    printJson(found.map(({ table, option }) => ({ table: table.path, ...option })));
    return;
  }
  const pages = found.map(({ table, option }) => {
    const lines = [
      `${colours.bold(option.name)} in ${heading(table.path)}`,
      ...wrap(`${option.description}.`, "  "),
    ];
    if (option.detail !== undefined) lines.push(...wrap(option.detail, "  "));
    if (option.unused !== undefined) lines.push(...wrap(`Accepted without effect: ${option.unused}.`, "  "));
    return [...lines, ...wrap(optionFacts(option), "  ")].join("\n");
  });
  print(pages.join("\n\n"));
}

import { type ArgsDef, defineCommand } from "citty";
import { wantsJson } from "../output.ts";
import { simulateCommand } from "./simulate-command.ts";
import { simulateOptions } from "./simulate-options.ts";

/** The table of options as the frame's help wants it; the words are taken apart by the table itself. */
const args: ArgsDef = Object.fromEntries(
  simulateOptions
    .filter(({ name }) => !["help", "json", "version"].includes(name))
    .map(({ name, short, value, description }) => [
      name,
      {
        type: value === undefined ? "boolean" : "string",
        description,
        ...(short === undefined ? {} : { alias: short }),
        ...(value === undefined ? {} : { valueHint: value }),
      },
    ]),
);

export default defineCommand({
  meta: {
    name: "simulate",
    description: "Rehearse what the cluster would do, for the running cluster or a file.",
    extraWords: true,
  } as { name: string; description: string },
  args,
  run: ({ rawArgs }) => simulateCommand("simulate", wantsJson() ? ["--json", ...rawArgs] : rawArgs),
});

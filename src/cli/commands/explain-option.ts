import { defineCommand } from "citty";
import {
  alertMeta,
  cloneMeta,
  clusterProperties,
  groupMeta,
  nodeOptions,
  operationOptions,
  resourceMeta,
} from "../../cib/index.ts";
import { explainOption, heading, optionFacts, optionNames, wrap } from "../../config/index.ts";
import { deviceOptions } from "../../fencer/index.ts";
import { CrmExit, HactlError, nearest, type OptionSpec } from "../../terms/index.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: {
    name: "option",
    description:
      "What an option of hactl.toml or of the cluster's configuration means, its limits and its default.",
  },
  args: {
    name: {
      type: "positional",
      required: true,
      description: "the option, as token, totem.token or stonith-enabled",
    },
  },
  run: ({ args }) => explainOptions(args.name),
});

/** Options of the cluster's configuration, by what they are options of. */
const clusterTables: readonly (readonly [of: string, table: readonly OptionSpec[]])[] = [
  ["a property of the cluster (hactl property NAME=VALUE)", clusterProperties],
  ["a meta attribute of resources (crm text: meta NAME=VALUE)", resourceMeta],
  ["a meta attribute of groups", groupMeta],
  ["a meta attribute of clones and bundles", cloneMeta],
  ["an option of operations (crm text: op ACTION NAME=VALUE)", operationOptions],
  ["an attribute of nodes", nodeOptions],
  ["a meta attribute of alerts and recipients", alertMeta],
  ["a parameter of fence devices", deviceOptions],
];

const isNamed = ({ name, aliases }: OptionSpec, word: string): boolean =>
  name === word || (aliases ?? []).includes(word);

/** A page for every option of the cluster's configuration that goes by a name. */
function clusterPages(word: string): { readonly of: string; readonly option: OptionSpec }[] {
  return clusterTables.flatMap(([of, table]) =>
    table.filter((option) => isNamed(option, word)).map((option) => ({ of, option })),
  );
}

/** Prints every option of that name. @throws HactlError with a near miss when there is none. */
export function explainOptions(name: string): void {
  const found = explainOption(name);
  const others = clusterPages(name);
  if (found.length === 0 && others.length === 0) {
    const names = clusterTables.flatMap(([, table]) =>
      table.flatMap((option) => [option.name, ...(option.aliases ?? [])]),
    );
    const guess = nearest(name.slice(name.lastIndexOf(".") + 1), [...optionNames(), ...names]);
    throw new HactlError({
      code: "UNKNOWN_OPTION",
      what: `There is no option ${name}`,
      cure: guess === undefined ? "docs/configuration.md lists all of them" : `Did you mean ${guess}?`,
      exit: CrmExit.NOSUCH,
    });
  }
  if (wantsJson()) {
    printJson([
      ...found.map(({ table, option }) => ({ table: table.path, ...option })),
      ...others.map(({ of, option }) => ({ of, ...option })),
    ]);
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
  for (const { of, option } of others) {
    const names = option.aliases === undefined ? "" : ` (also ${option.aliases.join(", ")})`;
    const values = option.values === undefined ? "" : `; values: ${option.values.join(", ")}`;
    const fallback = option.default === undefined ? "no default" : `default: ${option.default}`;
    const lines = [
      `${colours.bold(option.name)}, ${of}${names}`,
      ...wrap(`${option.description}.`, "  "),
      ...wrap(`${option.type}; ${fallback}${values}`, "  "),
    ];
    pages.push(lines.join("\n"));
  }
  print(pages.join("\n\n"));
}

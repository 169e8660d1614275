import { existsSync } from "node:fs";
import { defineCommand } from "citty";
import {
  configFile,
  type Explanation,
  explainTotem,
  type LoadedTable,
  parseConfig,
  readConfigText,
} from "../../config/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";
import { explainOptions } from "./explain-option.ts";

export default defineCommand({
  meta: {
    name: "explain",
    description:
      "What a part of the configuration comes to, and why: totem for the timeouts, or the name of an option.",
  },
  args: {
    what: {
      type: "positional",
      required: false,
      default: "totem",
      description: "totem, or the name of an option",
    },
    nodes: { type: "string", valueHint: "number", description: "as if the cluster had so many nodes" },
  },
  run: ({ args }) => {
    if (args.what === "totem") return explainTimeouts(args.nodes);
    explainOptions(args.what);
  },
});

function explainTimeouts(nodes: string | undefined): void {
  const file = configFile();
  const text = existsSync(file) ? readConfigText(file) : "";
  const { tables } = parseConfig(text);
  const totem = tables.find((table) => table.table.path === "totem");
  if (!totem) return;
  const listed = tables.filter((table) => table.table.path === "nodelist.node").length;
  const count = nodes === undefined ? Math.max(listed, text === "" ? 2 : 1) : parseCount(nodes);
  const rows = explainTotem(totem, count);
  if (wantsJson()) return printJson({ file: text === "" ? null : file, nodes: count, timeouts: rows });
  const source = text === "" ? `defaults (there is no ${file})` : file;
  print(`Timeouts of ${count} node${count === 1 ? "" : "s"} with ${source}\n`);
  print(formatRows(rows, totem));
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1000) return count;
  throw new HactlError({
    code: "USAGE",
    what: `--nodes cannot be ${JSON.stringify(text)}`,
    cure: "Write a number of nodes",
    exit: CrmExit.USAGE,
  });
}

function formatRows(rows: readonly Explanation[], totem: LoadedTable): string {
  const origin = (row: Explanation) =>
    row.source === "given" ? `line ${row.line ?? totem.line}` : row.source;
  return rows
    .map((row) => {
      const value = `${row.value} ${row.unit}`;
      return `  ${row.name.padEnd(18)}${colours.bold(value.padStart(9))}  ${origin(row).padEnd(9)} ${row.how}`;
    })
    .join("\n");
}

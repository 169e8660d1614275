import { defineCommand } from "citty";
import { configFile, loadConfigFile, showConfig } from "../../config/index.ts";
import { print, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: {
    name: "show",
    description: "The configuration as it counts: every value, and where it comes from.",
  },
  args: {
    file: {
      type: "positional",
      required: false,
      description: "the configuration [default: that of this node]",
    },
  },
  run: ({ args }) => {
    const config = loadConfigFile(configFile(args.file), "text");
    if (!wantsJson()) return print(showConfig(config.tables));
    const tables = config.tables.map((table) => ({
      table: table.table.path,
      ...(table.table.repeated && { index: table.index }),
      values: table.values,
      lines: Object.fromEntries(table.lines),
    }));
    printJson({ file: config.file, effective: config.totem.effective, tables });
  },
});

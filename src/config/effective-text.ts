import { heading, type LoadedTable } from "./parse.ts";
import { tomlValue } from "./toml-writer.ts";

/** The whole configuration as it counts, as TOML, each value with where it comes from. */
export function showConfig(tables: readonly LoadedTable[]): string {
  const blocks = tables.flatMap((table) => {
    const rows = table.table.options.flatMap((option) => {
      const value = table.values[option.name];
      const given = table.lines.get(option.name);
      if (value === undefined || (option.unused !== undefined && given === undefined)) return [];
      const origin = given === undefined ? "default" : `line ${given}`;
      return [{ text: `${option.name} = ${tomlValue(option, value)}`, origin }];
    });
    if (rows.length === 0) return [];
    const width = Math.min(48, Math.max(...rows.map((row) => row.text.length)));
    const lines = rows.map((row) => `${row.text.padEnd(width)}  # ${row.origin}`);
    return [[heading(table.table.path), ...lines].join("\n")];
  });
  return `${blocks.join("\n\n")}\n`;
}

import type { ConfigOption, ConfigTable } from "./option.ts";
import { heading } from "./parse.ts";
import { optionFacts } from "./reference.ts";
import { configTables } from "./tables.ts";

/** A text for the man macros: nothing in it is a request or an escape. */
export function roff(text: string): string {
  return text
    .replace(/\\/g, "\\e")
    .replace(/-/g, "\\-")
    .split("\n")
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join("\n");
}

/** hactl.toml(5) as man(7) source, from the option tables. */
export function configManual(version: string): string {
  const lines = [
    `.TH HACTL.TOML 5 "" "hactl ${version}" "hactl"`,
    ".SH NAME",
    "hactl.toml \\- configuration of the cluster stack of hactl",
    ".SH SYNOPSIS",
    ".I /etc/hactl/hactl.toml",
    ".SH DESCRIPTION",
    roff(
      "The file mirrors corosync.conf(5) and /etc/sysconfig/pacemaker under their own names, written in TOML.",
    ),
    roff(
      "It is the same on all nodes, except for [system]. The option --config and the variable HACTL_CONFIG name",
    ),
    roff("another file. hactl config check tells every mistake with its line."),
    ".PP",
    roff('Times are numbers in the unit that is named, or texts with a unit, as "1500ms" or "5s".'),
  ];
  for (const table of configTables) lines.push(...tableManual(table));
  lines.push(".SH SEE ALSO", ".BR hactl (8), corosync.conf (5), votequorum (5)");
  return `${lines.join("\n")}\n`;
}

function tableManual(table: ConfigTable): string[] {
  const lines = [`.SH ${roff(heading(table.path))}`, roff(`${table.title}. ${table.description}`)];
  for (const option of table.options) if (option.unused === undefined) lines.push(...optionManual(option));
  const unused = table.options.filter((option) => option.unused !== undefined);
  if (unused.length > 0) {
    lines.push(".PP", roff("Accepted without effect, since older configurations have them:"));
    lines.push(`${roff(unused.map((option) => option.name).join(", "))}.`);
  }
  return lines;
}

function optionManual(option: ConfigOption): string[] {
  const text = `${option.description.charAt(0).toUpperCase()}${option.description.slice(1)}.`;
  return [
    ".TP",
    `.B ${roff([option.name, ...(option.aliases ?? [])].join(", "))}`,
    roff([text, ...(option.detail === undefined ? [] : [option.detail])].join("\n")),
    ".br",
    roff(`${optionFacts(option)}.`),
  ];
}

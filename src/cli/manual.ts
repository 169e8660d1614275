import type { CommandDef } from "citty";
import { roff } from "../config/index.ts";
import { resolved } from "./arguments.ts";
import { commandHelp } from "./help.ts";
import { commands, groups } from "./registry.ts";
import { tools } from "./tools.ts";

/** hactl(8) as man(7) source: every command with its help. */
export async function commandManual(version: string): Promise<string> {
  const lines = [
    `.TH HACTL 8 "" "hactl ${version}" "hactl"`,
    ".SH NAME",
    "hactl \\- keep services running when machines fail",
    ".SH SYNOPSIS",
    ".B hactl",
    ".I COMMAND",
    "[\\fIOPTIONS\\fR] \\&...",
    ".SH DESCRIPTION",
    roff(
      "hactl is a high-availability cluster in one executable: membership, quorum, resources, fencing, and the",
    ),
    roff("commands to configure and watch them."),
  ];
  for (const group of groups) {
    const members = commands.filter((command) => command.group === group.id && !command.hidden);
    if (members.length === 0) continue;
    lines.push(`.SH ${roff(group.title.toUpperCase())}`);
    for (const entry of members) lines.push(...(await pages(entry.name, await entry.load())));
  }
  lines.push(
    ".SH OTHER NAMES",
    roff(
      "Called by one of these names, or with one as its first word, hactl behaves like the command of that name:",
    ),
    `${roff(Object.keys(tools).toSorted().join(", "))}.`,
    ".SH FILES",
    ".TP",
    ".I /etc/hactl/hactl.toml",
    "configuration of the cluster stack",
    ".TP",
    ".I /etc/hactl/authkey",
    "the key that the nodes share",
    ".SH EXIT STATUS",
    roff("0 on success; else one of the codes that crm_error(8) lists."),
    ".SH SEE ALSO",
    ".BR hactl.toml (5)",
  );
  return `${lines.join("\n")}\n`;
}

async function pages(name: string, command: CommandDef): Promise<string[]> {
  const children = Object.entries(command.subCommands ? await resolved(command.subCommands) : {});
  const lines = [
    `.SS ${roff(`hactl ${name}`)}`,
    ".nf",
    roff(Bun.stripANSI(await commandHelp(name, command)).trimEnd()),
    ".fi",
  ];
  for (const [child, definition] of children) {
    lines.push(...(await pages(`${name} ${child}`, (await resolved(definition)) as CommandDef)));
  }
  return lines;
}

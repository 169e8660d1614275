import type { ArgDef, CommandDef } from "citty";
import { resolved } from "./arguments.ts";
import { colours } from "./output.ts";
import { type CommandEntry, commands, groups } from "./registry.ts";

const column = 22;
const row = (left: string, right: string) =>
  left.length < column - 2
    ? `  ${left.padEnd(column - 2)}${right}`
    : `  ${left}\n${" ".repeat(column)}${right}`;

/** The page of `hactl --help`. */
export function mainHelp(): string {
  const { bold } = colours;
  const lines = [
    "hactl keeps services running when machines fail.",
    "",
    `${bold("usage:")} hactl COMMAND …       hactl COMMAND --help tells more about one`,
  ];
  for (const group of groups) {
    const rows = commands.filter((command) => command.group === group.id && !command.hidden);
    if (rows.length === 0) continue;
    lines.push("", bold(group.title), ...rows.map((command) => row(command.name, command.description)));
  }
  lines.push(
    "",
    bold("Everywhere"),
    row("--json", "results and errors as JSON"),
    row("--config FILE", "another configuration than /etc/hactl/hactl.toml (or HACTL_CONFIG)"),
    row("--help, --version", ""),
    row("CIB_file=FILE", "in the environment: work on the CIB in a file, never on the cluster"),
    row(
      "CIB_shadow=DRAFT",
      "the same on a draft, which 'crm cib new DRAFT' makes and 'crm cib commit' puts in force",
    ),
    "",
    bold("Examples"),
    ...examples(),
  );
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

const firstSteps: readonly { readonly needs: string; readonly words: string; readonly why: string }[] = [
  { needs: "keygen", words: "hactl keygen", why: "a new key; copy it to every node" },
  { needs: "config", words: "hactl config check", why: "is hactl.toml right on this node?" },
  { needs: "start", words: "systemctl start hactl", why: "on every node" },
  { needs: "configure", words: "hactl configure load update my.crm", why: "what the cluster shall run" },
  { needs: "status", words: "hactl status", why: "how it goes" },
  { needs: "node", words: "hactl node standby vm01", why: "move everything away from vm01" },
];

function examples(): string[] {
  const known = new Set(commands.map((command) => command.name));
  return firstSteps
    .filter((step) => known.has(step.needs))
    .map((step) => `  ${step.words.padEnd(36)}${colours.dim(`# ${step.why}`)}`);
}

function argRow(name: string, arg: ArgDef): string {
  if (arg.type === "positional") return row(name.toUpperCase(), describe(arg));
  const aliases = "alias" in arg && arg.alias !== undefined ? [arg.alias].flat() : [];
  const spellings = [...aliases, name].map((text) => (text.length === 1 ? `-${text}` : `--${text}`));
  const hint =
    arg.type === "boolean" || arg.type === undefined ? "" : ` ${(arg.valueHint ?? name).toUpperCase()}`;
  return row(`${spellings.join(", ")}${hint}`, describe(arg));
}

function describe(arg: ArgDef): string {
  const choices = arg.type === "enum" && arg.options ? ` (${arg.options.join(", ")})` : "";
  const fallback = arg.default === undefined || arg.default === false ? "" : ` [default: ${arg.default}]`;
  return `${arg.description ?? ""}${choices}${fallback}`;
}

/** The page of one command or subcommand: description, usage, words, options, subcommands. */
export async function commandHelp(name: string, command: CommandDef): Promise<string> {
  const { bold } = colours;
  const meta = command.meta ? await resolved(command.meta) : {};
  const args = Object.entries(command.args ? await resolved(command.args) : {});
  const children = Object.entries(command.subCommands ? await resolved(command.subCommands) : {});
  const words = args
    .filter(([, arg]) => arg.type === "positional")
    .map(([word, arg]) =>
      arg.required === false || arg.default !== undefined ? `[${word.toUpperCase()}]` : word.toUpperCase(),
    );
  const options = args.filter(([, arg]) => arg.type !== "positional");
  const usage = ["hactl", name, ...(options.length > 0 ? ["[OPTIONS]"] : []), ...words];
  if (children.length > 0) usage.push(command.run ? "[COMMAND]" : "COMMAND", "…");
  const lines = [meta.description ?? "", "", `${bold("usage:")} ${usage.join(" ")}`];
  const positionals = args.filter(([, arg]) => arg.type === "positional" && arg.description);
  if (positionals.length > 0) lines.push("", bold("Words"), ...positionals.map(([n, arg]) => argRow(n, arg)));
  if (options.length > 0) lines.push("", bold("Options"), ...options.map(([n, arg]) => argRow(n, arg)));
  if (children.length > 0) lines.push("", bold("Commands"), ...(await childRows(children)));
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

async function childRows(children: readonly (readonly [string, unknown])[]): Promise<string[]> {
  const rows: string[] = [];
  for (const [name, child] of children) {
    const definition = (await resolved(child)) as CommandDef;
    const meta = definition.meta ? await resolved(definition.meta) : {};
    if (!meta.hidden) rows.push(row(name, meta.description ?? ""));
  }
  return rows;
}

/** Names that `hactl` knows as its first word, for "did you mean". */
export const commandNames = (entries: readonly CommandEntry[] = commands): string[] =>
  entries.flatMap((entry) => [entry.name, ...(entry.aliases ?? [])]);

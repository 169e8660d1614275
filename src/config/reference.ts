import type { ConfigOption, ConfigTable } from "./option.ts";
import { heading } from "./parse.ts";
import { configTables, optionNamed } from "./tables.ts";
import { sample } from "./value.ts";

/** Type, limits and default of an option in words. */
export function optionFacts(option: ConfigOption): string {
  const facts = [kindOf(option)];
  const unit = option.type === "duration" ? " ms" : "";
  if (option.type !== "string" && option.type !== "path") {
    if (option.min !== undefined && option.max !== undefined && option.min !== option.max) {
      facts.push(`${option.min} to ${option.max}${unit}`);
    } else if (option.min !== undefined && option.max === undefined)
      facts.push(`at least ${option.min}${unit}`);
  }
  if (option.default !== undefined)
    facts.push(`default ${option.default === "" ? "empty" : sampleOfDefault(option)}`);
  if (option.aliases) facts.push(`also called ${option.aliases.join(", ")}`);
  if (option.reload) facts.push("applied by a reload");
  return facts.join("; ");
}

const sampleOfDefault = (option: ConfigOption) => {
  const { example: _, ...rest } = option;
  return sample(rest);
};

function kindOf(option: ConfigOption): string {
  switch (option.type) {
    case "boolean":
      return "true or false";
    case "duration":
      return `time in ${option.unit ?? "ms"}, or a text like "1500ms", "5s"`;
    case "percent":
      return "percentage";
    case "integer":
    case "score":
      return option.unit === undefined ? "whole number" : `whole number of ${option.unit}`;
    case "enum":
      return `one of ${(option.values ?? []).join(", ")}`;
    case "list":
      return "list, or a text with colons";
    case "path":
      return "absolute path";
    case "string":
      return "text";
  }
}

/** What `hactl explain option NAME` says about one option: every table that has it. */
export function explainOption(
  name: string,
): readonly { readonly table: ConfigTable; readonly option: ConfigOption }[] {
  const bare = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1) : name;
  const path = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : undefined;
  return configTables.flatMap((table) => {
    const option = path === undefined || path === table.path ? optionNamed(table, bare) : undefined;
    return option ? [{ table, option }] : [];
  });
}

/** All names, for near misses. */
export const optionNames = (): readonly string[] =>
  configTables.flatMap((table) => table.options.map((option) => option.name));

const used = (table: ConfigTable) => table.options.filter((option) => option.unused === undefined);
const unused = (table: ConfigTable) => table.options.filter((option) => option.unused !== undefined);

/** Breaks a text into lines of at most `width`, each with `prefix`. */
export function wrap(text: string, prefix: string, width = 100): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && prefix.length + line.length + 1 + word.length > width) {
      lines.push(prefix + line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, prefix + line];
}

/** A line of the sample: set where the sample sets it, else as a comment with its default. */
interface SampleValue {
  readonly path: string;
  readonly index: number;
  readonly name: string;
  readonly value: string;
}

/** Two nodes with two links, the set-up that most people begin with. */
const sampleValues: readonly SampleValue[] = [
  { path: "totem", index: 0, name: "cluster_name", value: '"mycluster"' },
  { path: "quorum", index: 0, name: "two_node", value: "true" },
  ...["1", "2"].flatMap((node, index) => [
    { path: "nodelist.node", index, name: "name", value: `"vm0${node}"` },
    { path: "nodelist.node", index, name: "nodeid", value: node },
    { path: "nodelist.node", index, name: "ring0_addr", value: `"192.168.0.${node}"` },
    { path: "nodelist.node", index, name: "ring1_addr", value: `"192.168.1.${node}"` },
  ]),
];

/** conf/hactl.toml: every option with its meaning and default, ready to be edited. */
export function sampleFile(): string {
  const lines = [
    "# hactl.toml: the configuration of the cluster stack. The same file on all nodes, except [system].",
    "#",
    "# It mirrors corosync.conf and /etc/sysconfig/pacemaker under their own names. Lines that begin with #",
    "# and a name show the default or an example. `hactl config check` tells every mistake with its line;",
    "# `hactl config explain totem` shows the timeouts that come out. Cluster resources are not configured",
    "# here but with `hactl configure`.",
  ];
  for (const table of configTables) lines.push("", "", ...sampleTable(table));
  return `${lines.join("\n")}\n`;
}

function sampleTable(table: ConfigTable): string[] {
  const lines = [`# ${table.title}`, ...wrap(table.description, "# ")];
  const set = sampleValues.filter((value) => value.path === table.path);
  const count = Math.max(1, ...set.map((value) => value.index + 1));
  for (let index = 0; index < count; index++) {
    const own = set.filter((value) => value.index === index);
    // A repeated table that the sample does not need is a comment as a whole.
    const shown = !table.repeated || own.length > 0;
    lines.push(...(index > 0 ? [""] : []), `${shown ? "" : "# "}${heading(table.path)}`);
    for (const option of used(table)) {
      const value = own.find((candidate) => candidate.name === option.name);
      if (index > 0 && !value) continue;
      if (index === 0) lines.push(...sampleComment(option));
      lines.push(value ? `${option.name} = ${value.value}` : `# ${option.name} = ${sample(option)}`);
    }
  }
  return lines;
}

function sampleComment(option: ConfigOption): string[] {
  const first = option.description.charAt(0).toUpperCase() + option.description.slice(1);
  const detail = option.detail === undefined ? "" : ` ${option.detail}`;
  return ["", ...wrap(`${first}.${detail}`, "# "), ...wrap(`(${optionFacts(option)})`, "# ")];
}

/** docs/configuration.md: the reference of hactl.toml. */
export function referencePage(): string {
  const lines = [
    "# Configuration reference: hactl.toml",
    "",
    "Generated from the option tables by `make docs`; `hactl explain option NAME` prints the same for one option.",
    "The file is `/etc/hactl/hactl.toml`; `--config FILE` or the variable `HACTL_CONFIG` names another.",
    "A sample with every option is `conf/hactl.toml`. `hactl config import` makes one of `corosync.conf`,",
    "`/etc/sysconfig/pacemaker` and `cluster.conf`.",
    "",
    "Times are numbers in the unit that is named, or texts with a unit. A reload (`hactl reload`) applies what is",
    "marked with ↻; everything else needs a restart of the node.",
    "",
    ...configTables.map(
      (table) => `- [\`${heading(table.path)}\`](#${anchor(table)}) ${table.title.toLowerCase()}`,
    ),
  ];
  for (const table of configTables) lines.push("", ...referenceTable(table));
  lines.push(
    "",
    "## Which node is this?",
    "",
    "The first of these rules that fits: the name given with `--node`; a node whose `name` is the host name",
    "(`uname -n`); one whose `name` is the host name without its domain; one whose `name` up to the first dot is the",
    "host name up to its first dot; one with an address of an interface of this machine.",
  );
  return `${lines.join("\n")}\n`;
}

const anchor = (table: ConfigTable) =>
  `${heading(table.path)} ${table.title}`
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replace(/ /g, "-");

function referenceTable(table: ConfigTable): string[] {
  const lines = [`## ${heading(table.path)} ${table.title}`, "", table.description, ""];
  lines.push("| option | meaning | value | default | ↻ |", "|---|---|---|---|---|");
  for (const option of used(table)) {
    const names = [option.name, ...(option.aliases ?? [])].map((name) => `\`${name}\``).join(", ");
    const meaning = `${option.description}.${option.detail === undefined ? "" : ` ${option.detail}`}`;
    const limits = limitsOf(option);
    const fallback = option.default === undefined ? "" : `\`${sampleOfDefault(option)}\``;
    lines.push(
      `| ${names} | ${cell(meaning)} | ${cell(limits)} | ${cell(fallback)} | ${option.reload ? "↻" : ""} |`,
    );
  }
  const without = unused(table);
  if (without.length > 0) {
    lines.push("", "Accepted without effect, since older configurations have them:", "");
    lines.push("| option | why |", "|---|---|");
    for (const option of without) lines.push(`| \`${option.name}\` | ${cell(option.unused ?? "")} |`);
  }
  return lines;
}

function limitsOf(option: ConfigOption): string {
  if (option.type === "enum") return (option.values ?? []).map((value) => `\`${value}\``).join(", ");
  const unit = option.type === "duration" ? " ms" : option.unit === undefined ? "" : ` ${option.unit}`;
  const kind = option.type === "duration" ? `time${option.unit === "s" ? " (s)" : " (ms)"}` : option.type;
  if (option.type === "string" || option.type === "path") return kind;
  if (option.min !== undefined && option.max !== undefined)
    return `${kind}, ${option.min} to ${option.max}${unit}`;
  return option.min === undefined ? kind : `${kind}, at least ${option.min}${unit}`;
}

const cell = (text: string) => text.replace(/\|/g, "\\|");

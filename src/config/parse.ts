import { parse, TomlError } from "smol-toml";
import { nearest } from "../terms/index.ts";
import type { ConfigOption, ConfigTable, OptionValue } from "./option.ts";
import type { ConfigProblem } from "./problem.ts";
import { type Positions, positionOf, scanPositions } from "./scan.ts";
import { configTables, optionNamed, unsupportedTables } from "./tables.ts";
import { readValue } from "./value.ts";

/** One table of the file, or one that is absent, with the defaults filled in. */
export interface LoadedTable {
  readonly table: ConfigTable;
  /** Number among the repeated tables of this name. */
  readonly index: number;
  /** Whether the file has it. */
  readonly present: boolean;
  /** Line of its header. */
  readonly line: number | undefined;
  /** Values by name: those of the file, else the defaults; absent without either. */
  readonly values: Readonly<Record<string, OptionValue>>;
  /** Lines of the values that the file gives, by name. */
  readonly lines: ReadonlyMap<string, number>;
}

/** A file taken apart: tables with understood values, and everything that was not understood. */
export interface ParsedConfig {
  readonly tables: readonly LoadedTable[];
  readonly problems: readonly ConfigProblem[];
  /** The text itself was damaged: what seems to be missing may be in the damaged lines. */
  readonly damaged: boolean;
}

type Toml = Readonly<Record<string, unknown>>;

const isTable = (value: unknown): value is Toml =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Takes hactl.toml apart by the option tables. Finds every mistake of spelling, type and range. */
export function parseConfig(text: string): ParsedConfig {
  const problems: ConfigProblem[] = [];
  const { root, damaged } = parseRepairing(text, problems);
  const positions = scanPositions(text);
  const reader = new TableReader(positions, problems);
  reader.walk(root, "");
  const tables = configTables.flatMap((table) => reader.load(root, table));
  return { tables, problems: problems.toSorted(byLine), damaged };
}

const byLine = (a: ConfigProblem, b: ConfigProblem) => (a.line ?? 1e9) - (b.line ?? 1e9);

/** Most lines with broken syntax that are reported; a file with more is not TOML. */
const maxRepairs = 20;

/** Parses; a line that breaks the grammar is reported, taken out, and the rest is tried again. */
function parseRepairing(text: string, problems: ConfigProblem[]): { root: Toml; damaged: boolean } {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  for (let repair = 0; repair <= maxRepairs; repair++) {
    try {
      return { root: parse(lines.join("\n")), damaged: repair > 0 };
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      // A string or list that does not end is noticed at the end of the file; nothing is left to try then.
      const at = Math.min(error.line, lines.length);
      problems.push({
        severity: "error",
        code: "SYNTAX",
        line: at,
        column: error.column,
        ...syntaxWords(error, lines[at - 1] ?? ""),
      });
      if ((lines[at - 1] ?? "").trim() === "") break;
      lines[at - 1] = "";
    }
  }
  return { root: {}, damaged: true };
}

function syntaxWords(error: TomlError, line: string): { what: string; cure: string } {
  const reason = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
  const word = line.match(/^\s*([\w.-]+)\s*[:=]\s*([^\s"'#][^#]*?)\s*(?:#.*)?$/);
  const what = `This is not TOML: ${reason}`;
  // The parser sees the end of the line in the text, not the quote that should have been before it.
  if (openQuote(line))
    return { what: "This is not TOML: a quote is not closed", cure: `Close it: ${line.trim()}"` };
  if (/^\s*[\w.-]+\s*\{\s*$/.test(line)) {
    return { what, cure: "This looks like corosync.conf; hactl config import --corosync FILE translates it" };
  }
  if (word?.[1] && /^\s*[\w.-]+\s*:/.test(line))
    return { what, cure: `Write ${word[1]} = ${tomlOf(word[2] ?? "")}` };
  if (/redefin|already|duplicate/i.test(reason)) return { what, cure: "Remove one of the two" };
  if (word?.[1] && word[2] && !/^[[{]/.test(word[2]))
    return { what, cure: `Write ${word[1]} = ${tomlOf(word[2])}` };
  return { what, cure: "Texts stand in double quotes, tables in [brackets], one name = value on a line" };
}

/** Whether a text in double quotes begins in a line and does not end there. */
function openQuote(line: string): boolean {
  const bare = line.replace(/\\./g, "").replace(/'[^']*'/g, "");
  if (bare.includes('"""')) return false;
  const [content = ""] = bare.replace(/"[^"]*"/g, "").split("#");
  return content.includes('"');
}

const tomlOf = (text: string) => (/^(?:\d+|true|false)$/.test(text) ? text : JSON.stringify(text));

class TableReader {
  constructor(
    private readonly positions: Positions,
    private readonly problems: ConfigProblem[],
  ) {}

  private report(
    code: string,
    path: string,
    what: string,
    cure: string,
    severity: ConfigProblem["severity"] = "error",
  ): void {
    const position = positionOf(this.positions, path);
    this.problems.push({ severity, code, ...(position && { ...position }), what, cure });
  }

  /** Looks for tables that do not exist. */
  walk(tables: Toml, prefix: string): void {
    for (const [name, value] of Object.entries(tables)) {
      const path = prefix === "" ? name : `${prefix}.${name}`;
      const known = configTables.find((table) => table.path === path);
      const inside = configTables.some((table) => table.path.startsWith(`${path}.`));
      const unsupported = unsupportedTables[path];
      if (unsupported) this.report("UNSUPPORTED", path, unsupported.what, unsupported.cure);
      else if (known && !known.repeated) {
        if (isTable(value)) this.walkInside(value, path);
        else this.report("TYPE", path, `${path} must be a table`, `Write [${path}] on a line of its own`);
      } else if (inside && isTable(value)) this.walk(value, path);
      else if (!known && prefix === "") this.unknownTable(path, value);
      else if (!known)
        this.report("UNKNOWN_OPTION", path, `[${prefix}] has no option ${name}`, this.cureForTable(path));
    }
  }

  /** Tables inside a table that also has options: only those that are tables can be unknown tables. */
  private walkInside(value: Toml, path: string): void {
    for (const [name, inner] of Object.entries(value)) {
      const innerPath = `${path}.${name}`;
      if (configTables.some((table) => table.path === innerPath)) continue;
      const unsupported = unsupportedTables[innerPath];
      if (unsupported) this.report("UNSUPPORTED", innerPath, unsupported.what, unsupported.cure);
      else if (isTable(inner)) this.unknownTable(innerPath, inner);
    }
  }

  private unknownTable(path: string, value: unknown): void {
    if (isTable(value) || Array.isArray(value)) {
      this.report("UNKNOWN_TABLE", path, `There is no table [${path}]`, this.cureForTable(path));
      return;
    }
    const homes = configTables.filter((table) => optionNamed(table, path));
    const [home] = homes;
    const cure = home
      ? `It belongs in [${home.path}]; move it below that line`
      : "Every option stands in a table: [totem], [quorum], …";
    this.report("UNKNOWN_OPTION", path, `${path} stands outside of any table`, cure);
  }

  private cureForTable(path: string): string {
    const last = path.split(".").at(-1) ?? path;
    const paths = configTables.map((table) => table.path);
    const guess =
      paths.find((known) => known.split(".").at(-1) === last) ??
      nearest(path, paths) ??
      nearest(
        last,
        paths.map((known) => known.split(".").at(-1) ?? known),
      );
    const full = paths.find((known) => known === guess || known.split(".").at(-1) === guess);
    if (full === undefined) return `The tables are ${paths.map((known) => `[${known}]`).join(", ")}`;
    return `Did you mean ${heading(full)}?`;
  }

  /** The tables of one kind, with their values; one with defaults only where the file has none. */
  load(root: Toml, table: ConfigTable): LoadedTable[] {
    const found = table.path
      .split(".")
      .reduce<unknown>((at, key) => (isTable(at) ? at[key] : undefined), root);
    if (table.repeated) return this.loadRepeated(table, found);
    return [this.loadOne(table, isTable(found) ? found : undefined, table.path, 0)];
  }

  private loadRepeated(table: ConfigTable, found: unknown): LoadedTable[] {
    if (found === undefined) return [];
    if (isTable(found)) {
      this.report("TYPE", table.path, `[${table.path}] may come several times`, `Write [[${table.path}]]`);
      return [this.loadOne(table, found, table.path, 0)];
    }
    if (!Array.isArray(found)) {
      this.report("TYPE", table.path, `${table.path} must be a table`, `Write [[${table.path}]]`);
      return [];
    }
    return found.flatMap((item: unknown, index) => {
      const path = `${table.path}#${index}`;
      if (isTable(item)) return [this.loadOne(table, item, path, index)];
      this.report("TYPE", path, `${table.path} must be a list of tables`, `Write [[${table.path}]]`);
      return [];
    });
  }

  private loadOne(table: ConfigTable, given: Toml | undefined, path: string, index: number): LoadedTable {
    const values: Record<string, OptionValue> = Object.create(null);
    const lines = new Map<string, number>();
    for (const option of table.options) {
      if (option.default === undefined) continue;
      const read = readValue(option, option.default);
      if (read.ok) values[option.name] = read.value;
    }
    for (const [name, value] of Object.entries(given ?? {})) {
      const at = `${path}.${name}`;
      const option = optionNamed(table, name);
      if (option) this.take(option, name, value, at, values, lines);
      else if (!isTable(value) && !this.isSubtable(table, name)) this.unknownOption(table, name, at);
    }
    const line = positionOf(this.positions, path)?.line;
    return { table, index, present: given !== undefined, line, values, lines };
  }

  private isSubtable(table: ConfigTable, name: string): boolean {
    const path = `${table.path}.${name}`;
    return configTables.some((other) => other.path === path) || unsupportedTables[path] !== undefined;
  }

  private take(
    option: ConfigOption,
    name: string,
    value: unknown,
    at: string,
    values: Record<string, OptionValue>,
    lines: Map<string, number>,
  ): void {
    if (lines.has(option.name)) {
      this.report("TWICE", at, `${option.name} is given twice, once as ${name}`, "Remove one of the two");
      return;
    }
    lines.set(option.name, positionOf(this.positions, at)?.line ?? 1);
    const read = readValue(option, value);
    if (!read.ok) {
      this.report("VALUE", at, read.what, read.cure);
      return;
    }
    values[option.name] = read.value;
    if (option.unused === undefined) return;
    this.report("UNUSED", at, `${option.name} has no effect: ${option.unused}`, "Remove the line", "warning");
  }

  private unknownOption(table: ConfigTable, name: string, at: string): void {
    const what = `${heading(table.path)} has no option ${name}`;
    const names = table.options.flatMap((option) => [option.name, ...(option.aliases ?? [])]);
    const elsewhere = configTables.find((other) => other !== table && optionNamed(other, name));
    const guess = nearest(name, names);
    const cure = elsewhere
      ? `It belongs in ${heading(elsewhere.path)}`
      : guess !== undefined
        ? `Did you mean ${guess}?`
        : `See the options in conf/hactl.toml, or remove the line`;
    this.report("UNKNOWN_OPTION", at, what, cure);
  }
}

/** `[totem]` or `[[nodelist.node]]`. */
export function heading(path: string): string {
  const repeated = configTables.find((table) => table.path === path)?.repeated;
  return repeated ? `[[${path}]]` : `[${path}]`;
}

import { nearest } from "../../terms/index.ts";
import { parseScore } from "../values.ts";
import { element, type XmlElement } from "../xml.ts";
import { quoteValue } from "./lexer.ts";
import type { Reader } from "./reader.ts";
import { formatRule, readRule, shortScore } from "./rules-text.ts";

/** Reads a block of name-value pairs up to one of the stop words or the end, behind its keyword. */
export function readBlock(reader: Reader, name: string, stops: ReadonlySet<string>): XmlElement {
  const block = element(name);
  readBlockInto(reader, block, stops);
  return block;
}

/** The same into a block that is there already. */
export function readBlockInto(reader: Reader, block: XmlElement, stops: ReadonlySet<string>): void {
  const option = reader.takeOption("$id", "$id-ref");
  if (option) block.attributes.set(option.name.slice(1), option.value);
  if (option?.name === "$id-ref") return;
  const score = reader.takeScore();
  if (score !== undefined) block.attributes.set("score", score);
  while (reader.takeWord("rule") !== undefined) block.children.push(readRule(reader));
  while (!reader.atEnd && !atStop(reader, stops)) block.children.push(readPair(reader, stops));
}

/** Whether a stop word is next. */
export const atStop = (reader: Reader, stops: ReadonlySet<string>): boolean =>
  stops.has(reader.wordAhead() ?? "");

/** `name=value`, `name`, `$id:name=value`, `@id`, `@id:name`. */
function readPair(reader: Reader, stops: ReadonlySet<string>): XmlElement {
  const token = reader.take("a parameter");
  const { text } = token;
  if (text.startsWith("@")) {
    const [reference = "", name] = splitAt(text.slice(1), ":");
    if (reference === "") throw reader.fail("the reference has no id", "write @ID or @ID:NAME", token);
    return element("nvpair", { "id-ref": reference, name });
  }
  const labelled = /^\$([^:=]+):(.*)$/s.exec(text);
  const [name = "", value] = splitAt(labelled?.[2] ?? text, "=");
  if (name === "" || /[\s:]$/.test(name))
    throw reader.fail(
      `"${text}" is no parameter`,
      "write NAME=VALUE; put a value with blanks in quotes",
      token,
    );
  if (text === "#" && !token.quoted)
    throw reader.fail(
      '"#" begins a comment only at the beginning of a line',
      "give it a line of its own",
      token,
    );
  if (name === "$id" || name === "$id-ref")
    throw reader.fail(`"${name}" comes too late`, `write ${name}=… before all values of the block`, token);
  if (value === undefined && !token.quoted && name.includes(":"))
    throw reader.fail(`"${text}" is no parameter`, "write NAME=VALUE", token);
  if (value === undefined && !token.quoted) {
    const near = nearest(name, stops);
    if (near !== undefined)
      throw reader.fail(`unknown keyword "${name}"`, `did you mean "${near}"? else write ${name}=""`, token);
  }
  return element("nvpair", { id: labelled?.[1], name, value });
}

function splitAt(text: string, separator: string): [string, string | undefined] {
  const position = text.indexOf(separator);
  return position < 0 ? [text, undefined] : [text.slice(0, position), text.slice(position + 1)];
}

/** Words of a block: id when it is referred to, score, rules, pairs. */
export function formatBlock(block: XmlElement, referenced: ReadonlySet<string>): string[] {
  const reference = block.attributes.get("id-ref");
  if (reference !== undefined) return [`$id-ref=${quoteValue(reference)}`];
  const words: string[] = [];
  const id = block.attributes.get("id");
  if (id !== undefined && referenced.has(id)) words.push(`$id=${quoteValue(id)}`);
  const score = parseScore(block.attributes.get("score"));
  if (score !== undefined) words.push(`${shortScore(score)}:`);
  return [...words, ...formatPairs(block, referenced)];
}

/** Rules and pairs of a block. */
export function formatPairs(block: XmlElement, referenced: ReadonlySet<string>): string[] {
  const rules = block.children
    .filter(({ name }) => name === "rule")
    .map((rule) => formatRule(rule, referenced));
  const pairs = block.children
    .filter(({ name }) => name === "nvpair")
    .map((pair) => formatPair(pair, referenced));
  return [...rules, ...pairs];
}

function formatPair({ attributes }: XmlElement, referenced: ReadonlySet<string>): string {
  const name = attributes.get("name");
  const reference = attributes.get("id-ref");
  if (reference !== undefined) return `@${reference}${name === undefined ? "" : `:${name}`}`;
  const id = attributes.get("id");
  const label = id !== undefined && referenced.has(id) ? `$${id}:` : "";
  const value = attributes.get("value");
  return `${label}${name ?? ""}${value === undefined ? "" : `=${quoteValue(value)}`}`;
}

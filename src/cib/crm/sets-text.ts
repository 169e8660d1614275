import { lookup } from "../../terms/index.ts";
import { parseBoolean } from "../values.ts";
import { element, type XmlElement } from "../xml.ts";
import { quoteValue, type Token } from "./lexer.ts";
import { type Reader, readRole } from "./reader.ts";

/** What may stand behind a resource in a constraint: a role or an action. */
export type Suffix = "role" | "action";

const actions = ["start", "stop", "promote", "demote"];
const closing: Readonly<Record<string, string>> = lookup({ "(": ")", "[": "]" });

interface Item {
  readonly rsc: string;
  readonly suffix: string | undefined;
}

/** Sets of a constraint; or, when it is just resources without brackets, those. */
export interface ReadSets {
  readonly plain: readonly Item[] | undefined;
  readonly sets: readonly XmlElement[];
}

/**
 * Reads resources and sets: a bare run is a set in sequence, `( )` one without, `[ ]` one of which any will do
 * (`require-all=false`). A bare run with different roles or actions makes a set of each stretch. Ends at `end`
 * or before an option that `isOption` knows.
 */
export function readSets(reader: Reader, suffix: Suffix, end: (token: Token) => boolean): ReadSets {
  const sets: XmlElement[] = [];
  const items: Item[] = [];
  let bracketed = false;
  let open: XmlElement | undefined;
  reader.partBrackets(end);
  for (let token = reader.peek(); token !== undefined && !end(token); token = reader.peek()) {
    const close = token.quoted ? undefined : closing[token.text];
    if (close !== undefined) {
      reader.skip();
      sets.push(readBracketed(reader, suffix, token, close));
      bracketed = true;
      open = undefined;
      continue;
    }
    if (token.text === ")" || token.text === "]")
      throw reader.fail(`"${token.text}" closes what was not opened`, "take it out, or open the set", token);
    const option = reader.takeOption("sequential", "require-all", suffix);
    if (option !== undefined) {
      if (open === undefined)
        throw reader.fail(`"${token.text}" is not within a set`, "put it behind a resource", token);
      setOption(reader, open, option, suffix, token);
      bracketed = true;
      continue;
    }
    const item = readItem(reader, suffix);
    items.push(item);
    if (open === undefined || open.attributes.get(suffix) !== item.suffix) {
      open = element("resource_set", { [suffix]: item.suffix });
      sets.push(open);
    }
    open.children.push(element("resource_ref", { id: item.rsc }));
  }
  return { plain: bracketed ? undefined : items, sets };
}

function readItem(reader: Reader, suffix: Suffix): Item {
  const token = reader.take("a resource");
  const match = /^([^\s:=/]+)(?::(\S+))?$/.exec(token.text);
  if (!match)
    throw reader.fail(
      `"${token.text}" is no resource`,
      "name a resource, perhaps with :ROLE or :ACTION",
      token,
    );
  const word = match[2];
  if (word === undefined) return { rsc: match[1] ?? "", suffix: undefined };
  if (suffix === "role") return { rsc: match[1] ?? "", suffix: readRole(reader, word, token) };
  const action = actions.find((known) => known === word.toLowerCase());
  if (action === undefined) throw reader.unknown("action", { ...token, text: word }, actions);
  return { rsc: match[1] ?? "", suffix: action };
}

function readBracketed(reader: Reader, suffix: Suffix, opening: Token, close: string): XmlElement {
  const set = element("resource_set", close === "]" ? { "require-all": "false" } : {});
  set.attributes.set("sequential", "false");
  let first = true;
  for (;;) {
    const token = reader.peek();
    if (token === undefined)
      throw reader.fail(
        `the set that begins with "${opening.text}" is not closed`,
        `add "${close}"`,
        opening,
      );
    if (!token.quoted && token.text === close) break;
    const option = reader.takeOption("sequential", "require-all", suffix);
    if (option !== undefined) setOption(reader, set, option, suffix, token);
    else {
      const item = readItem(reader, suffix);
      if (!first && item.suffix !== set.attributes.get(suffix))
        throw reader.fail(`the resources of a set have one ${suffix}`, "split the set in two", token);
      if (item.suffix !== undefined) set.attributes.set(suffix, item.suffix);
      set.children.push(element("resource_ref", { id: item.rsc }));
      first = false;
    }
  }
  reader.skip();
  if (set.children.length === 0) throw reader.fail("the set is empty", "name its resources", opening);
  return set;
}

/** A role or an action, or a flag; a flag that says what holds anyway is left out. */
function setOption(
  reader: Reader,
  set: XmlElement,
  option: { name: string; value: string },
  suffix: Suffix,
  token: Token,
): void {
  if (option.name === suffix) {
    set.attributes.set(suffix, suffix === "role" ? readRole(reader, option.value, token) : option.value);
    return;
  }
  const value = parseBoolean(option.value);
  if (value === undefined)
    throw reader.fail(`"${option.value}" is neither true nor false`, "write true or false", token);
  if (value) set.attributes.delete(option.name);
  else set.attributes.set(option.name, "false");
}

/** Writes sets, bare where they are in sequence and parted from the one before. */
export function formatSets(sets: readonly XmlElement[], suffix: Suffix): string {
  let bareBefore: string | undefined;
  const texts = sets.map((set) => {
    const word = set.attributes.get(suffix);
    const members = set.children.map(
      (item) => `${item.attributes.get("id") ?? ""}${word === undefined ? "" : `:${word}`}`,
    );
    const sequential = parseBoolean(set.attributes.get("sequential")) ?? true;
    const all = parseBoolean(set.attributes.get("require-all")) ?? true;
    const bare = sequential && all && bareBefore !== (word ?? "");
    bareBefore = bare ? (word ?? "") : undefined;
    if (bare) return members.join(" ");
    const inner = [...members, ...(sequential ? ["sequential=true"] : [])].join(" ");
    return all ? `( ${inner} )` : `[ ${inner} ]`;
  });
  return texts.join(" ");
}

/** `NAME=value` of those attributes that are there. */
export function formatOptions(source: XmlElement, ...names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = source.attributes.get(name);
    return value === undefined ? [] : [`${name}=${quoteValue(value)}`];
  });
}

import { element, type XmlElement } from "../xml.ts";
import type { Token } from "./lexer.ts";
import type { CrmObject } from "./objects.ts";
import { readId } from "./read-resources.ts";
import { type Reader, readRole, scoreOf } from "./reader.ts";
import { readRule } from "./rules-text.ts";
import { type ReadSets, readSets, type Suffix } from "./sets-text.ts";

const object = (reader: Reader, constraint: XmlElement): CrmObject => ({
  keyword: reader.keyword === "collocation" ? "colocation" : reader.keyword,
  line: reader.line,
  section: "constraints",
  element: constraint,
});

/** `location`. */
export function readLocation(reader: Reader): CrmObject {
  const constraint = element("rsc_location", { id: readId(reader, "constraint") });
  readLocated(reader, constraint);
  readLocationOptions(reader, constraint, "role", "$role", "resource-discovery");
  if (reader.wordAhead() === "rule") {
    while (reader.takeWord("rule") !== undefined) constraint.children.push(readRule(reader));
  } else {
    const score = reader.takeScore();
    if (score === undefined) {
      const token = reader.take("SCORE: NODE, or a rule");
      throw reader.fail(
        `"${token.text}" is neither a score nor a rule`,
        "write SCORE: NODE, or rule SCORE: CONDITION",
        token,
      );
    }
    constraint.attributes.set("score", score);
    constraint.attributes.set("node", reader.take("a node").text);
    // Where the role stood before.
    if (!constraint.attributes.has("role")) readLocationOptions(reader, constraint, "role", "$role");
  }
  return object(reader, constraint);
}

function readLocationOptions(reader: Reader, constraint: XmlElement, ...names: readonly string[]): void {
  for (;;) {
    const token = reader.peek();
    const option = reader.takeOption(...names);
    if (option === undefined) return;
    const name = option.name.replace("$", "");
    constraint.attributes.set(name, name === "role" ? readRole(reader, option.value, token) : option.value);
  }
}

/** A resource, `/PATTERN/`, or `{ resources and sets }`. */
function readLocated(reader: Reader, constraint: XmlElement): void {
  const token = reader.take("a resource, /PATTERN/ or { … }");
  const pattern = /^\/(.+)\/$/s.exec(token.text);
  if (pattern) constraint.attributes.set("rsc-pattern", pattern[1] ?? "");
  else if (token.text === "{" && !token.quoted) {
    const { sets } = readSets(reader, "role", ({ text, quoted }) => text === "}" && !quoted);
    if (reader.peek() === undefined)
      throw reader.fail(`the resources that begin with "{" are not closed`, 'add "}"', token);
    if (sets.length === 0) throw reader.fail("no resource is named", "name one between { and }");
    reader.skip();
    constraint.children.push(...sets);
  } else if (/^[\w.-]+$/.test(token.text)) constraint.attributes.set("rsc", token.text);
  else throw reader.fail(`"${token.text}" is no resource`, "name a resource, /PATTERN/ or { … }", token);
}

/** `colocation`: the first follows the second. */
export function readColocation(reader: Reader): CrmObject {
  const constraint = element("rsc_colocation", { id: readId(reader, "constraint") });
  const score = reader.takeScore();
  if (score === undefined) throw needsScore(reader, "write a score with a colon, such as inf:");
  constraint.attributes.set("score", score);
  const sets = readSets(reader, "role", ({ text }) => text.startsWith("node-attribute="));
  readOptions(reader, constraint, "node-attribute");
  const [dependent, primary] = simplePair(reader, sets) ?? [];
  if (dependent === undefined || primary === undefined) constraint.children.push(...sets.sets);
  else {
    setMember(constraint, "rsc", "rsc-role", dependent);
    setMember(constraint, "with-rsc", "with-rsc-role", primary);
  }
  return object(reader, constraint);
}

const kinds = ["Mandatory", "Optional", "Serialize"];

/** `order`. A score in place of the kind is an old form: 0 is Optional. */
export function readOrder(reader: Reader): CrmObject {
  const constraint = element("rsc_order", { id: readId(reader, "constraint") });
  const token = reader.peek();
  if (token?.text.endsWith(":")) {
    reader.skip();
    constraint.attributes.set("kind", readKind(reader, token));
  }
  const sets = readSets(reader, "action", ({ text }) => text.startsWith("symmetrical="));
  readOptions(reader, constraint, "symmetrical");
  const [first, then] = simplePair(reader, sets) ?? [];
  if (first === undefined || then === undefined) constraint.children.push(...sets.sets);
  else {
    setMember(constraint, "first", "first-action", first);
    setMember(constraint, "then", "then-action", then);
  }
  return object(reader, constraint);
}

function readKind(reader: Reader, token: Token): string {
  const word = token.text.slice(0, -1);
  const kind = kinds.find((known) => known.toLowerCase() === word.toLowerCase());
  if (kind !== undefined) return kind;
  const score = scoreOf(word);
  if (score === undefined) throw reader.unknown("kind of order", token, kinds);
  return score === 0 ? "Optional" : "Mandatory";
}

/** `rsc_ticket`. */
export function readTicket(reader: Reader): CrmObject {
  const id = readId(reader, "constraint");
  const token = reader.take("a ticket with a colon");
  if (!/^.+:$/.test(token.text)) throw reader.fail(`"${token.text}" lacks its colon`, "write TICKET:", token);
  const constraint = element("rsc_ticket", { id, ticket: token.text.slice(0, -1) });
  const sets = readSets(reader, "role", ({ text }) => text.startsWith("loss-policy="));
  readOptions(reader, constraint, "loss-policy");
  const [only, second] = sets.plain ?? [];
  if (only !== undefined && second === undefined) setMember(constraint, "rsc", "rsc-role", only);
  else constraint.children.push(...sets.sets);
  if (sets.sets.length === 0)
    throw reader.fail("no resource is named", "name the resources that depend on the ticket");
  return object(reader, constraint);
}

/** The two resources of a constraint without sets. */
function simplePair(reader: Reader, { plain, sets }: ReadSets): ReadSets["plain"] {
  if (plain === undefined) return undefined;
  if (plain.length < 2 || sets.length === 0)
    throw reader.fail(`"${reader.keyword}" needs two resources`, "name them behind the score");
  return plain.length === 2 ? plain : undefined;
}

function setMember(
  constraint: XmlElement,
  name: string,
  suffixName: `${string}${Suffix}`,
  item: { readonly rsc: string; readonly suffix: string | undefined },
): void {
  constraint.attributes.set(name, item.rsc);
  if (item.suffix !== undefined) constraint.attributes.set(suffixName, item.suffix);
}

function readOptions(reader: Reader, constraint: XmlElement, ...names: readonly string[]): void {
  while (!reader.atEnd) {
    const option = reader.takeOption(...names);
    if (option === undefined) throw reader.unknown("option", reader.take("an option"), names);
    constraint.attributes.set(option.name, option.value);
  }
}

function needsScore(reader: Reader, cure: string) {
  return reader.fail(`"${reader.keyword}" lacks its score`, cure);
}

import { INFINITY } from "../../terms/index.ts";
import { dateSpecFields, durationFields } from "../schema.ts";
import { parseScore } from "../values.ts";
import { element, type XmlElement } from "../xml.ts";
import { quoteValue, type Token } from "./lexer.ts";
import { type Reader, readRole } from "./reader.ts";

const operations = ["lt", "gt", "lte", "gte", "eq", "ne"];
const types = ["string", "number", "integer", "version"];

/** Reads one rule, behind its keyword. Without a score it has INFINITY. */
export function readRule(reader: Reader): XmlElement {
  const rule = element("rule");
  for (;;) {
    const token = reader.peek();
    const option = reader.takeOption("$id", "id", "$id-ref", "id-ref", "$role", "role");
    if (option === undefined) break;
    const name = option.name.replace("$", "");
    rule.attributes.set(name, name === "role" ? readRole(reader, option.value, token) : option.value);
  }
  if (rule.attributes.has("id-ref")) return rule;
  readRuleScore(reader, rule);
  let operator: string | undefined;
  for (;;) {
    rule.children.push(readExpression(reader));
    const token = reader.peek();
    const word = reader.takeWord("and", "or");
    if (word === undefined) break;
    if (operator !== undefined && operator !== word) throw mixedOperators(reader, token);
    operator = word;
  }
  if (operator === "or") rule.attributes.set("boolean-op", "or");
  return rule;
}

const mixedOperators = (reader: Reader, token: Token | undefined) =>
  reader.fail(
    `a rule cannot have both "and" and "or"`,
    "write two rules, or nest them with the xml statement",
    token,
  );

function readRuleScore(reader: Reader, rule: XmlElement): void {
  const score = reader.takeScore();
  const token = reader.peek();
  if (score !== undefined) rule.attributes.set("score", score);
  else if (token !== undefined && !token.quoted && /^[^:=]+:$/.test(token.text)) {
    reader.skip();
    rule.attributes.set("score-attribute", token.text.slice(0, -1));
  } else rule.attributes.set("score", "INFINITY");
}

function readExpression(reader: Reader): XmlElement {
  if (reader.wordAhead() === "date" && !isComparison(reader.peek(1))) {
    reader.skip();
    return readDate(reader);
  }
  const unary = reader.takeWord("defined", "not_defined");
  if (unary !== undefined) {
    const attribute = reader.take("the name of a node attribute").text;
    return element("expression", { operation: unary, attribute });
  }
  const attribute = reader.take("a condition (NAME eq VALUE, defined NAME, date …)");
  const comparison = reader.take("a comparison (eq, ne, lt, gt, lte, gte)");
  const [type, operation] = splitComparison(comparison.text);
  if (!operations.includes(operation)) throw reader.unknown("comparison", comparison, operations);
  if (type !== undefined && !types.includes(type)) throw reader.unknown("type", comparison, types);
  const { text } = reader.take("a value");
  const [, source, value = text] = valueSource.exec(text) ?? [];
  return element("expression", { operation, attribute: attribute.text, type, value, "value-source": source });
}

/** A parameter or meta attribute of the resource that the rule is for, in the place of a value. */
const valueSource = /^(param|meta|literal)\{(\S+)\}$/;

/** Whether `date` is a node attribute's name here. */
const isComparison = (token: Token | undefined) => {
  const [type, operation] = splitComparison(token?.text ?? "");
  return (
    (type !== undefined || ["eq", "ne", "lte", "gte"].includes(operation)) && operations.includes(operation)
  );
};

function splitComparison(text: string): [type: string | undefined, operation: string] {
  const folded = text.toLowerCase();
  const colon = folded.indexOf(":");
  return colon < 0 ? [undefined, folded] : [folded.slice(0, colon), folded.slice(colon + 1)];
}

function readDate(reader: Reader): XmlElement {
  const token = reader.take("lt, gt, in or spec");
  switch (token.text.toLowerCase()) {
    case "lt":
      return element("date_expression", { operation: "lt", end: readTimeValue(reader, "end") });
    case "gt":
      return element("date_expression", { operation: "gt", start: readTimeValue(reader, "start") });
    case "in":
    case "in_range": {
      const expression = element("date_expression", { operation: "in_range" });
      for (let option = takeBound(reader); option; option = takeBound(reader))
        expression.attributes.set(option.name, option.value);
      const duration = element("duration", readFields(reader, durationFields));
      if (duration.attributes.size > 0) expression.children.push(duration);
      if (expression.attributes.size + expression.children.length < 2)
        throw reader.fail(
          "a range of dates needs a start or an end",
          "write date in start=TIME end=TIME",
          token,
        );
      return expression;
    }
    case "spec":
    case "date_spec": {
      const fields = readFields(reader, dateSpecFields);
      if (Object.keys(fields).length === 0)
        throw reader.fail(
          "a date specification needs a field",
          `fields are ${dateSpecFields.join(", ")}`,
          token,
        );
      return element("date_expression", { operation: "date_spec" }, [element("date_spec", fields)]);
    }
    default:
      throw reader.unknown("condition on the date", token, ["lt", "gt", "in", "spec"]);
  }
}

const takeBound = (reader: Reader) => reader.takeOption("start", "end");

function readTimeValue(reader: Reader, name: string): string {
  return reader.takeOption(name)?.value ?? reader.take("a date").text;
}

function readFields(reader: Reader, names: readonly string[]): Record<string, string> {
  const fields = new Map<string, string>();
  const known = [...names, ...(names.includes("yeardays") ? ["yearsdays"] : [])];
  for (let option = reader.takeOption(...known); option; option = reader.takeOption(...known))
    // The crm shell knows the field under this name only, the schema under the other.
    fields.set(option.name === "yearsdays" ? "yeardays" : option.name, option.value);
  return Object.fromEntries(fields);
}

/** Writes a rule, with its keyword. Its id only when it is referred to. Not every rule can be written; see `formatCrm`. */
export function formatRule(rule: XmlElement, referenced: ReadonlySet<string>): string {
  const { attributes } = rule;
  const words = ["rule"];
  const reference = attributes.get("id-ref");
  if (reference !== undefined) return `rule $id-ref=${quoteValue(reference)}`;
  const id = attributes.get("id");
  if (id !== undefined && referenced.has(id)) words.push(`$id=${quoteValue(id)}`);
  const role = attributes.get("role");
  if (role !== undefined) words.push(`$role=${quoteValue(role)}`);
  const scoreAttribute = attributes.get("score-attribute");
  const score = parseScore(attributes.get("score"));
  if (scoreAttribute !== undefined) words.push(`${scoreAttribute}:`);
  else if (score !== undefined && score !== INFINITY) words.push(`${shortScore(score)}:`);
  const operator = attributes.get("boolean-op") === "or" ? " or " : " and ";
  return `${words.join(" ")} ${rule.children.map(formatExpression).join(operator)}`;
}

/** A score as the crm shell writes it. */
export function shortScore(score: number): string {
  return score >= INFINITY ? "inf" : score <= -INFINITY ? "-inf" : String(score);
}

function formatExpression(expression: XmlElement): string {
  const { attributes } = expression;
  const get = (name: string) => attributes.get(name) ?? "";
  if (expression.name === "date_expression") return formatDate(expression);
  const operation = get("operation");
  if (operation === "defined" || operation === "not_defined") return `${operation} ${get("attribute")}`;
  const type = attributes.get("type");
  const prefix = type === undefined ? "" : `${type}:`;
  const source = attributes.get("value-source") ?? "literal";
  const value = source === "literal" ? get("value") : `${source}{${get("value")}}`;
  return `${get("attribute")} ${prefix}${operation} ${valueSource.test(value) ? value : quoteValue(value)}`;
}

function formatDate(expression: XmlElement): string {
  const { attributes, children } = expression;
  const fields = (source: { attributes: ReadonlyMap<string, string> } | undefined) =>
    [...(source?.attributes ?? [])]
      .filter(([name]) => name !== "id" && name !== "operation")
      .map(([name, value]) => `${name}=${quoteValue(value)}`);
  switch (attributes.get("operation")) {
    case "lt":
      return `date lt ${quoteValue(attributes.get("end") ?? "")}`;
    case "gt":
      return `date gt ${quoteValue(attributes.get("start") ?? "")}`;
    case "date_spec":
      return ["date spec", ...fields(children[0])].join(" ");
    default:
      return ["date in", ...fields(expression), ...fields(children[0])].join(" ");
  }
}

import { lookup } from "../terms/index.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { dateSpecFields, durationFields } from "./schema.ts";
import { parseTime } from "./time.ts";
import { parseInteger } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** Parts of rules that say nothing, or can never hold: they are accepted, and the rule is not what it seems to be. */
export function findRuleProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const visit = (source: XmlElement) => {
    if (source.name === "expression") problems.push(...checkExpression(source));
    if (source.name === "date_expression") problems.push(...checkDate(source));
    source.children.forEach(visit);
  };
  visit(configuration);
  for (const section of configuration.children) problems.push(...checkPlaces(section));
  for (const location of childrenOf(child(configuration, "constraints"), "rsc_location"))
    problems.push(...childrenOf(location, "rule").flatMap(checkScore));
  return problems;
}

const warn = (source: XmlElement, code: string, text: string, cure: string): CibProblem[] => [
  problemAt(source, "warning", code, text, cure),
];

const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";

/** Where it holds, a rule of a location gives its score: without one nothing follows from it. */
function checkScore(rule: XmlElement): CibProblem[] {
  const { attributes } = rule;
  if (["id-ref", "score", "score-attribute"].some((name) => attributes.has(name))) return [];
  const text = `the rule "${idOf(rule)}" of a location has no score: it counts 0, and nothing follows from it`;
  return [problemAt(rule, "error", "NO_SCORE", text, 'add score="…" or score-attribute="…"')];
}

/** Sections whose rules are looked at for no node, so that none of its attributes is defined there (Pacemaker Explained, "Rules"). */
const withoutNode: ReadonlySet<string> = new Set(["crm_config", "rsc_defaults", "op_defaults"]);

/** Conditions that ask about what is not looked at where they stand. */
const blind: Readonly<Record<string, readonly string[]>> = lookup({
  rsc_expression: ["crm_config", "nodes", "constraints", "fencing-topology"],
  op_expression: ["crm_config", "nodes", "constraints", "fencing-topology", "rsc_defaults"],
});

/** Agents can be asked about in defaults and where a resource is, operations in their defaults and where one is. */
function checkPlaces(section: XmlElement): CibProblem[] {
  const visit = (source: XmlElement): CibProblem[] => {
    const inner = source.children.flatMap(visit);
    if (source.name === "expression" && withoutNode.has(section.name)) {
      const asked = source.attributes.get("attribute") ?? "";
      const text = `the expression "${idOf(source)}" asks for the node attribute "${asked}"; in <${section.name}> no node is looked at, and none is defined`;
      const cure = "remove it, or put the rule where a resource is";
      return [...inner, ...warn(source, "NO_NODE", text, cure)];
    }
    if (!blind[source.name]?.includes(section.name)) return inner;
    const about = source.name === "rsc_expression" ? "agent" : "operation";
    const text = `the expression "${idOf(source)}" asks for an ${about}; in <${section.name}> there is none, and it never holds`;
    return [...inner, ...warn(source, "NEVER_HOLDS", text, "remove it, or put the rule into defaults")];
  };
  return visit(section);
}

const unary = new Set(["defined", "not_defined"]);
const ordered = new Set(["lt", "lte", "gt", "gte"]);

function checkExpression(source: XmlElement): CibProblem[] {
  const { attributes } = source;
  const what = `the expression "${idOf(source)}"`;
  const value = attributes.get("value");
  const operation = attributes.get("operation")?.toLowerCase() ?? "";
  if (attributes.has("id-ref") || operation === "") return [];
  if (unary.has(operation))
    return value === undefined
      ? []
      : warn(
          source,
          "UNUSED_OPTION",
          `value="${value}" of ${what} has no effect: "${operation}" compares nothing`,
          "remove it",
        );
  if (value === undefined)
    return warn(
      source,
      "NEVER_HOLDS",
      `${what} compares with no value and never holds`,
      'add value="…", or use defined or not_defined',
    );
  const literal = (attributes.get("value-source") ?? "literal") === "literal" && !/%\d/.test(value);
  const kind = literal ? wrongKind(attributes, operation, value) : undefined;
  if (kind === undefined) return [];
  const counted = parseInteger(value);
  const effect =
    kind === "version" || counted === undefined ? "it is compared as text" : `it counts ${counted}`;
  const text = `value="${value}" of ${what} is no ${kind}: ${effect}`;
  return warn(source, "BAD_VALUE", text, `write a ${kind}, or type="string"`);
}

const kinds: Readonly<Record<string, readonly [kind: string, pattern: RegExp]>> = lookup({
  integer: ["whole number", /^\s*[+-]?\d+\s*$/],
  number: ["number", /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i],
  version: ["version", /\d/],
});

/** What a value should be by its type and is not; a comparison without a type that asks for more or less is one of numbers. */
function wrongKind(
  attributes: ReadonlyMap<string, string>,
  operation: string,
  value: string,
): string | undefined {
  const own = attributes.get("attribute") ?? "";
  const guessed = ordered.has(operation) && !own.startsWith("#") ? "number" : "string";
  const [kind, pattern] = kinds[attributes.get("type")?.toLowerCase() ?? guessed] ?? [];
  return pattern === undefined || pattern.test(value) ? undefined : kind;
}

/** What counts beside each operation. */
const partsOf: Readonly<Record<string, readonly string[]>> = lookup({
  gt: ["start"],
  lt: ["end"],
  in_range: ["start", "end", "duration"],
  date_spec: ["date_spec"],
});

function checkDate(source: XmlElement): CibProblem[] {
  const { attributes } = source;
  const what = `the condition on the date "${idOf(source)}"`;
  const operation = attributes.get("operation")?.toLowerCase() ?? "in_range";
  const counts = partsOf[operation];
  if (attributes.has("id-ref") || counts === undefined) return [];
  const given = ["start", "end"].filter((name) => attributes.has(name));
  const inner = ["duration", "date_spec"].filter((name) => child(source, name));
  const problems = [...given, ...inner]
    .filter((name) => !counts.includes(name))
    .flatMap((name) =>
      warn(
        source,
        "UNUSED_OPTION",
        `${name} of ${what} has no effect: "${operation}" does not look at it`,
        "remove it",
      ),
    );
  if (operation === "in_range") problems.push(...checkRange(source, what));
  if (operation === "date_spec") problems.push(...childrenOf(source, "date_spec").flatMap(checkDateSpec));
  return problems;
}

function checkRange(source: XmlElement, what: string): CibProblem[] {
  const [startText, endText] = [source.attributes.get("start"), source.attributes.get("end")];
  const duration = child(source, "duration");
  const problems = duration ? checkDuration(duration, what) : [];
  if (duration && (startText === undefined || endText !== undefined)) {
    const why = startText === undefined ? "there is no start that it is counted from" : "the end is given";
    problems.push(...warn(source, "UNUSED_OPTION", `duration of ${what} has no effect: ${why}`, "remove it"));
  }
  const start = startText === undefined ? undefined : parseTime(startText);
  const end = endText === undefined ? undefined : parseTime(endText);
  if (start !== undefined && end !== undefined && end < start) {
    const text = `${what} ends (${endText}) before it begins (${startText}) and never holds`;
    problems.push(...warn(source, "NEVER_HOLDS", text, "correct start or end"));
  }
  return problems;
}

function checkDuration(duration: XmlElement, what: string): CibProblem[] {
  const given = durationFields.filter((name) => duration.attributes.has(name));
  const wrong = given.filter((name) => !/^\s*[+-]?\d+\s*$/.test(duration.attributes.get(name) ?? ""));
  const counted = given.some((name) => (parseInteger(duration.attributes.get(name)) ?? 0) !== 0);
  if (wrong.length === 0 && !counted && !duration.attributes.has("id-ref"))
    return warn(
      duration,
      "BAD_VALUE",
      `the duration of ${what} is none: it holds for one second`,
      'write hours="…"',
    );
  return wrong.flatMap((name) => {
    const value = duration.attributes.get(name) ?? "";
    const text = `${name}="${value}" of the duration of ${what} is no whole number: it counts ${parseInteger(value) ?? 0}`;
    return warn(duration, "BAD_VALUE", text, "write a whole number");
  });
}

/** What each part of a date can be (ISO 8601: weeks begin with Monday, which is 1). */
const bounds: Readonly<Record<string, readonly [low: number, high: number]>> = lookup({
  seconds: [0, 59],
  minutes: [0, 59],
  hours: [0, 23],
  monthdays: [1, 31],
  weekdays: [1, 7],
  yeardays: [1, 366],
  months: [1, 12],
  weeks: [1, 53],
});

function checkDateSpec(spec: XmlElement): CibProblem[] {
  const fields = dateSpecFields.filter((name) => spec.attributes.has(name));
  const what = `the date specification "${idOf(spec)}"`;
  if (spec.attributes.has("id-ref")) return [];
  if (fields.length === 0)
    return warn(
      spec,
      "BAD_VALUE",
      `${what} names no part of the date and always holds`,
      'write hours="9-16" …',
    );
  return fields.flatMap((name) => checkField(spec, name, spec.attributes.get(name) ?? "", what));
}

function checkField(spec: XmlElement, name: string, value: string, what: string): CibProblem[] {
  if (name === "moon")
    return warn(
      spec,
      "UNUSED_OPTION",
      `moon="${value}" of ${what} has no effect: the phase of the moon is not looked at`,
      "remove it",
    );
  const match = /^\s*(\d*)\s*(-?)\s*(\d*)\s*$/.exec(value);
  if (!match || `${match[1]}${match[3]}` === "") return [];
  const first = match[1] === "" ? undefined : Number(match[1]);
  const last = match[2] === "" ? first : match[3] === "" ? undefined : Number(match[3]);
  const [low, high] = bounds[name] ?? [0, Number.POSITIVE_INFINITY];
  const written = `${name}="${value}" of ${what}`;
  const goes = `${name} go from ${low} to ${high}`;
  if (first !== undefined && last !== undefined && first > last)
    return warn(
      spec,
      "NEVER_HOLDS",
      `${written} ends before it begins and never holds`,
      "write two ranges in two rules, or turn it around",
    );
  if ((first ?? low) > high || (last ?? high) < low)
    return warn(
      spec,
      "NEVER_HOLDS",
      `${written} never holds: ${goes}`,
      `write values from ${low} to ${high}`,
    );
  return (first ?? low) < low || (last ?? high) > high
    ? warn(spec, "BAD_VALUE", `${written} holds in part only: ${goes}`, `write values from ${low} to ${high}`)
    : [];
}

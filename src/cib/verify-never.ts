import { type EpochSeconds, nearest } from "../terms/index.ts";
import { datePeriod, happens } from "./date-rules.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { settledPrimitives } from "./settled.ts";
import { parseIntervalMs } from "./time.ts";
import { operationNames } from "./verify-values.ts";
import { childrenOf, type XmlElement } from "./xml.ts";

/**
 * Conditions that can never hold: by themselves, by what else is asked for, by what resources there are, or since their time is
 * over. @param now without it nothing is over
 */
export function findNeverProblems(configuration: XmlElement, now?: EpochSeconds): CibProblem[] {
  const known = agentsOf(configuration);
  const visit = (source: XmlElement, isTemporary: boolean): CibProblem[] => {
    // Commands make such a constraint for a time, and pass over it afterwards.
    const temporary = isTemporary || (source.name === "rsc_location" && idOf(source).startsWith("cli-"));
    return [
      ...(source.name === "date_expression" ? checkDate(source, now, temporary) : []),
      ...(source.name === "rule" ? checkRule(source) : []),
      ...(source.name === "rsc_expression" ? checkAgent(source, known) : []),
      ...(source.name === "op_expression" ? checkOperation(source, known) : []),
      ...source.children.flatMap((item) => visit(item, temporary)),
    ];
  };
  return visit(configuration, false);
}

const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";

const never = (source: XmlElement, text: string, cure: string): CibProblem =>
  problemAt(source, "warning", "NEVER_HOLDS", text, cure);

function checkDate(source: XmlElement, now: EpochSeconds | undefined, temporary: boolean): CibProblem[] {
  const what = `the condition on the date "${idOf(source)}"`;
  const impossible = childrenOf(source, "date_spec").filter((spec) => !happens(spec));
  if (impossible.length > 0)
    return impossible.map((spec) => {
      const text = `the date specification "${idOf(spec)}" never holds: there is no such day`;
      return never(spec, text, "correct its days, weeks, months or years");
    });
  const to = datePeriod(source)?.to;
  if (now === undefined || to === undefined || to >= now) return [];
  const ended = new Date(to * 1000).toISOString().replace(/T.*/, "");
  const text = `${what} is over for good since ${ended}: it does not hold any more`;
  const cure = temporary
    ? "take the constraint away with 'hactl resource clear'"
    : "remove it, or correct its end";
  return [problemAt(source, temporary ? "info" : "warning", "OVER", text, cure)];
}

/** Of conditions that all have to hold two can exclude each other. */
function checkRule(rule: XmlElement): CibProblem[] {
  if (rule.attributes.get("boolean-op")?.toLowerCase() === "or") return [];
  const what = `the rule "${idOf(rule)}" never holds`;
  const dates = childrenOf(rule, "date_expression").flatMap((source) => {
    const period = datePeriod(source);
    return period ? [{ source, from: period.from ?? -Infinity, to: period.to ?? Infinity }] : [];
  });
  for (const [at, one] of dates.entries())
    for (const other of dates.slice(at + 1)) {
      // One that is empty by itself is told there.
      if (one.from > one.to || other.from > other.to) continue;
      if (Math.max(one.from, other.from) <= Math.min(one.to, other.to)) continue;
      const text = `${what}: "${idOf(one.source)}" and "${idOf(other.source)}" have no time in common`;
      return [never(rule, text, "correct the times, or write boolean-op=or")];
    }
  return checkEqualities(rule, what);
}

function checkEqualities(rule: XmlElement, what: string): CibProblem[] {
  const wanted = new Map<string, string>();
  for (const { attributes } of childrenOf(rule, "expression")) {
    const {
      attribute,
      operation,
      value,
      type = "string",
      "value-source": from = "literal",
    } = Object.fromEntries(attributes);
    if (operation !== "eq" || type !== "string" || from !== "literal") continue;
    if (attribute === undefined || value === undefined || /%\d/.test(value)) continue;
    const other = wanted.get(attribute);
    wanted.set(attribute, value);
    if (other === undefined || other.toLowerCase() === value.toLowerCase()) continue;
    const text = `${what}: ${attribute} cannot be "${other}" and "${value}" at once`;
    return [never(rule, text, "write boolean-op=or, or remove one")];
  }
  return [];
}

const classes = ["ocf", "lsb", "systemd", "service", "stonith"] as const;

interface Known {
  readonly agents: readonly Readonly<Record<string, string | undefined>>[];
  /** Times after which operations recur, by their names. */
  readonly intervals: ReadonlyMap<string, ReadonlySet<number>>;
}

function agentsOf(configuration: XmlElement): Known {
  const primitives = settledPrimitives(configuration);
  const intervals = new Map<string, Set<number>>();
  for (const { attributes } of primitives.flatMap(({ operations }) => operations)) {
    const name = attributes.get("name") ?? "";
    const found = intervals.get(name) ?? new Set<number>();
    intervals.set(name, found.add(parseIntervalMs(attributes.get("interval")) ?? 0));
  }
  return {
    agents: primitives.map(({ xml, template }) => Object.fromEntries((template ?? xml).attributes)),
    intervals,
  };
}

/** An agent is compared by its class, its provider and its type, to the letter. */
function checkAgent(source: XmlElement, { agents }: Known): CibProblem[] {
  const asked = ["class", "provider", "type"].flatMap((name) => {
    const value = source.attributes.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const what = `the expression "${idOf(source)}"`;
  const standard = source.attributes.get("class");
  if (standard !== undefined && !classes.some((one) => one === standard)) {
    const near = nearest(standard, classes);
    const cure = near === undefined ? `write one of ${classes.join(", ")}` : `did you mean "${near}"?`;
    return [never(source, `${what} never holds: no class of agents is called "${standard}"`, cure)];
  }
  const matches = (agent: Known["agents"][number]) => asked.every(([name, value]) => agent[name] === value);
  // That of a class there is none today says little.
  if (asked.every(([name]) => name === "class") || agents.length === 0 || agents.some(matches)) return [];
  const [name, value] = asked.find(([part, word]) => agents.every((agent) => agent[part] !== word)) ?? [];
  const near =
    name === undefined || value === undefined
      ? undefined
      : nearest(value, new Set(agents.flatMap((agent) => agent[name] ?? [])));
  const text = `${what} matches no resource: none is of ${asked.map(([part, word]) => `${part} ${word}`).join(", ")}`;
  const cure = near === undefined ? "correct it, or remove the rule" : `did you mean "${near}"?`;
  return [problemAt(source, "warning", "IN_VAIN", text, cure)];
}

function checkOperation(source: XmlElement, { intervals }: Known): CibProblem[] {
  const name = source.attributes.get("name") ?? "";
  const written = source.attributes.get("interval");
  const what = `the expression "${idOf(source)}"`;
  if (!intervals.has(name) && !operationNames.some((one) => one === name)) {
    const near = nearest(name, operationNames);
    const cure = near === undefined ? "write monitor, start, stop …" : `did you mean "${near}"?`;
    return [never(source, `${what} never holds: no operation is called "${name}"`, cure)];
  }
  if (written === undefined) return [];
  const interval = parseIntervalMs(written);
  if (interval === undefined)
    return [
      never(source, `${what} never holds: interval="${written}" is no time`, "write it as 10s or 1min"),
    ];
  if (interval === 0 || intervals.get(name)?.has(interval) === true || intervals.size === 0) return [];
  const text = `${what} matches no operation: no ${name} recurs after ${written}`;
  return [problemAt(source, "warning", "IN_VAIN", text, "correct its interval, or remove the rule")];
}

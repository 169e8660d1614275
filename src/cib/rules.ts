import type { EpochSeconds, Millis } from "../terms/index.ts";
import { type DateResult, evaluateDateExpression } from "./date-rules.ts";
import { parseIntervalMs } from "./time.ts";
import { compareVersions, parseInteger, parseNumber } from "./values.ts";
import type { XmlElement } from "./xml.ts";

/** What a rule is evaluated against. A part that is absent has no value, so that what asks for it does not hold. */
export interface RuleContext {
  readonly now: EpochSeconds;
  /** Seconds that the clock which shows the parts of a date is ahead of UTC, where that is not this machine's own. */
  readonly utcOffset?: number | undefined;
  /** Whether the time of the next change is looked for, too. Default: yes. */
  readonly looksAhead?: boolean;
  /** Attribute of the node, built-in ones (`#uname`, `#id`, `#kind`, `#site-name`, …) included. */
  readonly nodeAttribute?: (name: string) => string | undefined;
  /** Role that `#role` stands for. */
  readonly role?: string;
  /** Parameter and meta-attribute of the resource, for `value-source`. */
  readonly parameter?: (name: string) => string | undefined;
  readonly meta?: (name: string) => string | undefined;
  /** What the pattern of a location constraint matched: [0] the whole, [1]… the groups; for `%0` … `%9`. */
  readonly matches?: readonly (string | undefined)[];
  readonly agent?: { readonly class: string; readonly provider?: string; readonly type: string };
  readonly operation?: { readonly name: string; readonly intervalMs: Millis };
  /** Finds the rule that an `id-ref` names; without it such a rule is invalid. */
  readonly find?: (id: string) => XmlElement | undefined;
}

/**
 * `passed`, or why not: `before` (not yet in effect), `after` (expired), `unsatisfied`, or `invalid` (the rule
 * cannot be understood and counts as not passed).
 */
export type RuleState = DateResult["state"];

export interface RuleResult {
  readonly passed: boolean;
  readonly state: RuleState;
  /** First second at which the answer can be another only because time goes on. */
  readonly nextChange?: EpochSeconds;
}

const conditionNames = new Set(["expression", "date_expression", "rsc_expression", "op_expression", "rule"]);

/** Whether an element without rules, or with a rule that passes, is in effect. Several rules are alternatives. */
export function evaluateRules(parent: XmlElement, context: RuleContext): RuleResult {
  const rules = parent.children.filter(({ name }) => name === "rule");
  if (rules.length === 0) return { passed: true, state: "passed" };
  return combine(rules, "or", (rule) => evaluateRule(rule, context));
}

/** Evaluates one `<rule>` (Pacemaker Explained, "Rules"). A rule without conditions passes when they are ANDed. */
export function evaluateRule(written: XmlElement, context: RuleContext): RuleResult {
  const reference = written.attributes.get("id-ref");
  const rule = reference === undefined ? written : context.find?.(reference);
  // A reference to a reference could lead back to itself.
  if (rule?.name !== "rule" || rule.attributes.has("id-ref")) return { passed: false, state: "invalid" };
  const operator = rule.attributes.get("boolean-op")?.toLowerCase() ?? "and";
  const conditions = rule.children.filter(({ name }) => conditionNames.has(name));
  // As Pacemaker does, an unknown operator is taken for "and".
  return combine(conditions, operator === "or" ? "or" : "and", (condition) =>
    evaluateCondition(condition, context),
  );
}

/** All parts are asked, since each may know when the answer changes. */
function combine(
  parts: readonly XmlElement[],
  operator: "and" | "or",
  evaluate: (part: XmlElement) => RuleResult,
): RuleResult {
  const results = parts.map(evaluate);
  const failure = results.find(({ passed }) => !passed);
  const passed = operator === "and" ? failure === undefined : results.some((result) => result.passed);
  const state = passed ? "passed" : (failure?.state ?? "unsatisfied");
  const changes = results.map(({ nextChange }) => nextChange).filter((time) => time !== undefined);
  return changes.length === 0 ? { passed, state } : { passed, state, nextChange: Math.min(...changes) };
}

function evaluateCondition(condition: XmlElement, context: RuleContext): RuleResult {
  switch (condition.name) {
    case "rule":
      return evaluateRule(condition, context);
    case "date_expression": {
      const result = evaluateDateExpression(condition, context.now, context.utcOffset, context.looksAhead);
      return { passed: result.state === "passed", ...result };
    }
    case "rsc_expression":
      return answer(matchesAgent(condition, context));
    case "op_expression":
      return answer(matchesOperation(condition, context));
    default:
      return answer(evaluateAttribute(condition, context));
  }
}

function answer(holds: boolean | undefined): RuleResult {
  if (holds === undefined) return { passed: false, state: "invalid" };
  return { passed: holds, state: holds ? "passed" : "unsatisfied" };
}

function matchesAgent(expression: XmlElement, { agent }: RuleContext): boolean {
  if (agent === undefined) return false;
  const matches = (name: string, actual: string | undefined) =>
    !expression.attributes.has(name) || expression.attributes.get(name) === actual;
  return matches("class", agent.class) && matches("provider", agent.provider) && matches("type", agent.type);
}

function matchesOperation(expression: XmlElement, { operation }: RuleContext): boolean | undefined {
  const name = expression.attributes.get("name");
  const text = expression.attributes.get("interval");
  const intervalMs = parseIntervalMs(text);
  if (name === undefined || (text !== undefined && intervalMs === undefined)) return undefined;
  if (operation === undefined || operation.name !== name) return false;
  return text === undefined || operation.intervalMs === intervalMs;
}

/** `undefined` when the expression lacks a part or has an unknown one. */
function evaluateAttribute(expression: XmlElement, context: RuleContext): boolean | undefined {
  const attribute = expression.attributes.get("attribute");
  const operation = expression.attributes.get("operation")?.toLowerCase();
  const value = expression.attributes.get("value");
  if (attribute === undefined || operation === undefined) return undefined;
  const name = expandMatches(attribute, context.matches);
  const actual = name === "#role" ? context.role : context.nodeAttribute?.(name);
  if (operation === "defined") return actual !== undefined;
  if (operation === "not_defined") return actual === undefined;
  if (value === undefined) return undefined;
  const reference = referenceValue(expression.attributes.get("value-source"), value, context);
  const ordered = operation === "lt" || operation === "lte" || operation === "gt" || operation === "gte";
  // The comparison of roles knows their old names as well.
  const order =
    name === "#role" && actual !== undefined && reference !== undefined
      ? compareBy("string", modernRole(actual), modernRole(reference))
      : compareValues(actual, reference, expression.attributes.get("type")?.toLowerCase(), ordered);
  if (order === undefined) return undefined;
  if (operation === "eq") return order === 0;
  if (operation === "ne") return order !== 0;
  if (!ordered) return undefined;
  if (actual === undefined || reference === undefined) return false;
  switch (operation) {
    case "lt":
      return order < 0;
    case "lte":
      return order <= 0;
    case "gt":
      return order > 0;
    case "gte":
      return order >= 0;
  }
}

const modernRole = (role: string) =>
  /^master$/i.test(role) ? "Promoted" : /^slave$/i.test(role) ? "Unpromoted" : role;

/** Replaces `%0` … `%9` by what the constraint's pattern matched; by nothing where a group took no part. */
function expandMatches(text: string, matches: RuleContext["matches"]): string {
  return matches === undefined
    ? text
    : text.replace(/%(\d)/g, (_, digit: string) => matches[Number(digit)] ?? "");
}

function referenceValue(source: string | undefined, value: string, context: RuleContext): string | undefined {
  switch (source?.toLowerCase()) {
    case "param":
      return context.parameter?.(value);
    case "meta":
      return context.meta?.(value);
    default:
      return value;
  }
}

/** Negative, 0 or positive. A missing value is before every other. `undefined` for an unknown type. */
function compareValues(
  actual: string | undefined,
  reference: string | undefined,
  type: string | undefined,
  ordered: boolean,
): number | undefined {
  if (actual === undefined || reference === undefined)
    return Number(actual !== undefined) - Number(reference !== undefined);
  // The type that is not given follows from the operation and the values.
  const guessed = !ordered
    ? "string"
    : actual.includes(".") || reference.includes(".")
      ? "number"
      : "integer";
  return compareBy(type ?? guessed, actual, reference);
}

/** Compares without regard to case; numbers as numbers, but as text when one of them is none. */
function compareBy(type: string, actual: string, reference: string): number | undefined {
  switch (type) {
    case "string":
      return compareText(actual, reference);
    case "integer":
      return compareNumeric(parseInteger(actual), parseInteger(reference)) ?? compareText(actual, reference);
    case "number":
      return compareNumeric(parseNumber(actual), parseNumber(reference)) ?? compareText(actual, reference);
    case "version":
      return compareVersions(actual, reference);
    default:
      return undefined;
  }
}

function compareText(a: string, b: string): number {
  const left = a.toLowerCase();
  const right = b.toLowerCase();
  return left < right ? -1 : left > right ? 1 : 0;
}

const compareNumeric = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? undefined : a - b;

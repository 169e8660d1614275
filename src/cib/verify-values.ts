import { nearest } from "../terms/index.ts";
import { evaluateDateExpression } from "./date-rules.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { parseIntervalMs } from "./time.ts";
import { parseBoolean } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

const intervals = new Set(["interval", "timeout", "start-delay"]);

/** Values that the schema takes and the cluster does not understand: times, levels, dates; operations that hide others. */
export function findValueProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const visit = (source: XmlElement) => {
    for (const [name, value] of source.attributes) problems.push(...checkValue(source, name, value));
    if (source.name === "date_expression" && evaluateDateExpression(source, 0).state === "invalid")
      problems.push(invalidDate(source));
    source.children.forEach(visit);
  };
  visit(configuration);
  const resources = child(configuration, "resources");
  if (resources) {
    checkOperations(resources, problems);
    problems.push(...childrenOf(resources, "clone").flatMap(checkPromotable));
  }
  return problems;
}

function checkValue(source: XmlElement, name: string, value: string): CibProblem[] {
  const id = source.attributes.get("id");
  const what = `<${source.name}>${id === undefined ? "" : ` "${id}"`}`;
  const bad = (kind: string, cure: string) => [
    problemAt(source, "error", "BAD_VALUE", `${name}="${value}" of ${what} is no ${kind}`, cure),
  ];
  if (source.name === "op" && intervals.has(name) && parseIntervalMs(value) === undefined)
    return bad("time", "write a number with a unit, such as 10s, 500ms or 1min");
  if (source.name === "op" && name === "timeout" && parseIntervalMs(value) === 0) {
    const text = `timeout="${value}" of ${what} is no time to wait: the default of 20s counts`;
    return [problemAt(source, "warning", "NO_TIME", text, "write how long it may take, such as 60s")];
  }
  if (source.name === "op" && intervals.has(name)) return lengthProblems(source, name, value, what);
  if (source.name === "rsc_colocation" && name === "influence" && parseBoolean(value) === undefined)
    return bad("boolean", "write true or false");
  if (source.name === "fencing-level" && name === "index" && Number(value) > 9)
    return bad("level", "write a whole number from 1 to 9");
  return [];
}

/** Pacemaker counts an interval in so many milliseconds, which are 49 days, and takes what is longer for that. */
const longestMs = 2 ** 32 - 1;

/** Words for units; of any other only its beginning counts, which may be another one than was meant (`1month`). */
const unitWords =
  /^(?:(?:ms|msecs?|milliseconds?)|(?:us|usecs?|microseconds?)|(?:s|secs?|seconds?)|(?:m|mins?|minutes?)|(?:h|hrs?|hours?))$/i;

/** A time that is not read as it looks: longer than anything counts, or of a unit that is none. */
export function lengthProblems(at: XmlElement, name: string, value: string, what: string): CibProblem[] {
  const ms = parseIntervalMs(value) ?? 0;
  const unit = /^\s*\+?\d+\s*([a-z]+)\s*$/i.exec(value)?.[1];
  if (unit !== undefined && !unitWords.test(unit)) {
    const text = `${name}="${value}" of ${what} counts as ${readAs(ms)}: "${unit}" is no unit, and only its beginning is looked at`;
    return [problemAt(at, "warning", "ODD_UNIT", text, "write what is meant in ms, s, min or h")];
  }
  if (ms <= longestMs) return [];
  const text = `${name}="${value}" of ${what} is longer than 49 days (${longestMs} ms), more than Pacemaker counts`;
  const cure = "write what is meant with its unit, such as 90s or 2h (a number alone is in seconds)";
  return [problemAt(at, "warning", "LONG_TIME", text, cure)];
}

const readAs = (ms: number): string => {
  const [unit, length] = (
    [
      ["h", 3_600_000],
      ["min", 60_000],
      ["s", 1000],
    ] as const
  ).find(([, size]) => ms > 0 && ms % size === 0) ?? ["ms", 1];
  return `${ms / length}${unit}`;
};

function invalidDate(source: XmlElement): CibProblem {
  const id = source.attributes.get("id") ?? "";
  const text = `the condition on the date "${id}" cannot be evaluated and never holds`;
  return problemAt(source, "error", "BAD_VALUE", text, "check its operation and its times (ISO 8601)");
}

/** Only OCF agents know promotion: Pacemaker leaves out a clone of something else that shall be promotable. */
function checkPromotable(clone: XmlElement): CibProblem[] {
  const isSet = childrenOf(clone, "meta_attributes")
    .flatMap((block) => childrenOf(block, "nvpair"))
    .some(
      ({ attributes }) =>
        attributes.get("name") === "promotable" && parseBoolean(attributes.get("value")) === true,
    );
  if (!isSet) return [];
  const members = [
    ...childrenOf(clone, "primitive"),
    ...childrenOf(clone, "group").flatMap((group) => childrenOf(group, "primitive")),
  ];
  return members.flatMap((member) => {
    const standard = member.attributes.get("class");
    if (standard === undefined || standard === "ocf") return [];
    const text = `resource "${member.attributes.get("id")}" is of type ${standard} and therefore cannot be used as a promotable clone resource`;
    return [
      problemAt(
        member,
        "error",
        "NOT_PROMOTABLE",
        text,
        "take promotable=true from its clone, or use an OCF agent",
      ),
    ];
  });
}

/** Two recurring operations of the same name and interval hide each other. */
function checkOperations(parent: XmlElement, problems: CibProblem[]): void {
  for (const resource of parent.children) {
    const seen = new Set<string>();
    for (const operation of childrenOf(child(resource, "operations"), "op")) {
      const interval = parseIntervalMs(operation.attributes.get("interval")) ?? 0;
      const key = `${operation.attributes.get("name")} ${interval}`;
      if (seen.has(key)) {
        const text = `resource "${resource.attributes.get("id")}" has two operations ${operation.attributes.get("name")} with the same interval`;
        problems.push(
          problemAt(
            operation,
            "error",
            "SAME_INTERVAL",
            text,
            "change one interval a little (10s and 11s); until then none of them is carried out",
          ),
        );
      }
      seen.add(key);
      problems.push(
        ...checkOperationName(operation, resource),
        ...checkRecurring(operation, resource),
        ...checkOnFail(operation, resource),
      );
    }
    checkOperations(resource, problems);
  }
}

/**
 * What is done once, when its time has come, has no interval: Pacemaker refuses the first ones, and passes over the last. Of
 * those that say nothing of how a service is no history is kept, by which the next decision would know that they recur.
 */
const never: ReadonlyMap<string, "error" | "warning"> = new Map([
  ["start", "error"],
  ["stop", "error"],
  ["promote", "error"],
  ["demote", "error"],
  ["migrate_to", "error"],
  ["migrate_from", "error"],
  ["reload-agent", "error"],
  ["notify", "warning"],
  ["reload", "warning"],
  ["validate-all", "warning"],
  ["meta-data", "warning"],
]);

/** Whether an operation of that name is carried out again and again where it has an interval. */
export const canRecur = (name: string): boolean => !never.has(name);

/** Of an operation that cannot recur nothing counts when it has an interval, its timeout neither. */
function checkRecurring(operation: XmlElement, resource: XmlElement): CibProblem[] {
  const name = operation.attributes.get("name") ?? "";
  const interval = operation.attributes.get("interval");
  const level = never.get(name);
  if (level === undefined || (parseIntervalMs(interval) ?? 0) === 0) return [];
  const text = `operation ${name} of resource "${resource.attributes.get("id")}" cannot recur: with interval="${interval}" it is ignored, with its timeout`;
  return [problemAt(operation, level, "NOT_RECURRING", text, 'write interval="0"')];
}

/** What can follow when a stop fails: nothing else is known to be safe. */
const afterStop: ReadonlySet<string> = new Set(["ignore", "block", "fence"]);
const promotedRoles: ReadonlySet<string> = new Set(["promoted", "master"]);

/** Attributes of an operation, and those that its own meta attributes say without a rule. */
function operationValue(operation: XmlElement, name: string): string | undefined {
  const pairs = childrenOf(operation, "meta_attributes")
    .filter((block) => child(block, "rule") === undefined)
    .flatMap((block) => childrenOf(block, "nvpair"));
  const pair = pairs.find(({ attributes }) => attributes.get("name") === name);
  return operation.attributes.get(name) ?? pair?.attributes.get("value");
}

/** Values of `on-fail` that its operation does not know: its default counts when it fails, not what was written. */
function checkOnFail(operation: XmlElement, resource: XmlElement): CibProblem[] {
  const name = operation.attributes.get("name") ?? "";
  const value = operationValue(operation, "on-fail");
  if (value === undefined) return [];
  const word = value.toLowerCase();
  const problem = (known: string, cure: string) => {
    const text = `on-fail="${value}" of operation ${name} of resource "${resource.attributes.get("id")}" is not in force: ${known}`;
    return [problemAt(operation, "error", "ON_FAIL", text, cure)];
  };
  if (name === "stop" && !afterStop.has(word))
    return problem("after a stop that failed only ignore, block and fence are known", "write one of these");
  if (word !== "demote" || name === "promote") return [];
  const recurs = (parseIntervalMs(operationValue(operation, "interval")) ?? 0) > 0;
  const role = operationValue(operation, "role")?.toLowerCase() ?? "";
  if (name === "monitor" && recurs && promotedRoles.has(role)) return [];
  return problem(
    "only promote, and a recurring monitor with role=Promoted, can lead to a demotion",
    'write on-fail="restart", or add role="Promoted"',
  );
}

/** What is carried out by one of the standards (OCF resource agent API 1.1, LSB), or by fence agents. */
export const operationNames = [
  "monitor",
  "start",
  "stop",
  "promote",
  "demote",
  "notify",
  "migrate_to",
  "migrate_from",
  "reload",
  "reload-agent",
  "validate-all",
  "meta-data",
  "methods",
  "usage",
  "recover",
  "restart",
  "status",
  "force-reload",
  "try-restart",
  "on",
  "off",
  "reboot",
  "list",
] as const;
const knownOperations: ReadonlySet<string> = new Set(operationNames);

/** Of an operation that no agent has nothing would ever be done, and what was meant not as it was meant. */
function checkOperationName(operation: XmlElement, resource: XmlElement): CibProblem[] {
  const name = operation.attributes.get("name") ?? "";
  if (name === "" || knownOperations.has(name)) return [];
  const near = nearest(name, operationNames);
  const text = `"${name}" of resource "${resource.attributes.get("id")}" is no operation that agents have`;
  return near === undefined
    ? [
        problemAt(
          operation,
          "warning",
          "UNKNOWN_OPERATION",
          text,
          "write monitor, start, stop …, or remove it",
        ),
      ]
    : [problemAt(operation, "error", "UNKNOWN_OPERATION", text, `did you mean "${near}"?`)];
}

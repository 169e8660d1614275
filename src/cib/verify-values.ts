import { lookup, nearest } from "../terms/index.ts";
import { ownsId } from "./crm/ids.ts";
import { evaluateDateExpression } from "./date-rules.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { parseIntervalMs } from "./time.ts";
import { isExact, parseBoolean } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** Attributes with words of their own, by `element attribute` or just attribute. */
const words: Readonly<Record<string, readonly string[]>> = lookup({
  "rsc_order kind": ["Mandatory", "Optional", "Serialize"],
  "resource_set kind": ["Mandatory", "Optional", "Serialize"],
  "rsc_location resource-discovery": ["always", "never", "exclusive"],
  "rsc_ticket loss-policy": ["stop", "demote", "fence", "freeze"],
  "acl_permission kind": ["read", "write", "deny"],
  "op role": ["Stopped", "Started", "Promoted", "Unpromoted"],
  "op on-fail": ["ignore", "block", "demote", "stop", "restart", "standby", "fence", "restart-container"],
  "expression operation": ["lt", "gt", "lte", "gte", "eq", "ne", "defined", "not_defined"],
  "expression type": ["string", "integer", "number", "version"],
  "expression value-source": ["literal", "param", "meta"],
  "date_expression operation": ["in_range", "gt", "lt", "date_spec"],
  "rule boolean-op": ["and", "or"],
  "node type": ["member", "ping", "remote"],
  role: ["Stopped", "Started", "Promoted", "Unpromoted"],
  "rsc-role": ["Stopped", "Started", "Promoted", "Unpromoted"],
  "with-rsc-role": ["Stopped", "Started", "Promoted", "Unpromoted"],
  "first-action": ["start", "promote", "demote", "stop"],
  "then-action": ["start", "promote", "demote", "stop"],
  "resource_set action": ["start", "promote", "demote", "stop"],
});
const booleans = new Set([
  "symmetrical",
  "sequential",
  "require-all",
  "enabled",
  "record-pending",
  "add-host",
  "influence",
]);
const intervals = new Set(["interval", "timeout", "start-delay"]);
const integers = new Set([
  "index",
  "replicas",
  "replicas-per-host",
  "promoted-max",
  "host-netmask",
  "control-port",
  "port",
  "internal-port",
]);

/** Scores, intervals, booleans and words that are none, in the attributes of elements. */
export function findValueProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const visit = (source: XmlElement, parent?: XmlElement) => {
    for (const [name, value] of source.attributes) problems.push(...checkValue(source, name, value));
    const id = source.attributes.get("id");
    if (id !== undefined && ownsId(source, parent) && !xmlId.test(id)) problems.push(badId(source, id));
    if (source.name === "date_expression" && evaluateDateExpression(source, 0).state === "invalid")
      problems.push(invalidDate(source));
    for (const item of source.children) visit(item, source);
  };
  visit(configuration);
  const resources = child(configuration, "resources");
  if (resources) checkOperations(resources, problems);
  return problems;
}

/** A letter or underscore, then letters, digits and the signs that XML 1.0 lets stand in a name, but no colon. */
const xmlId = /^[\p{L}_][\p{L}\p{M}\p{N}_.\u00b7-]*$/u;

const badId = (source: XmlElement, id: string): CibProblem =>
  problemAt(
    source,
    "error",
    "BAD_ID",
    `<${source.name}> cannot have the id "${id}"`,
    "begin it with a letter, and write only letters, digits, - . and _",
  );

function checkValue(source: XmlElement, name: string, value: string): CibProblem[] {
  const id = source.attributes.get("id");
  const what = `<${source.name}>${id === undefined ? "" : ` "${id}"`}`;
  const bad = (kind: string, cure: string) => [
    problemAt(source, "error", "BAD_VALUE", `${name}="${value}" of ${what} is no ${kind}`, cure),
  ];
  if (name === "score" && !isExact(value)) return bad("score", "write a whole number, INFINITY or -INFINITY");
  if (booleans.has(name) && parseBoolean(value) === undefined) return bad("boolean", "write true or false");
  if (source.name === "op" && intervals.has(name) && parseIntervalMs(value) === undefined)
    return bad("time", "write a number with a unit, such as 10s, 500ms or 1min");
  if (integers.has(name) && !isExact(value)) return bad("whole number", "write a whole number");
  if (source.name === "fencing-level" && name === "index" && !/^[1-9]$/.test(value))
    return bad("level", "write a whole number from 1 to 9");
  const known = words[`${source.name} ${name}`] ?? (source.name === "acl_target" ? undefined : words[name]);
  if (known === undefined || known.some((word) => word.toLowerCase() === value.toLowerCase())) return [];
  const near = nearest(value, known);
  return bad(
    "known value",
    near === undefined ? `values are ${known.join(", ")}` : `did you mean "${near}"?`,
  );
}

function invalidDate(source: XmlElement): CibProblem {
  const id = source.attributes.get("id") ?? "";
  const text = `the condition on the date "${id}" cannot be evaluated and never holds`;
  return problemAt(source, "error", "BAD_VALUE", text, "check its operation and its times (ISO 8601)");
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
    }
    checkOperations(resource, problems);
  }
}

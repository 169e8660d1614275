import { type CibProblem, problemAt } from "./references.ts";
import { type Settled, settledPrimitives } from "./settled.ts";
import { parseIntervalMs } from "./time.ts";
import { unmistakable } from "./verify-options.ts";
import { childrenOf, type XmlElement } from "./xml.ts";

/**
 * What is a resource's and stands at an operation, or an operation's and stands at a resource: each is known by its name, is
 * shown, and does nothing where it is. And what two of them that exclude each other leave in force.
 */
export function findMisplacedProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const visit = (source: XmlElement, parent: XmlElement | undefined) => {
    if (source.name === "meta_attributes" || source.name === "instance_attributes")
      problems.push(...misplacedIn(source, parent));
    for (const item of source.children) visit(item, source);
  };
  visit(configuration, undefined);
  return [...problems, ...settledPrimitives(configuration).flatMap(unexpiring)];
}

/** Of these nobody has a meta attribute of his own; an agent's parameter may have such a name. */
const ofOperations: ReadonlySet<string> = new Set([
  "interval",
  "timeout",
  "on-fail",
  "start-delay",
  "interval-origin",
  "record-pending",
]);
/** What makes an operation the one that it is. */
const ofOneOperation: ReadonlySet<string> = new Set(["name", "interval", "role"]);
/** The same of resources. */
const ofResources: ReadonlySet<string> = new Set(["requires", ...unmistakable]);
const resources: ReadonlySet<string> = new Set([
  "primitive",
  "template",
  "group",
  "clone",
  "master",
  "bundle",
  "rsc_defaults",
]);

function misplacedIn(block: XmlElement, holder: XmlElement | undefined): CibProblem[] {
  const where = holder?.name ?? "";
  const atOperation = where === "op" || where === "op_defaults";
  const atResource = resources.has(where) && block.name === "meta_attributes";
  if (!atOperation && !atResource) return [];
  const id = holder?.attributes.get("id");
  const place = id === undefined ? `<${where}>` : `<${where}> "${id}"`;
  return childrenOf(block, "nvpair").flatMap((pair) => {
    const name = pair.attributes.get("name") ?? "";
    if (atOperation && ofResources.has(name)) {
      const text = `"${name}" of ${place} has no effect: it is a meta attribute of resources`;
      return [problemAt(pair, "warning", "MISPLACED_OPTION", text, cureAtOperation(where))];
    }
    if (atOperation && block.name === "meta_attributes" && ofOneOperation.has(name)) {
      const text = `"${name}" of ${place} has no effect: it counts only as an attribute of an operation itself`;
      return [problemAt(pair, "warning", "MISPLACED_OPTION", text, cureForOne(name))];
    }
    if (atResource && ofOperations.has(name)) {
      const text = `"${name}" of ${place} has no effect: it is of operations`;
      return [problemAt(pair, "warning", "MISPLACED_OPTION", text, cureAtResource(where, name))];
    }
    return [];
  });
}

const cureForOne = (name: string) =>
  `write it at each operation that is meant (crm text: op monitor ${name}=…)`;

const cureAtOperation = (where: string) =>
  where === "op_defaults"
    ? "put it into rsc_defaults (crm text: rsc_defaults)"
    : "put it among the meta attributes of the resource (crm text: behind meta)";

const cureAtResource = (where: string, name: string) =>
  where === "rsc_defaults" && !ofOneOperation.has(name)
    ? `put it into op_defaults (crm text: op_defaults ${name}=…)`
    : `put it at the operation that is meant (crm text: op monitor ${name}=…)`;

/**
 * A failure that blocks is to be looked at by somebody: it does not expire (Pacemaker passes over failure-timeout then). After a
 * stop that failed hardly anybody wants it otherwise.
 */
function unexpiring({ xml, meta, operations }: Settled): CibProblem[] {
  const timeout = meta.get("failure-timeout");
  if (timeout === undefined || (parseIntervalMs(timeout.value) ?? 0) === 0) return [];
  return operations
    .filter(({ attributes }) => attributes.get("on-fail")?.toLowerCase() === "block")
    .map((op) => {
      const text = `failure-timeout="${timeout.value}" of resource "${xml.attributes.get("id")}" does not count when operation ${op.attributes.get("name")} has failed, which has on-fail=block: it stays blocked`;
      const cure =
        "write another on-fail, or forget the failure with 'hactl resource cleanup' when it is seen to";
      const level = op.attributes.get("name") === "stop" ? "info" : "warning";
      return problemAt(op, level, "NO_EFFECT", text, cure);
    });
}

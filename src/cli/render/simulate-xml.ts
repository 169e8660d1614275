import { element, type XmlElement } from "../../cib/index.ts";
import type { InjectedChange, SimulationStep } from "../../controller/index.ts";
import type { Change, Cluster, ResourceChange } from "../../scheduler/index.ts";
import { type ApiVersion, textElement } from "../answer/index.ts";
import { isUtilization, type StatusReportOptions, stageName, statusMessages } from "./simulate-report.ts";

/** `<cluster_status>`, and afterwards `<revised_cluster_status>`, which has no history. */
export function statusElement(
  name: "cluster_status" | "revised_cluster_status",
  cluster: Cluster,
  options: StatusReportOptions,
  api: ApiVersion,
): XmlElement {
  const sections = statusMessages(cluster, options).flatMap(({ xml }) => xml?.(api) ?? []);
  const shown = sections.filter((section) => name === "cluster_status" || section.name !== "node_history");
  // Nodes and resources belong there even when there are none.
  const needed = ["nodes", "resources"].filter((part) => !shown.some((section) => section.name === part));
  const [nodes = element("nodes"), ...others] = shown;
  const filled = needed.includes("resources") ? [nodes, element("resources"), ...others] : [nodes, ...others];
  return element(name, {}, filled);
}

/** `<modifications>`: kind by kind. */
export function modificationsElement(changes: readonly InjectedChange[]): XmlElement {
  const value = (type: "quorum" | "watchdog") =>
    changes.flatMap((change) => (change.type === type && "value" in change ? change.value : []))[0];
  const nodes = changes.flatMap((change) =>
    change.type === "node" ? element("modify_node", { action: change.action, node: change.node }) : [],
  );
  const tickets = changes.flatMap((change) =>
    change.type === "ticket"
      ? element("modify_ticket", { action: change.action, ticket: change.ticket })
      : [],
  );
  const results = changes.flatMap((change) =>
    change.type === "result" ? element("inject_spec", { spec: change.spec }) : [],
  );
  const attributes = changes.flatMap((change) =>
    change.type === "attribute"
      ? element("inject_attr", {
          name: change.name,
          value: change.value,
          node_path: `/cib/status/node_state[@id='${change.nodeId}']`,
          cib_node: change.nodeId,
        })
      : [],
  );
  return element("modifications", { quorum: value("quorum"), watchdog: value("watchdog") }, [
    ...nodes,
    ...tickets,
    ...results,
    ...attributes,
  ]);
}

/** `<allocations>`, `<utilizations>` or both in one. */
export function scoresElement(lines: readonly string[], scores: boolean, utilization: boolean): XmlElement {
  const name = scores ? (utilization ? "allocations_utilizations" : "allocations") : "utilizations";
  return element(
    name,
    {},
    lines.flatMap((line) => (isUtilization(line) ? capacityElement(line) : scoreElement(line)) ?? []),
  );
}

const placeScore = /^(\w+): (\S+) allocation score on (\S+): (\S+)$/;
const promotionScore = /^(\S+) promotion score (?:on (\S+)|\(inactive\)): (\S+)$/;

function scoreElement(line: string): XmlElement | undefined {
  const place = placeScore.exec(line);
  if (place) {
    const [, stage = "", id, node, score] = place;
    return element("node_weight", { function: stageName(stage), node, score, id });
  }
  const promotion = promotionScore.exec(line);
  return promotion
    ? element("promotion_score", { id: promotion[1], score: promotion[3], node: promotion[2] })
    : undefined;
}

const capacityLine = /^(Original|Remaining): (\S+) capacity:(.*)$/;
const needLine = /^(\w+): (\S+) utilization on (\S+):(.*)$/;

function capacityElement(line: string): XmlElement | undefined {
  const capacity = capacityLine.exec(line);
  if (capacity) {
    const [, comment, node, values = ""] = capacity;
    return element("capacity", { node, comment }, amounts(values));
  }
  const need = needLine.exec(line);
  if (!need) return undefined;
  const [, stage = "", resource, node, values = ""] = need;
  return element("utilization", { resource, node, function: stageName(stage) }, amounts(values));
}

/** What an element may be called. */
const elementName = /^[A-Za-z_][\w.-]*$/;

/** ` cpu=1 memory=512`; what no element can be called is left out. */
const amounts = (values: string): XmlElement[] =>
  values
    .trim()
    .split(/\s+/)
    .flatMap((pair) => {
      const at = pair.lastIndexOf("=");
      const name = pair.slice(0, Math.max(0, at));
      return elementName.test(name) ? [textElement(name, pair.slice(at + 1))] : [];
    });

/** `<actions>`: what will change. */
export const actionsElement = (changes: readonly Change[]): XmlElement =>
  element(
    "actions",
    {},
    changes.map((change) =>
      change.kind === "node"
        ? element("node_action", { task: change.task, node: change.node, reason: change.reason ?? "" })
        : resourceAction(change),
    ),
  );

function resourceAction(change: ResourceChange): XmlElement {
  const { verb, rsc, reason, blocked } = change;
  return element("rsc_action", {
    action: verb.toLowerCase(),
    resource: rsc,
    ...placesOf(change),
    reason,
    blocked: blocked ? "true" : undefined,
  });
}

/** Where and as what; the one node of a start or stop is `node`, of what stays where it is `source`. */
function placesOf({ roles, sameRole, from, to }: ResourceChange): Record<string, string | undefined> {
  const role = roles?.from;
  const changing = { role, "next-role": roles?.to };
  if (from === undefined) return roles ? { ...changing, dest: to } : { node: to };
  if (to === undefined) return { role, node: from };
  if (sameRole && from === to) return { role, source: from };
  if (sameRole) return { source: from, dest: to, role };
  if (from === to) return { ...changing, source: from };
  return { role, source: from, "next-role": roles?.to, dest: to };
}

/** `<transition>`: what was done on paper. That failures are made up is told in a text only. */
export const transitionElement = (steps: readonly SimulationStep[]): XmlElement =>
  element(
    "transition",
    {},
    steps.flatMap((step) => stepElement(step) ?? []),
  );

function stepElement(step: SimulationStep): XmlElement | undefined {
  switch (step.type) {
    case "resource": {
      const interval = step.intervalMs > 0 ? step.intervalMs : undefined;
      return element("rsc_action", { resource: step.rsc, op: step.task, node: step.node, interval });
    }
    case "pseudo":
      return element("pseudo_action", { task: step.key, node: step.node });
    case "fencing":
      return element("fencing_action", { target: step.node, op: step.action });
    case "cluster":
      return element("cluster_action", { task: step.task, node: step.node, id: step.rsc });
    case "failure":
    case "attribute":
      return undefined;
  }
}

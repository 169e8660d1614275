import { child, childrenOf, parseScore, plainValues, unpackNvpairs } from "../../cib/index.ts";
import { type Cluster, compareNames, type FailedOp, type Node } from "../../scheduler/index.ts";
import { isMaskedProbe, sortedNodes } from "./cluster-view.ts";
import { formatCtime, formatInterval } from "./dates.ts";
import { exitText, statusText } from "./exit-texts.ts";
import {
  failCount,
  formatCount,
  histories,
  type OperationEntry,
  type ResourceHistory,
  readOperation,
} from "./operations.ts";
import { line, type Outline } from "./outline.ts";

/** Node attributes that are the cluster's own book-keeping: displays leave them out. */
const hiddenAttributes = /^(?:fail-count-|last-failure-|shutdown|terminate|standby|probe_complete|#)/;

/** Expected value of connectivity attributes (name of a ping resource's attribute): hosts × multiplier. */
export function expectedConnectivity(cluster: Cluster): Map<string, number> {
  const expected = new Map<string, number>();
  for (const rsc of cluster.resourceById.values()) {
    if (!rsc.isPrimitive || (rsc.type !== "ping" && rsc.type !== "pingd")) continue;
    const params = plainValues(unpackNvpairs([rsc.xml], "instance_attributes", { now: cluster.now }));
    const hosts = (params.get("host_list") ?? "").split(/[\s,]+/).filter((host) => host !== "").length;
    const multiplier = Number(params.get("multiplier") ?? 1);
    expected.set(params.get("name") ?? "pingd", hosts * (Number.isNaN(multiplier) ? 1 : multiplier));
  }
  return expected;
}

/** Attributes of a node that displays show, sorted by name, with the remark about connectivity where there is one. */
export function shownAttributes(
  node: Node,
  expected: ReadonlyMap<string, number>,
): { name: string; value: string; expected?: number }[] {
  return [...node.attributes]
    .filter(([name]) => !hiddenAttributes.test(name))
    .sort(([a], [b]) => compareNames(a, b))
    .map(([name, value]) => {
      const wanted = expected.get(name);
      return wanted === undefined ? { name, value } : { name, value, expected: wanted };
    });
}

/** `Connectivity is lost` and the like; empty when all is well. */
export function connectivityRemark(value: string, expected: number | undefined): string {
  if (expected === undefined) return "";
  const reached = Number.parseInt(value, 10) || 0;
  if (reached <= 0) return "Connectivity is lost";
  return reached < expected ? `Connectivity is degraded (Expected=${expected})` : "";
}

/** The section "Node Attributes". */
export function attributeSection(cluster: Cluster, only?: ReadonlySet<string>): Outline {
  const expected = expectedConnectivity(cluster);
  const children = sortedNodes(cluster)
    .filter((node) => node.online && (!only || only.has(node.name)))
    .flatMap((node) => {
      const rows = shownAttributes(node, expected).map((attribute) => {
        const remark = connectivityRemark(attribute.value, attribute.expected);
        const text = `${attribute.name.padEnd(32)}\t: ${attribute.value.padEnd(10)}`;
        return line(remark === "" ? text : `${text}\t: ${remark}`);
      });
      return rows.length === 0 ? [] : [{ text: `Node: ${node.name}:`, children: rows }];
    });
  return { text: "Node Attributes:", children };
}

/** Head of a resource in "Operations" and "Migration Summary". */
export function thresholdText(node: Node, history: ResourceHistory): string {
  const { count, last } = failCount(node, history.id);
  const threshold = `migration-threshold=${history.rsc?.migrationThreshold ?? 1_000_000}`;
  const name = history.rsc?.removed || !history.rsc ? `${history.id}: orphan` : `${history.id}: ${threshold}`;
  const counted = count > 0 ? ` fail-count=${formatCount(count)}` : "";
  return `${name}${counted}${last > 0 ? ` last-failure='${formatCtime(last)}'` : ""}`;
}

/** The section "Migration Summary": resources that have failed, node by node. */
export function failCountSection(cluster: Cluster, only?: ReadonlySet<string>): Outline {
  const children = histories(cluster).flatMap(({ node, resources }) => {
    if (only && !only.has(node.name)) return [];
    const failed = resources.filter(({ id }) => failCount(node, id).count > 0);
    return failed.length === 0
      ? []
      : [
          {
            text: `Node: ${node.name}:`,
            children: failed.map((history) => line(thresholdText(node, history))),
          },
        ];
  });
  return { text: "Migration Summary:", children };
}

/** Operations that "Operations" shows: no notifications, no probes that found nothing, nothing pending. */
export const shownOperations = (operations: readonly OperationEntry[]): OperationEntry[] =>
  operations.filter(({ task, intervalMs, rc, status }) => {
    if (task === "notify" || status === -1) return false;
    return !(task === "monitor" && intervalMs === 0 && rc === 7);
  });

/** The section "Operations"; with `timing` also when, how long and how each ended. */
export function operationSection(cluster: Cluster, timing: boolean, only?: ReadonlySet<string>): Outline {
  const children = histories(cluster).flatMap(({ node, resources }) => {
    if (only && !only.has(node.name)) return [];
    const shown = resources.flatMap((history) => {
      const operations = shownOperations(history.operations);
      if (operations.length === 0) return [];
      const rows = operations.map((operation) => line(operationText(operation, timing)));
      return [{ text: `${thresholdText(node, history)}:`, children: rows }];
    });
    return shown.length === 0 ? [] : [{ text: `Node: ${node.name}:`, children: shown }];
  });
  return { text: "Operations:", children };
}

function operationText(operation: OperationEntry, timing: boolean): string {
  const { call, task, intervalMs, rc, changed, execMs, queueMs } = operation;
  const name = task === "monitor" && intervalMs === 0 ? "probe" : task;
  const details = [
    ...(intervalMs > 0 ? [`interval="${intervalMs}ms"`] : []),
    ...(timing && changed > 0 ? [`last-rc-change="${formatCtime(changed)}"`] : []),
    ...(timing ? [`exec-time="${execMs}ms"`, `queue-time="${queueMs}ms"`, `rc=${rc} (${exitText(rc)})`] : []),
  ];
  return details.length === 0 ? `(${call}) ${name}` : `(${call}) ${name}: ${details.join(" ")}`;
}

/** Failed operations that count: not probes that only found out that the software is not there. */
export function shownFailures(cluster: Cluster, only?: ReadonlySet<string>): FailedOp[] {
  return cluster.failedOps.filter(({ node, xml }) => !isMaskedProbe(xml) && (!only || only.has(node.name)));
}

/** The section "Failed Resource Actions". `detail` gives the key, call and times instead of a sentence. */
export function failureSection(cluster: Cluster, detail: boolean, only?: ReadonlySet<string>): Outline {
  const children = shownFailures(cluster, only).map((failed) =>
    line(detail ? technicalFailure(failed) : friendlyFailure(failed)),
  );
  return { text: "Failed Resource Actions:", children };
}

/** `web 10s-interval monitor on node1 returned 'Not running' (process died) at … after 9ms` */
export function friendlyFailure({ node, xml }: FailedOp): string {
  const operation = readOperation(xml);
  const { rsc, task, intervalMs, rc, status, exitReason, changed, execMs } = operation;
  const interval = intervalMs > 0 ? `${formatInterval(intervalMs)}-interval ` : "";
  const name = task === "monitor" && intervalMs === 0 ? "probe" : task;
  const outcome =
    status === 0 ? `returned '${exitText(rc)}'` : `could not be executed (${statusText(status)})`;
  const result = status === 0 ? outcome : status === 2 ? "could not be executed (Timed Out)" : outcome;
  const reason =
    exitReason === "" ? "" : `${status === 0 ? " (" : ": '"}${exitReason}${status === 0 ? ")" : "'"}`;
  const when = changed > 0 ? ` at ${formatCtime(changed)}` : "";
  const took = execMs > 0 ? ` after ${formatExec(execMs)}` : "";
  return `${rsc || "unknown"} ${interval}${name} on ${node.name} ${result}${reason}${when}${took}`;
}

/** Milliseconds as friendly failures write them: `9ms`, `1.234s`, `1m0s`. */
function formatExec(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60_000) {
    const rest = ms % 1000;
    return rest === 0 ? `${ms / 1000}s` : `${Math.floor(ms / 1000)}.${String(rest).padStart(3, "0")}s`;
  }
  return formatInterval(ms - (ms % 1000));
}

function technicalFailure({ node, xml }: FailedOp): string {
  const operation = readOperation(xml);
  const { rc, call, status, exitReason, changed, queueMs, execMs } = operation;
  const key = xml.attributes.get("operation_key") ?? xml.attributes.get("id") ?? "";
  const reason = `exitreason='${exitReason}'`;
  const words = [
    `call=${call}`,
    `status='${statusText(status)}'`,
    ...(exitReason === "" ? [] : [reason]),
    ...(changed > 0 ? [`last-rc-change='${formatCtime(changed)}'`] : []),
    ...(changed > 0 && xml.attributes.has("queue-time") ? [`queued=${queueMs}ms`] : []),
    ...(changed > 0 && xml.attributes.has("exec-time") ? [`exec=${execMs}ms`] : []),
  ];
  return `${key} on ${node.name} '${exitText(rc)}' (${rc}): ${words.join(", ")}`;
}

/** The section "Tickets". */
export function ticketSection(cluster: Cluster): Outline {
  const children = [...cluster.tickets.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((ticket) => {
      const state = `${ticket.granted ? "granted" : "revoked"}${ticket.standby ? " [standby]" : ""}`;
      const last = ticket.lastGranted ? ` last-granted="${formatCtime(ticket.lastGranted)}"` : "";
      return line(`${ticket.id}: ${state}${last}`);
    });
  return { text: "Tickets:", children };
}

/** Location constraints that keep a resource off a node; `prefix` limits them to ids that begin so. */
export interface Ban {
  readonly id: string;
  readonly rsc: string;
  readonly node: string;
  readonly score: number;
  readonly promotedOnly: boolean;
}

/** Negative location constraints between one resource and one node. */
export function bansOf(cluster: Cluster, prefix = ""): Ban[] {
  const constraints = childrenOf(child(child(cluster.cib, "configuration"), "constraints"), "rsc_location");
  return constraints.flatMap(({ attributes }) => {
    const id = attributes.get("id") ?? "";
    const node = attributes.get("node");
    const score = parseScore(attributes.get("score")) ?? 0;
    if (node === undefined || score >= 0 || !id.startsWith(prefix)) return [];
    const rsc = attributes.get("rsc") ?? attributes.get("rsc-pattern") ?? "";
    const role = attributes.get("role")?.toLowerCase();
    return [{ id, rsc, node, score, promotedOnly: role === "promoted" || role === "master" }];
  });
}

/** The section "Negative Location Constraints". */
export function banSection(cluster: Cluster, prefix = ""): Outline {
  const children = bansOf(cluster, prefix).map((ban) =>
    line(
      `${ban.id}\tprevents ${ban.rsc} from ${ban.promotedOnly ? "being Promoted" : "running"} on ${ban.node}`,
    ),
  );
  return { text: "Negative Location Constraints:", children };
}

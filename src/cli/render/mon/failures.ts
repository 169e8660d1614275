import { element, type XmlElement } from "../../../cib/index.ts";
import type { FailedOp } from "../../../scheduler/index.ts";
import type { Message } from "../../answer/index.ts";
import { isMaskedProbe, operationOf } from "../cluster-view.ts";
import { formatCtime, formatInterval, formatLocal } from "../dates.ts";
import { exitText, statusText } from "../exit-texts.ts";
import { readOperation } from "../operations.ts";
import { line } from "../outline.ts";
import { selectsNode } from "../selection.ts";
import { type ClusterView, selectionIn } from "./view.ts";

/** "Failed Resource Actions": not probes that only found out that the software is not there. */
export function failureSection(view: ClusterView): Message {
  const failures = shownFailures(view);
  const text = view.options.failureDetail ? technicalFailure : friendlyFailure;
  return {
    outline: () =>
      failures.length === 0
        ? []
        : [{ text: "Failed Resource Actions:", children: failures.map((failed) => line(text(failed))) }],
    xml: () => (failures.length === 0 ? [] : [element("failures", {}, failures.map(failureElement))]),
  };
}

function shownFailures(view: ClusterView): FailedOp[] {
  const selection = selectionIn(view);
  const seen = new Set<string>();
  return view.cluster.failedOps.filter(({ node, xml }) => {
    const entry = `${node.name} ${keyOf(xml)}`;
    if (!node.online || seen.has(entry)) return false;
    seen.add(entry);
    if (!selectsNode(selection, node.name) || isMaskedProbe(xml)) return false;
    const operation = operationOf(xml);
    return operation !== undefined && (selection.resources?.has(operation.rsc) ?? true);
  });
}

/** `web 10s-interval monitor on node1 returned 'Not running' (process died) at … after 9ms` */
export function friendlyFailure({ node, xml }: FailedOp): string {
  const { rsc, task, intervalMs, rc, status, exitReason, execMs } = readOperation(xml);
  const interval = intervalMs > 0 ? `${formatInterval(intervalMs)}-interval ` : "";
  const name = task === "monitor" && intervalMs === 0 ? "probe" : task;
  const result =
    status === 0
      ? `returned '${exitText(rc)}'${exitReason === "" ? "" : ` (${exitReason})`}`
      : `could not be executed (${statusText(status)}${exitReason === "" ? "" : `: ${exitReason}`})`;
  const changed = xml.attributes.get("last-rc-change");
  const when = changed === undefined ? "" : ` at ${formatCtime(Number(changed))}`;
  const took = execMs > 0 ? ` after ${formatInterval(execMs)}` : "";
  return `${rsc || "unknown resource"} ${interval}${name || "unknown action"} on ${node.name} ${result}${when}${took}`;
}

/** Key, exit code, call and times. */
export function technicalFailure({ node, xml }: FailedOp): string {
  const { rc, status, exitReason } = readOperation(xml);
  const text = (name: string) => xml.attributes.get(name) || undefined;
  const changed = text("last-rc-change");
  const words = [
    `call=${text("call-id") ?? "unknown"}`,
    `status='${statusText(status)}'`,
    ...(exitReason === "" ? [] : [`exitreason='${exitReason}'`]),
    ...(changed === undefined ? [] : [`last-rc-change='${formatCtime(Number(changed))}'`]),
    ...(text("queue-time") === undefined ? [] : [`queued=${text("queue-time")}ms`]),
    ...(text("exec-time") === undefined ? [] : [`exec=${text("exec-time")}ms`]),
  ];
  return `${keyOf(xml) ?? "unknown operation"} on ${node.name} '${exitText(rc)}' (${rc}): ${words.join(", ")}`;
}

const keyOf = ({ attributes }: XmlElement) => attributes.get("operation_key") ?? attributes.get("id");

function failureElement({ node, xml }: FailedOp): XmlElement {
  const { rc, status, changed, intervalMs, task, queueMs, execMs } = readOperation(xml);
  const key = xml.attributes.has("operation_key") ? "op_key" : "id";
  const timed = changed > 0;
  return element("failure", {
    [key]: keyOf(xml),
    node: node.name,
    exitstatus: exitText(rc),
    exitreason: xml.attributes.get("exit-reason") ?? "none",
    exitcode: rc,
    call: xml.attributes.get("call-id") ?? "",
    status: statusText(status),
    "last-rc-change": timed ? formatLocal(changed) : undefined,
    queued: timed ? queueMs : undefined,
    exec: timed ? execMs : undefined,
    interval: timed ? intervalMs : undefined,
    task: timed ? task : undefined,
  });
}

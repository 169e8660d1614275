import { exitMessage, PACEMAKER_VERSION, statusText } from "../terms/index.ts";
import type { Alert } from "./configuration.ts";
import type { AlertEvent, AlertTime } from "./face.ts";
import { formatTimestamp, microseconds } from "./time-format.ts";

/** Whether an alert is for an event. A probe that found what was expected is for nobody. */
export function wants({ kinds, attributes }: Alert, event: AlertEvent): boolean {
  if (!kinds.has(event.kind)) return false;
  if (event.kind === "attribute") return attributes === undefined || attributes.has(event.name);
  if (event.kind !== "resource") return true;
  const probe = event.action === "monitor" && event.intervalMs === 0;
  return event.action !== "meta-data" && !(probe && event.rc === event.expectedRc);
}

/** What an agent is told of an event (Pacemaker Administration, "Environment Variables Passed to Alert Agents"). */
export function environmentOf(
  alert: Alert,
  event: AlertEvent,
  time: AlertTime,
  sequence: number,
): Record<string, string> {
  const told: Readonly<Record<string, string | number>> = {
    version: PACEMAKER_VERSION,
    kind: event.kind,
    node: event.node,
    node_sequence: sequence,
    recipient: alert.recipient ?? "",
    timestamp: formatTimestamp(alert.timestampFormat, time),
    timestamp_epoch: Math.floor(time.epoch),
    timestamp_usec: String(microseconds(time.epoch)).padStart(6, "0"),
    ...details(event),
  };
  const variables = Object.entries(told).map(
    ([name, value]) => [`CRM_alert_${name}`, String(value)] as const,
  );
  const parameters = [...alert.parameters].filter(([name]) => isVariable(name));
  return Object.fromEntries([...variables, ...parameters].map(([name, value]) => [name, withoutNul(value)]));
}

function details(event: AlertEvent): Readonly<Record<string, string | number>> {
  switch (event.kind) {
    case "node":
      return { nodeid: event.nodeId, desc: event.state };
    case "fencing": {
      const { action, node, executor, client, origin, ok, reason, id } = event;
      const by = executor === "" ? "the cluster" : executor;
      const outcome = ok ? "OK" : `Error occurred${reason === "" ? "" : ` (${reason})`}`;
      return {
        task: action,
        rc: ok ? 0 : 1,
        desc: `Operation ${action} of ${node} by ${by} for ${client}@${origin}: ${outcome} (ref=${id})`,
      };
    }
    case "resource": {
      const { rsc, action, intervalMs, expectedRc, status, rc, execMs } = event;
      return {
        rsc,
        task: action,
        interval: intervalMs,
        target_rc: expectedRc,
        status,
        rc,
        exec_time: Math.round(execMs),
        desc: status === 0 ? exitMessage(rc) : statusText(status),
      };
    }
    case "attribute":
      return { nodeid: event.nodeId, attribute_name: event.name, attribute_value: event.value ?? "" };
  }
}

/** What can be the name of a variable; others cannot be passed on. */
const isVariable = (name: string) => /^[A-Za-z_]\w*$/.test(name);
const withoutNul = (text: string) => text.replaceAll("\0", "");

import type { InjectedChange, SimulationStep } from "../../controller/index.ts";
import { lookup } from "../../terms/index.ts";

/** Steps of a rehearsed execution as crm_simulate lists them, without bullet and indentation. */
export function executionLines(steps: readonly SimulationStep[]): string[] {
  return steps.map(executionLine);
}

function executionLine(step: SimulationStep): string {
  switch (step.type) {
    case "resource": {
      const interval = step.intervalMs > 0 ? `=${step.intervalMs}` : "";
      return `Resource action: ${step.rsc.padEnd(15)} ${step.task}${interval} on ${step.node}`;
    }
    case "pseudo":
      return `Pseudo action:   ${step.key}${step.node === undefined ? "" : ` on ${step.node}`}`;
    case "fencing":
      return `Fencing ${step.node} (${step.action})`;
    case "cluster":
      return `Cluster action:  ${step.task}${step.rsc === undefined ? "" : ` for ${step.rsc}`} on ${step.node}`;
    case "failure":
      return `Pretending action ${step.action} failed with rc=${step.rc}`;
    case "attribute":
      return attributeLine(step);
  }
}

const attributeLine = ({ name, value, nodeId }: { name: string; value: string; nodeId: string }) =>
  `Injecting attribute ${name}=${value} into /node_state '${nodeId}'`;

const ofNode = lookup({
  Online: (node: string) => `Bringing node ${node} online`,
  Offline: (node: string) => `Taking node ${node} offline`,
  Failing: (node: string) => `Failing node ${node}`,
} as const);
const ofTicket = lookup({
  Granting: (id: string) => `Granting ticket ${id}`,
  Revoking: (id: string) => `Revoking ticket ${id}`,
  Standby: (id: string) => `Making ticket ${id} standby`,
  Activating: (id: string) => `Activating ticket ${id}`,
} as const);

/** Changes made before a rehearsal as crm_simulate lists them. */
export const changeLines = (changes: readonly InjectedChange[]): string[] => changes.map(changeLine);

function changeLine(change: InjectedChange): string {
  switch (change.type) {
    case "quorum":
    case "watchdog":
      return `Setting ${change.type}: ${change.value}`;
    case "node":
      return ofNode[change.action](change.node);
    case "ticket":
      return ofTicket[change.action](change.ticket);
    case "utilization":
      return `Setting utilization ${change.spec}`;
    case "result":
      return `Injecting ${change.spec} into the configuration`;
    case "attribute":
      return attributeLine(change);
  }
}

import { attributeLine, type SimulationStep } from "../../controller/index.ts";

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
      return attributeLine(step.name, step.value, step.nodeId);
  }
}

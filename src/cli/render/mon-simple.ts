import type { Cluster } from "../../scheduler/index.ts";
import { hiddenText, judgedBy } from "../hidden.ts";
import { instanceCounts, sortedNodes } from "./cluster-view.ts";
import type { StatusInput } from "./input.ts";
import { monSummary } from "./mon-summary.ts";

const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

/** One line for monitoring programs, and whether all is well (`crm_mon -s`). */
export function simpleStatus(input: StatusInput, cluster: Cluster): { text: string; ok: boolean } {
  const hidden = judgedBy(input.hidden);
  if (hidden.length > 0) return { text: `CLUSTER WARN: ${hiddenText(hidden)}`, ok: false };
  const nodes = sortedNodes(cluster);
  const problems = [
    ...(monSummary(input, cluster).dcName === undefined ? ["No DC"] : []),
    ...nodes.filter(({ online }) => !online).map(({ name }) => `offline node: ${name}`),
  ];
  if (problems.length > 0) return { text: `CLUSTER WARN: ${problems.join(", ")}`, ok: false };
  const online = nodes.filter((node) => node.online && !node.standby && !node.maintenance).length;
  const standby = nodes.filter((node) => node.online && node.standby).length;
  const maintenance = nodes.filter((node) => node.online && node.maintenance && !node.standby).length;
  const parts = [
    `${plural(online, "node")} online`,
    ...(standby > 0 ? [plural(standby, "standby node")] : []),
    ...(maintenance > 0 ? [plural(maintenance, "maintenance node")] : []),
    `${plural(instanceCounts(cluster).total, "resource instance")} configured`,
  ];
  return { text: `CLUSTER OK: ${parts.join(", ")}`, ok: true };
}

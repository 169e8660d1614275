import type { InjectedChange, SimulationStep } from "../../controller/index.ts";
import type { Cluster, SchedulerMessage } from "../../scheduler/index.ts";
import type { EpochSeconds } from "../../terms/index.ts";
import { lookup } from "../../terms/index.ts";
import type { Message } from "../answer/index.ts";
import { instanceCounts } from "./cluster-view.ts";
import { formatInterval } from "./dates.ts";
import { changeLines, executionLines } from "./execution.ts";
import { attributeSection } from "./mon/attributes.ts";
import { failureSection } from "./mon/failures.ts";
import { historySection } from "./mon/history.ts";
import { nodeSection } from "./mon/nodes.ts";
import { resourceSection } from "./mon/resources.ts";
import type { ClusterView } from "./mon/view.ts";
import { defaultMonOptions } from "./mon-options.ts";
import { joinSections, outlineLines, plainLines } from "./outline.ts";
import { summaryLines } from "./transition-summary.ts";

/** `2017-05-03 13:33:24Z`: a point in time as the tools write it. */
export function formatUtc(time: EpochSeconds): string {
  return new Date(time * 1000)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
}

/** The remark that the CIB names the time that counts. */
export const originalDateLine = (time: EpochSeconds): string =>
  `Using the original execution date of: ${formatUtc(time)}`;

/** What a status report shows beside nodes and resources. */
export interface StatusReportOptions {
  readonly pending?: boolean;
  readonly attributes?: boolean;
  /** Fail counts and failures. */
  readonly failures?: boolean;
}

/** The sections of "Current cluster status" and "Revised Cluster Status". */
export function statusMessages(cluster: Cluster, options: StatusReportOptions = {}): Message[] {
  const view: ClusterView = {
    cluster,
    options: {
      ...defaultMonOptions,
      sections: new Set(options.failures ? ["failcounts"] : []),
      inactive: true,
      failureDetail: true,
      pending: options.pending ?? false,
    },
  };
  return [
    nodeSection(view),
    resourceSection(view),
    ...(options.attributes ? [attributeSection(view)] : []),
    ...(options.failures ? [historySection(view), failureSection(view)] : []),
  ];
}

/** The same under a title, or, `plain`, only the entries. */
export function statusReport(
  title: string,
  cluster: Cluster,
  options: StatusReportOptions & { readonly plain?: boolean } = {},
): string {
  const sections = statusMessages(cluster, options).flatMap(({ outline }) => outline?.() ?? []);
  if (options.plain) return `${joinSections(sections.map(plainLines))}\n`;
  return `${title}:\n${joinSections(sections.map((section) => outlineLines(section, 1)))}\n`;
}

/** Remarks before the first status: maintenance, disabled and blocked instances. */
export function preambleSections(cluster: Cluster): string[] {
  const sections: string[] = [];
  if (cluster.options.maintenance) {
    sections.push(
      "\n              *** Resource management is DISABLED ***\n" +
        "  The cluster will not attempt to start, stop or recover services\n",
    );
  }
  const { total, disabled, blocked } = instanceCounts(cluster);
  if (disabled > 0 || blocked > 0) {
    sections.push(
      `${disabled} of ${total} resource instances DISABLED and ${blocked} BLOCKED from further action due to failure\n`,
    );
  }
  return sections;
}

/** A titled list, or only its entries; remarks stand before them. */
function list(
  title: string,
  lines: readonly string[],
  plain: boolean,
  remarks: readonly string[] = [],
): string {
  const before = remarks.map((text) => `${text}\n`).join("");
  if (plain) return before + lines.map((text) => `${text}\n`).join("");
  return `${title}:\n${before}${lines.map((text) => `  * ${text}\n`).join("")}`;
}

/** "Performing Requested Modifications". */
export const modificationReport = (changes: readonly InjectedChange[], plain: boolean): string =>
  list("Performing Requested Modifications", changeLines(changes), plain);

/** "Transition Summary". */
export const summaryReport = (summary: readonly string[], plain: boolean): string =>
  list("Transition Summary", summaryLines(summary), plain);

/** "Executing Cluster Transition". That a failure is made up is said beside the list. */
export function executionReport(steps: readonly SimulationStep[], plain: boolean): string {
  const lines = executionLines(steps);
  const entries = steps.map(({ type }, at) => `${plain || type === "failure" ? "" : "  * "}${lines[at]}\n`);
  return `${plain ? "" : "Executing Cluster Transition:\n"}${entries.join("")}`;
}

/** Lines about the use of capacities among the scores. */
export const isUtilization = (line: string): boolean =>
  /^(?:Original|Remaining): | utilization on /.test(line);

/** Score lines as asked for, plain so that they can be searched by their beginning. */
export function scoreLines(scores: readonly string[], wanted: boolean, utilization: boolean): string[] {
  return scores.filter((line) => (isUtilization(line) ? utilization : wanted));
}

/** Scores and the use of capacities, under a title unless `plain`. */
export function scoreReport(
  lines: readonly string[],
  scores: boolean,
  utilization: boolean,
  plain: boolean,
  remarks: readonly string[] = [],
): string {
  const titles = [
    ...(scores ? ["Allocation Scores"] : []),
    ...(utilization ? ["Utilization Information"] : []),
  ];
  return list(titles.join(" and "), lines.map(stagedLine), plain, remarks);
}

/** What the scheduler remarks on histories while it compares parameters. */
export const scoreRemarks = (messages: readonly SchedulerMessage[]): string[] =>
  messages.flatMap(({ level, text }) =>
    level === "info" && text.startsWith("Only 'private' parameters")
      ? [text.replace(/(\d+)ms-interval/, (_, ms) => `${formatInterval(Number(ms))}-interval`)]
      : [],
  );

/** The function of Pacemaker 3.x that each stage's lines are told by. */
const stages: Readonly<Record<string, string>> = lookup({
  primitive: "pcmk__primitive_assign",
  group: "pcmk__group_assign",
  clone: "pcmk__clone_assign",
  bundle: "pcmk__bundle_assign",
  utilization: "pcmk__assign_resource",
});

/** A score line as crm_simulate prints it. */
const stagedLine = (line: string): string => line.replace(/^(\w+)(?=: )/, stageName);

/** A stage as crm_simulate calls it. */
export const stageName = (stage: string): string => stages[stage] ?? stage;

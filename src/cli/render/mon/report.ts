import { readConstraints } from "../../../scheduler/index.ts";
import type { Message } from "../../answer/index.ts";
import { attributeSection } from "./attributes.ts";
import { banSection } from "./bans.ts";
import { failureSection } from "./failures.ts";
import { failedFencingSection, fencingHistorySection } from "./fencing.ts";
import { historySection } from "./history.ts";
import { nodeSection } from "./nodes.ts";
import { resourceSection } from "./resources.ts";
import { maintenanceSection, summarySection } from "./summary.ts";
import { ticketSection } from "./tickets.ts";
import { hasState, isWhole, type MonView, shows } from "./view.ts";

/**
 * The report of crm_mon since Pacemaker 2.0: its sections in their order. The working set is read further where a
 * section needs it.
 */
export function monMessages(view: MonView): Message[] {
  // How many are blocked is counted before a ticket blocks more.
  const summary = summarySection(view);
  if (shows(view, "bans") || shows(view, "tickets")) readConstraints(view.cluster);
  return [
    summary,
    ...(shows(view, "maint-mode") ? [maintenanceSection(view)] : []),
    ...(shows(view, "nodes") && hasState(view) ? [nodeSection(view)] : []),
    ...(shows(view, "resources") && hasState(view)
      ? [resourceSection(view, isWhole(view, "resources"))]
      : []),
    ...(shows(view, "attributes") ? [attributeSection(view)] : []),
    ...(shows(view, "operations") || shows(view, "failcounts") ? [historySection(view)] : []),
    ...(shows(view, "failures") ? [failureSection(view)] : []),
    failedFencingSection(view),
    ...(shows(view, "tickets") ? [ticketSection(view)] : []),
    ...(shows(view, "bans") ? [banSection(view)] : []),
    fencingHistorySection(view),
  ];
}

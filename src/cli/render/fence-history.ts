import type { FenceResult } from "../../fencer/index.ts";
import { formatCtime } from "./dates.ts";
import type { StatusFencing, StatusInput } from "./input.ts";
import { line, type Outline } from "./outline.ts";

/** The newest entry of each kind: target, action and outcome, and who failed. */
export function newestOfEach(history: readonly FenceResult[]): FenceResult[] {
  const seen = new Set<string>();
  return history.filter(({ target, action, ok, executor }) => {
    const kind = [target.toLowerCase(), action, ok, ok ? "" : executor].join(" ");
    if (seen.has(kind)) return false;
    seen.add(kind);
    return true;
  });
}

/** `reboot of node2 successful: delegate=node1, client=hactl, origin=node1, completed='…'` */
export function fenceText(result: FenceResult, full: boolean): string {
  const { action, target, ok, executor, client, origin, completedAt, reason } = result;
  const outcome = ok ? "successful" : `failed${reason === "" ? "" : ` (${reason})`}`;
  const delegate = executor === "" ? "" : `delegate=${executor}, `;
  const when = full ? "completed" : ok ? "last-successful" : "last-failed";
  return `${action} of ${target} ${outcome}: ${delegate}client=${client}, origin=${origin}, ${when}='${formatCtime(completedAt)}'`;
}

/** `reboot of node2 pending: client=hactl, origin=node1` */
export const pendingFenceText = ({ action, target, client, origin }: StatusFencing): string =>
  `${action} of ${target} pending: client=${client}, origin=${origin}`;

/** What of the fencing history to show. */
export interface FenceSectionOptions {
  readonly failed: boolean;
  readonly pending: boolean;
  readonly succeeded: boolean;
  readonly full: boolean;
}

/** "Fencing History", or only "Failed" and "Pending Fencing Actions". */
export function fenceSections(input: StatusInput, options: FenceSectionOptions): Outline[] {
  const { history, pending } = input.fencing;
  const reduced = options.full ? history : newestOfEach(history);
  const underWay = options.pending ? pending.map((entry) => line(pendingFenceText(entry))) : [];
  const shown = (ok: boolean) =>
    reduced.filter((entry) => entry.ok === ok).map((entry) => line(fenceText(entry, options.full)));
  if (options.succeeded) {
    const ended = reduced
      .filter(({ ok }) => ok || options.failed)
      .map((entry) => line(fenceText(entry, options.full)));
    return [{ text: "Fencing History:", children: [...underWay, ...ended] }];
  }
  return [
    ...(options.failed ? [{ text: "Failed Fencing Actions:", children: shown(false) }] : []),
    { text: "Pending Fencing Actions:", children: underWay },
  ];
}

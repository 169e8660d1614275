import { element, type XmlElement } from "../../../cib/index.ts";
import type { FenceResult } from "../../../fencer/index.ts";
import { lookup } from "../../../terms/index.ts";
import type { Message } from "../../answer/index.ts";
import { formatLocal } from "../dates.ts";
import { newestOfEach } from "../fence-history.ts";
import type { StatusFencing } from "../input.ts";
import { line, type Outline } from "../outline.ts";
import { selectsNode } from "../selection.ts";
import { type MonView, selectionIn, shows } from "./view.ts";

/** Fencing that failed; in a document everything that is known of fencing. */
export const failedFencingSection = (view: MonView): Message => ({
  outline: () => {
    const failed = shows(view, "fencing-failed") ? ended(view).filter(({ ok }) => !ok) : [];
    return titled(
      "Failed Fencing Actions:",
      failed.map((result) => endedText(view, result)),
    );
  },
  xml: () => {
    if (!known(view) || !showsAny(view)) return [];
    const events = [...pending(view).map(pendingElement), ...ended(view, true).map(endedElement)];
    return events.length > 0 ? [element("fence_history", {}, events)] : [];
  },
});

/** Fencing that is under way, and with the successful ones the whole "Fencing History". */
export const fencingHistorySection = (view: MonView): Message => ({
  outline: () => {
    if (!showsAny(view)) return [];
    const open = pending(view).map((entry) => pendingText(view, entry));
    if (shows(view, "fencing-succeeded")) {
      const good = ended(view).filter(({ ok }) => ok);
      return titled("Fencing History:", [...open, ...good.map((result) => endedText(view, result))]);
    }
    return shows(view, "fencing-pending") ? titled("Pending Fencing Actions:", open) : [];
  },
});

const titled = (text: string, lines: readonly string[]): Outline[] =>
  lines.length === 0 ? [] : [{ text, children: lines.map(line) }];

/** A file has no history of fencing. */
const known = ({ input }: MonView) => input.membership !== undefined;

const showsAny = (view: MonView) =>
  shows(view, "fencing-failed") || shows(view, "fencing-pending") || shows(view, "fencing-succeeded");
const showsAll = (view: MonView) =>
  shows(view, "fencing-failed") && shows(view, "fencing-pending") && shows(view, "fencing-succeeded");

/** Newest first; reduced to the newest of each kind unless everything is asked for. */
function ended(view: MonView, whole = false): FenceResult[] {
  const { history } = view.input.fencing;
  const reduced = whole || showsAll(view) ? history : newestOfEach(history);
  return reduced.filter(({ target }) => selectsNode(selectionIn(view), target));
}

const pending = (view: MonView): StatusFencing[] =>
  view.input.fencing.pending.filter(({ target }) => selectsNode(selectionIn(view), target));

const deeds: Readonly<Record<string, string>> = lookup({ on: "unfencing", off: "turning off" });
const deed = (action: string) => deeds[action] ?? action;

/**
 * `reboot of node2 by node1 for stonith_admin@node1 last successful at …`; with details the same as
 * `reboot of node2 successful: delegate=node1, client=stonith_admin, origin=node1, last-successful='…'`.
 */
export function endedText(view: MonView, result: FenceResult): string {
  const { action, target, ok, executor, client, origin, completedAt, reason } = result;
  const state = `${ok ? "successful" : "failed"}${ok || reason === "" ? "" : ` (${reason})`}`;
  const at = formatLocal(completedAt, true);
  const full = showsAll(view);
  const later = ok ? undefined : laterSuccess(result, view.input.fencing.history);
  const remark = later === undefined ? "" : ` (a later attempt from ${later} succeeded)`;
  if (view.options.detail) {
    const by = executor === "" ? "" : `delegate=${executor}, `;
    const when = full ? "completed" : ok ? "last-successful" : "last-failed";
    return `${deed(action)} of ${target} ${state}: ${by}client=${client}, origin=${origin}, ${when}='${at}'${remark}`;
  }
  const by = executor === "" ? "" : ` by ${executor}`;
  return `${deed(action)} of ${target}${by} for ${client}@${origin}${full ? "" : " last"} ${state} at ${at}${remark}`;
}

/** Who did later what this attempt could not. */
function laterSuccess(failed: FenceResult, history: readonly FenceResult[]): string | undefined {
  const found = history.filter(
    ({ ok, target, action, completedAt }) =>
      ok &&
      target.toLowerCase() === failed.target.toLowerCase() &&
      action === failed.action &&
      completedAt > failed.completedAt,
  );
  const same = found.find(({ executor }) => executor === failed.executor) ?? found[0];
  return same && (same.executor || "some node");
}

function pendingText(view: MonView, { action, target, client, origin }: StatusFencing): string {
  if (view.options.detail) return `${deed(action)} of ${target} pending: client=${client}, origin=${origin}`;
  return `${deed(action)} of ${target} for ${client}@${origin}${showsAll(view) ? "" : " last"} pending`;
}

const pendingElement = ({ action, target, client, origin }: StatusFencing): XmlElement =>
  element("fence_event", { action, target, client, origin, status: "pending" });

const endedElement = (result: FenceResult): XmlElement => {
  const { action, target, client, origin, ok, reason, executor, completedAt } = result;
  return element("fence_event", {
    action,
    target,
    client,
    origin,
    status: ok ? "success" : "failed",
    "exit-reason": ok || reason === "" ? undefined : reason,
    delegate: executor || undefined,
    completed: formatLocal(completedAt, true),
  });
};

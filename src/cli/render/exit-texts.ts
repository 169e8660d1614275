import {
  executionStatusTexts,
  exitMessage,
  lookup,
  OcfExit,
  OpStatus,
  statusText,
} from "../../terms/index.ts";

export { statusText } from "../../terms/index.ts";

/** Exit codes of agents in the words of the 1.1 series, for its layout. */
const oldTexts: Readonly<Record<number, string>> = lookup({
  0: "ok",
  1: "unknown error",
  2: "invalid parameter",
  3: "unimplemented feature",
  4: "insufficient privileges",
  5: "not installed",
  6: "not configured",
  7: "not running",
  8: "master",
  9: "master (failed)",
  190: "degraded",
  191: "degraded (master)",
  193: "unknown",
});

/** What an agent's exit code means. */
export const exitText = (code: number): string => exitMessage(code);
export const exitTextOld = (code: number): string => oldTexts[code] ?? "unknown";

/** Execution statuses of a command that ended by itself: its exit code tells more. */
const ended: ReadonlySet<number> = new Set([
  OpStatus.DONE,
  OpStatus.ERROR,
  OpStatus.ERROR_HARD,
  OpStatus.ERROR_FATAL,
]);

/** What came of an operation, by its exit code where an agent has given one. */
export const outcomeText = (rc: number, status: number): string =>
  ended.has(status) || (status === OpStatus.NOT_INSTALLED && rc !== OcfExit.INSTALLED)
    ? exitText(rc)
    : statusText(status);

const oldStatuses: Readonly<Record<number, string>> = lookup({
  ...executionStatusTexts,
  [-1]: "pending",
  0: "complete",
  2: "Timed Out",
  3: "NOT SUPPORTED",
});

/** The same in the words of the 1.1 series. */
export const statusTextOld = (status: number): string => oldStatuses[status] ?? "UNKNOWN!";

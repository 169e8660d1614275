import { lookup } from "../../terms/index.ts";
import { exitMessage } from "../tools/error-texts.ts";

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

const statuses: Readonly<Record<number, string>> = lookup({
  [-1]: "Pending",
  0: "Done",
  1: "Cancelled",
  2: "Timed out",
  3: "Unsupported",
  4: "Error",
  5: "Hard error",
  6: "Fatal error",
  7: "Not installed",
  8: "Internal communication failure",
  9: "Cannot execute now",
  10: "No fence device",
  11: "CIB secrets unavailable",
});

/** How an operation ended apart from the exit code (`op-status`). */
export const statusText = (status: number): string => statuses[status] ?? "Unrecognized status";

const oldStatuses: Readonly<Record<number, string>> = lookup({
  ...statuses,
  [-1]: "pending",
  0: "complete",
  2: "Timed Out",
  3: "NOT SUPPORTED",
});

/** The same in the words of the 1.1 series. */
export const statusTextOld = (status: number): string => oldStatuses[status] ?? "UNKNOWN!";

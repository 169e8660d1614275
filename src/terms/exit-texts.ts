/** Exit codes of agents in words, as displays since Pacemaker 3.0 write them. */
const texts: Readonly<Record<number, string>> = {
  0: "OK",
  1: "Error occurred",
  2: "Invalid parameter",
  3: "Unimplemented",
  4: "Insufficient privileges",
  5: "Not installed",
  6: "Not configured",
  7: "Not running",
  8: "Promoted",
  9: "Failed in promoted role",
  190: "Service is degraded",
  191: "Promoted service is degraded",
  193: "Unknown",
};
/** The same in the words of the 1.1 series, for its layout. */
const oldTexts: Readonly<Record<number, string>> = {
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
};

/** What an agent's exit code means. */
export const exitText = (code: number): string => texts[code] ?? "Unknown exit status";
export const exitTextOld = (code: number): string => oldTexts[code] ?? "unknown";

const statuses: Readonly<Record<number, string>> = {
  [-1]: "pending",
  0: "complete",
  1: "Cancelled",
  2: "Timed Out",
  3: "Not supported",
  4: "Error",
  5: "Hard error",
  6: "Fatal error",
  7: "Not installed",
  8: "Internal communication failure",
  9: "Invalid result",
  10: "No fence device",
  11: "CIB secrets unavailable",
};

/** How an operation ended apart from the exit code (`op-status`). */
export const statusText = (status: number): string => statuses[status] ?? "Unknown status";

import { lookup } from "./lookup.ts";

interface Code {
  readonly name: string;
  readonly text: string;
}

const table = (rows: readonly (readonly [code: number, name: string, text: string])[]) =>
  lookup(Object.fromEntries(rows.map(([code, name, text]) => [code, { name, text }]))) as Readonly<
    Record<number, Code>
  >;

/** Exit codes of cluster tools (`crm_exit_t`), as crm_error and the status of every document tell them. */
export const crmExitTexts = table([
  [0, "CRM_EX_OK", "OK"],
  [1, "CRM_EX_ERROR", "Error occurred"],
  [2, "CRM_EX_INVALID_PARAM", "Invalid parameter"],
  [3, "CRM_EX_UNIMPLEMENT_FEATURE", "Unimplemented"],
  [4, "CRM_EX_INSUFFICIENT_PRIV", "Insufficient privileges"],
  [5, "CRM_EX_NOT_INSTALLED", "Not installed"],
  [6, "CRM_EX_NOT_CONFIGURED", "Not configured"],
  [7, "CRM_EX_NOT_RUNNING", "Not running"],
  [8, "CRM_EX_PROMOTED", "Promoted"],
  [9, "CRM_EX_FAILED_PROMOTED", "Failed in promoted role"],
  [64, "CRM_EX_USAGE", "Incorrect usage"],
  [65, "CRM_EX_DATAERR", "Invalid data given"],
  [66, "CRM_EX_NOINPUT", "Input file not available"],
  [67, "CRM_EX_NOUSER", "User does not exist"],
  [68, "CRM_EX_NOHOST", "Host does not exist"],
  [69, "CRM_EX_UNAVAILABLE", "Necessary service unavailable"],
  [70, "CRM_EX_SOFTWARE", "Internal software bug"],
  [71, "CRM_EX_OSERR", "Operating system error occurred"],
  [72, "CRM_EX_OSFILE", "System file not available"],
  [73, "CRM_EX_CANTCREAT", "Cannot create output file"],
  [74, "CRM_EX_IOERR", "I/O error occurred"],
  [75, "CRM_EX_TEMPFAIL", "Temporary failure, try again"],
  [76, "CRM_EX_PROTOCOL", "Protocol violated"],
  [77, "CRM_EX_NOPERM", "Insufficient privileges"],
  [78, "CRM_EX_CONFIG", "Invalid configuration"],
  [100, "CRM_EX_FATAL", "Fatal error occurred, will not respawn"],
  [101, "CRM_EX_PANIC", "System panic required"],
  [102, "CRM_EX_DISCONNECT", "Not connected"],
  [103, "CRM_EX_OLD", "Update was older than existing configuration"],
  [104, "CRM_EX_DIGEST", "Digest mismatch"],
  [105, "CRM_EX_NOSUCH", "No such object"],
  [106, "CRM_EX_QUORUM", "Quorum required"],
  [107, "CRM_EX_UNSAFE", "Operation not safe"],
  [108, "CRM_EX_EXISTS", "Requested item already exists"],
  [109, "CRM_EX_MULTIPLE", "Multiple items match request"],
  [110, "CRM_EX_EXPIRED", "Requested item has expired"],
  [111, "CRM_EX_NOT_YET_IN_EFFECT", "Requested item is not yet in effect"],
  [112, "CRM_EX_INDETERMINATE", "Could not determine status"],
  [113, "CRM_EX_UNSATISFIED", "Not applicable under current conditions"],
  [114, "CRM_EX_NO_DC", "DC is not yet elected"],
  [124, "CRM_EX_TIMEOUT", "Timeout occurred"],
  [190, "CRM_EX_DEGRADED", "Service is active but might fail soon"],
  [191, "CRM_EX_DEGRADED_PROMOTED", "Service is promoted but might fail soon"],
  [193, "CRM_EX_NONE", "No exit status available"],
]);

/** An exit code of the cluster's tools in words. */
export function exitMessage(exit: number): string {
  if (exit > 128 && exit < 190) return "Interrupted by signal";
  return crmExitTexts[exit]?.text ?? "Unknown exit status";
}

/** How an operation ended apart from the exit code (`op-status`), in words. */
export const executionStatusTexts: Readonly<Record<number, string>> = lookup({
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
export const statusText = (status: number): string => executionStatusTexts[status] ?? "Unrecognized status";

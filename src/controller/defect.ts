import { CrmExit, HactlError } from "../terms/index.ts";

/**
 * Whether it has run out of stack or memory, which need not happen on the other members: its state may be another one
 * than theirs from then on.
 */
export const isOfThisNode = (error: unknown): boolean =>
  error instanceof RangeError && /stack|memory/i.test(error.message);

/** What is told to whoever waits for a change that could not be made. */
export const notApplied = (what: string, cause: unknown): HactlError =>
  new HactlError({
    code: "NOT_APPLIED",
    what: `${what} could not be applied and changes nothing`,
    cure: "it is a defect of hactl: see its log, and report it",
    exit: CrmExit.SOFTWARE,
    cause,
  });

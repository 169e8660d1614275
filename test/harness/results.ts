import type { OperationResult } from "../../src/executor/index.ts";
import { OcfExit, OpStatus } from "../../src/terms/index.ts";

/** What an operation gave that went well, at the second 1 of the clock. */
export const wentWell = {
  rc: OcfExit.OK,
  status: OpStatus.DONE,
  exitReason: "",
  stdout: "",
  execMs: 1,
  queueMs: 0,
  lastRun: 1,
  lastChange: 1,
} satisfies Partial<OperationResult>;
